"""Pydantic AI's own spans (also sent by Logfire), beyond what OTel GenAI says.

Version 1 recorded the messages of a chat as one ``events`` attribute and those of a run as
``all_messages_events``; version 2 uses ``gen_ai.input.messages`` and ``pydantic_ai.all_messages``.
Tool spans carry ``tool_arguments`` and ``tool_response`` (v2) or OTel's names (v3 on).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anonymize.conventions.definitions import read_tools, read_usage, tools_within
from anonymize.conventions.interface import Reading
from anonymize.conventions.messages import read_messages
from anonymize.conventions.values import (
    as_dict,
    as_int,
    first,
    first_text,
    look,
    metadata_tags,
    structured,
)
from anonymize.spans import Span
from anonymize.trace import Json, Message

#: A note among the flags: the span holds what came of a stream that another span asked for.
STREAMED = "_streamed"


@dataclass(frozen=True, slots=True)
class PydanticAI:
    """Attributes without a prefix, so the scope's name decides."""

    name: str = "pydantic_ai"

    def matches(self, span: Span, prefixes: frozenset[str]) -> bool:
        a = span.attributes
        return (
            span.scope.name.startswith(("pydantic-ai", "pydantic_ai", "logfire"))
            or "pydantic_ai" in prefixes
            or "model_request_parameters" in a
            or "all_messages_events" in a
            or "events" in a
        )

    def read(self, span: Span) -> Reading:
        a = span.attributes
        reading = Reading(convention=self.name)
        flags = reading.flags
        # Logfire sends a placeholder when a span starts and the span itself when it ends.
        reading.hidden = a.get("logfire.span_type") == "pending_span"
        if first_text(a, "logfire.msg_template").startswith("streaming response from "):
            flags.add(STREAMED)
        if "tool_arguments" in a:
            arguments = structured(a["tool_arguments"], flags, expected=True)
            reading.arguments = look(arguments, flags)
        if "tool_response" in a:
            reading.result = look(structured(a["tool_response"], flags), flags)
        if ("final_result" in a or "agent_name" in a) and "sdk_span_type" not in a:
            _read_run(a, reading)
        parameters = first(a, "model_request_parameters")
        if as_dict(structured(parameters, flags)):
            reading.kind, reading.inferred = "llm", True
            answers = tools_within(parameters, flags, "output_tools")
            reading.output_tools = frozenset(tool.name for tool in answers)
            reading.tools = tools_within(parameters, flags, "function_tools")
        asked, said = _events(a.get("events"), flags)
        reading.input = reading.input or asked
        reading.output = reading.output or said
        _read_logfire(a, reading)
        reading.tags = metadata_tags(first(a, "metadata"), flags)
        return reading


def _read_run(a: Mapping[str, Json], reading: Reading) -> None:
    flags = reading.flags
    if first_text(a, "gen_ai.operation.name") in ("", "invoke_agent"):
        reading.kind, reading.inferred = "agent", "gen_ai.operation.name" not in a
    reading.agent = first_text(a, "gen_ai.agent.name", "agent_name")
    reading.raw_output = look(structured(a.get("final_result"), flags), flags)
    history = first(a, "pydantic_ai.all_messages", "all_messages_events")
    recorded = structured(history, flags, expected=True)
    reading.history = read_messages(recorded, "user", flags)
    start = as_int(a.get("pydantic_ai.new_message_index"))
    if start and isinstance(recorded, list):
        # It counts what was recorded, where answers of parallel tools are one message.
        start = len(read_messages(recorded[:start], "user", flags))
    if start is not None or not any(m.role == "assistant" for m in reading.history[:-1]):
        # What the run was given ends where its own first answer begins.
        for index, message in enumerate(reading.history):
            if index >= (start or 0) and message.role == "assistant":
                break
            reading.input = (*reading.input, message)


def _events(value: Json, flags: set[str]) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """The ``events`` attribute: OTel's message events as one JSON list, the choice last.

    Logfire's instrumentation of the Responses interface calls the answer an assistant's message.
    """
    events = structured(value, flags, expected=True)
    if not isinstance(events, list):
        return (), ()
    said = [e for e in events if as_dict(e).get("event.name") == "gen_ai.choice"]
    asked = [e for e in events if as_dict(e).get("event.name") != "gen_ai.choice"]
    if not said:
        end = len(asked)
        while end and as_dict(asked[end - 1]).get("event.name") == "gen_ai.assistant.message":
            end -= 1
        asked, said = asked[:end], asked[end:]
    return read_messages(asked, "user", flags), read_messages(said, "assistant", flags)


def _read_logfire(a: Mapping[str, Json], reading: Reading) -> None:
    """Logfire's instrumentation of a provider's SDK: the request and the response as they were."""
    flags = reading.flags
    request = as_dict(structured(first(a, "request_data"), flags))
    response = as_dict(structured(first(a, "response_data"), flags))
    if not (request.get("messages") or request.get("input")):
        return
    reading.kind, reading.inferred = "llm", True
    reading.model = first_text(request, "model")
    reading.input = reading.input or read_messages(request, "user", flags)
    said = response.get("combined_chunk_content") or response  # streamed, before version 4
    reading.output = reading.output or read_messages(said, "assistant", flags)
    reading.tools = reading.tools or read_tools(request.get("tools") or [], flags)
    reading.usage = read_usage(response.get("usage"))
