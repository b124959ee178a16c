"""What all outcomes of a run together say, and the exit code that goes with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from replay.compare.model import RunVerdict
from replay.resilience.model import OutcomeKind
from replay.resilience.rows import OutcomeRow, Side

#: Worst first.
KINDS: tuple[OutcomeKind, ...] = tuple(reversed(get_args(OutcomeKind)))
#: How a kind reads in a sentence: "2 of 5 runs ...".
WORDS: Mapping[OutcomeKind, str] = {
    "recovered": "recovered",
    "degraded": "degraded, honestly",
    "not_landed": "no fault landed",
    "inconclusive": "inconclusive",
    "broken": "broken harness",
    "looped": "looped",
    "crashed": "crashed",
    "silent_failure": "silent failure",
    "wrong_effect": "wrong effect",
    "duplicated_effect": "duplicated effect",
    "hijacked": "hijacked",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultVerdict:
    """``worse`` are the traces on which the candidate fails and the baseline does not (without a
    baseline: all that fail), ``both`` those on which both fail, ``better`` only the baseline.
    """

    status: RunVerdict
    sentence: str
    reason: str
    worse: tuple[str, ...] = ()
    both: tuple[str, ...] = ()
    better: tuple[str, ...] = ()


def verdict_of(
    rows: Sequence[OutcomeRow], min_conclusive: float = 0.5, baseline: str = ""
) -> FaultVerdict:
    """The verdict on the rows of a candidate and, if there are any, of ``baseline``.

    ``regressed``: the candidate fails where the baseline survives or was not hit; without a
    baseline, where it fails at all. ``inconclusive``: no fault landed, or fewer than the share
    ``min_conclusive`` of the runs that were hit could be decided (of the traffic, where traces have
    weights). ``could not run``: all broke.
    """
    ours = [r for r in rows if r.side == "candidate"]
    theirs = {(r.trace_id, r.label): r for r in rows if r.side == "baseline"}
    name = ours[0].agent if ours else "the candidate"
    if not ours:
        return _said("could not run", f"{name} replayed no trace, so nothing was shown.", "no runs")
    failed = [r for r in ours if r.failed]
    worse = [r for r in failed if not baseline or _gets_by(theirs.get((r.trace_id, r.label)))]
    both = [r for r in failed if baseline and _fails(theirs.get((r.trace_id, r.label)))]
    mine = {(r.trace_id, r.label): r for r in ours}
    better = [r for k, r in theirs.items() if r.failed and k in mine and not mine[k].failed]
    lists = {
        "worse": tuple(r.trace_id for r in worse),
        "both": tuple(r.trace_id for r in both),
        "better": tuple(r.trace_id for r in better),
    }
    hit = [r for r in ours if r.landed]
    decided = [r for r in hit if r.failed or r.survived]
    clear = sum(r.weight for r in decided) / sum(r.weight for r in hit) if hit else 0.0
    if worse:
        where = f" where {baseline} did not" if baseline else ""
        sentence = (
            f"{name} failed under faults in {_of(len(worse), len(hit))}{where}: {_counted(worse)}."
        )
        return _said("regressed", sentence, f"{len(worse)} failures under faults", lists)
    if all(r.outcome.kind == "broken" for r in ours):
        return _said("could not run", "Every replay broke, so nothing was shown.", "all broke")
    if not hit:
        sentence = f"No fault landed on any of {len(ours):,} traces: nothing was shown."
        return _said("inconclusive", sentence, "no fault landed", lists)
    if clear < min_conclusive or not decided:
        sentence = (
            f"Only {_of(len(decided), len(hit))} that faults landed on could be judged "
            f"({min_conclusive:.0%} are needed)."
        )
        return _said("inconclusive", sentence, "too few could be judged", lists)
    if len(failed) > len(both):
        sentence = (
            f"{name} failed under faults in {_of(len(failed) - len(both), len(hit))} where "
            f"{baseline} could not be judged."
        )
        return _said("inconclusive", sentence, "the baseline could not be judged", lists)
    survived = f"{name} survived the faults in {_of(len(decided) - len(failed), len(hit))}"
    sentence = f"{survived}."
    if both:
        sentence = f"{survived}; in {len(both):,} it failed, as {baseline} does: {_counted(both)}."
    return _said("pass", sentence, "no failure under faults that is new", lists)


def counts(rows: Sequence[OutcomeRow], side: Side) -> dict[str, int]:
    """How many rows of one side ended in which way, worst first; only kinds that occur."""
    found = Counter(r.outcome.kind for r in rows if r.side == side)
    return {kind: found[kind] for kind in KINDS if found[kind]}


def _gets_by(row: OutcomeRow | None) -> bool:
    return row is not None and (
        row.survived or (row.outcome.kind == "not_landed" and not row.failed)
    )


def _fails(row: OutcomeRow | None) -> bool:
    return row is not None and row.failed


def _of(some: int, of: int) -> str:
    return f"{some:,} of {of:,} {'trace' if of == 1 else 'traces'}"


def _counted(rows: Sequence[OutcomeRow]) -> str:
    found = Counter(r.outcome.kind if r.outcome.failed else "contract" for r in rows)
    said = [f"{found[k]:,} {WORDS[k]}" for k in KINDS if found[k]]
    if found["contract"]:
        said.append(f"{found['contract']:,} broke a contract")
    return ", ".join(said)


def _said(
    status: RunVerdict,
    sentence: str,
    reason: str,
    lists: Mapping[str, tuple[str, ...]] | None = None,
) -> FaultVerdict:
    lists = lists or {}
    return FaultVerdict(
        status=status,
        sentence=sentence,
        reason=reason,
        worse=lists.get("worse", ()),
        both=lists.get("both", ()),
        better=lists.get("better", ()),
    )
