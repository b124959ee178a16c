"""Wire, SDK, a real instrumentation of that SDK, and the ingest: the same messages come out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from anonymize.assemble import assemble
from anonymize.spans import Scope, Span, SpanEvent
from anonymize.trace import Trace
from replay.wire import LlmAnswer
from tests.wire.support import Transport, answers, ask, plain
from tests.wire.test_round_trip import merged

INSTRUMENTATIONS = {
    "openinference_openai": ("openinference.instrumentation.openai", "OpenAIInstrumentor"),
    "openinference_anthropic": ("openinference.instrumentation.anthropic", "AnthropicInstrumentor"),
    "openai_v2": ("opentelemetry.instrumentation.openai_v2", "OpenAIInstrumentor"),
}
#: What each of them writes down. Thoughts are in none of their spans of chat completions.
CASES = [
    ("openinference_openai", "openai_chat"),
    ("openinference_openai", "openai_responses"),
    ("openinference_anthropic", "anthropic_messages"),
    ("openai_v2", "openai_chat"),
]


@pytest.fixture
def exporter(request: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "gen_ai_latest_experimental")
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "span_only")
    module, name = INSTRUMENTATIONS[request.param]
    instrumentor = getattr(pytest.importorskip(module), name)()
    exporter = memory.InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor.instrument(tracer_provider=provider)
    yield exporter
    instrumentor.uninstrument()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("exporter", "name"), CASES, indirect=["exporter"])
@given(answer=answers())
@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_an_instrumented_sdk_writes_the_same_down(
    exporter: Any, name: str, stream: bool, answer: LlmAnswer
) -> None:
    assume(not answer.refused)  # no instrumentation keeps it
    exporter.clear()
    ask(Transport(answer).client(name), name, stream=stream)
    spans = [_span(s) for s in exporter.get_finished_spans()]
    trace = assemble(spans)
    if not answer.messages[0].content and not answer.messages[0].tool_requests:
        return
    assert isinstance(trace, Trace)
    (call,) = trace.llm_calls
    assert merged(call.output)[0][:2] == merged(plain(answer.messages))[0][:2]


def _span(raw: Any) -> Span:
    context = raw.get_span_context()
    return Span(
        trace_id=f"{context.trace_id:032x}",
        span_id=f"{context.span_id:016x}",
        parent_id=f"{raw.parent.span_id:016x}" if raw.parent else None,
        name=raw.name,
        kind=raw.kind.name.lower(),
        start_ns=raw.start_time,
        end_ns=raw.end_time,
        attributes=dict(raw.attributes),
        events=tuple(SpanEvent(e.name, e.timestamp, dict(e.attributes)) for e in raw.events),
        scope=Scope(name=raw.instrumentation_scope.name),
    )
