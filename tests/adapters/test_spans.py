"""Agents that emit OpenTelemetry: what only their spans know comes into the trace."""

from __future__ import annotations

import threading

import pytest

from anonymize.trace import LLMCall, Other, Retrieval, ToolCall
from tests.adapters.support import ORDER, WEATHER, replay, run_here, trace_of

pytest.importorskip("opentelemetry.sdk", reason="OpenTelemetry's SDK is not installed")


@pytest.mark.usefixtures("model")
def test_spans_add_what_no_interception_sees_where_it_happened() -> None:
    result = run_here("agents_otel:agent", trace_of("x", ORDER, WEATHER))
    assert result.output == "shipped"
    kinds = [type(s) for s in result.steps]
    assert kinds == [Other, ToolCall, Retrieval, ToolCall, LLMCall]
    found = result.steps[2]
    assert (found.query, found.documents[0]["id"]) == ("returns", "doc-1")
    assert [c.name for c in result.tool_calls] == ["lookup_order", "get_weather"]
    assert result.llm_calls[0].model == "in-process"
    assert len({s.step_id for s in result.steps}) == 5


@pytest.mark.usefixtures("model")
def test_spans_of_other_replays_and_of_no_replay_are_not_taken() -> None:
    import agents_otel

    with agents_otel.tracer.start_as_current_span("outside"):
        again = run_here("agents_otel:agent", trace_of("y", ORDER, WEATHER))
    thread = threading.Thread(target=lambda: agents_otel.tracer.start_span("later").end())
    thread.start()
    thread.join()
    assert len(again.steps) == 5


def test_workers_take_them_too(model: str) -> None:
    traces = [trace_of("x", ORDER, WEATHER, trace_id=f"t{n}") for n in range(3)]
    results = replay("agents_otel", "agent", model, *traces)
    for result in results:
        assert result.status == "ok", result.printed
        assert [type(s).__name__ for s in result.trace.steps] == [
            "Other",
            "ToolCall",
            "Retrieval",
            "ToolCall",
            "LLMCall",
        ]
