"""What a night will take is told before it begins, from nights that were measured."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from replay.folder import write_header
from replay.nightly import run_night
from replay.nights import budget as budgets
from replay.nights.budget import Budget
from replay.nights.forecast import Pace, forecast, measured, pace_of
from replay.nights.history import read_night, write_night
from replay.results import ReplayResult
from tests.engine.support import make_trace
from tests.nights.conftest import dated, write_day

DAY = date(2026, 3, 9)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def night(runs: Path, days_ago: int, candidate: str = "v2", **pace: float) -> None:
    folder = runs / (DAY - timedelta(days=days_ago)).isoformat()
    write_night(folder, verdict="pass", exit_code=0, candidate=candidate, pace=pace or None)
    write_header(folder / "run.json", {"schema": 1, "state": "complete", "exit_code": 0})


def test_a_forecast_is_what_the_nights_before_of_the_same_candidate_took(tmp_path: Path) -> None:
    night(tmp_path, 3, traces=100, replays=120, seconds=200, rest=60, after=30, usd=1.0)
    night(tmp_path, 2, traces=300, replays=360, seconds=600, rest=90, after=50, usd=3.0)
    night(tmp_path, 1, candidate="v3", traces=10_000, seconds=1)
    night(tmp_path, 4)
    pace = pace_of(tmp_path, DAY, "v2")
    assert pace == Pace(nights=2, each=2.0, usd=0.01, rest=75.0, after=40.0)
    assert pace.minutes(900) == pytest.approx(31.25)
    said = forecast(pace, 900, 0, Budget(), "v2")
    assert said == (
        "foreseen: 900 traces, about 31 minutes and 9.00 dollars, as the last 2 nights took"
    )
    budget = Budget(minutes=20, usd=1_000, clock=Clock())
    # 20 minutes less the 40 seconds that comparing takes, 2 seconds a trace.
    assert forecast(pace, 900, 0, budget, "v2").endswith("has room for about 580 of them")
    assert "room for about 500" in forecast(pace, 900, 0, Budget(usd=5), "v2")
    said = forecast(pace, 390, 10, budget, "v2")
    assert said.startswith("foreseen: 390 traces and 10 of earlier days, about 15 minutes")
    assert "room" not in said


def test_what_is_not_known_is_not_guessed(tmp_path: Path) -> None:
    assert pace_of(tmp_path, DAY, "v2") is None
    night(tmp_path, 1, traces=2, seconds=1)  # too few
    assert pace_of(tmp_path, DAY, "v2") is None
    said = forecast(None, 1, 0, Budget(minutes=5), "v2")
    assert said == "foreseen: how long 1 trace takes is not known yet, v2 has had no night"
    write_night(tmp_path / "2026-03-08", pace={"traces": "many", "seconds": []})
    assert pace_of(tmp_path, DAY, "v2") is None


def test_no_trace_begins_that_would_not_end_in_time_on_the_average() -> None:
    clock = Clock()
    budget = Budget(minutes=1, clock=clock)
    done = ReplayResult(trace=make_trace(), status="ok", models=())
    for _ in range(2):
        budget.began()
        budget.began()
        clock.now += 10
        budget.spend(done)
        budget.spend(done)
    # Four traces, two at a time, 10 seconds each; 40 seconds are left.
    assert (budget.replays, budget.replaying, budget.closed()) == (4, 20.0, "")
    clock.now += 29
    assert budget.closed() == ""
    with budget.kept(5):
        assert budget.closed() == "time"
    clock.now += 1
    assert budget.closed() == "time"
    budget.traces = 4
    assert measured(budget, 70.0) == {
        "traces": 4,
        "replays": 4,
        "seconds": 20.0,
        "rest": 50.0,
        "after": 30.0,
        "usd": 0.0,
    }
    budget.begin_night()
    assert measured(budget, 1.0) is None


def test_a_night_says_what_it_will_take_before_it_begins(parrot: Path) -> None:
    said: list[str] = []
    for number in range(2):
        day = DAY + timedelta(days=number)
        write_day(parrot, day, 8)
        run_night(dated(parrot, aa=0), day, say=said.append)
    first, second = [line for line in said if line.startswith("foreseen")]
    assert first == "foreseen: how long 8 traces take is not known yet, v2 has had no night"
    assert re.fullmatch(r"foreseen: 8 traces, about .+, as the last night took", second)


def test_a_night_that_goes_on_within_its_budget_counts_each_trace_and_a_rest_is_no_pace(
    parrot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_day(parrot, DAY, 30)
    monkeypatch.setattr(budgets, "cost_of", lambda *_: (1.0, 0))
    outcome = run_night(dated(parrot, aa=0, budget_usd=20), DAY)
    # It began again with what was kept for differences: those traces were replayed once, too.
    assert outcome.document["counts"]["reused"] > 0
    pace = read_night(parrot / "runs" / DAY.isoformat())["pace"]
    assert pace["traces"] == pace["replays"] == outcome.document["counts"]["compared"]
    # Of a night that is gone on with for the sake of a few, the pace stays what it was.
    rest = Budget()
    rest.replays, rest.traces = 9, 3
    assert measured(rest, 1.0, pace) is None
    assert measured(rest, 1.0, {"traces": 2}) is not None


def test_what_is_kept_for_comparing_is_a_part_of_what_this_night_has(tmp_path: Path) -> None:
    night(tmp_path, 1, traces=100, seconds=100, after=600)
    pace = pace_of(tmp_path, DAY, "v2")
    assert pace is not None
    budget = Budget(minutes=90, clock=Clock())
    with budget.part(1 / 9):  # one of nine nights: ten minutes, of which two are kept
        assert pace.kept(budget.left_minutes) == pytest.approx(120)
        assert "room for about 480 of them" in forecast(pace, 900, 0, budget, "v2")
