"""Whatever an agent does, it is a verdict on that trace: never the end of the run."""

from __future__ import annotations

import pytest

from replay.results import ReplayResult
from tests.engine.support import called, make_trace, replay_all

GOOD = ["answers", "hi"]
#: What each trace's agent does. One run, two workers, so that each also shows that the traces
#: around it are not hurt.
CASES = {
    "raises": ["raises", None],
    "quits": ["quits", None],
    "exits": ["exits", "exit"],
    "crashes": ["crashes", None],
    "hangs": ["hangs", "hang"],
    "prints_forever": ["prints_forever", None],
    "prints": ["prints", None],
    "closes_streams": ["closes_streams", None],
    "writes_everywhere": ["writes_everywhere", None],
    "forks": ["forks", None],
    "leaves_threads": ["leaves_threads", None],
    "leaves_tasks": ["leaves_tasks", None],
    "huge": ["huge", None],
    "not_json": ["not_json", None],
    "eats_memory": ["eats_memory", None],
    "wraps_a_miss": ["wraps_a_miss", None],
    "loops": ["loops", None],
    "outcome": ["outcome", "x"],
    "blocked": ["asks", "http://elsewhere.example/x"],
    "hidden": ["asks_and_hides_it", "http://elsewhere.example/x"],
    "child": ["child_asks", "http://elsewhere.example/x"],
    "silent": ["asks_and_hides_it", "http://telemetry.example/x"],
}


@pytest.fixture(scope="module")
def results() -> dict[str, ReplayResult]:
    traces = []
    for number, (trace_id, given) in enumerate(CASES.items()):
        traces.append(make_trace(called("get", {"n": 1}, 1), input=given, trace_id=trace_id))
        traces.append(make_trace(input=GOOD, trace_id=f"good{number}"))
    return replay_all(
        "zoo",
        traces,
        workers=2,
        replay={"timeout": 4.0, "memory_mb": 1_500},
        agent={"ignore_hosts": ["telemetry.example"]},
    )


def test_every_trace_has_one_result_and_the_good_ones_are_good(results: dict) -> None:
    assert len(results) == 2 * len(CASES)
    good = [r for trace_id, r in results.items() if trace_id.startswith("good")]
    assert {(r.status, r.trace.output, r.printed) for r in good} == {("ok", "HI", "")}


@pytest.mark.parametrize(
    ("trace_id", "kind", "message"),
    [
        ("raises", "ValueError", "no such city"),
        ("quits", "SystemExit", "the agent called sys.exit(4)"),
        ("huge", "OutputNotJson", "the output is larger than 5,000,000 characters and values"),
        ("not_json", "OutputNotJson", "the output is not JSON: a builtins.object at $.a[0]"),
        ("eats_memory", "MemoryError", ""),
    ],
)
def test_what_the_agent_raises_is_its_own_error(
    results: dict, trace_id: str, kind: str, message: str
) -> None:
    result = results[trace_id]
    assert (result.status, result.broken_reason) == ("agent_error", None)
    assert (result.trace.error.kind, result.trace.error.message) == (kind, message)
    assert result.trace.tags["replay.status"] == "agent_error"


@pytest.mark.parametrize(
    ("trace_id", "reason"),
    [
        ("exits", "worker died (exit 3)"),
        ("crashes", "worker died (signal SIGSEGV)"),
        ("hangs", "hung after 4 s"),
        ("prints_forever", "hung after 4 s"),
        ("writes_everywhere", "worker died (the agent wrote to a file that is not its own)"),
    ],
)
def test_what_kills_a_worker_breaks_that_trace(results: dict, trace_id: str, reason: str) -> None:
    result = results[trace_id]
    assert (result.status, result.broken_reason) == ("broken", reason)
    assert result.trace.tags["replay.broken_reason"] == reason
    assert (result.fidelity, result.unconsumed) == (0.0, ("1 get",))


@pytest.mark.parametrize("trace_id", ["forks", "leaves_threads", "leaves_tasks", "closes_streams"])
def test_what_an_agent_leaves_behind_hurts_nobody(results: dict, trace_id: str) -> None:
    assert (results[trace_id].status, results[trace_id].trace.output) == ("ok", "done")


def test_what_is_printed_is_caught_wherever_it_comes_from(results: dict) -> None:
    said = results["prints"].printed
    for line in ("to stdout", "to stderr", "straight to the descriptor", "from a child"):
        assert line in said
    endless = results["prints_forever"].printed
    assert len(endless) < 5_000
    assert endless.endswith("bytes more")


def test_a_loop_is_stopped(results: dict) -> None:
    assert results["loops"].status == "stopped"
    assert results["loops"].broken_reason == "loop: more than 200 tool calls, the last of get"
    assert len(results["loops"].trace.tool_calls) == 200


def test_a_call_that_was_not_recorded_stops_the_run_even_if_a_framework_wraps_it(
    results: dict,
) -> None:
    result = results["wraps_a_miss"]
    assert result.status == "stopped"
    assert "never_recorded was never called in the recording" in result.broken_reason
    assert result.trace.error.kind == "RuntimeError"
    assert result.trace.tool_calls[0].fidelity == "missing"


def test_an_outcome_is_its_output(results: dict) -> None:
    assert results["outcome"].trace.output == {"said": "x"}


@pytest.mark.parametrize("trace_id", ["blocked", "hidden"])
def test_nothing_leaves_and_the_line_that_would_allow_it_is_named(
    results: dict, trace_id: str
) -> None:
    result = results[trace_id]
    assert result.status == "broken"
    assert result.broken_reason.startswith("GET to elsewhere.example:80 was blocked")
    assert 'in [agents.x]: allow_hosts = ["elsewhere.example:80"]' in result.broken_reason
    assert result.blocked == (result.broken_reason,)


def test_programs_that_the_agent_starts_are_guarded_too(results: dict) -> None:
    assert results["child"].trace.output == "refused"


def test_hosts_to_ignore_are_just_down(results: dict) -> None:
    assert (results["silent"].status, results["silent"].trace.output) == ("ok", "all is well")
    assert results["silent"].blocked == ()
