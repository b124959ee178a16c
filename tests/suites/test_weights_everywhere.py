"""Rates of noise, contracts and runs under faults are those of the traffic, too: against the known
population of :mod:`tests.suites.test_population`."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from replay.compare.model import ContractRow, TraceDiff
from replay.faults.plan import FaultPlan
from replay.nights import partial
from replay.nights.budget import Budget
from replay.nights.section import known_before, trend_of
from replay.noise.draws import TraceDraws
from replay.noise.families import Seen
from replay.noise.standing import Standing
from replay.report import render_html, to_json
from replay.report.contracts import contract_rows
from replay.resilience.model import FaultOutcome
from replay.resilience.rows import Landing, OutcomeRow
from replay.resilience.scorecard import scorecard
from replay.run_request import RunRequest
from replay.selection import Selection
from tests.nights.test_history import earlier
from tests.report.builders import make_diff, make_pair, make_run
from tests.suites.test_population import RUNS, compared, population

SEEN = Seen("EFFECT_MISSING|pay||", "EFFECT_MISSING", "regression")
#: Given the traces of a suite: a share of the traffic, and its interval.
Rate = Callable[[list[TraceDiff]], tuple[float, float, float]]


def shown(pairs: list[TraceDiff]) -> tuple[float, float, float]:
    """What the noise section says of a behaviour: in this run."""
    draws = [
        TraceDraws(
            trace_id=p.trace_id,
            main=frozenset({SEEN} if p.verdict == "regressed" else ()),
            weight=p.weight,
        )
        for p in pairs
    ]
    rate = Standing.of(draws, pairs).shown(SEEN.signature)
    return rate.share, *rate.interval


def of_an_unchanged_agent(pairs: list[TraceDiff]) -> tuple[float, float, float]:
    """And of the agent that it is held against, of which every other trace was replayed."""
    draws = [
        TraceDraws(
            trace_id=p.trace_id,
            main=frozenset(),
            control=(frozenset({SEEN} if p.verdict == "regressed" else ()),) if n % 2 else (),
            weight=p.weight,
        )
        for n, p in enumerate(pairs)
    ]
    standing = Standing.of(draws, pairs)
    hits = sum(bool(d.control and d.control[0]) for d in draws)
    share, interval = standing.noise(SEEN.signature, hits, standing.pairs, known=0)
    assert share is not None
    assert interval is not None
    # What earlier runs counted is not known by its weight: no share is made up of both.
    assert standing.noise(SEEN.signature, hits, standing.pairs + 9, known=9) == (None, None)
    return share, *interval


def contract(pairs: list[TraceDiff]) -> tuple[float, float, float]:
    """How much of the traffic breaks a contract."""
    row = ContractRow(
        name="c",
        sentence="c",
        cases=len(pairs),
        of=tuple(p.trace_id for p in pairs),
        broken=tuple(p.trace_id for p in pairs if p.verdict == "regressed"),
    )
    (told,) = contract_rows([row], pairs)
    return told["share"], told["low"], told["high"]


def under_faults(pairs: list[TraceDiff]) -> tuple[float, float, float]:
    """How much of it fails under a fault."""
    rows = [
        OutcomeRow(
            trace_id=p.trace_id,
            agent="v2",
            outcome=FaultOutcome(
                kind="crashed" if p.verdict == "regressed" else "recovered", why=""
            ),
            landed=(Landing(rule="timeout:tool=pay", tool="pay"),),
            weight=p.weight,
            session=p.session_id or "",
        )
        for p in pairs
    ]
    cell = scorecard(rows).tools[0].candidate
    assert cell.rate is not None
    assert (cell.failed, cell.survived + cell.failed) == (
        sum(p.verdict == "regressed" for p in pairs),
        len(pairs),
    )
    return cell.rate, cell.low, cell.high


@pytest.mark.parametrize("turns", [False, True])
@pytest.mark.parametrize("rate", [shown, of_an_unchanged_agent, contract, under_faults])
def test_a_share_is_that_of_the_traffic_and_its_interval_holds(rate: Rate, turns: bool) -> None:
    truth = statistics.mean(population(turns)[1].values())
    shares, plain, held = [], [], 0
    for seed in range(RUNS):
        pairs = compared(turns, seed)
        share, low, high = rate(pairs)
        shares.append(share)
        plain.append(sum(p.verdict == "regressed" for p in pairs) / len(pairs))
        held += low <= truth <= high
    error = statistics.stdev(shares) / RUNS**0.5
    assert abs(statistics.mean(shares) - truth) < 3 * error
    assert statistics.mean(plain) - truth > 3 * error  # traces counted alike are off
    assert held >= 0.9 * RUNS


def test_a_contract_is_a_share_of_the_traffic_in_which_it_could_be_broken() -> None:
    pairs = [make_pair("often", weight=98.0), make_pair("bad", weight=2.0), make_pair("other")]
    row = ContractRow(name="c", sentence="s", cases=2, of=("often", "bad"), broken=("bad",))
    (told,) = contract_rows([row], pairs)
    assert told["share"] == pytest.approx(0.02)
    assert told["low"] < 0.02 < told["high"]
    page = render_html(to_json(replace(make_diff(*pairs), contracts=(row,)), make_run()))
    assert "broken in 1 of 2 traces, " in page
    assert "of the traffic" in page.partition("broken in 1 of 2 traces, ")[2][:40]


def test_a_part_of_a_weighted_suite_leaves_as_much_open_as_its_traces_stand_for(
    tmp_path: Path,
) -> None:
    def share(weights: dict[str, float]) -> float:
        ids = list(weights)
        request = RunRequest(
            agent="v2",
            traces=tmp_path,
            runs=tmp_path,
            plan=FaultPlan(),
            weights=weights,
            budget=Budget(minutes=1),
        )
        selection = Selection(
            digests=dict.fromkeys(ids[:90], ""), policies={}, left=frozenset(ids[90:])
        )
        return partial.largest_share({i: i for i in ids[:90]}, request, selection)

    even = share({f"t{n}": 5.0 for n in range(100)})
    assert even == share({f"t{n}": 1.0 for n in range(100)}) < 0.03
    # Ten of a hundred were not replayed, and stand for more than half of the traffic.
    assert share({f"t{n}": 1.0 if n < 90 else 20.0 for n in range(100)}) > even


def test_a_trend_is_one_of_the_traffic_and_not_of_what_was_picked() -> None:
    rare = [make_pair(f"r{n}", "regressed") for n in range(30)]
    often = [make_pair(f"o{n}", weight=1_000.0) for n in range(100)]
    known: dict[str, Any] = known_before(
        earlier(1, regressed=0)[0].day, earlier(7, regressed=0), candidate="v2"
    )
    assert trend_of(known, make_diff(*rare, *often)) == "level"
    alike = [make_pair(f"o{n}") for n in range(100)]
    assert trend_of(known, make_diff(*rare, *alike)) == "up"
