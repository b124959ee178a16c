"""What is left: attribute names that several small frameworks agree on without a convention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anonymize.conventions.interface import Kind, Reading
from anonymize.conventions.messages import read_messages
from anonymize.conventions.results import unbox
from anonymize.conventions.values import first_text, structured, unwrap
from anonymize.spans import Span

#: LiveKit, Pipecat, Haystack, Laminar and hand-written spans: (input, output) pairs.
_PAIRS = (
    ("input", "output"),
    ("inputs", "outputs"),
    ("haystack.component.input", "haystack.component.output"),
    ("lk.chat_ctx", "lk.response.text"),
    ("lk.function_tool.arguments", "lk.function_tool.output"),
    ("lmnr.span.input", "lmnr.span.output"),
    ("tool.arguments", "tool.result"),
    ("tool.input", "tool.output"),
)
_KIND_KEYS = ("lmnr.span.type", "span.type", "span_type", "type")
_OWNED = "lmnr.association.properties."
_KINDS: Mapping[str, Kind] = {
    "model": "llm",
    "llm": "llm",
    "generation": "llm",
    "tool": "tool",
    "function": "tool",
    "agent": "agent",
    "flow": "chain",
    "chain": "chain",
    "retriever": "retrieval",
    "embedder": "embedding",
}


@dataclass(frozen=True, slots=True)
class Generic:
    """Reads pairs of input and output; what the span is, only if it says so in one word."""

    name: str = "generic"

    def matches(self, span: Span, prefixes: frozenset[str]) -> bool:
        a = span.attributes
        return any(given in a or made in a for given, made in _PAIRS)

    def read(self, span: Span) -> Reading:
        a = span.attributes
        reading = Reading(convention=self.name, inferred=True)
        flags = reading.flags
        reading.kind = _KINDS.get(first_text(a, *_KIND_KEYS).lower())
        if reading.kind is None and any(k in a for k in ("lk.function_tool.name", "tool.name")):
            reading.kind = "tool"
        pair = next((p for p in _PAIRS if p[0] in a or p[1] in a), _PAIRS[0])
        # Laminar's values are always JSON, so that a text stands in quotes.
        read = unwrap if pair[0].startswith("lmnr.") else structured
        given, made = read(a.get(pair[0]), flags), read(a.get(pair[1]), flags)
        if reading.kind == "tool":
            reading.name = first_text(a, "lk.function_tool.name", "tool.name")
            reading.name = reading.name or span.name
            reading.call_id = first_text(a, "lk.function_tool.id", "tool.call_id") or None
            if given is not None:
                reading.arguments = given
            if made is not None:
                unbox(made, reading)
        elif reading.kind == "llm":
            reading.model = first_text(a, "model")
            reading.input = read_messages(given, "user", flags)
            reading.output = read_messages(made, "assistant", flags)
        else:
            reading.raw_input, reading.raw_output = given, made
        if not span.parent_id and "lmnr.span.path" in a:
            reading.workflow = span.name
        session, user = f"{_OWNED}session_id", f"{_OWNED}user_id"
        reading.session_id = first_text(a, "session.id", "session_id", session) or None
        reading.user_id = first_text(a, "user.id", "user_id", user) or None
        return reading
