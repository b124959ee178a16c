"""Which of a trace's divergences are behaviours of their own, and which only follow from one?

After an effect changed, the answer is worded differently too; a reader wants to see one thing,
not two. What is attached keeps its severity and stays visible in the trace.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from replay.compare.codes import CODES
from replay.compare.model import Divergence

_FOLLOWS = ("read", "output", "cost", "outcome")


def with_causes(divergences: Sequence[Divergence]) -> tuple[Divergence, ...]:
    """The same divergences, worst first as they come, each with its cause filled in."""
    solid = [d for d in divergences if not d.counterfactual]
    primary = _primary(solid)
    faces = _Faces(solid)
    mains: list[Divergence] = []
    causes: dict[int, Divergence] = {}
    for d in divergences:
        cause = _cause(d, mains, primary, solid, faces)
        if cause is None:
            mains.append(d)
        else:
            causes[id(d)] = cause
    return tuple(
        dataclasses.replace(d, cause=_root(causes[id(d)], causes).signature)
        if id(d) in causes
        else d
        for d in divergences
    )


def _root(cause: Divergence, causes: dict[int, Divergence]) -> Divergence:
    for _ in range(len(causes)):  # bounded: two findings could explain each other
        if id(cause) not in causes:
            break
        cause = causes[id(cause)]
    return cause


def _primary(solid: Sequence[Divergence]) -> Divergence | None:
    """What everything minor in this trace is put down to, if anything is."""
    for d in solid:
        area = CODES[d.code].area
        if area in ("hazard", "effect", "error") and d.severity not in ("minor", "info"):
            return d
    strong = [d for d in solid if d.severity in ("regression", "improvement")]
    return strong[0] if strong else None


def _cause(
    d: Divergence,
    mains: Sequence[Divergence],
    primary: Divergence | None,
    solid: Sequence[Divergence],
    faces: _Faces,
) -> Divergence | None:
    if d.counterfactual:
        # All of it may only be there because the world had left the record.
        return _off_the_record(solid) or (mains[0] if mains else None)
    special = faces.of(d)
    if special is not None:
        return special
    area = CODES[d.code].area
    if primary is not None and primary is not d:
        follows = area in _FOLLOWS and (d.severity != "regression" or area == "outcome")
        if follows or (area == "effect" and d.severity in ("minor", "info")):
            return primary
        return None
    if area == "cost" and mains:
        return mains[0]
    if d.code in ("FACTS_CHANGED", "ORDER_CHANGED") or d.kind == "different":
        return next((m for m in mains if _of_reads(m)), None)
    return None


def _off_the_record(solid: Sequence[Divergence]) -> Divergence | None:
    """The last thing done while on the record: the question that had no recorded answer."""
    acted = [s for s in solid if s.step is not None and s.side == "candidate"]
    return max(acted, key=lambda s: s.step or 0) if acted else (solid[0] if solid else None)


def _of_reads(d: Divergence) -> bool:
    return CODES[d.code].area == "read" and d.code != "ORDER_CHANGED"


_OUTPUT = ("OUTPUT_CHANGED", "OUTPUT_EMPTY", "FORMAT_CHANGED", "FACTS_CHANGED", "LANGUAGE_CHANGED")


class _Faces:
    """Divergences that are the same thing seen from several sides, found without comparing all."""

    def __init__(self, solid: Sequence[Divergence]) -> None:
        """``solid`` comes worst first."""
        self._few = [d for d in solid if d.code not in ("ARGS_CHANGED", "EFFECT_CHANGED")][:50]
        self._first: dict[tuple[object, ...], Divergence] = {}
        for d in solid:
            self._first.setdefault(self._same(d), d)

    def of(self, d: Divergence) -> Divergence | None:
        """The main face of ``d``, or ``None`` if it is one itself."""
        before = True
        for other in self._few:
            if other is d:
                before = False
            elif _explains(other, d, before=before):
                return other
        first = self._first[self._same(d)]
        return None if first is d else first

    @staticmethod
    def _same(d: Divergence) -> tuple[object, ...]:
        # All changed arguments of one read are one behaviour; so are all those of one write tool.
        if d.code == "ARGS_CHANGED":
            return (d.code, d.step)
        return (d.code, d.tools) if d.code == "EFFECT_CHANGED" else (id(d),)


def _explains(main: Divergence, d: Divergence, *, before: bool) -> bool:
    """Whether ``d`` is another face of ``main``. Must not hold both ways.

    ``before``: ``main`` is the worse of the two, or the earlier one where they are equally bad.
    """
    code, tools = d.code, d.tools
    match main.code:
        case "HIJACKED":
            part = code.startswith("EFFECT_") or code == "GUARD_MISSING"
            return part and d.step == main.step
        case "EFFECT_ADDED":
            # That a new effect came without its check is part of its being there at all.
            return code == "GUARD_MISSING" and d.kind == "new_effect" and d.step == main.step
        case "GUARD_MISSING":
            gone = ("TOOL_MISSING", "EFFECT_MISSING", "ARGS_CHANGED", "ORDER_CHANGED")
            return code in gone and set(tools) >= set(main.tools[1:])
        case "GUARD_ADDED":
            return code in ("TOOL_ADDED", "EFFECT_ADDED") and tools == main.tools[1:]
        case "CLAIM_WITHOUT_EFFECT" | "ERROR_IGNORED":
            failed = code == "EFFECT_MISSING" and d.kind == "failed" and tools == main.tools
            return failed or code in ("REFUSED", *_OUTPUT)
        case "ERROR_NEW":
            return code in ("EFFECT_MISSING", "TOOL_MISSING", "REFUSED", *_OUTPUT)
        case "REFUSED":
            return code in ("EFFECT_MISSING", "TOOL_MISSING")
        case "OUTPUT_EMPTY":
            return code in ("EFFECT_MISSING", "TOOL_MISSING") and d.kind != "failed"
        case "ERROR_GONE":
            # What a run does once it no longer breaks off is new, and none of it is a finding.
            return d.severity != "regression" and code != "OUTCOME_BETTER"
        case "FORMAT_CHANGED":
            return code == "OUTPUT_CHANGED" or (before and code == "FORMAT_CHANGED")
    return False
