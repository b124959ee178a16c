"""Every provider's bodies in every convention's attributes, as values, JSON, JSON twice and Python.

13 interfaces x 7 carriers x 4 encodings: what comes out must always be the same conversation.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from anonymize.assemble import assemble
from anonymize.conventions.message import text_of
from anonymize.spans import Span
from anonymize.trace import LLMCall, Trace
from tests.sources.bodies import ANSWER, ASKED, BODIES, CALLS, SYSTEM, Body

CARRIERS: dict[str, tuple[dict[str, str], str, str]] = {
    "langfuse": (
        {"langfuse.observation.type": "generation"},
        "langfuse.observation.input",
        "langfuse.observation.output",
    ),
    "mlflow": ({"mlflow.spanType": "CHAT_MODEL"}, "mlflow.spanInputs", "mlflow.spanOutputs"),
    "langsmith": ({"langsmith.span.kind": "llm"}, "gen_ai.prompt", "gen_ai.completion"),
    "openinference": ({"openinference.span.kind": "LLM"}, "input.value", "output.value"),
    "otel_genai": (
        {"gen_ai.operation.name": "chat"},
        "gen_ai.input.messages",
        "gen_ai.output.messages",
    ),
    "openllmetry": (
        {"traceloop.span.kind": "llm"},
        "traceloop.entity.input",
        "traceloop.entity.output",
    ),
    "generic": ({"span.type": "llm"}, "input", "output"),
}
ENCODINGS: dict[str, Callable[[Body], Any]] = {
    "value": lambda body: body,
    "json": json.dumps,
    "json_twice": lambda body: json.dumps(json.dumps(body)),
    "python": repr,
}


def recorded(interface: str, carrier: str, encoding: str) -> Trace:
    kind, asked, said = CARRIERS[carrier]
    encode = ENCODINGS[encoding]
    spans = [
        Span(
            trace_id="t",
            span_id=f"{turn:016x}",
            name="call",
            start_ns=10**18 + turn * 10**9,
            end_ns=10**18 + turn * 10**9 + 10**8,
            attributes={**kind, asked: encode(request), said: encode(response)},
        )
        for turn, (request, response) in enumerate(BODIES[interface])
    ]
    trace = assemble(spans)
    assert isinstance(trace, Trace)
    return trace


def requests(call: LLMCall, side: str) -> list[tuple[str, Any, str | None]]:
    return [(r.name, r.arguments, r.call_id) for m in getattr(call, side) for r in m.tool_requests]


@pytest.mark.parametrize("interface", BODIES)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_conversation_is_the_same_whoever_recorded_it(interface: str, carrier: str) -> None:
    wanted = [("weather", {"city": city}, identity) for identity, city, _ in CALLS]
    for encoding in ENCODINGS:
        trace = recorded(interface, carrier, encoding)
        first, second = trace.llm_calls
        assert first.input[0].role in ("system", "developer"), encoding
        assert [text_of(m) for m in first.input] == [SYSTEM, ASKED], encoding
        assert requests(first, "output") == requests(second, "input") == wanted, encoding
        told = [text_of(m) for m in second.input if m.role == "tool"]
        assert all(r in text for (_, _, r), text in zip(CALLS, told, strict=True)), encoding
        assert [text_of(m) for m in second.output] == [ANSWER], encoding
        assert (trace.input, trace.output) == (ASKED, ANSWER), encoding
        calls = [(c.name, c.arguments, c.call_id) for c in trace.tool_calls]
        assert calls == wanted, encoding
        assert trace.lossy_flags == ("tool_rebuilt",), encoding


@pytest.mark.parametrize("carrier", ["langfuse", "mlflow", "openinference", "openllmetry"])
@pytest.mark.parametrize("answer", [{"city": "Oslo", "degrees": 3}, ["Oslo", "Rome"]])
def test_a_bare_json_answer_is_what_the_model_said(carrier: str, answer: Any) -> None:
    kind, asked, said = CARRIERS[carrier]
    for written in (answer, json.dumps(answer)):
        attributes = {**kind, asked: json.dumps([{"role": "user", "content": "hi"}]), said: written}
        trace = assemble([Span(trace_id="t", span_id="1", start_ns=10**18, attributes=attributes)])
        assert isinstance(trace, Trace)
        (message,) = trace.llm_calls[0].output
        assert json.loads(message.content) == json.loads(trace.output) == answer


@pytest.mark.parametrize(
    "response", [{"choices": []}, {"content": []}, {"error": "overloaded"}, {}]
)
def test_an_empty_response_is_no_answer(response: Any) -> None:
    attributes = {"openinference.span.kind": "LLM", "input.value": "hi", "output.value": response}
    trace = assemble([Span(trace_id="t", span_id="1", start_ns=10**18, attributes=attributes)])
    assert isinstance(trace, Trace)
    assert not [m for m in trace.llm_calls[0].output if m.content]
