"""Texts that a step has in common with a message of its trace, kept once.

A tool's result is in the step that ran it and, as text, in the next model call's input; a user's
turn is a message, and so is what an agent's span says that it answered. The step then has the
message's ``seq`` instead: ``text_ref`` if the message's content is the same JSON text,
``parsed_ref`` if its content is a text that parses to the step's value. Either is used only where
reading gives back the very same text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from anonymize.store.schema import COLUMNS
from anonymize.store.values import json_text, json_value
from anonymize.trace import Json

#: The long text of a step of each kind.
LONG: Mapping[str, str] = {
    "tool": "result_json",
    "user": "content_json",
    "retrieval": "documents_json",
    "other": "output_json",
}
#: A shorter text is as small as a reference to it.
_LEAST = 64
_AT = {kind: COLUMNS["steps"].index(column) for kind, column in LONG.items()}
_KIND = COLUMNS["steps"].index("kind")
_SEQ = COLUMNS["messages"].index("seq")
_CONTENT = COLUMNS["messages"].index("content_json")

Row = tuple[Any, ...]


def share(steps: Sequence[Row], messages: Sequence[Row]) -> Iterator[Row]:
    """The steps of a trace with both references at their ends, long texts left out for them.

    ``steps`` are rows without the two columns, ``messages`` all of the trace's.
    """
    same: dict[str, int] = {}
    for message in messages:
        if message[_CONTENT] is not None:
            same.setdefault(message[_CONTENT], message[_SEQ])
    parsed: dict[str, int] | None = None
    for step in steps:
        at = _AT.get(step[_KIND])
        text = None if at is None else step[at]
        if at is None or text is None or len(text) < _LEAST:
            yield *step, None, None
            continue
        text_ref, parsed_ref = same.get(text), None
        if text_ref is None:
            parsed = _parsed(same) if parsed is None else parsed
            parsed_ref = parsed.get(text)
        if text_ref is None and parsed_ref is None:
            yield *step, None, None
        else:
            yield *step[:at], None, *step[at + 1 :], text_ref, parsed_ref


def _parsed(contents: Mapping[str, int]) -> dict[str, int]:
    """By the JSON text of the value: the messages whose content is text that parses to it."""
    found: dict[str, int] = {}
    for content, seq in contents.items():
        if len(content) < _LEAST or not content.startswith(('"{', '"[', '"\\"')):
            continue
        try:
            text = json_text(orjson.loads(orjson.loads(content)))
        except (ValueError, RecursionError):
            continue
        if text is not None:
            found.setdefault(text, seq)
    return found


def long_text(
    column: str, steps: Mapping[str, Sequence[Any]], at: int, contents: Sequence[str | None]
) -> Json:
    """The value of a step's long text; ``contents`` are those of its trace's messages.

    Raises ``IndexError`` or ``ValueError`` where no message holds it.
    """
    text_ref, parsed_ref = steps["text_ref"][at], steps["parsed_ref"][at]
    if text_ref is None and parsed_ref is None:
        return json_value(steps[column][at])
    ref = parsed_ref if text_ref is None else text_ref
    if ref < 0 or contents[ref] is None:
        raise IndexError("no message holds a step's text")
    value = json_value(contents[ref])
    if text_ref is not None:
        return value
    if not isinstance(value, str):
        raise ValueError("a step's text is to be parsed from what is no text")
    return json_value(value)
