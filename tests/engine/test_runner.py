"""Runs: what goes in comes out, whatever the number of workers; and agents that can't be loaded."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from anonymize.errors import UsageError
from anonymize.trace import Trace
from replay.events import RunFinished, TraceNotReplayable, TraceReplayed, WorkersStarted
from replay.faults import tally
from replay.results import ReplayResult
from replay.runner import check_agent, run
from tests.engine.support import (
    called,
    config_for,
    make_trace,
    plan_of,
    replay_all,
    script_trace,
)
from tests.support import ROOT

RECORDED = [
    called("get", {"id": 1}, {"state": "sent"}, duration_ms=5.0),
    called("refund", {"id": 1}, "ok", effect="write"),
    called("get", {"id": 1}, {"state": "refunded"}),
]


def many(number: int) -> list[Trace]:
    return [script_trace(f"t{n:03}", *RECORDED, asks=None) for n in range(number)]


def bare(result: ReplayResult) -> ReplayResult:
    """Without what time alone decides."""
    return dataclasses.replace(result, wall_ms=0.0)


def test_a_trace_replayed_against_itself_has_full_fidelity_and_the_same_answers() -> None:
    result = replay_all("script", many(1))["t000"]
    assert (result.status, result.fidelity, result.unconsumed) == ("ok", 1.0, ())
    assert result.trace.output == [c.result for c in RECORDED]
    assert [(c.name, c.arguments, c.result) for c in result.trace.tool_calls] == [
        (c.name, c.arguments, c.result) for c in RECORDED
    ]
    assert {c.fidelity for c in result.trace.tool_calls} == {"exact"}


def test_the_candidates_trace_is_a_trace_like_any_other() -> None:
    trace = dataclasses.replace(
        many(1)[0], session_id="s", user_id="u", pair_key="p", tags={"team": "a", "replay.old": "x"}
    )
    replayed = replay_all("script", [trace])["t000"].trace
    assert (replayed.trace_id, replayed.agent, replayed.agent_version) == ("t000", "a", "x")
    assert (replayed.origin, replayed.session_id, replayed.pair_key) == ("replayed", "s", "p")
    assert replayed.tags == {"team": "a", "replay.status": "ok", "replay.fidelity": "1.0000"}


@pytest.mark.parametrize("agent", ["in_parallel", "in_threads"])
def test_parallel_calls_get_their_own_answers(agent: str) -> None:
    calls = [called("take", {"n": n}, n * n) for n in range(50)]
    trace = script_trace("t", *calls)
    result = replay_all(agent, [trace])["t"]
    assert result.trace.output == [n * n for n in range(50)]
    assert result.fidelity == 1.0


def test_content_does_not_depend_on_the_number_of_workers() -> None:
    plan = plan_of("timeout:tool=refund,p=0.5", "malformed_json:tool=get,p=0.3", seed=11)
    one = replay_all("script", many(40), plan, workers=1)
    two = replay_all("script", many(40), plan, workers=2)
    assert {k: bare(r) for k, r in one.items()} == {k: bare(r) for k, r in two.items()}
    proofs = [p for r in one.values() for p in r.faults]
    landed = {line.rule: line.landed for line in tally(plan, proofs)}
    assert all(5 < n < 40 for n in landed.values())


def test_chance_in_the_agent_does_not_depend_on_the_number_of_workers() -> None:
    traces = [make_trace(trace_id=str(n)) for n in range(12)]
    one, two = (replay_all("gambles", traces, workers=n) for n in (1, 2))
    assert {k: r.trace for k, r in one.items()} == {k: r.trace for k, r in two.items()}
    assert len({str(r.trace.output) for r in one.values()}) == 12


def test_a_fault_shows_what_a_careless_agent_does_to_the_world() -> None:
    trace = make_trace(called("refund", {"order": "7"}, "done"))
    plan = plan_of("timeout:tool=refund,call=1")
    result = replay_all("retries", [trace], plan)["t1"]
    first, second = result.trace.tool_calls
    assert (first.fault, first.error.kind) == ("timeout", "TimeoutError")  # type: ignore[union-attr]
    assert (second.fault, second.result) == (None, "done")
    assert result.fidelity == 1.0
    assert result.trace.tags["replay.faults"].startswith('[{"rule":"timeout:tool=refund,call=1"')


def test_a_rate_of_zero_leaves_a_run_identical() -> None:
    without = replay_all("script", many(3))
    with_it = replay_all("script", many(3), plan_of("timeout:p=0", "http_429:p=0"))
    assert {k: bare(r) for k, r in without.items()} == {k: bare(r) for k, r in with_it.items()}


def test_effects_that_only_names_tell_are_known_to_fault_rules() -> None:
    calls = (called("get_order", {}, 1), called("issue_refund", {}, 2))
    plan = plan_of("timeout:effect=write")
    result = replay_all("script", [script_trace("t", *calls)], plan)["t"]
    assert [c.fault for c in result.trace.tool_calls] == [None, "timeout"]


def test_traces_are_read_as_they_are_needed_and_events_tell_how_it_goes() -> None:
    read = 0

    def endless() -> Iterator[Trace]:
        nonlocal read
        while True:
            read += 1
            yield make_trace(trace_id=f"t{read}")

    results = run(endless(), "x", config_for("answers"))
    for _ in range(50):
        assert next(results).status == "ok"
    results.close()  # type: ignore[attr-defined]
    assert read < 100


def test_traces_that_cannot_be_replayed_are_told_of() -> None:
    events: list[object] = []
    traces = [
        make_trace(trace_id="good"),
        make_trace(trace_id="partial", lossy_flags=("partial",)),
        make_trace(trace_id="empty", input=None),
    ]
    results = list(run(traces, "x", config_for("answers"), on_event=events.append))
    assert [r.trace.trace_id for r in results] == ["good"]
    left_out = {e.trace_id: e.reason for e in events if isinstance(e, TraceNotReplayable)}
    assert set(left_out) == {"partial", "empty"}
    assert "broken off" in left_out["partial"]
    assert [type(e) for e in events if not isinstance(e, TraceNotReplayable)] == [
        WorkersStarted,
        TraceReplayed,
        RunFinished,
    ]


def test_no_traces_give_no_results() -> None:
    assert list(run([], "x", config_for("answers"))) == []


def test_an_error_of_the_source_reaches_the_caller() -> None:
    def broken() -> Iterator[Trace]:
        yield make_trace()
        raise OSError("the store is gone")

    with pytest.raises(OSError, match="the store is gone"):
        list(run(broken(), "x", config_for("answers")))


def test_hooks_of_tools_are_loaded_and_asked() -> None:
    tool = {"miss": "simulate", "simulate": "agents_for_tests:simulated"}
    trace = script_trace("t", *RECORDED, asks=[["new", {"n": 2}], ["get", {"id": 1}]])
    result = replay_all("script", [trace], tools={"new": tool})["t"]
    assert result.trace.output == [{"new": 2, "recorded": 3}, {"state": "sent"}]
    assert [c.fidelity for c in result.trace.tool_calls] == ["simulated", "exact"]
    assert result.first_counterfactual == 0
    assert result.trace.tags["replay.first_counterfactual"] == "0"


def test_the_agent_has_its_variables_but_never_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", "secret")
    monkeypatch.setenv("MY_KEY", "secret")
    trace = make_trace(input=["REPLAY_ANONYMIZE_KEY", "MY_KEY", "MODE"])
    result = replay_all(
        "environment", [trace], agent={"env": {"MODE": "test"}}, anonymize={"key_env": "MY_KEY"}
    )["t1"]
    assert result.trace.output == [None, None, "test"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("import os; os._exit(9)", "can't be loaded: worker died (exit 9)"),
        (
            "import urllib.request as u; u.urlopen('http://elsewhere.example/')",
            "was refused: GET to elsewhere.example was blocked",
        ),
    ],
)
def test_an_agent_that_cannot_be_loaded_is_told_before_anything_runs(
    tmp_path: Path, text: str, what: str
) -> None:
    (tmp_path / "bad_agent.py").write_text(text)
    config = config_for("", root=tmp_path, agent={"target": "bad_agent:run"})
    with pytest.raises(UsageError) as caught:
        run([make_trace()], "x", config)
    assert what in caught.value.what
    assert caught.value.where


def test_a_good_agent_passes_the_check() -> None:
    check_agent("x", config_for("answers"))


def test_an_unknown_agent_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no agent 'y'"):
        run([], "y", config_for("answers"))


def test_workers_end_when_the_process_that_started_them_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys\n"
        "from anonymize.trace import Trace\n"
        "from replay.runner import run\n"
        "from tests.engine.support import config_for\n"
        "config = config_for('spins', replay={'timeout': 300.0})\n"
        "list(run([Trace(trace_id='t', input='hang')], 'x', config,\n"
        "         on_event=lambda event: print(event, flush=True)))\n"
    )
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert parent.stdout is not None
    assert b"WorkersStarted" in parent.stdout.readline()
    (worker,) = children_of(parent.pid)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 60
    while alive(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive(worker)


def children_of(pid: int) -> list[int]:
    """Linux keeps children under the thread that started them."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(c) for task in tasks for c in (task / "children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
