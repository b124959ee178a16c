"""Short jobs travel several in one message: what goes wrong with one is still its own."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from anonymize.trace import ToolCall, Trace
from replay.channel import ChannelError, encode, packed, unpacked
from replay.config import ReplayConfig
from replay.events import Event, WorkerReplaced
from replay.faults import FaultPlan
from replay.jobs import Job
from replay.pool_worker import PREFETCH_BYTES, PoolWorker
from replay.remembered import in_store_order
from replay.results import ReplayResult
from replay.run_request import RunRequest
from replay.runner import run
from replay.runs import execute
from replay.slots import altered
from tests.engine.store_support import DAY, store_of
from tests.engine.support import called, make_trace

AGENT = """
import os
import time

def run(case, env):
    with open("begun.txt", "a") as file:
        file.write(case.trace_id + "\\n")
    if case.trace_id in {dies}:
        os._exit(3)
    if case.trace_id in {hangs}:
        time.monotonic = time.perf_counter
        while True:
            pass
    return env.tools.get(id=case.trace_id)["state"]
"""


def sessions(number: int) -> list[Trace]:
    return [
        make_trace(
            called("get", {"id": f"t{n:03}"}, {"state": "sent", "n": [n]}), trace_id=f"t{n:03}"
        )
        for n in range(number)
    ]


def replayed(
    folder: Path, number: int, *, dies: set[str], hangs: set[str], timeout: float = 30
) -> tuple[dict[str, ReplayResult], list[Event], Counter[str]]:
    """The results, what happened, and how often the agent was begun for each trace."""
    (folder / "quick_agent.py").write_text(AGENT.format(dies=dies or "()", hangs=hangs or "()"))
    tables = {"agents": {"q": {"target": "quick_agent:run"}}, "replay": {"timeout": timeout}}
    events: list[Event] = []
    config = ReplayConfig.from_tables(tables, folder)
    results = list(run(sessions(number), "q", config, on_event=events.append, workers=2))
    assert len(results) == number
    begun = Counter((folder / "begun.txt").read_text().split())
    return {r.trace.trace_id: r for r in results}, events, begun


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_killed_worker_costs_its_own_trace_alone_and_no_other_runs_twice(tmp_path: Path) -> None:
    dies = {"t040", "t041", "t090", "t149"}
    results, events, begun = replayed(tmp_path, 150, dies=dies, hangs=set())
    assert {i for i, r in results.items() if r.status == "broken"} == dies
    assert {e.trace_id for e in events if isinstance(e, WorkerReplaced)} == dies
    good = {i for i in results if i not in dies}
    assert {results[i].trace.output for i in good} == {"sent"}
    assert begun == Counter(results.keys())


def test_a_trace_that_hangs_is_ended_and_those_behind_it_are_given_out_again(
    tmp_path: Path,
) -> None:
    results, _, begun = replayed(tmp_path, 80, dies=set(), hangs={"t060"}, timeout=4.0)
    assert {i for i, r in results.items() if r.status == "broken"} == {"t060"}
    assert "hung after 4 s" in str(results["t060"].broken_reason)
    assert begun == Counter(results.keys())


def test_short_jobs_share_a_message_and_long_ones_do_not() -> None:
    worker: Any = PoolWorker(None, None, 0, None, 0.0)  # type: ignore[arg-type]
    assert worker.number(100, 4) == 1  # nobody knows yet how long they take
    for seconds, expected in ((0.0005, 25), (5.0, 1), (0.0005, 25)):
        for _ in range(60):
            worker.jobs.append(None)
            worker.messages.append(1)
            worker.ended(seconds)
        assert worker.number(100, 4) == expected
    worker.bytes = PREFETCH_BYTES // 2
    assert worker.number(100, 4) == 2
    assert worker.number(3, 4) == 1
    worker.jobs.append(None)
    worker.messages.append(1)
    worker.ended(float("nan"))  # whatever a worker says
    assert worker.number(100, 4) >= 1


def test_a_result_names_what_the_reader_has_and_is_whole_again_there() -> None:
    answer = {"state": "sent", "big": ["x" * 1_000]}
    trace = make_trace(called("get", {"id": 1}, answer), called("get", {"id": 2}, None))
    job = Job.of(trace)
    steps = (
        *trace.steps,
        called("get", {"id": 3}, {"new": [1, 2]}),
        called("get", {}, {"big": []}),
    )
    result = ReplayResult(trace=dataclasses.replace(trace, steps=steps), status="ok")
    data = packed(result, job.known)
    assert len(data) < len(encode(result)) - 900
    again = unpacked(data, Job.of(trace).known)
    assert again == result
    first = again.trace.steps[0]
    assert isinstance(first, ToolCall)
    assert first.result is trace.tool_calls[0].result


@pytest.mark.parametrize("data", [b"", b"garbage", encode("text")[12:]])
def test_what_is_no_result_is_refused(data: bytes) -> None:
    with pytest.raises(ChannelError):
        unpacked(data, ())


def test_a_place_that_the_reader_does_not_know_is_refused() -> None:
    trace = make_trace(called("get", {"id": 1}, {"state": "sent"}))
    data = packed(ReplayResult(trace=trace, status="ok"), Job.of(trace).known)
    with pytest.raises(ChannelError):
        unpacked(data, ())


def test_altered_is_replace() -> None:
    trace = make_trace(called("get", {"id": 1}, "ok"))
    changes: dict[str, Any] = {"output": [1], "tags": {"a": "b"}}
    assert altered(trace, **changes) == dataclasses.replace(trace, **changes)
    assert altered(trace) == trace
    with pytest.raises(KeyError):
        altered(trace, nothing=1)


#: What it says is in the recording, so nothing has to be scrubbed.
ECHOES = """
def run(case, env):
    state = env.tools.get(id=case.trace_id)["state"]
    return case.input if case.trace_id.endswith("7") else state
"""


def test_a_comparison_from_memory_says_what_one_from_the_store_says(tmp_path: Path) -> None:
    (tmp_path / "quick_agent.py").write_text(ECHOES)
    traces = [
        dataclasses.replace(t, output="sent", started_at=DAY, agent_version="1")
        for t in sessions(40)
    ]
    store = store_of(tmp_path / "store", traces)
    tables = {"agents": {"q": {"target": "quick_agent:run"}}, "replay": {"workers": 2}}
    config = ReplayConfig.from_tables(tables, tmp_path)
    said = []
    for reuse in (False, True):
        request = RunRequest(
            agent="q", traces=store, runs=tmp_path / "runs", plan=FaultPlan(), reuse=reuse
        )
        said.append(dict(execute(request, config).document))
    assert [d["counts"]["reused"] for d in said] == [0, 40]
    assert said[0]["counts"]["same"] == 36
    for document in said:
        document["counts"] = {**document["counts"], "replayed": 0, "reused": 0}
        document["run"] = {**document["run"], "started_at": "", "duration_s": 0}
    assert said[0] == said[1]


class _Store:
    """Stands in for a store of three traces."""

    def __init__(self) -> None:
        self.own = {t.trace_id: t for t in sessions(3)}
        self.read: list[str] = []

    def ids(self, *, ids: set[str]) -> list[str]:
        return [i for i in self.own if i in ids]

    def traces(self, *, ids: Any) -> Any:
        for trace_id in self.ids(ids=set(ids)):
            self.read.append(trace_id)
            yield self.own[trace_id]


@pytest.mark.parametrize("held", [(), ("t001",), ("t000", "t002"), ("t000", "t001", "t002")])
def test_what_is_in_memory_is_not_read_and_stands_at_its_place(held: tuple[str, ...]) -> None:
    store: Any = _Store()
    remembered = {i: store.own[i] for i in held}
    found = list(in_store_order(store, {"t000", "t001", "t002"}, remembered))
    assert [t.trace_id for t in found] == ["t000", "t001", "t002"]
    assert set(store.read) == {"t000", "t001", "t002"} - set(held)
