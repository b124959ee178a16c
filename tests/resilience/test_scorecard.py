"""Counts and exact intervals by tool, contract and fault."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binom

from replay.faults.interface import Level
from replay.resilience.model import FaultOutcome, OutcomeKind
from replay.resilience.rows import Landing, OutcomeRow, Side, read_rows, write_rows
from replay.resilience.scorecard import scorecard
from replay.statistics import rate_interval


def row(
    trace_id: str,
    kind: OutcomeKind,
    *landed: tuple[str, str],
    side: Side = "candidate",
    level: Level = "tool",
    contracts: tuple[str, ...] = (),
    own: tuple[str, ...] = (),
) -> OutcomeRow:
    return OutcomeRow(
        trace_id=trace_id,
        agent="v2" if side == "candidate" else "v1",
        side=side,
        outcome=FaultOutcome(kind=kind, why="because", contracts=contracts),
        landed=tuple(Landing(rule=f"{f}:tool={t}", tool=t, level=level) for t, f in landed),
        own_contracts=own,
    )


REFUND = ("issue_refund", "timeout")
READ = ("get_order", "http_429")


def test_a_run_is_counted_in_the_cell_of_its_tool_and_fault() -> None:
    card = scorecard(
        [
            row("t1", "duplicated_effect", REFUND),
            row("t2", "degraded", REFUND),
            row("t3", "inconclusive", REFUND),
            row("t4", "recovered", READ),
        ]
    )
    read, refund = card.tools
    assert (read.what, read.fault, read.candidate.survived) == ("get_order", "http_429", 1)
    cell = refund.candidate
    assert (cell.runs, cell.failed, cell.survived, cell.undecided) == (3, 1, 1, 1)
    assert cell.rate == 0.5
    assert card.total.candidate.runs == 4


def test_what_nothing_landed_on_is_in_no_cell() -> None:
    card = scorecard([row("t1", "not_landed"), row("t2", "recovered", READ)])
    assert card.total.candidate.runs == 1


def test_a_fault_that_landed_twice_on_one_run_counts_once() -> None:
    card = scorecard([row("t1", "looped", READ, READ)])
    assert card.tools[0].candidate.runs == 1


def test_two_faults_on_one_run_are_both_charged() -> None:
    card = scorecard([row("t1", "crashed", READ, REFUND)])
    assert [line.candidate.failed for line in card.tools] == [1, 1]
    assert card.total.candidate.failed == 1


def test_the_baseline_stands_beside_the_candidate() -> None:
    card = scorecard([row("t1", "crashed", READ), row("t1", "recovered", READ, side="baseline")])
    assert card.tools[0].baseline is not None
    assert card.tools[0].candidate.failed == card.tools[0].baseline.survived == 1
    alone = scorecard([row("t1", "crashed", READ)])
    assert alone.tools[0].baseline is None


def test_what_is_not_a_tool_has_a_name_in_brackets() -> None:
    card = scorecard([row("t1", "recovered", ("gpt-5", "overloaded"), level="model")])
    assert card.tools[0].what == "(model)"


def test_contracts_are_counted_by_fault_and_those_of_the_user_even_if_they_hold() -> None:
    rows = [
        row("t1", "silent_failure", REFUND, contracts=("honest_answer", "signed"), own=("signed",)),
        row("t2", "recovered", REFUND),
    ]
    lines = {line.what: line.candidate for line in scorecard(rows, ["signed", "short"]).contracts}
    assert lines["honest_answer"].failed == lines["signed"].failed == 1
    assert (lines["short"].failed, lines["short"].survived) == (0, 2)
    assert "within_budget" not in lines


def test_a_broken_contract_of_the_user_makes_a_survivor_a_failure() -> None:
    broke = row("t1", "degraded", REFUND, contracts=("signed",), own=("signed",))
    assert scorecard([broke]).total.candidate.failed == 1


@pytest.mark.parametrize(
    ("failed", "of", "low", "high"),
    [(0, 10, 0.0, 0.3085), (10, 10, 0.6915, 1.0), (5, 10, 0.1871, 0.8129), (1, 20, 0.0013, 0.2487)],
)
def test_intervals_are_those_of_the_tables(failed: int, of: int, low: float, high: float) -> None:
    assert rate_interval(failed, of) == pytest.approx((low, high), abs=1e-4)


def test_of_nothing_nothing_is_known() -> None:
    assert rate_interval(0, 0) == (0.0, 1.0)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_bounds_are_where_what_was_seen_gets_unlikely(pair: tuple[int, int]) -> None:
    failed, of = pair
    low, high = rate_interval(failed, of)
    assert 0 <= low <= failed / of <= high <= 1
    if failed:
        assert low == pytest.approx(beta.ppf(0.025, failed, of - failed + 1))
        assert binom.sf(failed - 1, of, low) == pytest.approx(0.025)
    if failed < of:
        assert binom.cdf(failed, of, high) == pytest.approx(0.025)


def test_rows_are_read_as_they_were_written_and_a_torn_line_is_passed_over(tmp_path: Path) -> None:
    rows = [
        row("t1", "silent_failure", REFUND, contracts=("signed",), own=("signed",)),
        dataclasses.replace(row("t2", "recovered", READ, side="baseline"), label="a", plan="p"),
    ]
    path = tmp_path / "outcomes.jsonl"
    write_rows(path, rows)
    assert list(read_rows(path)) == rows
    with path.open("a") as file:
        file.write('{"trace_id": "t3", "ki')
    assert list(read_rows(path)) == rows
    assert list(read_rows(tmp_path / "none")) == []
