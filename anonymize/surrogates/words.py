"""Invented words that stand for names, and can be told from every real name.

A word begins with a letter that depends on the name's first letter only ("M. Kovacs" and "Mei
Kovacs" stay one person), then consonants and vowels alternate, and its last consonant is a q or
an x: with that shape, thirteen letters and more, no listed name exists. The last pair of letters
is a check besides, so one in ten strings of that shape is taken for an invented word.

| a name of | becomes | two names share a word |
|---|---|---|
| up to eight letters a-z | 13 letters: a permuted number in base 105 | never |
| nine letters a-z | 15 letters, likewise | never |
| more, or letters that have no a-z | 17 letters, a hash | n**2 / 2.8e14 among n of one initial |

So the length tells about that of the name, and who has the key can compute the name back.
Letters have one case and no accents here; Cyrillic and Greek ones are read as Latin ones, so that
"Иванов" and "Ivanov" are one name, and its word is written in the script that the name was in.
Names in scripts without an alphabet like these get Latin words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from anonymize.surrogates.keyed import Keyed

_CONSONANTS = "bcdfghjklmnpqrstvwxyz"
_VOWELS = "aeiou"
_MARKS = "qx"
_PAIRS = len(_CONSONANTS) * len(_VOWELS)
#: Pairs of letters that carry the name, by what kind of name it is.
_SHORT, _NINE, _LONG = 5, 6, 7
#: A run of letters with its inner apostrophes: one token of a name.
TOKEN = re.compile(r"[^\W\d_]+(?:['’ʼ][^\W\d_]+)*")
_ASCII = re.compile(r"[a-z]{1,9}")
_SHAPE = re.compile(
    rf"[aeiou](?:[{_CONSONANTS}][aeiou]){{5,7}}[qx][aeiou]|"
    rf"[{_CONSONANTS}](?:[aeiou][{_CONSONANTS}]){{5,7}}[aeiou][qx]"
)
_LONG_RUN = re.compile(r"[^\W\d_]{13,34}(?![^\W\d_])")
_LENGTHS = frozenset(2 * pairs + 3 for pairs in (_SHORT, _NINE, _LONG))
_SHORTEST = min(_LENGTHS)
_FOLD = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})

# Letters of invented words in other scripts, in the order of the Latin ones. Where the script
# has no letter of its own for one, a rarer letter of the same script stands for it.
_LATIN = "abcdefghijklmnopqrstuvwxyz"
_CYRILLIC = "абҷдефгһијклмнопқрстувԝҳыз"
_GREEK = "αͷϻδεφγͱιϳκλμνοπϙρστϸβϝξϡζ"
_SPELLED = {
    "cyrillic": str.maketrans(_LATIN + _LATIN.upper(), _CYRILLIC + _CYRILLIC.upper()),
    "greek": str.maketrans(_LATIN + _LATIN.upper(), _GREEK + _GREEK.upper()),
}
_READ = {ord(c): latin for c, latin in zip(_CYRILLIC + _GREEK, _LATIN * 2, strict=True)} | {
    ord(c): latin
    for c, latin in {
        # Transliteration as in passports, near enough (ICAO 9303, ELOT 743).
        "ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ь": "",
        "э": "e", "ю": "yu", "я": "ya", "є": "ye", "ґ": "g", "љ": "lj", "њ": "nj", "ђ": "dj",
        "ћ": "c", "џ": "dz", "ѕ": "dz", "й": "i", "ў": "u", "ё": "e", "и": "i", "і": "i",
        "η": "i", "θ": "th", "χ": "ch", "ψ": "ps", "ω": "o", "β": "v", "υ": "y", "ς": "s",
    }.items()
}  # fmt: skip

_GREEK_PAIRS = (("ου", "ou"), ("αυ", "av"), ("ευ", "ev"))  # upsilon is in no invented word


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
    """``word`` in the letter case and the script of ``surface``."""
    if len(surface) > 1 and surface.isupper():
        word = word.upper()
    elif not surface[:1].islower():
        word = word[:1].upper() + word[1:]
    return word if surface.isascii() else word.translate(_SPELLED.get(_script(surface), {}))


def _script(surface: str) -> str:
    """``cyrillic`` or ``greek`` if all letters are, else nothing."""
    for name, first, last in (("cyrillic", "Ѐ", "ԯ"), ("greek", "Ͱ", "Ͽ")):
        if all(first <= c <= last for c in surface if c.isalpha()):
            return name
    return ""


class Words:
    """Name tokens to invented words, and back to the question "was this one invented?"."""

    def __init__(self, keyed: Keyed, root: Words | None = None) -> None:
        self._keyed = keyed
        self.word = lru_cache(keyed.cache_size)(self._word)
        #: Whether a folded token is an invented word, of whatever scope.
        self.is_word: Callable[[str], bool] = (
            root.is_word if root else lru_cache(keyed.cache_size)(self._is_word)
        )

    def _word(self, token: str) -> str:
        """The invented word (lower case, a-z) for a folded ``token``."""
        token = plain(token)
        first = token[:1]
        if _ASCII.fullmatch(token):
            pairs = _SHORT if len(token) < 9 else _NINE
            payload = self._keyed.spread(f"word/{first}", _rank(token[1:]), _PAIRS**pairs)
        else:
            pairs = _LONG
            payload = self._keyed.number("word", token, _PAIRS**pairs)
        if "a" <= first <= "z":
            initial = self._keyed.letter(first)
        else:
            initial = _LATIN[self._keyed.number("initial", first, 26)]
        body = [initial]
        for _ in range(pairs):
            payload, pair = divmod(payload, _PAIRS)
            body.append(_pair(initial, *divmod(pair, len(_VOWELS)), _CONSONANTS))
        return "".join((*body, self._check("".join(body))))

    def replace(self, surface: str) -> str:
        """The surrogate of one name token as it is written; an invented one stays."""
        token = fold(surface)
        return surface if self.is_word(token) else like(surface, self.word(token))

    def any_in(self, text: str) -> bool:
        """Whether an invented word stands in ``text``."""
        return any(self.is_word(fold(m.group())) for m in _LONG_RUN.finditer(text))

    def _is_word(self, token: str) -> bool:
        if len(token) < _SHORTEST or self._keyed.blind:
            return False
        return self._is_made(token) or self._is_glued(token)

    def _is_glued(self, token: str) -> bool:
        """Whether it is an invented word and an initial, or two invented words."""
        count = len(token)
        if count - 1 in _LENGTHS:
            return self._is_made(token[1:]) or self._is_made(token[:-1])
        return any(
            count - cut in _LENGTHS and self._is_made(token[:cut]) and self._is_made(token[cut:])
            for cut in _LENGTHS
        )

    def _is_made(self, token: str) -> bool:
        if len(token) not in _LENGTHS:
            return False
        token = plain(token)
        if _SHAPE.fullmatch(token) is None:
            return False
        return token[-2:] == self._check(token[:-2])

    def _check(self, body: str) -> str:
        number = self._keyed.number("word/check", body, len(_MARKS) * len(_VOWELS))
        return _pair(body[0], *divmod(number, len(_VOWELS)), _MARKS)


def plain(token: str) -> str:
    """A folded token in Latin letters, if its script is one that is read here."""
    if token.isascii():
        return token
    for pair, latin in _GREEK_PAIRS:
        token = token.replace(pair, latin)
    return token.translate(_READ)


def _rank(text: str) -> int:
    """The place of a-z ``text`` among all texts, short ones first (bijective base 26)."""
    rank = 0
    for char in text:
        rank = rank * 26 + ord(char) - 96
    return rank


def _pair(initial: str, consonant: int, vowel: int, consonants: str) -> str:
    if initial in _VOWELS:
        return consonants[consonant] + _VOWELS[vowel]
    return _VOWELS[vowel] + consonants[consonant]
