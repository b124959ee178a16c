"""Calls that only look: which were added, left out, changed, repeated, reordered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from replay.compare.actions import Action
from replay.compare.align import Alignment, Pair
from replay.compare.canon import same
from replay.compare.effects import normalised
from replay.compare.explain import Change, explain
from replay.compare.findings import Findings
from replay.compare.ignore import Ignored
from replay.compare.loops import compare_loops
from replay.compare.settings import CompareSettings
from replay.compare.text import error_type, shown

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
    looped = compare_loops(baseline, candidate, settings, findings)
    known = {a.key for a in baseline}, {a.key for a in candidate}
    for index in alignment.added:
        action = candidate[index]
        if not action.write and action.key not in looped and not findings.full("TOOL_ADDED"):
            _added(action, action.key in known[0], findings)
    for index in alignment.missing:
        action = baseline[index]
        if not action.write and action.key not in looped and not findings.full("TOOL_MISSING"):
            _missing(action, action.key in known[1], findings)
    _order(candidate, alignment, findings)


def _arguments(c: Action, changes: Sequence[Change], findings: Findings) -> None:
    if not c.info.guard and findings.full("ARGS_CHANGED"):
        return  # of a run with hundreds of them the first ones are shown
    for change in changes:
        # A check that looks at something else is more than another read.
        worse = c.info.guard and change.kind not in _HARMLESS
        findings.add_argument(
            "ARGS_CHANGED",
            c,
            change,
            severity="major" if worse else None,
            place=normalised(change.path),
        )


_HARMLESS = ("wording", "spelling", "empty", "order")


def _added(action: Action, again: bool, findings: Findings) -> None:
    findings.add_call(
        "TOOL_ADDED",
        f"{action.name} was called {'once more' if again else 'too'}, "
        f"with {shown(action.arguments)}",
        action,
        kind="repeat" if again else "",
        severity="info" if again else None,
    )


def _missing(action: Action, again: bool, findings: Findings) -> None:
    findings.add_call(
        "TOOL_MISSING",
        f"{action.name} was not called {'once more' if again else ''}".rstrip()
        + f", in the baseline it was, with {shown(action.arguments)}",
        action,
        side="baseline",
        kind="repeat" if again else "",
        severity="info" if again else None,
    )


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
        if same(old, new) and (b.error is c.error or _failure(b) == _failure(c)):
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


def _failure(action: Action) -> tuple[str, str] | None:
    error = action.error
    return None if error is None else (error_type(error), error.message)


def _told(value: object) -> object:
    kind = getattr(value, "kind", None)
    return f"{kind}: {getattr(value, 'message', '')}" if isinstance(kind, str) else value
