"""Claude Code's own spans (``claude_code.interaction``, ``.llm_request``, ``.tool``), a beta.

Names without a prefix: ``tool_name``, ``input_tokens``, ``user_prompt``. Texts are redacted unless
``OTEL_LOG_USER_PROMPTS``, ``OTEL_LOG_TOOL_DETAILS`` and ``OTEL_LOG_TOOL_CONTENT`` are set; even
then a model call tells only what is new in its history. The session files hold everything, so they
are the better source where both exist. Source: code.claude.com, monitoring.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anonymize.conventions.definitions import read_usage
from anonymize.conventions.interface import Kind, Reading
from anonymize.conventions.messages import read_messages
from anonymize.conventions.values import as_text, first, first_text, look, structured
from anonymize.spans import Span
from anonymize.trace import Json, Message, StepError

_KINDS: Mapping[str, Kind] = {
    "interaction": "agent",
    "llm_request": "llm",
    "tool": "tool",
    "tool.execution": "other",
    "tool.blocked_on_user": "other",
    "hook": "other",
}
#: With tool details on, one argument of some tools is told by itself.
_DETAILS = {"full_command": "command", "file_path": "file_path"}


@dataclass(frozen=True, slots=True)
class ClaudeCode:
    """Told by the scope, or by attributes that only Claude Code writes."""

    name: str = "claude_code"

    def matches(self, span: Span, prefixes: frozenset[str]) -> bool:
        return span.scope.name.startswith("com.anthropic.claude_code") or (
            "span.type" in span.attributes
            and bool(prefixes & {"user_prompt_length", "tool_use_id", "cache_read_tokens"})
        )

    def read(self, span: Span) -> Reading:
        a = span.attributes
        reading = Reading(convention=self.name)
        flags = reading.flags
        reading.kind = _KINDS.get(span.name.removeprefix("claude_code."))
        reading.inferred = reading.kind is None
        reading.session_id = first_text(a, "session.id") or None
        reading.user_id = first_text(a, "user.id", "user.account_uuid") or None
        if reading.kind == "agent":
            reading.agent = "claude-code"
            prompt = first(a, "user_prompt")
            reading.raw_input = None if _redacted(prompt, flags) else prompt
        elif reading.kind == "llm":
            reading.model, reading.provider = first_text(a, "model"), "anthropic"
            reading.usage = read_usage(a)
            reading.finish_reason = first_text(a, "stop_reason") or None
            context, said = first(a, "new_context"), first(a, "response.model_output")
            if isinstance(context, str) and not _redacted(context, flags):
                reading.input = (Message(role="user", content=context),)
            if not _redacted(said, flags):
                reading.output = read_messages(said, "assistant", flags)
        elif reading.kind == "tool":
            _read_tool(span, reading)
        if a.get("success") in (False, "false"):
            reading.error = StepError(kind="Error", message=first_text(a, "error"))
        return reading


def _redacted(value: Json, flags: set[str]) -> bool:
    before = len(flags)
    look(value, flags)
    return value is None or (len(flags) > before and "redacted" in flags)


def _read_tool(span: Span, reading: Reading) -> None:
    a, flags = span.attributes, reading.flags
    reading.name = first_text(a, "tool_name")
    reading.call_id = first_text(a, "tool_use_id", "gen_ai.tool.call.id") or None
    given = first(a, "tool_input")
    if isinstance(given, str):
        # The detailed tier writes a heading before the JSON.
        given = structured(given[given.find("{") :] if "{" in given else given, flags)
    if given is not None:
        reading.arguments = given
    elif known := {name: a[key] for key, name in _DETAILS.items() if a.get(key)}:
        reading.arguments = known
        if reading.name not in ("Bash", "Read"):
            flags.add("truncated")  # other tools have further arguments
    for event in span.events:
        if event.name == "tool.output":
            content = first(event.attributes, "output", "content")
            reading.result = look(content if content is None else as_text(content), flags)
