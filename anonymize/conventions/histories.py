"""Histories that go on: each call of a model repeats the one before and adds a little."""

from __future__ import annotations

from dataclasses import dataclass

from anonymize.conventions.messages import read_items, read_messages
from anonymize.conventions.values import parse, structured
from anonymize.jsontools import JsonError
from anonymize.trace import Json, Message


@dataclass(frozen=True, slots=True)
class _History:
    """JSON text of a list of messages, without its last bracket, and what was read from it."""

    stem: str
    role: str
    messages: tuple[Message, ...]
    flags: frozenset[str]


#: The histories that were read last, the latest first: each call goes on from an earlier one.
_LATELY = 8
_LONGEST = 2 << 20
_histories: list[_History] = []


def read_history(value: Json, role: str, flags: set[str]) -> tuple[Message, ...]:
    """``read_messages(structured(value, flags, expected=True), role, flags)``, and faster.

    Where a text begins with all of one that was read lately, only the rest of it is parsed.
    """
    global _histories
    if not isinstance(value, str) or not value.startswith("[{") or value[-1] != "]":
        return read_messages(structured(value, flags, expected=True), role, flags)
    for known in _histories:
        if value.startswith(known.stem) and known.role == role:
            history = _continued(value, known)
            if history is not None:
                break
    else:
        raised: set[str] = set()
        try:
            items = parse(value)
        except JsonError:
            return read_messages(structured(value, flags, expected=True), role, flags)
        found = read_messages(items, role, raised)
        if not found or not all(map(_stands_alone, items)):
            flags |= raised
            return found
        history = _History(value[:-1], role, found, frozenset(raised))
    flags |= history.flags
    if len(value) <= _LONGEST:
        # A list of its own: other threads may be reading the one before.
        _histories = [history, *(h for h in _histories if h is not history)][:_LATELY]
    return history.messages


def _continued(value: str, known: _History) -> _History | None:
    """What ``value`` says, which begins with all that ``known`` said; ``None`` if it is no list."""
    end = len(known.stem)
    if len(value) == end + 1:
        return known
    if value[end] != ",":
        return None
    raised = set(known.flags)
    try:
        items = parse(f"[{value[end + 1 :]}")
    except JsonError:
        return None
    if not items or not all(map(_stands_alone, items)):
        return None
    more = read_items(items, known.role, raised, 0) or ()
    return _History(value[:-1], known.role, (*known.messages, *more), frozenset(raised))


def _stands_alone(item: Json) -> bool:
    """Whether an item of a list is read on its own, whatever stands before or behind it."""
    return isinstance(item, dict) and isinstance(item.get("role"), str) and item.keys() <= _PLAIN


#: The keys of a message that is no piece of one that was streamed.
_PLAIN = frozenset({"role", "content", "parts", "tool_calls", "tool_call_id", "name"}) | frozenset(
    {"finish_reason", "id", "refusal", "annotations"}
)
