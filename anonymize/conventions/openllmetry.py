"""OpenLLMetry (Traceloop), old and new.

Old: ``gen_ai.prompt.N.*``, ``gen_ai.completion.N.*``, ``llm.request.functions.N.*``. New: OTel
GenAI's message attributes (read by that convention) beside the same ``traceloop.*`` ones. The
numbered form is also written by others (LiteLLM, Koog). Source: traceloop/openllmetry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anonymize.conventions.definitions import prefixed_usage, read_tools
from anonymize.conventions.interface import Kind, Reading
from anonymize.conventions.message import read_message
from anonymize.conventions.results import call_arguments, unbox
from anonymize.conventions.values import (
    as_text,
    first,
    first_text,
    structured,
    unflatten,
)
from anonymize.spans import Span
from anonymize.trace import Json, Message

KINDS: Mapping[str, Kind] = {
    "workflow": "chain",
    "task": "chain",
    "agent": "agent",
    "tool": "tool",
    "llm": "llm",
}
_REQUESTS: Mapping[str, Kind] = {
    "chat": "llm",
    "completion": "llm",
    "embedding": "embedding",
    "rerank": "other",
}
_PROPERTIES = "traceloop.association.properties."
_OWNERS = frozenset(
    {"session_id", "session.id", "thread_id", "chat_id", "conversation_id", "user_id", "user.id"}
)


@dataclass(frozen=True, slots=True)
class OpenLLMetry:
    """``traceloop.*``, ``llm.request.*`` and numbered prompts and completions."""

    name: str = "openllmetry"

    def matches(self, span: Span, prefixes: frozenset[str]) -> bool:
        if "traceloop" in prefixes:
            return True
        a = span.attributes
        return (
            "llm.request.type" in a
            or "gen_ai.prompt.0.role" in a
            or any(k.startswith(("gen_ai.prompt.", "gen_ai.completion.")) for k in a)
        )

    def read(self, span: Span) -> Reading:
        a = span.attributes
        reading = Reading(convention=self.name)
        flags = reading.flags
        kind = first_text(a, "traceloop.span.kind").lower()
        request = first_text(a, "llm.request.type").lower()
        reading.kind = KINDS.get(kind) or _REQUESTS.get(request)
        reading.input = _numbered(a, "gen_ai.prompt.", "user", reading)
        reading.output = _numbered(a, "gen_ai.completion.", "assistant", reading)
        if reading.kind is None and (reading.input or reading.output):
            reading.kind, reading.inferred = "llm", True
        functions, _ = unflatten(a, "llm.request.functions.")
        reading.tools = read_tools(functions, flags)
        total = prefixed_usage(a, "gen_ai.usage.") or prefixed_usage(a, "llm.usage.")
        reading.usage = total
        reading.workflow = first_text(a, "traceloop.workflow.name")
        _read_owners(a, reading)
        _read_entity(span, reading)
        return reading


def _numbered(
    a: Mapping[str, Json], prefix: str, role: str, reading: Reading
) -> tuple[Message, ...]:
    items, gap = unflatten(a, prefix)
    if gap:
        reading.flags.add("attrs_dropped")
    messages: list[Message] = []
    for item in items:
        messages += read_message(item, reading.flags, role)
        if role == "assistant" and reading.finish_reason is None:
            reading.finish_reason = as_text(item.get("finish_reason")) or None
    return tuple(messages)


def _read_owners(a: Mapping[str, Json], reading: Reading) -> None:
    own = {k[len(_PROPERTIES) :]: v for k, v in a.items() if k.startswith(_PROPERTIES)}
    reading.session_id = (
        first_text(own, "session_id", "session.id", "thread_id", "chat_id", "conversation_id")
        or None
    )
    reading.user_id = first_text(own, "user_id", "user.id") or None
    for key, value in own.items():
        if key not in _OWNERS and isinstance(value, str | int | float):
            reading.tags[key] = as_text(value)


def _read_entity(span: Span, reading: Reading) -> None:
    a, flags = span.attributes, reading.flags
    reading.name = first_text(a, "traceloop.entity.name")
    given = structured(first(a, "traceloop.entity.input"), flags, expected=True)
    result = structured(first(a, "traceloop.entity.output"), flags)
    if reading.kind == "tool":
        reading.name = reading.name or span.name.removesuffix(".tool")
        given = call_arguments(given)
        if given is not None:
            reading.arguments = given
        if result is not None:
            unbox(result, reading)
    else:
        reading.raw_input, reading.raw_output = given, result
        if reading.kind == "agent":
            reading.agent = reading.name
