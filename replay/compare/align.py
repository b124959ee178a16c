"""Which action of the candidate is which action of the baseline?

Exact first: the n-th occurrence of a call meets the n-th occurrence of the same call wherever it
is, so reordered and parallel calls cost nothing. What is left over meets the nearest call of the
same tool. Near-linear: likeness is only computed inside small buckets, near the same place, and
between calls that share a rare value.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from replay.compare.actions import Action
from replay.compare.canon import leaf_set
from replay.matching import normal_key

#: Up to this many pairs of one tool are all compared with each other.
_ALL_PAIRS = 1_024
#: In a larger bucket, how far apart in rank two calls are still compared,
_WINDOW = 4
#: and how many calls may share a value for it to bring them together.
_RARE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two actions that are the same one. ``exact``: equal arguments, up to notation."""

    baseline: int
    candidate: int
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Pairs in the order of the candidate, and what has no partner.

    ``comparisons`` counts the likenesses that were computed: the guard on complexity.
    """

    pairs: tuple[Pair, ...]
    missing: tuple[int, ...]
    added: tuple[int, ...]
    comparisons: int = 0

    def moved(self) -> tuple[Pair, ...]:
        """The fewest pairs that, taken away, leave both sides in the same order."""
        order = [p.baseline for p in self.pairs]
        kept = _longest_increasing(order)
        return tuple(p for i, p in enumerate(self.pairs) if i not in kept)


def align(baseline: Sequence[Action], candidate: Sequence[Action]) -> Alignment:
    """Align two action sequences. Swapping them gives the mirrored alignment."""
    left, right, pairs = _exact(baseline, candidate)
    comparisons = 0
    if left and right:
        left, right = _without_repeats(baseline, candidate, left, right)
        left, right, same = _normalized(baseline, candidate, left, right)
        pairs.extend(same)
        near, comparisons = _nearest(baseline, candidate, left, right)
        pairs.extend(near)
    pairs.sort(key=lambda p: p.candidate)
    met_left = {p.baseline for p in pairs}
    met_right = {p.candidate for p in pairs}
    return Alignment(
        pairs=tuple(pairs),
        missing=tuple(i for i in range(len(baseline)) if i not in met_left),
        added=tuple(i for i in range(len(candidate)) if i not in met_right),
        comparisons=comparisons,
    )


def _exact(
    baseline: Sequence[Action], candidate: Sequence[Action]
) -> tuple[list[int], list[int], list[Pair]]:
    waiting: dict[Any, list[int]] = defaultdict(list)
    for action in reversed(baseline):
        waiting[action.key].append(action.index)
    pairs: list[Pair] = []
    right: list[int] = []
    for action in candidate:
        queue = waiting.get(action.key)
        if queue:
            pairs.append(Pair(baseline=queue.pop(), candidate=action.index, exact=True))
        else:
            right.append(action.index)
    return sorted(i for queue in waiting.values() for i in queue), right, pairs


def _without_repeats(
    baseline: Sequence[Action], candidate: Sequence[Action], left: list[int], right: list[int]
) -> tuple[list[int], list[int]]:
    """Leave out repeats of a call that the other side makes too: they are repeats, not changes."""
    ours = {a.key for a in baseline}
    theirs = {a.key for a in candidate}
    return (
        [i for i in left if baseline[i].key not in theirs],
        [j for j in right if candidate[j].key not in ours],
    )


def _normalized(
    baseline: Sequence[Action], candidate: Sequence[Action], left: list[int], right: list[int]
) -> tuple[list[int], list[int], list[Pair]]:
    """Pairs whose arguments differ in notation only (``"5"`` and ``5``, null and absent)."""
    names = {baseline[i].name for i in left} & {candidate[j].name for j in right}
    waiting: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i in reversed(left):
        if baseline[i].name in names:
            waiting[baseline[i].name, _normal(baseline[i])].append(i)
    pairs: list[Pair] = []
    rest: list[int] = []
    for j in right:
        name = candidate[j].name
        queue = waiting.get((name, _normal(candidate[j]))) if name in names else None
        if queue:
            pairs.append(Pair(baseline=queue.pop(), candidate=j, exact=True))
        else:
            rest.append(j)
    met = {p.baseline for p in pairs}
    return [i for i in left if i not in met], rest, pairs


def _normal(action: Action) -> str:
    try:
        return normal_key(action.arguments)
    except (RecursionError, ValueError, TypeError):
        # Hostile nesting or text: such a value is only ever equal to itself.
        return action.key[1].hex()


def _nearest(
    baseline: Sequence[Action], candidate: Sequence[Action], left: list[int], right: list[int]
) -> tuple[list[Pair], int]:
    ours: dict[str, list[int]] = defaultdict(list)
    theirs: dict[str, list[int]] = defaultdict(list)
    for i in left:
        ours[baseline[i].name].append(i)
    for j in right:
        theirs[candidate[j].name].append(j)
    pairs: list[Pair] = []
    comparisons = 0
    for name, mine in ours.items():
        other = theirs.get(name, [])
        if not other:
            continue
        matched, count = _in_bucket(baseline, candidate, mine, other)
        pairs.extend(Pair(baseline=i, candidate=j, exact=False) for i, j in matched)
        comparisons += count
    return pairs, comparisons


def _in_bucket(
    baseline: Sequence[Action], candidate: Sequence[Action], left: list[int], right: list[int]
) -> tuple[list[tuple[int, int]], int]:
    """The greedy best assignment inside one tool; ranks stand for places."""
    if len(left) == len(right) == 1:
        return [(left[0], right[0])], 0
    ours = [leaf_set(baseline[i].arguments) for i in left]
    theirs = [leaf_set(candidate[j].arguments) for j in right]
    tries = _promising(ours, theirs)
    scored = []
    for i, j in tries:
        common = len(ours[i] & theirs[j])
        if common:
            # The last two make the order total and the same when the sides are swapped.
            score = 2 * common / (len(ours[i]) + len(theirs[j]))
            scored.append((-score, abs(i - j), i + j, i, j))
    scored.sort()
    free_left, free_right = set(range(len(left))), set(range(len(right)))
    matched: list[tuple[int, int]] = []
    for _, _, _, i, j in scored:
        if i in free_left and j in free_right:
            matched.append((i, j))
            free_left.discard(i)
            free_right.discard(j)
    # Nothing in common: the same tool in the same order is the best guess there is.
    matched.extend(zip(sorted(free_left), sorted(free_right), strict=False))
    return [(left[i], right[j]) for i, j in matched], len(tries)


def _promising(ours: list[frozenset[Any]], theirs: list[frozenset[Any]]) -> set[tuple[int, int]]:
    if len(ours) * len(theirs) <= _ALL_PAIRS:
        return {(i, j) for i in range(len(ours)) for j in range(len(theirs))}
    found = {
        (i, j)
        for i in range(len(ours))
        for j in range(max(0, i - _WINDOW), min(len(theirs), i + _WINDOW + 1))
    }
    by_leaf: dict[Any, list[int]] = defaultdict(list)
    for j, leaves in enumerate(theirs):
        for leaf in leaves:
            by_leaf[leaf].append(j)
    count: dict[Any, int] = defaultdict(int)
    for leaves in ours:
        for leaf in leaves:
            count[leaf] += 1
    for i, leaves in enumerate(ours):
        for leaf in leaves:
            sharing = by_leaf.get(leaf, ())
            if len(sharing) <= _RARE and count[leaf] <= _RARE:
                found.update((i, j) for j in sharing)
    return found


def _longest_increasing(values: Sequence[int]) -> set[int]:
    """Positions of a longest increasing subsequence (patience sorting, n log n)."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for position, value in enumerate(values):
        place = bisect_left(tails, value)
        if place == len(tails):
            tails.append(value)
            ends.append(position)
        else:
            tails[place], ends[place] = value, position
        before.append(ends[place - 1] if place else -1)
    kept: set[int] = set()
    position = ends[-1] if ends else -1
    while position >= 0:
        kept.add(position)
        position = before[position]
    return kept
