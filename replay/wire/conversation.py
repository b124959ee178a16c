"""When are two conversations the same? What an SDK sends and what a span holds differ in form.

Ids of calls are made up anew each time, so they don't count, nor do thoughts, which
instrumentations leave out. Neighbours of one role count as one message: APIs cut them differently.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable, Sequence
from typing import Final

from anonymize.jsontools import loads_or_text
from anonymize.trace import Json, Message
from replay.intercept.wire import text
from replay.matching import arguments_of, exact_key, normal_key
from replay.wire.writing import text_of

_MAX_SHOWN: Final[int] = 20_000
_INSTRUCTIONS: Final[frozenset[str]] = frozenset({"system", "developer"})
#: A part that is no text: its bytes are not in the recording, only that there was one.
MEDIA: Final[str] = "<media>"
#: Parts that stand for what messages have fields for; some spans hold both.
_ELSEWHERE: Final[frozenset[str]] = frozenset(
    {"tool_use", "tool_call", "tool-call", "function_call", "tool_result", "tool-result"}
    | {"thinking", "redacted_thinking", "reasoning"}
)


def turns(messages: Iterable[Message], *, instructions: bool = True) -> list[dict[str, Json]]:
    """The conversation as plain values, one for each stretch of one speaker, for comparisons."""
    found: list[dict[str, Json]] = []
    for message in messages:
        role = "system" if message.role in _INSTRUCTIONS else message.role
        if role == "system" and not instructions:
            continue
        content = _content(message.content)
        calls = [
            {"name": r.name, "arguments": arguments_of(r.arguments)} for r in message.tool_requests
        ]
        if content is None and not calls and role != "tool":
            continue
        last = found[-1] if found else None
        if last is None or last["role"] != role or role == "tool":
            found.append({"role": role, "content": content, "calls": calls})
            continue
        if content is not None:
            last["content"] = _added(last["content"], content)
        last["calls"] = [*last["calls"], *calls]
    return found


def exact(conversation: Sequence[dict[str, Json]]) -> str:
    """The same for conversations that say the same to the last character."""
    return exact_key(list(conversation))


def normal(conversation: Sequence[dict[str, Json]]) -> str:
    """The same for conversations that differ in blanks, notation or the order of tool answers."""
    loose: list[Json] = []
    answers: list[str] = []
    for turn in conversation:
        if turn["role"] == "tool":
            answers.append(normal_key(_value(turn["content"])))
            continue
        loose += sorted(answers)
        answers = []
        words = _words(turn["content"])
        loose.append([turn["role"], words, [normal_key(call) for call in turn["calls"]]])
    return normal_key(loose + sorted(answers))


def _value(content: Json) -> Json:
    """A tool's answer as a value: frameworks write one as JSON, or as Python shows it."""
    found = loads_or_text(content)
    if isinstance(found, str) and found[:1] in ("{", "[") and len(found) <= _MAX_SHOWN:
        with contextlib.suppress(ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            return ast.literal_eval(found)
    return found


def _content(content: Json) -> Json:
    """Text, or a list where there is more than text; nothing at all is ``None``."""
    if content is None or content == "" or content == []:
        return None
    if not isinstance(content, list):
        return text_of(content)
    parts: list[str] = []
    for part in content:
        kind = text(part.get("type")) if isinstance(part, dict) else "text"
        if kind in _ELSEWHERE:
            continue
        textual = "text" in kind or kind == "refusal"
        parts.append(text_of([part]) if textual else MEDIA)
    return parts if MEDIA in parts else "".join(parts) or None


def _added(before: Json, after: Json) -> Json:
    if before is None:
        return after
    if isinstance(before, str) and isinstance(after, str):
        return before + after
    return [*(before if isinstance(before, list) else [before]), after]


def _words(content: Json) -> str:
    """Without any blanks: where texts were joined, some put one between them and some don't."""
    flat = "".join(map(str, content)) if isinstance(content, list) else str(content or "")
    return "".join(flat.split())
