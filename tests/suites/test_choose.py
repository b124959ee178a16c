"""Which traces a suite takes, and what they stand for."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.errors import UsageError
from replay.suites import Candidates, choose
from replay.suites.features import SPLIT
from tests.timing import at_most


def known(rows: list[dict[str, Any]]) -> Candidates:
    """Rows with ``id`` and whatever else; a trace is its own conversation unless told."""
    full = [
        {
            "trace_id": r["id"],
            "unit": r.get("unit", r["id"]),
            "path": r.get("path", "get_order"),
            "features": SPLIT.join(r.get("features", [f"path {r.get('path', 'get_order')}"])),
        }
        for r in rows
    ]
    return Candidates(frame=pl.DataFrame(full))


def many(number: int, seed: int = 1) -> list[dict[str, Any]]:
    """Traffic with a long tail: path p0 in half of all, p1 in a quarter, ..."""
    draw = random.Random(seed)
    rows = []
    for n in range(number):
        path = f"p{min(int(draw.expovariate(0.7)), 9)}"
        rows.append(
            {
                "id": f"t{n}",
                "unit": f"s{n // 2}",
                "path": path,
                "features": [f"path {path}", f"language {draw.choice('de en fr'.split())}"],
            }
        )
    return rows


def test_everything_there_is_is_covered_where_there_is_room() -> None:
    choice = choose(known(many(2_000)), size=60)
    assert not choice.uncovered
    assert 55 <= len(choice.entries) <= 60


def test_the_same_traffic_gives_the_same_suite_in_any_order() -> None:
    rows = many(500)
    again = choose(known(rows[::-1]), size=50)
    assert {e.trace_id for e in choose(known(rows), size=50).entries} == {
        e.trace_id for e in again.entries
    }


def test_another_seed_gives_another_draw() -> None:
    rows = many(500)
    one, two = ({e.trace_id for e in choose(known(rows), size=50, seed=s).entries} for s in (1, 2))
    assert one != two


def test_more_traffic_changes_little_of_a_suite() -> None:
    before = {e.trace_id for e in choose(known(many(2_000)), size=100).entries}
    after = {e.trace_id for e in choose(known(many(2_100)), size=100).entries}
    assert len(before & after) > 60


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.integers(1, 120))
def test_conversations_are_never_cut(seed: int, size: int) -> None:
    rows = many(200, seed)
    chosen = {e.trace_id for e in choose(known(rows), size=size, seed=seed).entries}
    for row in rows:
        if row["id"] in chosen:
            assert {r["id"] for r in rows if r["unit"] == row["unit"]} <= chosen


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.integers(10, 150))
def test_the_weights_add_up_to_the_traffic(seed: int, size: int) -> None:
    rows = many(300, seed)
    choice = choose(known(rows), size=size, seed=seed)
    assert sum(e.weight for e in choice.entries) == pytest.approx(300, rel=0.01)
    assert all(e.weight > 0 for e in choice.entries)


def test_weighted_rates_are_those_of_the_traffic() -> None:
    """Path p9 fails always and is rare: a suite that covers everything has far too much of it."""
    rows = many(4_000)
    truth = sum(r["path"] in ("p4", "p5") for r in rows) / len(rows)
    plain, weighted = [], []
    path = {r["id"]: r["path"] for r in rows}
    for seed in range(30):
        entries = choose(known(rows), size=80, seed=seed).entries
        hits = [e for e in entries if path[e.trace_id] in ("p4", "p5")]
        plain.append(len(hits) / len(entries))
        weighted.append(sum(e.weight for e in hits) / sum(e.weight for e in entries))
    assert abs(sum(weighted) / 30 - truth) < 0.2 * truth
    assert abs(sum(weighted) / 30 - truth) < abs(sum(plain) / 30 - truth)


def test_what_must_be_in_is_in_with_its_reason_and_with_its_conversation() -> None:
    rows = many(400)
    choice = choose(known(rows), size=20, always={"t101": "regressed in 2026-03-02"})
    why = {e.trace_id: e.why for e in choice.entries}
    assert why["t101"] == why["t100"] == "regressed in 2026-03-02"


def test_what_must_be_in_is_in_even_where_it_is_more_than_asked_for() -> None:
    rows = many(100)
    always = {f"t{n}": "asked for" for n in range(0, 60, 2)}
    chosen = {e.trace_id for e in choose(known(rows), size=10, always=always).entries}
    assert always.keys() <= chosen


def test_a_suite_of_all_weighs_each_trace_once() -> None:
    choice = choose(known(many(50)), size=1_000)
    assert len(choice.entries) == 50
    assert {e.weight for e in choice.entries} == {1.0}


def test_what_nobody_covers_is_said() -> None:
    rows = [{"id": f"t{n}", "features": [f"tool x{n}"], "path": f"p{n}"} for n in range(10)]
    choice = choose(known(rows), size=3)
    assert len(choice.uncovered) == 7


def test_rare_paths_are_drawn_as_often_as_frequent_ones() -> None:
    """Each of half of all traces took a path of its own: together they are half of the draw."""
    rows = [
        {"id": f"t{n}", "path": f"own{n}" if n % 2 else "p", "features": ["x"]}
        for n in range(2_000)
    ]
    entries = choose(known(rows), size=100).entries
    alone = sum(int(e.trace_id[1:]) % 2 for e in entries)
    assert 40 <= alone <= 60
    assert sum(e.weight for e in entries if int(e.trace_id[1:]) % 2) == pytest.approx(
        1_000, rel=0.1
    )


def test_what_is_favoured_is_drawn_more_often_and_weighs_less() -> None:
    frame = known(many(2_000)).frame
    liked = pl.col("trace_id").str.ends_with("7")
    given = Candidates(frame=frame.with_columns(liked.cast(pl.UInt8).alias("favoured")))
    entries = [e for e in choose(given, size=200).entries if e.why.startswith("drawn")]
    ours = [e for e in entries if e.trace_id.endswith("7")]
    assert len(ours) > 0.25 * len(entries)
    others = [e for e in entries if not e.trace_id.endswith("7")]
    assert sum(e.weight for e in ours) / len(ours) < 0.5 * sum(e.weight for e in others) / len(
        others
    )
    assert sum(e.weight for e in entries) == pytest.approx(2_000, rel=0.02)


def test_a_conversation_that_would_be_the_whole_suite_is_left_out_and_told() -> None:
    rows = many(200) + [{"id": f"x{n}", "unit": "endless"} for n in range(500)]
    choice = choose(known(rows), size=40)
    assert choice.too_long == 500
    assert len(choice.entries) < 60
    assert sum(e.weight for e in choice.entries) == pytest.approx(200, rel=0.01)
    by_turns = choose(known(rows), size=40, whole=False)
    assert by_turns.too_long == 0
    assert sum(e.weight for e in by_turns.entries) == pytest.approx(700, rel=0.01)


def test_nothing_but_endless_conversations_is_told() -> None:
    with pytest.raises(UsageError, match="no conversation fits"):
        choose(known([{"id": f"x{n}", "unit": "one"} for n in range(500)]), size=40)


def test_what_covered_before_covers_again_where_it_still_does() -> None:
    rows = [{"id": f"t{n}", "features": [f"tool x{n // 4}"]} for n in range(400)]
    first = choose(known(rows), size=40)
    covering = {e.trace_id for e in first.entries if e.why.startswith("covers")}
    assert covering
    other = choose(known(rows), size=40, seed=9)
    again = choose(known(rows), size=40, seed=9, before=covering)
    assert covering == {e.trace_id for e in again.entries if e.why.startswith("covers")}
    assert covering != {e.trace_id for e in other.entries if e.why.startswith("covers")}


def test_tens_of_thousands_of_paths_take_seconds() -> None:
    """Every second trace has a path of its own: nothing may be quadratic in those."""
    rows = [{"id": f"t{n}", "path": f"own{n}" if n % 2 else "p"} for n in range(40_000)]
    with at_most(20):
        assert len(choose(known(rows), size=200).entries) == 200
