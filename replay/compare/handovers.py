"""Cases that are passed on to people or to another agent.

A hand-over changes no record, so it is no effect: two runs of which one hands over at the end can
leave the same state. The user feels it all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from replay.compare.actions import Action
from replay.compare.align import Alignment, Pair
from replay.compare.explain import Change
from replay.compare.findings import Findings
from replay.compare.state.conflicts import hands_over


def handover(action: Action) -> bool:
    """Whether this call passes the case on and changes no record."""
    return hands_over(action)


def compare_handovers(
    baseline: Sequence[Action],
    candidate: Sequence[Action],
    alignment: Alignment,
    changes: Mapping[Pair, tuple[Change, ...]],
    findings: Findings,
) -> None:
    """Report hand-overs that only one side made, and those to somebody else or with other facts."""
    if not any(handover(a) for side in (baseline, candidate) for a in side):
        return
    partner = {p.candidate: p.baseline for p in alignment.pairs}
    met = set(partner.values())
    names = [{a.name for a in s if handover(a) and not a.failed} for s in (baseline, candidate)]
    for action in candidate:
        if handover(action) and not action.failed and action.index not in partner:
            again = action.name in names[0]
            findings.add_call(
                "HANDOFF_CHANGED",
                f"{action.name} passes the case on{' once more' if again else ''}; "
                "the baseline did not",
                action,
                kind="repeat" if again else "added",
                severity="info" if again else None,
            )
    for action in baseline:
        if handover(action) and not action.failed and action.index not in met:
            again = action.name in names[1]
            findings.add_call(
                "HANDOFF_CHANGED",
                f"the baseline passed the case on with {action.name}"
                f"{' once more' if again else ''}; this run did not",
                action,
                side="baseline",
                kind="repeat" if again else "missing",
                severity="info" if again else None,
            )
    for pair, found in changes.items():
        b, c = baseline[pair.baseline], candidate[pair.candidate]
        if handover(b) and handover(c):
            _told_otherwise(c, found, findings)


def _told_otherwise(c: Action, changes: Sequence[Change], findings: Findings) -> None:
    for change in changes:
        # What is said to the colleague is prose: another summary is no other hand-over.
        prose = change.kind in ("wording", "spelling", "empty", "order")
        findings.add_argument("HANDOFF_CHANGED", c, change, severity="minor" if prose else None)
