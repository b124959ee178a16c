"""One short key for each JSON value: equal values have equal keys, however large or deep."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from anonymize.trace import Json

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
_SHORT = 128
_MAX_LEAVES = 200
_MAX_DEPTH = 12


def key_of(value: Json) -> bytes:
    """The canonical bytes of ``value``, or a digest of them where they are long."""
    try:
        raw = orjson.dumps(value, option=_OPTIONS)
    except TypeError:
        # Nesting beyond 254, integers beyond 64 bits, lone surrogates: orjson refuses them.
        return _slow_key(value)
    return raw if len(raw) <= _SHORT else hashlib.blake2b(raw, digest_size=16).digest()


def _slow_key(value: Json) -> bytes:
    """A digest without recursion, for what orjson can't take."""
    found = hashlib.blake2b(b"slow", digest_size=16)
    stack: list[Any] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            found.update(b"{%d" % len(item))
            for key in sorted(item, key=str):
                stack.append(item[key])
                stack.append(_Key(str(key)))
        elif isinstance(item, list | tuple):
            found.update(b"[%d" % len(item))
            stack.extend(reversed(item))
        elif isinstance(item, str):
            raw = item.encode("utf-8", "surrogatepass")
            found.update(b"k" if isinstance(item, _Key) else b"s")
            found.update(b"%d:" % len(raw))
            found.update(raw)
        else:
            found.update(f"{type(item).__name__}:{_number_text(item)};".encode())
    return found.digest()


def _number_text(item: Any) -> str:
    # Decimal digits of a huge integer cost quadratic time and are refused beyond 4,300.
    return hex(item) if isinstance(item, int) else repr(item)


class _Key(str):
    """A key of an object on the stack, told from a value."""

    __slots__ = ()


def leaf_set(value: Json) -> frozenset[tuple[str, Any]]:
    """The scalars with their paths, bounded: what likeness of two values is judged by."""
    found: set[tuple[str, Any]] = set()
    stack: list[tuple[str, Any, int]] = [("", value, 0)]
    while stack and len(found) < _MAX_LEAVES:
        where, item, depth = stack.pop()
        if depth < _MAX_DEPTH and isinstance(item, dict) and item:
            stack.extend((f"{where}.{k}", v, depth + 1) for k, v in item.items())
        elif depth < _MAX_DEPTH and isinstance(item, list | tuple) and item:
            stack.extend((f"{where}[]", v, depth + 1) for v in item[:_MAX_LEAVES])
        elif isinstance(item, dict | list | tuple):
            found.add((where, key_of(item)))
        else:
            found.add((where, item if isinstance(item, str | int | float | bool) else None))
    return frozenset(found)
