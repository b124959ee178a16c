"""Mastra (a framework for JavaScript): ``mastra.*``, beside OTel GenAI or OpenInference.

``mastra.span.type`` says what a span is. A run's ``model_generation`` holds a ``model_step`` for
each call of the model, which knows what was said, and that a ``model_inference``, which knows
model and tokens; pieces of a stream (``model_chunk``) are no steps. Names of attributes changed
with version 1 of the exporter, from ``input`` to ``mastra.model_step.input``; what users attach
is in ``mastra.metadata.*``, before that among the attributes, in the Arize exporter in
``metadata``. Source: mastra.ai, observability; @mastra/otel-exporter, @mastra/arize.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anonymize.conventions.definitions import read_tools, read_usage
from anonymize.conventions.interface import Kind, Reading
from anonymize.conventions.messages import read_messages
from anonymize.conventions.values import (
    as_dict,
    as_text,
    first,
    first_text,
    look,
    owners_in,
    structured,
)
from anonymize.spans import Span
from anonymize.trace import Json, Message

_KINDS: Mapping[str, Kind] = {
    "agent_run": "agent",
    **dict.fromkeys(("model_generation", "model_step", "model_inference"), "llm"),
    **dict.fromkeys(("llm_generation", "llm_step"), "llm"),
    **dict.fromkeys(("tool_call", "mcp_tool_call"), "tool"),
    **dict.fromkeys(("provider_tool_call", "client_tool_call"), "tool"),
    "rag_embedding": "embedding",
}
_CHUNKS = frozenset({"model_chunk", "llm_chunk"})
_METADATA = "mastra.metadata."


@dataclass(frozen=True, slots=True)
class Mastra:
    """``mastra.span.type`` and the input and output of that type."""

    name: str = "mastra"

    def matches(self, span: Span, prefixes: frozenset[str]) -> bool:
        return "mastra" in prefixes

    def read(self, span: Span) -> Reading:
        a = span.attributes
        reading = Reading(convention=self.name)
        flags = reading.flags
        kind = first_text(a, "mastra.span.type", "mastra.spanType")
        reading.hidden = kind in _CHUNKS
        reading.kind = _KINDS.get(kind) or ("chain" if kind and kind != "generic" else None)
        given = structured(first(a, f"mastra.{kind}.input", "input", "input.value"), flags)
        made = structured(first(a, f"mastra.{kind}.output", "output", "output.value"), flags)
        about = _metadata(a, flags)
        reading.session_id, reading.user_id = owners_in(about)
        if reading.kind == "llm":
            _read_model(given, made, about, reading)
        elif reading.kind == "tool":
            reading.name = first_text(a, "gen_ai.tool.name", "tool.name")
            reading.call_id = first_text(a, "gen_ai.tool.call.id", "tool_call.id") or None
            if given is not None:
                reading.arguments = given
            if made is not None:
                reading.result = look(made, flags)
        else:
            reading.raw_input, reading.raw_output = given, made
            if reading.kind == "agent":
                named = span.name.removeprefix("agent.").removeprefix("invoke_agent ")
                reading.agent = first_text(a, "gen_ai.agent.name", "agent.name") or named
        return reading


def _metadata(a: Mapping[str, Json], flags: set[str]) -> Mapping[str, Json]:
    """What the user and Mastra attached to a span, wherever that exporter puts it."""
    if "mastra.trace_id" in a:
        return a
    own = {k[len(_METADATA) :]: v for k, v in a.items() if k.startswith(_METADATA)}
    return own or as_dict(structured(a.get("metadata"), flags))


def _read_model(given: Json, made: Json, about: Mapping[str, Json], reading: Reading) -> None:
    flags = reading.flags
    # Version 0 records the provider's request, as a text within the object.
    asked = as_dict(given).get("body")
    request = structured(asked, flags, expected=True) if asked is not None else given
    reading.input = read_messages(request, "user", flags)
    reading.tools = read_tools(as_dict(request).get("tools"), flags)
    reading.output = read_messages(made, "assistant", flags)
    model = as_dict(structured(about.get("modelMetadata"), flags))
    reading.model = as_text(model.get("modelId") or about.get("modelId"))
    reading.provider = as_text(model.get("modelProvider"))
    response = as_dict(structured(about.get("body"), flags))
    reading.usage = read_usage(response.get("usage"))
    if any(is_stand_in(message) for message in reading.input):
        flags.add("redacted")


def is_stand_in(message: Message) -> bool:
    """Whether a step's own calls and their answers were left out of what it was given."""
    said = message.content
    return isinstance(said, str) and said.startswith(
        "[tool-result: " if message.role == "tool" else "[tool: "
    )
