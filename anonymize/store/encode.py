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
from anonymize.store.shared import share
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
_TEXT = json.JSONEncoder(ensure_ascii=False).encode


def _places(names: str) -> tuple[int, ...]:
    return tuple(COLUMNS["steps"].index(name) for name in names.split())


_STEP = _places(
    "trace_id seq kind step_id parent_id started_at duration_ms error_kind error_message flags"
)
_LLM = _places(
    """model provider input_refs output_refs tools_blob has_usage input_tokens output_tokens cost
    finish_reason"""
)
_TOOL = _places("name arguments_json result_json call_id effect fidelity fault")
_USER = _places("content_json")
_RETRIEVAL = _places("name query_json documents_json")
_OTHER = _places("name span_kind input_json output_json")

#: Without the references of :mod:`anonymize.store.shared`, which come last.
_WIDTH = len(COLUMNS["steps"]) - 2

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
        row: list[Any] = [None] * _WIDTH
        kind, places, own = self._own(step)
        error = step.error
        common = (
            trace_id,
            seq,
            kind,
            step.step_id,
            step.parent_id,
            to_microseconds(step.started_at),
            step.duration_ms,
            error and error.kind,
            error and error.message,
            step.flags,
        )
        for place, value in zip(_STEP + places, common + own, strict=True):
            row[place] = value
        return tuple(row)

    def _own(self, step: Step) -> tuple[str, tuple[int, ...], Row]:
        match step:
            case ToolCall():
                return (
                    "tool",
                    _TOOL,
                    (
                        step.name,
                        json_text(step.arguments),
                        json_text(step.result),
                        step.call_id,
                        step.effect,
                        step.fidelity,
                        step.fault,
                    ),
                )
            case LLMCall():
                usage = step.usage
                return (
                    "llm",
                    _LLM,
                    (
                        step.model,
                        step.provider,
                        self.refs(step.input),
                        self.refs(step.output),
                        self.tools(step.tools),
                        usage is not None,
                        usage.input_tokens if usage else None,
                        usage.output_tokens if usage else None,
                        usage.cost if usage else None,
                        step.finish_reason,
                    ),
                )
            case UserTurn():
                return "user", _USER, (json_text(step.content),)
            case Retrieval():
                texts = json_text(step.query), json_text(step.documents)
                return "retrieval", _RETRIEVAL, (step.name, *texts)
            case Other():
                texts = json_text(step.input), json_text(step.output)
                return "other", _OTHER, (step.name, step.kind, *texts)
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
    content = _TEXT([trace.agent, row, steps, messages]).encode()
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
        steps=[*share(steps, messages)],
        messages=messages,
        blobs=encoder.blobs,
    )
