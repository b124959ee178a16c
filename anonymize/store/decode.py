"""Rows to traces: the inverse of ``encode``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anonymize.store.values import json_value, to_time
from anonymize.trace import (
    Json,
    LLMCall,
    Message,
    Other,
    Retrieval,
    Step,
    StepError,
    ToolCall,
    ToolDefinition,
    ToolRequest,
    Trace,
    Usage,
    UserTurn,
)


class Blobs:
    """The shared texts of one part, each parsed once: traces then share the objects too."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._values: dict[str, Json] = {}
        self._tools: dict[str, tuple[ToolDefinition, ...]] = {}

    def value(self, name: str) -> Json:
        if name not in self._values:
            self._values[name] = json_value(self._texts[name])
        return self._values[name]

    def tools(self, name: str | None) -> tuple[ToolDefinition, ...]:
        if name is None:
            return ()
        if name not in self._tools:
            self._tools[name] = tuple(
                ToolDefinition(name=n, description=d, parameters=p)
                for n, d, p in json_value(self._texts[name])
            )
        return self._tools[name]


def decode(
    trace: Mapping[str, Any],
    steps: Sequence[Mapping[str, Any]],
    messages: Sequence[Mapping[str, Any]],
    blobs: Blobs,
) -> Trace:
    """The trace of these rows (dicts by column; times as microseconds since 1970).

    Raises ``KeyError``, ``IndexError``, ``ValueError`` or ``TypeError`` where rows contradict
    each other; the reader says in which file.
    """
    if len(steps) != trace["n_steps"] or len(messages) != trace["n_messages"]:
        raise ValueError("rows are missing")
    history = [_message(row, blobs) for row in messages]
    return Trace(
        trace_id=trace["trace_id"],
        agent=trace["agent"],
        agent_version=trace["agent_version"],
        session_id=trace["session_id"],
        user_id=trace["user_id"],
        started_at=to_time(trace["started_at"]),
        duration_ms=trace["duration_ms"],
        input=json_value(trace["input_json"]),
        output=json_value(trace["output_json"]),
        error=_error(trace),
        steps=tuple(_step(row, history, blobs) for row in steps),
        pair_key=trace["pair_key"],
        tags=json_value(trace["tags_json"]) or {},
        lossy_flags=tuple(trace["lossy_flags"] or ()),
        origin=trace["origin"],
        source=trace["source"],
    )


def _error(row: Mapping[str, Any]) -> StepError | None:
    if row["error_kind"] is None:
        return None
    return StepError(kind=row["error_kind"], message=row["error_message"])


def _message(row: Mapping[str, Any], blobs: Blobs) -> Message:
    blob = row["content_blob"]
    return Message(
        role=row["role"],
        content=json_value(row["content_json"]) if blob is None else blobs.value(blob),
        tool_requests=tuple(
            ToolRequest(name=n, arguments=a, call_id=c)
            for n, a, c in json_value(row["tool_requests_json"]) or ()
        ),
        tool_call_id=row["tool_call_id"],
        name=row["name"],
        reasoning=row["reasoning"],
    )


def _step(row: Mapping[str, Any], history: Sequence[Message], blobs: Blobs) -> Step:
    common: dict[str, Any] = {
        "step_id": row["step_id"],
        "parent_id": row["parent_id"],
        "started_at": to_time(row["started_at"]),
        "duration_ms": row["duration_ms"],
        "error": _error(row),
        "flags": tuple(row["flags"] or ()),
    }
    match row["kind"]:
        case "llm":
            usage = None
            if row["has_usage"]:
                usage = Usage(
                    input_tokens=row["input_tokens"],
                    output_tokens=row["output_tokens"],
                    cost=row["cost"],
                )
            return LLMCall(
                **common,
                model=row["model"],
                provider=row["provider"],
                input=tuple(history[i] for i in row["input_refs"]),
                output=tuple(history[i] for i in row["output_refs"]),
                tools=blobs.tools(row["tools_blob"]),
                usage=usage,
                finish_reason=row["finish_reason"],
            )
        case "tool":
            return ToolCall(
                **common,
                name=row["name"],
                arguments=json_value(row["arguments_json"]),
                result=json_value(row["result_json"]),
                call_id=row["call_id"],
                effect=row["effect"],
                fidelity=row["fidelity"],
                fault=row["fault"],
            )
        case "user":
            return UserTurn(**common, content=json_value(row["content_json"]))
        case "retrieval":
            return Retrieval(
                **common,
                name=row["name"],
                query=json_value(row["query_json"]),
                documents=json_value(row["documents_json"]),
            )
        case "other":
            return Other(
                **common,
                name=row["name"],
                kind=row["span_kind"],
                input=json_value(row["input_json"]),
                output=json_value(row["output_json"]),
            )
    raise ValueError("a step has an unknown kind")
