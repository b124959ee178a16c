"""Tokens, cost and latency: how much more, and whether that could be chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from replay.statistics.rates import Interval, _check_level

_RESAMPLES = 4_999


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The mean change per trace (candidate less baseline), in the unit of what was measured.

    ``interval`` is ``None`` where it can't be told: fewer than two traces. ``relative`` is the
    change of the total against the baseline's (0.25: a quarter more), ``None`` if that was 0.
    """

    mean: float
    interval: Interval | None
    relative: float | None
    traces: int

    @property
    def sure(self) -> bool:
        """Whether the interval leaves no room for "no change"."""
        return self.interval is not None and (self.interval.low > 0 or self.interval.high < 0)


def mean_change(
    baseline: Sequence[float],
    candidate: Sequence[float],
    *,
    level: float = 0.95,
    seed: int = 0,
    weights: Sequence[float] = (),
) -> Change:
    """The change of the mean over the same traces, with an interval by the bootstrap (BCa,
    Efron 1987) over the differences of the pairs: costs are skewed, so no normal curve is assumed.

    ``weights``: how many traces of the traffic each stands for (none: each the same); the interval
    is then that of the weighted mean, by the bootstrap over the pairs with their weights.

    Raises:
        ValueError: not as many of one as of the other, or a level that makes no sense.
    """
    if weights and len(weights) != len(baseline):
        raise ValueError("each trace has a weight, or none has")
    if len(baseline) != len(candidate):
        raise ValueError("both sides need a figure for each trace")
    _check_level(level)
    changes = [after - before for before, after in zip(baseline, candidate, strict=True)]
    if not changes:
        return Change(mean=0.0, interval=None, relative=None, traces=0)
    each = tuple(weights) or (1.0,) * len(changes)
    change = sum(c * w for c, w in zip(changes, each, strict=True))
    mean = change / sum(each)
    total = sum(b * w for b, w in zip(baseline, each, strict=True))
    relative = change / total if total else None
    interval = None
    if len(set(changes)) == 1 and len(changes) > 1:
        interval = Interval(mean, mean)
    elif len(changes) > 1:
        interval = _bootstrap(changes, each, level, seed)
    return Change(mean=mean, interval=interval, relative=relative, traces=len(changes))


def _bootstrap(
    changes: Sequence[float], weights: Sequence[float], level: float, seed: int
) -> Interval:
    import numpy
    from scipy.stats import bootstrap

    def mean(values: Any, each: Any, axis: int = -1) -> Any:
        return (values * each).sum(axis=axis) / each.sum(axis=axis)

    equal = len(set(weights)) == 1
    data = (numpy.asarray(changes, dtype=float), numpy.asarray(weights, dtype=float))
    found = bootstrap(
        data[:1] if equal else data,
        numpy.mean if equal else mean,
        paired=not equal,
        confidence_level=level,
        n_resamples=_RESAMPLES,
        batch=500,
        method="BCa",
        rng=numpy.random.default_rng(seed),
    ).confidence_interval
    return Interval(float(found.low), float(found.high))
