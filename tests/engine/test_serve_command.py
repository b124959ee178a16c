"""``replay serve``: recorded traces for an agent that somebody else runs."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from anonymize.config import AnonymizeConfig
from anonymize.holder.lookup import Lookup
from anonymize.keys import load_key
from anonymize.store import Store
from anonymize.trace import LLMCall, Message, Trace, UserTurn
from tests.engine.support import called, make_trace
from tests.engine.test_command_node import SCHEMA, recorded
from tests.store.builders import write

REPLAY = [sys.executable, "-c", "from replay.cli import main; main()"]
KEY = "0123456789abcdef" * 4
PATH = f"/s/{quote('node/1', safe='')}"
ASKED = {
    "model": "gpt-4o-mini",
    "messages": [
        {"role": "system", "content": "You help customers."},
        {"role": "user", "content": "Where is A-17?"},
    ],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "get_order",
                "description": "Looks up an order",
                "parameters": SCHEMA,
            },
        }
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "traces", [recorded()])
    (tmp_path / "replay.toml").write_text('[llm]\nmode = "recorded"\n')
    return tmp_path


@contextmanager
def served(folder: Path, *args: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server of a user, and where it is; ended with SIGTERM."""
    process = subprocess.Popen(
        [*REPLAY, "serve", "llm", "--port", "0", *args],
        cwd=folder,
        env={**os.environ, "REPLAY_ANONYMIZE_KEY": KEY},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://(127\.0\.0\.1:\d+)/s/", line)
        assert found, line
        yield found[1], process
        process.send_signal(signal.SIGTERM)
        assert process.wait(600) == 0
    finally:
        process.kill()
        process.wait()


def ask(host: str, path: str, body: Any = None, method: str = "POST") -> tuple[int, Any]:
    connection = http.client.HTTPConnection(host, timeout=30)
    sent = json.dumps(body) if body is not None else None
    connection.request(method, path, sent, {"Content-Type": "application/json"})
    response = connection.getresponse()
    raw = response.read()
    return response.status, json.loads(raw) if raw else None


def rpc(name: str, arguments: Any) -> Any:
    params = {"name": name, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


def test_an_agent_elsewhere_is_served_and_what_it_did_is_kept(folder: Path) -> None:
    with served(folder, "--out", "mine") as (host, _):
        status, answer = ask(host, f"{PATH}/v1/chat/completions", ASKED)
        assert status == 200, answer
        (call,) = answer["choices"][0]["message"]["tool_calls"]
        arguments = json.loads(call["function"]["arguments"])
        status, result = ask(host, f"{PATH}/mcp", rpc("get_order", arguments))
        assert result["result"]["structuredContent"] == {"status": "sent"}
        status, state = ask(host, PATH, {"output": "Your order is sent."})
        assert (status, state["fidelity"], state["ended"]) == (200, 1.0, None)
    (trace,) = Store(folder / "mine" / "traces").traces()
    assert trace.origin == "replayed"
    assert trace.output == "Your order is sent."
    assert [type(step).__name__ for step in trace.steps] == ["LLMCall", "ToolCall"]
    assert trace.tags["replay.status"] == "ok"


def test_each_end_gives_the_trace_a_new_beginning(folder: Path) -> None:
    with served(folder, "--trace", "node/1") as (host, _):
        for _ in range(2):
            order = rpc("get_order", {"order_id": "A-17"})
            assert not ask(host, "/s/current/mcp", order)[1]["result"]["isError"]
            assert ask(host, "/s/current/mcp", order)[1]["result"]["isError"]  # asked again
            assert ask(host, PATH, method="DELETE")[0] == 200
        assert ask(host, "/s/unknown/mcp", order)[0] == 404


def test_nothing_real_is_asked(folder: Path) -> None:
    with served(folder) as (host, _):
        other = {**ASKED, "messages": [{"role": "user", "content": "something else"}]}
        status, answer = ask(host, f"{PATH}/v1/chat/completions", other)
        assert status >= 400
        assert "not recorded" in json.dumps(answer)
        assert ask(host, PATH, method="GET")[1]["ended"]


def test_the_tools_of_a_trace_are_served_on_standard_input_and_output(folder: Path) -> None:
    lines = [
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        rpc("get_order", {"order_id": "A-17"}),
    ]
    done = subprocess.run(
        [*REPLAY, "serve", "mcp", "--trace", "node/1"],
        cwd=folder,
        input="".join(f"{json.dumps(line)}\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["result"]["serverInfo"]["name"] == "replay"
    assert second["result"]["structuredContent"] == {"status": "sent"}


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["mcp"], "no trace was named"),
        (["mcp", "--trace", "nope"], "no recorded trace 'nope'"),
        (["llm", "--out", "traces"], "not empty"),
        (["llm", "--agent", "nobody"], "no agent 'nobody'"),
    ],
)
def test_wrong_use_is_told_and_ends_with_2(folder: Path, args: list[str], says: str) -> None:
    env = {k: v for k, v in os.environ.items() if k != "REPLAY_MCP_URL"}
    done = subprocess.run(
        [*REPLAY, "serve", *args],
        cwd=folder,
        env={**env, "REPLAY_ANONYMIZE_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=600,
        input="",
    )
    assert done.returncode == 2, done.stdout
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def two_turns() -> Trace:
    """The recorded trace, and the user again: another question, another order."""
    first = recorded()
    again = LLMCall(
        step_id="again",
        input=(Message(role="user", content="And B-2?"),),
        output=(Message(role="assistant", content="It waits."),),
    )
    turn = UserTurn(step_id="turn", content="And B-2?")
    other = called("get_order", {"order_id": "B-2"}, {"status": "waits"})
    return replace(first, steps=(*first.steps, turn, other, again))


def test_each_turn_of_the_user_is_served_by_itself(tmp_path: Path) -> None:
    write(tmp_path / "traces", [two_turns()])
    (tmp_path / "replay.toml").write_text('[llm]\nmode = "recorded"\ngranularity = "turn"\n')
    with served(tmp_path, "--out", "mine") as (host, _):
        status, said = ask(host, f"{PATH}/mcp", rpc("get_order", {"order_id": "A-17"}))
        assert status == 409
        assert "2 turns" in json.dumps(said)
        assert ask(host, f"{PATH}~3/mcp", rpc("get_order", {}))[0] == 409
        for number, order in ((1, "A-17"), (2, "B-2")):
            answer = ask(host, f"{PATH}~{number}/mcp", rpc("get_order", {"order_id": order}))[1]
            assert not answer["result"]["isError"], answer
            status, state = ask(host, f"{PATH}~{number}", {"output": f"said {order}"})
            assert (status, state["fidelity"]) == (200, 1.0)
    (trace,) = Store(tmp_path / "mine" / "traces").traces()
    assert trace.tags["replay.status"] == "ok"
    assert [type(s).__name__ for s in trace.steps] == ["ToolCall", "UserTurn", "ToolCall"]
    assert trace.output == "said B-2"


def test_a_trace_of_which_a_turn_is_missing_proves_nothing(tmp_path: Path) -> None:
    write(tmp_path / "traces", [two_turns()])
    (tmp_path / "replay.toml").write_text('[llm]\ngranularity = "turn"\n')
    with served(tmp_path, "--out", "mine") as (host, _):
        assert ask(host, f"{PATH}~2", {"output": "x"})[0] == 200
    (trace,) = Store(tmp_path / "mine" / "traces").traces()
    assert trace.tags["replay.status"] == "broken"
    assert "1 of 2" in trace.tags["replay.broken_reason"]


def test_steps_are_no_business_of_a_server(folder: Path) -> None:
    (folder / "replay.toml").write_text('[llm]\nmode = "recorded"\ngranularity = "step"\n')
    for words in (["llm", "--port", "0"], ["mcp", "--trace", "node/1"]):
        done = subprocess.run(
            [*REPLAY, "serve", *words], cwd=folder, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 2
        assert "llm.granularity" in done.stderr
        assert "Traceback" not in done.stderr


def test_real_values_of_an_agent_elsewhere_match_the_surrogates_of_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", KEY)
    real = "mei.kovacs@corp.com"
    policy = AnonymizeConfig.from_tables({}, Path()).policy
    ((_, email),) = Lookup(policy, load_key(policy)).find(real, entity="EMAIL_ADDRESS")
    trace = make_trace(called("find", {"email": email}, "found"), trace_id="node/1")
    write(tmp_path / "traces", [trace])
    with served(tmp_path) as (host, _):
        answer = ask(host, f"{PATH}/mcp", rpc("find", {"email": real}))[1]
        assert answer["result"]["content"][0]["text"] == "found"
        assert ask(host, f"{PATH}/mcp", rpc("find", {"email": "a@b.com"}))[1]["result"]["isError"]
