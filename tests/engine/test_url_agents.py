"""Agents that are a service: what it is sent, and what each answer means."""

from __future__ import annotations

import http.server
import json
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from anonymize.trace import LLMCall, Message
from replay.config import ReplayConfig
from replay.results import ReplayResult
from replay.runner import run
from tests.engine.support import called, make_trace


class _Service(http.server.BaseHTTPRequestHandler):
    """A user's agent behind an address; the input says what it does."""

    fixed = ""

    def do_POST(self) -> None:
        case = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind, _, rest = str(case["input"]).partition(" ")
        base = self.fixed or case["replay"]["url"]
        if kind == "echo":
            self._say(json.dumps({"output": rest}).encode())
        elif kind == "work":
            self._say(json.dumps({"output": _work(base)}).encode())
        elif kind == "error":
            self._say(json.dumps({"error": {"kind": "OutOfStock", "message": rest}}).encode())
        elif kind == "status":
            self._say(b"{}", int(rest))
        elif kind == "say":
            self._say(rest.encode())
        elif kind == "hang":
            time.sleep(5)
        elif kind == "trickle":
            self.send_response(200)
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.1)
        elif kind == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b'{"output": 1}')
        elif kind == "flood":
            self.send_response(200)
            self.end_headers()
            for _ in range(300):
                self.wfile.write(b" " * 65536)
        elif kind == "drop":
            self.connection.shutdown(socket.SHUT_RDWR)

    def _say(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def _work(base: str) -> Any:
    """One model call and one tool call, in the replay at ``base``."""
    ask = {"model": "m", "messages": [{"role": "user", "content": "work"}]}
    said = _post(f"{base}/v1/chat/completions", ask)["choices"][0]["message"]["content"]
    call = {"name": "get_order", "arguments": {"id": "7"}}
    rpc = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    return [said, _post(f"{base}/mcp", rpc)["result"]["content"][0]["text"]]


def _post(url: str, body: Any) -> Any:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        pass


@pytest.fixture
def service() -> Iterator[str]:
    server = _Server(("127.0.0.1", 0), _Service)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/run?x=1"
    server.shutdown()
    server.server_close()


def replay(url: str, *inputs: str, timeout: float = 20.0, **tables: Any) -> list[ReplayResult]:
    model = LLMCall(
        step_id="m",
        model="m",
        input=(Message(role="user", content="work"),),
        output=(Message(role="assistant", content="on it"),),
    )
    steps = (model, called("get_order", {"id": "7"}, "sent"))
    traces = [make_trace(*steps, input=i, trace_id=f"t{n}") for n, i in enumerate(inputs)]  # type: ignore[arg-type]
    config = ReplayConfig.from_tables(
        {
            "agents": {"x": {"url": url, **tables.pop("agent", {})}},
            "replay": {"workers": 1, "timeout": timeout},
            "llm": {"mode": "recorded"},
            **tables,
        }
    )
    found = {r.trace.trace_id: r for r in run(traces, "x", config)}
    return [found[f"t{n}"] for n in range(len(inputs))]


def test_a_case_goes_in_and_the_outcome_comes_back(service: str) -> None:
    one, two = replay(service, "echo a", "echo b")
    assert [r.status for r in (one, two)] == ["ok", "ok"]
    assert (one.trace.output, two.trace.output) == ("a", "b")
    assert not one.trace.steps  # the harness's own request is no part of it


def test_its_models_and_tools_are_those_of_its_trace(service: str) -> None:
    (result,) = replay(service, "work")
    assert result.status == "ok", result.broken_reason
    assert result.trace.output == ["on it", "sent"]
    assert [type(step).__name__ for step in result.trace.steps] == ["LLMCall", "ToolCall"]
    assert result.fidelity == 1.0


def test_a_service_with_a_fixed_base_url_finds_the_replay_that_is_running(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(_Service, "fixed", f"http://127.0.0.1:{port}/s/current")
    for result in replay(service, "work", "work", agent={"port": port}):
        assert result.trace.output == ["on it", "sent"]


def test_it_may_say_that_its_agent_failed(service: str) -> None:
    (result,) = replay(service, "error none left")
    assert result.status == "agent_error"
    assert result.trace.error is not None
    assert (result.trace.error.kind, result.trace.error.message) == ("OutOfStock", "none left")


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("status 500", "status 500"),
        ("status 404", "status 404"),
        ("say nothing useful", "no outcome"),
        ("say ", "without an outcome"),
        ("cut", "failed: IncompleteRead"),
        ("flood", "more than 16,000,000 bytes"),
        ("drop", "failed: RemoteDisconnected"),
        ("hang", "hung: no answer in 1.8 s"),
        ("trickle", "hung: no answer in 1.8 s"),
    ],
)
def test_any_other_answer_breaks_that_trace_and_no_other(
    service: str, asked: str, reason: str
) -> None:
    broken, fine = replay(service, asked, "echo next", timeout=2.0)
    assert broken.status == "broken"
    assert reason in (broken.broken_reason or "")
    assert fine.status == "ok"


def test_a_service_that_is_down_breaks_the_trace() -> None:
    (result,) = replay("http://127.0.0.1:9/run", "echo")
    assert result.status == "broken"
    assert "Connection refused" in (result.broken_reason or "")
