"""Spring AI (a framework for Java): ``spring.ai.*``, beside OTel GenAI's names for its models.

Its own steps (clients, advisors, tools) all have the operation ``framework``, so what they are says
only ``spring.ai.kind``. Arguments and results are recorded where the application asks for that;
both are JSON, so that a text stands in quotes. Source: docs.spring.io/spring-ai, observability.
"""

from __future__ import annotations

from dataclasses import dataclass

from anonymize.conventions.interface import Reading
from anonymize.conventions.results import mcp_text
from anonymize.conventions.values import first_text, look, structured, unquoted
from anonymize.spans import Span

_TOOL = "spring.ai.tool."
#: Chats without an id of their own share this one.
_NOBODYS = "default"


@dataclass(frozen=True, slots=True)
class SpringAI:
    """Tool calls, and whose conversation a client was called in."""

    name: str = "spring_ai"

    def matches(self, span: Span, prefixes: frozenset[str]) -> bool:
        return "spring" in prefixes and any(k.startswith("spring.ai.") for k in span.attributes)

    def read(self, span: Span) -> Reading:
        a = span.attributes
        reading = Reading(convention=self.name)
        flags = reading.flags
        session = first_text(a, "spring.ai.chat.client.conversation.id")
        reading.session_id = session if session != _NOBODYS else None
        kind = first_text(a, "spring.ai.kind")
        if kind in ("chat_client", "advisor"):
            reading.kind = "chain"
        elif kind == "tool_call" or f"{_TOOL}definition.name" in a:
            reading.kind = "tool"
            reading.name = first_text(a, f"{_TOOL}definition.name")
            reading.call_id = first_text(a, f"{_TOOL}call.id") or None
            given, made = a.get(f"{_TOOL}call.arguments"), a.get(f"{_TOOL}call.result")
            if given is not None:
                reading.arguments = look(structured(given, flags, expected=True), flags)
            if made is not None:
                made = unquoted(made) if isinstance(made, str) else made
                reading.result = look(mcp_text(structured(made, flags)), flags)
        return reading
