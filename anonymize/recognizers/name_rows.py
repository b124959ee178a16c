"""Names in a row: ``Brkić, Mađar and Senda``."""

from __future__ import annotations

from collections.abc import Iterator

from anonymize.recognizers.lexicon import lexicon
from anonymize.recognizers.name_tokens import Token, common


def rows(text: str, tokens: list[Token]) -> Iterator[tuple[int, int, float]]:
    """``Brkić, Mađar and Senda``: single words in a row, of which half are names."""
    known = lexicon()
    start = 0
    while start < len(tokens):
        end = start + 1
        while end < len(tokens) and text[tokens[end - 1].end : tokens[end].start] in _COMMAS:
            end += 1
        # "and" is a token of its own
        row = [t for t in tokens[start:end] if t.folded not in ("and", "und", "y", "et", "or")]
        if len(row) > 2 and all(_listable(t) for t in row):
            sure = sum(known.is_name(t.folded) or t.folded in known.firm for t in row)
            likely = sum(known.listed(t.folded) for t in row)
            if sure * 3 >= len(row) and likely * 2 >= len(row):
                for token in row:
                    yield token.start, token.end, 0.55
        start = end


_COMMAS = frozenset((", ", " ", ",", ", and ", "/"))


def _listable(token: Token) -> bool:
    known = lexicon()
    return (
        len(token.text) > 2
        and (token.title or known.listed(token.folded))
        and not token.shout
        and (not common(token) or token.folded in known.given)
        and (token.folded not in known.other or token.folded in known.cities)
    )
