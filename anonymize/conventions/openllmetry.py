"""OpenLLMetry (Traceloop), old and new.

Old: ``gen_ai.prompt.N.*``, ``gen_ai.completion.N.*``, ``llm.request.functions.N.*``. New: OTel
GenAI's message attributes (read by that convention) beside the same ``traceloop.*`` ones. The
numbered form is also written by others (LiteLLM, Koog). Source: traceloop/openllmetry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from anonymize.conventions.definitions import numbered_tools, prefixed_usage
from anonymize.conventions.interface import Kind, Reading
from anonymize.conventions.message import read_message
from anonymize.conventions.numbered import Memory, groups_of, remembered
from anonymize.conventions.results import call_arguments, unbox
from anonymize.conventions.values import (
    as_dict,
    as_text,
    first,
    first_text,
    is_framework_key,
    structured,
    unquoted,
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
        if kind == "task" and a.get("gen_ai.operation.name") == "execute_tool":
            reading.kind = "tool"  # LangChain for JavaScript
        reading.input = _numbered(a, "gen_ai.prompt.", "user", reading)
        reading.output = _numbered(a, "gen_ai.completion.", "assistant", reading)
        if reading.kind is None and (reading.input or reading.output):
            reading.kind, reading.inferred = "llm", True
        reading.agent = first_text(a, _PROPERTIES + "lc_agent_name")
        reading.tools = numbered_tools(a, "llm.request.functions.", flags)
        total = prefixed_usage(a, "gen_ai.usage.") or prefixed_usage(a, "llm.usage.")
        reading.usage = total
        reading.workflow = first_text(a, "traceloop.workflow.name")
        _read_owners(a, reading)
        _read_entity(span, reading)
        return reading


def _numbered(
    a: Mapping[str, Json], prefix: str, role: str, reading: Reading
) -> tuple[Message, ...]:
    groups = groups_of(a, prefix)
    order = sorted(groups)
    if order != list(range(len(order))):
        reading.flags.add("attrs_dropped")
    messages: list[Message] = []
    for number in order:
        said = remembered(_MESSAGES[role], groups[number], _READERS[role], reading.flags)
        messages += said
        if role == "assistant" and reading.finish_reason is None:
            reading.finish_reason = first_text(a, f"{prefix}{number}.finish_reason") or None
    return tuple(messages)


def _read_numbered(item: dict[str, Any], flags: set[str], role: str) -> list[Message]:
    return read_message(item, flags, role)


_READERS = {role: partial(_read_numbered, role=role) for role in ("user", "assistant")}
_MESSAGES: dict[str, Memory[list[Message]]] = {role: {} for role in _READERS}


def _read_owners(a: Mapping[str, Json], reading: Reading) -> None:
    own = {k[len(_PROPERTIES) :]: v for k, v in a.items() if k.startswith(_PROPERTIES)}
    reading.session_id = (
        first_text(own, "session_id", "session.id", "thread_id", "chat_id", "conversation_id")
        or None
    )
    reading.user_id = first_text(own, "user_id", "user.id") or None
    for key, value in own.items():
        known = key in _OWNERS or is_framework_key(key)
        if not known and isinstance(value, str | int | float):
            reading.tags[key] = as_text(value)


def _read_entity(span: Span, reading: Reading) -> None:
    a, flags = span.attributes, reading.flags
    reading.name = first_text(a, "traceloop.entity.name")
    given = structured(first(a, "traceloop.entity.input"), flags, expected=True)
    result = first(a, "traceloop.entity.output")  # always JSON, so a text stands in quotes
    result = structured(unquoted(result) if isinstance(result, str) else result, flags)
    if reading.kind is None and as_dict(given).get("method") in _MCP_TALK:
        return
    given, result = _inner(given, "inputs"), _inner(result, "outputs")
    if reading.kind == "tool":
        reading.name = reading.name or span.name.removesuffix(".tool")
        given = call_arguments(_only_argument(given))
        if given is not None:
            reading.arguments = given
        if result is not None:
            unbox(result, reading)
        if reading.name in _CLASSES:  # the message that answers knows the tool
            box = as_dict(result)
            named = as_dict(box.get("kwargs")).get("name") or box.get("name")
            reading.name = as_text(named) or reading.name
    else:
        reading.raw_input, reading.raw_output = given, result
        if reading.kind == "agent":
            reading.agent = reading.agent or reading.name


def _only_argument(given: Json) -> Json:
    """What JavaScript's decorators put into a list; elsewhere ``args`` is a tool's own name."""
    listed = as_dict(given).get("args")
    alone = isinstance(listed, list) and len(listed) == 1 and list(as_dict(given)) == ["args"]
    return structured(listed[0], set()) if isinstance(listed, list) and alone else given


#: LangChain's classes for JavaScript, which their spans have for a name.
_CLASSES = ("DynamicStructuredTool", "DynamicTool", "StructuredTool", "Tool")
#: What MCP's clients and servers say to each other that is no agent's work.
_MCP_TALK = (
    *("initialize", "ping", "tools/list", "prompts/list", "resources/list"),
    *("resources/templates/list", "logging/setLevel", "notifications/initialized"),
)


def _inner(value: Json, key: str) -> Json:
    """LangChain's callbacks box what a chain was given and returned: ``{"inputs": ...}``."""
    box = as_dict(value)
    boxed = isinstance(box.get(key), dict | list) and box.keys() <= {key, *_BESIDE}
    return box[key] if boxed and "input_str" not in box else value


_BESIDE = ("tags", "metadata", "kwargs")
