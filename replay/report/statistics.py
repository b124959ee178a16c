"""Figures of a comparison with their intervals: rates of verdicts and codes, tokens, cost, time."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from replay.compare.model import VERDICTS, DatasetDiff
from replay.compare.sample import sample_of
from replay.report.text import percent
from replay.statistics import WeightedRate, mean_change, rate_interval

#: Pairs that the bootstrap draws from, at most: with more it takes long and says no more.
_MOST_PAIRS = 2_000
_FIGURES = ("tokens", "cost", "duration_ms")


def statistics_of(diff: DatasetDiff) -> dict[str, Any]:
    """Shares of the traces with exact 95 % intervals, weighted where traces have weights, and
    mean changes per trace with bootstrap intervals, where both sides have the figure."""
    sample = sample_of(diff.pairs)
    verdicts: dict[str, list[int]] = defaultdict(list)
    codes: dict[str, list[int]] = defaultdict(list)
    for n, pair in enumerate(diff.pairs):
        verdicts[pair.verdict].append(n)
        for code in {d.code for d in pair.divergences if not d.quiet and not d.counterfactual}:
            codes[code].append(n)
    if not sample.exact:
        # How many may be worse though none was: the counts don't tell where traces have weights,
        # or are turns of one conversation.
        verdicts.setdefault("regressed", [])
    return {
        "weighted": not sample.equal,
        "verdicts": [_rate(v, sample.rate(verdicts[v])) for v in VERDICTS if v in verdicts],
        "codes": [_rate(c, sample.rate(codes[c])) for c in sorted(codes)],
        "changes": [found for name in _FIGURES if (found := _change(diff, name)) is not None],
    }


def weighted_words(document: Mapping[str, Any]) -> str:
    """Shares of the traffic with their intervals, where traces stand for different numbers of
    others; else nothing."""
    known = document.get("statistics", {})
    if not known.get("weighted"):
        return ""
    rates = [r for r in known["verdicts"] if r["name"] in ("regressed", "changed", "same")]
    return ", ".join(
        f"{percent(r['share'])} {r['name']} ({100 * r['low']:.1f} to {100 * r['high']:.1f} %)"
        for r in rates
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Worse:
    """The share of the traffic that got worse, with its 95 % interval; ``None`` where nothing was
    compared. ``size``: how many equally weighted traces would tell as much."""

    share: float | None = None
    low: float | None = None
    high: float | None = None
    size: float = 0.0


def worse_share(document: Mapping[str, Any]) -> Worse:
    """The same out of a report's document."""
    compared = document["counts"]["compared"]
    if not compared:
        return Worse()
    for rate in document.get("statistics", {}).get("verdicts", ()):
        if rate["name"] == "regressed":
            size = float(rate.get("size", rate["of"]))
            return Worse(share=rate["share"], low=rate["low"], high=rate["high"], size=size)
    high = rate_interval(0, compared).high
    return Worse(share=0.0, low=0.0, high=high, size=float(compared))


def _rate(name: str, rate: WeightedRate) -> dict[str, Any]:
    return {
        "name": name,
        "count": rate.hits,
        "of": rate.of,
        "share": rate.share,
        "low": rate.interval.low,
        "high": rate.interval.high,
        "size": rate.size,
    }


def _change(diff: DatasetDiff, name: str) -> dict[str, Any] | None:
    both = [
        (getattr(p.metrics.baseline, name), getattr(p.metrics.candidate, name), p.weight)
        for p in diff.pairs
        if p.verdict != "broken"
    ]
    pairs = [(a, b, w) for a, b, w in both if a is not None and b is not None]
    if not pairs or all(a == b for a, b, _ in pairs):
        return None
    if len(pairs) > _MOST_PAIRS:
        pairs = random.Random(0).sample(pairs, _MOST_PAIRS)  # noqa: S311 (to be repeatable)
    before, after, weights = zip(*pairs, strict=True)
    change = mean_change(before, after, weights=weights)
    return {
        "name": name,
        "mean": change.mean,
        "relative": change.relative,
        "low": change.interval.low if change.interval else None,
        "high": change.interval.high if change.interval else None,
        "traces": change.traces,
        "sure": change.sure,
    }
