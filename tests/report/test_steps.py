"""Two action sequences side by side."""

from __future__ import annotations

from typing import Any

import pytest

from replay.report import to_json
from replay.report.steps import MAX_LINES, MAX_ROWS, Row, align
from tests.report.builders import make_diff, make_pair, make_run, make_sides

Step = tuple[Any, ...]


def rows_of(left: list[Step], right: list[Step]) -> tuple[list[Row], int]:
    old, new = make_sides(left, right)
    pair = make_pair("t", "changed", baseline_actions=old, candidate_actions=new)
    trace = to_json(make_diff(pair), make_run())["traces"][0]
    return align(trace["baseline"], trace["candidate"])


def shape(rows: list[Row]) -> list[tuple[str, str | None, str | None]]:
    return [
        (r.kind, r.baseline and r.baseline.name, r.candidate and r.candidate.name) for r in rows
    ]


def test_matched_actions_share_a_row_and_the_others_keep_their_place() -> None:
    rows, left_out = rows_of(
        [("a", {}, 1), ("b", {}, 2), ("c", {}, 3)], [("a", {}, 1), ("x", {}, 9), ("c", {}, 3)]
    )
    assert shape(rows) == [
        ("same", "a", "a"),
        ("removed", "b", None),
        ("added", None, "x"),
        ("same", "c", "c"),
    ]
    assert left_out == 0


def test_actions_in_another_order_say_where_they_went() -> None:
    rows, _ = rows_of([("a", {}, 1), ("b", {}, 2)], [("b", {}, 2), ("a", {}, 1)])
    assert [r.kind for r in rows].count("moved") == 2
    moved = [c for r in rows if r.kind == "moved" for c in (r.baseline, r.candidate) if c]
    assert sorted((c.number, c.moved_to) for c in moved) in ([(1, 2), (2, 1)], [(1, 2), (1, 2)])


def test_a_differing_argument_shows_its_path_and_both_values() -> None:
    rows, _ = rows_of(
        [("a", {"where": {"city": "Oslo"}, "n": 1, "old": 5}, 1)],
        [("a", {"where": {"city": "Paris"}, "n": 1, "new": None}, 1)],
    )
    (row,) = rows
    assert row.kind == "changed"
    assert row.baseline is not None
    assert row.candidate is not None
    left = {line.path: line for line in row.baseline.arguments}
    right = {line.path: line for line in row.candidate.arguments}
    assert left["where.city"].pieces[0] == ("del", '"Oslo"')
    assert right["where.city"].pieces[0] == ("ins", '"Paris"')
    assert right["old"].note == "absent"
    assert left["new"].note == "absent"
    assert right["new"].pieces[0] == ("ins", "null")
    assert not left["n"].changed


def test_true_is_not_one() -> None:
    rows, _ = rows_of([("a", {"x": 1}, 1)], [("a", {"x": True}, 1, {"exact": False})])
    old, new = rows[0].baseline, rows[0].candidate
    assert old is not None
    assert new is not None
    assert (old.arguments[0].pieces[0].text, new.arguments[0].pieces[0].text) == ("1", "true")


def test_ignored_arguments_are_shown_but_not_highlighted() -> None:
    left, right = make_sides([("a", {"ts": 1}, 0)], [("a", {"ts": 2}, 0)])
    right = (right[0]._replace(exact=True),)
    pair = make_pair("t", "changed", baseline_actions=left, candidate_actions=right)
    trace = to_json(make_diff(pair), make_run())["traces"][0]
    ((row,), _) = align(trace["baseline"], trace["candidate"])
    assert row.kind == "same"
    assert row.baseline is not None
    assert row.baseline.arguments[0].pieces[0].text == "1"


def test_runs_of_equal_calls_are_folded_into_one_line() -> None:
    same = [(f"r{i}", {}, i) for i in range(5)]
    rows, _ = rows_of([*same, ("w", {"a": 1}, 1)], [*same, ("w", {"a": 2}, 1)])
    assert [len(r.folded) for r in rows] == [5, 0]


def test_an_answer_off_the_record_is_never_folded_away() -> None:
    same = [(f"r{i}", {}, i) for i in range(4)]
    off = [(n, a, r, {"fidelity": "nearest"}) for n, a, r in same]
    rows, _ = rows_of(same, off)
    assert len(rows) == 4
    assert [r.candidate.counterfactual for r in rows if r.candidate] == [False, True, True, True]


@pytest.mark.parametrize("count", [200, 1_000])
def test_long_runs_are_capped_and_the_rest_is_counted(count: int) -> None:
    rows, left_out = rows_of([("a", {"i": i}, i) for i in range(count)], [])
    assert len(rows) == MAX_ROWS
    assert left_out == count - MAX_ROWS


def test_an_action_with_many_arguments_says_how_many_are_left_out() -> None:
    rows, _ = rows_of([("a", {f"k{i}": i for i in range(40)}, None)], [])
    assert rows[0].baseline is not None
    assert len(rows[0].baseline.arguments) == MAX_LINES
    assert rows[0].baseline.more == 40 - MAX_LINES


def test_huge_values_are_compared_in_part_without_false_absences() -> None:
    rows, _ = rows_of(
        [("a", {"l": list(range(100_000))}, None)], [("a", {"l": list(range(1, 100_000))}, None)]
    )
    assert rows[0].candidate is not None
    assert all(line.note != "absent" for line in rows[0].candidate.arguments)
