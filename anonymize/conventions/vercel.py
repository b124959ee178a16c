"""The Vercel AI SDK: ``ai.*``.

An outer span per function (``ai.generateText``) holds the steps (``ai.generateText.doGenerate``)
and tools (``ai.toolCall``) of one run: the outer span is the agent, not a further LLM call.
Source: ai-sdk.dev, telemetry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anonymize.conventions.definitions import prefixed_usage, read_tools
from anonymize.conventions.interface import Kind, Reading
from anonymize.conventions.messages import read_messages
from anonymize.conventions.values import (
    as_text,
    first,
    first_text,
    labels,
    look,
    structured,
    unquoted,
)
from anonymize.spans import Span
from anonymize.trace import Json, Message

_METADATA = "ai.telemetry.metadata."
_OWNERS = frozenset({"userId", "sessionId", "tags"})


@dataclass(frozen=True, slots=True)
class Vercel:
    """``ai.operationId`` says what a span is."""

    name: str = "vercel"

    def matches(self, span: Span, prefixes: frozenset[str]) -> bool:
        return "ai" in prefixes

    def read(self, span: Span) -> Reading:
        a = span.attributes
        reading = Reading(convention=self.name)
        flags = reading.flags
        operation = first_text(a, "ai.operationId") or first_text(a, "operation.name")
        reading.kind = _kind(operation.split(" ")[0])
        reading.inferred = reading.kind is None
        reading.model = first_text(a, "ai.model.id", "ai.response.model")
        reading.provider = first_text(a, "ai.model.provider")
        reading.response_id = first_text(a, "ai.response.id") or None
        reading.finish_reason = first_text(a, "ai.response.finishReason", "ai.finishReason") or None
        reading.usage = prefixed_usage(a, "ai.usage.")
        reading.tools = read_tools(first(a, "ai.prompt.tools"), flags)
        reading.agent = first_text(a, "ai.telemetry.functionId") if reading.kind == "agent" else ""
        reading.user_id = first_text(a, _METADATA + "userId") or None
        reading.session_id = first_text(a, _METADATA + "sessionId") or None
        _read_tags(a, reading)
        if reading.kind == "tool":
            _read_tool(a, reading)
        elif reading.kind in ("llm", "agent"):
            prompt = first(a, "ai.prompt.messages", "ai.prompt")
            reading.input = read_messages(structured(prompt, flags, expected=True), "user", flags)
            reading.output = _said(a, flags)
            if reading.kind == "agent":
                reading.raw_output = structured(_object(a), flags)
        return reading


def _kind(operation: str) -> Kind | None:
    if operation.endswith((".doGenerate", ".doStream")):
        return "llm"
    if operation.endswith(".doEmbed") or operation.startswith("ai.embed"):
        return "embedding"
    if operation == "ai.toolCall":
        return "tool"
    if operation.startswith(("ai.generate", "ai.stream")):
        return "agent"
    return None


def _read_tool(a: Mapping[str, Json], reading: Reading) -> None:
    flags = reading.flags
    reading.name = first_text(a, "ai.toolCall.name")
    reading.call_id = first_text(a, "ai.toolCall.id") or None
    if "ai.toolCall.args" in a:
        reading.arguments = structured(a["ai.toolCall.args"], flags, expected=True)
    if "ai.toolCall.result" in a:
        result = a["ai.toolCall.result"]  # always JSON, so a text stands in quotes
        result = unquoted(result) if isinstance(result, str) else result
        reading.result = look(structured(result, flags), flags)


def _object(a: Mapping[str, Json]) -> Json:
    return first(a, "ai.response.object", "ai.result.object")


def _said(a: Mapping[str, Json], flags: set[str]) -> tuple[Message, ...]:
    text = first(a, "ai.response.text", "ai.result.text") or _object(a)
    calls = structured(first(a, "ai.response.toolCalls", "ai.result.toolCalls"), flags)
    if text is None and not calls:
        return ()
    body = {
        "role": "assistant",
        "content": None if text is None else as_text(text),
        "tool_calls": calls,
        "reasoning": first(a, "ai.response.reasoning"),
    }
    return read_messages(body, "assistant", flags)


def _read_tags(a: Mapping[str, Json], reading: Reading) -> None:
    names = labels(first(a, _METADATA + "tags"), reading.flags)
    if names:
        reading.tags["tags"] = ",".join(names)
    for key, value in a.items():
        if key.startswith(_METADATA) and isinstance(value, str | int | float):
            name = key[len(_METADATA) :]
            if name not in _OWNERS:
                reading.tags[name] = as_text(value)
