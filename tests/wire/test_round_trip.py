"""What a span says a model answered is written to the wire, read by the vendors' own SDKs, and
said again as a span: the same messages.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from anonymize.conventions.otel_genai import OtelGenAI
from anonymize.spans import Span
from anonymize.trace import Message
from replay.wire import LlmAnswer, dialect_of
from replay.wire.writing import text_of
from tests.wire.support import PATHS, Transport, answers, ask, ask_async, plain, said

NAMES = sorted(PATHS)
slow = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def as_span(output: Any) -> tuple[Message, ...]:
    """What the ingest makes of a span that holds this output."""
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.output.messages": json.dumps(output)}
    return OtelGenAI().read(Span(trace_id="a", span_id="b", attributes=attributes)).output


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", NAMES)
@given(answer=answers())
@slow
def test_an_answer_survives_wire_sdk_and_span(name: str, stream: bool, answer: LlmAnswer) -> None:
    transport = Transport(answer)
    result = ask(transport.client(name), name, stream=stream)
    again = as_span(said(name, result))
    assert merged(again) == merged(plain(answer.messages))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", NAMES)
@given(answer=answers())
@slow
def test_the_async_sdk_reads_the_same(name: str, stream: bool, answer: LlmAnswer) -> None:
    one = ask(Transport(answer).client(name), name, stream=stream)
    other = ask_async(Transport(answer).client(name, is_async=True), name, stream=stream)
    assert one.model_dump() == other.model_dump()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", NAMES)
@given(answer=answers())
@slow
def test_a_live_response_is_read_as_what_it_says(
    name: str, stream: bool, answer: LlmAnswer
) -> None:
    dialect = dialect_of("POST", PATHS[name])
    assert dialect is not None
    more = {"stream_options": {"include_usage": True}} if name == "openai_chat" else {}
    asked = dialect.read({"model": "m", "messages": [], "input": "", "stream": stream, **more})
    made = dialect.write(answer, asked)
    found = dialect.read_response(made.body, content_type=made.headers["content-type"])
    assert merged(found.messages) == merged(plain(answer.messages))
    assert (found.model, found.usage) == (answer.model, answer.usage)
    assert found.refused == answer.refused
    assert dialect.write(answer, asked) == made  # to the byte, however often


@pytest.mark.parametrize("name", NAMES)
@given(answer=answers())
@slow
def test_streamed_and_whole_say_the_same(name: str, answer: LlmAnswer) -> None:
    transport = Transport(answer)
    results = [ask(transport.client(name), name, stream=stream) for stream in (False, True)]
    assert as_span(said(name, results[0])) == as_span(said(name, results[1]))
    assert transport.written is not None
    chunks = list(transport.written.chunks())
    assert b"".join(data for _, data in chunks) == transport.written.body
    assert sum(wait for wait, _ in chunks) == pytest.approx(answer.duration_ms, abs=1.0)


def merged(messages: Any) -> list[tuple[Any, ...]]:
    """One message: spans of the responses API have one for each item."""
    said = [text_of(m.content) for m in messages]
    return [
        (
            "".join(said),
            [(r.name, r.arguments, r.call_id) for m in messages for r in m.tool_requests],
            "\n".join(m.reasoning for m in messages if m.reasoning),
        )
    ]
