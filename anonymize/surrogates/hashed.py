"""Keyed hashes that stand for a value: equal values stay equal, nothing else is left of them."""

from __future__ import annotations

import re

from anonymize.surrogates.keyed import Keyed

_MARK = re.compile(r"\[hash:([0-9a-f]{10})([0-9a-f]{4})\]")
#: Hashes of numbers are this and what follows: 15 digits, which every JSON reader keeps exactly.
_BASE = 9 * 10**14
_SPACE = 10**14
_CHECK = 10_000


class HashForm:
    """``[hash:1a2b3c4d5e6f70]`` for a text, a number of 15 digits for a number.

    Both carry a check made with the key, which is how a hash is told from a value. Two texts share
    a hash with probability 2**-40; of a million numbers about 50 pairs do.
    """

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed

    def canonical(self, surface: str) -> str:
        return surface.strip()

    def owns(self, surface: str) -> bool:
        match = _MARK.fullmatch(surface)
        return match is not None and not self._keyed.blind and match[2] == self._check(match[1])

    def make(self, surface: str) -> str:
        if not surface.strip() or self.owns(surface):
            return surface
        body = f"{self._keyed.number('hash', surface.strip(), 16**10):010x}"
        return f"[hash:{body}{self._check(body)}]"

    def number(self, text: str) -> str:
        """The hash of a number that is written as ``text``, as a number of the same type."""
        whole, dot, _ = text.partition(".")
        number = int(whole) - _BASE if whole.isascii() and whole.isdigit() else -1
        if 0 <= number < _SPACE and self._keyed.is_checked("hash/number", number, _CHECK):
            return text
        made = _BASE + self._keyed.checked("hash/number", text, _SPACE, _CHECK)
        return f"{made}.0" if dot or "e" in text.lower() else str(made)

    def _check(self, body: str) -> str:
        return f"{self._keyed.number('hash/check', body, 16**4):04x}"


class MarkForm:
    """Marks that stand where something was taken out; nothing is made of them."""

    def canonical(self, surface: str) -> str:
        return surface

    def owns(self, surface: str) -> bool:
        return True

    def make(self, surface: str) -> str:
        return surface
