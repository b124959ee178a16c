"""What a replay costs: one tool call, one session, one and two workers.

    python -m benchmarks.bench_replay [--sessions 2000]

The machine matters; the ratios are what to look at. ``parent`` is what the process that reads
results spends on one, beside the workers: on two cores, two workers are faster than one by
2w/(w+p) at most, where a session takes a worker w and the parent p.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path

from anonymize.trace import ToolCall, Trace
from benchmarks.scratch import scratch
from replay.config import ReplayConfig
from replay.environment import ToolBox
from replay.recording import case_from, recorded_calls
from replay.runner import run
from replay.world import World, WorldRules

AGENT = """
import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

def works(case, env):
    end = time.thread_time() + 0.005
    while time.thread_time() < end:
        pass
    return five_calls(case, env)

def sleeps(case, env):
    for _ in range(6):
        time.sleep(10)

async def sleeps_async(case, env):
    async def one(seconds):
        await asyncio.sleep(seconds)
    await asyncio.gather(*(one(60 - n) for n in range(20)))

def sleeps_in_threads(case, env):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(time.sleep, [60 - n for n in range(8)]))

def five_calls(case, env):
    return [env.tools.call("get_order", order_id=str(n), verbose=False)["state"] for n in range(5)]
"""


def recorded(number_of_calls: int) -> Trace:
    """A trace of so many different calls, with answers of about 200 bytes."""
    answer = {"state": "sent", "items": [{"sku": f"S-{i}", "count": i} for i in range(5)]}
    steps = tuple(
        ToolCall(
            step_id=f"s{n}",
            name="get_order",
            arguments={"order_id": str(n), "verbose": False},
            result=answer | {"order_id": str(n)},
        )
        for n in range(number_of_calls)
    )
    return Trace(trace_id="bench", agent="a", input="where are my orders?", steps=steps)


def per_call(number: int = 2_000) -> float:
    """Microseconds to answer one recorded call, the making of the world left out."""
    trace = recorded(number)
    world = World(case_from(trace), recorded_calls(trace), WorldRules(max_tool_calls=number))
    tools = ToolBox(world)
    started = time.thread_time()
    for n in range(number):
        tools.call("get_order", order_id=str(n), verbose=False)
    return (time.thread_time() - started) / number * 1e6


def per_world() -> float:
    """Microseconds to make the world of a five-call trace."""
    trace = recorded(5)
    started = time.thread_time()
    for _ in range(500):
        World(case_from(trace), recorded_calls(trace), WorldRules())
    return (time.thread_time() - started) / 500 * 1e6


def sessions_per_second(
    folder: Path, agent: str, workers: int, sessions: int
) -> tuple[float, float, float]:
    """Five-call sessions replayed a second, start-up left out; microseconds of a processor that
    one takes a worker, and this process.
    """
    config = ReplayConfig.from_tables({"agents": {"b": {"target": f"bench_agent:{agent}"}}}, folder)
    trace = recorded(5)
    traces = (dataclasses.replace(trace, trace_id=f"t{n}") for n in range(sessions + 100))
    results = run(traces, "b", config, workers=workers)
    for _ in range(100):
        assert next(results).fidelity == 1.0
    started, before = time.perf_counter(), time.process_time()
    inside = [result.wall_ms for result in results]
    seconds, parent = time.perf_counter() - started, time.process_time() - before
    done = len(inside)
    # The middle one: a worker that was interrupted took longer by the clock, not by itself.
    return done / seconds, sorted(inside)[done // 2] * 1000, parent / done * 1e6


def minute_of_waiting(folder: Path, agent: str) -> tuple[float, float]:
    """Milliseconds that a trace takes whose agent waits for a minute; its virtual seconds.

    The best of ten: the first one also imports what the agent imports.
    """
    config = ReplayConfig.from_tables({"agents": {"b": {"target": f"bench_agent:{agent}"}}}, folder)
    traces = (dataclasses.replace(recorded(1), trace_id=f"t{n}") for n in range(10))
    results = list(run(traces, "b", config, workers=1))
    assert {result.status for result in results} == {"ok"}
    best = min(results, key=lambda result: result.wall_ms)
    return best.wall_ms, best.virtual_ms / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=2_000)
    sessions = parser.parse_args().sessions
    # Of the processor, and the best of five: what else goes on here can only make it slower.
    print(f"recorded tool call           {min(per_call() for _ in range(5)):8.1f} us")
    print(f"world of 5 calls             {min(per_world() for _ in range(5)):8.1f} us")
    with scratch() as name:
        folder = Path(name)
        (folder / "bench_agent.py").write_text(AGENT)
        for agent in ("sleeps", "sleeps_async", "sleeps_in_threads"):
            wall, virtual = minute_of_waiting(folder, agent)
            print(f"{agent:<20} {virtual:.0f} virtual seconds in {wall:.1f} ms")
        for agent, number in (("five_calls", sessions), ("works", sessions // 4)):
            one, worker, parent = sessions_per_second(folder, agent, 1, number)
            two = sessions_per_second(folder, agent, 2, number)[0]
            said = "5 calls" if agent == "five_calls" else "5 calls and 5 ms of work"
            print(f"{said}: {one:.0f} sessions/s with 1 worker, {two:.0f} with 2: x{two / one:.2f}")
            most = 2 * worker / (worker + parent)
            print(f"  worker {worker:.0f} us, parent {parent:.0f} us: two cores allow x{most:.2f}")


if __name__ == "__main__":
    main()
