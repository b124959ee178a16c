"""Single values to what a column holds and back, exactly: JSON as text, times as microseconds."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from anonymize.trace import Json

#: Where traces go that have no start time (their flag is ``no_time``).
NO_DATE = date(1970, 1, 1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MAX_DEPTH = 500  # Python's own JSON parser recurses, and has to read back what was written
_PLAIN = (
    orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)


class Unstorable(ValueError):
    """A trace that can't be kept exactly. The message is a reason without content."""


def json_text(value: Json) -> str | None:
    """The JSON text of ``value``; a leading space marks what needs Python's parser to be exact.

    Raises:
        Unstorable: not a JSON value, or nested deeper than 500 levels.
    """
    if value is None:
        return None
    try:
        raw = orjson.dumps(value, option=_PLAIN)
    except TypeError:
        _check_json(value)
        return " " + json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # orjson writes NaN and infinities as null, so only a text with null can hide one.
    if b"null" in raw and _check_json(value):
        return " " + json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return raw.decode()


def json_value(text: str | None) -> Json:
    """The value of :func:`json_text`'s text."""
    if text is None:
        return None
    return json.loads(text) if text.startswith(" ") else orjson.loads(text)


def _check_json(value: Json) -> bool:
    """Whether ``value`` holds a non-finite float; raises where it isn't JSON."""
    found = False
    stack: list[tuple[Any, int]] = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        if depth > _MAX_DEPTH:
            raise Unstorable(f"a value is nested deeper than {_MAX_DEPTH} levels")
        if isinstance(item, float):
            found = found or not math.isfinite(item)
        elif isinstance(item, dict):
            if not all(isinstance(key, str) for key in item):
                raise Unstorable("an object has a key that is not text")
            stack.extend((v, depth + 1) for v in item.values())
        elif isinstance(item, list | tuple):
            stack.extend((v, depth + 1) for v in item)
        elif not isinstance(item, str | int | None):
            raise Unstorable(f"a value is not JSON but {type(item).__name__}")
    return found


def to_microseconds(time: datetime | None) -> int | None:
    """Microseconds since 1970 (UTC) of an aware time; a naive one raises :class:`Unstorable`."""
    if time is None:
        return None
    if time.utcoffset() is None:
        raise Unstorable("a start time has no time zone")
    return (time - _EPOCH) // _MICROSECOND


def to_time(microseconds: int | None) -> datetime | None:
    """The UTC time of :func:`to_microseconds`'s number."""
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)


def day_of(microseconds: int | None) -> date:
    """The UTC day that the time falls on; :data:`NO_DATE` where there is none."""
    if microseconds is None:
        return NO_DATE
    return date.fromordinal(NO_DATE.toordinal() + microseconds // 86_400_000_000)
