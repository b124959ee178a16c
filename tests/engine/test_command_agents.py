"""Agents that are a program: what they get, and what each way to end means."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from anonymize.errors import UsageError
from anonymize.trace import Trace
from replay.config import ReplayConfig
from replay.results import ReplayResult
from replay.runner import check_agent, run
from tests.engine.support import HERE, make_trace

PROGRAM = [sys.executable, "programs/agent.py"]


def config_of(**tables: Any) -> ReplayConfig:
    agent = {"command": PROGRAM, **tables.pop("agent", {})}
    replay = {"timeout": 60.0, "workers": 1, **tables.pop("replay", {})}
    return ReplayConfig.from_tables({"agents": {"x": agent}, "replay": replay, **tables}, HERE)


def replay(*inputs: Any, **tables: Any) -> list[ReplayResult]:
    """Results in the order of the inputs."""
    traces = [make_trace(input=asked, trace_id=f"t/{i}") for i, asked in enumerate(inputs)]
    return replay_traces(*traces, **tables)


def replay_traces(*traces: Trace, **tables: Any) -> list[ReplayResult]:
    found = {r.trace.trace_id: r for r in run(traces, "x", config_of(**tables))}
    return [found[trace.trace_id] for trace in traces]


def test_the_case_comes_in_and_the_outcome_goes_out() -> None:
    (result,) = replay("echo hello")
    assert result.status == "ok"
    assert result.trace.output == {"input": "echo hello", "history": []}
    assert result.trace.origin == "replayed"


def test_the_outcome_may_follow_other_output_or_have_many_lines() -> None:
    chatty, pretty = replay("chatty done", "pretty done")
    assert (chatty.trace.output, pretty.trace.output) == ("done", "done")


def test_an_agent_may_say_that_it_failed() -> None:
    (result,) = replay("error the card was declined")
    assert result.status == "agent_error"
    assert result.trace.error is not None
    assert result.trace.error.kind == "PaymentRefused"
    assert result.trace.error.message == "the card was declined"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("crash", "the command ended with exit code 1"),
        ("exit 3", "the command ended with exit code 3"),
        ("exit 0", "the command ended without an outcome"),
        ("signal", "the command was ended by SIGKILL"),
        ("silent", "the command ended without an outcome"),
        ("garbage", "the command gave no outcome"),
        ("list", "the command gave no outcome"),
        ("flood", "more than 16,000,000 bytes"),
    ],
)
def test_any_other_end_breaks_that_trace_and_no_other(asked: str, reason: str) -> None:
    broken, fine = replay(asked, "echo next")
    assert broken.status == "broken"
    assert reason in (broken.broken_reason or "")
    assert fine.status == "ok"


@pytest.mark.parametrize("asked", ["hang", "deaf"])
def test_a_program_that_hangs_is_ended_and_the_worker_goes_on(asked: str) -> None:
    started = time.monotonic()
    broken, fine = replay(asked, "echo next", replay={"timeout": 5.0})
    assert broken.status == "broken"
    assert "hung" in (broken.broken_reason or "")
    assert fine.status == "ok"
    assert time.monotonic() - started < 120


def test_what_a_program_leaves_behind_is_ended_with_it() -> None:
    (result,) = replay("family")
    assert result.status == "ok"
    assert _ends(result.trace.output)


def _ends(process: int) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and _runs(process):
        time.sleep(0.05)
    return not _runs(process)


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_large_case_is_fed_to_a_program_that_reads_late() -> None:
    (result,) = replay("chatty " + "x" * 3_000_000)
    assert result.trace.output == "x" * 3_000_000


def test_it_gets_no_secrets_of_this_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SECRET", "s3cret")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-real")
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", "7" * 64)
    (result,) = replay("env", agent={"env": {"MODE": "test"}})
    env = result.trace.output
    assert "s3cret" not in env.values()
    assert "sk-real" not in env.values()
    assert "REPLAY_ANONYMIZE_KEY" not in env
    assert env["OPENAI_API_KEY"] == env["ANTHROPIC_API_KEY"] == "replay"
    assert env["MODE"] == "test"
    assert env["OPENAI_BASE_URL"].startswith("http://127.0.0.1:")
    assert env["OPENAI_BASE_URL"].endswith("/s/t%2F0/v1")
    assert env["ANTHROPIC_BASE_URL"] + "/mcp" == env["REPLAY_MCP_URL"]
    assert env["REPLAY_TRACE_ID"] == "t/0"


def test_what_is_listed_in_pass_env_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SECRET", "s3cret")
    (result,) = replay("env", agent={"pass_env": ["SOME_SECRET", "NOT_THERE"]})
    assert result.trace.output["SOME_SECRET"] == "s3cret"
    assert "NOT_THERE" not in result.trace.output


def test_a_host_that_is_not_allowed_breaks_the_trace_and_is_named() -> None:
    (result,) = replay("reach 192.0.2.1:443")
    assert result.status == "broken"
    assert "192.0.2.1:443 was blocked" in (result.broken_reason or "")
    assert result.blocked


def test_an_ignored_host_is_refused_and_does_not_break_it() -> None:
    (result,) = replay("reach 192.0.2.1:443", agent={"ignore_hosts": ["192.0.2.1"]})
    assert (result.status, result.trace.output) == ("ok", "ConnectionRefusedError")


def test_standard_error_is_kept_as_what_the_agent_printed() -> None:
    (result,) = replay("stderr")
    assert "a note of mine" in result.printed


def test_a_program_that_is_not_there_says_so() -> None:
    config = ReplayConfig.from_tables({"agents": {"x": {"command": ["no-such-program"]}}})
    with pytest.raises(UsageError) as caught:
        check_agent("x", config)
    assert "no-such-program" in str(caught.value)


@pytest.mark.parametrize(
    ("agent", "says"),
    [
        ({"command": ["a"], "url": "http://127.0.0.1/"}, "one thing"),
        ({"target": "a:b", "command": ["a"]}, "one thing"),
        ({"command": [" "]}, "no name"),
        ({"command": ["a"], "port": 70000}, "not a port"),
        ({"url": "127.0.0.1:80"}, "not the address"),
        ({"url": "ftp://127.0.0.1"}, "not the address"),
        ({"url": "http://user:pw@127.0.0.1"}, "not the address"),
        ({"url": "http://agent.example.com/run"}, "not on this machine"),
        ({"url": "http://localhost.example.com/run"}, "not on this machine"),
    ],
)
def test_a_wrong_table_is_refused(agent: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        ReplayConfig.from_tables({"agents": {"x": agent}})


@pytest.mark.parametrize(
    "agent",
    [
        {"url": "http://agent.example.com/run", "allow_hosts": ["agent.example.com:80"]},
        {"url": "https://agent.example.com", "allow_hosts": ["*.example.com"]},
        {"url": "http://[::1]:8000"},
        {"url": "http://localhost:8000"},
    ],
)
def test_a_service_elsewhere_has_to_be_allowed(agent: dict[str, Any]) -> None:
    ReplayConfig.from_tables({"agents": {"x": agent}})


def test_a_program_dies_with_a_worker_that_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "who"

    def kill_the_worker() -> None:
        while not told.exists():
            time.sleep(0.05)
        os.kill(int(told.read_text().split()[1]), signal.SIGKILL)

    threading.Thread(target=kill_the_worker, daemon=True).start()
    broken, fine = replay(f"orphan {told}", "echo next")
    assert broken.status == "broken"
    assert "SIGKILL" in (broken.broken_reason or "")
    assert fine.status == "ok"
    assert _ends(int(told.read_text().split()[0]))


def test_a_changed_file_is_another_agent(tmp_path: Path) -> None:
    from replay.faults import FaultPlan
    from replay.fingerprint import fingerprint

    def print_of(command: list[str]) -> str:
        tables = {"agents": {"x": {"command": command}}}
        return fingerprint("x", ReplayConfig.from_tables(tables, tmp_path), FaultPlan())

    source = tmp_path / "src"
    (source / "lib").mkdir(parents=True)
    (source / "node_modules").mkdir()
    (source / "agent.js").write_text("1")
    command = ["node", "src/agent.js"]
    seen = [print_of(command)]
    for name in ("agent.js", "lib/tools.ts", "prompt.md", "package.json"):
        (source / name).write_text("2")
        seen.append(print_of(command))
    seen.append(print_of([*command, "--fast"]))
    assert len(set(seen)) == len(seen)
    for name in ("node_modules/other.js", "picture.png"):
        (source / name).write_text("3")
    assert print_of([*command, "--fast"]) == seen[-1]
