"""Langfuse: ``langfuse.observation.*`` and ``langfuse.trace.*``.

Written by Langfuse's SDKs from version 3 on, and by our reader of Langfuse exports, which puts an
observation's fields under the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from anonymize.conventions.definitions import read_tools, read_usage
from anonymize.conventions.interface import Kind, Reading
from anonymize.conventions.message import ROLES, split_speakers
from anonymize.conventions.messages import read_messages
from anonymize.conventions.reprs import python_literal
from anonymize.conventions.results import call_arguments, finish_reason, unbox
from anonymize.conventions.values import (
    as_dict,
    as_text,
    first,
    first_text,
    labels,
    look,
    structured,
    unwrap,
)
from anonymize.spans import Span
from anonymize.trace import Json, Message, StepError

KINDS: Mapping[str, Kind] = {
    "generation": "llm",
    "tool": "tool",
    "agent": "agent",
    "chain": "chain",
    "retriever": "retrieval",
    "embedding": "embedding",
    "guardrail": "guardrail",
    "evaluator": "other",
}
_O = "langfuse.observation."
_GRAPH = (f"{_O}metadata.langgraph_", f"{_O}metadata.ls_")
#: Names that frameworks give any agent's observation.
_UNNAMED = ("agent", "langgraph", "agentexecutor", "invoke_agent")
#: LangGraph's own word for a session, among the metadata.
_THREADS = ("langfuse.metadata.session_id", "langfuse.metadata.thread_id")


@dataclass(frozen=True, slots=True)
class Langfuse:
    """An observation. ``span`` and ``event`` say nothing about what it is."""

    name: str = "langfuse"

    def matches(self, span: Span, prefixes: frozenset[str]) -> bool:
        return "langfuse" in prefixes

    def read(self, span: Span) -> Reading:
        a = span.attributes
        reading = Reading(convention=self.name)
        flags = reading.flags
        reading.kind = KINDS.get(first_text(a, _O + "type").lower())
        reading.inferred = reading.kind is None
        reading.model = first_text(a, _O + "model.name", _O + "model")
        usage = structured(first(a, _O + "usage_details"), flags)
        cost = as_dict(structured(first(a, _O + "cost_details"), flags))
        reading.usage = read_usage(usage, cost=_total(cost))
        reading.session_id = first_text(a, "langfuse.session.id", "session.id", *_THREADS) or None
        reading.user_id = first_text(a, "langfuse.user.id", "user.id") or None
        reading.workflow = first_text(a, "langfuse.trace.name")
        reading.agent = first_text(a, _O + "metadata.lc_agent_name")
        if reading.kind == "agent" and not reading.agent and _is_own(span):
            reading.agent = span.name
        reading.agent_version = first_text(a, "langfuse.version", "langfuse.release")
        names = labels(first(a, "langfuse.trace.tags"), flags)
        if names:
            reading.tags["tags"] = ",".join(names)
        environment = first_text(a, "langfuse.environment")
        if environment and environment != "default":
            reading.tags["environment"] = environment
        if first_text(a, _O + "level").upper() == "ERROR":
            message = first_text(a, _O + "status_message")
            reading.error = StepError(kind="Error", message=message)
        given = unwrap(first(a, _O + "input"), flags)
        made = unwrap(first(a, _O + "output"), flags)
        if reading.kind is None:
            _infer(span.name, given, made, reading)
        _read_io(span, given, made, reading)
        return reading


def _is_own(span: Span) -> bool:
    """Whether the user observes an agent by this name: no framework's word, no node of a graph."""
    if " " in span.name or span.name.lower() in _UNNAMED:
        return False
    return not any(key.startswith(_GRAPH) for key in span.attributes)


def _total(cost: Mapping[str, Json]) -> Json:
    if "total" in cost:
        return cost["total"]
    numbers = [v for v in cost.values() if isinstance(v, int | float)]
    return sum(numbers) if numbers else None


def _infer(name: str, given: Json, made: Json, reading: Reading) -> None:
    """What a plain span is, from what it returned: the callback handler types only some."""
    box = as_dict(made)
    if box.get("tool_call_id") and "content" in box and box.get("name", name) == name:
        reading.kind = "tool"


def _read_io(span: Span, given: Json, made: Json, reading: Reading) -> None:
    flags = reading.flags
    if reading.kind == "tool":
        reading.name = span.name
        if isinstance(given, str):
            literal = python_literal(given)
            given = given if literal is None else literal
        if given is not None:
            reading.arguments = look(call_arguments(given), flags)
        if made is not None:
            unbox(made, reading)
    elif reading.kind == "llm":
        tools = as_dict(given).get("tools") or _tools_among(given)
        tools = tools or first(span.attributes, _O + "metadata.tools")  # the OpenAI wrapper's
        reading.tools = read_tools(tools or [], flags)
        if tools and isinstance(given, list):
            given = [m for m in given if not _is_definition(m)]
        reading.input = _messages(given, "user", flags)
        prompt = span.attributes.get(_O + "metadata.instructions")
        prompted = any(m.role in ("system", "developer") for m in reading.input)
        if isinstance(prompt, str) and prompt and not prompted:
            reading.input = (Message(role="system", content=prompt), *reading.input)
        reading.output = _messages(made, "assistant", flags)
        reading.finish_reason = finish_reason(made)
    elif reading.kind == "retrieval":
        reading.query, reading.documents = given, made
    else:
        a = span.attributes
        if given is None:  # a root without its own may carry the trace's
            given = unwrap(first(a, "langfuse.trace.input"), flags)
        if made is None:
            made = unwrap(first(a, "langfuse.trace.output"), flags)
        reading.raw_input, reading.raw_output = look(given, flags), look(made, flags)


def _messages(value: Json, role: str, flags: set[str]) -> tuple[Message, ...]:
    if isinstance(value, str) and role == "user" and value[:1] not in ("{", "[", "(", '"'):
        return tuple(split_speakers(value, role, flags))
    found = read_messages(value, role, flags)
    if not found and value is not None:
        return (Message(role=role, content=as_text(value)),)
    return _answers_of_tools(found)


def _answers_of_tools(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The handler for JavaScript gives a tool's answer the tool's name as its role."""
    if all(m.role in ROLES for m in messages):
        return messages
    asked = {request.name for m in messages for request in m.tool_requests}
    return tuple(replace(m, role="tool", name=m.role) if m.role in asked else m for m in messages)


def _is_definition(item: Json) -> bool:
    """The callback handler lists tool definitions among the messages, under the role tool."""
    content = as_dict(as_dict(item).get("content"))
    return content.get("type") == "function" and isinstance(content.get("function"), dict)


def _tools_among(value: Json) -> list[Json]:
    return [m["content"] for m in value if _is_definition(m)] if isinstance(value, list) else []
