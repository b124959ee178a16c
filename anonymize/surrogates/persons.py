"""Names of people, token by token, so that every way to write a person becomes one person."""

from __future__ import annotations

import re

from anonymize.surrogates.keyed import Keyed
from anonymize.surrogates.words import TOKEN, Words, fold

#: Written with a name, but not the name: kept.
TITLES = frozenset(
    """
    mr mrs ms miss mx dr doctor prof professor sir madam mister mme mlle monsieur madame
    herr frau fraulein dipl ing senor senora senorita sr sra srta signor signora rev
    reverend captain capt lt sgt col
    """.split()
)
SUFFIXES = frozenset(
    """
    jr jnr sr snr ii iii iv md phd dds dvm esq cpa rn mba obe do dphil
    """.split()
)
PARTICLES = frozenset(
    """
    van von der den de del della dello di da du des dos das do la le los las el al bin ibn
    bint abu y e of the zu zur zum ten ter te af av und and ap mac
    """.split()
)


class PersonForm:
    """``Mei Kovacs``, ``KOVACS, MEI``, ``Ms Kovacs``, ``M. Kovacs``."""

    def __init__(self, keyed: Keyed, words: Words) -> None:
        self._keyed = keyed
        self._words = words

    def canonical(self, surface: str) -> str:
        return " ".join(sorted(t for t in map(fold, TOKEN.findall(surface)) if t))

    def owns(self, surface: str) -> bool:
        return not self.tokens(surface) and any(
            self._words.is_word(fold(t)) for t in map(_bare, TOKEN.findall(surface))
        )

    def make(self, surface: str) -> str:
        raw = set(self.tokens(surface))
        if not raw:
            return surface  # titles and initials name nobody, and could not be recognised
        words = [_bare(t) for t in TOKEN.findall(surface)]
        # Initials can't be told from replaced initials; beside a replaced name they are.
        done = any(self._words.is_word(fold(word)) for word in words)

        def replace(match: re.Match[str]) -> str:
            token = match.group()
            bare = _bare(token)
            if bare in raw:
                return self._words.replace(bare) + token[len(bare) :]
            if len(bare) == 1 and bare.isascii() and not done:
                return self._keyed.letter(bare)
            return token

        return TOKEN.sub(replace, surface)

    def tokens(self, surface: str) -> list[str]:
        """The tokens (as written) that :meth:`make` turns into invented words."""
        words = [_bare(t) for t in TOKEN.findall(surface)]
        words = [word for word in words if len(fold(word)) > 1 or not word.isascii()]
        # Judged without invented words: those of names that have no capitals are mixed.
        shouting = "".join(w for w in words if not self._words.is_word(fold(w))).isupper()
        names = [word for word in words if not _kept(word, fold(word), shouting)]
        if not names and len(words) == 1 and fold(words[0]) not in TITLES:
            names = words  # a lone "Van" is a name
        return [name for name in names if fold(name) and not self._words.is_word(fold(name))]


def _bare(token: str) -> str:
    """The token without a possessive ``'s``."""
    return token[:-2] if len(token) > 3 and token[-2:] in ("'s", "’s", "'S", "’S") else token


def _kept(token: str, folded: str, shouting: bool) -> bool:
    if folded in TITLES or folded in SUFFIXES:
        return True
    # "Van" and "De" are also names; only the particle written small is kept.
    return folded in PARTICLES and (token.islower() or shouting)
