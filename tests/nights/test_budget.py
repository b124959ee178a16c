"""Budgets of a night: what is replayed, what is said of the rest, how it goes on."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from anonymize.store import Store
from anonymize.trace import LLMCall, Usage
from replay.compare.model import DatasetDiff
from replay.compare.settings import CompareSettings
from replay.faults.plan import FaultPlan
from replay.nightly import run_nights
from replay.nights import budget as budgets
from replay.nights import partial
from replay.nights.budget import Budget, cost_of, free_part, main_part
from replay.nights.history import read_night
from replay.replaying import _Queue
from replay.results import ReplayResult
from replay.run_request import RunRequest
from replay.selection import Selection
from replay.statistics import most_hits
from tests.engine.store_support import store_of
from tests.engine.support import make_trace
from tests.nights.conftest import dated, write_day

DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 3, 2, tzinfo=UTC)


def result(*steps: LLMCall, models: tuple[Any, ...] = ()) -> ReplayResult:
    trace = replace(make_trace(), steps=steps)
    return ReplayResult(trace=trace, status="ok", models=models)


def call(model: str = "gpt-4.1-mini", **usage: Any) -> LLMCall:
    return LLMCall(step_id="1", model=model, usage=Usage(**usage))


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_cut_night_says_what_it_left_out_and_the_next_start_does_only_the_rest(
    parrot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_day(parrot, DAY, 60)
    monkeypatch.setattr(budgets, "cost_of", lambda *_: (1.0, 0))
    said: list[str] = []
    config = dated(parrot, budget_usd=12, aa=0)
    (first,) = run_nights(config, [DAY], resume=False, say=said.append)
    assert first.outcome is not None
    document = first.outcome.document
    told, compared = document["budget"], document["counts"]["compared"]
    assert 10 <= compared <= 13  # what was kept for differences went to others: there were none
    assert (
        told["not_replayed"] == 60 - compared == read_night(parrot / "runs" / "2026-03-02")["left"]
    )
    assert told["ran_out"] == "money"
    assert (document["verdict"]["status"], first.exit_code) == ("inconclusive", 3)
    assert (
        f"Nothing got worse in {compared} of 60 traces, but the budget of 12 dollars"
        in (document["verdict"]["sentence"])
    )
    page = (parrot / "runs" / "2026-03-02" / "report.html").read_text()
    assert f"<strong>{60 - compared}</strong> not replayed: the night's money ran out" in page
    assert "<span>traffic of 2026-03-02</span>" in page
    # The money of the day is gone, whoever starts again.
    spent = json.loads((parrot / "runs" / ".spent.json").read_text())["usd"]
    (again,) = run_nights(config, [DAY], resume=False)
    assert again.outcome is not None
    assert again.outcome.document["counts"]["compared"] <= compared + 3
    # Another day has another budget: the night before is gone on with behind its own.
    write_day(parrot, date(2026, 3, 3), 2)
    more = dated(parrot, budget_usd=200 + spent, aa=0)
    own, rest = run_nights(more, [date(2026, 3, 3)], say=said.append)
    assert (own.day.day, own.exit_code, rest.day.day, rest.again) == (3, 0, 2, True)
    assert rest.outcome is not None
    counts = rest.outcome.document["counts"]
    assert (counts["compared"], counts["reused"] >= compared) == (60, True)
    assert counts["reused"] + counts["replayed"] == 60
    assert rest.exit_code == 0
    assert read_night(parrot / "runs" / "2026-03-02")["left"] == 0
    ids = [t.trace_id for t in Store(parrot / "runs" / "2026-03-02" / "traces").traces()]
    assert len(ids) == len(set(ids)) == 60


def test_a_budget_that_is_over_at_once_could_not_run_and_says_so(parrot: Path) -> None:
    write_day(parrot, DAY, 3)
    (done,) = run_nights(dated(parrot, budget_minutes=1e-9), [DAY])
    assert done.outcome is not None
    verdict = done.outcome.document["verdict"]
    assert (verdict["status"], done.exit_code) == ("could not run", 2)
    assert "was used up before any of 3 traces was replayed" in verdict["sentence"]


def test_time_and_money_close_a_budget_and_parts_of_it_end_before() -> None:
    clock = Clock()
    budget = Budget(minutes=10, usd=10, clock=clock, now=lambda: NOW)
    with budget.part(0.5):
        clock.now += 299
        assert budget.closed() == ""
        clock.now += 1
        assert budget.closed() == "time"
        with budget.part(0.5):
            assert budget.closed() == "time"
    assert (budget.closed(), budget.over) == ("", "")
    clock.now += 300
    assert (budget.closed(), budget.over) == ("time", "time")
    assert Budget().closed() == ""
    assert not Budget().limited


def test_what_is_under_way_is_taken_to_cost_as_much_as_what_is_done() -> None:
    budget = Budget(usd=10, clock=Clock(), now=lambda: NOW)
    for _ in range(4):
        budget.began()
    budget.spend(result(call(cost=2.0)))
    assert budget.closed() == ""  # 2 and three of 2 each
    budget.began()
    assert budget.closed() == "money"


def test_the_parts_leave_room_for_the_unchanged_agent_and_for_what_differs() -> None:
    for aa, repeats in ((0.0, 1), (0.1, 1), (1.0, 1), (0.5, 3)):
        main, free = main_part(aa, repeats), free_part(aa, repeats)
        assert main + free * (1 - main) == pytest.approx(0.8)
        assert main * (repeats - 1 + aa * repeats) == pytest.approx(free * (1 - main))


def test_money_is_counted_once_however_often_a_day_is_started(tmp_path: Path) -> None:
    ledger = tmp_path / "runs" / ".spent.json"
    one = Budget(usd=5, ledger=ledger, now=lambda: NOW)
    one.spend(result(call(cost=4.0)))
    one.keep()
    again = Budget(usd=5, ledger=ledger, now=lambda: NOW)
    again.spend(result(call(cost=0.5)))
    again.keep()
    assert Budget(usd=4.5, ledger=ledger, now=lambda: NOW).closed() == "money"
    assert Budget(usd=4.6, ledger=ledger, now=lambda: NOW).closed() == ""
    tomorrow = datetime(2026, 3, 4, 2, tzinfo=UTC)
    assert Budget(usd=1, ledger=ledger, now=lambda: tomorrow).closed() == ""
    ledger.write_text("{")
    assert Budget(usd=1, ledger=ledger, now=lambda: NOW).closed() == ""


PRICES = {"gpt-4.1": (2.0, 8.0), "gpt-4.1-mini": (0.4, 1.6)}


@pytest.mark.parametrize(
    ("made", "models", "cost", "unpriced"),
    [
        (call(cost=0.25), ("live",), 0.25, 0),
        (call(input_tokens=1_000_000, output_tokens=500_000), ("live",), 1.2, 0),
        (call("openai/gpt-4.1", input_tokens=1_000_000), (), 2.0, 0),
        (call("other", input_tokens=5), ("live",), 0.0, 1),
        (call(cost=0.25), ("exact",), 0.0, 0),
        (call(cost=0.25), ("exact", "live"), 0.125, 0),
    ],
)
def test_what_a_replay_costs(
    made: LLMCall, models: tuple[Any, ...], cost: float, unpriced: int
) -> None:
    found, unknown = cost_of(result(made, models=models), PRICES)
    assert found == pytest.approx(cost)
    assert unknown == unpriced


def request_of(tmp_path: Path, **more: Any) -> RunRequest:
    return RunRequest(agent="v2", traces=tmp_path, runs=tmp_path, plan=FaultPlan(), **more)


def test_weights_of_a_part_stand_for_the_whole_and_those_that_must_be_in_for_themselves(
    tmp_path: Path,
) -> None:
    weights = {"old": 1.0, **{f"t{n}": 4.0 for n in range(10)}}
    request = request_of(tmp_path, weights=weights, first=frozenset({"old"}))
    done = {"old": "", **{f"t{n}": "" for n in range(4)}}
    left = frozenset(f"t{n}" for n in range(4, 10))
    scaled = partial.weights_of(request, Selection(digests=done, policies={}, left=left))
    assert scaled["old"] == 1.0
    assert sum(scaled[i] for i in done) == pytest.approx(sum(weights.values()))
    whole = Selection(digests=dict.fromkeys(weights, ""), policies={})
    assert partial.weights_of(request, whole) == weights


@pytest.mark.parametrize(("replayed", "verdict"), [(20, "inconclusive"), (95, "pass")])
def test_a_pass_is_one_only_where_the_draw_rules_out_more_than_the_margin(
    tmp_path: Path, replayed: int, verdict: str
) -> None:
    ids = [f"t{n}" for n in range(100)]
    pairs = [SimpleNamespace(trace_id=i, verdict="same", session_id=None) for i in ids[:replayed]]
    diff = DatasetDiff(verdict="pass", reason="", pairs=tuple(pairs))  # type: ignore[arg-type]
    selection = Selection(
        digests=dict.fromkeys(ids[:replayed], ""),
        policies={},
        left=frozenset(ids[replayed:]),
        cut="time",
    )
    request = request_of(tmp_path, budget=Budget(minutes=30))
    assert partial.judged(diff, request, selection, CompareSettings()).verdict == verdict
    # What was seen to be worse is worse, and nothing to compare is no pass.
    worse = replace(diff, verdict="regressed", reason="x")
    assert partial.judged(worse, request, selection, CompareSettings()) is worse
    section = partial.section(diff, request, selection)
    assert section is not None
    assert section["share"] == most_hits(0, replayed, 100) / 100


def test_of_conversations_that_were_drawn_whole_their_number_counts_and_not_that_of_turns(
    tmp_path: Path,
) -> None:
    """30 conversations of 20 turns, half of them replayed: any other may be worse as a whole."""
    of = {f"{c}-{n}": f"c{c}" for c in range(30) for n in range(20)}
    done = {i: c for i, c in of.items() if int(c[1:]) < 15}
    selection = Selection(
        digests=dict.fromkeys(done, ""), policies={}, left=frozenset(of.keys() - done.keys())
    )
    request = request_of(tmp_path, budget=Budget(minutes=30))
    assert partial.largest_share(done, request, selection) == most_hits(0, 300, 600) / 600
    selection.whole = True
    assert partial.largest_share(done, request, selection) == most_hits(0, 15, 30) / 30


def test_the_largest_number_that_a_draw_allows_is_exact() -> None:
    from math import comb

    def chance(hits: int, of: int, bad: int, whole: int) -> float:
        ways = sum(comb(bad, k) * comb(whole - bad, of - k) for k in range(hits + 1))
        return ways / comb(whole, of)

    for hits, of, whole in ((0, 90, 100), (0, 30, 50), (2, 20, 40), (0, 0, 7), (3, 9, 9)):
        fitting = [
            bad
            for bad in range(hits, whole - (of - hits) + 1)
            if chance(hits, of, bad, whole) > 0.05
        ]
        assert most_hits(hits, of, whole) == max(fitting)
    with pytest.raises(ValueError, match="no count"):
        most_hits(2, 1, 10)


def test_the_part_that_is_replayed_is_a_fair_one_and_past_regressions_come_first(
    tmp_path: Path,
) -> None:
    ids = [f"{n:04}" for n in range(1_000)]
    store = Store(store_of(tmp_path / "s", [make_trace(trace_id="x")]))
    order = _Queue(store, ids, {"0900", "0001"}, Budget(minutes=1))._order
    assert set(order[:2]) == {"0900", "0001"}
    # 1,000 draws of 200: the mean place of a fair part is within 5 deviations of the middle.
    mean = sum(int(i) for i in order[2:202]) / 200
    assert abs(mean - 499.5) < 5 * 289 / 200**0.5
    assert order == _Queue(store, ids[::-1], {"0001", "0900"}, Budget(minutes=1))._order


def test_conversations_are_replayed_whole_or_not_at_all(tmp_path: Path) -> None:
    traces = [
        replace(make_trace(trace_id=f"{c}-{n}"), session_id=f"s{c}", started_at=NOW)
        for c in range(12)
        for n in range(3)
    ]
    store = Store(store_of(tmp_path / "s", traces))
    budget = Budget(usd=1, now=lambda: NOW)
    ids = [t.trace_id for t in traces]
    queue = _Queue(store, ids, (), budget)
    taken = []
    for trace in queue.traces(True):
        taken.append(trace.trace_id)
        if len(taken) == 7:  # in the middle of a conversation
            budget.spend(result(call(cost=2.0)))
    assert (len(taken), queue.cut) == (9, "money")
    assert queue.left == set(ids) - set(taken)
    assert len({i.partition("-")[0] for i in taken}) == 3
