"""MLflow: ``mlflow.spanType``, ``mlflow.spanInputs``, ``mlflow.spanOutputs``.

Every value is JSON, also plain text (quoted), and may have been encoded twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anonymize.conventions.definitions import read_tools, read_usage
from anonymize.conventions.interface import Kind, Reading
from anonymize.conventions.messages import read_messages
from anonymize.conventions.results import (
    call_arguments,
    finish_reason,
    tool_name,
    unbox,
    unboxed,
)
from anonymize.conventions.values import as_dict, as_text, unwrap
from anonymize.spans import Span

KINDS: Mapping[str, Kind] = {
    "LLM": "llm",
    "CHAT_MODEL": "llm",
    "TOOL": "tool",
    "AGENT": "agent",
    "CHAIN": "chain",
    "RETRIEVER": "retrieval",
    "EMBEDDING": "embedding",
}


@dataclass(frozen=True, slots=True)
class MLflow:
    """Spans of MLflow's own tracing."""

    name: str = "mlflow"

    def matches(self, span: Span, prefixes: frozenset[str]) -> bool:
        return "mlflow" in prefixes

    def read(self, span: Span) -> Reading:
        reading = Reading(convention=self.name)
        flags = reading.flags
        a = {k: unwrap(v, flags) for k, v in span.attributes.items() if k.startswith("mlflow.")}
        reading.kind = KINDS.get(as_text(a.get("mlflow.spanType")).upper())
        reading.inferred = reading.kind is None
        reading.session_id = as_text(a.get("mlflow.trace.session")) or None
        reading.user_id = as_text(a.get("mlflow.trace.user")) or None
        if not span.parent_id and reading.kind in ("agent", "chain"):
            reading.workflow = span.name  # MLflow has no other name for what ran
        given, made = a.get("mlflow.spanInputs"), a.get("mlflow.spanOutputs")
        if reading.kind == "llm":
            reading.input = read_messages(given, "user", flags)
            reading.output = read_messages(made, "assistant", flags)
            reading.finish_reason = finish_reason(made)
            reading.raw_output = made if not reading.output else None
            cost = a.get("mlflow.llm.cost")
            total = as_dict(cost).get("total_cost") if isinstance(cost, dict) else cost
            reading.usage = read_usage(a.get("mlflow.chat.tokenUsage"), cost=total)
            box = as_dict(given)
            parameters = as_dict(box.get("model_request_parameters"))  # Pydantic AI
            offered = a.get("mlflow.chat.tools") or box.get("tools")
            offered = offered or parameters.get("function_tools")
            reading.tools = read_tools(offered or [], flags)
            reading.model = as_text(a.get("mlflow.llm.model") or as_dict(given).get("model"))
            reading.provider = as_text(a.get("mlflow.llm.provider"))
        elif reading.kind == "tool":
            reading.name = tool_name(span.name)
            if given is not None:
                reading.arguments = call_arguments(given)
            if made is not None:
                unbox(made, reading)
        elif reading.kind == "retrieval":
            reading.query, reading.documents = given, made
        else:
            reading.raw_input, reading.raw_output = given, unboxed(made)
            if reading.kind == "agent":
                reading.agent = _agent(span)
        return reading


def _agent(span: Span) -> str:
    """The object's own name, if MLflow took one over, or what stands for it below the root."""
    name = unwrap(span.attributes.get("name"), set())
    if isinstance(name, str) and name:
        return name
    return span.name if span.parent_id and "." not in span.name else ""
