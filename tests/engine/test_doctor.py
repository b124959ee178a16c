"""The doctor says before a run what would end it, and how faithful it can be."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from anonymize.trace import LLMCall, Message, ToolCall, ToolDefinition, Trace
from replay.cli import cli
from tests.engine.store_support import DAY, KEY, store_of
from tests.engine.support import called, make_trace

AGENT = """
def agent(case, env):
    env.tools.get_order(order_id="7")
    return env.tools.call("refund", order_id="7")

def broken(case):
    pass
"""
CONFIG = """
[agents.v2]
target = "shop_agent:agent"
allow_hosts = ["127.0.0.1"]

[tools.get_order]
effect = "read"
reads = "order:{order_id}"
"""
SCHEMA = {"type": "object", "properties": {"order_id": {"type": "string"}}}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop_agent.py").write_text(AGENT)
    (tmp_path / "replay.toml").write_text(CONFIG)
    return tmp_path


def order(n: int, **more: Any) -> ToolCall:
    return called("get_order", {"order_id": str(n)}, {"state": "open"}, **more)


def trace(n: int, *calls: ToolCall, **more: Any) -> Trace:
    said = Message(role="assistant", content="ok")
    llm = LLMCall(
        step_id="llm",
        model="m",
        input=(Message(role="user", content="hi"),),
        output=(said,),
        tools=(ToolDefinition(name="get_order", parameters=SCHEMA),),
    )
    made = make_trace(*(calls or (order(n),)), trace_id=f"t{n}", started_at=DAY, **more)
    steps = tuple(dataclasses.replace(s, step_id=f"s{i}") for i, s in enumerate(made.steps))
    return dataclasses.replace(made, steps=(llm, *steps))


def doctor(*args: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["doctor", *args])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def report(*args: str) -> tuple[int, dict[str, Any]]:
    code, out = doctor("--json", *args)
    return code, json.loads(out)


def said(document: dict[str, Any], state: str) -> list[str]:
    return [f"{c['area']}: {c['what']}" for c in document["checks"] if c["state"] == state]


def test_a_good_setup_is_ready_and_the_forecast_counts() -> None:
    store_of(Path("traces"), [trace(1), trace(2)])
    code, found = report()
    assert code == found["exit_code"] == 0
    assert said(found, "fail") == []
    assert found["forecast"]["replayable"] == found["forecast"]["whole"] == 2
    assert found["forecast"]["fidelity_at_most"] == 1.0
    assert found["forecast"]["llm_calls_answered"] == 2
    rows = {row["tool"]: row for row in found["tools"]}
    assert rows["get_order"]["answered_by"] == "recording"
    assert rows["get_order"]["schema"] == "known"
    # The agent calls it, and no recording can answer.
    assert rows["refund"]["answered_by"] == "nothing"
    assert any("refund was never recorded" in line for line in said(found, "warn"))


def test_no_line_is_wider_than_a_terminal() -> None:
    store_of(
        Path("traces"), [trace(1, called("x" * 60, {}, 1)), trace(2, lossy_flags=("partial",))]
    )
    code, out = doctor()
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "ready, with" in out.splitlines()[-1]
    assert "1 can't be replayed: the recording is partial" in " ".join(out.split())


def test_a_call_without_a_result_lowers_the_forecast() -> None:
    lost = order(2, flags=("tool_result_missing",))
    store_of(Path("traces"), [trace(1), trace(2, order(2), lost, order(2), order(3))])
    _, found = report()
    assert found["forecast"]["fidelity_at_most"] == 0.8
    assert found["forecast"]["whole"] == 1
    assert any("1 of 5 tool calls have no result" in line for line in said(found, "warn"))


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        ("[agents.v2]\ntarget = 3", "expected a string", "agents.v2.target"),
        ("[agents.v2]\ntarget = 'gone:agent'", "gone", "agents.v2"),
        ("[agents.v2]\ntarget = 'shop_agent:agnt'", "has no 'agnt'", "agents.v2"),
        ("[agents.v2]\ntarget = 'shop_agent:broken'", "can't be called", "agents.v2"),
        ("[tools.get_order]\nmis = 'x'", "unknown key 'mis'", "tools.get_order.mis"),
        ("[replay]\nseed = 1", "names no agent", "replay.toml"),
        (f"{CONFIG}\n[http]\ncassettes = ['gone.parquet']", "no gone.parquet", "http.cassettes"),
    ],
)
def test_a_config_that_no_run_could_start_with_is_exit_code_2(
    here: Path, text: str, what: str, where: str
) -> None:
    store_of(Path("traces"), [trace(1)])
    (here / "replay.toml").write_text(text)
    code, found = report()
    assert code == found["exit_code"] == 2
    failed = [c for c in found["checks"] if c["state"] == "fail"]
    assert any(what in c["what"] and where in c["where"] for c in failed)
    assert doctor()[1].splitlines()[-1] == f"can't run: {len(failed)} checks failed"


def test_an_unknown_agent_no_store_and_a_foreign_key_are_exit_code_2(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, found = report("v3")
    assert code == 2
    assert "config: there is no agent 'v3'" in said(found, "fail")
    assert any(line.startswith("store: there is no store") for line in said(found, "fail"))
    store_of(Path("traces"), [trace(1)], key="abcd1234")
    code, found = report()
    assert code == 2
    assert said(found, "fail") == ["key: the traces were scrubbed under another key (abcd1234)"]
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", "short")
    assert report()[0] == 2


def test_settings_that_fit_nothing_recorded_are_warned_of(here: Path) -> None:
    store_of(Path("traces"), [trace(1)])
    text = CONFIG.replace("order:{order_id}", "order:{id}")
    text += 'ignore_arguments = ["$.ts"]\n[tools.get_ordr]\neffect = "read"\n'
    (here / "replay.toml").write_text(text)
    code, found = report()
    assert code == 0
    warned = said(found, "warn")
    assert "config: '{id}' is in no recorded call of get_order" in warned
    assert "config: '$.ts' is in no recorded call of get_order" in warned
    assert "config: no recording has the tool 'get_ordr'" in warned
    assert any(c["fix"] == "did you mean 'get_order'?" for c in found["checks"])


def test_the_doctor_runs_nothing_of_the_agent_but_its_import(here: Path) -> None:
    store_of(Path("traces"), [trace(1)])
    (here / "shop_agent.py").write_text(
        AGENT.replace("env.tools.get_order", "open('ran', 'w'); env.tools.get_order")
    )
    assert doctor()[0] == 0
    assert not (here / "ran").exists()


def test_a_schema_that_recorded_calls_do_not_fit_is_told() -> None:
    from replay.doctor.forecast import forecast, unfit

    record = forecast([trace(1), trace(2)]).tools["get_order"]
    assert unfit(record, SCHEMA) == []
    assert unfit(record, None) == []
    other = {"properties": {"id": {}, "order_id": {}}, "required": ["id", "order_id"]}
    assert unfit(record, other) == ["needs 'id', which 2 of 2 calls lack"]
    assert unfit(record, {"properties": {"id": {}}}) == ["has no 'order_id'"]
    assert unfit(record, {"properties": {}, "additionalProperties": True}) == []


def test_tools_are_found_in_a_source(tmp_path: Path) -> None:
    from replay.doctor.source import tools_in_source

    file = tmp_path / "a.py"
    file.write_text(
        "def f(case, env):\n"
        "    t = env.tools\n"
        "    env.tools.one(a=1); env.tools.call('two'); env.tools['three']()\n"
        "    tools = []; tools.append(1); env.tools.invoke(name); env.tools.names\n"
    )
    assert tools_in_source([file, tmp_path / "gone.py"]) == {"one", "two", "three"}


FRAMEWORK = """
from pydantic_ai import Agent
from pydantic_ai.models.test import TestModel

shop = Agent(TestModel())

@shop.tool_plain
def get_order(id: str) -> str:
    raise RuntimeError("the doctor runs no tool")

@shop.tool_plain
def new_tool() -> str:
    raise RuntimeError("the doctor runs no tool")
"""


def test_the_tools_of_a_frameworks_agent_are_compared_with_the_recorded_ones(here: Path) -> None:
    pytest.importorskip("pydantic_ai", reason="the extra pydantic-ai is not installed")
    store_of(Path("traces"), [trace(1), trace(2, called("gone", {}, 1))])
    (here / "framework_agent.py").write_text(FRAMEWORK)
    (here / "replay.toml").write_text('[agents.v2]\ntarget = "framework_agent:shop"\n')
    code, found = report()
    assert code == 0, found["checks"]
    warned = said(found, "warn")
    assert "tools: v2's tool new_tool was never recorded: a call of it can't be answered" in warned
    assert "tools: v2 lacks recorded tools: 1 tool: gone" in warned
    assert "tools: v2's get_order has no 'order_id'" in warned
    assert "tools: v2's get_order needs 'id', which 1 of 1 calls lack" in warned
    assert any(r["tool"] == "get_order" and r["agents"] == ["v2"] for r in found["tools"])
