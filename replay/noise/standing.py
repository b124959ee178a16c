"""What shares of the traffic a run's differences and its A/A pairs are.

The tests of the noise count traces, since they ask whether an agent is the same, which any traces
tell. How often something is done is a share of the traffic: there each trace counts as much as it
stands for, and turns of one conversation are drawn together (:class:`replay.statistics.Sample`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replay.noise.draws import TraceDraws
from replay.noise.families import family
from replay.statistics import Interval, WeightedRate, rate_interval
from replay.statistics.weighted import Sample

if TYPE_CHECKING:
    from replay.compare import TraceDiff


@dataclass(frozen=True, slots=True)
class Standing:
    """Shares of the traffic, by behaviour. ``pairs``: how many A/A pairs there are."""

    _all: Sample
    _shown: Mapping[str, Sequence[int]]
    _own_all: Sample
    _own: Mapping[str, Sequence[int]]
    pairs: int

    @classmethod
    def of(cls, draws: Sequence[TraceDraws], pairs: Sequence[TraceDiff]) -> Standing:
        """Of a run: ``draws`` has an entry for each of ``pairs``."""
        turns = {p.trace_id: p.session_id or p.trace_id for p in pairs}
        shown: dict[str, list[int]] = defaultdict(list)
        own: dict[str, list[int]] = defaultdict(list)
        alike: list[TraceDraws] = []
        for n, one in enumerate(draws):
            for name in one.signatures:
                shown[name].append(n)
            names = own_names(one)
            if names is None:
                continue
            for name in names | {family(name) for name in names}:
                own[name].append(len(alike))
            alike.append(one)
        return cls(_sample(draws, turns), dict(shown), _sample(alike, turns), dict(own), len(alike))

    @property
    def equal(self) -> bool:
        """Whether each trace stands for as many as any other."""
        return self._all.equal

    def shown(self, signature: str) -> WeightedRate:
        """How much of the traffic shows a behaviour."""
        return self._all.rate(self._shown.get(signature, ()))

    def own(self, name: str) -> WeightedRate:
        """In how much of it an unchanged agent differs from itself so; ``name`` is a signature, or
        a family of them."""
        return self._own_all.rate(self._own.get(name, ()))

    def noise(
        self, name: str, hits: int, of: int, known: int
    ) -> tuple[float | None, Interval | None]:
        """The share and its interval where ``hits`` of ``of`` pairs, ``known`` of them of earlier
        runs, show it. What those stood for is not known, so of weighted traces they tell none."""
        if not of:
            return None, None
        if self.equal:
            return min(1.0, hits / of), rate_interval(min(hits, of), of)
        if known or not self.pairs:
            return None, None
        rate = self.own(name)
        return rate.share, rate.interval


def own_names(draws: TraceDraws) -> frozenset[str] | None:
    """In what two runs of one agent differ on a trace; ``None`` where there were no two that were
    made whatever the first one showed."""
    if draws.control:
        return frozenset(mark.signature for mark in draws.control[0])
    looks = [look for look in draws.again if look.unasked]
    return frozenset(looks[0].own) if looks else None


def _sample(draws: Sequence[TraceDraws], turns: Mapping[str, str]) -> Sample:
    return Sample([d.weight for d in draws], [turns.get(d.trace_id, d.trace_id) for d in draws])
