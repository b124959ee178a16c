"""Genkit (Google's framework for JavaScript and Go): ``genkit:*``.

Each span is an action with one input and one output, always JSON, so that a text stands in
quotes. Models, tools and flows say what they are; ``generate`` only leads from one model call to
the next and repeats what they say. Source: genkit.dev, observability.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anonymize.conventions.definitions import read_tools, read_usage
from anonymize.conventions.interface import Kind, Reading
from anonymize.conventions.messages import read_messages
from anonymize.conventions.values import (
    OWNERS,
    as_dict,
    as_text,
    first_text,
    look,
    metadata_tags,
    owners_in,
    structured,
    unquoted,
)
from anonymize.spans import Span
from anonymize.trace import Json

_KINDS: Mapping[str, Kind] = {
    "model": "llm",
    "background-model": "llm",
    "tool": "tool",
    "tool.v2": "tool",
    "agent": "agent",
    "flow": "chain",
    "retriever": "retrieval",
    "embedder": "embedding",
    "reranker": "other",
    "evaluator": "other",
}
#: Of the context, what Genkit itself takes out.
_HIDDEN = frozenset({"auth", "secrets"})


@dataclass(frozen=True, slots=True)
class Genkit:
    """``genkit:type``, ``genkit:metadata:subtype``, ``genkit:input`` and ``genkit:output``."""

    name: str = "genkit"

    def matches(self, span: Span, prefixes: frozenset[str]) -> bool:
        a = span.attributes
        return "genkit:type" in a or "genkit:name" in a

    def read(self, span: Span) -> Reading:
        a = span.attributes
        reading = Reading(convention=self.name)
        flags = reading.flags
        kind = first_text(a, "genkit:type", "genkit:metadata:genkit:type")
        subtype = first_text(a, "genkit:metadata:subtype") or kind
        reading.kind = _KINDS.get(subtype, "chain")
        reading.name = first_text(a, "genkit:name")
        given = _value(a.get("genkit:input"), flags)
        made = _value(a.get("genkit:output"), flags)
        if reading.kind == "tool":
            if given is not None:
                reading.arguments = given
            if made is not None:
                reading.result = look(made, flags)
        elif reading.kind == "llm":
            _read_model(given, made, reading)
        elif reading.kind == "retrieval":
            reading.query = as_dict(given).get("query", given)
            reading.documents = as_dict(made).get("documents", made)
        else:
            reading.raw_input, reading.raw_output = given, made
            if reading.kind == "agent":
                reading.agent = reading.name
            elif subtype == "flow":
                reading.workflow = reading.name
        _read_owners(a, reading)
        return reading


def _value(value: Json, flags: set[str]) -> Json:
    """An input or output as the value that it was before it was written as JSON."""
    if isinstance(value, str):
        value = unquoted(value)
    return structured(value, flags)


def _read_model(given: Json, made: Json, reading: Reading) -> None:
    """A model's request and response; its name stands behind that of the plugin."""
    flags, response = reading.flags, as_dict(made)
    provider, slash, model = reading.name.partition("/")
    reading.model = model if slash else provider
    reading.provider = provider if slash else ""
    reading.input = read_messages(given, "user", flags)
    said = response.get("message")
    if said is None:  # before version 1.0
        candidates = response.get("candidates")
        said = candidates[0] if isinstance(candidates, list) and candidates else None
        said = as_dict(said).get("message")
    reading.output = read_messages(said, "assistant", flags)
    reading.tools = read_tools(as_dict(given).get("tools"), flags)
    reading.usage = read_usage(response.get("usage"))
    reading.finish_reason = as_text(response.get("finishReason")) or None
    identity = as_dict(response.get("raw")).get("id")
    reading.response_id = identity if isinstance(identity, str) else None


def _read_owners(a: Mapping[str, Json], reading: Reading) -> None:
    """Who asked: a chat's session, and what the application's context says of the user."""
    flags = reading.flags
    context = as_dict(structured(a.get("genkit:metadata:context"), flags))
    session, reading.user_id = owners_in(context)
    reading.session_id = first_text(a, "genkit:sessionId", "genkit:metadata:sessionId") or session
    own = {k: v for k, v in context.items() if k not in OWNERS and k not in _HIDDEN}
    reading.tags = metadata_tags(own, flags)
