"""The verdict on a run: which traces fail it, what is tolerated, what can't be told from chance."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from replay.compare.codes import CODES
from replay.compare.model import Divergence, RunVerdict, TraceDiff
from replay.compare.sample import sample_of
from replay.compare.settings import CompareSettings
from replay.statistics.rates import fewer_passes
from replay.statistics.signs import signs
from replay.statistics.weighted import WeightedRate


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """What the noise of the agent leaves open.

    ``unsettled``: signature -> why it can't be told from chance yet. ``alarm``: why the run as a
    whole is worse than its noise explains, ``""`` where it is not; with it what is unsettled by
    itself counts. ``needed``: what would settle it, as a sentence. ``level``: how often a run of an
    unchanged agent may fail.
    """

    unsettled: Mapping[str, str] = field(default_factory=dict)
    alarm: str = ""
    needed: str = ""


def doubted(
    pairs: Sequence[TraceDiff], settings: CompareSettings, doubts: Doubts | None
) -> list[TraceDiff]:
    """The pairs; those that fail only by what may be chance are inconclusive, and say so."""
    if doubts is None or not doubts.unsettled or doubts.alarm:
        return list(pairs)
    found = []
    for pair in pairs:
        failing = failing_divergences(pair, settings)
        why = next((doubts.unsettled.get(d.signature) for d in failing), None)
        if why and all(d.signature in doubts.unsettled and not d.rejected for d in failing):
            said = f"may be chance: {why}; {failing[0].why}"
            pair = dataclasses.replace(pair, verdict="inconclusive", reason=said)
        found.append(pair)
    return found


def run_verdict(
    pairs: Sequence[TraceDiff], settings: CompareSettings, doubts: Doubts | None = None
) -> tuple[RunVerdict, str]:
    """The verdict of a run and its reason: a proven regression counts before all else."""
    if not pairs:
        return "could not run", "there is nothing to compare: no trace has a partner"
    count = Counter(pair.verdict for pair in pairs)
    total = len(pairs)
    if count["broken"] == total:
        return "could not run", "the harness or the environment failed in every trace"
    over, near = _thresholds(pairs, settings)
    ends = _ends(pairs, settings)
    failing = [pair for pair in pairs if _fails(pair, settings) and not _by_ends(pair, settings)]
    if failing:
        what = {
            "effects": "did something else to the world",
            "regressed": "regressed",
            "any": "differ",
        }[settings.fail_on]
        alarm = f"; {doubts.alarm}" if doubts is not None and doubts.alarm else ""
        return "regressed", f"{len(failing)} of {total} traces {what}{alarm}"
    if ends[0] == "regressed":
        return "regressed", ends[1]
    if over:
        return "regressed", over
    if doubts is not None and doubts.alarm:
        return "regressed", doubts.alarm
    conclusive = total - count["inconclusive"] - count["broken"]
    # A share of the traffic: what a suite holds too much of must not decide.
    clear = [n for n, p in enumerate(pairs) if p.verdict not in ("inconclusive", "broken")]
    if sample_of(pairs).share(clear) < settings.min_conclusive or not conclusive:
        return (
            "inconclusive",
            f"only {conclusive} of {total} traces allow a verdict "
            f"({settings.min_conclusive:.0%} are needed)",
        )
    if ends[0] == "inconclusive":
        return "inconclusive", ends[1]
    if near:
        return "inconclusive", near
    doubtful = _doubtful(pairs, doubts)
    if doubtful:
        needed = f". {doubts.needed}" if doubts is not None and doubts.needed else ""
        return (
            "inconclusive",
            f"{doubtful} of {total} traces got worse by what may be chance{needed}",
        )
    if ends[1]:
        return "pass", ends[1]
    return "pass", f"{count['same']} of {total} traces are the same, none regressed"


def _by_ends(pair: TraceDiff, settings: CompareSettings) -> bool:
    """Whether how both runs ended decides about this pair, together with all others."""
    return (
        settings.outcomes == "paired"
        and settings.fail_on != "any"
        and pair.circumstances.outcomes is not None
        and not any(d.rejected and not d.quiet for d in pair.divergences)
    )


def _ends(pairs: Sequence[TraceDiff], settings: CompareSettings) -> tuple[RunVerdict, str]:
    """What recorded outcomes say of both sides: McNemar's exact test, and the counts in words.

    Two recordings of one agent end differently by chance as often for the better as for the worse.
    The reason is empty where nothing ended differently.
    """
    known = [p.circumstances.outcomes for p in pairs if _by_ends(p, settings)]
    ends = [end for end in known if end is not None]
    worse = sum(after < before for before, after in ends)
    better = sum(after > before for before, after in ends)
    if not worse and not better:
        return "pass", ""
    chance = _chance_of_ends(pairs, settings, worse, better)
    said = f"{worse} of {len(ends)} traces ended worse and {better} better"
    if chance <= settings.level:
        return "regressed", f"{said}: more than chance (p = {chance:.2g})"
    if worse > better and (not better or chance <= _DOUBT):
        return "inconclusive", f"{said}: it may be chance (p = {chance:.2g})"
    return "pass", f"{said}: no sign of a drop (p = {chance:.2g})"


def _chance_of_ends(
    pairs: Sequence[TraceDiff], settings: CompareSettings, worse: int, better: int
) -> float:
    """How likely such ends are by chance, by the count of traces; where these have weights, also by
    the traffic that they stand for: a drop there counts though the suite holds little of it."""
    chance = fewer_passes(worse, better)
    if sample_of(pairs).equal:
        return chance
    changed = [
        (p.weight, after < before)
        for p in pairs
        if _by_ends(p, settings) and p.circumstances.outcomes is not None
        for before, after in [p.circumstances.outcomes]
        if before != after
    ]
    return min(1.0, 2 * min(chance, signs(changed)))


#: Below this chance more bad ends than good ones are worth another look.
_DOUBT = 0.2


def _doubtful(pairs: Sequence[TraceDiff], doubts: Doubts | None) -> int:
    if doubts is None or not doubts.unsettled:
        return 0
    return sum(
        1
        for pair in pairs
        if pair.verdict == "inconclusive"
        and any(d.signature in doubts.unsettled and not d.quiet for d in pair.divergences)
    )


def weighted(pair: TraceDiff, tag: str) -> TraceDiff:
    """The pair with the weight that its tag tells; anything but a number above 0 counts as 1."""
    try:
        weight = float(pair.tags.get(tag, ""))
    except ValueError:
        return pair
    return dataclasses.replace(pair, weight=weight) if 0 < weight < float("inf") else pair


def failing_divergences(pair: TraceDiff, settings: CompareSettings) -> list[Divergence]:
    """What of a pair can fail a run by itself, whatever thresholds there are."""
    if pair.verdict in ("broken", "inconclusive"):
        return []
    heard = [d for d in pair.divergences if not d.quiet and not d.counterfactual]
    if settings.fail_on == "any":
        return heard
    if pair.verdict != "regressed":
        return []
    worse = [d for d in heard if d.severity == "regression" or d.rejected]
    # Where a recorded outcome decides, it is the outcome that fails.
    return worse or [d for d in heard if d.code.startswith("OUTCOME_")]


def _fails(pair: TraceDiff, settings: CompareSettings) -> bool:
    if settings.fail_on == "any" and not settings.gate:
        return pair.verdict in ("changed", "regressed", "improved")
    if settings.fail_on != "any" and pair.verdict != "regressed":
        return False
    if any(d.rejected and not d.quiet and not d.counterfactual for d in pair.divergences):
        return True
    failing = failing_divergences(pair, settings)
    if settings.gate and failing and all(d.code in settings.gate for d in failing):
        return False  # its codes have thresholds of their own
    return settings.fail_on != "effects" or any(
        CODES[d.code].area in ("effect", "hazard") and not d.counterfactual
        for d in pair.divergences
        if d.severity in ("regression", "major") and not d.quiet and d.code not in settings.gate
    )


def _thresholds(pairs: Sequence[TraceDiff], settings: CompareSettings) -> tuple[str, str]:
    """Which codes are surely over their threshold, and which may be, each as a sentence."""
    over, near = [], []
    for code, rate in rates(pairs, settings.gate).items():
        allowed = settings.gate[code]
        said = f"{code} in {rate.hits} of {rate.of} traces"
        if rate.hits and rate.above(allowed) <= settings.level:
            over.append(f"{said}, {allowed:.1%} are allowed")
        elif rate.share > allowed:
            near.append(f"{said}, {allowed:.1%} are allowed, but it may be chance")
    return "; ".join(over), "; ".join(near)


def rates(pairs: Sequence[TraceDiff], codes: Mapping[str, float]) -> dict[str, WeightedRate]:
    """How many of the traces that could be compared show each of ``codes`` on the record."""
    judged = [p for p in pairs if p.verdict != "broken"]
    hits: dict[str, list[int]] = defaultdict(list)
    for n, pair in enumerate(judged):
        shown = {d.code for d in pair.divergences if not d.quiet and not d.counterfactual}
        for code in shown.intersection(codes):
            hits[code].append(n)
    sample = sample_of(judged)
    return {code: sample.rate(hits[code]) for code in codes}
