"""How a live answer differs from the recorded one: its shape, its types, its values.

Values of a live service may be people's: a difference names a path, types and forms, never what
stands there. Keys of objects that look like data (an address, a number) are written ``*``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from anonymize.jsontools import loads_or_text
from anonymize.trace import Json
from replay.matching import exact_key

#: ``missing``, ``added``: a member of an object. ``type``: another JSON type; ``null``: a value
#: became null or stopped being it. ``form``: a date, an id, a number in a text became another
#: kind of text. ``error``: it failed where it had not, or the other way round, or otherwise.
#: ``length``, ``value``: the same contract with other content.
Kind = Literal["missing", "added", "type", "null", "form", "error", "length", "value"]

#: What breaks those who read the answer, and what is only other content.
CONTRACT: frozenset[Kind] = frozenset({"missing", "added", "type", "null", "form", "error"})

_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$\-]{0,59}")
_MOST = 500
_MAX_DEPTH = 100
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("date-time", re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")),
    ("date", re.compile(r"\d{4}-\d\d-\d\d")),
    ("uuid", re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.I)),
    ("e-mail", re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")),
    ("address", re.compile(r"https?://\S+")),
    ("number", re.compile(r"[+-]?\d+(?:\.\d+)?")),
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference; ``recorded`` and ``live`` are types or forms, such as ``text (date)``."""

    kind: Kind
    path: str
    recorded: str = ""
    live: str = ""


def differences(recorded: Json, live: Json, ignored: Collection[str] = ()) -> frozenset[Difference]:
    """What sets two answers apart; items of a list share one path. JSON in a text is read."""
    found: set[Difference] = set()
    for item in _walk(loads_or_text(recorded), loads_or_text(live), "$", 0):
        if not _ignored(item.path, ignored):
            found.add(item)
        if len(found) >= _MOST:
            break
    return frozenset(found)


def _ignored(path: str, ignored: Collection[str]) -> bool:
    return any(
        path == prefix or (path.startswith(prefix) and path[len(prefix)] in ".[")
        for prefix in ignored
    )


def _walk(recorded: Json, live: Json, path: str, depth: int) -> Iterator[Difference]:
    ours, theirs = type_of(recorded), type_of(live)
    if ours != theirs:
        kind: Kind = "null" if "null" in (ours, theirs) else "type"
        yield Difference(kind, path, ours, theirs)
    elif depth >= _MAX_DEPTH:
        if exact_key(recorded) != exact_key(live):
            yield Difference("value", path, ours, theirs)
    elif isinstance(recorded, dict):
        yield from _objects(recorded, live, path, depth)
    elif isinstance(recorded, list):
        if len(recorded) != len(live):
            yield Difference("length", path, "list", "list")
        for one, other in zip(recorded, live, strict=False):
            yield from _walk(one, other, f"{path}[*]", depth + 1)
    elif recorded != live:
        forms = form_of(recorded), form_of(live)
        # Free text may say anything; what had a form had it for somebody who reads it.
        if forms[0] != forms[1] and forms[0] not in ("", "empty"):
            yield Difference("form", path, *(f"text ({form or 'other'})" for form in forms))
        else:
            yield Difference("value", path, ours, theirs)


def _objects(
    recorded: dict[str, Json], live: dict[str, Json], path: str, depth: int
) -> Iterator[Difference]:
    for key in recorded.keys() | live.keys():
        place = f"{path}.{key if _KEY.fullmatch(key) else '*'}"
        if key not in live:
            yield Difference("missing", place, type_of(recorded[key]), "absent")
        elif key not in recorded:
            yield Difference("added", place, "absent", type_of(live[key]))
        else:
            yield from _walk(recorded[key], live[key], place, depth + 1)


def type_of(value: Json) -> str:
    """The JSON type; whole and broken numbers are one."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    return "object" if isinstance(value, dict) else "list"


def form_of(value: Json) -> str:
    """The form of a text that has one, else nothing."""
    if not isinstance(value, str):
        return ""
    if not value:
        return "empty"
    return next((name for name, form in _FORMS if form.fullmatch(value)), "")
