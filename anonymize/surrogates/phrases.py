"""Any other entity: words become invented words, digits other digits."""

from __future__ import annotations

import re

from anonymize.surrogates.identifiers import IdentifierForm
from anonymize.surrogates.keyed import Keyed
from anonymize.surrogates.words import Words, ascii_digits, fold

_RUN = re.compile(r"[^\W\d_]+|\d+")


class PhraseForm:
    """For entities of the user's own recognizers. One token is treated as an identifier."""

    def __init__(self, keyed: Keyed, words: Words) -> None:
        self._keyed = keyed
        self._words = words
        self._identifier = IdentifierForm(keyed, words)

    def canonical(self, surface: str) -> str:
        return " ".join(surface.casefold().split())

    def owns(self, surface: str) -> bool:
        return self.make(surface) == surface

    def make(self, surface: str) -> str:
        if not any(c.isspace() for c in surface.strip()):
            return self._identifier.make(surface)
        if self._identifier.is_code(surface):
            return surface
        runs = _RUN.findall(surface)
        done = any(self._words.is_word(fold(run)) for run in runs)
        if not any(run.isalpha() and len(run) > 1 for run in runs):
            return self._identifier.make(surface)

        def replace(match: re.Match[str]) -> str:
            run = match.group()
            if run.isdecimal():
                return run if done else self._keyed.permute("handle", ascii_digits(run))
            return self._words.replace(run) if len(run) > 1 else run

        return _RUN.sub(replace, surface)
