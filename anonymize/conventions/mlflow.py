"""MLflow: ``mlflow.spanType``, ``mlflow.spanInputs``, ``mlflow.spanOutputs``.

Every value is JSON, also plain text (quoted), and may have been encoded twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anonymize.conventions.definitions import read_tools, read_usage
from anonymize.conventions.interface import Kind, Reading
from anonymize.conventions.messages import read_messages
from anonymize.conventions.results import unbox
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
            cost = a.get("mlflow.llm.cost")
            total = as_dict(cost).get("total_cost") if isinstance(cost, dict) else cost
            reading.usage = read_usage(a.get("mlflow.chat.tokenUsage"), cost=total)
            reading.tools = read_tools(
                a.get("mlflow.chat.tools") or as_dict(given).get("tools") or [], flags
            )
            reading.model = as_text(a.get("mlflow.llm.model") or as_dict(given).get("model"))
            reading.provider = as_text(a.get("mlflow.llm.provider"))
        elif reading.kind == "tool":
            reading.name = span.name
            if given is not None:
                reading.arguments = given
            if made is not None:
                unbox(made, reading)
        elif reading.kind == "retrieval":
            reading.query, reading.documents = given, made
        else:
            reading.raw_input, reading.raw_output = given, made
        return reading
