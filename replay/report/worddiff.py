"""A diff of two texts by words, quick on long texts and readable on short ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from rapidfuzz.distance import Indel

#: More words than this on a side are not diffed: nobody reads such a diff.
MAX_WORDS = 6_000

#: Below this likeness a word diff is confetti; showing both texts whole reads better.
MIN_LIKENESS = 0.25

_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")


class Piece(NamedTuple):
    """A stretch of text: in both (``same``), baseline only (``del``), candidate only (``ins``)."""

    kind: Literal["same", "del", "ins"]
    text: str


def diff_words(left: str, right: str) -> list[Piece]:
    """How ``left`` became ``right``. All ``same`` and ``del`` pieces joined give ``left``."""
    if left == right:
        return [Piece("same", left)] if left else []
    old, new = _TOKEN.findall(left), _TOKEN.findall(right)
    if max(len(old), len(new)) > MAX_WORDS:
        return _whole(left, right)
    codes = Indel.opcodes(old, new)
    kept = sum(
        len(old[i]) for c in codes if c.tag == "equal" for i in range(c.src_start, c.src_end)
    )
    if kept < MIN_LIKENESS * max(len(left), len(right)):
        return _whole(left, right)
    pieces: list[Piece] = []
    for code in codes:
        if code.tag == "equal":
            pieces.append(Piece("same", "".join(old[code.src_start : code.src_end])))
            continue
        if code.src_end > code.src_start:
            pieces.append(Piece("del", "".join(old[code.src_start : code.src_end])))
        if code.dest_end > code.dest_start:
            pieces.append(Piece("ins", "".join(new[code.dest_start : code.dest_end])))
    return _join(pieces)


def side(pieces: Sequence[Piece], kind: Literal["del", "ins"]) -> list[Piece]:
    """One side of a diff, for showing the two texts beside each other."""
    return [p for p in pieces if p.kind in ("same", kind)]


def _whole(left: str, right: str) -> list[Piece]:
    return [p for p in (Piece("del", left), Piece("ins", right)) if p.text]


def _join(pieces: Sequence[Piece]) -> list[Piece]:
    """Gather runs of changes that only spaces or single signs keep apart, removals first."""
    joined: list[Piece] = []
    old = new = ""
    for i, piece in enumerate(pieces):
        between = old or new
        trivial = len(piece.text) <= 2 and not any(c.isalnum() for c in piece.text)
        if piece.kind == "del":
            old += piece.text
        elif piece.kind == "ins":
            new += piece.text
        elif between and trivial and i + 1 < len(pieces):
            old, new = old + piece.text, new + piece.text
        else:
            joined += _whole(old, new)
            joined.append(piece)
            old = new = ""
    return joined + _whole(old, new)
