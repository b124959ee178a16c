"""What spans say: conventions are asked one by one and their readings joined, span by span."""

from __future__ import annotations

import re
from dataclasses import fields, replace

from anonymize.conventions.generic import Generic
from anonymize.conventions.google_adk import GoogleADK
from anonymize.conventions.interface import MISSING, Convention, Kind, Reading
from anonymize.conventions.langfuse import Langfuse
from anonymize.conventions.langsmith import LangSmith
from anonymize.conventions.messages import read_messages
from anonymize.conventions.mlflow import MLflow
from anonymize.conventions.openinference import OpenInference
from anonymize.conventions.openllmetry import OpenLLMetry
from anonymize.conventions.otel_genai import OtelGenAI
from anonymize.conventions.pydantic_ai import PydanticAI
from anonymize.conventions.results import unbox
from anonymize.conventions.values import python_literal
from anonymize.conventions.vercel import Vercel
from anonymize.spans import Span
from anonymize.trace import Json, Message, Usage

#: Most specific first: where two say the same thing, the earlier is believed.
CONVENTIONS: tuple[Convention, ...] = (
    GoogleADK(),
    Vercel(),
    PydanticAI(),
    LangSmith(),
    OpenInference(),
    OtelGenAI(),
    OpenLLMetry(),
    MLflow(),
    Langfuse(),
    Generic(),
)
#: The SDK's default limit; a span with exactly as many attributes has probably lost some.
ATTRIBUTE_LIMIT = 128
_TOOL_PREFIXES = ("execute_tool ", "running tool: ", "running tool ", "tools/call ", "tool.")


def read_span(span: Span) -> Reading:
    """Everything the span says under all conventions that it follows."""
    prefixes = frozenset(key.partition(".")[0] for key in span.attributes)
    readings = [c.read(span) for c in CONVENTIONS if c.matches(span, prefixes)]
    reading = join(readings) if readings else Reading(convention="", inferred=True)
    reading.flags |= set(span.flags)
    if span.dropped > 0 or len(span.attributes) == ATTRIBUTE_LIMIT:
        reading.flags.add("attrs_dropped")
    _settle(span, reading)
    return reading


def join(readings: list[Reading]) -> Reading:
    """One reading from several of the same step: the first wins, gaps are filled by the next.

    Of two histories the longer is kept; a recorded kind beats an inferred one.
    """
    known = [r for r in readings if r.kind is not None]
    decided = next((r for r in known if not r.inferred), known[0] if known else readings[0])
    joined = replace(readings[0], flags=set(), tags={}, effects={})
    joined.kind, joined.inferred = decided.kind, decided.inferred
    for reading in readings:
        joined.flags |= reading.flags
        joined.tags = {**reading.tags, **joined.tags}
        joined.effects = {**reading.effects, **joined.effects}
        joined.hidden |= reading.hidden
    for other in readings[1:]:
        joined.convention += f"+{other.convention}"
        joined.usage = _fill_usage(joined.usage, other.usage)
        joined.input = _richer(joined.input, other.input)
        joined.output = _richer(joined.output, other.output)
        for name in _FILLED:
            mine = getattr(joined, name)
            if mine is MISSING or mine is None or mine == "" or mine == () or mine == frozenset():
                setattr(joined, name, getattr(other, name))
    return joined


_FILLED = tuple(
    f.name
    for f in fields(Reading)
    if f.name not in {"convention", "kind", "inferred", "usage", "input", "output"}
    and f.name not in {"tags", "effects", "hidden", "flags"}
)


def _fill_usage(mine: Usage | None, other: Usage | None) -> Usage | None:
    if mine is None or other is None:
        return mine or other
    return Usage(
        input_tokens=other.input_tokens if mine.input_tokens is None else mine.input_tokens,
        output_tokens=other.output_tokens if mine.output_tokens is None else mine.output_tokens,
        cost=other.cost if mine.cost is None else mine.cost,
    )


def _richer(mine: tuple[Message, ...], other: tuple[Message, ...]) -> tuple[Message, ...]:
    """The history that says more: more messages, then more tool requests with arguments."""

    def weight(messages: tuple[Message, ...]) -> tuple[int, int, int]:
        requests = [r for m in messages for r in m.tool_requests]
        identified = sum(r.call_id is not None for r in requests)
        given = sum(r.arguments not in (None, {}) for r in requests)
        return len(messages), given, identified

    return other if weight(other) > weight(mine) else mine


def _settle(span: Span, reading: Reading) -> None:
    """Use what one convention recorded without knowing the kind that another one knew."""
    if reading.kind == "tool":
        if reading.arguments is MISSING and reading.raw_input is not None:
            reading.arguments = _arguments(reading.raw_input)
        if reading.result is MISSING and reading.raw_output is not None:
            unbox(reading.raw_output, reading)
        reading.name = reading.name or _tool_name(span.name)
    elif reading.kind == "agent":
        reading.agent = reading.agent or _agent_name(span.name)
    elif reading.kind == "llm":
        if not reading.input and reading.raw_input is not None:
            reading.input = read_messages(reading.raw_input, "user", reading.flags)
        if not reading.output and reading.raw_output is not None:
            reading.output = read_messages(reading.raw_output, "assistant", reading.flags)
    elif reading.kind == "retrieval":
        if reading.query is None:
            reading.query = reading.raw_input
        if reading.documents is None:
            reading.documents = reading.raw_output


def _arguments(value: Json) -> Json:
    literal = python_literal(value) if isinstance(value, str) else None
    return value if literal is None else literal


def _agent_name(name: str) -> str:
    """The agent's name out of ``invoke_agent NAME`` (OTel) or ``agent_run [NAME]`` (ADK)."""
    found = re.fullmatch(r"(?:invoke_agent|agent_run|create_agent) (?:\[(.+)\]|(.+))", name)
    return (found[1] or found[2]) if found else ""


def _tool_name(name: str) -> str:
    for prefix in _TOOL_PREFIXES:
        name = name.removeprefix(prefix)
    return name.removesuffix(".tool")


__all__ = ["CONVENTIONS", "MISSING", "Convention", "Kind", "Reading", "join", "read_span"]
