"""LangSmith's OpenTelemetry export: ``langsmith.*`` beside ``gen_ai.prompt``/``completion``.

The two attributes hold a run's inputs and outputs as JSON, whatever the run is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anonymize.conventions.definitions import tools_within
from anonymize.conventions.interface import Kind, Reading
from anonymize.conventions.messages import read_messages
from anonymize.conventions.results import finish_reason, unbox
from anonymize.conventions.values import as_dict, first, first_text, labels, structured
from anonymize.spans import Span
from anonymize.trace import Json, StepError

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
        raised = [e.attributes for e in span.events if e.name == "exception"]
        if raised and made is None:  # the SDK for JavaScript leaves the status at OK
            kind, message = (first_text(raised[-1], f"exception.{k}") for k in ("type", "message"))
            reading.error = StepError(kind=kind or "Error", message=message)
        if reading.kind == "tool":
            reading.name = first_text(a, "langsmith.trace.name") or span.name
            if given is not None:
                inner = as_dict(given).get("input")
                reading.arguments = structured(inner, flags) if inner is not None else given
            if made is not None:
                unbox(_only(made, "outputs"), reading)
        elif reading.kind == "llm":
            reading.input = read_messages(given, "user", flags)
            reading.tools = tools_within(given, flags, "tools", "functions")
            reading.output = read_messages(made, "assistant", flags)
            reading.finish_reason = finish_reason(made)
        else:
            reading.raw_input, reading.raw_output = given, _only(made, "outputs")
            if reading.kind == "chain" and "langsmith.traceable" in a:
                reading.workflow = first_text(a, "langsmith.trace.name")
        return reading


def _only(value: Json, key: str) -> Json:
    """What a decorated function returned, out of the object that it is put in if it is none."""
    return value[key] if isinstance(value, dict) and list(value) == [key] else value
