"""The law of the store: what was written comes back, exactly."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anonymize.store import Store
from anonymize.store.values import json_text, json_value
from anonymize.trace import LLMCall, Message, Trace, Usage
from tests.store.builders import DAY, contents, exact, make_trace, traces, write


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(traces, max_size=3, unique_by=lambda t: t.trace_id))
def test_every_trace_comes_back_exactly(written: list[Trace]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "store"
        assert write(root, written).added == len(written)
        assert contents(root) == exact(written)
        store = Store(root)
        for trace in written:
            assert repr(store.trace(trace.trace_id)) == repr(trace)
        # The same again, and again in one batch: nothing is added.
        assert write(root, [*written, *written]).unchanged == 2 * len(written)
        assert contents(root) == exact(written)


@pytest.mark.parametrize(
    "value",
    [
        *[2**64, -(2**63) - 1, 10**400, float("nan"), float("-inf"), [None, float("inf")], -0.0],
        *["", " leading", "null", "\x00", "😀", {"": {"": []}}, [[]], True, 1, 1.0, "1", 5e-324],
    ],
)
def test_json_values_keep_their_type_and_every_digit(value: object) -> None:
    text = json_text(value)
    assert text is not None
    assert repr(json_value(text)) == repr(value)


def test_a_deeply_nested_value_comes_back(tmp_path: Path) -> None:
    value: object = 2**80
    for _ in range(400):
        value = [value]
    write(tmp_path / "s", [make_trace(input=value)])
    assert repr(Store(tmp_path / "s").trace("t1")) == repr(make_trace(input=value))


def test_a_time_in_another_zone_is_the_same_instant_and_files_under_its_utc_day(
    tmp_path: Path,
) -> None:
    late = datetime(2026, 3, 1, 23, 30, 0, 123456, timezone(timedelta(hours=-5)))
    write(tmp_path / "s", [make_trace(started_at=late)])
    store = Store(tmp_path / "s")
    (found,) = store.traces(dates=(datetime(2026, 3, 2).date(),) * 2)
    assert found.started_at == late
    assert found.started_at.tzinfo is UTC


def test_usage_without_numbers_is_not_no_usage(tmp_path: Path) -> None:
    steps = (LLMCall(step_id="a", usage=Usage()), LLMCall(step_id="b", usage=None))
    write(tmp_path / "s", [make_trace(steps=steps)])
    found = Store(tmp_path / "s").trace("t1")
    assert found is not None
    assert [s.usage for s in found.llm_calls] == [Usage(), None]


def test_each_message_is_stored_once_however_often_the_history_repeats_it(tmp_path: Path) -> None:
    trace = make_trace(turns=20)
    write(tmp_path / "s", [trace])
    store = Store(tmp_path / "s")
    assert sum(len(s.input) + len(s.output) for s in trace.llm_calls) == 440
    assert store.scan("messages").collect().height == 2 + 2 * 20 - 1
    assert store.scan("blobs").collect().height == 2
    found = store.trace("t1")
    assert found is not None
    first, last = found.llm_calls[0], found.llm_calls[-1]
    assert first.input[0] is last.input[0], "messages are shared in memory too"


def test_equal_messages_of_different_types_are_not_merged(tmp_path: Path) -> None:
    history = tuple(Message(role="user", content=[c]) for c in (1, 1.0, True, "1"))
    trace = make_trace(steps=(LLMCall(step_id="a", input=history),), started_at=DAY)
    write(tmp_path / "s", [trace])
    assert contents(tmp_path / "s") == exact([trace])
