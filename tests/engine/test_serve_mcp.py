"""The MCP replay server, as its protocol and the official clients see it."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anonymize.trace import LLMCall, StepError, ToolCall, ToolDefinition
from replay.environment import Environment
from replay.jobs import Job
from replay.serve.gateway import Gateway
from replay.serve.mcp import HANDSHAKE_VERSIONS, answer, call_result
from replay.serve.sessions import Session
from replay.serve.stdio import Bridge, in_session, serve_lines
from replay.serve.tools import listed_tools, offered_tools
from replay.world import World, WorldRules
from tests.engine.node_support import node_folder, run_node
from tests.engine.support import called, make_trace, plan_of

SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
TRACE = make_trace(
    LLMCall(
        step_id="1",
        tools=(
            ToolDefinition(name="get_order", description="Looks up an order", parameters=SCHEMA),
            ToolDefinition(name="never_called"),
        ),
    ),
    called("get_order", {"id": "7"}, {"status": "sent"}, effect="read"),
    called("say", {"text": "hi", "loud": True}, "hi!"),
    called("fail", {}, raised=("TimeoutError", "took too long")),
    called("refuse", {}, "no such card", error=StepError(kind="tool_error")),
    called("blocks", {}, [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]),
    trace_id="t 1/ü",
)
#: What a client asks, and how the answers begin: text, and whether it is an error.
ASKED: list[tuple[str, dict[str, Any], str, bool]] = [
    ("get_order", {"id": "7"}, '{"status":"sent"}', False),
    ("say", {"text": "hi", "loud": True}, "hi!", False),
    ("fail", {}, "took too long", True),
    ("refuse", {}, "no such card", True),
    ("blocks", {}, "one", False),
    ("get_order", {"id": "8"}, "not recorded: get_order", True),
    ("unknown", {}, "not recorded: unknown", True),
]


def session_of(trace: Any = TRACE) -> Session:
    job = Job.of(trace)
    world = World(job.case, job.calls, WorldRules())
    return Session.here(Environment(world, job.names, job.definitions))


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    found = Gateway()
    yield found
    found.close()


def ask(session: Session, method: str, **params: Any) -> Any:
    return answer(session, {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})


def test_tools_are_listed_with_their_recorded_schemas() -> None:
    tools = {tool["name"]: tool for tool in session_of().tools()}
    assert tools["get_order"]["inputSchema"] == SCHEMA
    assert tools["get_order"]["description"] == "Looks up an order"
    assert tools["get_order"]["annotations"] == {"readOnlyHint": True}
    assert tools["never_called"]["inputSchema"] == {"type": "object"}


def test_a_tool_without_a_schema_gets_one_from_its_calls() -> None:
    tools = {tool["name"]: tool for tool in session_of().tools()}
    assert tools["say"]["inputSchema"]["properties"] == {
        "loud": {"type": "boolean"},
        "text": {"type": "string"},
    }
    assert "required" not in tools["say"]["inputSchema"]


def test_of_several_definitions_the_fullest_is_offered() -> None:
    poor, rich = ToolDefinition(name="a"), ToolDefinition(name="a", parameters=SCHEMA)
    for order in ((poor, rich), (rich, poor)):
        steps = (LLMCall(step_id=str(i), tools=(t,)) for i, t in enumerate(order))
        assert offered_tools(make_trace(*steps)) == (rich,)  # type: ignore[arg-type]
    assert listed_tools(["b"], (), ())[0]["name"] == "b"


@pytest.mark.parametrize("asked", [*HANDSHAKE_VERSIONS, "1999-01-01", None])
def test_the_handshake_settles_on_a_known_version(asked: str | None) -> None:
    result = ask(session_of(), "initialize", protocolVersion=asked)["result"]
    known = asked in HANDSHAKE_VERSIONS
    assert result["protocolVersion"] == (asked if known else HANDSHAKE_VERSIONS[-1])
    assert result["serverInfo"]["name"] == "replay"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"jsonrpc": "2.0", "id": 1, "method": "nope"}, -32601),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/call"}, -32602),
        (
            {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "tools/call",
                "params": {"name": "a", "arguments": [1]},
            },
            -32602,
        ),
        ({"jsonrpc": "2.0", "id": {}, "method": "ping"}, -32600),
        ({"id": 1, "method": "ping"}, -32600),
        ("text", -32600),
        ([], -32600),
        (
            {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "tools/list",
                "params": {"_meta": {"io.modelcontextprotocol/protocolVersion": "2099-01-01"}},
            },
            -32022,
        ),
    ],
)
def test_what_is_no_request_is_refused_with_the_protocols_code(message: Any, code: int) -> None:
    assert answer(session_of(), message)["error"]["code"] == code


def test_notifications_and_stray_answers_get_no_answer() -> None:
    session = session_of()
    assert answer(session, {"jsonrpc": "2.0", "method": "notifications/initialized"}) is None
    assert answer(session, {"jsonrpc": "2.0", "id": 5, "result": {}}) is None
    batch = [{"jsonrpc": "2.0", "id": i, "method": "ping"} for i in range(2)]
    assert [one["id"] for one in answer(session, batch)] == [0, 1]


@pytest.mark.parametrize(
    "recorded",
    [
        {"content": [{"type": "text", "text": "x"}], "isError": True},
        {"content": [], "structuredContent": {"a": 1}, "isError": False},
    ],
)
def test_a_result_that_was_recorded_as_mcps_own_stays_as_it_is(recorded: Any) -> None:
    assert call_result(recorded) == recorded


@pytest.mark.parametrize("value", [None, 5, "text", [1], {"content": "x"}, {"content": [1]}])
def test_any_other_result_becomes_text(value: Any) -> None:
    (block,) = call_result(value)["content"]
    assert block["type"] == "text"
    assert json.loads(block["text"]) == value if value != "text" else block["text"] == "text"


def test_calls_are_part_of_the_candidates_trace() -> None:
    session = session_of()
    ask(session, "tools/call", name="get_order", arguments={"id": "7"})
    ask(session, "tools/call", name="unknown", arguments={})
    one, other = session.env.world.capture.steps()
    assert isinstance(one, ToolCall)
    assert (one.name, one.result, one.fidelity) == ("get_order", {"status": "sent"}, "exact")
    assert isinstance(other, ToolCall)
    assert other.fidelity == "missing"
    assert session.missed is not None


def test_after_the_end_of_the_run_calls_are_refused() -> None:
    from replay.errors import StopReplay

    session = session_of()
    session.env.world.end(StopReplay("enough"))
    error = ask(session, "tools/call", name="say", arguments={})["error"]
    assert error == {"code": -32000, "message": "the replay is over: enough"}


def test_a_fault_reaches_the_agent_as_an_error_of_the_tool() -> None:
    job = Job.of(TRACE)
    world = World(job.case, job.calls, WorldRules(plan=plan_of("timeout:tool=say")))
    session = Session.here(Environment(world, job.names, job.definitions))
    result = ask(session, "tools/call", name="say", arguments={"text": "hi", "loud": True})
    assert result["result"]["isError"] is True
    assert world.proofs[0].landed


def check(tools: Any, results: list[Any]) -> None:
    """What a client saw is what was recorded."""
    assert {t["name"] for t in tools} >= {"get_order", "say", "fail", "never_called"}
    assert next(t for t in tools if t["name"] == "get_order")["inputSchema"] == SCHEMA
    for (_, _, text, failed), result in zip(ASKED, results, strict=True):
        assert result["content"][0]["text"].startswith(text)
        assert bool(result.get("isError")) is failed
    assert results[0]["structuredContent"] == {"status": "sent"}


@pytest.mark.parametrize("mode", ["legacy", "auto", "2026-07-28"])
@pytest.mark.parametrize("transport", ["http", "stdio"])
def test_the_official_python_client(gateway: Gateway, transport: str, mode: str) -> None:
    mcp = pytest.importorskip("mcp", reason="the MCP client is not installed: pip install mcp")
    session = session_of()
    gateway.sessions.add(session)
    url = gateway.addresses(session.id)["mcp_url"]

    async def talk() -> tuple[list[Any], list[Any]]:
        target: Any = url
        if transport == "stdio":
            from mcp.client.stdio import StdioServerParameters, stdio_client

            command, *args = bridge_command()
            target = stdio_client(
                StdioServerParameters(command=command, args=args, env={"REPLAY_MCP_URL": url})
            )
        async with mcp.Client(target, mode=mode) as client:
            tools = (await client.list_tools()).tools
            results = [await client.call_tool(name, args) for name, args, _, _ in ASKED]
        dumped = [t.model_dump(by_alias=True, exclude_none=True) for t in tools]
        return dumped, [r.model_dump(by_alias=True, exclude_none=True) for r in results]

    tools, results = asyncio.run(asyncio.wait_for(talk(), 120))
    check(tools, results)
    assert len(session.env.world.capture.steps()) == len(ASKED)


def bridge_command() -> list[str]:
    import sys

    return [sys.executable, "-c", "from replay.cli import main; main()", "serve", "mcp"]


@pytest.mark.parametrize("transport", ["http", "stdio"])
def test_the_official_typescript_client(gateway: Gateway, tmp_path: Path, transport: str) -> None:
    folder = node_folder(tmp_path, "@modelcontextprotocol/sdk")
    session = session_of()
    gateway.sessions.add(session)
    url = gateway.addresses(session.id)["mcp_url"]
    args = [url] if transport == "http" else bridge_command()
    calls = [[name, given] for name, given, _, _ in ASKED]
    said = run_node(folder, "mcp_client.mjs", *args, given=calls, env={"REPLAY_MCP_URL": url})
    check(said["tools"], said["results"])
    assert said["server"]["name"] == "replay"


def post(gateway: Gateway, path: str, body: bytes = b"{}", **headers: str) -> tuple[int, bytes]:
    host, _, port = gateway.host.partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.request("POST", path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    response = connection.getresponse()
    return response.status, response.read()


def test_only_programs_of_this_machine_are_answered(gateway: Gateway) -> None:
    session = session_of()
    gateway.sessions.add(session)
    path = gateway.addresses(session.id)["mcp_url"].removeprefix(gateway.url)
    ping = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    assert post(gateway, path, ping)[0] == 200
    assert post(gateway, path, ping, Host="localhost:1")[0] == 200
    assert post(gateway, path, ping, Host="evil.example.com")[0] == 403
    assert post(gateway, path, ping, Host="127.0.0.1.evil.example.com")[0] == 403
    assert post(gateway, path, ping, Origin="https://evil.example.com")[0] == 403
    assert post(gateway, path, ping, Origin="null")[0] == 403
    assert post(gateway, path, ping, Origin="http://localhost:3000")[0] == 200
    assert gateway.host.startswith("127.0.0.1:")


def test_other_paths_sizes_and_methods_are_refused(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_of()
    gateway.sessions.add(session)
    path = gateway.addresses(session.id)["mcp_url"].removeprefix(gateway.url)
    assert post(gateway, "/")[0] == 404
    assert post(gateway, "/s/other/mcp")[0] == 404
    assert post(gateway, path, b"{")[0] == 400
    assert post(gateway, path, b'{"jsonrpc":"2.0","method":"notifications/x"}') == (202, b"")
    assert post(gateway, path, b"", Content_Length="999999999999")[0] == 413
    assert post(gateway, path, b"", Content_Length="-4")[0] == 413
    assert post(gateway, path, b"", Content_Length="x")[0] == 400
    monkeypatch.setattr("replay.serve.gateway.MAX_BODY", 100)
    assert post(gateway, path, b" " * 101)[0] == 413
    connection = http.client.HTTPConnection(*gateway.host.split(":"), timeout=10)
    connection.request("GET", path)
    assert connection.getresponse().status == 405


def test_the_one_open_session_may_be_called_current(gateway: Gateway) -> None:
    ping = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    assert post(gateway, "/s/current/mcp", ping)[0] == 404
    one, other = session_of(), session_of(make_trace(trace_id="t2"))
    gateway.sessions.add(one)
    assert post(gateway, "/s/current/mcp", ping)[0] == 200
    gateway.sessions.add(other)
    assert post(gateway, "/s/current/mcp", ping)[0] == 404
    gateway.sessions.remove(one)
    assert post(gateway, "/s/current/mcp", ping)[0] == 200


def test_a_body_in_chunks_is_read(gateway: Gateway) -> None:
    session = session_of()
    gateway.sessions.add(session)
    path = gateway.addresses(session.id)["mcp_url"].removeprefix(gateway.url)
    connection = http.client.HTTPConnection(*gateway.host.split(":"), timeout=10)
    parts = iter([b'{"jsonrpc":"2.0",', b'"id":1,"method":"ping"}'])
    connection.request("POST", path, parts, encode_chunked=True)
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["result"]) == (200, {})


def test_status_says_how_the_replay_stands(gateway: Gateway) -> None:
    session = session_of()
    gateway.sessions.add(session)
    ask(session, "tools/call", name="get_order", arguments={"id": "8"})
    connection = http.client.HTTPConnection(*gateway.host.split(":"), timeout=10)
    connection.request("GET", "/s/current")
    status = json.loads(connection.getresponse().read())
    assert status["trace_id"] == TRACE.trace_id
    assert "get_order" in status["misses"][0]
    assert status["ended"] is None


def test_lines_that_are_no_messages_are_answered_and_passed_over() -> None:
    ping = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
    sink = io.BytesIO()
    serve_lines(in_session(session_of()), io.BytesIO(b"\n{oops\n" + ping), sink)
    one, two = map(json.loads, sink.getvalue().splitlines())
    assert one["error"]["code"] == -32700
    assert two == {"jsonrpc": "2.0", "id": 1, "result": {}}


def test_the_bridge_says_when_the_replay_is_over(gateway: Gateway) -> None:
    bridge = Bridge(gateway.addresses("gone")["mcp_url"])
    gateway.close()
    found = json.loads(bridge(b'{"jsonrpc":"2.0","id":"a","method":"ping"}'))
    assert (found["id"], found["error"]["code"]) == ("a", -32000)
    assert bridge(b'{"jsonrpc":"2.0","method":"notifications/initialized"}') == b""
