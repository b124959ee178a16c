"""Traffic that is lossy for a known reason: recorded by the real SDK, under the real settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

OPENINFERENCE = "openinference.instrumentation.langchain"
GENAI = "opentelemetry.util.genai"


@contextmanager
def recording(path: Path, keep: Callable[[ReadableSpan], bool] = bool) -> Iterator[TracerProvider]:
    """A provider with the limits of the environment; what it recorded is in ``path`` behind it."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(memory))
    yield provider
    provider.shutdown()
    kept = [span for span in memory.get_finished_spans() if keep(span)]
    path.write_bytes(encode_spans(kept).SerializeToString())


def chat(question: str, answer: str, turns: int = 1) -> dict[str, Any]:
    """An OpenInference model call with a history of ``turns`` messages."""
    found: dict[str, Any] = {"openinference.span.kind": "LLM", "llm.model_name": "m"}
    for n in range(turns):
        start = f"llm.input_messages.{n}.message"
        found[f"{start}.role"] = "user" if n % 2 == 0 else "assistant"
        found[f"{start}.content"] = f"{question} {n}"
    found["llm.output_messages.0.message.role"] = "assistant"
    found["llm.output_messages.0.message.content"] = answer
    return found


def run(
    provider: TracerProvider,
    number: int = 6,
    *,
    scope: str = OPENINFERENCE,
    turns: int = 1,
    answer: str = "It is on its way.",
    model: Mapping[str, Any] | None = None,
    tool: Mapping[str, Any] | None = None,
    parent: bool = False,
) -> None:
    """So many runs of an agent: a chain with a model call and a tool call in it."""
    tracer = provider.get_tracer(scope)
    for n in range(number):
        context = None
        if parent:
            far = SpanContext(n + 1, n + 1, is_remote=True, trace_flags=TraceFlags(1))
            context = set_span_in_context(NonRecordingSpan(far))
        asked = f"Where is order {n}? " + "Please look. " * (n + 3)
        root = {
            "openinference.span.kind": "CHAIN",
            "input.value": asked,
            "output.value": f"{answer} {n}",
        }
        with tracer.start_as_current_span("agent", context=context, attributes=root):
            attributes = model if model is not None else chat(asked, f"{answer} {n}", turns)
            with tracer.start_as_current_span("chat", attributes=dict(attributes)):
                pass
            used = tool if tool is not None else called(n, answer)
            with tracer.start_as_current_span("get_order", attributes=dict(used)):
                pass


def called(n: int, result: str) -> dict[str, Any]:
    """An OpenInference tool call."""
    return {
        "openinference.span.kind": "TOOL",
        "tool.name": "get_order",
        "input.value": json.dumps({"id": n}),
        "input.mime_type": "application/json",
        "output.value": json.dumps({"status": result, "order": n}),
        "output.mime_type": "application/json",
    }
