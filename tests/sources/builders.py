"""Tiny builders of OTLP documents, in JSON and in protobuf, from the same plain spans."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from anonymize.sources import open_source
from anonymize.trace import LLMCall, SkippedTrace, ToolCall, Trace

T0 = 1_790_000_000_000_000_000
TRACE = "0af7651916cd43dd8448eb211c80319c"


def span(
    number: int,
    name: str = "span",
    attributes: Mapping[str, Any] | None = None,
    *,
    parent: int | None = None,
    trace: str = TRACE,
    start: int | None = None,
    end: int | None = None,
    **more: Any,
) -> dict[str, Any]:
    """An OTLP/JSON span. ``number`` makes its id; times are milliseconds after ``T0``."""
    begin = number * 10 if start is None else start
    return {
        "traceId": trace,
        "spanId": f"{number:016x}",
        "parentSpanId": "" if parent is None else f"{parent:016x}",
        "name": name,
        "kind": 1,
        "startTimeUnixNano": str(T0 + begin * 1_000_000),
        "endTimeUnixNano": str(T0 + (begin + 5 if end is None else end) * 1_000_000),
        "attributes": key_values(attributes or {}),
        **more,
    }


def key_values(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": k, "value": any_value(v)} for k, v in attributes.items()]


def any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(v) for v in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": key_values(value)}}
    return {} if value is None else {"stringValue": value}


def request(
    spans: Iterable[dict[str, Any]],
    *,
    scope: str = "test",
    resource: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """An export request; spans with a ``scope`` key get a scope of their own."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for item in spans:
        own = dict(item)
        groups.setdefault(own.pop("scope", scope), []).append(own)
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": key_values(resource or {"service.name": "shop"})},
                "scopeSpans": [
                    {"scope": {"name": name}, "spans": own} for name, own in groups.items()
                ],
            }
        ]
    }


def line(*spans: dict[str, Any], **more: Any) -> bytes:
    return json.dumps(request(spans, **more)).encode() + b"\n"


def proto(document: Mapping[str, Any]) -> bytes:
    """The same document as protobuf bytes."""
    data = TracesData()
    for entry in document["resourceSpans"]:
        resource = data.resource_spans.add()
        _set_attributes(resource.resource.attributes, entry["resource"]["attributes"])
        for group in entry["scopeSpans"]:
            scope = resource.scope_spans.add()
            scope.scope.name = group["scope"]["name"]
            for raw in group["spans"]:
                _add_span(scope.spans.add(), raw)
    return data.SerializeToString()


def _add_span(out: Any, raw: Mapping[str, Any]) -> None:
    out.trace_id = bytes.fromhex(raw["traceId"])
    out.span_id = bytes.fromhex(raw["spanId"])
    out.parent_span_id = bytes.fromhex(raw.get("parentSpanId", ""))
    out.name = raw["name"]
    out.kind = raw["kind"]
    out.start_time_unix_nano = int(raw["startTimeUnixNano"])
    out.end_time_unix_nano = int(raw["endTimeUnixNano"])
    out.flags = raw.get("flags", 0)
    out.dropped_attributes_count = raw.get("droppedAttributesCount", 0)
    status = raw.get("status", {})
    out.status.code = status.get("code", 0)
    out.status.message = status.get("message", "")
    _set_attributes(out.attributes, raw["attributes"])
    for event in raw.get("events", []):
        own = out.events.add()
        own.name = event["name"]
        _set_attributes(own.attributes, event["attributes"])


def _set_attributes(out: Any, items: list[dict[str, Any]]) -> None:
    for item in items:
        own = out.add()
        own.key = item["key"]
        _set_value(own.value, item["value"])


def _set_value(out: Any, value: Mapping[str, Any]) -> None:
    for kind, inner in value.items():
        if kind == "stringValue":
            out.string_value = inner
        elif kind == "intValue":
            out.int_value = int(inner)
        elif kind == "boolValue":
            out.bool_value = inner
        elif kind == "doubleValue":
            out.double_value = inner
        elif kind == "arrayValue":
            out.array_value.SetInParent()
            for item in inner["values"]:
                _set_value(out.array_value.values.add(), item)
        elif kind == "kvlistValue":
            out.kvlist_value.SetInParent()
            _set_attributes(out.kvlist_value.values, inner["values"])


def read_path(path: Path) -> list[Trace | SkippedTrace]:
    return list(open_source(str(path), {}).read())


def read(tmp_path: Path, *spans: dict[str, Any], **more: Any) -> Trace:
    """The one trace that these spans make."""
    path = tmp_path / "spans.jsonl"
    path.write_bytes(line(*spans, **more))
    [trace] = read_path(path)
    assert isinstance(trace, Trace)
    return trace


def exception(kind: str, message: str) -> dict[str, Any]:
    """The fields of a span that raised."""
    given = {"exception.type": kind, "exception.message": message}
    return {
        "status": {"code": 2, "message": f"{kind}('{message}')"},
        "events": [{"name": "exception", "attributes": key_values(given)}],
    }


# --- spans of an agent, in OTel GenAI's words -----------------------------------------------


def text(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": content}]}


def asks(name: str, arguments: Any, call_id: str | None = "c1") -> dict[str, Any]:
    part = {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}
    return {"role": "assistant", "parts": [part]}


def answers(response: Any, call_id: str | None = "c1") -> dict[str, Any]:
    part = {"type": "tool_call_response", "id": call_id, "response": response}
    return {"role": "tool", "parts": [part]}


def chat(
    number: int, given: list[Any], made: list[Any], *, model: str = "m", **more: Any
) -> dict[str, Any]:
    extra = more.pop("attributes", {})
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": model,
        "gen_ai.input.messages": json.dumps(given),
        "gen_ai.output.messages": json.dumps(made),
        **extra,
    }
    return span(number, "chat m", attributes, **more)


def tool(
    number: int,
    name: str,
    arguments: Any,
    result: Any = "done",
    *,
    call_id: str | None = "c1",
    **more: Any,
) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.arguments": json.dumps(arguments),
    }
    if call_id is not None:
        attributes["gen_ai.tool.call.id"] = call_id
    if result is not None:
        attributes["gen_ai.tool.call.result"] = result
    return span(number, f"execute_tool {name}", attributes, **more)


def agent(number: int, name: str = "shop", **more: Any) -> dict[str, Any]:
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}
    return span(number, f"invoke_agent {name}", attributes, start=0, end=1000, **more)


def only_llm(trace: Trace) -> LLMCall:
    [call] = trace.llm_calls
    return call


def only_tool(trace: Trace) -> ToolCall:
    [call] = trace.tool_calls
    return call
