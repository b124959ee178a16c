"""Invented words that stand for names, and can be told from every real name.

A word has eleven letters: an initial that depends on the real initial only (so that
"M. Kovacs" and "Mei Kovacs" stay one person), four pairs drawn from the key, and one pair that
checks the rest. 8.1e7 words exist for each initial: among n names with the same initial the
chance of any collision is below n**2 / 1.6e8. A real name of this shape is taken for a
surrogate once in 95 times; strictly alternating eleven-letter names hardly exist.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from anonymize.surrogates.keyed import Keyed

_CONSONANTS = "bcdfghjklmnprstvwyz"
_VOWELS = "aeiou"
_PAIRS = len(_CONSONANTS) * len(_VOWELS)
LENGTH = 11
#: A run of letters with its inner apostrophes: one token of a name.
TOKEN = re.compile(r"[^\W\d_]+(?:['’ʼ][^\W\d_]+)*")
_SHAPE = re.compile(
    rf"[aeiou](?:[{_CONSONANTS}][aeiou]){{5}}|[b-df-hj-np-tv-z](?:[aeiou][{_CONSONANTS}]){{5}}"
)
_FOLD = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})


@lru_cache(1 << 16)
def fold(token: str) -> str:
    """The one spelling of a token: lower case, no accents, no apostrophes."""
    if token.isascii():
        return token.lower().replace("'", "")
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", token).casefold())
    text = "".join(c for c in text if not unicodedata.combining(c)).translate(_FOLD)
    return text.replace("'", "").replace("’", "").replace("ʼ", "")


def ascii_digits(text: str) -> str:
    """Decimal digits of any script as 0-9; other characters as they are."""
    return text if text.isascii() else "".join(str(int(c)) if c.isdecimal() else c for c in text)


def like(surface: str, word: str) -> str:
    """``word`` in the letter case of ``surface``."""
    if len(surface) > 1 and surface.isupper():
        return word.upper()
    if surface[:1].islower():
        return word
    return word[:1].upper() + word[1:]


class Words:
    """Name tokens to invented words, and back to the question "was this one invented?"."""

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed
        self.word = lru_cache(1 << 16)(self._word)
        self.is_word = lru_cache(1 << 16)(self._is_word)

    def _word(self, token: str) -> str:
        """The invented word (lower case) for a folded ``token``."""
        first = token[:1]
        initial = (
            self._keyed.letter(first)
            if "a" <= first <= "z"
            else "abcdefghijklmnopqrstuvwxyz"[self._keyed.number("initial", first, 26)]
        )
        payload = self._keyed.number("word", token, _PAIRS**4)
        pairs = []
        for _ in range(4):
            payload, pair = divmod(payload, _PAIRS)
            pairs.append(_pair(initial, pair))
        body = initial + "".join(pairs)
        return body + _pair(initial, self._check(body))

    def replace(self, surface: str) -> str:
        """The surrogate of one name token as it is written; an invented one stays."""
        token = fold(surface)
        return surface if self.is_word(token) else like(surface, self.word(token))

    def _is_word(self, token: str) -> bool:
        if len(token) != LENGTH or _SHAPE.fullmatch(token) is None:
            return False
        return token[-2:] == _pair(token[0], self._check(token[:-2]))

    def _check(self, body: str) -> int:
        return self._keyed.number("word/check", body, _PAIRS)


def _pair(initial: str, number: int) -> str:
    consonant, vowel = divmod(number, len(_VOWELS))
    if initial in _VOWELS:
        return _CONSONANTS[consonant] + _VOWELS[vowel]
    return _VOWELS[vowel] + _CONSONANTS[consonant]
