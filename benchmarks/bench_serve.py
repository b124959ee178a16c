"""What the loopback servers cost, beside the alternative, in one run.

    python benchmarks/bench_serve.py

MCP over HTTP: our server and the official package's own (its low-level server behind uvicorn),
asked the same call by the same plain client, which keeps its connection. Model proxy: a recorded
answer through it, and the same made in this process without it. A command: one case, start of
the program included.
"""

from __future__ import annotations

import http.client
import json
import ssl
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anonymize.trace import LLMCall, Message, ToolCall, ToolDefinition, Trace
from replay.config import LlmSettings, ReplayConfig, ToolSettings
from replay.environment import Environment
from replay.intercept.hosts import AllowedHosts
from replay.intercept.http import HttpScope
from replay.intercept.router import install
from replay.jobs import Job
from replay.runner import run
from replay.serve.gateway import Gateway
from replay.serve.sessions import Session
from replay.wire.models import Models
from replay.world import World, WorldRules

CALLS = 200
SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}}}
RPC = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "get_order", "arguments": {"id": "7"}},
}
HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
ASKED = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


def recording() -> Trace:
    """As many equal calls as are made: each recorded answer is given once."""
    tools = (ToolDefinition(name="get_order", parameters=SCHEMA),)
    hello, hi = Message(role="user", content="hello"), Message(role="assistant", content="hi")
    model = [
        LLMCall(step_id=f"m{i}", model="m", input=(hello,), output=(hi,)) for i in range(CALLS * 3)
    ]
    calls = [
        ToolCall(step_id=f"c{i}", name="get_order", arguments={"id": "7"}, result={"status": "ok"})
        for i in range(CALLS * 3)
    ]
    offer = LLMCall(step_id="o", model="o", input=(hi,), tools=tools)
    return Trace(trace_id="bench", input="x", steps=(*model, *calls, offer))


def session() -> Session:
    job = Job.of(recording(), LlmSettings(mode="recorded"))
    rules = WorldRules(
        tools={"get_order": ToolSettings()}, max_tool_calls=10**6, max_llm_calls=10**6
    )
    models = Models(job.model_calls, "bench", mode="recorded")
    world = World(job.case, job.calls, rules, models)
    scope = HttpScope(world, "bench", AllowedHosts(()), AllowedHosts(()))
    return Session(env=Environment(world, job.names, job.definitions), scope=scope)


def median_us(work: Callable[[], Any], times: int = CALLS) -> float:
    for _ in range(20):
        work()
    found = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        found.append((time.perf_counter() - started) * 1e6)
    return statistics.median(found)


def plain_client(host: str, path: str, body: Any) -> Callable[[], None]:
    """Asks over one connection that is kept open, as every SDK does."""
    from vcr.patch import _HTTPConnection  # the real one: this process is patched

    name, _, port = host.partition(":")
    connection: http.client.HTTPConnection = _HTTPConnection(name, int(port))
    data = json.dumps(body)

    def ask() -> None:
        connection.request("POST", path, data, HEADERS)
        response = connection.getresponse()
        said = response.read()
        assert response.status == 200, said

    return ask


def official_server() -> str:
    """The package's low-level server with one tool, stateless and with JSON answers."""
    import socket

    import uvicorn
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("official", log_level="ERROR")

    @server.tool()
    def get_order(id: str) -> dict[str, str]:
        return {"status": "ok"}

    app = server.streamable_http_app(json_response=True, stateless_http=True)
    # With the protocol named, or asyncio leaves Nagle's delay on: 40 ms a call.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error")
    served = uvicorn.Server(config)
    threading.Thread(target=lambda: served.run(sockets=[sock]), daemon=True).start()
    while not served.started:
        time.sleep(0.02)
    return f"127.0.0.1:{sock.getsockname()[1]}"


def command_ms() -> float:
    """One case of a command that does nothing, in a run: mostly the start of Python."""
    code = "import sys; sys.stdin.read(); print('{\"output\": 1}')"
    config = ReplayConfig.from_tables(
        {"agents": {"x": {"command": [sys.executable, "-c", code]}}, "replay": {"workers": 1}}
    )
    traces = (Trace(trace_id=f"t{i}", input="x") for i in range(15))
    found = [result.wall_ms for result in run(traces, "x", config)]
    return statistics.median(found)


def main() -> None:
    rows: list[tuple[str, float, str]] = []
    rows.append(("command, one case (Python, nothing to do)", command_ms() * 1000, "us"))
    gateway = Gateway()
    mine = session()
    gateway.sessions.add(mine)
    ours = median_us(plain_client(gateway.host, "/s/bench/mcp", RPC))
    rows.append(("MCP call over HTTP, our server, plain client", ours, "us"))
    try:
        theirs = official_server()
        rows.append(
            ("the same, official server", median_us(plain_client(theirs, "/mcp", RPC)), "us")
        )
    except ImportError:
        print("mcp or uvicorn is not installed: the official server is left out")
    with install():
        proxied = median_us(plain_client(gateway.host, "/s/bench/v1/chat/completions", ASKED))
        rows.append(("model call through the proxy, recorded", proxied, "us"))

        trust = ssl.create_default_context()

        def direct() -> None:
            connection = http.client.HTTPSConnection("api.openai.com", context=trust)
            connection.request("POST", "/v1/chat/completions", json.dumps(ASKED), HEADERS)
            assert connection.getresponse().read()

        with mine.entered():
            rows.append(("the same in process, no proxy", median_us(direct), "us"))
    gateway.close()
    for name, value, unit in rows:
        print(f"{name:<48} {value:10,.0f} {unit}")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    main()
