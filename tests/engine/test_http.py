"""HTTP of agents: real clients against a model stand-in on loopback, captured and kept."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from anonymize.errors import UsageError
from anonymize.trace import LLMCall, Message, Other, Usage
from replay.intercept.cassette import Cassette
from replay.results import ReplayResult
from tests.engine.support import make_trace, replay_all

CLIENTS = ("http_client", "urllib3", "requests", "httpx", "httpx2")
MORE = ("openai", "openai_stream", "openai_responses", "openai_async", "threads", "a_retry")
REST = ("data", "nobody", "openai_elsewhere")


class StandIn(BaseHTTPRequestHandler):
    """Answers as the providers' APIs do; counts what it is asked."""

    protocol_version = "HTTP/1.1"
    asked = 0
    limited = 0

    def do_GET(self) -> None:
        self.count()
        self.reply({"plain": True})

    def do_POST(self) -> None:
        number = self.count()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "limited" in self.path and StandIn.limited == 0:
            StandIn.limited += 1
            self.reply({"error": {"message": "slow down"}}, 429, {"Retry-After": "0"})
        elif body.get("stream"):
            self.stream(number)
        elif self.path.endswith("/responses"):
            part = {"type": "output_text", "text": f"answer {number}", "annotations": []}
            item = {"type": "message", "role": "assistant", "id": "i", "content": [part]}
            self.reply({"id": "r", "object": "response", "model": "m-1", "output": [item]})
        else:
            message = {"role": "assistant", "content": f"answer {number}"}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
            self.reply({"id": "c", "model": "m-1", "choices": [choice], "usage": usage})

    def count(self) -> int:
        StandIn.asked += 1
        return StandIn.asked

    def reply(self, value: object, status: int = 200, headers: dict | None = None) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for key, text in (headers or {}).items():
            self.send_header(key, text)
        self.end_headers()
        self.wfile.write(body)

    def stream(self, number: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for text in ("answer ", str(number)):
            chunk = {
                "id": "c",
                "model": "m-1",
                "choices": [{"index": 0, "delta": {"content": text}}],
            }
            self.chunk(f"data: {json.dumps(chunk)}\n\n".encode())
        self.chunk(b"data: [DONE]\n\n")
        self.chunk(b"")

    def chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def speak(address: str, *clients: str, **tables: object) -> dict[str, ReplayResult]:
    traces = [make_trace(input=[f"with_{c}", address], trace_id=c) for c in clients]
    agent = {"target": "http_agents_for_tests:speaks", "allow_hosts": ["127.0.0.1"]}
    return replay_all("", traces, agent=agent, **tables)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes into a cassette is scrubbed."""
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", "7" * 64)


@pytest.fixture(scope="module")
def results(address: str) -> dict[str, ReplayResult]:
    return speak(address, *CLIENTS, *MORE, *REST)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_model_call_through_any_client_is_written_down(results: dict, client: str) -> None:
    result = results[client]
    assert result.status == "ok", result.trace.error
    (call,) = result.trace.llm_calls
    assert call.input == (Message(role="user", content="hi"),)
    assert call.output == (Message(role="assistant", content=result.trace.output),)
    assert result.trace.output.startswith("answer ")
    assert (call.model, call.provider, call.finish_reason) == ("m-1", "openai", "stop")
    assert call.usage == Usage(input_tokens=5, output_tokens=2)


@pytest.mark.parametrize("client", ["openai", "openai_stream", "openai_responses"])
def test_the_openai_sdk_is_written_down_streamed_or_not(results: dict, client: str) -> None:
    result = results[client]
    assert result.status == "ok", result.trace.error
    (call,) = result.trace.llm_calls
    assert call.output[0].content == result.trace.output
    assert call.input[-1] == Message(role="user", content="hi")
    if client == "openai":
        assert [t.name for t in call.tools] == ["get"]
    if client == "openai_responses":
        assert call.input[0] == Message(role="system", content="be kind")


def test_an_async_client_shared_by_all_cases_goes_on_working(address: str) -> None:
    both = [make_trace(input=["with_openai_async", address], trace_id=t) for t in ("1", "2")]
    agent = {"target": "http_agents_for_tests:speaks", "allow_hosts": ["127.0.0.1"]}
    for result in replay_all("", both, agent=agent).values():
        assert result.status == "ok", result.trace.error
        assert len(result.trace.output) == len(result.trace.llm_calls) == 3


def test_calls_from_threads_belong_to_their_case(results: dict) -> None:
    result = results["threads"]
    assert result.status == "ok", result.trace.error
    said = [call.output[0].content for call in result.trace.llm_calls]
    assert sorted(said) == sorted(result.trace.output)


def test_a_retry_that_the_sdk_hides_shows_as_two_calls(results: dict) -> None:
    first, second = results["a_retry"].trace.llm_calls
    assert (first.error.kind, first.error.message) == ("http_429", "slow down")
    assert second.error is None


def test_other_http_is_kept_as_a_step(results: dict) -> None:
    (step,) = results["data"].trace.steps
    assert isinstance(step, Other)
    assert (step.kind, step.name) == ("http", "GET 127.0.0.1/data")
    assert step.output == {"status": 200, "body": {"plain": True}}


def test_a_call_that_got_no_answer_is_a_failed_call(results: dict) -> None:
    result = results["nobody"]
    assert result.trace.output == "nobody there"
    (call,) = result.trace.llm_calls
    assert isinstance(call, LLMCall)
    assert call.error.kind == "no_response"


def test_a_blocked_sdk_call_is_not_retried_and_not_hidden(results: dict) -> None:
    result = results["openai_elsewhere"]
    assert result.status == "broken"
    assert result.broken_reason.startswith("POST to api.elsewhere.example:443 was blocked")
    assert 'allow_hosts = ["127.0.0.1", "api.elsewhere.example:443"]' in result.broken_reason
    assert result.wall_ms < 3_000


def test_with_a_cassette_the_next_run_is_free_and_identical(address: str, tmp_path: Path) -> None:
    llm = {"cassette": str(tmp_path / "llm.parquet")}
    kept = ("http_client", "httpx", "openai_stream", "openai_responses", "openai_async", "data")
    first = speak(address, *kept, llm=llm)
    asked = StandIn.asked
    second = speak(address, *kept, llm=llm)
    offline = speak(address, *kept, llm=llm | {"mode": "recorded"})
    assert StandIn.asked == asked
    assert {k: r.trace for k, r in first.items()} == {k: r.trace for k, r in second.items()}
    assert {k: r.trace for k, r in first.items()} == {k: r.trace for k, r in offline.items()}
    raw = (tmp_path / "llm.parquet").read_bytes()
    assert b"SECRET" not in raw
    assert len(Cassette.load(tmp_path / "llm.parquet")) == 8


def test_what_is_not_in_the_cassette_breaks_a_recorded_run(address: str, tmp_path: Path) -> None:
    llm = {"cassette": str(tmp_path / "none.parquet"), "mode": "recorded"}
    result = speak(address, "httpx", llm=llm)["httpx"]
    assert result.status == "broken"
    assert "not in the cassette" in result.broken_reason


def test_a_file_that_is_no_cassette_is_a_usage_error(address: str, tmp_path: Path) -> None:
    (tmp_path / "llm.parquet").write_text("not parquet")
    with pytest.raises(UsageError, match="not a cassette"):
        speak(address, "httpx", llm={"cassette": str(tmp_path / "llm.parquet")})


def test_a_model_loop_is_stopped(address: str) -> None:
    result = speak(address, "threads", replay={"max_llm_calls": 2})["threads"]
    assert result.status == "stopped"
    assert result.broken_reason == "loop: more than 2 model calls"
