"""The words of a text that could be part of a name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from anonymize.recognizers.lexicon import lexicon
from anonymize.surrogates import fold

_TOKEN = re.compile(r"[^\W\d_]+(?:['’ʼ\-‐][^\W\d_]+)*")
_CONTRACTED = re.compile(r"(?:n['’]t|['’](?:re|ve|ll|d|m))$", re.IGNORECASE)
_HYPHEN = re.compile(r"[-‐]")


@dataclass(frozen=True, slots=True)
class Token:
    """One word: as written, where, folded, and the folded halves of a hyphenated one."""

    text: str
    start: int
    end: int
    folded: str
    parts: tuple[str, ...]

    @property
    def title(self) -> bool:
        return self.text[0].isupper()

    @property
    def shout(self) -> bool:
        return len(self.text) > 1 and self.text.isupper()


@lru_cache(4)
def tokens_of(text: str) -> list[Token]:
    """The words of ``text``; those inside of ids, paths and calls are left out.

    Several recognizers ask for the same text one after the other, hence the cache.
    """
    found = []
    for match in _TOKEN.finditer(text):
        word = match.group()
        start, end = match.span()
        if (end - start == 1 and word.islower()) or _CONTRACTED.search(word):
            continue
        if len(word) > 3 and word[-2:] in ("'s", "’s", "'S", "’S"):
            word, end = word[:-2], end - 2
        if start and (text[start - 1].isdigit() or text[start - 1] in "_@#\\/%"):
            continue
        if end < len(text) and (
            text[end].isdigit() or text[end] in "_@\\/(" or text[end : end + 3] == "://"
        ):
            continue
        folded = fold(word)
        halves = _HYPHEN.split(word) if "-" in word or "‐" in word else ()
        parts = tuple(map(fold, halves)) if halves else (folded,)
        found.append(Token(word, start, end, folded, parts))
    return found


def common(token: Token) -> bool:
    """Whether a word is an everyday one, or names something but a person.

    ``Bašić`` and ``Carrión`` are not the words that they are without their marks.
    """
    known, folded, half = lexicon(), token.folded, token.parts[0]
    if not known.is_common(folded) or marked(token.text, folded):
        return False
    return half == folded or known.is_common(half)


def marked(word: str, folded: str) -> bool:
    """Whether a capitalised word is a name that is an English word but for its marks."""
    return (
        not word.isascii()
        and word[0].isupper()
        and lexicon().listed(folded)
        and folded not in lexicon().foreign
    )
