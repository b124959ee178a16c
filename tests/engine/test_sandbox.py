"""Tools that a sandbox answers in place of the recording, and the rows to seed one with."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from anonymize.cli import cli
from anonymize.entities import Entities, entities_of
from anonymize.errors import UsageError
from anonymize.trace import Json, ToolCall, Trace
from replay.config import ReplayConfig
from tests.engine.store_support import DAY, KEY, store_of
from tests.engine.support import called, make_trace, make_world, replay_all, script_trace

SANDBOX = """
from replay.hooks import SandboxDown

def order(name, arguments):
    return {"live": arguments["order_id"]}

def down(name, arguments):
    raise SandboxDown("the sandbox is not there")

def today(name, arguments):
    import datetime, threading, time
    told = [datetime.date.today().isoformat()]
    thread = threading.Thread(target=lambda: told.append(time.strftime("%Y")))
    thread.start()
    thread.join()
    before = time.monotonic()
    time.sleep(0.05)
    return [*told, datetime.datetime.now().year, time.monotonic() - before < 1]

def connects(name, arguments):
    import socket
    socket.create_connection(("127.0.0.1", 9), timeout=2)
"""
AGENT = """
import socket

def agent(case, env):
    try:
        env.tools.get_order(order_id="1")
    except ConnectionRefusedError:
        pass
    return case.input

def what_day(case, env):
    import datetime
    before = datetime.date.today().isoformat()
    return [before, env.tools.get_order(order_id="1"), datetime.date.today().isoformat()]

def goes_there_itself(case, env):
    socket.create_connection(("127.0.0.1", 9), timeout=2)
"""


def order(n: str, **more: Json) -> ToolCall:
    return called("get_order", {"order_id": n}, {"order_id": n, **more})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sandbox_of_test.py").write_text(SANDBOX)
    (tmp_path / "agent_of_test.py").write_text(AGENT)
    return tmp_path


def tool(function: str, **more: Json) -> dict[str, Json]:
    return {"get_order": {"effect": "read", "live": f"sandbox_of_test:{function}", **more}}


def test_every_call_of_an_allow_listed_tool_is_answered_by_the_sandbox(folder: Path) -> None:
    trace = script_trace("t", order("1", state="open"), called("other", {}, "recorded"))
    tools = tool("order", answers="live")
    result = replay_all("script", [trace], tools=tools, root=folder)["t"]
    assert result.trace.output == [{"live": "1"}, "recorded"]
    assert [c.fidelity for c in result.trace.tool_calls] == ["live", "exact"]
    # The recorded call was made, though it was not what answered.
    assert result.findings == ()


def test_a_sandbox_that_is_declared_for_verify_alone_answers_no_replay(folder: Path) -> None:
    trace = script_trace("t", order("1", state="open"), asks=[["get_order", {"order_id": "2"}]])
    result = replay_all("script", [trace], tools=tool("order"), root=folder)["t"]
    assert result.status == "stopped"
    result = replay_all("script", [trace], tools=tool("order", miss="live"), root=folder)["t"]
    assert result.trace.output == [{"live": "2"}]


def test_a_sandbox_that_is_down_breaks_the_replay_and_not_the_agent(folder: Path) -> None:
    trace = script_trace("t", order("1"))
    tools = tool("down", answers="live")
    result = replay_all("script", [trace], tools=tools, root=folder)["t"]
    assert result.status == "broken"
    assert "not there" in (result.broken_reason or "")


def test_the_day_of_a_sandbox_is_today_while_the_agents_is_the_recorded_one(folder: Path) -> None:
    trace = make_trace(order("1"), input="x", trace_id="t", started_at=DAY - timedelta(days=900))
    agent = {"target": "agent_of_test:what_day", "path": [str(folder)]}
    tools = tool("today", answers="live")
    result = replay_all("", [trace], agent=agent, tools=tools, root=folder)["t"]
    recorded = (DAY - timedelta(days=900)).astimezone().date().isoformat()  # where this runs
    before, (day, year, same, slept), after = result.trace.output
    assert (before, after) == (recorded, recorded)
    assert day in (date.today().isoformat(), (date.today() - timedelta(days=1)).isoformat())
    assert (year, same, slept) == (day[:4], int(day[:4]), True)


def test_the_sandbox_reaches_its_hosts_and_the_agent_does_not(folder: Path) -> None:
    run = {
        "tools": tool("connects", answers="live"),
        "root": folder,
    }
    trace = make_trace(order("1"), input="x", trace_id="t")
    allowed = {"sandbox": {"allow_hosts": ["127.0.0.1:9"]}}
    agent = {"target": "agent_of_test:agent", "path": [str(folder)]}
    itself = {"target": "agent_of_test:goes_there_itself", "path": [str(folder)]}
    assert replay_all("", [trace], agent=agent, **run)["t"].status == "broken"
    assert replay_all("", [trace], agent=agent, **run, **allowed)["t"].status == "ok"
    assert replay_all("", [trace], agent=itself, **run, **allowed)["t"].status == "broken"


@pytest.mark.parametrize(
    ("tables", "fix"),
    [
        ({"tools": {"x": {"answers": "live"}}}, "live ="),
        ({"tools": {"x": {"answers": "live", "live": "m:f"}}}, 'effect = "read"'),
        ({"tools": {"x": {"live": "http://shop.example/x"}}}, '"shop.example:80"'),
        ({"tools": {"x": {"live": "https://shop.example/x"}}}, '"shop.example:443"'),
        ({"tools": {"x": {"simulate": "http://shop.example/x"}}}, "module:f"),
        ({"tools": {"x": {"effect": "read", "writes": "order"}}}, 'effect = "write"'),
        ({"tools": {"x": {"effect": "read", "miss": "nearest", "writes": "o"}}}, "never guessed"),
        ({"tools": {"x": {"reads": ["order:{"]}}}, "order:{order_id}"),
    ],
)
def test_what_a_sandbox_may_not_do_is_refused_by_the_config(
    tables: dict[str, Any], fix: str
) -> None:
    with pytest.raises(UsageError) as caught:
        ReplayConfig.from_tables(tables)
    assert fix in caught.value.fix


def test_a_sandbox_that_may_change_answers_writes() -> None:
    tables = {"tools": {"x": {"answers": "live", "live": "m:f"}}, "sandbox": {"writes": True}}
    assert ReplayConfig.from_tables(tables).tools["x"].answers == "live"


def test_hooks_share_what_they_remember_and_see_what_was_made() -> None:
    def write(name: str, arguments: Json, recorded: Any) -> Json:
        recorded.memory[arguments["id"]] = arguments["state"]
        return "ok"

    def read(name: str, arguments: Json, recorded: Any) -> Json:
        assert [c.name for c in recorded.made][:1] == ["write"]
        return recorded.memory[arguments["id"]], recorded.latest("read", id=1), recorded.case.input

    world = make_world(
        called("read", {"id": 1}, "recorded"),
        write={"simulate": "m:f", "hook": write},
        read={"simulate": "m:f", "hook": read},
    )
    assert world.answer("write", {"id": 2, "state": "new"}) == "ok"
    assert world.answer("read", {"id": 2}) == ["new", "recorded", "hello"]
    assert world.fidelities == ["simulated", "simulated"]


# --- the export


def told(*calls: ToolCall, hours: int = 0, **effects: str) -> Entities:
    return entities_of([make_trace(*calls, started_at=DAY + timedelta(hours=hours))], effects)


def rows(found: Entities) -> dict[str, list[Json]]:
    return {table["kind"]: table["rows"] for table in found.as_json()["tables"]}


def test_things_are_found_wherever_they_stand_in_an_answer() -> None:
    answer = {
        "order_id": "7",
        "customer_id": "c1",
        "items": [{"sku": "S1", "count": 2}],
        "address": {"street": "x"},
    }
    found = rows(told(called("get_order", {"order_id": "7"}, answer)))
    assert found == {"order": [answer], "item": [{"sku": "S1", "count": 2}]}
    text = called("list_orders", {}, json.dumps([{"id": 1}, {"id": 2}]))
    assert rows(told(text)) == {"order": [{"id": 1}, {"id": 2}]}


def test_an_answer_without_an_id_has_that_which_it_was_asked_by() -> None:
    found = told(called("get_loyalty", {"user_id": "u1", "full": True}, {"points": 3}))
    assert rows(found) == {"loyalty": [{"user_id": "u1", "points": 3}]}


def test_what_a_write_said_or_changed_is_not_in_the_sandbox_at_its_beginning() -> None:
    found = told(
        called("get_order", {"order_id": "7"}, {"order_id": "7", "state": "open"}),
        called("cancel_order", {"order_id": "7"}, {"cancellation_id": "x"}),
        called("get_order", {"order_id": "7"}, {"order_id": "7", "state": "gone", "why": "x"}),
    )
    assert rows(found) == {"order": [{"order_id": "7", "state": "open", "why": "x"}]}
    assert dict(found.passed_over) == {"cancel_order": 1}


def test_of_several_traces_the_latest_counts_in_whatever_order_they_come() -> None:
    def at(hours: int, state: str) -> Trace:
        call = called("get_order", {}, {"order_id": "7", "state": state, state: 1})
        return make_trace(call, started_at=DAY + timedelta(hours=hours), trace_id=str(hours))

    for traces in ([at(1, "a"), at(2, "b")], [at(2, "b"), at(1, "a")]):
        assert rows(entities_of(traces)) == {
            "order": [{"order_id": "7", "state": "b", "a": 1, "b": 1}]
        }


def test_the_config_says_what_reads() -> None:
    call = called("orders", {}, [{"id": 1}])
    assert rows(told(call)) == {}
    assert rows(told(call, orders="read")) == {"order": [{"id": 1}]}


def test_a_store_becomes_rows_of_a_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", KEY)
    odd = {"order_id": "7", "it's": 'a "b"', "n": 1, "ok": True, "share": 0.5, "list": [1]}
    trace = make_trace(called("get_order", {}, odd), started_at=DAY)
    trace = dataclasses.replace(
        trace, steps=tuple(dataclasses.replace(s, step_id="1") for s in trace.steps)
    )
    store_of(tmp_path / "traces", [trace])
    done = CliRunner().invoke(cli, ["export-sandbox", "traces", "--out", "s.sql"])
    assert done.exit_code == 0, done.exception
    assert "wrote 1 rows of 1 kinds" in done.output
    database = sqlite3.connect(":memory:")
    database.executescript(Path("s.sql").read_text())
    assert database.execute('SELECT * FROM "order"').fetchall() == [
        ("7", 'a "b"', 1, 1, 0.5, "[1]")
    ]
    CliRunner().invoke(cli, ["export-sandbox", "traces", "--out", "s.json"])
    assert json.loads(Path("s.json").read_text())["tables"][0]["rows"] == [odd]
    assert isinstance(
        CliRunner().invoke(cli, ["export-sandbox", "traces", "--out", "s.txt"]).exception,
        UsageError,
    )


cells = st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(max_size=5)


@given(
    st.lists(
        st.dictionaries(st.text(min_size=1, max_size=4), cells, max_size=4), min_size=1, max_size=5
    )
)
def test_any_rows_become_statements_that_a_database_takes(found: list[dict[str, Json]]) -> None:
    answers = [{"id": n, **row, "id": n} for n, row in enumerate(found)]  # noqa: F601
    statements = list(told(called("list_things", {}, answers)).as_sql())
    database = sqlite3.connect(":memory:")
    for statement in statements:
        database.execute(statement)
    assert database.execute('SELECT count(*) FROM "thing"').fetchone() == (len(found),)
