"""Clocks that differ: the server's, ours of yesterday, and times that are cut to milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from anonymize.pull import SETTLE, window_of
from anonymize.sources.remote import Window
from anonymize.sources.remote.patience import _asked_for
from anonymize.sources.remote.state import SourceState, read_state, write_state

NOW = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # the night in which Europe's clocks go back
DAY = timedelta(days=1)


def busy(**headers: str) -> Exception:
    error = Exception()
    error.headers = headers  # type: ignore[attr-defined]
    return error


def test_a_moment_to_come_again_is_by_the_server_s_clock() -> None:
    theirs = datetime(2020, 1, 1, tzinfo=UTC)
    later = format_datetime(theirs + timedelta(seconds=30))
    said = {"Retry-After": later, "Date": format_datetime(theirs)}
    assert _asked_for(busy(**said), 1.0) == 30


@pytest.mark.parametrize("said", ["0", "-5", "Wed, 01 Jan 2020 00:00:00 GMT"])
def test_a_moment_that_is_over_is_no_reason_to_hurry(said: str) -> None:
    assert _asked_for(busy(**{"retry-after": said}), 2.0) == 2.0


def test_a_state_of_a_clock_that_was_ahead_is_not_believed(tmp_path: Path) -> None:
    """It said that it was next week; nothing of that week is skipped when it comes."""
    state = SourceState().with_done(Window(since=NOW - 9 * DAY, until=NOW + 7 * DAY))
    write_state(tmp_path, "s", state)
    window = window_of(tmp_path, "s", now=NOW)
    assert window.since <= NOW - 2 * DAY
    assert window.until == NOW - SETTLE
    believed = read_state(tmp_path, "s").believed(NOW)
    assert not believed.covers(Window(since=NOW - DAY, until=NOW))
    assert believed.covers(Window(since=NOW - 9 * DAY, until=NOW - 3 * DAY))


def test_a_state_of_the_past_is_believed_as_it_is() -> None:
    state = SourceState().with_done(Window(since=NOW - DAY, until=NOW))
    assert state.believed(NOW) is state
    assert SourceState().believed(NOW) == SourceState()
    alone = SourceState().with_done(Window(since=NOW + DAY, until=NOW + 2 * DAY))
    assert alone.believed(NOW).done == ()


def test_windows_of_mlflow_leave_no_gap_between_milliseconds() -> None:
    """Its times are cut to milliseconds; windows are not."""
    mlflow = pytest.importorskip("anonymize.sources.remote.mlflow")
    asked: list[str] = []

    class Found(list[Any]):
        token = None

    def search(**given: Any) -> Found:
        asked.append(given["filter_string"])
        return Found()

    source = object.__new__(mlflow.MLflow)
    source._client, source._where = SimpleNamespace(search_traces=search), "x"
    source._experiment = "0"
    edge = datetime(2026, 3, 1, 0, 0, 0, 123_456, tzinfo=UTC)
    for window in (Window(since=edge - DAY, until=edge), Window(since=edge, until=edge + DAY)):
        list(source._search(window, spans=False, page=10))
    cut = int(edge.timestamp()) * 1000 + 123  # of a trace that began at .123_300
    assert f"< {cut + 1}" in asked[0]
    assert f">= {cut}" in asked[1]
