"""Covering: the conversations that show what a fair draw would miss."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replay.suites.features import SPLIT

if TYPE_CHECKING:
    import polars as pl

#: What a kind of feature is worth; a path is worth more the more traces took it.
_WORTH = {
    "agent": 4.0,
    "tool": 4.0,
    "tool error": 4.0,
    "error": 4.0,
    "language": 4.0,
    "model": 2.0,
    "flag": 1.0,
    "calls": 1.0,
    "step": 1.0,
    "path": 0.5,
}


#: Between the profiles of a conversation of several traces in one text.
JOIN = ","


@dataclass(frozen=True, slots=True)
class Kind:
    """All conversations with the same features: one of them covers what any would.

    ``unit``, ``size``: the one to take, and its number of traces; ``rank``: whose turn it is.
    """

    features: frozenset[int]
    unit: str
    size: int
    rank: tuple[bool, int]


@dataclass(frozen=True, slots=True)
class Shown:
    """What traces show. ``names``: of each feature; ``counts``: how many traces have it;
    ``of``: the features of each profile (the number of a text of ``Candidates.frame['features']``,
    in digits)."""

    names: Sequence[str]
    counts: Sequence[int]
    of: Mapping[str, frozenset[int]]

    def of_all(self, profiles: Iterable[str]) -> frozenset[int]:
        """The features of traces with these profiles, together."""
        return frozenset().union(*(self.of[p] for p in profiles))


def shown(profiles: Iterable[tuple[str, str, int]]) -> Shown:
    """The features of all ``profiles``: number, text, and how many traces have it."""
    numbers: dict[str, int] = {}
    of: dict[str, frozenset[int]] = {}
    counts: Counter[int] = Counter()
    for code, text, traces in profiles:
        found = frozenset(numbers.setdefault(f, len(numbers)) for f in text.split(SPLIT) if f)
        of[code] = found
        for number in found:
            counts[number] += traces
    return Shown(list(numbers), [counts[n] for n in range(len(numbers))], of)


def kinds(units: pl.DataFrame, known: Shown) -> list[Kind]:
    """The kinds of the conversations ``units`` (``unit``, ``size``, ``profiles``, ``before``,
    ``turn``), each with the one to take: one of before, a short one, the smallest turn."""
    import polars as pl

    ordered = units.sort(~pl.col("before"), "size", "turn", "unit")
    best = ordered.unique("profiles", keep="first", maintain_order=True)
    return [
        Kind(known.of_all(profiles.split(JOIN)), unit, size, (not before, turn))
        for unit, size, profiles, before, turn in best.select(
            "unit", "size", "profiles", "before", "turn"
        ).iter_rows()
    ]


def cover(
    of: Sequence[Kind], known: Shown, wanted: Collection[int], room: int
) -> dict[str, tuple[str, int]]:
    """Conversations that show the features ``wanted``: name -> why, and how many traces.

    The greedy cover: what is worth most for each trace first. Lazy: a conversation's gain only
    falls as others are chosen, so it is worked out again only when it comes to the top (Minoux
    1978). At most ``room`` traces, though one conversation is taken whatever its length.
    """
    missing = set(wanted)
    worth = {f: _worth(known.names[f], known.counts[f]) for f in missing}

    def gain(kind: Kind) -> float:
        return sum(worth[f] for f in kind.features & missing) / kind.size

    queue = [(-g, k.rank, n) for n, k in enumerate(of) if (g := gain(k))]
    heapq.heapify(queue)
    chosen: dict[str, tuple[str, int]] = {}
    taken = 0
    while queue and taken < room and missing:
        _, rank, number = heapq.heappop(queue)
        kind = of[number]
        now = gain(kind)
        if not now:
            continue
        if queue and -now > queue[0][0]:
            heapq.heappush(queue, (-now, rank, number))
            continue
        if taken + kind.size > room and taken:
            continue
        new = min(kind.features & missing, key=lambda f: (-worth[f], known.counts[f], f))
        chosen[kind.unit] = (f"covers {known.names[new]}", kind.size)
        taken += kind.size
        missing -= kind.features
    return chosen


def _worth(name: str, count: int) -> float:
    word = "tool error" if name.startswith("tool error ") else name.partition(" ")[0]
    often = math.log10(count + 1) / 3 if word in ("path", "step") else 0.0
    # Of two of a kind the rarer one: the other is likelier to come with the draw.
    return _WORTH.get(word, 1.0) * (1 + 0.1 / count) + min(often, 1.0)
