"""What a street must be, beyond its pattern, to be taken for one."""

from __future__ import annotations

import re
from functools import lru_cache

import re2

from anonymize.recognizers.interface import WEAK, Checked, ends_clean
from anonymize.recognizers.lexicon import lexicon
from anonymize.recognizers.street_words import (
    ENDINGS,
    FIRST,
    HOUSES,
    SECOND,
    SURE,
    THINGS,
    TYPES,
    UNITS_OF,
)
from anonymize.surrogates import fold
from anonymize.surrogates.places import KEPT

WORD = re.compile(r"[^\W\d_]+(?:['’.\-][^\W\d_]+)*")
_NEAR = rf"(?i)\d[^\n]{{1,40}}\b(?:{TYPES})\b|(?:{ENDINGS})\.?\s\d|\b(?:{FIRST})\s[^\n]{{2,40}}\d"
_NEAR_ASCII, _NEAR_ANY = re2.compile(_NEAR), re.compile(_NEAR)


@lru_cache(1 << 10)
def street_near(text: str) -> bool:
    """Whether ``text``, what stands before a number, holds what looks like a street.

    In ASCII both kinds of pattern mean the same, and RE2's is the quicker one by far.
    """
    return (_NEAR_ASCII if text.isascii() else _NEAR_ANY).search(text) is not None


_HOUSE = re.compile(
    rf"(?:^|(?<=[^\w]))((?:[^\W\d_a-z][\w'’\-]* ){{0,3}}(?:{HOUSES})|"
    r"(?:Résidence|Residence|Haus|Edif[ií]cio|Immeuble|Torre|Bâtiment|Bât\.|Lotissement|ZA|ZI|"
    r"Villa|Quinta|Finca|Casa|Tower|Block)(?: (?:[^\W\d_a-z][\w'’\-]*|\d{1,4}|de|des|du|la)){1,3})"
    r",[ \n]$"
)
_YEAR = re.compile(r"(?:19|20)\d\d$")


def housed(text: str, start: int) -> int:
    """Where the name of a house before the street begins: ``Rose Cottage, 4 Mill Lane``."""
    found = _HOUSE.search(text, max(0, start - 56), start)
    return found.start(1) if found else start


def trim(text: str, start: int, end: int) -> int:
    while end > start and not text[end - 1].isalnum():
        end -= 1
    return end


def street(text: str, start: int, end: int) -> Checked:
    """A number, names, and a street type."""
    value = text[start:end]
    if not ends_clean(text, end) or len(value) > 120:
        return None
    words = WORD.findall(value)
    places = [i for i, w in enumerate(words) if fold(w.rstrip(".")) in _TYPE_WORDS]
    if not places:
        return None
    kind, names = words[places[-1]], words[: places[-1]]
    last = fold(kind.rstrip("."))
    ordinal = re.search(r"\d(?:st|nd|rd|th)\b", value) is not None
    names = [w for w in names if fold(w) not in KEPT] or names
    if not names and not ordinal and last != "broadway":
        return None
    if names and fold(names[0]) in UNITS_OF:
        return None
    if ordinal:
        return start, end, 0.7
    start = housed(text, start)
    capital = sum(w[0].isupper() for w in names) >= len(names) / 2
    if capital and (kind[0].isupper() or last in SURE):
        return start, end, 0.75
    # all lower case: "23 main street", but not "2 days drive"
    known = [fold(w) in lexicon().words for w in names]
    if last in SURE or last in ("drive", "circle", "square"):
        return start, end, 0.6 if last in SURE or not all(known) else WEAK
    return None if all(known) else (start, end, WEAK)


_TYPE_WORDS = frozenset(TYPES.split("|"))


def capital(text: str, start: int, end: int) -> Checked:
    """A rarer street type: every word is capitalised, or all is upper case."""
    words = WORD.findall(text[start:end])
    if not ends_clean(text, end) or not all(w[0].isupper() for w in words):
        return None
    names = words[:-1]
    rare = [w for w in names if fold(w) not in lexicon().words]
    return (start, end, 0.65) if rare else (start, end, 0.55)


def compound(text: str, start: int, end: int) -> Checked:
    """``Hauptstraße 12``, ``östbygatan 36``: one word that ends like a street."""
    if not ends_clean(text, end) and text[end - 2] == " ":
        end -= 2  # "Nassaustraat 123 street": the s is not part of the number
    end = trim(text, start, end)
    if not ends_clean(text, end) or text[end : end + 1] in ("%", "€"):
        return None
    word = WORD.findall(text[start:end])[-1] if text[start:end] else ""
    words = [w for w in WORD.findall(text[start:end]) if len(w) > 2]
    if not words or any(fold(w) in lexicon().words or fold(w) in THINGS for w in words[-1:]):
        return None  # "during 2024", "string 5"
    return start, end, 0.7 if words[0][0].isupper() or len(word) > 7 else 0.6


def prefixed(text: str, start: int, end: int) -> Checked:
    """``rue de la Paix``, ``calle Mayor 12``, ``ul. Piotrkowska 91/32``."""
    end = trim(text, start, end)
    if not ends_clean(text, end) or text[end : end + 1] in ("%", "€"):
        return None
    return (housed(text, start) if text[start].isdigit() else start), end, 0.7


def second(text: str, start: int, end: int) -> Checked:
    """``Arany János utca 171``: the kind of street follows its name, which is no English."""
    words = WORD.findall(text[start:end])
    kind = next((i for i, w in enumerate(words) if i and fold(w.rstrip(".")) in _SECOND), 0)
    names, known = [fold(w) for w in words[:kind]], lexicon()
    if fold(words[kind].rstrip(".")) in _ENGLISH and all(w in known.words for w in names):
        return None  # "Boarding gate 12", "Launch Pad 39"
    if any(w.islower() and fold(w) in known.words and fold(w) not in KEPT for w in words[:kind]):
        return None
    return prefixed(text, start, end)


_SECOND = frozenset(word.rstrip("\\.") for word in SECOND.split("|"))
#: Of these, words of English.
_ENGLISH = frozenset("gate ring pad park str alle tie kamp sok cad weg soi cesta trg ut".split())


def numbered(text: str, start: int, end: int) -> Checked:
    """``King Fahd Road 7714``, ``Avenue Louise 149 bte 24``: no year, nothing that is counted."""
    end = trim(text, start, end)
    after = WORD.match(text, end + 1, end + 20)
    if not ends_clean(text, end, also="%€") or _YEAR.search(text, start, end):
        return None
    if after is not None and fold(after.group()) in UNITS_OF:
        return None
    return start, end, 0.65


def loose(text: str, start: int, end: int) -> Checked:
    """The first word is a word of English too (via, am, place): the name must be a proper one."""
    end = trim(text, start, end)
    words = WORD.findall(text[start:end])
    proper = [w for w in words[1:] if w[0].isupper() and fold(w) not in lexicon().words]
    if not proper or not words[0][0].isupper() or not ends_clean(text, end):
        return None
    return start, end, 0.6


def with_code(text: str, start: int, end: int) -> Checked:
    """A name, a house number, then a postal code and a town: ``Rokytnická 165, 452 91 Bystré``."""
    words = WORD.findall(text[start:end])
    rest = re.match(r"[,\n]\s*(?:[A-Z]{1,3}-)?(\d[\d -]*)", text[end : end + 24])
    code = rest[1].strip() if rest else ""
    if not words or (len(code) == 4 and code[:2] in ("19", "20")):
        return None
    town = WORD.match(text[end + rest.end() :]) if rest else None
    if town is not None and fold(town.group()) in UNITS_OF:
        return None
    common = [fold(w) in lexicon().words or fold(w) in lexicon().other for w in words]
    for index in range(len(words) - 2, -1, -1):
        word = words[index]
        if common[index] and word.islower() and fold(word) not in KEPT:
            # "Versandkosten nach Schillerstraße 112": the street begins after it
            for passed in words[: index + 1]:
                start = text.index(passed, start) + len(passed)
            start = text.index(words[index + 1], start)
            words, common = words[index + 1 :], common[index + 1 :]
            break
    while len(words) > 1 and common[0] and not words[0][0].isupper():
        start += text[start:].index(words[1], len(words[0]))  # "shows Rokytnická 165"
        words, common = words[1:], common[1:]
    return None if all(common) and not words[0][0].isupper() else (start, end, 0.65)


def town_code(text: str, start: int, end: int) -> Checked:
    """``Slovenčeva 34, Dramlje 3222``: the code comes after the town."""
    found = with_code(text, start, end)
    if found is None:
        return None
    words = WORD.findall(text[found[0] : end])
    if any(fold(w) in lexicon().words or fold(w) in lexicon().other for w in words):
        return None
    return found[0], end, 0.6


def said(text: str, start: int, end: int) -> Checked:
    """What follows "lives at": a number and at least one word that is not an everyday one."""
    end = trim(text, start, end)
    words = WORD.findall(text[start:end])
    rare = [w for w in words if fold(w) not in lexicon().words or w[0].isupper()]
    if not rare or end - start > 120 or fold(words[0]) in UNITS_OF or not ends_clean(text, end):
        return None
    return start, end, 0.6


def unit(text: str, start: int, end: int) -> Checked:
    if not ends_clean(text, end):
        return None
    near = street_near(text[max(0, start - 90) : start])
    value = text[start:end]
    sure = re.match(r"(?i)(?:suite|ste|apt|apartment)\b", value) is not None
    line = start > 0 and text[start - 1] == "\n"
    alone = line and text[end : end + 1] in ("", "\n", ",")
    sure = sure or (alone and re.match(r"(?i)(?:room|flat|unit|#)", value) is not None)
    return start, end, 0.6 if near or sure else WEAK


def box(text: str, start: int, end: int) -> Checked:
    return (start, end, 0.75) if ends_clean(text, end, also="-") else None


def blocks(text: str, start: int, end: int) -> Checked:
    """``1-15-1 Shibuya``: no date, no telephone number."""
    word = WORD.findall(text[start:end])[-1]
    if fold(word) in lexicon().words and fold(word) not in lexicon().other:
        return None
    return (start, end, 0.6) if ends_clean(text, end) else None


_FAMOUS = frozenset("wall fleet sesame main high bond silk downing abbey yellow".split())


def named(text: str, start: int, end: int) -> Checked:
    """A street without a number, where the sentence says that someone or something is there."""
    words = WORD.findall(text[start:end])
    if not ends_clean(text, end) or fold(words[0]) in _FAMOUS:
        return None
    return start, end, 0.55
