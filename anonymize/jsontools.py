"""JSON from strangers: parsing with limits, one canonical text, and a walk over the leaves.

Traces are hostile input. :func:`loads` bounds the nesting before anything recursive sees the
value, and :func:`clean_text` makes any string storable (Parquet wants valid UTF-8).
"""

from __future__ import annotations

import hashlib
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
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?|[\[\]{}]', re.S)


class JsonError(ValueError):
    """Text that is not JSON, or JSON beyond the limits. The message holds no content."""


def loads(data: bytes | str, *, max_depth: int = MAX_DEPTH) -> Json:
    """Parse JSON. Raises :class:`JsonError` with a reason and, where known, line and column."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    # A document can't nest deeper than it has opening brackets, so most skip the exact count.
    if raw.count(b"[") + raw.count(b"{") > max_depth and depth_of_text(raw) > max_depth:
        raise JsonError(f"nested deeper than {max_depth} levels")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise JsonError(f"not JSON (line {error.lineno}, column {error.colno})") from None


def depth_of_text(raw: bytes) -> int:
    """The deepest nesting of brackets outside of strings, without parsing."""
    depth = deepest = 0
    for match in _STRUCTURE.finditer(raw):
        token = match.group()[0]
        if token in b"[{":
            depth += 1
            deepest = max(deepest, depth)
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
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def canonical(value: Json) -> str:
    """The one text of a value: sorted keys, compact. Equal values have equal texts."""
    return orjson.dumps(
        value, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    ).decode()


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
