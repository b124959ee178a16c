"""Traces of the OpenAI Agents SDK as its exporters write them: ``trace`` and ``trace.span``.

A span becomes one in the terms of OpenTelemetry's GenAI conventions. A ``response`` span tells
no content by itself unless the processor added ``input`` and ``response``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from anonymize.conventions.results import handover
from anonymize.conventions.values import as_dict, as_text, structured
from anonymize.sources.otlp_json import Found
from anonymize.spans import Scope, Span, SpanEvent, nanoseconds, parse_time
from anonymize.trace import Json, SkippedTrace

_OPERATIONS = {
    "agent": "invoke_agent",
    "generation": "chat",
    "response": "chat",
    "function": "execute_tool",
}


def is_openai_agents(document: Json) -> bool:
    """Whether a JSON value is a trace or a span of the SDK, or a batch of them."""
    return isinstance(document, dict) and document.get("object") in ("trace", "trace.span")


def read_openai_agents(
    document: dict[str, Any], where: str, *, dirty: bool = False
) -> Iterator[Found]:
    """The span of one item. A trace's own item becomes its outermost span."""
    if document["object"] == "trace":
        identity = as_text(document.get("id"))
        if not identity:
            yield SkippedTrace(reason="an OpenAI Agents trace without an id", where=where)
            return
        yield _trace(document, identity, dirty)
        return
    identity, trace_id = as_text(document.get("id")), as_text(document.get("trace_id"))
    if not identity or not trace_id:
        yield SkippedTrace(reason="an OpenAI Agents span without ids", where=where)
        return
    yield _span(document, identity, trace_id, dirty)


def _trace(document: Mapping[str, Any], identity: str, dirty: bool) -> Span:
    metadata = as_dict(document.get("metadata"))
    attributes: dict[str, Json] = {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": document.get("workflow_name"),
        "gen_ai.conversation.id": document.get("group_id"),
        "user.id": metadata.get("user_id"),
        "gen_ai.agent.version": metadata.get("version") or metadata.get("agent_version"),
    }
    return Span(
        trace_id=identity,
        span_id=identity,
        name=as_text(document.get("workflow_name")),
        attributes={k: v for k, v in attributes.items() if v},
        scope=Scope("openai-agents", "", metadata),
        maybe_dirty=dirty,
    )


def _span(document: Mapping[str, Any], identity: str, trace_id: str, dirty: bool) -> Span:
    flags: set[str] = set()
    data = as_dict(document.get("span_data"))
    kind = as_text(data.get("type"))
    error = as_dict(document.get("error"))
    message = as_text(error.get("message"))
    events: tuple[SpanEvent, ...] = ()
    if error:
        details = as_dict(error.get("data"))
        said = as_text(details.get("error")) or message
        events = (SpanEvent(name="exception", attributes={"exception.message": said}),)
    name = as_text(data.get("name")) or kind
    return Span(
        trace_id=trace_id,
        span_id=identity,
        parent_id=as_text(document.get("parent_id")) or trace_id,
        name=name,
        start_ns=nanoseconds(parse_time(document.get("started_at"))),
        end_ns=nanoseconds(parse_time(document.get("ended_at"))),
        attributes=_attributes(kind, name, data, flags),
        events=events,
        status="error" if error else "unset",
        status_message=message,
        scope=Scope("openai-agents"),
        flags=tuple(sorted(flags)),
        remote_parent=not document.get("parent_id"),  # the trace's own item may come elsewhere
        maybe_dirty=dirty,
    )


def _attributes(kind: str, name: str, data: Mapping[str, Any], flags: set[str]) -> dict[str, Json]:
    found: dict[str, Json] = {"gen_ai.operation.name": _OPERATIONS.get(kind, "")}
    if kind == "agent":
        found["gen_ai.agent.name"] = name
    elif kind == "function":
        found["gen_ai.tool.name"] = name
        found["gen_ai.tool.call.arguments"] = structured(data.get("input"), flags)
        found["gen_ai.tool.call.result"] = data.get("output")
    elif kind in ("generation", "response"):
        response = as_dict(data.get("response"))
        found["gen_ai.request.model"] = data.get("model") or response.get("model")
        found["gen_ai.input.messages"] = data.get("input")
        found["gen_ai.output.messages"] = data.get("output") or response.get("output")
        found["gen_ai.system_instructions"] = response.get("instructions")
        found["gen_ai.tool.definitions"] = response.get("tools")
        found["gen_ai.response.id"] = data.get("response_id") or response.get("id")
        usage = as_dict(data.get("usage") or response.get("usage"))
        for key in ("input_tokens", "output_tokens"):
            found[f"gen_ai.usage.{key}"] = usage.get(key)
        found["gen_ai.provider.name"] = "openai"
    elif kind == "handoff":
        found["gen_ai.operation.name"] = "execute_tool"
        found["gen_ai.tool.name"] = handover(as_text(data.get("to_agent")))
        found["gen_ai.tool.call.arguments"] = {}
    return {k: v for k, v in found.items() if v not in (None, "", [])}
