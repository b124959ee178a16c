"""LangSmith's OpenTelemetry export: ``langsmith.*`` beside ``gen_ai.prompt``/``completion``.

The two attributes hold a run's inputs and outputs as JSON, whatever the run is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anonymize.conventions.interface import Kind, Reading
from anonymize.conventions.messages import read_messages
from anonymize.conventions.results import unbox
from anonymize.conventions.values import as_dict, first, first_text, labels, structured
from anonymize.spans import Span

KINDS: Mapping[str, Kind] = {
    "llm": "llm",
    "tool": "tool",
    "chain": "chain",
    "retriever": "retrieval",
    "embedding": "embedding",
    "prompt": "other",
    "parser": "other",
}


@dataclass(frozen=True, slots=True)
class LangSmith:
    """``langsmith.span.kind``, ``langsmith.metadata.*``."""

    name: str = "langsmith"

    def matches(self, span: Span, prefixes: frozenset[str]) -> bool:
        return "langsmith" in prefixes

    def read(self, span: Span) -> Reading:
        a = span.attributes
        reading = Reading(convention=self.name)
        flags = reading.flags
        reading.kind = KINDS.get(first_text(a, "langsmith.span.kind").lower())
        reading.inferred = reading.kind is None
        reading.model = first_text(a, "langsmith.metadata.ls_model_name")
        reading.provider = first_text(a, "langsmith.metadata.ls_provider")
        reading.session_id = (
            first_text(
                a,
                "langsmith.metadata.session_id",
                "langsmith.metadata.thread_id",
                "langsmith.metadata.conversation_id",
            )
            or None
        )
        reading.user_id = first_text(a, "langsmith.metadata.user_id") or None
        reading.agent = first_text(a, "langsmith.metadata.lc_agent_name")
        reading.agent_version = first_text(a, "langsmith.metadata.revision_id")
        names = labels(first(a, "langsmith.span.tags"), flags)
        if names:
            reading.tags["tags"] = ",".join(names)
        given = structured(first(a, "gen_ai.prompt"), flags)
        made = structured(first(a, "gen_ai.completion"), flags)
        if reading.kind == "tool":
            reading.name = first_text(a, "langsmith.trace.name") or span.name
            if given is not None:
                inner = as_dict(given).get("input")
                reading.arguments = structured(inner, flags) if inner is not None else given
            if made is not None:
                unbox(made, reading)
        elif reading.kind == "llm":
            reading.input = read_messages(given, "user", flags)
            reading.output = read_messages(made, "assistant", flags)
        else:
            reading.raw_input, reading.raw_output = given, made
        return reading
