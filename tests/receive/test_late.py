"""Spans that come late, to another process, or around midnight: each trace once, and whole."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast

import pytest
from filelock import FileLock

from anonymize.audit.receipt import is_state_of, read_receipts
from anonymize.errors import StoreError
from anonymize.keys import PseudonymKey
from anonymize.policy import ScrubPolicy
from anonymize.receive import Buffer, Keeping, journal
from anonymize.spans import Span
from anonymize.store import Store
from anonymize.workers import AnyScrubber
from tests.nights.zygote import StandInScrubber

MIDNIGHT = datetime(2026, 3, 29, tzinfo=UTC)  # of the day on which Europe's clocks go forward
TRACE = "ab" * 16


@pytest.fixture
def scrubber() -> StandInScrubber:
    return StandInScrubber(ScrubPolicy(), PseudonymKey(b"k" * 32))


def tool(number: int, *, second: float, parent: int | None = 0, trace: str = TRACE) -> Span:
    """A call of a tool that began so many seconds after midnight; number 0 is the root."""
    began = int((MIDNIGHT.timestamp() + second) * 1e9)
    return Span(
        trace_id=trace,
        span_id=f"{number + 1:016x}",
        parent_id=None if number == 0 or parent is None else f"{parent + 1:016x}",
        name=f"execute_tool t{number}",
        start_ns=began,
        end_ns=began + 10**9,
        attributes={
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": f"t{number}",
            "gen_ai.tool.call.result": '"done"',
        },
    )


def receiver(store: Path, scrubber: StandInScrubber) -> tuple[Buffer, Keeping]:
    buffer = Buffer(clock=lambda: 0.0)
    return buffer, Keeping(buffer, store, cast(AnyScrubber, scrubber))


def days(store: Path) -> list[date]:
    frame = Store(store).scan("traces").select("date").collect()
    return [day for (day,) in frame.iter_rows()]


def names(store: Path) -> list[str]:
    (trace,) = Store(store).traces()
    return sorted(call.name for call in trace.tool_calls)


def test_a_root_that_comes_after_midnight_moves_its_trace_to_the_day_before(
    tmp_path: Path, scrubber: StandInScrubber
) -> None:
    buffer, keeping = receiver(tmp_path, scrubber)
    buffer.put([tool(1, second=5)])
    keeping.flush(everything=True)
    assert days(tmp_path) == [date(2026, 3, 29)]
    buffer.put([tool(0, second=-2)])
    keeping.flush(everything=True)
    assert days(tmp_path) == [date(2026, 3, 28)]
    assert names(tmp_path) == ["t0", "t1"]
    assert keeping.counts.added == keeping.counts.replaced == 1


def test_the_second_half_never_takes_the_place_of_the_first_however_long_it_is(
    tmp_path: Path, scrubber: StandInScrubber
) -> None:
    """A restart in the middle of a trace: the new process has never seen what was written."""
    buffer, keeping = receiver(tmp_path, scrubber)
    buffer.put([tool(n, second=n) for n in range(2)])
    keeping.flush(everything=True)
    buffer, keeping = receiver(tmp_path, scrubber)
    buffer.put([tool(n, second=n) for n in range(2, 7)])
    keeping.flush(everything=True)
    assert names(tmp_path) == ["t0", "t1"]
    (skip,) = Store(tmp_path).skipped()
    assert (skip.reason, skip.trace_id) == (
        "spans came long after their trace was written",
        TRACE,
    )
    assert buffer.waiting.spans == 0


def test_what_comes_after_the_rest_of_a_trace_does_not_take_its_place_either(
    tmp_path: Path, scrubber: StandInScrubber
) -> None:
    """The new process was handed spans of the trace before: they are not all of it for that."""
    buffer, keeping = receiver(tmp_path, scrubber)
    buffer.put([tool(n, second=n) for n in range(2)])
    keeping.flush(everything=True)
    buffer, keeping = receiver(tmp_path, scrubber)
    for number in range(2, 5):
        buffer.put([tool(number, second=number)])
        keeping.flush(everything=True)
        assert names(tmp_path) == ["t0", "t1"]
    buffer.put([tool(n, second=n) for n in range(2)])  # its sender tries again
    keeping.flush(everything=True)
    assert names(tmp_path) == ["t0", "t1", "t2", "t3", "t4"]
    assert not list(Store(tmp_path).skipped())


def test_a_store_that_can_t_be_looked_into_is_no_empty_store(
    tmp_path: Path, scrubber: StandInScrubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer, keeping = receiver(tmp_path, scrubber)
    buffer.put([tool(n, second=n) for n in range(2)])
    keeping.flush(everything=True)
    buffer, keeping = receiver(tmp_path, scrubber)
    buffer.put([tool(2, second=2)])

    with monkeypatch.context() as once:

        def down(*_: object, **__: object) -> None:
            once.undo()
            raise StoreError("it can't be reached", where="x")

        once.setattr(Store, "ids", down)
        once.setattr(Store, "scan", down)
        with pytest.raises(StoreError):
            keeping.flush(everything=True)
    keeping.flush(everything=True)
    assert names(tmp_path) == ["t0", "t1"]


def test_a_trace_id_that_is_no_text_does_not_stop_the_others(
    tmp_path: Path, scrubber: StandInScrubber
) -> None:
    """It did, for ever: no store could be asked for it."""
    buffer, keeping = receiver(tmp_path, scrubber)
    buffer.put([tool(0, second=0)])
    keeping.flush(everything=True)
    buffer.put([tool(0, second=0, trace="\ud800")])
    buffer.put([tool(0, second=0, trace="cd" * 16)])
    keeping.flush(everything=True)
    assert {TRACE, "cd" * 16} <= set(Store(tmp_path).ids())
    assert buffer.waiting.spans == keeping.waiting == 0


def test_spans_of_one_id_or_of_none_are_all_kept_and_what_came_twice_once() -> None:
    buffer = Buffer(clock=lambda: 0.0)
    client, server = tool(1, second=1), replace(tool(1, second=2), name="server")
    nameless = [replace(tool(0, second=n), span_id="", name=f"n{n}") for n in range(3)]
    began = replace(tool(0, second=0), end_ns=None)
    for _ in range(2):
        buffer.put([client, server, *nameless, tool(0, second=0), began])
    (ready,) = buffer.take(quiet_for=0)
    assert len(ready.spans) == 6
    assert began not in ready.spans  # what was sent last says less


def test_all_of_a_trace_sent_again_after_a_restart_takes_its_place(
    tmp_path: Path, scrubber: StandInScrubber
) -> None:
    buffer, keeping = receiver(tmp_path, scrubber)
    buffer.put([tool(n, second=n) for n in range(2)])
    keeping.flush(everything=True)
    buffer, keeping = receiver(tmp_path, scrubber)
    buffer.put([tool(n, second=n) for n in range(3)])
    keeping.flush(everything=True)
    assert names(tmp_path) == ["t0", "t1", "t2"]
    assert not list(Store(tmp_path).skipped())


def test_two_receivers_of_one_store_keep_every_trace_once(
    tmp_path: Path, scrubber: StandInScrubber
) -> None:
    """Both get spans of each trace at the same moment; neither overwrites the other's."""
    pairs = [receiver(tmp_path, scrubber) for _ in range(2)]
    for number in range(20):
        trace = f"{number + 1:032x}"
        pairs[0][0].put([tool(n, second=n, trace=trace) for n in (0, 1)])
        pairs[1][0].put([tool(n, second=n, trace=trace) for n in (2, 3)])
    threads = [threading.Thread(target=keeping.flush, args=()) for _, keeping in pairs]
    for _, keeping in pairs:
        keeping._quiet_for = 0.0
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    sums = pairs[0][1].counts, pairs[1][1].counts
    assert sum(c.added for c in sums) == 20
    assert sum(c.replaced for c in sums) == 0
    assert sum(c.skipped for c in sums) == 20
    assert Store(tmp_path).summary().traces == 20
    assert all(buffer.waiting.spans == 0 for buffer, _ in pairs)


def test_a_receiver_that_is_busy_for_long_is_named_and_nothing_is_lost(
    tmp_path: Path, scrubber: StandInScrubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_PATIENCE", 0.05)
    buffer, keeping = receiver(tmp_path, scrubber)
    buffer.put([tool(0, second=0)])
    (tmp_path / "_receiving").mkdir()
    with FileLock(tmp_path / "_receiving" / "_writing"):
        with pytest.raises(StoreError, match="another receiver"):
            keeping.flush(everything=True)
        assert buffer.waiting.spans == 1
    keeping.flush(everything=True)
    assert names(tmp_path) == ["t0"]


@pytest.fixture
def clocked() -> tuple[list[float], Buffer]:
    now = [0.0]
    return now, Buffer(clock=lambda: now[0])


def test_a_trace_of_which_nothing_is_missing_is_done_sooner(
    clocked: tuple[list[float], Buffer],
) -> None:
    now, buffer = clocked
    buffer.put([tool(2, second=2, parent=1), tool(1, second=1)])
    now[0] = 7.0
    assert not buffer.take(quiet_for=30, whole_for=6)  # its root is still to come
    buffer.put([tool(0, second=0)])
    now[0] = 12.0
    assert not buffer.take(quiet_for=30, whole_for=6)  # some may still be on their way
    now[0] = 13.0
    (ready,) = buffer.take(quiet_for=30, whole_for=6)
    assert len(ready.spans) == 3


@pytest.mark.parametrize("odd", ["open", "parent"])
def test_a_trace_of_which_something_is_missing_is_waited_for(
    clocked: tuple[list[float], Buffer], odd: str
) -> None:
    now, buffer = clocked
    child = tool(1, second=1, parent=7 if odd == "parent" else 0)
    if odd == "open":
        child.end_ns = None
    buffer.put([tool(0, second=0), child])
    now[0] = 29.0
    assert not buffer.take(quiet_for=30, whole_for=6)
    now[0] = 30.0
    assert len(buffer.take(quiet_for=30, whole_for=6)) == 1


def test_a_receiver_leaves_one_receipt_a_day_that_says_what_all_of_them_would(
    tmp_path: Path, scrubber: StandInScrubber
) -> None:
    buffer, keeping = receiver(tmp_path, scrubber)
    for number in range(5):
        buffer.put([tool(0, second=number, trace=f"{number + 1:032x}")])
        keeping.flush(everything=True)
        found = read_receipts(tmp_path)
        assert is_state_of(tmp_path, found[-1][1])
    by_day = {path.name[:8]: content for path, content in found}
    assert len(by_day) == len(found)  # two, if this runs at midnight
    assert sum(content["written"] for content in by_day.values()) == 5
    _, other = receiver(tmp_path, scrubber)  # another process does not know of it
    other._buffer.put([tool(0, second=9, trace="9" * 32)])
    other.flush(everything=True)
    assert len(read_receipts(tmp_path)) == len(found) + 1
