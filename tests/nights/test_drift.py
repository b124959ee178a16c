"""What people ask otherwise than before: subjects, languages, agents, shares."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from anonymize.trace import LLMCall, StepError
from replay.nights.drift import _subjects, drift_of
from tests.engine.store_support import store_of
from tests.engine.support import called, make_trace

DAY = date(2026, 3, 9)
WORDS = (
    "order refund address where parcel please return invoice change delivery late size"
).split()
NAMES = [f"Name{a}{b}" for a in "abcdefghij" for b in "klmnopqrst"]


def question(chance: random.Random, *more: str) -> str:
    return " ".join([*chance.sample(WORDS, 5), chance.choice(NAMES), *more])


def on(day: date, number: int, text: str, **more: Any) -> Any:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return replace(make_trace(trace_id=f"{day}-{number}", input=text), started_at=at, **more)


def week(chance: random.Random, each: int = 60) -> list[Any]:
    days = [DAY - timedelta(days=n) for n in range(1, 8)]
    return [on(day, n, question(chance)) for day in days for n in range(each)]


def test_the_same_traffic_is_no_drift_on_any_of_twenty_days(tmp_path: Path) -> None:
    for seed in range(20):
        chance = random.Random(seed)
        now = [question(chance) for _ in range(200)]
        assert list(_subjects(now, [question(chance) for _ in range(1_000)])) == []
    chance = random.Random(1)
    traces = [*week(chance), *(on(DAY, n, question(chance)) for n in range(60))]
    assert drift_of(store_of(tmp_path / "s", traces), DAY).notes == ()


def test_a_new_subject_is_found_with_all_its_words_and_names_of_people_are_none() -> None:
    chance = random.Random(0)
    then = [question(chance) for _ in range(1_000)]
    now = [question(chance) for _ in range(180)]
    now += [question(chance, "voucher", "expired") for _ in range(20)]
    (note,) = _subjects(now, then)
    assert note == "new subject: expired, voucher in 20 of 200 questions, 0 of 1,000 before"
    # The same from four questions in 200 may be one customer who asks again.
    assert not list(_subjects(now[:184], then))


@pytest.mark.parametrize(
    ("made", "note"),
    [
        ({"agent": "sales"}, "new agent: sales in 60 traces"),
        ({"agent_version": "v9"}, "new version: v9 in 60 traces"),
        ({"error": StepError(kind="Timeout", message="x")}, "new error: Timeout in 60 traces"),
        (
            {"steps": (LLMCall(step_id="1", model="other-model"),)},
            "new model: other-model in 60 traces",
        ),
        (
            {"steps": (called("get_order", raised=("Refused", "no")),)},
            "new error of tool: get_order in 60 traces",
        ),
        (
            {"input": "Wo ist meine Bestellung und wann wird sie geliefert, bitte?"},
            "new language: de in 60 traces",
        ),
    ],
)
def test_what_was_never_there_before_is_new(
    made: dict[str, Any], note: str, tmp_path: Path
) -> None:
    chance = random.Random(2)
    today = [replace(on(DAY, n, question(chance)), **made) for n in range(60)]
    notes = drift_of(store_of(tmp_path / "s", [*week(chance), *today]), DAY).notes
    assert note in notes


def test_shares_and_traffic_that_move_are_told_with_what_they_were(tmp_path: Path) -> None:
    chance = random.Random(3)

    def traced(day: date, number: int, every: int) -> Any:
        steps = (called("get_order"),) if number % every == 0 else (called("search"),)
        return replace(on(day, number, question(chance)), steps=steps)

    days = [DAY - timedelta(days=n) for n in range(1, 8)]
    before = [traced(day, n, 10) for day in days for n in range(60)]
    before += [replace(on(day, 900, "hello"), agent="b") for day in days]
    today = [traced(DAY, n, 2) for n in range(240)]
    notes = drift_of(store_of(tmp_path / "s", [*before, *today]), DAY).notes
    assert "tool get_order: in 50.0% of the traces, 9.8% in the week before" in notes
    assert "traces: 240, 61 a day in the week before" in notes
    assert "agent b: silent, though there on each day of the week before" in notes
