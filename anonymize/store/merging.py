"""Which parts of a day and agent are made one: small ones, as many as fit into memory together.

What they take on disk says little about that: logs that repeat come to a thousandth.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import ge

from anonymize.store.manifest import Part
from anonymize.store.parts import text
from anonymize.store.place import Place

#: Rows, bytes on disk and bytes of text that are merged at once. While that goes on, memory holds
#: the text some four times.
AT_ONCE = (200_000, 32 << 20, 128 << 20)
#: A partition that has this many parts gets its small ones merged by the next batch.
MANY_PARTS = 8


def when_many(place: Place, parts: Sequence[Part]) -> list[Part]:
    """Those that the next batch merges, if any: where there are many parts, the small ones."""
    if len(parts) < MANY_PARTS:
        return []
    return _fitting(place, parts, MANY_PARTS)


def when_asked(place: Place, parts: Iterable[Part]) -> list[Part]:
    """Those that are merged next when somebody asks for it; a part of half of all is left alone."""
    return _fitting(place, parts, 2)


def _fitting(place: Place, parts: Iterable[Part], share: int) -> list[Part]:
    """The first of those below a ``share`` of what fits that do fit, if it is more than one."""
    found: list[Part] = []
    left: Sequence[int] = AT_ONCE
    for part in parts:
        size = _size(place, part)
        if all(n * share < most for n, most in zip(size, AT_ONCE, strict=True)) and all(
            map(ge, left, size)
        ):
            left = [rest - n for rest, n in zip(left, size, strict=True)]
            found.append(part)
    return found if len(found) > 1 else []


def _size(place: Place, part: Part) -> tuple[int, int, int]:
    return part.rows, part.bytes, text(place, part)
