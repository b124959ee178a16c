"""The whole of a postal address: the town and region between and beside its street and its code.

A town alone is nobody's. In one block with somebody's street or postal code it is a part of their
address, and goes with it there; everywhere else in the trace it stays.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from anonymize.recognizers.interface import Rule, ends_clean
from anonymize.recognizers.lexicon import brands, lexicon
from anonymize.recognizers.street_words import UNITS_OF
from anonymize.surrogates import fold
from anonymize.surrogates.places import COUNTRIES

#: What may end an address; the last word of those that have several. Streets are named after
#: many of them, so what a surrogate keeps is the shorter list.
STATES = COUNTRIES | frozenset(
    """
    afghanistan albania algeria andorra angola antigua azerbaijan bahamas bahrain bangladesh
    barbados belarus belize benin bermuda bhutan bolivia bosnia herzegovina botswana brunei burundi
    burkina faso cambodia cameroon chad comoros congo cuba cyprus djibouti dominica ecuador eritrea
    eswatini ethiopia fiji gabon gambia grenada guatemala guinea guyana haiti honduras iran iraq
    jamaica jordan kazakhstan kiribati kosovo kuwait kyrgyzstan laos lebanon lesotho liberia libya
    liechtenstein macedonia madagascar malawi maldives mali malta mauritania mauritius micronesia
    moldova monaco mongolia montenegro morocco mozambique myanmar namibia nauru nepal nicaragua
    niger oman palau palestine panama paraguay peru qatar russia russland rwanda samoa senegal
    seychelles somalia sudan suriname syria tajikistan tanzania togo tonga tobago trinidad tunisia
    turkmenistan tuvalu uganda uruguay uzbekistan vanuatu venezuela yemen zambia zimbabwe zealand
    arabia africa emirates lanka rica kong macau greenland aruba réunion guadeloupe martinique
    maroc algérie tunisie perú panamá shqipëria eesti latvija lietuva hellas ellada ísland éire
    """.split()
)
#: How far from a street or a code a town can stand, in characters.
_REACH = 72
_MOST_WORDS = 6
_WORD = re.compile(r"[^\W\d_]+(?:['’.\-][^\W\d_]+)*")
_SMALL = frozenset(
    "de del der den la le les el los las di da do du des sur am an im in bei ob upon on of the st "
    "saint san santa y und van aan bij a à e i na nad pod nan".split()
)
#: Ends a block: a sentence, a bracket, a label, a column.
_STOP = re.compile(r"[.!?](?:\s|$)|[:;()\[\]{}<>|\"=@/*]|\n\s*\n|\d")
_END = re.compile(
    r"[.!?](?:\s|$)|[:;()\[\]{}<>|\"=@/*\d]|\n|,|"
    r"(?: |^)(?:and|or|for|is|was|to|with|from|has|on)\b"
)
_CODE_GAP = re.compile(r"[ ,\-–]{1,3}\n?[ ,]?|\n[ ,]{0,2}")
#: After a word: a label, an id or a key, and so no town.
_TIED = re.compile(r"[\-#]?\d|[:=#@]")


def towns(
    text: str, streets: Sequence[tuple[int, int]], codes: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """The words of towns and regions in the blocks around ``streets`` and ``codes`` (spans)."""
    starts, ends = sorted(codes), sorted(end for _, end in codes)
    done: set[int] = set()
    for start, end in streets:
        if text[start:end].isdigit():
            continue
        for found in (*_ahead(text, end, starts), *_behind(text, start, ends)):
            if found[0] not in done:
                done.add(found[0])
                yield _whole(text, *found)


def _whole(text: str, start: int, end: int) -> tuple[int, int]:
    """The span with the words that the reach cut in two."""
    while start > 0 and text[start - 1].isalpha() and text[start].isalpha():
        start -= 1
    while end < len(text) and text[end].isalpha() and text[end - 1].isalpha():
        end += 1
    return start, end


def _ahead(text: str, end: int, codes: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """``street, Town 80279 Town, Region``."""
    index = bisect_left(codes, (end, 0))
    code = codes[index][0] if index < len(codes) and codes[index][0] <= end + _REACH else None
    stop = _STOP.search(text, end, min(len(text), end + _REACH))
    limit = stop.start() if stop else min(len(text), end + _REACH)
    if code is not None and code <= limit:
        gap = list(_words(text, end, code))
        if len(gap) > _MOST_WORDS or not _placelike(text, gap):
            return
        yield from _named(text, gap)
        after = codes[index][1]
        joint = _CODE_GAP.match(text, after)
        if joint is None:
            return
        low = joint.end()
        ending = _END.search(text, low, min(len(text), low + 40))
        high = ending.start() if ending else min(len(text), low + 40)
        if ending and _TIED.match(text, ending.start()):
            return  # "560102\nOrder RMA-45522", "Ref: 13901"
        words = list(_words(text, low, high))
        if words and len(words) <= 4 and words[0][0] == low and _placelike(text, words):
            yield from _named(text, words)
        return
    # No code: a country says where the block ends.
    words = list(_words(text, end, limit))
    for count, (low, high) in enumerate(words[: _MOST_WORDS + 1]):
        if fold(text[low:high]) in STATES and text[low].isupper() and len(text[low:high]) > 3:
            if count and _placelike(text, words[:count]) and "," in text[end:low]:
                yield from _named(text, words[:count])
            return


def _behind(text: str, start: int, codes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """``1040 Wien, Hauptstraße 12``."""
    index = bisect_right(codes, start) - 1
    code = codes[index] if index >= 0 else -1
    if code < max(0, start - 40) or _STOP.search(text, code, start):
        return
    words = list(_words(text, code, start))
    if words and len(words) <= 4 and "," in text[code:start] and _placelike(text, words):
        yield from _named(text, words)


def _words(text: str, low: int, high: int) -> Iterator[tuple[int, int]]:
    for match in _WORD.finditer(text, low, high):
        yield match.span()


def _placelike(text: str, words: Sequence[tuple[int, int]]) -> bool:
    """Whether all words are capitalised, or small ones that names of towns have."""
    for low, high in words:
        word = text[low:high]
        if not word[0].isupper() and fold(word) not in _SMALL and word.isascii():
            known = lexicon()
            if fold(word) in known.words and fold(word) not in known.cities:
                return False
    return True


def _named(text: str, words: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for low, high in words:
        word = text[low:high]
        folded = fold(word)
        if len(word) < 3 or folded in STATES or folded in _SMALL or folded in _NOT_TOWNS:
            continue
        yield low, high


_NOT_TOWNS = frozenset(
    "republic united kingdom states county region province state zip code postcode plz apt suite "
    "unit flat floor room box building north south east west new and phone email attn".split()
)

#: What says that an address comes, with nothing but small words between.
_CUE = re.compile(
    r"(?i)\b(?:address(?:es)?|lives?|living|resid(?:es?|ing|ence|ent)|moved|moving|located|"
    r"adresse|anschrift|wohnt|wohnhaft|wohne|dirección|direccion|indirizzo|adres|woont|habite|"
    r"domicili\w{1,4}|home|house|door|street|ship(?:ped|ping)?|deliver(?:ed|y|ies)?|courier|parcel|"
    r"pick(?:ed)? ?up|drop(?:ped)?[ -]?off|collect|visit|premises|property|flat|apartment|"
    r"premise|forward|billing|shipping|addr)\b"
)
_SURE_CUE = re.compile(
    r"(?i)\b(?:address(?:es)?|addr|lives?|living|resid(?:es?|ing|ence)|adresse|anschrift|wohnt|"
    r"wohnhaft|dirección|direccion|indirizzo|adres|woont|habite|domicili\w{1,4})\b"
)
_AT = re.compile(
    r"(?i)(?:^|[\s(\"'>])(?:at|outside|opposite|in front of|next to|across from|"
    r"(?:dispatch|sent|send|com(?:e|ing)|driv|ride|taxi|cab|brought|bring|ambulance|crew|"
    r"technician|engineer|plumber|nurse|visit|trip|route[ds]?|head(?:ing|ed)|deliver)\w*"
    r"(?: [\w']+){0,3}? to|(?:pick|collect|fetch)\w*(?: [\w']+){0,3}? from|office|site)"
    r"[: ]{1,2}$"
)
_BREAK = re.compile(r"[.!?]\s|\n\s*\n|;")
_NOT_STREET = frozenset(
    """
    plz zip postcode postleitzahl code cp cap cep pin tel phone telefon fax mobile
    order ticket flight gate terminal room table seat line page chapter section version case item
    invoice ref reference model iphone galaxy windows android platform bus train track route level
    step unit grade class year season episode volume issue number no booking reservation account
    policy claim lot batch building floor zone area platform channel port phase part type size
    january february march april may june july august september october november december monday
    tuesday wednesday thursday friday saturday sunday total amount qty quantity apollo agreement
    covid top over under about only around within until before after since between up exit pier
    """.split()
)
_TAIL = re.compile(
    r"(?:[ ,\n\-–.]{1,4}[^\W\d_][^\W\d]*+(?:[.'’\-][^\W\d]*+)?){0,6}?[ ,\n\-–]{1,4}(?:[A-Z]{1,3}-)?"
    r"(?:\d{4,6}(?:-\d{3,4})?|\d{3} \d{2}|\d{2}-\d{3}|\d{3}-\d{4}|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2})"
    r"(?![\w.,]?\d)"
)


_AMOUNT = re.compile(r"[.,:]\d|\s?(?:%|am|pm)\b")


def _cued(text: str, start: int, end: int) -> tuple[int, int, float] | None:
    """A number beside capitalised words, after a word that says an address comes."""
    while end > start and not text[end - 1].isalnum():
        end -= 1
    if not ends_clean(text, end, also="%€$") or _AMOUNT.match(text[end : end + 5]):
        return None
    words = _WORD.findall(text[start:end])
    known = lexicon()
    folded = [fold(word.rstrip(".")) for word in words]
    if not words or any(word in _NOT_STREET or word in UNITS_OF for word in folded):
        return None
    rare = [w for w in folded if len(w) > 2 and w not in known.words]
    if not rare:
        return None
    digits = re.findall(r"\d+", text[start:end])
    if text[start].isdigit() or all(len(d) < 5 for d in digits):
        tail = _TAIL.match(text, end, min(len(text), end + 90))
        if tail is not None:
            return start, end, 0.6
    before = text[max(0, start - 64) : start]
    cut = [m.end() for m in _BREAK.finditer(before)]
    before = before[cut[-1] :] if cut else before
    if _SURE_CUE.search(before):
        return start, end, 0.6
    cue = _CUE.search(before[-32:])
    plain = not any(w in known.other or known.is_first(w) for w in folded)
    years = all(len(d) == 4 and d[:2] in ("19", "20") for d in digits)
    if not cue and plain and not years and any(len(w) > 3 and not w.isupper() for w in words):
        # "the tenant at Molenpad 13c": a place, if its name is no word and no brand
        cue = _AT.search(before) if all(len(d) < 5 for d in digits) else None
        if cue and brands().search(text, start, end):
            return None
    return (start, end, 0.55) if cue and plain and not years else None


def _corner(text: str, start: int, end: int) -> tuple[int, int, float] | None:
    words = _WORD.findall(text[start:end])
    return (start, end, 0.55) if words and ends_clean(text, end) else None


_CAP = r"\p{Lu}[\pL.'’\-]*"
CUED = (
    Rule(
        "STREET_ADDRESS",
        rf"(?:^|[^\pL\pN.,$€£#\-/])(\d{{1,5}}[A-Za-z]?(?:[ /\-]\d{{1,5}})?,? (?:{_CAP} ){{0,4}}"
        rf"{_CAP}"
        r"(?: \d{1,5}[a-zA-Z]?\b)?)",
        0.6,
        _cued,
    ),
    Rule(
        "STREET_ADDRESS",
        rf"(?:^|[^\pL\pN])({_CAP}"
        rf"(?: (?:{_CAP}|de|del|der|den|la|le|van|von|di|da|do|dos|na|zu|und|y))"
        r"{0,4},? (?:(?:No|Nr|nr|no|n°|nº|№|č\.p)\.? ?|# ?)?\d{1,5}(?:[ ]?[a-zA-Z]\b)?"
        r"(?:[/\-]\d{1,4}[a-z]?)?"
        r"(?: \d{1,4}\b)?)",
        0.6,
        _cued,
    ),
    Rule(
        "STREET_ADDRESS",
        rf"\b(?:(?i:corner|intersection|junction) of|(?i:ecke|angle|esquina)(?: de)?) "
        rf"({_CAP}(?: {_CAP}){{0,3}} (?:and|&|und|et|y|/) {_CAP}(?: {_CAP}){{0,3}})",
        0.6,
        _corner,
    ),
)
