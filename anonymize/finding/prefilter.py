"""Which of many patterns can match a text at all, in a few linear passes.

A pattern is not tried on a text that is too short for it, nor, if it can't match without a digit,
on a text that has none: most lines of prose and most JSON leaves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import re2

#: Patterns in one set: see :func:`prefilter`.
_GROUP = 6
_PROOF = "a text that proves the set"
_Set = tuple[int, list[int], Any]
_DIGIT = re.compile(r"\d")
#: Syntax of RE2 that Python's parser does not know, as something that holds no digit.
_FOREIGN = (
    (re.compile(r"\\[pP](?:\{\^?\w+\}|\w)"), "a"),
    (re.compile(r"\\x\{[0-9A-Fa-f]+\}"), "a"),
)
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)


def prefilter(regexes: Sequence[str]) -> Callable[[str], list[int]]:
    """A function from a text to the indexes of the regexes that match somewhere in it.

    Small sets: the automaton of one for all has so many states that making them, for ever new
    texts, costs ten times what is saved later. Made once in a process for the same regexes: all
    policies of a language have the same ones, but for a user's own.

    Raises:
        RuntimeError: RE2 can't build a set here; it would match nothing, silently.
    """
    return _prefilter(tuple(regexes))


@lru_cache(4)
def _prefilter(regexes: tuple[str, ...]) -> Callable[[str], list[int]]:
    numeric: list[tuple[int, int]] = []
    others: list[tuple[int, int]] = []
    same: dict[str, list[int]] = {}
    for index, regex in enumerate(regexes):
        same.setdefault(regex, []).append(index)
    for regex, (index, *_) in same.items():
        digit, width = _demands(regex)
        (numeric if digit else others).append((width, index))
    always = _sets(regexes, sorted(others))
    with_digit = _sets(regexes, sorted(numeric))

    def which(text: str) -> list[int]:
        long = len(text)
        encoded = text.encode()
        found: list[int] = []
        for sets in (always, with_digit) if _DIGIT.search(text) else (always,):
            for width, places, group in sets:
                if width > long:
                    break  # the next ones are for longer texts still
                hits = group.Match(encoded)
                if hits:
                    for i in hits:
                        if i < len(places):
                            found.extend(same[regexes[places[i]]])
        found.sort()
        return found

    return which


def _sets(regexes: Sequence[str], wanted: list[tuple[int, int]]) -> list[_Set]:
    """Sets of patterns of about the same least length, shortest first."""
    found = []
    for first in range(0, len(wanted), _GROUP):
        members = wanted[first : first + _GROUP]
        options = re2.Options()
        options.max_mem = 64 << 20
        options.log_errors = False
        group = re2.Set(re2._Anchor.UNANCHORED, options)
        # A set that ran out of memory would match nothing, silently. Each must prove itself.
        for regex in (*(regexes[i] for _, i in members), _PROOF):
            group.Add(regex)
        group.Compile()
        if len(members) not in (group.Match(_PROOF) or ()):
            raise RuntimeError("the pattern set can't be used on this machine")
        found.append((members[0][0], [i for _, i in members], group))
    return found


def needs_digit(regex: str) -> bool:
    """Whether nothing without a decimal digit can match ``regex`` (False when in doubt)."""
    return _demands(regex)[0]


def _demands(regex: str) -> tuple[bool, int]:
    """Whether a match must hold a digit, and its least length in characters."""
    for pattern, instead in _FOREIGN:
        regex = pattern.sub(instead, regex)
    try:
        parsed = parser.parse(regex)
    except re.error:
        return False, 0
    return _sequence(parsed), parsed.getwidth()[0]


def _sequence(items: Iterable[tuple[Any, Any]]) -> bool:
    return any(_item(kind, argument) for kind, argument in items)


def _item(kind: Any, argument: Any) -> bool:
    if kind is sre.LITERAL:
        return chr(argument) in "0123456789"
    if kind is sre.IN:
        return all(map(_only_digits, argument))
    if kind in _REPEATS:
        return bool(argument[0] > 0 and _sequence(argument[2]))
    if kind is sre.SUBPATTERN:
        return _sequence(argument[3])
    if kind is sre.BRANCH:
        return all(map(_sequence, argument[1]))
    return False


def _only_digits(part: tuple[Any, Any]) -> bool:
    kind, argument = part
    if kind is sre.LITERAL:
        return chr(argument) in "0123456789"
    if kind is sre.RANGE:
        low, high = argument
        return bool(48 <= low <= high <= 57)
    return bool(kind is sre.CATEGORY and argument is sre.CATEGORY_DIGIT)
