"""Waiting costs milliseconds, in every way in which Python code waits; order and time-outs stay."""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from replay import clock as clocks
from replay.clock.virtual import _monotonic as real_time
from replay.errors import StopReplay
from replay.intercept import scope

MOMENT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
#: What a minute of waiting may cost: the machine that runs this may be busy.
CHEAP = 20.0


@pytest.fixture(scope="module", autouse=True)
def patched() -> Iterator[None]:
    """The patches of a worker, for these tests only."""
    from asyncio import base_events

    places: list[tuple[Any, str]] = [
        (time, "sleep"), (time, "monotonic"), (time, "monotonic_ns"), (time, "perf_counter"),
        (time, "perf_counter_ns"), (threading, "_time"), (queue, "time"),
        (threading.Condition, "wait"), (base_events.BaseEventLoop, "time"),
        (base_events.BaseEventLoop, "_run_once"), (threading.Thread, "start"),
        (concurrent.futures.ThreadPoolExecutor, "submit"), (__import__("uuid"), "uuid4"),
        (asyncio.Runner, "run"),
    ]  # fmt: skip
    kept = [(owner, name, getattr(owner, name)) for owner, name in places]
    scope.follow_threads()
    clocks.install()
    yield
    for owner, name, value in kept:
        setattr(owner, name, value)
    clocks.patches._installed = False


@pytest.fixture
def here() -> Iterator[Any]:
    """A replay whose time is virtual; ``here.clock.skipped`` are its virtual seconds."""
    timed: Any = SimpleNamespace(clock=None, chance=None)
    token = scope.CURRENT.set(timed)
    began = real_time()
    with clocks.recorded_time(timed, virtual=True, moment=MOMENT, seed="0:t"):
        yield timed
    scope.CURRENT.reset(token)
    assert real_time() - began < CHEAP


def test_a_sleep_costs_nothing_and_every_clock_went_on(here: Any) -> None:
    before = time.monotonic(), time.perf_counter(), time.time(), datetime.now(UTC)
    time.sleep(60)
    assert time.monotonic() - before[0] == pytest.approx(60, abs=1)
    assert time.perf_counter() - before[1] == pytest.approx(60, abs=1)
    assert time.time() - before[2] == pytest.approx(60, abs=1)
    assert (datetime.now(UTC) - before[3]).total_seconds() == pytest.approx(60, abs=1)
    assert here.clock.skipped == pytest.approx(60, abs=1)


def test_the_day_is_the_recorded_one(here: Any) -> None:
    assert abs((datetime.now(UTC) - MOMENT).total_seconds()) < CHEAP
    assert time.gmtime()[:3] == (2026, 3, 2)


def test_identifiers_are_the_same_in_every_replay_of_a_case(here: Any) -> None:
    import uuid

    first = [uuid.uuid4() for _ in range(3)]
    other: Any = SimpleNamespace(clock=None, chance=clocks.Chance("0:t"))
    token = scope.CURRENT.set(other)
    assert [uuid.uuid4() for _ in range(3)] == first
    assert len(set(first)) == 3
    assert {u.version for u in first} == {4}
    scope.CURRENT.reset(token)


def test_sleeping_tasks_wake_in_the_order_of_their_times(here: Any) -> None:
    woken: list[int] = []

    async def sleeper(seconds: int) -> None:
        await asyncio.sleep(seconds)
        woken.append(seconds)

    async def main() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.gather(*(sleeper(s) for s in (30, 10, 60, 20)))
        return loop.time() - began

    assert asyncio.run(main()) == pytest.approx(60, abs=1)
    assert woken == [10, 20, 30, 60]


def test_an_async_time_out_strikes_what_is_slower_and_nothing_else(here: Any) -> None:
    async def main() -> list[str]:
        async def within(seconds: float) -> str:
            try:
                async with asyncio.timeout(5):
                    await asyncio.sleep(seconds)
            except TimeoutError:
                return "timeout"
            return "done"

        return list(await asyncio.gather(within(4), within(6), within(4.9)))

    assert asyncio.run(main()) == ["done", "timeout", "done"]
    assert here.clock.skipped < 6


def test_threads_that_sleep_side_by_side_take_as_long_as_the_longest(here: Any) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(time.sleep, [1, 7, 3, 5, 7, 2, 6, 4]))
    assert here.clock.skipped == pytest.approx(7, abs=1)


def test_a_future_that_is_waited_for_times_out_in_virtual_time(here: Any) -> None:
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        slow, quick = pool.submit(time.sleep, 20), pool.submit(time.sleep, 2)
        assert quick.result(timeout=5) is None
        with pytest.raises(TimeoutError):
            slow.result(timeout=5)
        assert slow.result(timeout=30) is None
    assert here.clock.skipped == pytest.approx(20, abs=1)


def get_from_nothing(seconds: float) -> None:
    with pytest.raises(queue.Empty):
        queue.Queue().get(timeout=seconds)


def sleep_for_ever() -> None:
    while True:
        time.sleep(60)


WAITS: list[Callable[[float], object]] = [
    lambda s: threading.Event().wait(s),
    lambda s: threading.Semaphore(0).acquire(timeout=s),
    get_from_nothing,
]


@pytest.mark.parametrize("wait", WAITS, ids=["event", "semaphore", "queue"])
def test_a_wait_for_what_never_comes_ends_after_its_time(
    wait: Callable[[float], object], here: Any
) -> None:
    assert wait(45) is not True
    assert here.clock.skipped == pytest.approx(45, abs=1)


def test_a_notice_from_another_thread_comes_before_the_time_out(here: Any) -> None:
    ready = threading.Event()

    def later() -> None:
        time.sleep(3)
        ready.set()

    thread = threading.Thread(target=later)
    thread.start()
    assert ready.wait(30)
    thread.join()
    assert here.clock.skipped == pytest.approx(3, abs=1)


def test_a_thread_that_computes_is_waited_for(here: Any) -> None:
    done = []

    def compute() -> None:
        total = 0
        for number in range(3_000_000):
            total += number
        done.append(total)

    thread = threading.Thread(target=compute)
    thread.start()
    # A poll with a deadline: skipped at once, it would end before the work is done.
    deadline = time.monotonic() + 60
    while not done and time.monotonic() < deadline:
        time.sleep(0.05)
    thread.join()
    assert done


def test_work_in_an_executor_is_waited_for(here: Any) -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(None, sum, range(3_000_000))
        return await asyncio.wait_for(work, timeout=60)

    assert asyncio.run(main()) == sum(range(3_000_000))


def test_a_real_connection_keeps_real_time(here: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        time.sleep(0.05)
        assert here.clock.skipped == 0
        client.close()
    time.sleep(50)
    assert here.clock.skipped == pytest.approx(50, abs=1)


def test_an_answer_over_a_real_socket_comes_before_an_async_time_out(here: Any) -> None:
    async def main() -> bytes:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.05)
            writer.write(b"answer\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            return await asyncio.wait_for(reader.readline(), timeout=30)
        finally:
            writer.close()
            server.close()

    assert asyncio.run(main()) == b"answer\n"


def test_a_program_keeps_real_time(here: Any) -> None:
    subprocess.run([sys.executable, "-S", "-c", ""], check=True, timeout=60)
    began = real_time()
    time.sleep(0.05)
    assert real_time() - began >= 0.05
    assert here.clock.skipped == 0


def test_who_waits_for_ever_is_stopped(here: Any) -> None:
    here.clock._limit = 600
    with pytest.raises(StopReplay, match="more than 600 seconds of virtual time"):
        sleep_for_ever()


def test_code_outside_of_a_replay_waits_in_earnest() -> None:
    began = real_time()
    time.sleep(0.02)
    asyncio.run(asyncio.sleep(0.02))
    assert real_time() - began >= 0.04


def test_a_thread_that_outlives_its_replay_waits_in_earnest(here: Any) -> None:
    here.clock.close()
    began = real_time()
    time.sleep(0.02)
    assert real_time() - began >= 0.02
    assert here.clock.skipped == 0


def test_a_negative_sleep_is_an_error_as_it_is_without_us(here: Any) -> None:
    with pytest.raises(ValueError, match="non-negative"):
        time.sleep(-1)
