"""Two datasets against each other: pair, compare, count, group, decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from anonymize.trace import Json, Trace
from replay.compare.common import with_common
from replay.compare.diff import compare_traces
from replay.compare.figures import totals
from replay.compare.gate import Doubts, doubted, run_verdict, weighted
from replay.compare.group import group
from replay.compare.model import VERDICTS, ContractRow, DatasetDiff, TraceDiff
from replay.compare.pairing import pair_traces
from replay.compare.settings import CompareSettings
from replay.compare.shapes import Production
from replay.compare.tools import ToolCatalog
from replay.compare.verdict import Quietener, Reviewer, quietened

if TYPE_CHECKING:
    from replay.contracts.checking import Held
    from replay.noise.flow import Studied

#: Is given all pairs, and how two more runs are compared in the same way.
Study = Callable[[Sequence[TraceDiff], Callable[[Trace, Trace], TraceDiff]], "Studied"]


def compare_datasets(
    baseline: Iterable[Trace],
    candidate: Iterable[Trace],
    settings: CompareSettings | None = None,
    tools: ToolCatalog | None = None,
    *,
    not_replayable: Iterable[tuple[str, str]] = (),
    quieteners: Sequence[Quietener] = (),
    contracts: Held | None = None,
    study: Study | None = None,
    weights: Mapping[str, float] | None = None,
) -> DatasetDiff:
    """Pair two datasets and compare each pair.

    ``not_replayable`` lists ``(trace_id, reason)`` of baseline traces that were left out of a
    replay for a reason: they are reported as such and not as unpaired. ``quieteners`` say what
    does not count, the first one first. ``contracts`` are what the candidate is held to.
    ``study`` looks at all pairs and says what is noise: :mod:`replay.noise`. ``weights``: trace id
    -> how many traces of the traffic it stands for.
    """
    settings = settings or CompareSettings()
    tools = tools if tools is not None else ToolCatalog()
    left_out = tuple(not_replayable)
    known = {trace_id for trace_id, _ in left_out}
    pairing = pair_traces(baseline, candidate, settings)
    production = Production([ours for ours, _ in pairing.pairs])
    compared = compare_pairs(pairing.pairs, settings, tools, contracts, production)
    # Before anything is said of them: noise has rates as well.
    pairs = tuple(_standing(list(compared), settings, weights))
    doubts = None
    if study is not None:
        studied = study(pairs, lambda a, b: compare_traces(a, b, settings, tools, production))
        pairs, doubts = studied.pairs, studied.doubts
        quieteners = (studied.weighing, *quieteners)
    return summarise(
        pairs,
        settings,
        unpaired_baseline=tuple(i for i in pairing.unpaired_baseline if i not in known),
        unpaired_candidate=pairing.unpaired_candidate,
        not_replayable=left_out,
        quieteners=quieteners,
        contracts=contracts.rows if contracts is not None else (),
        doubts=doubts,
    )


def compare_pairs(
    pairs: Iterable[tuple[Trace, Trace]],
    settings: CompareSettings,
    tools: ToolCatalog,
    contracts: Held | None = None,
    production: Production | None = None,
) -> Iterator[TraceDiff]:
    """Compare pairs one by one, as they come. ``production``: see :func:`compare_traces`."""
    for baseline, candidate in pairs:
        diff = compare_traces(baseline, candidate, settings, tools, production)
        if contracts is not None:
            diff = contracts.look(diff, baseline, candidate, settings)
        yield diff


def summarise(
    pairs: Sequence[TraceDiff],
    settings: CompareSettings,
    *,
    unpaired_baseline: tuple[str, ...] = (),
    unpaired_candidate: tuple[str, ...] = (),
    not_replayable: tuple[tuple[str, str], ...] = (),
    quieteners: Sequence[Quietener] = (),
    contracts: tuple[ContractRow, ...] = (),
    doubts: Doubts | None = None,
) -> DatasetDiff:
    """Groups, counts, totals and the verdict of a run over pairs that were compared already."""
    pairs = [quietened(pair, settings, quieteners) for pair in pairs]
    pairs = doubted(pairs, settings, doubts)
    verdict, reason = run_verdict(pairs, settings, doubts)
    diff = DatasetDiff(
        verdict=verdict,
        reason=reason,
        pairs=tuple(pairs),
        groups=with_common(group(pairs), pairs),
        quiet_groups=group(pairs, quiet=True),
        unpaired_baseline=unpaired_baseline,
        unpaired_candidate=unpaired_candidate,
        not_replayable=not_replayable,
        contracts=contracts,
        counts=_counts(pairs),
        metrics=totals(p.metrics for p in pairs),
    )
    for one in quieteners:
        if isinstance(one, Reviewer):
            diff = one.told(diff)
    return diff


def _standing(
    pairs: Sequence[TraceDiff], settings: CompareSettings, weights: Mapping[str, float] | None
) -> Sequence[TraceDiff]:
    """The pairs, each with how many traces of the traffic it stands for."""
    if settings.weight_tag:
        pairs = [weighted(pair, settings.weight_tag) for pair in pairs]
    if weights:
        pairs = [replace(p, weight=weights.get(p.trace_id, p.weight)) for p in pairs]
    return pairs


def _counts(pairs: Sequence[TraceDiff]) -> dict[str, Json]:
    verdicts = Counter(p.verdict for p in pairs)
    codes = Counter(d.code for p in pairs for d in p.divergences)
    outcomes = Counter(
        "->".join("pass" if passed else "fail" for passed in p.outcome)
        for p in pairs
        if p.outcome is not None
    )
    compared = [p for p in pairs if p.verdict != "broken"]
    return {
        "pairs": len(pairs),
        **{verdict: verdicts[verdict] for verdict in VERDICTS},
        "divergences": sum(len(p.divergences) for p in pairs),
        "calls": sum(p.calls for p in compared),
        "exact_calls": sum(p.exact_calls for p in compared),
        "identical_sequences": sum(p.identical_sequence for p in compared),
        "fully_matched": sum(p.exact_calls == p.calls for p in compared),
        "same_state": sum(p.state in ("same", "worded") for p in compared),
        "codes": dict(sorted(codes.items())),
        "outcomes": dict(sorted(outcomes.items())),
    }
