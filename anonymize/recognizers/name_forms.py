"""Names by their form: last name first, initials, several in a row, who said something.

What :mod:`anonymize.recognizers.names` needs a well-known name for, is done here with rare and
unknown ones, where the form itself says that a person is meant. Linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from anonymize.recognizers.lexicon import lexicon
from anonymize.recognizers.name_rows import rows
from anonymize.recognizers.name_tokens import Token, common, tokens_of
from anonymize.recognizers.name_words import (
    initial,
    inverted,
    marked_pair,
    opens,
    shouts,
    small,
)
from anonymize.surrogates import fold
from anonymize.surrogates.persons import PARTICLES, SUFFIXES

Span = tuple[int, int, float]

#: Relatives, friends and roles: a capitalised unknown word after them is a person.
_ROLE = frozenset(
    """
    kid son daughter wife husband brother sister mother father mom mum dad friend colleague boss
    manager partner assistant neighbor neighbour roommate landlord girlfriend boyfriend uncle aunt
    cousin niece nephew fiance fiancee spouse grandmother grandfather grandma grandpa stepson
    stepdaughter nurse driver supervisor coworker teammate advisor guardian caregiver tenant
    songwriter singer actor actress author novelist painter director ceo cto cfo coo founder
    president senator judge detective officer suspect defendant plaintiff patient widow surgeon
    starring coach teacher
    """.split()
)
_KIN = frozenset(
    """
    kid son daughter wife husband brother sister mother father mom mum dad friend colleague boss
    partner neighbor neighbour roommate landlord girlfriend boyfriend uncle aunt cousin niece nephew
    fiance fiancee spouse starring patient songwriter nurse
    """.split()
)
_SAYS = frozenset("says said asks asked replied replies wrote writes added explained".split())
_TELL = frozenset("tell told ask asked email emailed notify remind thank call met".split())
_SPEAKS = re.compile(
    r"[,]? (?:said|says|asked|asks|replied|replies|wrote|told|emailed|lives|lived|texted|thinks|"
    r"was born|spent|began writing|had given|grew up|married|smiled|laughed|nodded)\b|"
    r"['’]s (?:wife|husband|son|daughter|mother|father|mom|dad|brother|sister|boss|birthday|"
    r"mobile|flight|novel|song|book|passport|appointment|laptop|manager|résumé|resume|CV)\b"
)
_SPEAKER = re.compile(r"""[:] ?(?:["“'«]|[A-Za-z])""")
#: After a given name these make a place or a firm of it.
_INSTITUTION = frozenset(
    """
    street st road rd avenue ave lane drive dr boulevard blvd court ct place square way station
    airport hospital clinic university college school hotel inn bank center centre park church
    island islands beach bay lake river mountain falls county city town village building tower
    hall house museum theater theatre stadium library bridge mall market inc llc ltd corp group
    company foundation trust airlines air store shop restaurant cafe bar stadium arena award prize
    day edition version model series collection plan cathedral terminal gate secret falls
    """.split()
)
_GAP = frozenset((" ", "\u00a0", "  "))
_DEAR = re.compile(r"(?i)(?:^|[\n>])\s*(?:dear|hi|hello|hey)\s+$")
_CELL = frozenset(("", ",", "\n", ";", "\t"))
_SIGNED = re.compile(r"(?:^|[.!?\n] ?)[\-–—~] ?$")
_IRISH = re.compile(r"[OÓ]['’][^\W\d_a-z]|Ma?c[A-Z]")
_INITIALS = re.compile(r"(?<![\w.])(?:[^\W\d_a-z]\. ?){2,3}([^\W\d_a-z][^\W\d_A-Z]{1,30}+)")
#: A person is due after these, whatever the name.
_DUE = frozenset(
    "add with me by under customer patient client guest passenger member colleague name am".split()
)
_ENDS = frozenset(("", '"', "'", "`", "|", "\t", ">", "<", "“", "”", "*", "\n"))


def forms(text: str) -> Iterator[Span]:
    """Spans of names with a score."""
    tokens = tokens_of(text)
    lower = text == text.lower()
    # Pairs without capitals need a sentence of everyday words around them.
    plain = sum(map(common, tokens)) if len(tokens) > 1 else 0
    index = 0
    while index < len(tokens):
        count, score = _at(text, tokens, index, lower, plain)
        if count:
            yield tokens[index].start, tokens[index + count - 1].end, score
        index += max(count, 1)
    yield from rows(text, tokens)
    for match in _INITIALS.finditer(text):  # S.J. Tang
        if lexicon().family(fold(match.group(1))):
            yield match.start(), match.end(), 0.6


def _at(text: str, tokens: list[Token], i: int, lower: bool, plain: int) -> tuple[int, float]:
    token = tokens[i]
    if token.folded in SUFFIXES or (token.folded in PARTICLES and not token.title):
        return 0, 0.0
    follower = tokens[i + 1] if i + 1 < len(tokens) else None
    if follower is not None:
        gap = text[token.end : follower.start]
        count = 0
        if gap in _GAP:
            count = _pair(text, tokens, i, plain) or 2 * _shouted(tokens, i)
        elif gap in (", ", ","):
            due = gap == ", " and i > 0 and tokens[i - 1].folded in _DUE
            count = 2 if _inverted(text, token, follower, due) else 0
            if not count and gap == "," and token.title and follower.title:
                cells = text[token.start - 1 : token.start] in _CELL and (
                    text[follower.end : follower.end + 1] in _CELL
                )
                count = 2 * (cells and _odds(token, follower) > 1 and not common(token))
        elif lower and gap[:1] == " " and gap[2:] == ". " and _odds(token, follower) > 1:
            count = 2  # norbert s. gyenes
        if count:
            return _suffixed(text, tokens, i, count), 0.6
    if not token.title or token.shout or len(token.text) < 2:
        return (_dear(text, tokens, i), 0.6) if token.text.islower() else (0, 0.0)
    if common(token) and not lexicon().listed(token.folded):
        return 0, 0.0
    return (1, 0.55) if _single(text, tokens, i) else (0, 0.0)


def _pair(text: str, tokens: list[Token], i: int, plain: int) -> int:
    """How many words from ``i`` on are a name whose parts stand side by side."""
    token, follower = tokens[i], tokens[i + 1]
    if len(token.text) < 2:
        surname = follower.title and len(follower.text) > 2
        if surname and token.title and common(follower):
            return 2 * initial(text, token, follower)
        listed = any(_last(part) for part in follower.parts) or _IRISH.match(follower.text)
        sure = token.text not in "AI" or lexicon().shaped(follower.folded)
        return 2 * bool(token.title and sure and surname and listed)  # E Kinsella
    third = tokens[i + 2] if i + 2 < len(tokens) else None
    if len(follower.text) == 1 and follower.title and third is not None:
        between = text[follower.end : third.start]
        known = lexicon()
        given = token.folded in known.given or any(_first(p) for p in token.parts)
        if (
            between in (". ", " ")
            and token.title
            and third.title
            and len(third.text) > 1
            and (given or (not common(token) and (between == ". " or _last(third.folded))))
            and (not common(third) or (given and between == ". ") or third.folded in known.last)
        ):
            return 3  # Carolos L. Talon, Sue D. Hague
    if token.title and follower.title:
        if len(follower.text) < 2:
            return 0
        if common(token):
            return 2 * (_given_like_a_word(text, tokens, i) or shouts(token, follower))
        if token.shout and not follower.shout:  # SIMATUPANG Yudistira
            given = any(_first(p) for p in follower.parts) or _alone(text, token, follower)
            known_family = len(token.text) > 5 or lexicon().listed(token.folded)
            return 2 * (len(token.text) > 3 and given and not common(follower) and known_family)
        if common(follower):
            return 2 * _surname_like_a_word(text, tokens, i)
        return 2 * (_odds(token, follower) > 1)
    if token.title or follower.title or len(token.text) < 3 or len(follower.text) < 3:
        return 0
    if _coded(text, token.start, follower.end):
        return 0
    if common(token) or common(follower):
        return 2 * small(text, token, follower)
    if not (token.text + follower.text).isascii() and text != text.lower():
        if marked_pair(token, follower):
            return 2
        return 0  # "El envío cuesta": where capitals are used, small words of another language
    odds = _odds(token, follower)
    others = len(tokens) - 2
    calm = plain >= others * 0.5
    if odds > 2 or (odds > 1 and calm):
        return 2
    alone = _alone(text, token, follower)
    sentence = calm and others > 3 and plain >= others * 0.7
    return 2 * (
        odds == 1 and len(token.text) > 3 and len(follower.text) > 3 and (alone or sentence)
    )


def _given_like_a_word(text: str, tokens: list[Token], i: int) -> bool:
    """``... heard Us Akçay speak``: a word where no capital is due, and a family name."""
    token, follower = tokens[i], tokens[i + 1]
    known = lexicon()
    if token.shout or follower.shout or token.folded in _INSTITUTION or token.folded in known.other:
        return False
    if not (known.is_name(follower.folded) and known.family(follower.folded)):
        return False
    before = tokens[i - 1] if i else None
    if before is None or before.title or text[before.end : token.start] not in _GAP:
        return opens(text, tokens, i)
    return known.listed(token.folded)


def _surname_like_a_word(text: str, tokens: list[Token], i: int) -> bool:
    """``Caroline Landmark at Via Tasso``: a given name, and a word where no capital is due."""
    token, follower = tokens[i], tokens[i + 1]
    double = len(token.parts) == 2 and all(len(part) < 6 for part in token.parts)
    if double and follower.folded in lexicon().last and follower.shout == token.shout:
        return True  # Seo-yeon Park
    if token.folded not in lexicon().firm or token.folded in lexicon().other:
        return False
    if follower.shout != token.shout or follower.folded in _INSTITUTION:
        return False
    before = tokens[i - 1] if i else None
    after = tokens[i + 2] if i + 2 < len(tokens) else None
    heading = (
        before is not None
        and before.title
        and len(before.text) > 1
        and text[before.end : token.start] in _GAP
    ) or (after is not None and after.title and text[follower.end : after.start] in _GAP)
    return not heading and not text[follower.end : follower.end + 1].isdigit()


def _shouted(tokens: list[Token], i: int) -> bool:
    """``add GETACHEW TADESSE to``: nobody knows these words, and a person is due."""
    token, follower = tokens[i], tokens[i + 1]
    return (
        token.shout
        and follower.shout
        and i > 0
        and tokens[i - 1].folded in _DUE
        and tokens[i - 1].text.islower()
        and min(len(token.text), len(follower.text)) > 3
        and not (common(token) or common(follower))
    )


def _inverted(text: str, token: Token, follower: Token, due: bool = False) -> bool:
    """``ZICHUVELD, Noura``, ``Zheng, Guoqiang``, ``Onyekachi, C.``."""
    if not token.title or not follower.title or len(token.text) < 2:
        return False
    known = lexicon()
    if len(follower.text) == 1:
        return text[follower.end : follower.end + 1] == "." and not common(token)
    if common(follower):
        return inverted(token, follower)
    alone = _alone(text, token, follower)
    shouted = token.shout and follower.shout and not (known.listed(token.folded) and alone)
    if (alone or due) and not common(token) and not shouted:
        return True
    if token.shout and not follower.shout and len(token.text) > 5 and not common(token):
        return True  # TADESSE, Selamawit
    if not any(_first(part) and not known.is_common(part) for part in follower.parts):
        return False
    if token.shout and len(token.text) > 2:
        return not common(token) or (token.folded in known.last and not follower.shout)
    if common(token):
        return alone and token.folded in known.last and token.folded not in known.other
    return any(_last(p) for p in token.parts) and token.folded not in known.firm


def _alone(text: str, first: Token, last: Token) -> bool:
    """Whether two words fill a text, a cell or a pair of quotes."""
    return text[max(0, first.start - 1) : first.start] in _ENDS and (
        text[last.end : last.end + 1] in _ENDS
    )


def _single(text: str, tokens: list[Token], i: int) -> bool:
    """Whether one capitalised word is a person by what stands around it."""
    known, token = lexicon(), tokens[i]
    if token.folded in known.other and token.folded not in known.firm:
        return False
    plain = common(token) and token.folded not in known.given and token.folded not in known.firm
    if _SPEAKS.match(text, token.end):
        return not plain
    previous = tokens[i - 1] if i else None
    if (
        not plain
        and not text[token.end : token.end + 8].strip(" .!*_")
        and _SIGNED.search(text[max(0, token.start - 4) : token.start])
    ):
        return True
    if previous is None or text[previous.end : token.start] not in (" ", "  "):
        opening = token.start == 0 or text[token.start - 1] in "\n"
        return bool(
            opening and known.listed(token.folded) and not plain and _SPEAKER.match(text, token.end)
        )
    if previous.folded in _SAYS:
        return not plain or text[token.end : token.end + 1] in ".,"
    if plain:
        return False
    return (
        (previous.folded in _KIN and not previous.title)
        or (previous.folded in _ROLE and known.listed(token.folded))
        or (previous.folded in _TELL and known.listed(token.folded))
        or (previous.folded == "named" and known.listed(token.folded))
    )


def _dear(text: str, tokens: list[Token], i: int) -> int:
    """``dear efua deicheiuru,``: who is greeted, whatever the name."""
    token = tokens[i]
    if (
        common(token)
        or len(token.text) < 3
        or not _DEAR.search(text[max(0, token.start - 12) : token.start])
    ):
        return 0
    count = 1
    while i + count < len(tokens) and count < 4:
        following = tokens[i + count]
        if text[tokens[i + count - 1].end : following.start] != " " or common(following):
            break
        count += 1
    return count


def _suffixed(text: str, tokens: list[Token], i: int, count: int) -> int:
    """``count``, and the family names that follow, particles between them included."""
    while count < 5 and i + count < len(tokens):
        last, token = tokens[i + count - 1], tokens[i + count]
        if text[last.end : token.start] not in _GAP or token.title != tokens[i].title:
            break
        named = lexicon().listed(token.folded) or lexicon().shaped(token.folded)
        if common(token) or not named or len(token.text) < 3:
            break
        count += 1
    return count


def _odds(first: Token, last: Token) -> int:
    """How much two words look like a given and a family name (0 to 4)."""
    known = lexicon()
    given = max(2 * (p in known.first) or (p in known.rare_first) for p in first.parts)
    family = max(
        2 * (p in known.last or known.shaped(p))
        or (p in known.rare_last)
        or (p in known.rare_first)
        for p in last.parts
    )
    if not given and first.folded in known.last and family == 2:
        given = 1  # two family names: a Spanish or a double name
    return int(given) + int(family)


def _first(part: str) -> bool:
    known = lexicon()
    return part in known.first or part in known.rare_first


def _last(part: str) -> bool:
    return lexicon().family(part)


def _coded(text: str, start: int, end: int) -> bool:
    """Whether code or a path, not a sentence, surrounds a span."""
    around = text[start - 1 : start] + text[end : end + 1]
    return any(c in "./\\_-(){}[]=<>$@#" for c in around.rstrip(".)"))
