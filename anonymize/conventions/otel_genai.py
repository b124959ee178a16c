"""OpenTelemetry's GenAI semantic conventions, the old event-based form and the new one.

New: ``gen_ai.input.messages``, ``gen_ai.output.messages`` and ``gen_ai.system_instructions`` as
JSON text or structured values. Old: a span event (or log record) per message,
``gen_ai.user.message`` ... ``gen_ai.choice``; before that ``gen_ai.content.prompt`` events and
``gen_ai.prompt``/``gen_ai.completion`` attributes. Source: opentelemetry.io, semconv gen-ai.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from anonymize.conventions.definitions import effect_of, prefixed_usage, read_effects, read_tools
from anonymize.conventions.interface import MISSING, Kind, Reading
from anonymize.conventions.message import split_speakers
from anonymize.conventions.messages import read_messages
from anonymize.conventions.parts import read_content
from anonymize.conventions.values import as_dict, first, first_text, labels, look, structured
from anonymize.spans import Span, SpanEvent
from anonymize.trace import Json, Message

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
    "create_agent": "agent",
    "invoke_workflow": "chain",
    "chain": "chain",
    "retrieval": "retrieval",
    "search": "retrieval",
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
        reading.agent = first_text(a, "gen_ai.agent.name")
        reading.agent_version = first_text(a, "gen_ai.agent.version")
        reading.workflow = first_text(a, "gen_ai.workflow.name")
        reading.usage = prefixed_usage(
            a, "gen_ai.usage.", cost=first(a, "gen_ai.usage.cost", "operation.cost")
        )
        offered = first(a, "gen_ai.tool.definitions")
        reading.tools, reading.effects = read_tools(offered, flags), read_effects(offered, flags)
        reasons = labels(a.get("gen_ai.response.finish_reasons"), flags)
        reading.finish_reason = reasons[0] if reasons else None
        if reading.kind == "tool":
            _read_tool(span, reading)
        elif reading.kind == "retrieval":
            reading.query = first(a, "gen_ai.retrieval.query.text", "gen_ai.retrieval.query")
            documents = first(a, "gen_ai.retrieval.documents")
            reading.documents = structured(documents, flags, expected=True)
        elif reading.kind != "embedding":
            _read_messages(span, reading)
        return reading


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
    if arguments is not None:
        reading.arguments = look(structured(arguments, flags, expected=True), flags)
    if "gen_ai.tool.call.result" in a:
        reading.result = look(structured(a["gen_ai.tool.call.result"], flags), flags)
    for event in span.events:  # Strands records both as events
        body = event.attributes
        if event.name == "gen_ai.tool.message" and reading.arguments is MISSING:
            reading.arguments = structured(body.get("content"), flags, expected=True)
            reading.call_id = reading.call_id or first_text(body, "id") or None
        elif event.name == "gen_ai.choice" and reading.result is MISSING:
            reading.result = structured(body.get("message"), flags)


def _read_messages(span: Span, reading: Reading) -> None:
    a, flags = span.attributes, reading.flags
    holders: list[Mapping[str, Json]] = [a]
    holders += [e.attributes for e in span.events if e.name.endswith("operation.details")]
    system: list[Message] = []
    for holder in holders:
        given = structured(holder.get("gen_ai.system_instructions"), flags, expected=True)
        text = read_content(given, flags).value()
        if text and not system:
            system = [Message(role="system", content=text)]
        reading.input = reading.input or _json(holder, "gen_ai.input.messages", "user", flags)
        reading.output = reading.output or _json(
            holder, "gen_ai.output.messages", "assistant", flags
        )
    asked, said = _from_events(span.events, flags)
    reading.input = reading.input or asked or _plain(first(a, "gen_ai.prompt"), "user", flags)
    reading.output = (
        reading.output or said or _plain(first(a, "gen_ai.completion"), "assistant", flags)
    )
    if system and reading.input[:1] != tuple(system):
        reading.input = (*system, *reading.input)


def _json(holder: Mapping[str, Json], key: str, role: str, flags: set[str]) -> tuple[Message, ...]:
    value = structured(holder.get(key), flags, expected=True)
    return read_messages(value, role, flags)


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


def _from_events(
    events: Iterable[SpanEvent], flags: set[str]
) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    asked: list[Message] = []
    said: list[Message] = []
    for event in events:
        body = dict(event.attributes)
        if event.name in _INPUT_EVENTS:
            role = event.name.split(".")[1]
            asked += read_messages({"role": role, "content": None, **body}, role, flags)
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
