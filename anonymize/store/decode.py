"""Rows to traces: the inverse of ``encode``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anonymize.store.shared import long_text
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


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a table, column by column: those from ``start`` to before ``end``."""

    columns: Mapping[str, Sequence[Any]]
    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


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


def decode(trace: Mapping[str, Any], steps: Rows, messages: Rows, blobs: Blobs) -> Trace:
    """The trace of these rows (``trace`` by column; times as microseconds since 1970).

    Raises ``KeyError``, ``IndexError``, ``ValueError`` or ``TypeError`` where rows contradict
    each other; the reader says in which file.
    """
    own = [trace["trace_id"]]
    for rows, number in ((steps, trace["n_steps"]), (messages, trace["n_messages"])):
        if number and rows.columns["trace_id"][rows.start : rows.end] != own * number:
            raise ValueError("rows are missing")
    texts = messages.columns
    history = [_message(texts, at, blobs) for at in range(messages.start, messages.end)]
    contents = texts["content_json"][messages.start : messages.end] if messages else ()
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
        error=_error(trace["error_kind"], trace["error_message"]),
        steps=tuple(
            [
                _step(steps.columns, at, history, contents, blobs)
                for at in range(steps.start, steps.end)
            ]
        ),
        pair_key=trace["pair_key"],
        tags=json_value(trace["tags_json"]) or {},
        lossy_flags=tuple(trace["lossy_flags"] or ()),
        origin=trace["origin"],
        source=trace["source"],
    )


def _error(kind: str | None, message: Any) -> StepError | None:
    return None if kind is None else StepError(kind=kind, message=message)


def _message(rows: Mapping[str, Sequence[Any]], at: int, blobs: Blobs) -> Message:
    blob, requests = rows["content_blob"][at], rows["tool_requests_json"][at]
    return Message(
        role=rows["role"][at],
        content=json_value(rows["content_json"][at]) if blob is None else blobs.value(blob),
        tool_requests=()
        if requests is None
        else tuple(ToolRequest(name=n, arguments=a, call_id=c) for n, a, c in json_value(requests)),
        tool_call_id=rows["tool_call_id"][at],
        name=rows["name"][at],
        reasoning=rows["reasoning"][at],
    )


def _step(
    rows: Mapping[str, Sequence[Any]],
    at: int,
    history: Sequence[Message],
    contents: Sequence[str | None],
    blobs: Blobs,
) -> Step:
    common: dict[str, Any] = {
        "step_id": rows["step_id"][at],
        "parent_id": rows["parent_id"][at],
        "started_at": to_time(rows["started_at"][at]),
        "duration_ms": rows["duration_ms"][at],
        "error": _error(rows["error_kind"][at], rows["error_message"][at]),
        "flags": tuple(rows["flags"][at] or ()),
    }
    match rows["kind"][at]:
        case "llm":
            usage = None
            if rows["has_usage"][at]:
                usage = Usage(
                    input_tokens=rows["input_tokens"][at],
                    output_tokens=rows["output_tokens"][at],
                    cost=rows["cost"][at],
                )
            return LLMCall(
                **common,
                model=rows["model"][at],
                provider=rows["provider"][at],
                input=tuple([history[i] for i in rows["input_refs"][at]]),
                output=tuple([history[i] for i in rows["output_refs"][at]]),
                tools=blobs.tools(rows["tools_blob"][at]),
                usage=usage,
                finish_reason=rows["finish_reason"][at],
            )
        case "tool":
            return ToolCall(
                **common,
                name=rows["name"][at],
                arguments=json_value(rows["arguments_json"][at]),
                result=long_text("result_json", rows, at, contents),
                call_id=rows["call_id"][at],
                effect=rows["effect"][at],
                fidelity=rows["fidelity"][at],
                fault=rows["fault"][at],
            )
        case "user":
            return UserTurn(**common, content=long_text("content_json", rows, at, contents))
        case "retrieval":
            return Retrieval(
                **common,
                name=rows["name"][at],
                query=json_value(rows["query_json"][at]),
                documents=long_text("documents_json", rows, at, contents),
            )
        case "other":
            return Other(
                **common,
                name=rows["name"][at],
                kind=rows["span_kind"][at],
                input=json_value(rows["input_json"][at]),
                output=long_text("output_json", rows, at, contents),
            )
    raise ValueError("a step has an unknown kind")
