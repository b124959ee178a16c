"""Weighted shares, weighted means, and weighted signs."""

from __future__ import annotations

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.statistics import mean_change, rate_interval, weighted_rate
from replay.statistics.rates import fewer_passes
from replay.statistics.signs import signs
from replay.statistics.weighted import Sample

WEIGHTS = st.lists(st.floats(0.5, 1_000), min_size=1, max_size=30)


@given(WEIGHTS, st.integers(0, 30))
def test_an_interval_holds_its_share_and_never_tells_more_than_equal_weights(
    weights: list[float], hits: int
) -> None:
    chosen = range(min(hits, len(weights)))
    rate = Sample(weights).rate(chosen)
    assert 0 <= rate.interval.low <= rate.share + 1e-9
    assert rate.share - 1e-9 <= rate.interval.high <= 1
    assert rate.size <= len(weights) + 1e-9


def test_equal_weights_are_exact_counts() -> None:
    assert Sample([3.0] * 40).rate(range(5)).interval == rate_interval(5, 40)
    assert weighted_rate([3.0] * 5, [3.0] * 40).interval == rate_interval(5, 40)


def test_turns_that_are_alike_tell_less() -> None:
    weights = [1.0] * 20 + [2.0] * 20
    hits = [n for n in range(40) if n // 10 in (0, 2)]
    apart = Sample(weights).rate(hits)
    together = Sample(weights, [n // 10 for n in range(40)]).rate(hits)
    assert together.share == apart.share
    assert together.size < 5 < apart.size
    assert together.interval.high - together.interval.low > 1.5 * (
        apart.interval.high - apart.interval.low
    )


def drawn(
    alike: float, rate: float, seed: int, weights: tuple[float, ...] = (1.0,)
) -> tuple[Sample, list[int]]:
    """200 turns of conversations of 1 to 8; in so large a part of them turns share their luck."""
    rng, one, of, hits = random.Random(f"{seed} {alike}"), [], [], []
    while len(one) < 200:
        luck, weight, name = rng.random(), rng.choice(weights), len(one)
        for _ in range(rng.choice((1, 1, 2, 5, 8))):
            if (luck if rng.random() < alike else rng.random()) < rate:
                hits.append(len(one))
            one.append(weight)
            of.append(name)
    return Sample(one, of), hits


@pytest.mark.parametrize("weights", [(1.0,), (1.0, 2.0, 50.0)])
@pytest.mark.parametrize("alike", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("rate", [0.02, 0.05, 0.4, 0.8])
def test_intervals_hold_where_turns_are_alike_also_if_all_weigh_the_same(
    rate: float, alike: float, weights: tuple[float, ...]
) -> None:
    found = [drawn(alike, rate, seed, weights) for seed in range(100)]
    intervals = [sample.rate(hits).interval for sample, hits in found]
    assert sum(low <= rate <= high for low, high in intervals) >= 90


def test_turns_that_are_not_alike_tell_nearly_as_much_as_traces_by_themselves() -> None:
    sizes = [sample.rate(hits).size for sample, hits in (drawn(0.0, 0.2, n) for n in range(20))]
    assert statistics.mean(sizes) > 120
    # Of none nothing shows whether turns are alike.
    sample, _ = drawn(0.0, 0.2, 0)
    assert sample.rate(()).size < 60


def test_nothing_and_bad_weights() -> None:
    assert Sample([]).rate([]).interval == (0.0, 1.0)
    assert Sample([]).share([]) == 0.0
    with pytest.raises(ValueError, match="above 0"):
        Sample([1.0, 0.0])
    with pytest.raises(ValueError, match="in a cluster"):
        Sample([1.0, 1.0], ["a"])


@given(st.integers(0, 7), st.integers(0, 7))
def test_signs_of_equal_weights_are_the_exact_test(worse: int, better: int) -> None:
    changed = [(2.0, True)] * worse + [(2.0, False)] * better
    assert signs(changed) == pytest.approx(fewer_passes(worse, better))


def test_signs_go_by_what_traces_stand_for() -> None:
    assert signs([(1.0, True)] * 9 + [(1_000.0, False)]) > 0.5
    assert signs([(1_000.0, True)] * 9 + [(1.0, False)] * 9) < 0.01
    many = signs([(1.0, True)] * 40 + [(1.0, False)] * 10)
    assert many == signs([(1.0, True)] * 40 + [(1.0, False)] * 10)
    assert many < 0.001


def test_a_weighted_mean_is_that_of_the_traffic() -> None:
    before, after = [10.0] * 100, [20.0] * 10 + [10.0] * 90
    weights = [1.0] * 10 + [100.0] * 90
    assert mean_change(before, after).mean == 1.0
    weighed = mean_change(before, after, weights=weights)
    assert weighed.mean == pytest.approx(100 / 9_010)
    assert weighed.relative == pytest.approx(10 / 9_010)
    assert weighed.interval is not None
    assert weighed.interval.low <= weighed.mean <= weighed.interval.high < 0.1
    with pytest.raises(ValueError, match="has a weight"):
        mean_change(before, after, weights=[1.0])
