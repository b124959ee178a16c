"""Traces that changed in the same way, as one behaviour with a name.

The id of a group is a hash of its signature: code, tools, normalised path and kind of change,
never concrete values, so that it stays the same from night to night.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from replay.compare.codes import rank, severity_rank
from replay.compare.model import BehaviourGroup, Divergence, TraceDiff, Verdict
from replay.compare.text import leaf_texts
from replay.compare.titles import effects_title, reads_title, title_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Behaviour:
    """One behaviour of one trace: its main divergence, and a title if several make it up."""

    signature: str
    main: Divergence
    verdict: Verdict
    worst: Divergence
    tools: tuple[str, ...]
    counterfactual: bool
    title: str = ""


@dataclass(slots=True)
class _Bucket:
    members: list[_Behaviour] = field(default_factory=list)
    traces: list[TraceDiff] = field(default_factory=list)


def group(pairs: Iterable[TraceDiff]) -> tuple[BehaviourGroup, ...]:
    """The behaviours of all pairs, worst first. Linear in the number of divergences."""
    buckets: dict[str, _Bucket] = {}
    for pair in pairs:
        for behaviour in _behaviours(pair):
            bucket = buckets.setdefault(behaviour.signature, _Bucket())
            bucket.members.append(behaviour)
            bucket.traces.append(pair)
    found = [_group(signature, bucket) for signature, bucket in buckets.items()]
    found.sort(
        key=lambda g: (
            severity_rank(g.severity),
            g.counterfactual,
            rank(g.code),
            -g.count,
            g.title,
            g.id,
        )
    )
    return tuple(found)


def _group(signature: str, bucket: _Bucket) -> BehaviourGroup:
    members = bucket.members
    worst = min(members, key=lambda m: (m.worst.counterfactual, severity_rank(m.worst.severity)))
    example = min(bucket.traces, key=_length)
    verdict = min((m.verdict for m in members), key=_TELLING.index)
    shown = next(m for m, t in zip(members, bucket.traces, strict=True) if t is example)
    return BehaviourGroup(
        id=hashlib.sha256(signature.encode("utf-8", "replace")).hexdigest()[:12],
        title=members[0].title or title_of([m.main for m in members]),
        code=members[0].main.code,
        # An improvement stays one, whatever else came with it.
        severity="improvement" if verdict == "improved" else worst.worst.severity,
        verdict=verdict,
        trace_ids=tuple(dict.fromkeys(t.trace_id for t in bucket.traces)),
        example=example.trace_id,
        signature=signature,
        tools=shown.tools,
        why=shown.main.why,
        counterfactual=all(m.counterfactual for m in members),
    )


def _length(pair: TraceDiff) -> tuple[int, str]:
    return (len(pair.baseline_actions) + len(pair.candidate_actions), pair.trace_id)


def _behaviours(pair: TraceDiff) -> Iterator[_Behaviour]:
    mains = [d for d in pair.divergences if not d.cause]
    for codes in (_SWAPPED_EFFECTS, _SWAPPED_READS):
        parts = [d for d in mains if d.code in codes and d.kind in _WHOLE]
        if parts and codes is _SWAPPED_READS:
            parts.extend(d for d in pair.divergences if d.cause and _same_thing(d, parts))
        if len(parts) > 1:
            mains = [d for d in mains if d not in parts]
            yield _swap(pair, parts, reads=codes is _SWAPPED_READS)
    seen: set[str] = set()
    for d in mains:
        if d.signature not in seen:
            seen.add(d.signature)
            yield _one(pair, d.signature, [m for m in mains if m.signature == d.signature])


#: A group is called by the most that any of its traces tells.
_TELLING: tuple[Verdict, ...] = ("regressed", "improved", "changed", "inconclusive")
_SWAPPED_EFFECTS = ("EFFECT_MISSING", "EFFECT_ADDED")
_SWAPPED_READS = ("TOOL_MISSING", "TOOL_ADDED")
_WHOLE = ("", "added", "missing")


def _same_thing(d: Divergence, parts: Sequence[Divergence]) -> bool:
    """Whether a read off the record is the counterpart of one of ``parts``: it asks for the same.

    A merged read often has no recorded answer, so what it replaced is missing counterfactually.
    """
    if not d.counterfactual or d.code not in _SWAPPED_READS or d.kind not in _WHOLE:
        return False
    mine = set(leaf_texts(d.recorded if d.code == "TOOL_MISSING" else d.replayed))
    others = (p for p in parts if p.code != d.code)
    return any(mine & set(leaf_texts([p.recorded, p.replayed])) for p in others)


def _swap(pair: TraceDiff, parts: Sequence[Divergence], *, reads: bool) -> _Behaviour:
    """Calls that are new and calls that are gone in one trace: one took the other's place."""
    parts = sorted(parts, key=lambda d: rank(d.code))
    new = sorted({t for d in parts if d.code.endswith("ADDED") for t in d.tools})
    old = sorted({t for d in parts if d.code.endswith("MISSING") for t in d.tools})
    signature, title = parts[0].signature, ""
    if len({d.signature for d in parts}) > 1:
        kind = "reads" if reads else "effects"
        signature = "|".join((parts[0].code, "+".join(old), "+".join(new), kind))
        title = (reads_title if reads else effects_title)(new, old)
    return _one(pair, signature, parts, title=title, tools=tuple(dict.fromkeys([*new, *old])))


def _one(
    pair: TraceDiff,
    signature: str,
    parts: Sequence[Divergence],
    *,
    title: str = "",
    tools: tuple[str, ...] = (),
) -> _Behaviour:
    signatures = {d.signature for d in parts}
    around = [*parts, *(d for d in pair.divergences if d.cause in signatures)]
    solid = [d for d in around if not d.counterfactual]
    worst = min(solid or around, key=lambda d: severity_rank(d.severity))
    return _Behaviour(
        signature=signature,
        main=next((d for d in parts if not d.counterfactual), parts[0]),
        verdict=_verdict(pair, solid, around),
        worst=worst,
        counterfactual=not solid,
        tools=tools or parts[0].tools,
        title=title,
    )


def _verdict(pair: TraceDiff, solid: Sequence[Divergence], around: Sequence[Divergence]) -> Verdict:
    """What this behaviour alone makes of the trace, which may have others too."""
    if pair.verdict in ("inconclusive", "broken"):
        return pair.verdict
    severities = {d.severity for d in solid}
    if "regression" in severities:
        return "regressed"
    if not solid and any(d.severity == "regression" for d in around):
        return "inconclusive"
    return "improved" if "improvement" in severities else "changed"
