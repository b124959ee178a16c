"""Calls that only look: which were added, left out, changed, repeated, reordered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from replay.compare.actions import Action
from replay.compare.align import Alignment, Pair
from replay.compare.canon import key_of
from replay.compare.effects import normalised
from replay.compare.explain import Change, explain
from replay.compare.findings import Findings
from replay.compare.ignore import Ignored
from replay.compare.settings import CompareSettings
from replay.compare.text import error_type, shown, times

_ON_RECORD = ("exact", "normalized", None)
#: So many differing results are explained; of the others it is only said that they differ.
_MAX_EXPLAINED = 10


def compare_reads(
    baseline: Sequence[Action],
    candidate: Sequence[Action],
    alignment: Alignment,
    changes: Mapping[Pair, tuple[Change, ...]],
    settings: CompareSettings,
    findings: Findings,
) -> None:
    """Report reads that differ, loops and the order of calls."""
    for pair, found in changes.items():
        c = candidate[pair.candidate]
        if not (c.write or baseline[pair.baseline].write):
            _arguments(c, found, findings)
    looped = _loops(baseline, candidate, settings, findings)
    known = {a.key for a in baseline}, {a.key for a in candidate}
    for index in alignment.added:
        action = candidate[index]
        if not action.write and action.key not in looped:
            _added(action, action.key in known[0], findings)
    for index in alignment.missing:
        action = baseline[index]
        if not action.write and action.key not in looped:
            _missing(action, action.key in known[1], findings)
    _order(candidate, alignment, findings)


def _arguments(c: Action, changes: Sequence[Change], findings: Findings) -> None:
    for change in changes:
        findings.add(
            "ARGS_CHANGED",
            f"{c.name}: {change.path} was {shown(change.before)}, now {shown(change.after)}",
            kind=change.kind,
            # A check that looks at something else is more than another read.
            severity="major" if c.info.guard and change.kind not in _HARMLESS else None,
            step=c.index,
            path=f"$.arguments{change.path[1:]}",
            place=normalised(change.path),
            recorded=change.before,
            replayed=change.after,
            tools=(c.name,),
        )


_HARMLESS = ("wording", "spelling", "empty", "order")


def _added(action: Action, again: bool, findings: Findings) -> None:
    findings.add(
        "TOOL_ADDED",
        f"{action.name} was called {'once more' if again else 'too'}, "
        f"with {shown(action.arguments)}",
        kind="repeat" if again else "",
        severity="info" if again else None,
        step=action.index,
        path="$.arguments",
        replayed=action.arguments,
        tools=(action.name,),
    )


def _missing(action: Action, again: bool, findings: Findings) -> None:
    findings.add(
        "TOOL_MISSING",
        f"{action.name} was not called {'once more' if again else ''}".rstrip()
        + f", in the baseline it was, with {shown(action.arguments)}",
        kind="repeat" if again else "",
        severity="info" if again else None,
        step=action.index,
        side="baseline",
        path="$.arguments",
        recorded=action.arguments,
        tools=(action.name,),
    )


def _loops(
    baseline: Sequence[Action],
    candidate: Sequence[Action],
    settings: CompareSettings,
    findings: Findings,
) -> set[tuple[str, bytes]]:
    """Report reads that one side repeats much more often; their keys are dealt with."""
    ours = Counter(a.key for a in baseline if not a.write)
    theirs = Counter(a.key for a in candidate if not a.write)
    looped = set()
    for key in dict.fromkeys([*ours, *theirs]):
        more = theirs[key] - ours[key]
        if abs(more) < settings.loop or max(theirs[key], ours[key]) <= settings.loop:
            continue
        looped.add(key)
        side = candidate if more > 0 else baseline
        calls = [a for a in side if a.key == key]
        # The call that makes it a loop: before it, it was a repeat.
        turning = calls[min(len(calls) - 1, min(ours[key], theirs[key]) + settings.loop - 1)]
        findings.add(
            "LOOP" if more > 0 else "LOOP_GONE",
            f"{key[0]} was called {times(theirs[key])} with the same arguments, "
            f"in the baseline {times(ours[key])}",
            step=turning.index,
            side="candidate" if more > 0 else "baseline",
            recorded=ours[key],
            replayed=theirs[key],
            tools=(key[0],),
        )
    return looped


def _order(candidate: Sequence[Action], alignment: Alignment, findings: Findings) -> None:
    moved = _inverted(alignment)
    if not moved or findings.has("EFFECT_ORDER"):
        return
    names = tuple(sorted({candidate[p.candidate].name for p in moved}))
    findings.add(
        "ORDER_CHANGED",
        f"{len(moved)} calls came in another order",
        step=moved[0].candidate,
        recorded=[candidate[p.candidate].name for p in sorted(moved, key=lambda p: p.baseline)],
        replayed=[candidate[p.candidate].name for p in moved],
        tools=names[:6],
    )


def _inverted(alignment: Alignment) -> list[Pair]:
    """Pairs that stand before or after another pair on one side only."""
    pairs = alignment.pairs
    highest, before = -1, []
    for pair in pairs:
        before.append(pair.baseline < highest)
        highest = max(highest, pair.baseline)
    lowest = highest + 1
    found: list[Pair] = []
    for pair, late in zip(reversed(pairs), reversed(before), strict=True):
        if late or pair.baseline > lowest:
            found.append(pair)
        lowest = min(lowest, pair.baseline)
    return found[::-1]


def compare_results(
    baseline: Sequence[Action],
    candidate: Sequence[Action],
    alignment: Alignment,
    ignored: Ignored,
    findings: Findings,
) -> None:
    """Report equal calls that were answered differently: the world changed, not the agent."""
    explained = 0
    for pair in alignment.pairs:
        b, c = baseline[pair.baseline], candidate[pair.candidate]
        if not pair.exact or c.fault is not None or c.fidelity not in _ON_RECORD:
            continue
        if not (b.known_result and c.known_result):
            continue
        if b.write and "failed" in (b.state, c.state) and b.state != c.state:
            continue  # it is a difference between effects, and reported as one
        old, new = ignored.result(b.name, b.result), ignored.result(c.name, c.result)
        if _answer(b, old) == _answer(c, new):
            continue
        path, recorded, replayed, more = "$.result", b.error or old, c.error or new, ""
        if b.error is None and c.error is None and explained < _MAX_EXPLAINED:
            explained += 1
            changes = explain(old, new, "$.result")
            if not changes:
                continue
            first = changes[0]
            path, recorded, replayed = first.path, first.before, first.after
            more = f", {len(changes)} values differ" if len(changes) > 1 else ""
        kind = "failed" if c.failed and not b.failed else "answered" if b.failed else ""
        findings.add(
            "RESULT_CHANGED",
            f"{c.name} got another answer to the same call{more}",
            kind=kind,
            step=c.index,
            path=path,
            place=normalised(path),
            recorded=_told(recorded),
            replayed=_told(replayed),
            tools=(c.name,),
        )


def _answer(action: Action, result: object) -> tuple[object, ...]:
    error = action.error
    return (key_of(result), error and (error_type(error), error.message))


def _told(value: object) -> object:
    kind = getattr(value, "kind", None)
    return f"{kind}: {getattr(value, 'message', '')}" if isinstance(kind, str) else value
