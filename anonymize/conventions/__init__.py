"""What spans say: conventions are asked one by one and their readings joined, span by span."""

from __future__ import annotations

import re
from dataclasses import fields

from anonymize.conventions.claude_code import ClaudeCode
from anonymize.conventions.crewai import CrewAI
from anonymize.conventions.generic import Generic
from anonymize.conventions.genkit import Genkit
from anonymize.conventions.google_adk import GoogleADK
from anonymize.conventions.interface import MISSING, Convention, Kind, Reading
from anonymize.conventions.langfuse import Langfuse
from anonymize.conventions.langsmith import LangSmith
from anonymize.conventions.litellm import LiteLLM
from anonymize.conventions.logfire import Logfire
from anonymize.conventions.mastra import Mastra
from anonymize.conventions.messages import read_messages
from anonymize.conventions.mlflow import MLflow
from anonymize.conventions.openinference import OpenInference
from anonymize.conventions.openllmetry import OpenLLMetry
from anonymize.conventions.otel_genai import OtelGenAI
from anonymize.conventions.own_names import OWN, SAID, OwnNames
from anonymize.conventions.pydantic_ai import PydanticAI
from anonymize.conventions.reprs import python_literal
from anonymize.conventions.results import tool_name, unbox
from anonymize.conventions.spring_ai import SpringAI
from anonymize.conventions.vercel import Vercel
from anonymize.jsontools import dumps
from anonymize.spans import Span
from anonymize.trace import Json, Message, Usage

#: Most specific first: where two say the same thing, the earlier is believed.
CONVENTIONS: tuple[Convention, ...] = (
    OwnNames(),
    GoogleADK(),
    Vercel(),
    Mastra(),
    Genkit(),
    ClaudeCode(),
    CrewAI(),
    SpringAI(),
    LiteLLM(),
    Logfire(),
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


def read_span(span: Span) -> Reading:
    """Everything the span says under all conventions that it follows."""
    readings = [convention.read(span) for convention in _followed(span)]
    if not readings:
        reading = Reading(convention="", inferred=True)
    else:
        reading = join(readings) if len(readings) > 1 else readings[0]
    reading.flags.update(span.flags)
    recorded = len(span.attributes) - (SAID in span.attributes)
    if span.dropped > 0 or recorded == ATTRIBUTE_LIMIT:
        reading.flags.add("attrs_dropped")
    _settle(span, reading)
    return reading


#: Which conventions spans with these scopes, keys and events follow: of the last so many shapes.
_MOST_SHAPES = 4_096
_shapes: dict[tuple[str, ...], tuple[Convention, ...]] = {}


def _followed(span: Span) -> tuple[Convention, ...]:
    """The conventions that a span follows, asked once for all spans of one shape."""
    events = [event.name for event in span.events if event.name.startswith("gen_ai.")]
    shape = (span.scope.name, *events, "", *span.attributes)
    found = _shapes.get(shape)
    if found is None:
        prefixes = frozenset(key.partition(".")[0] for key in span.attributes)
        found = tuple(c for c in CONVENTIONS if c.matches(span, prefixes))
        if len(_shapes) >= _MOST_SHAPES:
            _shapes.clear()
        _shapes[shape] = found
    return found


def join(readings: list[Reading]) -> Reading:
    """One reading from several of the same step: the first wins, gaps are filled by the next.

    Of two histories the longer is kept, unless the user's map names one; a recorded kind beats an
    inferred one. The first of ``readings`` becomes that reading.
    """
    known = [r for r in readings if r.kind is not None]
    decided = next((r for r in known if not r.inferred), known[0] if known else readings[0])
    joined = readings[0]
    named = joined.convention == OWN
    joined.kind, joined.inferred = decided.kind, decided.inferred
    for other in readings[1:]:
        joined.flags |= other.flags
        joined.tags = {**other.tags, **joined.tags}
        joined.effects = {**other.effects, **joined.effects}
        joined.hidden |= other.hidden
        joined.convention += f"+{other.convention}"
        joined.usage = _fill_usage(joined.usage, other.usage)
        if not (named and joined.input):
            joined.input = _richer(joined.input, other.input)
        if not (named and joined.output):
            joined.output = _richer(joined.output, other.output)
        for name in _FILLED:
            mine = getattr(joined, name)
            if not mine and (mine is None or mine is MISSING or mine in _NOTHING):
                setattr(joined, name, getattr(other, name))
    return joined


_NOTHING: tuple[object, ...] = ("", (), frozenset())
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
    if len(mine) != len(other):
        return other if len(other) > len(mine) else mine
    return other if other and _weight(other) > _weight(mine) else mine


def _weight(messages: tuple[Message, ...]) -> tuple[int, int]:
    requests = [r for m in messages for r in m.tool_requests]
    identified = sum(r.call_id is not None for r in requests)
    return sum(r.arguments not in (None, {}) for r in requests), identified


def _settle(span: Span, reading: Reading) -> None:
    """Use what one convention recorded without knowing the kind that another one knew."""
    if reading.kind is None:
        reading.kind = _kind_by_name(span.name)
    if reading.kind == "tool":
        if reading.arguments is MISSING and reading.raw_input is not None:
            reading.arguments = reading.raw_input
        reading.arguments = _arguments(reading.arguments)
        if reading.result is MISSING and reading.raw_output is not None:
            unbox(reading.raw_output, reading)
        reading.name = reading.name or tool_name(span.name)
    elif reading.kind == "agent":
        reading.agent = reading.agent or _agent_name(span.name)
    elif reading.kind == "llm":
        if not reading.input and reading.raw_input is not None:
            reading.input = read_messages(reading.raw_input, "user", reading.flags)
        if not reading.output and reading.raw_output is not None:
            reading.output = read_messages(reading.raw_output, "assistant", reading.flags)
            if not reading.output:
                reading.output = _bare_answer(reading.raw_output)
    elif reading.kind == "retrieval":
        if reading.query is None:
            reading.query = reading.raw_input
        if reading.documents is None:
            reading.documents = reading.raw_output
        reading.query = _alone(reading.query, "query")
        reading.documents = _alone(reading.documents, "documents")


#: Keys of what providers and frameworks put around an answer: with one of them it is no bare one.
_ENVELOPE = frozenset(
    "choices candidates generations output outputs content message messages response role usage "
    "error object tool_calls kwargs result results raw".split()
)
#: What providers tell of an answer. Of these alone, as is left of a stream, nothing was said.
_TOLD = frozenset(
    "created finish_reason finishReason stop_reason stopReason system_fingerprint".split()
)
_ABOUT = frozenset("id model type created_at service_tier stream provider".split()) | _TOLD


def _bare_answer(value: Json) -> tuple[Message, ...]:
    """An answer in JSON that was recorded without a message around it (structured output)."""
    for item in value if isinstance(value, list) else [value]:
        if not item:
            return ()
        keys = item.keys() if isinstance(item, dict) else set[str]()
        if keys & _ENVELOPE or (keys & _TOLD and keys <= _ABOUT):
            return ()
    if not isinstance(value, dict | list) or not value:
        return ()
    return (Message(role="assistant", content=dumps(value)),)


def _alone(value: Json, key: str) -> Json:
    """What a callback's box holds under ``key``, if nothing else in it is the step's own."""
    if isinstance(value, dict) and key in value and value.keys() <= {key, *_BESIDE}:
        return value[key]
    return value


_BESIDE = ("tags", "metadata", "kwargs", "count")


#: Names that OTel GenAI lays down; some frameworks give the name and no attribute that says so.
_NAMED_KINDS: dict[str, Kind] = {
    "invoke_agent": "agent",
    "agent_run": "agent",
    "execute_tool": "tool",
}


def _kind_by_name(name: str) -> Kind | None:
    verb, space, rest = name.partition(" ")
    return _NAMED_KINDS.get(verb) if space and rest else None


def _arguments(value: Json) -> Json:
    literal = python_literal(value) if isinstance(value, str) else None
    return value if literal is None else literal


def _agent_name(name: str) -> str:
    """The agent's name out of ``invoke_agent NAME`` (OTel) or ``agent_run [NAME]`` (ADK)."""
    found = re.fullmatch(r"(?:invoke_agent|agent_run|create_agent) (?:\[(.+)\]|(.+))", name)
    return (found[1] or found[2]) if found else ""


__all__ = ["CONVENTIONS", "MISSING", "Convention", "Kind", "Reading", "join", "read_span"]
