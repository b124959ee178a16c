"""Names where only a name stands: ``Maiden name: Rose``, ``née Bae``, ``All set, Sofia.``

The places say so, hence words, months and towns count here that are given names too. Every
pattern has an anchor of its own (a label, the end of a line): linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anonymize.recognizers.lexicon import lexicon
from anonymize.recognizers.name_tokens import marked
from anonymize.surrogates import fold

Span = tuple[int, int, float]

_UPPER = r"[^\W\d_a-z]"
_WORD = rf"{_UPPER}[^\W\d_]{{0,24}}+(?:['’\-][^\W\d_]{{1,24}}+)?"
_LABELLED = re.compile(
    r"(?i:\b(?:maiden|birth|given|first|last|middle|family|full|former|married|previous|legal)"
    r"[ _\-]?names?|\bsurname|\bforenames?|\bnames? at birth)"
    rf"[ \t]?(?:\.{{2,40}}+[ \t]?|[:=][ \t]?)({_WORD}(?:[ \-]{_WORD}){{0,3}})(?=[\n,;.|)\"'<]|$)"
)
_BORN = re.compile(rf"(?<![^\W_])(?:n[ée]e?|geb\.|born)[ ]({_WORD})(?=[\n,;.)]|$)")
#: All set, Sofia. / ..., Dean. / Yes. - Sofia / Best, Wren
_END = re.compile(
    rf"(?:(,)[ ]|(?:(?<=[.!?\n])|(?<=[.!?] ))[\-–—~] ?)({_WORD})(?=[.!?]?[ ]?(?:\n|$))"
)
_CLOSED = re.compile(
    r"(?:^|[.!?\n] ?)(?:(?:all )?(?:the )?best(?: wishes| regards)?|(?:kind|warm|many) (?:regards|"
    r"thanks)|regards|love|cheers|thanks|thx|yours(?: truly)?|sincerely|ciao|bye)$",
    re.IGNORECASE,
)
_TO = re.compile(
    r"\b(?:wrote|written|spoke|talked|said|replied|forwarded it|gave it|sent it|assigned|"
    rf"introduced me|listened) to ({_WORD})|\b[Ll]ooping in ({_WORD})|\b({_WORD}) et al\b"
)
_GREETED = re.compile(rf"(?:^|[.:!?\n\"] ?)(?:[Hh]i|[Hh]ello|[Hh]ey|[Dd]ear) ({_WORD})(?=[,!])")
_BOTH = re.compile(
    rf"(?:^|[.!?\n] ?)({_WORD}) (?:and|&) ({_WORD}) (?:were|are|have|had|both|met|agreed?|"
    r"disagreed?|wrote|said|say|live|lived|married|argued?|split|began|founded)\b"
)
_BESIDE = re.compile(rf"(?<![^\W_])({_WORD})[ \u00a0]({_WORD})(?![^\W_])")
#: Reservation for Papadaki, two nights
_FOR = re.compile(
    r"(?i:\b(?:reservation|booking|table|room|appointment|pick-?up|delivery|check-?in)"
    rf"(?: (?:is|was|made|booked))? (?:for|under|in the name of)) ({_WORD})(?![\w’'\-])"
)
#: The Brennans are arriving, the Kowalczyks
_FAMILY = re.compile(rf"\b[Tt]he (?:(?:two|three|whole) )?({_WORD})(?<=s)(?![\w’'\-])")
#: VILLANUEVA/ANANYA MR, as tickets have it
_TICKET = re.compile(
    r"(?<![\w/.\-])([A-Z]{2,25})/([A-Z]{2,25})( ?(?:MR|MRS|MS|MISS|MSTR|DR|CHD|INF))?(?![\w/])"
)
_NOBODY = frozenset(
    """
    all everyone everybody team there folks customer sir madam guys friend friends unknown none same
    yes no not please thanks nothing support agent assistant bot admin street park road
    today tomorrow monday tuesday wednesday thursday friday saturday sunday
    """.split()
)


def placed(text: str) -> Iterator[Span]:
    """Spans of names with a score."""
    if ":" in text or "=" in text or "..." in text:
        for match in _LABELLED.finditer(text):
            if not _nobody(match.group(1)):
                yield *match.span(1), 0.7
    for match in _BORN.finditer(text):
        word = match.group(1)
        if not lexicon().is_common(fold(word)) or marked(word, fold(word)):
            yield *match.span(1), 0.6
    for match in _END.finditer(text):
        if _ends(text, match):
            yield *match.span(2), 0.6
    for pattern in (_TO, _GREETED):
        for match in pattern.finditer(text):
            group = match.lastindex or 1
            if _could_be(match.group(group), town=pattern is _TO):
                yield *match.span(group), 0.6
    for match in _BOTH.finditer(text):
        one, two = match.groups()
        if (_sure(one) and lexicon().listed(fold(two))) or (_sure(two) and _could_be(one)):
            yield *match.span(1), 0.55
            yield *match.span(2), 0.55
    for match in _FOR.finditer(text):
        folded = fold(match.group(1))
        if not lexicon().is_common(folded) and folded not in _NOBODY:
            yield *match.span(1), 0.55
    for match in _FAMILY.finditer(text):
        one = fold(match.group(1)[:-1])
        sure = one in lexicon().last or lexicon().shaped(one) or _settled(text, match.end())
        if sure and len(one) > 3 and lexicon().family(one) and not _plain(one, match.group(1)):
            yield match.start(1), match.end(1), 0.55
    for match in _TICKET.finditer(text) if "/" in text else ():
        last, first = (fold(match.group(i)) for i in (1, 2))
        known = lexicon()
        if match.group(3) or (known.is_first(first) and known.family(last)):
            yield match.start(1), match.end(2), 0.7
    yield from _beside(text)


def _settled(text: str, end: int) -> bool:
    return (
        re.match(r" (?:are|were|have|had|will|live|moved?|came|arrived?)\b", text[end : end + 9])
        is not None
    )


def _plain(one: str, word: str) -> bool:
    known = lexicon()
    return known.is_common(one) or known.is_common(fold(word)) or word.isupper()


def _beside(text: str) -> Iterator[Span]:
    """``Kauan Cunha``, ``Pero Bašić``: a word of another language beside a family name."""
    known = lexicon()
    at = 0
    while match := _BESIDE.search(text, at):
        at = match.start(2)
        one, two = match.groups()
        first, last = fold(one), fold(two)
        if len(last) < 4 or last not in known.last or one.isupper() != two.isupper():
            continue
        if not (one[0].isupper() and two[0].isupper()):
            continue  # "el envío cuesta": everyday words of another language
        certain = known.is_name(last) or marked(two, last)
        if not certain or len(first) < 3:
            continue
        plain = known.is_common(first) and not known.listed(first)
        if first in known.foreign or marked(one, first) or (marked(two, last) and not plain):
            yield match.start(), match.end(), 0.6


def _ends(text: str, match: re.Match[str]) -> bool:
    """Whether the last word of a line is who is spoken to, or who signs."""
    word = match.group(2)
    known, folded = lexicon(), fold(word)
    if word.isupper() or folded in _NOBODY:
        return False
    if match.group(1) is None:
        return known.listed(folded) and (folded in known.first or not known.is_common(folded))
    line = text[max(text.rfind("\n", 0, match.start()) + 1, match.start() - 60) : match.start()]
    if _CLOSED.search(line):
        return known.listed(folded) or not known.is_common(folded)
    if folded not in known.first and folded not in known.given:
        return False
    clause = re.split(r"[.!?;:] ", line)[-1].strip()
    # No other name in what is said: "I live in Rome, Georgia." is no call.
    words = clause.split()
    small = all(not w[:1].isupper() or w in ("I", "OK", "I'm", "I'll") for w in words[1:])
    plain = bool(words) and fold(words[0].strip(",'’")) in known.words | known.english
    town = folded in known.cities
    placed_ = bool(words) and words[-1].lower() in ("in", "to", "from", "at", "near", "of", "and")
    return small and plain and not placed_ and "," not in clause and not (town and len(words) > 4)


def _could_be(word: str, *, town: bool = False) -> bool:
    known, folded = lexicon(), fold(word)
    if folded in _NOBODY or word.isupper() or not known.listed(folded):
        return False
    if folded in known.other and not (town and (folded in known.first)):
        return False
    return folded in known.first or folded in known.rare_first or not known.is_common(folded)


def _sure(word: str) -> bool:
    known, folded = lexicon(), fold(word)
    return not word.isupper() and (
        known.is_name(folded) or (marked(word, folded) and known.listed(folded))
    )


def _nobody(value: str) -> bool:
    known = lexicon()
    words = [fold(word) for word in re.split(r"[ \-]", value)]
    return any(word in _NOBODY for word in words) or (
        not any(known.listed(word) for word in words) and all(map(known.is_common, words))
    )
