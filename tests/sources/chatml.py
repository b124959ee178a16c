"""How a :class:`Message` maps onto Langfuse's ChatML, the shape of the oracles.

An oracle (``*.chatml.json``) holds, per observation, what Langfuse made of its input and output.
Both sides are brought to one form, :class:`Said`, by these rules and no others:

1. An entry with neither role, content nor tool calls is no message (``tools`` or ``json`` only).
2. ``model`` (Gemini) is ``assistant``.
3. Text parts are joined without a separator; no text is the same as empty text.
4. Arguments and the content of tool messages are compared as JSON values where they are JSON.
5. Anthropic's ``tool_use`` parts in the content are tool calls. An empty id is no id.
6. ChatML has no word for a tool's answer without an id (Gemini): it stands there under the role
   that carried it, ``user``. Ours is a ``tool`` message.
7. Rich answers of tools are spread over ``json`` in ChatML: that is their content.
8. ChatML shows the request as it was sent; where the instrumentation recorded the system prompt
   besides, ours begins with it.
9. Requests that were recorded as text in the content stay there and are *also* requests in ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from anonymize.conventions.message import text_of
from anonymize.trace import Message


@dataclass(frozen=True)
class Said:
    """One message in the form that both sides are compared in."""

    role: str
    content: Any
    calls: tuple[tuple[str | None, str, str], ...]
    answers: str | None


def expected(entries: list[dict[str, Any]]) -> list[Said]:
    """ChatML entries, without those that are no messages (rule 1)."""
    return [_entry(e) for e in entries if e.keys() & {"role", "content", "tool_calls"}]


def _entry(entry: dict[str, Any]) -> Said:
    content, calls = entry.get("content"), list(entry.get("tool_calls") or [])
    if isinstance(content, list):
        calls += [
            {"id": p["id"], "name": p["name"], "arguments": orjson.dumps(p["input"]).decode()}
            for p in content
            if p.get("type") == "tool_use"
        ]
        content = "".join(p.get("text", "") for p in content)
    role = {"model": "assistant"}.get(entry.get("role", ""), entry.get("role", "assistant"))
    if content is None and role == "tool" and "json" in entry:
        content = orjson.dumps(entry["json"]).decode()
    return Said(
        role=role,
        content=_value(content or ""),
        calls=tuple((c.get("id") or None, c["name"], _canonical(c["arguments"])) for c in calls),
        answers=entry.get("tool_call_id"),
    )


def actual(messages: tuple[Message, ...], entries: list[Said]) -> list[Said]:
    """Our messages in the same form, next to the ``entries`` they are compared with."""
    ours = list(messages)
    if ours and ours[0].role == "system" and not (entries and entries[0].role == "system"):
        ours = ours[1:]  # rule 8
    return [_message(m) for m in ours]


def _message(message: Message) -> Said:
    text = text_of(message)
    recorded_in_text = bool(message.tool_requests) and text.startswith("[{")  # rule 9
    requests = () if recorded_in_text else message.tool_requests
    role = message.role
    if role == "tool" and message.tool_call_id is None and message.name is not None:
        role = "user"  # rule 6
    return Said(
        role=role,
        content=_value(text),
        calls=tuple((r.call_id, r.name, _canonical(r.arguments)) for r in requests),
        answers=message.tool_call_id,
    )


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _canonical(arguments: Any) -> str:
    value = _value(arguments) if isinstance(arguments, str) else arguments
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
