"""Live and hybrid runs against a model on loopback (a stand-in with OpenAI's API), and what is
kept of it: scrubbed, and enough for a second run that is free and identical.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from anonymize.trace import Message, ToolRequest, Trace
from replay.intercept.cassette import Cassette
from replay.intercept.persist import is_scrubbed
from replay.wire import LlmAnswer, dialect_of
from tests.wire.test_modes import recording, replayed

PHONE = "(415) 555-0143"


class StandIn(BaseHTTPRequestHandler):
    """Speaks OpenAI's chat completions: first asks for the order, with a phone number that
    nobody told it, then says what it got.
    """

    protocol_version = "HTTP/1.1"
    asked = 0

    def do_POST(self) -> None:
        StandIn.asked += 1
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        dialect = dialect_of("POST", self.path)
        assert dialect is not None
        request = dialect.read(json.loads(raw))
        last = request.messages[-1]
        if last.role == "tool":
            message = Message(role="assistant", content=f"They are: {last.content}. Call {PHONE}.")
        else:
            calls = tuple(
                ToolRequest(name="get_order", arguments={"id": i}, call_id=f"c{i}") for i in (7, 8)
            )
            words = f"I will call {PHONE} if need be."
            message = Message(role="assistant", content=words, tool_requests=calls)
        made = dialect.write(LlmAnswer(messages=(message,), seed=str(StandIn.asked)), request)
        self.send_response(made.status)
        for name, value in made.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(made.body)))
        self.end_headers()
        self.wfile.write(made.body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", "7" * 64)


def at(address: str, trace: Trace | None = None) -> Trace:
    return replace(trace or recording(), tags={"address": address})


ALLOWED = {"allow_hosts": ["127.0.0.1"]}


@pytest.mark.parametrize(
    ("agent", "granularity"),
    [("loopback", "session"), ("loopback_stream", "session"), ("loopback", "step")],
)
def test_the_second_run_is_free_and_identical(
    address: str, tmp_path: Path, agent: str, granularity: str
) -> None:
    path = tmp_path / "llm.parquet"
    llm = {"mode": "live", "cassette": str(path), "granularity": granularity}
    before = StandIn.asked
    first = replayed(agent, at(address), agent=ALLOWED, llm=llm)["t1"]
    assert (first.status, first.trace.error) == ("ok", None)
    assert PHONE in str(first.trace.output)
    assert StandIn.asked == before + 2
    # What is on disk has no number in it, in questions and answers alike.
    assert is_scrubbed(path)
    kept = list(Cassette.load(path))
    assert len(kept) == 2
    assert not any(b"555-0143" in part for item in kept for part in (item.request, item.response))
    second = replayed(agent, at(address), agent=ALLOWED, llm=llm)["t1"]
    offline = replayed(agent, at(address), llm=llm | {"mode": "recorded"})["t1"]
    assert StandIn.asked == before + 2
    assert PHONE not in str(second.trace)
    assert second.trace == offline.trace
    calls = [(c.name, c.arguments) for c in first.trace.tool_calls]
    assert [(c.name, c.arguments) for c in second.trace.tool_calls] == calls
    assert set(second.models) == {"live"}


def test_hybrid_asks_the_model_only_for_what_was_not_recorded(address: str) -> None:
    before = StandIn.asked
    whole = recording()
    trace = at(address, replace(whole, steps=whole.steps[:3]))  # the last answer is not there
    result = replayed("loopback", trace, agent=ALLOWED, llm={"mode": "hybrid"})["t1"]
    assert (result.status, result.trace.error) == ("ok", None)
    assert result.models == ("exact", "live")
    assert StandIn.asked == before + 1
    assert result.trace.tags["replay.models"] == '{"exact":1,"live":1}'
    assert "nearest is model call 1 of 1" in result.misses[0]


def test_a_hybrid_run_is_free_and_identical_the_second_time(address: str, tmp_path: Path) -> None:
    """Also where a call that the recording holds once is made twice."""
    llm = {"mode": "hybrid", "cassette": str(tmp_path / "llm.parquet")}
    asked = [StandIn.asked]
    results = []
    for _ in range(3):
        results.append(replayed("loopback_twice", at(address), agent=ALLOWED, llm=llm)["t1"])
        asked.append(StandIn.asked)
    first, second, third = results
    assert first.models == second.models == third.models == ("exact", "live")
    assert asked[1] == asked[0] + 1 == asked[2] == asked[3]
    assert first.trace.output[0] == second.trace.output[0] == ["c7", "c8"]
    assert second.trace == third.trace


def test_hybrid_does_not_reach_a_host_that_is_not_allowed() -> None:
    whole = recording()
    trace = replace(whole, steps=whole.steps[:3])
    result = replayed("openai_chat", trace, llm={"mode": "hybrid"})["t1"]
    assert result.status == "broken"
    assert "api.openai.com" in (result.broken_reason or "")


def test_a_live_step_is_asked_from_the_recorded_prefix(address: str) -> None:
    """The model of this run says something else at each step; none of it leads the next astray."""
    llm = {"mode": "live", "granularity": "step"}
    result = replayed("loopback", at(address), agent=ALLOWED, llm=llm)["t1"]
    assert (result.status, result.trace.error) == ("ok", None)
    first, second = result.trace.llm_calls
    assert first.output[0].content == f"I will call {PHONE} if need be."
    assert [m.role for m in second.input] == ["system", "user", "assistant", "tool", "tool"]
    assert second.input[2].content is None  # as recorded, not as just said
