"""Matching in whole runs: what was learnt is applied, and what does not fit reaches the report."""

from __future__ import annotations

import dataclasses
import json
import random
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from anonymize.store import Store
from anonymize.workers import ScrubWorkers
from replay.cli import cli
from replay.config import ReplayConfig
from replay.keeper import make_scrubber
from tests.engine.store_support import DAY, KEY, store_of
from tests.engine.support import called, make_trace

AGENT = """
import uuid

def agent(case, env):
    found = env.tools.search(order_id=case.input, request_id=str(uuid.uuid4()))
    return found["state"]

def cancels_first(case, env):
    try:
        env.tools.cancel(order_id=case.input, why="sooner")
    except Exception:
        pass
    return env.tools.search(order_id=case.input, request_id=str(uuid.uuid4()))["state"]
"""
CONFIG = """
[replay]
workers = 1
{more}
[agents.v1]
target = "agent_of_run:agent"
[agents.v2]
target = "agent_of_run:cancels_first"
[tools.search]
effect = "read"
reads = "order:{{order_id}}"
[tools.cancel]
effect = "write"
writes = "order:{{order_id}}"
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agent_of_run.py").write_text(AGENT)
    (tmp_path / "replay.toml").write_text(CONFIG.format(more=""))
    chance = random.Random(3)
    traces = []
    for n in range(6):
        made_up = str(uuid.UUID(int=chance.getrandbits(128)))
        call = called("search", {"order_id": f"ORD-{n}", "request_id": made_up}, {"state": "open"})
        trace = make_trace(call, input=f"ORD-{n}", trace_id=f"t{n}", output="open")
        traces.append(
            dataclasses.replace(
                trace,
                steps=tuple(dataclasses.replace(s, step_id="1") for s in trace.steps),
                started_at=DAY + timedelta(minutes=n),
            )
        )
    return store_of(tmp_path / "traces", traces)


@pytest.mark.usefixtures("guarded")
def test_what_a_run_keeps_is_scrubbed_in_processes_of_their_own() -> None:
    assert isinstance(make_scrubber(ReplayConfig.from_tables({})), ScrubWorkers)


def run(agent: str, *args: str) -> tuple[int, list[dict[str, str]]]:
    done = CliRunner().invoke(cli, ["run", agent, "--out", f"out-{agent}", *args])
    assert isinstance(done.exception, SystemExit | None), (done.output, done.exception)
    traces = Store(Path(f"out-{agent}/traces")).traces()
    return done.exit_code, [dict(t.tags) for t in traces]


@pytest.mark.usefixtures("store")
def test_ids_made_up_anew_match_in_a_run_and_in_the_run_of_one_trace_alone() -> None:
    code, tags = run("v1")
    assert code == 0
    assert [t["replay.fidelity"] for t in tags] == ["1.0000"] * 6
    header = json.loads(Path("out-v1/run.json").read_text())
    assert header["learnt_volatile"] == {"search": ["$.request_id"]}
    listed = CliRunner().invoke(cli, ["tools"]).output
    assert "search $.request_id" in listed
    assert max(map(len, listed.splitlines())) <= 80
    assert run("v1", "--fresh", "--trace", "t3")[0] == 0
    Path("replay.toml").write_text(CONFIG.format(more="learn_volatile = false"))
    code, tags = run("v1", "--fresh")
    assert code == 3
    assert [t["replay.fidelity"] for t in tags] == ["0.0000"] * 6


@pytest.mark.usefixtures("store", "guarded")
def test_a_stale_read_and_an_unexpected_call_reach_the_report() -> None:
    _, tags = run("v2")
    found = json.loads(tags[0]["replay.tape"])
    assert [item["code"] for item in found] == ["unexpected", "stale"]
    report = json.loads(Path("out-v2/report.json").read_text())
    codes = {d["code"] for trace in report["traces"] for d in trace["divergences"]}
    assert "STALE_READ" in codes
    text = Path("replay.toml").read_text() + "\n[compare]\nstrict_tape = true\n"
    Path("replay.toml").write_text(text)
    run("v2", "--fresh")
    report = json.loads(Path("out-v2/report.json").read_text())
    codes = {d["code"] for trace in report["traces"] for d in trace["divergences"]}
    assert "OFF_TAPE" in codes
