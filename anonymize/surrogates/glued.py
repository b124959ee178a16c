"""Names that handles run together, taken apart: ``mkovacs82`` is an initial and a name, so that
its surrogate is made of theirs.

What the lists can read in a word depends on the word alone, so a handle has one surrogate wherever
it stands, whether its person is known there or not.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from anonymize.surrogates.words import fold

#: Stands between the parts while a surrogate is made: no letter, and in nobody's handle.
MARK = "\u2060"
_MARKS = re.compile(f"{MARK}|%E2%81%A0|%25E2%2581%25A0")
_AT = re.compile(r"@|%40|%2540")
_RUN = re.compile(r"[^\W\d_]+")


def apart(surface: str, is_word: Callable[[str], bool]) -> str:
    """``surface`` with a mark between the names of each run of letters that holds two."""
    # The lists load with the first handle, not with this package.
    from anonymize.recognizers.built import halves

    at = _AT.search(surface, 1)
    local, rest = (surface[: at.start()], surface[at.start() :]) if at else (surface, "")
    if MARK in surface or "%" in local:
        return surface

    def run(match: re.Match[str]) -> str:
        text = match.group()
        folded = fold(text)
        if len(folded) != len(text) or is_word(folded):
            return text
        parts = halves(folded)
        if parts is None:
            return text
        cut = len(parts[0])
        return f"{text[:cut]}{MARK}{text[cut:]}"

    return _RUN.sub(run, local) + rest


def joined(made: str) -> str:
    """``made`` without the marks, those of an encoded address too."""
    return _MARKS.sub("", made)
