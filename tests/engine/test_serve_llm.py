"""The loopback model proxy: recorded answers, live ones, and what it refuses."""

from __future__ import annotations

import http.server
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anonymize.errors import UsageError
from anonymize.trace import LLMCall, Message, Trace
from replay.config import ReplayConfig
from replay.results import ReplayResult
from replay.runner import run
from replay.serve.llm import Asked, Upstreams, vendor_of
from tests.engine.node_support import node_folder
from tests.engine.support import HERE, make_trace

CALLS = ("chat", "chat_stream", "responses", "responses_stream", "anthropic", "anthropic_stream")


def said(number: int, text: str, *, to: str = "hello") -> LLMCall:
    return LLMCall(
        step_id=str(number),
        model="m",
        input=(Message(role="user", content=to),),
        output=(Message(role="assistant", content=text),),
        finish_reason="stop",
    )


def recorded() -> Trace:
    """As many equal questions as the SDKs ask, each with its own answer."""
    return make_trace(*(said(i, f"answer to {name}") for i, name in enumerate(CALLS)))  # type: ignore[arg-type]


def replay(trace: Trace, *command: str, root: Path = HERE, **tables: Any) -> ReplayResult:
    agent = {"command": list(command), **tables.pop("agent", {})}
    config = ReplayConfig.from_tables(
        {"agents": {"x": agent}, "replay": {"workers": 1, "timeout": 60.0}, **tables}, root
    )
    (result,) = run([trace], "x", config)
    return result


def one_call(asked: str = "hello", **tables: Any) -> ReplayResult:
    return replay(make_trace(input=asked), sys.executable, "programs/one_call.py", **tables)


def check(result: ReplayResult, output: Any) -> None:
    assert {name: output[name] for name in CALLS} == {n: f"answer to {n}" for n in CALLS}
    calls = result.trace.llm_calls
    assert [c.output[0].content for c in calls[: len(CALLS)]] == [f"answer to {n}" for n in CALLS]
    assert [c.provider for c in calls[: len(CALLS)]] == ["openai"] * 4 + ["anthropic"] * 2


def test_the_python_sdks_are_answered_whole_and_streamed() -> None:
    pytest.importorskip("openai")
    pytest.importorskip("anthropic")
    result = replay(recorded(), sys.executable, "programs/sdk_agent.py", llm={"mode": "hybrid"})
    # The last question was never asked before, and no host is allowed: that breaks the run.
    assert result.status == "broken"
    assert "api.openai.com" in (result.broken_reason or "")
    output = {name: call.output[0].content for name, call in zip(CALLS, result.trace.llm_calls)}  # noqa: B905
    check(result, output)


def test_the_node_packages_are_answered_whole_and_streamed(tmp_path: Path) -> None:
    folder = node_folder(tmp_path, "openai", "@anthropic-ai/sdk")
    result = replay(recorded(), "node", "llm_clients.mjs", root=folder, llm={"mode": "recorded"})
    # The last question is not in the recording: the run stops there, and not the whole run.
    assert result.status == "stopped", (result.broken_reason, result.printed)
    output = {name: call.output[0].content for name, call in zip(CALLS, result.trace.llm_calls)}  # noqa: B905
    check(result, output)


def test_nothing_leaves_unless_the_host_is_allowed() -> None:
    result = one_call()
    assert result.status == "broken"
    assert "api.openai.com" in (result.broken_reason or "")
    assert "allow_hosts" in (result.broken_reason or "")
    assert result.blocked


class _StandIn(http.server.BaseHTTPRequestHandler):
    """A stand-in for a provider: it says what it was asked, whole or as events."""

    seen: list[dict[str, str]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append({k.lower(): v for k, v in self.headers.items()})
        asked = body["messages"][-1]["content"]
        if asked == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            return self._send(b'{"choices": [')
        if asked == "busy":
            return self._say(429, "application/json", b'{"error": {"message": "slow down"}}')
        if not body.get("stream"):
            message = {"role": "assistant", "content": f"you said {asked}"}
            answer = {"model": "m", "choices": [{"message": message, "finish_reason": "stop"}]}
            return self._say(200, "application/json", json.dumps(answer).encode())
        events = [{"choices": [{"index": 0, "delta": {"content": w}}]} for w in ("you ", "said")]
        lines = [f"data: {json.dumps(event)}\n\n" for event in events]
        return self._say(200, "text/event-stream", "".join((*lines, "data: [DONE]\n\n")).encode())

    def _say(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self._send(body)

    def _send(self, body: bytes) -> None:
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[tuple[str, list[dict[str, str]]]]:
    seen: list[dict[str, str]] = []
    handler = type("Handler", (_StandIn,), {"seen": seen})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}", seen
    server.shutdown()
    server.server_close()


def live(host: str, **tables: Any) -> dict[str, Any]:
    llm = {"upstream": {"openai": f"http://{host}/v1"}, **tables.pop("llm", {})}
    return {"llm": llm, "agent": {"allow_hosts": [host]}, **tables}


def test_a_live_model_is_asked_with_the_key_that_the_agent_never_had(
    upstream: tuple[str, list[dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    host, seen = upstream
    monkeypatch.setenv("OPENAI_API_KEY", "sk-real")
    result = one_call(**live(host))
    assert result.status == "ok", result.broken_reason
    status, body = result.trace.output
    assert (status, json.loads(body)["choices"][0]["message"]["content"]) == (200, "you said hello")
    assert seen[0]["authorization"] == "Bearer sk-real"
    assert seen[0]["host"] == host
    (call,) = result.trace.llm_calls
    assert call.output[0].content == "you said hello"


def test_what_was_live_is_free_and_identical_the_second_time(
    upstream: tuple[str, list[dict[str, str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", "7" * 64)
    host, seen = upstream
    cassette = str(tmp_path / "llm.parquet")
    for asked in ("hello", "stream"):
        tables = live(host, llm={"cassette": cassette})
        first, second = one_call(asked, **dict(tables)), one_call(asked, **dict(tables))
        assert first.trace.output == second.trace.output
        assert first.trace.steps[0].input == second.trace.steps[0].input  # type: ignore[union-attr]
    assert len(seen) == 2


def test_a_stream_passes_as_it_came(upstream: tuple[str, list[dict[str, str]]]) -> None:
    result = one_call("stream", **live(upstream[0]))
    assert result.trace.output[1].endswith("data: [DONE]\n\n")
    assert result.trace.llm_calls[0].output[0].content == "you said"


def test_an_error_of_the_provider_reaches_the_agent(
    upstream: tuple[str, list[dict[str, str]]],
) -> None:
    result = one_call("busy", **live(upstream[0]))
    assert result.status == "ok"
    assert result.trace.output == [429, '{"error": {"message": "slow down"}}']
    (call,) = result.trace.llm_calls
    assert call.error is not None
    assert call.error.kind == "http_429"


def test_a_response_that_breaks_off_breaks_off_for_the_agent_too(
    upstream: tuple[str, list[dict[str, str]]],
) -> None:
    result = one_call("cut", **live(upstream[0]))
    assert result.trace.output == [0, "IncompleteRead"]


def test_a_provider_that_is_down_is_an_error_and_not_a_crash() -> None:
    result = one_call(**live("127.0.0.1:9"))
    assert result.status == "ok"
    assert result.trace.output[0] >= 400
    assert "could not be asked" in result.trace.output[1]


@pytest.mark.parametrize(
    ("target", "headers", "url"),
    [
        ("/v1/chat/completions", {}, "https://api.openai.com/v1/chat/completions"),
        ("/v1/messages?beta=true", {}, "https://api.anthropic.com/v1/messages?beta=true"),
        ("/v1/models", {"Anthropic-Version": "2023-06-01"}, "https://api.anthropic.com/v1/models"),
        ("/v1/models", {}, "https://api.openai.com/v1/models"),
    ],
)
def test_each_request_goes_to_its_own_vendor(
    target: str, headers: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    assert Upstreams().target(Asked("POST", target, headers, b"")) == url


def test_the_config_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked("POST", "/v1/responses", {}, b"")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1/")
    assert Upstreams().target(asked) == "http://127.0.0.1:1/v1/responses"
    own = Upstreams(bases={"openai": "https://llm.example.com/api/v1"})
    assert own.target(asked) == "https://llm.example.com/api/v1/responses"


def test_keys_that_the_agent_brings_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "real")
    own = Asked("POST", "/v1/messages", {"X-Api-Key": "mine", "Host": "a", "Accept": "b"}, b"")
    assert Upstreams().headers(own) == {"X-Api-Key": "mine", "Accept": "b"}
    placeholder = Asked("POST", "/v1/messages", {"X-Api-Key": "replay"}, b"")
    assert Upstreams().headers(placeholder) == {"X-Api-Key": "real"}
    assert vendor_of(placeholder) == "anthropic"
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    assert Upstreams().headers(placeholder) == {}


@pytest.mark.parametrize(
    "table", [{"openai": "api.example.com"}, {"mistral": "https://x"}, {"openai": "http://u:p@h"}]
)
def test_a_wrong_upstream_is_refused(table: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="upstream"):
        ReplayConfig.from_tables({"llm": {"upstream": table}})
