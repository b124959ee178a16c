"""Names that are everyday words too, by the name beside them: ``Mats Karlsson``, ``lee richards``,
``GOOD Allison``, ``Okonkwo, Joy``. Each look is of bounded length."""

from __future__ import annotations

import re

from anonymize.recognizers.lexicon import lexicon
from anonymize.recognizers.name_tokens import Token, common

#: Given names that are mostly something else at the beginning of a sentence, or written small.
_DOES = frozenset(
    """
    will may can mark grant bill chase rob sue pat skip hope guy page miles mason norm art bud buck
    chip chance clay cliff dawn day drew earl faith mercy joy june april august max nick pierce rich
    rod rose rusty sandy sky sonny summer trey violet wade ward warren love case major prince king
    duke dean grace harmony melody patience charity destiny honor royal true early star rain see
    gay lane carry curry young long good best free more less rue van den de la le an so do
    """.split()
)
#: Shouted before a name and no part of it.
_SHOUTED = frozenset(
    """
    call read note send help hold mail open free best good new next live last long east west north
    south lead case page park bank card cash code line loan post ship shop stop team time user vice
    very want week work year gate flag file form fine fair deal date copy
    """.split()
)
_STARTS = re.compile(r"(?:^|[\n.!?:;|>*\-\"'(]) {0,2}$")
_IS = re.compile(r" (?:is|was|has|had|said|called|wants|needs|asked)\b|['’]s\b|[,.!?\n]|$")
_AFTER = re.compile(r"$|[^\w\s'’\-]|['’]s\b|\s(?:[^\w]|\d)")


def opens(text: str, tokens: list[Token], i: int) -> bool:
    """``Mats Karlsson wrote``: where any word has a capital, a given name and a family name."""
    token, follower = tokens[i], tokens[i + 1]
    known = lexicon()
    if _STARTS.search(text[max(0, token.start - 4) : token.start]) is None:
        return False
    given = token.folded in known.first or token.folded in known.rare_first
    plain = token.folded in known.english or token.folded in known.other or token.folded in _DOES
    after = tokens[i + 2] if i + 2 < len(tokens) else None
    heading = after is not None and after.title and text[follower.end : after.start] == " "
    return given and not plain and not heading


def small(text: str, token: Token, follower: Token) -> bool:
    """``gerald wells``, ``lee richards``: one of the two is a name, the other may be one."""
    known = lexicon()
    if not common(token) and token.folded in known.firm:
        listed = follower.folded in known.last and follower.folded not in known.english
        if not listed or len(follower.text) < 4:
            return False
        if follower.folded in known.other:
            return _IS.match(text, follower.end) is not None
        if follower.folded not in _DOES and follower.folded not in known.first:
            return _AFTER.match(text, follower.end) is not None
        return follower.folded not in _DOES or _AFTER.match(text, follower.end) is not None
    if common(token) and not common(follower) and known.is_name(follower.folded):
        place = token.folded in known.other and token.folded in known.first  # georgia burton
        return (
            (token.folded in known.given or place)
            and token.folded not in _DOES
            and follower.folded in known.last
            and len(follower.text) > 3
        )
    return False


def marked_pair(token: Token, follower: Token) -> bool:
    """``zoltán nagy`` in a text that has capitals: marks are no sign of another language here."""
    known = lexicon()
    return token.folded in known.firm and (
        known.listed(follower.folded) and follower.folded not in known.words
    )


def initial(text: str, token: Token, follower: Token) -> bool:
    """``issued to C. Cox``: after an initial, inside of a sentence or a field."""
    known = lexicon()
    before = text[max(0, token.start - 3) : token.start]
    inside = before[-1:] == " " and (before[-2:-1].islower() or before[-2:-1] in ":,")
    return (
        text[token.end : follower.start] == ". "
        and inside
        and follower.folded in known.last
        and follower.folded not in known.english
        and not follower.shout
    )


def shouts(token: Token, follower: Token) -> bool:
    """``GOOD Allison``: a family name in capitals before a well-known given name."""
    known = lexicon()
    return (
        token.shout
        and not follower.shout
        and len(token.text) > 3
        and token.folded in known.last
        and token.folded not in known.other
        and (token.folded not in _SHOUTED or len(follower.text) > 5)
        and (follower.folded in known.firm or known.is_first(follower.folded))
        and not common(follower)
    )


def inverted(token: Token, follower: Token) -> bool:
    """``Okonkwo, Joy``: a certain family name, and a given name that is a word."""
    known = lexicon()
    if token.shout and not follower.shout and len(token.text) > 3:  # ZORKO, Milan
        return not common(token) and known.listed(token.folded) and follower.folded in known.first
    return (
        known.is_name(token.folded)
        and token.folded in known.last
        and token.folded not in known.firm
        and follower.folded in known.first
        and follower.folded not in known.other
        and follower.folded not in known.english
        and follower.folded not in ("will", "may", "can", "mark", "love", "see", "so")
    )
