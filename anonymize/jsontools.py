"""JSON from strangers: parsing with limits, one canonical text, and a walk over the leaves.

Traces are hostile input. :func:`loads` bounds the nesting before anything recursive sees the
value, and :func:`clean_text` makes any string storable (Parquet wants valid UTF-8).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from anonymize.trace import Json

#: Deeper values are refused. Real agent traces stay below 40; Python recursion starts to fail
#: near 900, and orjson itself refuses more than 1024.
MAX_DEPTH = 200

_BAD_CHARS = re.compile("[\x00\ud800-\udfff]")
# Possessive, closing quote optional: an unterminated string can't make this quadratic.
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STRETCH = 1 << 18
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?|[\[\]{}]', re.S)


class JsonError(ValueError):
    """Text that is not JSON, or JSON beyond the limits. The message holds no content."""


def loads(data: bytes | str, *, max_depth: int = MAX_DEPTH) -> Json:
    """Parse JSON. Raises :class:`JsonError` with a reason and, where known, line and column."""
    if isinstance(data, str):  # text is counted and parsed where it is, without a copy
        many = len(data) > max_depth and data.count("[") + data.count("{") > max_depth
        deep = many and too_deep(data.encode("utf-8", "surrogatepass"), max_depth)
    else:
        deep = too_deep(data, max_depth)
    if deep:
        raise JsonError(f"nested deeper than {max_depth} levels")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise JsonError(f"not JSON (line {error.lineno}, column {error.colno})") from None


def too_deep(raw: bytes, max_depth: int = MAX_DEPTH) -> bool:
    """Whether JSON text nests deeper than ``max_depth``. Fast for all but odd documents."""
    # A document can't nest deeper than it has opening brackets, so small ones are done here.
    if raw.count(b"[") + raw.count(b"{") <= max_depth:
        return False
    brackets = outside_strings(raw)[0].translate(None, _NOT_BRACKETS)
    # Each round takes away one or two of the innermost layers, so it bounds the depth from
    # above; real documents are gone after a few rounds.
    for rounds in range(1, 33):
        rest = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if rounds * 2 + len(rest) <= max_depth:
            return False
        if len(rest) == len(brackets):
            break
        brackets = rest
    return depth_of_text(raw, stop=max_depth) > max_depth


def outside_strings(raw: bytes) -> tuple[bytes, int]:
    """What of JSON text stands outside of strings, and the number of quotes around these."""
    bare = raw.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in raw else raw
    pieces: list[bytes] = []
    quotes = 0
    # Without escapes, every second piece between quotes is outside of strings. Piece by piece,
    # because a million short strings take a hundred times what they hold.
    for start in range(0, len(bare), _STRETCH):
        found = bare[start : start + _STRETCH].split(b'"')
        pieces.append(b"".join(found[quotes % 2 :: 2]))
        quotes += len(found) - 1
    return b"".join(pieces), quotes


def depth_of_text(raw: bytes, *, stop: int | None = None) -> int:
    """The deepest nesting of brackets outside of strings, without parsing.

    Does not look further once it is deeper than ``stop``.
    """
    depth = deepest = 0
    for match in _STRUCTURE.finditer(raw):
        token = match.group()[0]
        if token in b"[{":
            depth += 1
            deepest = max(deepest, depth)
            if stop is not None and deepest > stop:
                break
        elif token in b"]}":
            depth -= 1
    return deepest


def loads_or_text(value: Json) -> Json:
    """``value`` parsed if it is text that holds a JSON object or array, else unchanged.

    Numbers and words stay text: a tool that returned ``"007"`` did not return 7.
    """
    if isinstance(value, str) and value[:64].lstrip()[:1] in ("{", "["):
        try:
            return loads(value)
        except JsonError:
            return value
    return value


def dumps(value: Json) -> str:
    """Compact JSON text; keys keep their order. Non-JSON values become their ``str``."""
    return _dumps(value, orjson.OPT_NON_STR_KEYS)


def canonical(value: Json) -> str:
    """The one text of a value: sorted keys, compact. Equal values have equal texts."""
    return _dumps(value, orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)


def _dumps(value: Json, options: int) -> str:
    try:
        return orjson.dumps(value, default=str, option=options).decode()
    except orjson.JSONEncodeError:  # integers beyond 64 bit, lone surrogates
        sort = bool(options & orjson.OPT_SORT_KEYS)
        return json.dumps(value, default=str, sort_keys=sort, separators=(",", ":"))


def digest(value: Json, *, length: int = 16) -> str:
    """A short hex digest of the canonical text. For scrubbed values only: hashes can be guessed."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:length]


def clean_text(text: str) -> tuple[str, bool]:
    """``text`` with NUL and lone surrogates replaced by U+FFFD, and whether any was found."""
    if _BAD_CHARS.search(text) is None:
        return text, False
    # Escaped pairs that a broken writer split are joined again before what is left is replaced.
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\x00", "\ufffd"), True


def leaves(value: Json, path: str = "$") -> Iterator[tuple[str, Json]]:
    """Each scalar with its path (``$.a[0].b``), depth first, keys in order. Not recursive."""
    stack: list[tuple[str, Any]] = [(path, value)]
    while stack:
        where, item = stack.pop()
        if isinstance(item, dict):
            stack.extend((f"{where}.{k}", v) for k, v in reversed(item.items()))
        elif isinstance(item, list):
            stack.extend((f"{where}[{i}]", v) for i, v in reversed(list(enumerate(item))))
        else:
            yield where, item
