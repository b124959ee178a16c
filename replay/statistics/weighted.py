"""Shares of traffic from a sample in which traces stand for different numbers of others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass

from replay.statistics.rates import Interval, rate_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedRate:
    """``hits`` of ``of`` traces; ``share`` (0-1) of the traffic that these stand for.

    ``interval`` holds the true share (95 %). ``size`` is how many equally weighted traces would
    tell as much (Kish 1965).
    """

    hits: int
    of: int
    share: float
    interval: Interval
    size: float

    def above(self, allowed: float) -> float:
        """How likely so many are by chance if the true share is ``allowed`` (one-sided)."""
        if not self.hits:
            return 1.0
        if allowed <= 0:
            return 0.0
        if allowed >= 1:
            return 1.0
        from scipy.special import betainc

        found = self.share * self.size
        return float(betainc(found, self.size - found + 1, allowed))


class Sample:
    """Traces with their weights, and the conversations that they are turns of.

    Where all weigh the same and each is a conversation by itself, a share has the exact interval of
    Clopper and Pearson. Else it has the same with the effective number of traces (Korn and Graubard
    1998): never more than weights leave (Kish 1965), and less where turns of a conversation are
    alike, or where nothing shows whether they are.
    """

    def __init__(self, weights: Sequence[float], clusters: Sequence[Hashable] = ()) -> None:
        """``weights`` are above 0; ``clusters`` says of each trace whose turn it is (none: each is
        by itself).

        Raises:
            ValueError: a weight that is not above 0, or not as many clusters as weights.
        """
        if any(w <= 0 for w in weights):
            raise ValueError("weights are above 0")
        if clusters and len(clusters) != len(weights):
            raise ValueError("each trace is in a cluster, or none is")
        self.weights = tuple(weights)
        self.equal = len(set(self.weights)) <= 1
        self.whole = sum(self.weights)
        numbers: dict[Hashable, int] = {}
        named = clusters or range(len(self.weights))
        self._cluster = [numbers.setdefault(c, len(numbers)) for c in named]
        self._sums = [0.0] * len(numbers)
        for cluster, weight in zip(self._cluster, self.weights, strict=True):
            self._sums[cluster] += weight
        self._squares = sum(w * w for w in self._sums)
        # How many conversations of one weight would tell as much, and how many traces.
        self._least = self.whole**2 / self._squares if self.whole else 0.0
        self._most = self.whole**2 / sum(w * w for w in self.weights) if self.whole else 0.0
        self.exact = self.equal and len(numbers) == len(self.weights)

    def share(self, hits: Collection[int]) -> float:
        """The weights of those of the traces ``hits`` (indices) in all weights; 0 of none."""
        return min(1.0, sum(self.weights[n] for n in hits) / self.whole) if self.whole else 0.0

    def rate(self, hits: Collection[int], level: float = 0.95) -> WeightedRate:
        """The share of traffic that the traces ``hits`` (indices, each once) stand for."""
        if self.exact:
            interval = rate_interval(len(hits), len(self.weights), level)
            share, size = self.share(hits), float(len(self.weights))
            return WeightedRate(
                hits=len(hits), of=len(self.weights), share=share, interval=interval, size=size
            )
        share = self.share(hits)
        size = self._size(hits, share)
        interval = _interval(len(hits), len(self.weights), share, size, level)
        return WeightedRate(
            hits=len(hits), of=len(self.weights), share=share, interval=interval, size=size
        )

    def _size(self, hits: Collection[int], share: float) -> float:
        """The effective number: what a variance between conversations as seen here amounts to.

        A few hits tell little of how alike turns are. So one more conversation is added, of the
        size that a trace's is on the average, all of which has it (or none, where most traces do).
        """
        if not 0 < share < 1 or len(self._sums) < 2:
            return self._least
        over: dict[int, float] = defaultdict(float)
        for n in hits:
            over[self._cluster[n]] += self.weights[n]
        more = self._squares / self.whole
        has = more if share <= 0.5 else 0.0
        whole, number = self.whole + more, len(self._sums) + 1
        share = (share * self.whole + has) / whole
        # The sum of (over - share * whole)² of all; those without hits need not be looked at.
        off = share**2 * self._squares + (has - share * more) ** 2
        off += sum(hit * (hit - 2 * share * self._sums[c]) for c, hit in over.items())
        variance = number / (number - 1) * off / whole**2
        return min(self._most, share * (1 - share) / variance)


def weighted_rate(
    hits: Sequence[float], weights: Sequence[float], level: float = 0.95
) -> WeightedRate:
    """The share of ``hits`` (the weights of those that have it) in all ``weights``, each trace by
    itself: as :class:`Sample`, for whoever has no more.

    Raises:
        ValueError: a weight that is not above 0, or a level that makes no sense.
    """
    if any(w <= 0 for w in weights):
        raise ValueError("weights are above 0")
    whole = sum(weights)
    share = min(1.0, sum(hits) / whole) if whole else 0.0
    if len(set(weights)) <= 1:
        interval, size = rate_interval(len(hits), len(weights), level), float(len(weights))
    else:
        size = whole**2 / sum(w * w for w in weights)
        interval = _interval(len(hits), len(weights), share, size, level)
    return WeightedRate(hits=len(hits), of=len(weights), share=share, interval=interval, size=size)


def share_interval(share: float, size: float, level: float = 0.95) -> Interval:
    """Where the true share lies, if ``share`` was seen in as much as ``size`` equal traces tell.

    Clopper and Pearson's interval for numbers that are no counts (Korn and Graubard 1998).

    Raises:
        ValueError: ``share`` is not from 0 to 1, or ``size`` is not above 0.
    """
    if not 0 <= share <= 1 or size <= 0:
        raise ValueError(f"{share} of {size} is no share")
    return _interval(int(share > 0), int(share > 0) + int(share < 1), share, size, level)


def _interval(hits: int, of: int, share: float, size: float, level: float) -> Interval:
    from scipy.special import betaincinv

    found, tail = share * size, (1 - level) / 2
    low = 0.0 if not hits else float(betaincinv(found, size - found + 1, tail))
    high = 1.0 if hits == of else float(betaincinv(found + 1, max(size - found, 1e-9), 1 - tail))
    return Interval(low, high)
