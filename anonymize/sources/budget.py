"""What input takes in memory, told before it does: so that no input takes more than there is.

Estimates for CPython on 64 bits, on the high side. Measured in ``benchmarks/bench_memory.py``.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from anonymize.jsontools import outside_strings
from anonymize.spans import Span, SpanEvent

#: A document of this size is small whatever is in it.
_SMALL = 1 << 20
_OBJECT, _LIST, _SLOT, _TEXT = 160, 32, 40, 40
#: First bytes of characters that take four bytes each in a Python string, and all below.
_NARROW = bytes(range(0xF0))
_SPAN = 1000
_KEY = 64
_FLAT = {str, int, float, bool, type(None)}


def parsed_size(data: bytes, enough: int) -> int:
    """About the bytes that JSON text takes once parsed; not exact below ``enough``.

    Values are counted by brackets, commas and quotes: ``[[],[],`` grows thirtyfold. Text is
    stored with up to four bytes a character.
    """
    if len(data) < _SMALL:
        return len(data)
    text = len(data)
    if b"\\u" in data or not data.isascii():
        wide = b"\\ud8" in data or b"\\uD8" in data or data.translate(None, _NARROW)
        text *= 4 if wide else 2
    # At most, as if no bracket stood inside of a string; that is enough for most documents.
    if text + _values(data, data.count(b'"')) <= enough:
        return text
    bare, quotes = outside_strings(data)
    return text + _values(bare, quotes)


def _values(data: bytes, quotes: int) -> int:
    return (
        data.count(b"{") * _OBJECT
        + data.count(b"[") * _LIST
        + data.count(b",") * _SLOT
        + quotes // 2 * _TEXT
    )


def held_size(item: Span | SpanEvent) -> int:
    """About the bytes that a span or message event takes while its trace is put together."""
    total = _SPAN + len(item.name) + _long_keys(item.attributes)
    values = item.attributes.values()
    stack: list[Any] = []
    if {*map(type, values)} <= _FLAT:  # nearly always: no list or object among the values
        total += sum(map(sys.getsizeof, values)) + _SLOT * len(values)
    else:
        stack += values
    if isinstance(item, Span):
        total += len(item.status_message)
        for event in item.events:
            total += _SPAN // 2 + len(event.name) + _long_keys(event.attributes)
            stack.extend(event.attributes.values())
    while stack:
        value = stack.pop()
        kind = type(value)
        if kind is str:
            total += sys.getsizeof(value) + _SLOT
        elif kind is dict:
            total += _OBJECT + _long_keys(value)
            stack.extend(value.values())
        elif kind is list or kind is tuple:
            total += _LIST
            stack.extend(value)
        else:
            total += _SLOT
    return total


def _long_keys(values: Mapping[str, Any]) -> int:
    """What keys take, if they are longer than names are: those are there once for all spans."""
    try:
        size = sum(map(len, values))
    except TypeError:  # of a source of one's own: no text, and not long
        return 0
    return size if size > _KEY * len(values) else 0


@contextmanager
def uncollected() -> Iterator[None]:
    """Without Python's search for cycles while many objects are made and none makes a cycle.

    It would look through all spans that are held, again and again: a sixth of the time.
    """
    active = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if active:
            gc.enable()
