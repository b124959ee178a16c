"""Replay and compare sessions of five tool calls, from disk to disk; agenttrace-vcr beside it.

    python -m benchmarks.bench_sessions [--sessions 4000] [--agenttrace PYTHON]

Both replay the same sessions with an agent that does what it did: five calls, answers of about
200 bytes. Ours reads the Parquet store, replays in two worker processes, seals, writes a store,
compares and writes the reports, as ``replay run`` does. agenttrace-vcr reads its JSON recordings
as its ``run-suite`` does, replays, compares and writes runs and reports as JSON lines, in one
process (it has no other way) and, for comparison, in two with half of the sessions each.

It wants Python 3.12 by its metadata and works with 3.11: ``pip install --ignore-requires-python
agenttrace-vcr`` into a virtual environment, and name that one's Python with ``--agenttrace`` or
AGENTTRACE_PYTHON. Without it only our side is measured, and that is said.

Start-up (imports, starting workers, loading the agent) is told apart: the rate is that of the
sessions beyond the first hundred. ``cpu`` is processor time of all processes for one session,
which other work on the machine changes less than it changes the rate.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from anonymize.scrubbed import _seal
from anonymize.store import Store, StoreWriter
from anonymize.trace import ToolCall, Trace
from benchmarks.scratch import scratch
from replay.channel import encode
from replay.collecting import seldom_collected
from replay.compare import compare_datasets
from replay.config import ReplayConfig
from replay.faults import FaultPlan
from replay.jobs import Job
from replay.keeper import make_scrubber
from replay.run_request import Progress, RunRequest
from replay.runs import execute

SIDE = Path(__file__).with_name("agenttrace_side.py")
START = datetime(2026, 3, 1, tzinfo=UTC)
FEW = 100
AGENT = """
def agent(case, env):
    number = case.input.rpartition(" ")[2]
    return [
        env.tools.call("get_order", order_id=f"{number}-{n}", verbose=False)["state"]
        for n in range(5)
    ]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """Seconds of the clock, and of all processors together, for so many sessions."""

    sessions: int
    wall: float
    cpu: float

    def __sub__(self, other: Took) -> Took:
        return Took(
            sessions=self.sessions - other.sessions,
            wall=self.wall - other.wall,
            cpu=self.cpu - other.cpu,
        )

    @property
    def rate(self) -> float:
        """Sessions a second."""
        return self.sessions / self.wall

    def __str__(self) -> str:
        each = self.cpu / self.sessions * 1e6
        return f"{self.rate:8,.0f} sessions/s   cpu {each:6,.0f} us a session"


def timed(sessions: int, do: Callable[[], object]) -> Took:
    """What ``do`` takes, with the processes that it starts and ends."""
    wall, cpu = time.perf_counter(), _cpu()
    do()
    return Took(sessions=sessions, wall=time.perf_counter() - wall, cpu=_cpu() - cpu)


def _cpu() -> float:
    found = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in found)


def recorded(number: int) -> Trace:
    """One session of five calls."""
    moment = START + timedelta(seconds=number)
    items = [{"sku": f"S-{i}", "count": i} for i in range(5)]
    steps = tuple(
        ToolCall(
            step_id=f"s{n}",
            name="get_order",
            arguments={"order_id": f"{number}-{n}", "verbose": False},
            result={"state": "sent", "items": items, "order_id": f"{number}-{n}"},
            call_id=f"call_{number}_{n}",
            started_at=moment,
            duration_ms=3.0,
        )
        for n in range(5)
    )
    return Trace(
        trace_id=f"t{number:06}",
        agent="a",
        agent_version="v1",
        started_at=moment,
        input=f"where are the orders of {number}",
        output=["sent"] * 5,
        steps=steps,
    )


def ours(folder: Path, sessions: int, workers: int) -> tuple[Took, dict[str, float]]:
    """A whole ``replay run``, and the seconds of its stages."""
    folder.mkdir()
    (folder / "bench_agent.py").write_text(AGENT)
    config = ReplayConfig.from_tables({"agents": {"b": {"target": "bench_agent:agent"}}}, folder)
    scrubber = make_scrubber(config)
    policy = scrubber.policy_digest
    scrubber.close()
    traces = (_seal(recorded(n), policy, {}) for n in range(sessions))
    StoreWriter(folder / "store").write(traces, source="bench")
    request = RunRequest(
        agent="b",
        traces=folder / "store",
        runs=folder / "runs",
        plan=FaultPlan(),
        workers=workers,
    )
    marks: dict[str, float] = {}
    began = time.perf_counter()

    def mark(progress: Progress) -> None:
        stage = progress.stage if progress.done or progress.stage == "comparing" else "start-up"
        marks[stage] = time.perf_counter() - began

    documents: list[Any] = []
    took = timed(
        sessions,
        lambda: documents.append(execute(request, config, on_progress=mark).document),
    )
    counts = documents[0]["counts"]
    assert counts["same"] == counts["exact_calls"] / 5 == sessions, counts
    return took, {**marks, "end": took.wall}


def stages(folder: Path, sessions: int) -> None:
    """Where the time goes: single stages in this process, microseconds a session."""
    store = Store(folder / "store")
    traces: list[Trace] = []
    jobs: list[Job] = []
    made = Store(next((folder / "runs").glob("*/traces")))
    candidates = list(made.traces())
    rows: tuple[tuple[str, Callable[[], object]], ...] = (
        ("reading the store", lambda: traces.extend(store.traces())),
        ("making jobs of traces", lambda: jobs.extend(Job.of(t) for t in traces)),
        ("messages to workers", lambda: [encode(jobs[i : i + 16]) for i in range(0, sessions, 16)]),
        ("comparing", lambda: compare_datasets(traces, candidates)),
    )
    with seldom_collected():
        for name, do in rows:
            print(f"  {name:<34} {timed(sessions, do).cpu / sessions * 1e6:6,.0f} us")


def theirs(python: str, folder: Path, sessions: int, processes: int) -> Took:
    """agenttrace-vcr: the slowest of its processes counts, imports left out."""
    if not folder.exists():
        subprocess.run([python, SIDE, "record", folder, str(sessions)], check=True)
    before = _cpu()
    running = [
        subprocess.Popen(
            [python, SIDE, "replay", folder, str(first), str(processes)], stdout=subprocess.PIPE
        )
        for first in range(processes)
    ]
    said = [process.communicate()[0].split() for process in running]
    assert sum(int(passed) for _, passed in said) == sessions, said
    wall = max(float(seconds) for seconds, _ in said)
    return Took(sessions=sessions, wall=wall, cpu=_cpu() - before)


def with_agenttrace(named: str | None) -> str | None:
    """A Python that has agenttrace-vcr."""
    if named:
        return named
    return sys.executable if find_spec("agenttrace") else None


def alone(python: str | None, folder: Path, sessions: int) -> Took | None:
    """Print agenttrace-vcr's side; what it takes in one process, ``None`` without it."""
    if python is None:
        print("agenttrace-vcr is not installed here: only our side is measured")
        return None
    print("agenttrace-vcr, imports left out")
    took = {processes: theirs(python, folder, sessions, processes) for processes in (1, 2)}
    for processes, each in took.items():
        print(f"  {processes} processes {each}")
    return took[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=4_000)
    parser.add_argument("--agenttrace", default=os.environ.get("AGENTTRACE_PYTHON"))
    options = parser.parse_args()
    sessions = options.sessions
    with scratch() as name:
        folder = Path(name)
        other = alone(with_agenttrace(options.agenttrace), folder / "theirs", sessions)
        print("replay run")
        marks: dict[str, float] = {}
        for workers in (1, 2):
            few, _ = ours(folder / f"few{workers}", FEW, workers)
            many, marks = ours(folder / f"many{workers}", sessions, workers)
            rest = many - few
            print(f"  {workers} workers   {rest}   start-up {few.wall:.2f} s")
            print(f"              {many}   start-up included")
            if other is not None:
                least = other.cpu / other.sessions / (rest.cpu / rest.sessions)
                print(
                    f"              x{rest.rate / other.rate:.1f} of one process of "
                    f"agenttrace-vcr; x{least:.1f} of its sessions for a second of a processor"
                )
        before = 0.0
        for stage, at in marks.items():
            print(f"  until {stage:<34} {at - before:6.2f} s")
            before = at
        stages(folder / "many2", sessions)


if __name__ == "__main__":
    main()
