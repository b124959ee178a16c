"""How much text a trace holds, told without copying any of it."""

from __future__ import annotations

import dataclasses
from typing import Any

from anonymize.trace import Trace

#: What an object takes besides its text, in characters.
_OBJECT = 8


def volume(trace: Trace, enough: int) -> int:
    """The characters of ``trace``, each text object once; stops counting beyond ``enough``.

    Never recurses, so any nesting will do.
    """
    total = 0
    seen: set[int] = set()
    stack: list[Any] = [trace]
    while stack and total <= enough:
        item = stack.pop()
        kind = type(item)
        if item is None or kind is bool or kind is int or kind is float:
            total += _OBJECT
            continue
        if id(item) in seen:
            continue
        seen.add(id(item))
        total += _OBJECT
        if kind is str:
            total += len(item)
        elif kind is dict:
            stack.extend(item)
            stack.extend(item.values())
        elif kind is list or kind is tuple:
            stack.extend(item)
        elif names := _fields(kind):
            stack.extend(getattr(item, name) for name in names)
    return total


_FIELDS: dict[type, tuple[str, ...]] = {}


def _fields(kind: type) -> tuple[str, ...]:
    if kind not in _FIELDS:
        known = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
        _FIELDS[kind] = tuple(field.name for field in known)
    return _FIELDS[kind]
