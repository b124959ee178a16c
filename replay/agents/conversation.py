"""From a recorded case to what frameworks are called with: texts, messages and states."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anonymize.trace import Json, Message
from replay.agents.python_function import load_function
from replay.config import AgentSettings
from replay.recording import Case

#: What a field is called that holds a person's words, and one that holds the answer.
ASKED_KEYS = ("input", "question", "query", "prompt", "message", "user_input", "task", "text")
ANSWER_KEYS = ("output", "answer", "result", "response", "final_output", "content", "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFunctions:
    """The user's own functions around a framework's agent; ``None`` where there is none.

    ``stream``: the framework is to run the agent streamed.
    """

    input: Callable[[Case], Any] | None = None
    output: Callable[[Any], Any] | None = None
    deps: Callable[[Case], Any] | None = None
    stream: bool = False

    @classmethod
    def of(cls, settings: AgentSettings, where: str) -> UserFunctions:
        """Load them. Raises :class:`UsageError`."""
        found: dict[str, Any] = {}
        for key in ("input", "output", "deps"):
            target = getattr(settings, key)
            if target:
                found[key] = load_function(target, f"{where}.{key}")
        return cls(stream=settings.stream, **found)


def words(content: Json) -> str:
    """A message's content as text."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = (p.get("text") if isinstance(p, dict) else p for p in content)
        return "\n".join(p for p in parts if isinstance(p, str))
    return "" if content is None else json.dumps(content, ensure_ascii=False)


def said_before(case: Case) -> tuple[Message, ...]:
    """The history without the system's part, which a candidate brings along by itself."""
    return tuple(m for m in case.history if m.role not in ("system", "developer"))


def chat_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Messages in the form of OpenAI's chat completions, which most frameworks read."""
    found: list[dict[str, Any]] = []
    for message in messages:
        entry: dict[str, Any] = {"role": message.role, "content": message.content or ""}
        if message.tool_requests:
            entry["tool_calls"] = [
                {
                    "id": request.call_id or f"call_{number}",
                    "type": "function",
                    "function": {
                        "name": request.name,
                        "arguments": json.dumps(request.arguments or {}, ensure_ascii=False),
                    },
                }
                for number, request in enumerate(message.tool_requests, start=1)
            ]
        if message.role == "tool":
            entry["content"] = words(message.content)
            entry["tool_call_id"] = message.tool_call_id or "call_1"
        found.append(entry)
    return found


def named(value: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """The first of these members that holds something, else ``None``."""
    return next((value[key] for key in keys if value.get(key) not in (None, "", [], {})), None)
