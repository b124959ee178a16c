"""Logfire's own instrumentation of the OpenAI Agents SDK: plain names, told apart by a template.

``logfire.msg_template`` says what a span is. Model calls beside it carry ``events``, read by
:mod:`anonymize.conventions.pydantic_ai`. Source: pydantic/logfire, ``integrations/openai_agents``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anonymize.conventions.definitions import read_tools
from anonymize.conventions.interface import Kind, Reading
from anonymize.conventions.messages import read_messages
from anonymize.conventions.results import handover, unbox
from anonymize.conventions.values import as_dict, as_text, first, first_text, look, structured
from anonymize.spans import Span
from anonymize.trace import Json, StepError

_KINDS: Mapping[str, Kind] = {
    "OpenAI Agents trace": "chain",
    "Agent run": "agent",
    "Function": "tool",
    "Handoff": "tool",
    "Guardrail {name} triggered={triggered}": "guardrail",
}


@dataclass(frozen=True, slots=True)
class Logfire:
    """Spans of the scope ``logfire.openai_agents``."""

    name: str = "logfire"

    def matches(self, span: Span, prefixes: frozenset[str]) -> bool:
        return span.scope.name == "logfire.openai_agents"

    def read(self, span: Span) -> Reading:
        a = span.attributes
        reading = Reading(convention=self.name)
        flags = reading.flags
        template = first_text(a, "logfire.msg_template") or span.name
        reading.kind = _KINDS.get(template) or _KINDS.get(template.partition(":")[0])
        reading.inferred = reading.kind is None
        reading.session_id = first_text(a, "group_id") or None
        metadata = as_dict(structured(first(a, "metadata"), flags))
        reading.user_id = first_text(metadata, "user_id") or None
        if reading.kind == "tool":
            _read_tool(a, reading)
        elif reading.kind == "agent":
            reading.agent = first_text(a, "name")
        elif reading.kind == "chain":
            reading.workflow = first_text(a, "name")
        response = as_dict(structured(first(a, "response"), flags))
        if response:
            reading.kind = "llm"
            reading.tools = read_tools(response.get("tools") or [], flags)
            reading.output = read_messages(response.get("output"), "assistant", flags)
            reading.response_id = first_text(response, "id") or None
        return reading


def _read_tool(a: Mapping[str, Json], reading: Reading) -> None:
    flags = reading.flags
    target = first_text(a, "to_agent")
    if target:  # a hand-over is a tool call without arguments
        reading.name, reading.arguments = handover(target), {}
        return
    reading.name = first_text(a, "name")
    if "input" in a:
        reading.arguments = look(structured(a["input"], flags), flags)
    if "output" in a:
        unbox(structured(a["output"], flags), reading)
    error = as_dict(structured(first(a, "error"), flags))
    if error:
        details = as_dict(error.get("data"))
        said = details.get("error") or error.get("message")
        reading.error = StepError(kind="ToolError", message=as_text(said))
