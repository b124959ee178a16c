"""Shares of traces: exact intervals, and the exact test of two shares of the same traces."""

from __future__ import annotations

from typing import NamedTuple


class Interval(NamedTuple):
    """From ``low`` to ``high``, both included."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:.1%} to {self.high:.1%}"


def rate_interval(hits: int, of: int, level: float = 0.95) -> Interval:
    """Where the true rate lies, if ``hits`` of ``of`` independent traces had it.

    Clopper and Pearson (1934): it covers the true rate at least ``level`` of the time, whatever
    that is, and is wide rather than wrong with few traces. Of none, everything is possible.

    Raises:
        ValueError: the counts or the level make no sense.
    """
    if not 0 <= hits <= of:
        raise ValueError(f"{hits} of {of} is no count")
    _check_level(level)
    if of == 0:
        return Interval(0.0, 1.0)
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else float(betaincinv(hits, of - hits + 1, tail))
    high = 1.0 if hits == of else float(betaincinv(hits + 1, of - hits, 1 - tail))
    return Interval(low, high)


def most_hits(hits: int, of: int, whole: int, level: float = 0.95) -> int:
    """How many of ``whole`` traces may have it, if ``hits`` of ``of`` drawn from them do.

    The largest number that the draw does not rule out at ``level`` (one-sided, exact): the draw is
    without return, so what was not drawn is all that is open (hypergeometric; Konijn 1973).

    Raises:
        ValueError: the counts or the level make no sense.
    """
    if not 0 <= hits <= of <= whole:
        raise ValueError(f"{hits} of {of} of {whole} is no count")
    _check_level(level)
    low, high = hits, whole - (of - hits)
    while low < high:
        middle = (low + high + 1) // 2
        if _at_most(hits, of, middle, whole) > 1 - level:
            low = middle
        else:
            high = middle - 1
    return low


def _at_most(hits: int, of: int, bad: int, whole: int) -> float:
    """The chance of ``hits`` or fewer in a draw of ``of``, if ``bad`` of ``whole`` have it."""
    from math import exp, lgamma

    def ways(n: int, k: int) -> float:
        return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)

    least = max(0, of - (whole - bad))
    every = ways(whole, of)
    found = range(least, min(hits, bad, of) + 1)
    return sum(exp(ways(bad, k) + ways(whole - bad, of - k) - every) for k in found)


def fewer_passes(worse: int, better: int) -> float:
    """How likely it is by chance that so many of the changed traces got worse (one-sided p).

    ``worse`` passed before and fail now, ``better`` the other way round; traces that did not
    change say nothing about a difference. McNemar's test in its exact form: under no difference
    each changed trace is as likely one as the other.

    Raises:
        ValueError: a negative count.
    """
    if worse < 0 or better < 0:
        raise ValueError("counts can't be negative")
    if worse == 0:
        return 1.0
    from scipy.special import bdtrc

    return float(bdtrc(worse - 1, worse + better, 0.5))


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError("a level is between 0 and 1, for example 0.95")
