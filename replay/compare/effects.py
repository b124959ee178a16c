"""What the two runs did to the world.

Attempts of the same effect (equal tool and arguments) form one :class:`_Effect`; what counts is
how often it may have happened on each side. A retry after a failure is no second effect; a second
attempt after a time-out may be.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from replay.compare.actions import Action
from replay.compare.align import Alignment, Pair
from replay.compare.canon import key_of
from replay.compare.codes import Severity
from replay.compare.explain import Change
from replay.compare.facts import facts_of
from replay.compare.findings import Findings
from replay.compare.generated import attempt_marks, without_attempts
from replay.compare.settings import CompareSettings
from replay.compare.text import scalar_text, shown, times

_TIMEOUT = re.compile(r"time[d _-]{0,2}out|timeout|deadline", re.I)
_ID_NAME = re.compile(r"(^|_)(id|ids|number|no|iban|email|username|key|path|file|url)$")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_INDEX = re.compile(r"\[\d+\]")
_ODD_KEY = re.compile(r"\.[A-Za-z_-]*\d[\w-]*|\['[^']*'\]")


@dataclass(slots=True)
class _Effect:
    """The attempts of one effect on both sides, in order."""

    baseline: list[Action] = field(default_factory=list)
    candidate: list[Action] = field(default_factory=list)


def normalised(path: str) -> str:
    """A path without concrete indexes and keys that are ids: equal for equal places."""
    return _ODD_KEY.sub(".*", _INDEX.sub("[*]", path))


def compare_effects(
    baseline: Sequence[Action],
    candidate: Sequence[Action],
    alignment: Alignment,
    changes: Mapping[Pair, tuple[Change, ...]],
    settings: CompareSettings,
    findings: Findings,
) -> None:
    """Report every difference between the effects of the two sides.

    ``changes`` holds the differing arguments of each pair that is not exact.
    """
    for pair, found in changes.items():
        b, c = baseline[pair.baseline], candidate[pair.candidate]
        if b.write or c.write:
            _changed(b, c, found, findings)
    for effect in _effects(baseline, candidate, alignment):
        _counts(effect, findings)
    _order(baseline, candidate, alignment, settings, findings)


def _effects(
    baseline: Sequence[Action], candidate: Sequence[Action], alignment: Alignment
) -> list[_Effect]:
    """One entry for each effect; changed arguments don't make another one."""
    parent: dict[tuple[str, bytes], tuple[str, bytes]] = {}

    def root(key: tuple[str, bytes]) -> tuple[str, bytes]:
        while parent.get(key, key) != key:
            key = parent[key]
        return key

    keys = {id(a): _effect_key(a) for side in (baseline, candidate) for a in side if a.write}
    for pair in alignment.pairs:
        b, c = baseline[pair.baseline], candidate[pair.candidate]
        if b.write and c.write:
            parent[root(keys[id(c)])] = root(keys[id(b)])
    found: dict[tuple[str, bytes], _Effect] = defaultdict(_Effect)
    for action in baseline:
        if action.write:
            found[root(keys[id(action)])].baseline.append(action)
    for action in candidate:
        if action.write:
            found[root(keys[id(action)])].candidate.append(action)
    return list(found.values())


def _effect_key(action: Action) -> tuple[str, bytes]:
    plain = without_attempts(action.arguments)
    return action.key if plain is action.arguments else (action.name, key_of(plain))


def _possible(attempts: Sequence[Action]) -> list[Action]:
    return [a for a in attempts if a.state != "failed"]


def _counts(effect: _Effect, findings: Findings) -> None:
    ours, theirs = _possible(effect.baseline), _possible(effect.candidate)
    if len(theirs) > len(ours):
        _more(effect, ours, theirs, findings)
    elif len(ours) > len(theirs):
        _fewer(effect, ours, theirs, findings)
    _retries(effect, findings)


def _more(
    effect: _Effect, ours: Sequence[Action], theirs: Sequence[Action], findings: Findings
) -> None:
    repeats, firsts = _split(theirs, len(theirs) - len(ours))
    for first in firsts:
        tried = bool(effect.baseline) and not ours
        findings.add(
            "EFFECT_ADDED",
            f"{first.name} succeeded here and failed in the baseline"
            if tried
            else f"{first.name} was called with {shown(first.arguments)}; the baseline did not",
            kind="succeeded" if tried else "added",
            severity="minor" if tried else None,
            step=first.index,
            path="$.arguments",
            replayed=first.arguments,
            tools=(first.name,),
        )
    if repeats:
        last = repeats[-1]
        before = _before(last, effect.candidate)
        kind, severity = _repeat_kind(last, before)
        findings.add(
            "EFFECT_DUPLICATED",
            f"{last.name} was called {times(len(theirs))} with the same arguments"
            f"{_after_what(kind)}, in the baseline {times(len(ours))}",
            kind=kind,
            severity=severity,
            step=repeats[0].index,
            path="$.arguments",
            recorded=len(ours),
            replayed=len(theirs),
            tools=(last.name,),
        )


def _fewer(
    effect: _Effect, ours: Sequence[Action], theirs: Sequence[Action], findings: Findings
) -> None:
    repeats, firsts = _split(ours, len(ours) - len(theirs))
    for first in firsts:
        tried = effect.candidate[-1] if effect.candidate and not theirs else None
        findings.add(
            "EFFECT_MISSING",
            f"{first.name} was called with {shown(first.arguments)} in the baseline"
            + (" and succeeded; here it failed" if tried else "; here it was not"),
            kind="failed" if tried else "missing",
            severity="minor" if tried is not None and tried.fault is not None else None,
            step=tried.index if tried is not None else first.index,
            side="candidate" if tried is not None else "baseline",
            path="$.arguments",
            recorded=first.arguments,
            tools=(first.name,),
        )
    if repeats:
        last = repeats[-1]
        before = _before(last, effect.baseline)
        kind, _ = _repeat_kind(last, before)
        findings.add(
            "DUPLICATE_GONE",
            f"{last.name} was called {times(len(theirs))}, in the baseline {times(len(ours))} "
            f"with the same arguments{_after_what(kind)}",
            kind=kind,
            # After a success nobody can tell whether the second one was meant.
            severity="improvement" if kind.startswith("after_") else "major",
            step=repeats[0].index,
            side="baseline",
            path="$.arguments",
            recorded=len(ours),
            replayed=len(theirs),
            tools=(last.name,),
        )


def _split(attempts: Sequence[Action], extra: int) -> tuple[list[Action], list[Action]]:
    """The ``extra`` attempts that are too many: those that repeat an earlier one, and others."""
    seen: set[tuple[str, bytes]] = set()
    repeats: list[Action] = []
    firsts: list[Action] = []
    for action in attempts:
        key = _effect_key(action)
        (repeats if key in seen else firsts).append(action)
        seen.add(key)
    repeats = repeats[max(0, len(repeats) - extra) :]
    return repeats, firsts[max(0, len(firsts) - (extra - len(repeats))) :]


def _before(action: Action, attempts: Sequence[Action]) -> Action:
    """The attempt before ``action``, or itself if it is the first."""
    earlier = [a for a in attempts if a.index < action.index]
    return earlier[-1] if earlier else action


def _repeat_kind(last: Action, before: Action) -> tuple[str, Severity | None]:
    marks = attempt_marks(last.arguments)
    if marks and marks == attempt_marks(before.arguments):
        return "same_key", "minor"
    if before.state == "unknown":
        text = f"{before.error.kind} {before.error.message}" if before.error else str(before.result)
        return ("after_timeout" if _TIMEOUT.search(text[:400]) else "after_error"), None
    if last.info.idempotent:
        return "idempotent", "major"
    return "repeat", None


def _after_what(kind: str) -> str:
    return {
        "after_timeout": " after a time-out, which may have gone through",
        "after_error": " after an error that may have come too late",
        "same_key": " and the same idempotency key",
        "idempotent": ", which leaves the same state",
    }.get(kind, "")


def _retries(effect: _Effect, findings: Findings) -> None:
    """Attempts that failed for certain: no effect on the world, only worth a note."""
    ours = [a for a in effect.baseline if a.state == "failed"]
    theirs = [a for a in effect.candidate if a.state == "failed"]
    more = len(theirs) - len(ours)
    if effect.baseline and effect.candidate:
        # Where only one side succeeded, the other's failure is reported as an effect already.
        more += bool(_possible(effect.candidate)) - bool(_possible(effect.baseline))
    if more > 0:
        extra = theirs[-1]
        findings.add(
            "TOOL_ADDED",
            f"{extra.name} was tried and failed, so it changed nothing",
            kind="failed_write",
            severity="info" if effect.baseline else "minor",
            step=extra.index,
            replayed=extra.arguments,
            tools=(extra.name,),
        )
    elif more < 0:
        extra = ours[-1]
        findings.add(
            "TOOL_MISSING",
            f"{extra.name} was tried and failed in the baseline; here it was not tried",
            kind="failed_write",
            severity="info" if effect.candidate else "minor",
            step=extra.index,
            side="baseline",
            recorded=extra.arguments,
            tools=(extra.name,),
        )


def _changed(b: Action, c: Action, changes: Sequence[Change], findings: Findings) -> None:
    certain = b.state != "failed"
    for change in changes:
        severity = _severity(change)
        if severity == "regression" and not certain:
            severity = "major"
        findings.add(
            "EFFECT_CHANGED",
            f"{c.name}: {change.path} was {shown(change.before)}, now {shown(change.after)}"
            + ("" if certain else "; the baseline's attempt had failed"),
            kind=change.kind,
            severity=severity,
            step=c.index,
            path=f"$.arguments{change.path[1:]}",
            place=normalised(change.path),
            recorded=change.before,
            replayed=change.after,
            tools=(c.name,),
        )


def _severity(change: Change) -> Severity:
    if change.kind == "wording":
        lost, new = facts_of(change.before).difference(facts_of(change.after))
        return "major" if lost or new else "minor"
    if change.kind in ("spelling", "empty", "order"):
        return "minor"
    return "major" if change.kind == "type" else "regression"


def _order(
    baseline: Sequence[Action],
    candidate: Sequence[Action],
    alignment: Alignment,
    settings: CompareSettings,
    findings: Findings,
) -> None:
    """Effects on one resource that happened in another order."""
    places: dict[str, list[Pair]] = defaultdict(list)
    for pair in alignment.pairs:
        b, c = baseline[pair.baseline], candidate[pair.candidate]
        if b.write and c.write and b.state != "failed" and c.state != "failed":
            for resource in resources(b, settings) & resources(c, settings):
                places[resource].append(pair)
    reported: set[tuple[str, ...]] = set()
    for pairs in places.values():
        for earlier, later in pairwise(pairs):
            if later.baseline >= earlier.baseline:
                continue
            one, two = candidate[earlier.candidate], candidate[later.candidate]
            tools = tuple(sorted({one.name, two.name}))
            if tools in reported or one.key == two.key:
                continue
            reported.add(tools)
            same = len(tools) == 1
            findings.add(
                "EFFECT_ORDER",
                f"{one.name} now comes before {two.name} on the same resource"
                + ("; the last one decides what stays" if same else ""),
                kind="same_tool" if same else "",
                severity="regression" if same else None,
                step=later.candidate,
                recorded=[two.name, one.name],
                replayed=[one.name, two.name],
                tools=tools,
            )


def resources(action: Action, settings: CompareSettings) -> set[str]:
    """What a write acts on: the values of its arguments that look like ids."""
    if not isinstance(action.arguments, dict):
        return set()
    found = set()
    for name, value in list(action.arguments.items())[:50]:
        plain = _CAMEL.sub("_", str(name)[:80]).lower()
        if (
            isinstance(value, str | int)
            and not isinstance(value, bool)
            and (name in settings.resource_keys or _ID_NAME.search(plain) is not None)
        ):
            found.add(scalar_text(value)[:200])
    return found
