"""A run whose budget ran out: what can be said of the traces that it did not replay.

Those that were replayed are a draw by chance from those that were chosen, so shares and intervals
hold for all; what is known of the rest is only as good as the draw is large. A pass is a pass only
where the draw rules out that more traces got worse than ``[compare] margin`` allows.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from replay.report.text import plural
from replay.statistics import most_hits
from replay.statistics.weighted import Sample

if TYPE_CHECKING:
    from replay.compare import CompareSettings, DatasetDiff
    from replay.nights.budget import Budget
    from replay.resilience.flow import Judged
    from replay.resilience.verdict import FaultVerdict
    from replay.run_request import RunRequest
    from replay.selection import Selection


def weights_of(request: RunRequest, selection: Selection) -> Mapping[str, float]:
    """How many traces each replayed one stands for: also for those that there was no room for.

    Those that had to be in (``first``) stand for themselves, whatever became of the others.
    """
    if not selection.left or not request.weights:
        return request.weights
    drawn = {i: w for i, w in request.weights.items() if i not in request.first}
    replayed = sum(w for i, w in drawn.items() if i in selection.digests)
    lost = sum(w for i, w in drawn.items() if i in selection.left)
    scale = (replayed + lost) / replayed if replayed else 1.0
    return {i: w * (scale if i in drawn else 1.0) for i, w in request.weights.items()}


def largest_share(judged: Mapping[str, str], request: RunRequest, selection: Selection) -> float:
    """The share of the chosen traces (0 to 1) that may be worse though none of the ``judged`` is.

    With a certainty of 95 %. Traces that could not be judged say nothing, for better or worse.
    ``judged``: trace id -> its conversation. Where traces have weights, the share of the traffic
    that they stand for may be larger: then it is that.
    """
    drawn = [i for i in judged if i not in request.first]
    sure = len(judged) - len(drawn)
    chosen = selection.digests.keys() | selection.left
    if not chosen:
        return 1.0
    parts = float(len(drawn))
    if selection.whole:
        # Conversations were drawn, not traces: as many as would tell as much, were they alike long.
        turns = Counter(judged[i] for i in drawn).values()
        parts = parts**2 / sum(n * n for n in turns) if turns else 0.0
    each = len(drawn) / parts if parts else 1.0
    whole = round((len(chosen) - sure) / each)
    share = min(1.0, each * most_hits(0, min(int(parts), whole), whole) / len(chosen))
    weights = {i: request.weights.get(i, 1.0) for i in chosen}
    if len(set(weights.values())) == 1:
        return share
    most = Sample([weights[i] for i in drawn], [judged[i] for i in drawn]).rate(()).interval.high
    unknown = sum(w for i, w in weights.items() if i not in judged)
    return max(share, most * unknown / sum(weights.values()))


def conclusive(diff: DatasetDiff) -> dict[str, str]:
    """The traces that a comparison could judge, each with its conversation."""
    return {
        p.trace_id: p.session_id or p.trace_id
        for p in diff.pairs
        if p.verdict not in ("inconclusive", "broken")
    }


def judged(
    diff: DatasetDiff, request: RunRequest, selection: Selection, settings: CompareSettings
) -> DatasetDiff:
    """The comparison with the verdict that it can have, where a part was not replayed."""
    if not selection.left:
        return diff
    whole = plural(len(selection.digests) + len(selection.left), "trace")
    if not diff.pairs:
        said = f"{_ran_out(request, selection)} before any of {whole} was replayed"
        return dataclasses.replace(diff, verdict="could not run", reason=f"{said}.")
    share = largest_share(conclusive(diff), request, selection)
    if diff.verdict != "pass" or share <= settings.margin:
        return diff
    said = (
        f"Nothing got worse in {len(diff.pairs):,} of {whole}, but "
        f"{_not_known(request, selection, share, settings)}"
    )
    return dataclasses.replace(diff, verdict="inconclusive", reason=said)


def judged_under_faults(
    verdict: FaultVerdict,
    known: Mapping[str, str],
    request: RunRequest,
    selection: Selection,
    settings: CompareSettings,
) -> FaultVerdict:
    """The same for a run under faults: ``known`` are the traces on which it could be judged."""
    left = len(selection.left) + len(selection.unjudged)
    if not left:
        return verdict
    whole = plural(len(selection.digests) + len(selection.left), "trace")
    if not known and verdict.status != "regressed":
        said = f"{_ran_out(request, selection)} before any of {whole} could be judged."
        return dataclasses.replace(verdict, status="could not run", sentence=said, reason=said)
    share = largest_share(known, request, selection)
    if verdict.status != "pass" or share <= settings.margin:
        return verdict
    said = (
        f"Nothing failed in {len(known):,} of {whole}, but "
        f"{_not_known(request, selection, share, settings)}"
    )
    return dataclasses.replace(verdict, status="inconclusive", sentence=said, reason=said)


def section(
    diff: DatasetDiff, request: RunRequest, selection: Selection, judged: Judged | None = None
) -> dict[str, Any] | None:
    """The report's ``budget``: what there was, what it took, what was left out and what of it is
    known; ``None`` for a run without a limit. ``judged``: what became of it under faults."""
    budget = request.budget
    if budget is None or not budget.limited:
        return None
    left = len(selection.left) + len(selection.unjudged)
    whole = len(selection.digests) + len(selection.left)
    known = conclusive(diff) if judged is None else judged.known
    status = diff.verdict if judged is None else judged.verdict.status
    share = largest_share(known, request, selection) if left and diff.pairs else None
    sentence = ""
    if left and diff.pairs:
        done = "replayed" if judged is None else "replayed with the faults and without"
        sentence = (
            f"{_ran_out(request, selection)} before {left:,} of {plural(whole, 'trace')} "
            f"{'was' if left == 1 else 'were'} {done}; the others are a fair draw"
        )
        if status == "pass" and share is not None:
            worse = "got worse" if judged is None else "fail"
            sentence += f", and at most {share:.1%} of all {worse} (95 %)"
        sentence += "."
    return {
        "minutes": budget.minutes or None,
        "usd": budget.usd or None,
        "took_minutes": round(budget.took_minutes, 2),
        "spent_usd": round(budget.night_usd, 6),
        "unpriced": budget.unpriced,
        "chosen": whole,
        "not_replayed": left,
        "ran_out": selection.cut,
        "share": share,
        "sentence": sentence,
    }


def _not_known(
    request: RunRequest, selection: Selection, share: float, settings: CompareSettings
) -> str:
    return (
        f"{_ran_out(request, selection, inside=True)} then, and up to {share:.1%} of them may have "
        f"got worse (95 %); [compare] margin allows {settings.margin:.1%}."
    )


def words(budget: Budget, ran_out: str) -> str:
    """The budget that ran out, in words: ``30 minutes``, ``5 dollars for 3 nights``."""
    number, unit = (budget.usd, "dollar") if ran_out == "money" else (budget.minutes, "minute")
    said = f"{number:g} {unit}{'' if number == 1 else 's'}"
    return f"{said} for {budget.nights} nights" if budget.nights > 1 else said


def _ran_out(request: RunRequest, selection: Selection, *, inside: bool = False) -> str:
    assert request.budget is not None
    the = "the" if inside else "The"
    return f"{the} budget of {words(request.budget, selection.cut)} was used up"
