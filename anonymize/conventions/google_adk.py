"""Google's Agent Development Kit: whole requests and responses under ``gcp.vertex.agent.*``."""

from __future__ import annotations

from dataclasses import dataclass

from anonymize.conventions.definitions import read_tools, read_usage
from anonymize.conventions.interface import Reading
from anonymize.conventions.messages import read_messages
from anonymize.conventions.values import as_dict, first, first_text, look, structured
from anonymize.spans import Span
from anonymize.trace import Json

_NOTHING = (None, "", "{}", "<not serializable>", "N/A")


@dataclass(frozen=True, slots=True)
class GoogleADK:
    """``{}`` stands for "not applicable" in these attributes, except for a tool's arguments."""

    name: str = "google_adk"

    def matches(self, span: Span, prefixes: frozenset[str]) -> bool:
        return "gcp" in prefixes or span.scope.name == "gcp.vertex.agent"

    def read(self, span: Span) -> Reading:
        a = span.attributes
        reading = Reading(convention=self.name)
        flags = reading.flags
        reading.session_id = first_text(a, "gcp.vertex.agent.session_id") or None
        request = _value(a.get("gcp.vertex.agent.llm_request"), flags)
        response = _value(a.get("gcp.vertex.agent.llm_response"), flags)
        if request is not None or response is not None:
            reading.kind, reading.inferred = "llm", True
            reading.model = first_text(as_dict(request), "model")
            reading.input = read_messages(request, "user", flags)
            reading.output = read_messages(response, "assistant", flags)
            reading.tools = read_tools(as_dict(as_dict(request).get("config")).get("tools"), flags)
            reading.usage = read_usage(as_dict(response).get("usage_metadata"))
            reading.finish_reason = first_text(as_dict(response), "finish_reason") or None
        named = as_dict(as_dict(as_dict(request).get("config")).get("labels"))
        reading.agent = first_text(named, "adk_agent_name")
        # Parallel calls are summed up once more in a span without content.
        reading.hidden = a.get("gen_ai.tool.name") == "(merged tools)"
        given = first(a, "gcp.vertex.agent.tool_call_args")
        if given is not None and given not in _NOTHING[3:]:
            reading.kind, reading.inferred = "tool", True
            reading.arguments = structured(given, flags, expected=True)
            made = _value(a.get("gcp.vertex.agent.tool_response"), flags)
            if made is not None:
                reading.result = made
        return reading


def _value(value: Json, flags: set[str]) -> Json:
    if isinstance(value, str) and value in _NOTHING:
        return None
    return look(structured(value, flags, expected=True), flags)
