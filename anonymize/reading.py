"""Which units are read as prose, and in what pieces."""

from __future__ import annotations

import re
from collections.abc import Iterator

from anonymize.fields import OPAQUE
from anonymize.units import Unit

#: Texts for the model; longer ones cost memory out of proportion.
_PIECE = 2_000
_SENTENCE = re.compile(r"(?<=[.!?;])\s+")
#: Keys of objects are read as prose if they could be a person's name: ``{"Mei Kovacs": 0.5}``.
_PERSONAL_KEY = re.compile(
    r"[^\W\d_a-z](?:[^\W\d_]|['’\-])*+[.,]?(?: [^\W\d_A-Z]{2,3})?"
    r"(?: [^\W\d_a-z](?:[^\W\d_]|['’\-])*+\.?){1,3}"
)


def is_prose(unit: Unit) -> bool:
    """Whether names are looked for in ``unit``, by lists and models."""
    if unit.rule == OPAQUE and not unit.names:
        return _PERSONAL_KEY.fullmatch(unit.text) is not None
    return unit.names and not unit.rule


def pieces(text: str, size: int = _PIECE) -> Iterator[tuple[int, str]]:
    """``text`` in pieces that a model can read, with their offsets; cut between sentences."""
    if len(text) <= size:
        yield 0, text
        return
    start = 0
    while start < len(text):
        end = start + size
        if end < len(text):
            breaks = [m.end() for m in _SENTENCE.finditer(text, start + size // 2, end)]
            if breaks:
                end = breaks[-1]
            else:
                space = text.find(" ", end, start + 5 * size)
                end = space + 1 if space >= 0 else start + 5 * size
        yield start, text[start:end]
        start = end
