"""Traces to rows.

Each message of a trace becomes one row however often the history repeats it; steps refer to it
by number. That is what makes a day of traffic small.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from anonymize.store.schema import COLUMNS
from anonymize.store.values import Unstorable, day_of, json_text, to_microseconds
from anonymize.trace import (
    LLMCall,
    Message,
    Other,
    Retrieval,
    Step,
    ToolCall,
    ToolDefinition,
    Trace,
    UserTurn,
)

#: A system prompt longer than this is kept once for all traces beside it.
BLOB_CHARS = 1024

_SOURCE = COLUMNS["traces"].index("source")
_STEP_INDEX = {name: i for i, name in enumerate(COLUMNS["steps"])}

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class EncodedTrace:
    """A trace as rows (in the order of ``COLUMNS``).

    ``size`` is about its bytes without the blobs, which other traces may share.
    """

    trace_id: str
    date: date
    agent: str
    digest: str
    size: int
    trace: Row
    steps: list[Row]
    messages: list[Row]
    blobs: Mapping[str, str]


class _Encoder:
    """Collects one trace's messages and blobs."""

    def __init__(self) -> None:
        self.messages: dict[Row, int] = {}
        self.blobs: dict[str, str] = {}
        # Histories repeat the same objects and tool lists; looked up by identity, which is
        # safe while the trace is alive.
        self._seen: dict[int, int] = {}
        self._tools: dict[int, str | None] = {}

    def blob(self, text: str) -> str:
        name = hashlib.sha256(text.encode()).hexdigest()[:32]
        self.blobs[name] = text
        return name

    def refs(self, messages: Iterable[Message]) -> list[int]:
        return [self._ref(message) for message in messages]

    def _ref(self, message: Message) -> int:
        known = self._seen.get(id(message))
        if known is not None:
            return known
        content = json_text(message.content)
        blob: str | None = None
        if content and len(content) > BLOB_CHARS and message.role in ("system", "developer"):
            blob = self.blob(content)
            content = None
        row = (
            message.role,
            content,
            blob,
            json_text([[r.name, r.arguments, r.call_id] for r in message.tool_requests] or None),
            message.tool_call_id,
            message.name,
            message.reasoning,
        )
        ref = self.messages.setdefault(row, len(self.messages))
        self._seen[id(message)] = ref
        return ref

    def tools(self, tools: tuple[ToolDefinition, ...]) -> str | None:
        if id(tools) not in self._tools:
            text = json_text([[t.name, t.description, t.parameters] for t in tools] or None)
            self._tools[id(tools)] = None if text is None else self.blob(text)
        return self._tools[id(tools)]

    def step(self, trace_id: str, seq: int, step: Step) -> Row:
        row: list[Any] = [None] * len(_STEP_INDEX)
        kind, own = self._own(step)
        own |= {
            "trace_id": trace_id,
            "seq": seq,
            "kind": kind,
            "step_id": step.step_id,
            "parent_id": step.parent_id,
            "started_at": to_microseconds(step.started_at),
            "duration_ms": step.duration_ms,
            "error_kind": step.error.kind if step.error else None,
            "error_message": step.error.message if step.error else None,
            "flags": step.flags,
        }
        for name, value in own.items():
            row[_STEP_INDEX[name]] = value
        return tuple(row)

    def _own(self, step: Step) -> tuple[str, dict[str, Any]]:
        match step:
            case LLMCall():
                usage = step.usage
                return "llm", {
                    "model": step.model,
                    "provider": step.provider,
                    "input_refs": self.refs(step.input),
                    "output_refs": self.refs(step.output),
                    "tools_blob": self.tools(step.tools),
                    "has_usage": usage is not None,
                    "input_tokens": usage.input_tokens if usage else None,
                    "output_tokens": usage.output_tokens if usage else None,
                    "cost": usage.cost if usage else None,
                    "finish_reason": step.finish_reason,
                }
            case ToolCall():
                return "tool", {
                    "name": step.name,
                    "arguments_json": json_text(step.arguments),
                    "result_json": json_text(step.result),
                    "call_id": step.call_id,
                    "effect": step.effect,
                    "fidelity": step.fidelity,
                    "fault": step.fault,
                }
            case UserTurn():
                return "user", {"content_json": json_text(step.content)}
            case Retrieval():
                return "retrieval", {
                    "name": step.name,
                    "query_json": json_text(step.query),
                    "documents_json": json_text(step.documents),
                }
            case Other():
                return "other", {
                    "name": step.name,
                    "span_kind": step.kind,
                    "input_json": json_text(step.input),
                    "output_json": json_text(step.output),
                }
        raise Unstorable(f"a step is of an unknown kind: {type(step).__name__}")


def encode(trace: Trace, *, policy: str, entities: Mapping[str, int]) -> EncodedTrace:
    """The rows of ``trace``.

    Raises:
        Unstorable: a value that isn't JSON, a time without zone, text that isn't Unicode.
    """
    try:
        return _encode(trace, policy, entities)
    except Unstorable:
        raise
    except UnicodeEncodeError:
        raise Unstorable("a text is not valid Unicode") from None
    except (TypeError, ValueError, OverflowError, RecursionError):
        raise Unstorable("a field has a value of the wrong type or range") from None


def _encode(trace: Trace, policy: str, entities: Mapping[str, int]) -> EncodedTrace:
    encoder = _Encoder()
    steps = [encoder.step(trace.trace_id, seq, step) for seq, step in enumerate(trace.steps)]
    messages = [(trace.trace_id, seq, *row) for row, seq in encoder.messages.items()]
    started = to_microseconds(trace.started_at)
    row: list[Any] = [
        trace.trace_id,
        trace.agent_version,
        trace.session_id,
        trace.user_id,
        started,
        trace.duration_ms,
        json_text(trace.input),
        json_text(trace.output),
        trace.error.kind if trace.error else None,
        trace.error.message if trace.error else None,
        trace.pair_key,
        json_text(dict(trace.tags)),
        trace.lossy_flags,
        trace.origin,
        "",  # the source, which the digest leaves out
        len(steps),
        len(messages),
    ]
    # Blobs are in the digest by the hashes that the rows name.
    content = json.dumps([trace.agent, row, steps, messages], ensure_ascii=False).encode()
    trace.source.encode()  # checked here: one bad text would fail a whole batch later
    row[_SOURCE] = trace.source
    digest = hashlib.sha256(content).hexdigest()[:32]
    return EncodedTrace(
        trace_id=trace.trace_id,
        date=day_of(started),
        agent=trace.agent,
        digest=digest,
        size=len(content),
        trace=(*row, len(content), digest, policy, json_text(dict(entities))),
        steps=steps,
        messages=messages,
        blobs=encoder.blobs,
    )
