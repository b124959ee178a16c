"""Messages, tools and documents in many attributes: ``llm.input_messages.3.message.role``.

Each model call repeats those of the call before, so what one number says is read once and found
again by its keys and values. All that is remembered is bounded, and dropped when it is too much.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from anonymize.trace import Json

T = TypeVar("T")

#: What stands behind each number of one prefix: key, value, key, value, ...
Groups = dict[int, list[Any]]
#: The prefix, the number and the rest of a key; ``None`` for a key without a number.
_Place = tuple[str, int, str] | None
#: What :func:`remembered` knows, and the flags that were raised when it was read.
Memory = dict[tuple[str, ...], tuple[T, frozenset[str]]]

_MOST_KEYS = 16_384
_MOST_GROUPS = 4_096
#: Longer ones (characters of text) are read anew each time instead of being kept in memory.
_MAX_REMEMBERED = 16_384
_TEXT = {str}
_places: dict[str, _Place] = {}
#: The attributes that were asked about last, and their groups: a span is asked several times.
_last: tuple[Mapping[str, Json] | None, dict[str, Groups]] = (None, {})


def groups_of(attributes: Mapping[str, Json], prefix: str) -> Groups:
    """What the attributes ``prefix + number + rest`` say, by number. Not to be changed."""
    global _last
    known, groups = _last
    if known is not attributes:
        groups = _group(attributes)
        _last = (attributes, groups)
    return groups.get(prefix, {})


def _group(attributes: Mapping[str, Json]) -> dict[str, Groups]:
    groups: dict[str, Groups] = {}
    for key, value in attributes.items():
        try:
            place = _places[key]
        except KeyError:
            if len(_places) >= _MOST_KEYS:
                _places.clear()
            place = _places[key] = _place_of(key)
        if place is None:
            continue
        prefix, number, rest = place
        try:
            groups[prefix][number] += (rest, value)
        except KeyError:
            groups.setdefault(prefix, {})[number] = [rest, value]
    return groups


def _place_of(key: str) -> _Place:
    """A key at its first number. Longer numbers are none: a hostile one costs nothing."""
    parts = key.split(".")
    for index, part in enumerate(parts):
        if index and part.isdecimal() and len(part) <= 9:
            return ".".join(parts[:index]) + ".", int(part), ".".join(parts[index + 1 :])
    return None


def unflatten(attributes: Mapping[str, Json], prefix: str) -> tuple[list[dict[str, Any]], bool]:
    """``prefix.0.a.b`` attributes as a list of nested objects, and whether an index is missing.

    Indices become order, not positions: a hostile index of 10^9 costs nothing.
    """
    groups = groups_of(attributes, prefix)
    order = sorted(groups)
    return [nested(groups[number]) for number in order], order != list(range(len(order)))


def nested(group: list[Any] | tuple[Any, ...]) -> dict[str, Any]:
    """The keys and values behind one number as nested objects and lists."""
    item: dict[str, Any] = {}
    for index in range(0, len(group), 2):
        rest = group[index]
        _place(item, rest.split(".") if rest else [""], group[index + 1])
    return _lists(item)


def remembered(
    memory: Memory[T],
    group: list[Any],
    read: Callable[[dict[str, Any], set[str]], T],
    flags: set[str],
) -> T:
    """``read(nested(group), flags)``, or what it said about the same keys and values before.

    ``memory`` belongs to one ``read``. What it returns is shared, so it must not be changed.
    """
    if {*map(type, group)} != _TEXT:  # 1 and True are one key
        return read(nested(group), flags)
    key = tuple(group)
    found = memory.get(key)
    if found is None:
        raised: set[str] = set()
        found = read(nested(group), raised), frozenset(raised)
        if sum(map(len, group)) <= _MAX_REMEMBERED:
            if len(memory) >= _MOST_GROUPS:
                memory.clear()
            memory[key] = found
    flags |= found[1]
    return found[0]


def _place(target: dict[str, Any], path: list[str], value: Json) -> None:
    for name in path[:-1][:16]:
        inner = target.get(name)
        if not isinstance(inner, dict):
            inner = target[name] = {}
        target = inner
    target[path[-1]] = value


def _lists(value: dict[str, Any]) -> dict[str, Any]:
    """Objects whose keys are all numbers become lists, in order of the numbers."""
    out: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(item, dict):
            inner = _lists(item)
            if inner and all(k.isdecimal() and len(k) <= 9 for k in inner):
                out[key] = [inner[k] for k in sorted(inner, key=int)]
                continue
            item = inner
        out[key] = item
    return out
