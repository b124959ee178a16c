"""LiteLLM's own OpenTelemetry callback: ``litellm.*`` and the provider's request and response.

A call is a span ``litellm_request`` with a span ``raw_gen_ai_request`` inside it. Where the caller
had a span open, LiteLLM writes the first one's attributes onto the caller's instead, each call over
the one before; then only the inner spans tell the calls apart. Their values are Python's ``str()``
of what was sent and received. Source: BerriAI/litellm, ``integrations/opentelemetry``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from anonymize.conventions.definitions import read_tools, read_usage
from anonymize.conventions.interface import Reading
from anonymize.conventions.messages import read_messages
from anonymize.conventions.reprs import python_literal
from anonymize.conventions.values import as_dict, as_text, first, first_text, structured
from anonymize.spans import Span
from anonymize.trace import Json

_RAW = "raw_gen_ai_request"
_FIELD = re.compile(r"llm\.[\w-]+\.([a-zA-Z_]+)")
_BODY = re.compile(r"llm\.[\w-]+\.(?:messages|contents|choices|candidates)")
_GIVEN = ("messages", "contents", "input", "prompt")
_MADE = ("choices", "candidates", "output", "content")


@dataclass(frozen=True, slots=True)
class LiteLLM:
    """The raw request and response, and who asked."""

    name: str = "litellm"

    def matches(self, span: Span, prefixes: frozenset[str]) -> bool:
        if "litellm" in prefixes or "llm.user" in span.attributes:
            return True
        return "llm" in prefixes and any(_BODY.fullmatch(key) for key in span.attributes)

    def read(self, span: Span) -> Reading:
        a = span.attributes
        reading = Reading(convention=self.name, inferred=True)
        reading.user_id = first_text(a, "llm.user", "metadata.user_api_key_end_user_id") or None
        cost = first(a, "gen_ai.cost.total_cost")
        reading.usage = read_usage({}, cost=cost)
        metadata = structured(first(a, "metadata.requester_metadata"), reading.flags)
        if isinstance(metadata, str):
            metadata = python_literal(metadata)
        reading.session_id = first_text(as_dict(metadata), "session_id", "trace_id") or None
        if span.name == _RAW:
            _read_raw(a, reading)
        return reading


def _read_raw(a: Mapping[str, Json], reading: Reading) -> None:
    flags = reading.flags
    body: dict[str, Json] = {}
    for key, value in a.items():
        field = _FIELD.fullmatch(key)
        if field is not None and value not in (None, ""):
            body[field[1]] = _value(value, flags)
    given = {k: body[k] for k in (*_GIVEN, "system", "system_instruction") if k in body}
    made = {k: body[k] for k in _MADE if k in body}
    reading.kind = "llm" if given or made else None
    reading.input = read_messages(given, "user", flags)
    if "content" in made:  # Anthropic's message has its parts at the top
        reading.output = read_messages({"role": "assistant", **made}, "assistant", flags)
    else:
        reading.output = read_messages(made, "assistant", flags)
    reading.tools = read_tools(body.get("tools") or [], flags)
    usage = read_usage(body.get("usage") or body.get("usageMetadata"))
    reading.usage = usage or reading.usage
    reading.model = as_text(body.get("model"))
    reading.response_id = as_text(body.get("id")) or None
    reading.user_id = reading.user_id or as_text(body.get("user")) or None


def _value(value: Json, flags: set[str]) -> Json:
    if not isinstance(value, str):
        return value
    parsed = structured(value, flags)
    literal = python_literal(value) if parsed is value else parsed
    return value if literal is None else literal
