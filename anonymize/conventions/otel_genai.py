"""OpenTelemetry's GenAI semantic conventions, the old event-based form and the new one.

New: ``gen_ai.input.messages``, ``gen_ai.output.messages`` and ``gen_ai.system_instructions`` as
JSON text or structured values. Old: a span event (or log record) per message,
``gen_ai.user.message`` ... ``gen_ai.choice``; before that ``gen_ai.content.prompt`` events and
``gen_ai.prompt``/``gen_ai.completion`` attributes. Source: opentelemetry.io, semconv gen-ai.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from anonymize.conventions.definitions import effect_of, prefixed_usage, read_effects, read_tools
from anonymize.conventions.histories import read_history
from anonymize.conventions.interface import MISSING, Kind, Reading
from anonymize.conventions.message import split_speakers
from anonymize.conventions.messages import read_messages
from anonymize.conventions.parts import is_text, read_content
from anonymize.conventions.results import finish_reason, is_command, mcp_text, unbox
from anonymize.conventions.values import (
    as_dict,
    as_text,
    first,
    first_text,
    labels,
    look,
    structured,
    unquoted,
)
from anonymize.spans import Span, SpanEvent
from anonymize.trace import Json, Message, StepError

OPERATIONS: Mapping[str, Kind] = {
    "chat": "llm",
    "text_completion": "llm",
    "completion": "llm",
    "generate_content": "llm",
    "generate": "llm",
    "responses": "llm",
    "embeddings": "embedding",
    "embedding": "embedding",
    "execute_tool": "tool",
    "invoke_agent": "agent",
    "invoke_workflow": "chain",
    "conversation": "chain",
    "chain": "chain",
    "retrieval": "retrieval",
    "search": "retrieval",
    "vector_db_retrieve": "retrieval",
}
_INPUT_EVENTS = frozenset(
    f"gen_ai.{role}.message" for role in ("system", "user", "assistant", "tool", "developer")
)


@dataclass(frozen=True, slots=True)
class OtelGenAI:
    """``gen_ai.*`` attributes and events."""

    name: str = "otel_genai"

    def matches(self, span: Span, prefixes: frozenset[str]) -> bool:
        return "gen_ai" in prefixes or any(e.name.startswith("gen_ai.") for e in span.events)

    def read(self, span: Span) -> Reading:
        a = span.attributes
        reading = Reading(convention=self.name)
        flags = reading.flags
        reading.kind, reading.inferred = _kind(a)
        reading.model = first_text(a, "gen_ai.request.model", "gen_ai.response.model")
        reading.provider = first_text(a, "gen_ai.provider.name", "gen_ai.system")
        reading.response_id = first_text(a, "gen_ai.response.id") or None
        reading.session_id = first_text(a, "gen_ai.conversation.id", "session.id") or None
        reading.user_id = first_text(a, "enduser.id", "user.id") or None
        reading.agent = first_text(a, "gen_ai.agent.name") if reading.kind != "chain" else ""
        reading.agent_version = first_text(a, "gen_ai.agent.version")
        reading.workflow = first_text(a, "gen_ai.workflow.name")
        reading.usage = prefixed_usage(
            a, "gen_ai.usage.", cost=first(a, "gen_ai.usage.cost", "operation.cost")
        )
        told = (first(h, "gen_ai.tool.definitions") for h in _holders(span))
        offered = next((tools for tools in told if tools is not None), None)
        reading.tools, reading.effects = read_tools(offered, flags), read_effects(offered, flags)
        reasons = labels(a.get("gen_ai.response.finish_reasons"), flags)
        reading.finish_reason = reasons[0] if reasons else None
        if not reasons:  # Semantic Kernel: one, as Python prints an enum
            reason = first_text(a, "gen_ai.response.finish_reason")
            reading.finish_reason = reason.rpartition(".")[2].lower() or None
        if reading.kind == "tool":
            _read_tool(span, reading)
        elif reading.kind == "retrieval":
            reading.query = first(a, "gen_ai.retrieval.query.text", "gen_ai.retrieval.query")
            documents = first(a, "gen_ai.retrieval.documents")
            reading.documents = structured(documents, flags, expected=True)
        elif reading.kind != "embedding":
            _read_messages(span, reading)
            if reading.output and reading.finish_reason is None and reading.kind == "llm":
                said = (structured(h.get("gen_ai.output.messages"), flags) for h in _holders(span))
                reading.finish_reason = next((r for s in said if (r := finish_reason(s))), None)
        return reading


def _holders(span: Span) -> list[Mapping[str, Json]]:
    """Where a call's content may be: on the span, or in the event that tells its details."""
    details = [e.attributes for e in span.events if e.name.endswith("operation.details")]
    return [span.attributes, *details]


def _kind(a: Mapping[str, Json]) -> tuple[Kind | None, bool]:
    operation = a.get("gen_ai.operation.name")
    if isinstance(operation, str) and operation:
        return OPERATIONS.get(operation.lower()), False
    if first(a, "gen_ai.tool.name", "gen_ai.tool.call.id") is not None:
        return "tool", True
    if first(a, "gen_ai.request.model", "gen_ai.response.model") is not None:
        return "llm", True
    return None, True


def _read_tool(span: Span, reading: Reading) -> None:
    a, flags = span.attributes, reading.flags
    reading.name = first_text(a, "gen_ai.tool.name")
    reading.call_id = first_text(a, "gen_ai.tool.call.id") or None
    hints = as_dict(structured(first(a, "mcp.tool.annotations", "gen_ai.tool.annotations"), flags))
    reading.effect = effect_of(hints)
    arguments = first(a, "gen_ai.tool.call.arguments", "gen_ai.tool.arguments")
    # OpenLLMetry writes its own box under these names too; its convention opens it.
    if arguments is not None and arguments != a.get("traceloop.entity.input"):
        reading.arguments = look(structured(arguments, flags, expected=True), flags)
    result = a.get("gen_ai.tool.call.result")
    if "gen_ai.tool.call.result" in a and result != a.get("traceloop.entity.output", MISSING):
        if isinstance(result, str):
            result = unquoted(result)  # some write even a text as JSON (Vercel AI from 7 on)
        result = structured(result, flags)
        if is_command(result):
            unbox(result, reading)
        else:
            reading.result = look(mcp_text(result), flags)
        if span.scope.name.startswith("strands"):
            reading.result = _of_parts(reading.result, flags)
    for event in span.events:  # Strands records both as events
        body = event.attributes
        if event.name == "gen_ai.tool.message" and reading.arguments is MISSING:
            reading.arguments = structured(body.get("content"), flags, expected=True)
            reading.call_id = reading.call_id or first_text(body, "id") or None
        elif event.name == "gen_ai.choice" and reading.result is MISSING:
            reading.result = _of_parts(structured(body.get("message"), flags), flags)
    if first_text(a, "tool.status", "gen_ai.tool.status").lower() == "error":
        reading.error = StepError(kind="ToolError", message=as_text(_known(reading.result)))


def _of_parts(value: Json, flags: set[str]) -> Json:
    """Strands' tools answer in parts: those of a text are what the tool returned."""
    parts = isinstance(value, list) and bool(value) and all(is_text(p) for p in value)
    return read_content(value, flags).value() if parts else value


def _known(value: Json) -> Json:
    return None if value is MISSING else value


def _read_messages(span: Span, reading: Reading) -> None:
    a, flags = span.attributes, reading.flags
    system: tuple[Message, ...] = ()
    for holder in _holders(span):
        system = system or _system(holder.get("gen_ai.system_instructions"), flags)
        system = system or _spoken(holder.get("system_prompt"), flags)
        reading.input = reading.input or _json(holder, "gen_ai.input.messages", "user", flags)
        reading.output = reading.output or _json(
            holder, "gen_ai.output.messages", "assistant", flags
        )
    asked, said = _from_events(span.events, flags)
    reading.input = reading.input or asked or _plain(first(a, "gen_ai.prompt"), "user", flags)
    reading.output = (
        reading.output or said or _plain(first(a, "gen_ai.completion"), "assistant", flags)
    )
    if span.scope.name.startswith("@traceloop/"):
        reading.input = _opened_items(reading.input, flags)
    if system and reading.input[:1] != system:
        reading.input = (*system, *reading.input)


def _system(given: Json, flags: set[str]) -> tuple[Message, ...]:
    """The system message; text of it that is repeated in each call is read once."""
    if not isinstance(given, str) or len(given) > _MAX_REMEMBERED:
        return _read_system(given, flags)
    system, raised = _system_in(given)
    flags |= raised
    return system


def _opened_items(messages: tuple[Message, ...], flags: set[str]) -> tuple[Message, ...]:
    """A Responses request's items, which OpenLLMetry for JavaScript takes for the user's words."""
    only = messages[0] if len(messages) == 1 else None
    if only is None or not isinstance(only.content, str) or only.content[:2] != "[{":
        return messages
    items = structured(only.content, flags)
    return read_messages(items, "user", flags) or messages if isinstance(items, list) else messages


_MAX_REMEMBERED = 65_536


@lru_cache(maxsize=128)
def _system_in(text: str) -> tuple[tuple[Message, ...], frozenset[str]]:
    flags: set[str] = set()
    return _read_system(text, flags), frozenset(flags)


def _read_system(given: Json, flags: set[str]) -> tuple[Message, ...]:
    return _spoken(structured(given, flags, expected=True), flags)


def _spoken(content: Json, flags: set[str]) -> tuple[Message, ...]:
    text = read_content(content, flags).value()
    return (Message(role="system", content=text),) if text else ()


def _json(holder: Mapping[str, Json], key: str, role: str, flags: set[str]) -> tuple[Message, ...]:
    return read_history(holder.get(key), role, flags)


def _plain(value: Json, role: str, flags: set[str]) -> tuple[Message, ...]:
    """A prompt or completion in one attribute: JSON of messages, or text, maybe of many turns."""
    value = structured(value, flags)
    if isinstance(value, str):
        return (
            tuple(split_speakers(value, role, flags))
            if role == "user"
            else read_messages(value, role, flags)
        )
    return read_messages(value, role, flags)


def _opened(body: Mapping[str, Json], flags: set[str]) -> dict[str, Json]:
    """An event's body; Semantic Kernel logs the whole message as the JSON text of its content."""
    content = body.get("content")
    if isinstance(content, str) and content.startswith("{"):
        inner = structured(content, flags)
        if isinstance(inner, dict) and inner.keys() & {"role", "message"}:
            return {**{k: v for k, v in body.items() if k != "content"}, **inner}
    return dict(body)


def _from_events(
    events: Iterable[SpanEvent], flags: set[str]
) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    asked: list[Message] = []
    said: list[Message] = []
    for event in events:
        body = _opened(event.attributes, flags)
        if event.name in _INPUT_EVENTS:
            role = event.name.split(".")[1]
            heard = read_messages({"role": role, "content": None, **body}, role, flags)
            if role == "user":  # botocore: answers of tools alone, and again within his message
                heard = tuple(m for m in heard if m.role != "tool" or m not in asked)
            asked += heard
        elif event.name == "gen_ai.choice":
            message = structured(body.get("message"), flags)
            if isinstance(message, dict):
                body = message
            elif message is not None:
                body = {**body, "content": message}
            said += read_messages(
                {"role": "assistant", "content": None, **body}, "assistant", flags
            )
        elif event.name == "gen_ai.content.prompt":
            asked += _plain(first(body, "gen_ai.prompt", "gen_ai.event.content"), "user", flags)
        elif event.name == "gen_ai.content.completion":
            said += _plain(
                first(body, "gen_ai.completion", "gen_ai.event.content"), "assistant", flags
            )
    return tuple(asked), tuple(said)
