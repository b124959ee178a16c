"""Postal codes. Digits alone are one beside a street, a town, a state, or a word that says so."""

from __future__ import annotations

import re

from anonymize.recognizers.blocks import STATES
from anonymize.recognizers.interface import WEAK, Checked, PatternFamily, Rule, context, ends_clean
from anonymize.recognizers.lexicon import lexicon
from anonymize.recognizers.street_checks import street_near
from anonymize.surrogates import fold

_LABELS = (
    r"zips?(?:[ -]?codes?)?|post ?codes?|postal(?: code)?|pin ?code|area pin|eircode|plz|"
    r"postleitzahl|code postal|c[oó]digo postal|c\.p\.|cap|cep|postnummer|postnr|kod pocztowy|"
    r"psč|postcode|irányítószám|郵便番号|邮编|우편번호"
)
#: Small words between "postcode" and "is": "on the card", "we have on file".
_LINKS = (
    r"on|for|of|at|in|from|there|here|you|have|i|we|he|she|they|gave|used|listed|stored|entered|"
    r"me|my|the|your|his|her|our|their|this|that|file|account|card|order|address|profile|record|"
    r"system|it|now|should|be|billing|shipping|delivery|home|correct|new|old|right"
)
_says_zip = context(_LABELS + r"|cp", reach=44)
_says_after = re.compile(
    r"(?i)^[\s(,\-]{1,3}(?:(?:please|pls|as|is) \(?(?:my |the )?)?"
    r"(?:zip|postcode|postal code|post code)(?![^\W_])"
)
_STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|DC|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|"
    "NM|NY|NC|ND|OH|OK|OR|PA|PR|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|GU|VI|AS|MP|FM|PW|MH|AA|AE|AP"
)
_STATE_NAMES = (
    "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|"
    "Hawaii|"
    "Idaho|Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|"
    "Minnesota|Mississippi|Missouri|Montana|Nebraska|Nevada|New Hampshire|New Jersey|New Mexico|"
    "New York|North Carolina|North Dakota|Ohio|Oklahoma|Oregon|Pennsylvania|Rhode Island|"
    "South Carolina|South Dakota|Tennessee|Texas|Utah|Vermont|Virginia|Washington|West Virginia|"
    "Wisconsin|Wyoming|D\\.C\\."
)
_UNIT_BEFORE = re.compile(
    r"(?i)\b(?:suite|ste|apt|apartment|unit|flat|room|rm|box|postfach|postbus|no)\W{0,3}$"
)
_NOT_CODES = re.compile(
    r"(?i)(?:order|ticket|invoice|ref|item|sku|part|room|flight|model|case|error|port|code|page|"
    r"year|in|since|until|of|pin|total|qty|id|number|no)[.:#\s]{0,3}$"
)
_TOWN_BEFORE = re.compile(r"([^\W\d_][^\W\d_.'’\-]+)[,)]?[ \-–]{1,3}$")
_TOWN_AFTER = re.compile(r",? ([^\W\d_][^\W\d_'’\-]+)")
_BIG = re.compile(r"(?i)^\s?(?:\$|€|£|usd|eur|dollars|points|miles|items|people|units|%)")


def _free(text: str, start: int, end: int) -> bool:
    """Whether the digits stand for themselves: no flat, no decimal, no longer number."""
    if _UNIT_BEFORE.search(text[max(0, start - 14) : start]):
        return False
    if not ends_clean(text, end, also="-") or text[end : end + 2].strip(".,")[:1].isdigit():
        return False
    return _BIG.match(text[end : end + 10]) is None


def _town(text: str, start: int, end: int) -> bool:
    """Whether a known town stands right beside it: ``10115 Berlin``, ``Denver, 80279``."""
    after = _TOWN_AFTER.match(text[end : end + 30])
    before = _TOWN_BEFORE.search(text[max(0, start - 30) : start])
    for match in (after, before):
        if match and match[1][0].isupper():
            word, known = fold(match[1]), lexicon()
            if word in known.cities or (word in known.other and word not in _NO_TOWNS):
                return True
    return False


#: Capitalised words of the list that are no places.
_NO_TOWNS = frozenset(
    """
    january february march april may june july august september october november december jan feb
    mar apr jun jul aug sep sept oct nov dec monday tuesday wednesday thursday friday saturday
    sunday mr mrs ms dr inc ltd llc gmbh windows android linux python java excel adobe iphone
    samsung google amazon microsoft sony nike lego intel toyota honda ford boeing airbus visa
    mastercard paypal github slack english german french spanish
    """.split()
)


def _zip(text: str, start: int, end: int) -> Checked:
    if not _free(text, start, end):
        return None
    if _says_zip(text, start) or _says_after.match(text[end : end + 16]):
        return start, end, 0.75
    before = text[max(0, start - 90) : start]
    if street_near(before) or (_town(text, start, end) and not _NOT_CODES.search(before[-12:])):
        return start, end, 0.6
    return start, end, WEAK


INVALID = re.compile(r"(?i)\W{0,3}(?:is|was|isn't) (?:invalid|not (?:a )?valid|valid|wrong format)")


def _named(text: str, start: int, end: int) -> Checked:
    if INVALID.match(text[end : end + 24]) and len(text[start:end]) != 5:
        return None  # an error message, about what is no code
    return (start, end, 0.75) if ends_clean(text, end, also="-") else None


def _after_a_street(text: str, start: int, end: int) -> Checked:
    if not _free(text, start, end):
        return None
    value, before = text[start:end], text[max(0, start - 30) : start]
    country = re.match(r",? ?\n?([^\W\d_]{3,})", text[end : end + 20])
    if country and country[1][0].isupper() and fold(country[1]) in STATES:
        return start, end, 0.6
    ahead = re.search(r"([^\W\d_]{3,})\)?,? $", before)
    last = text[end : end + 1] in ("", "\n", ",", ".")
    if ahead and last and fold(ahead[1]) in STATES and ahead[1][0].isupper():
        return start, end, 0.55
    year = len(value) == 4 and value[:2] in ("19", "20")
    if not year and len(value) > 5 and _town(text, start, end) and not _NOT_CODES.search(before):
        return start, end, 0.6
    return start, end, WEAK


def _before_a_town(text: str, start: int, end: int) -> Checked:
    """``D-10115 Berlin``, ``74-600 Otwock``, ``1017 JH Amsterdam``."""
    match = re.match(r" ([^\W\d_][^\W\d_'’\-]+)", text[end : end + 30])
    if match is None:
        return None
    word = match[1]
    if not word[0].isupper() or fold(word) in lexicon().words:
        return start, end, WEAK
    return start, end, 0.65


def _state_zip(text: str, start: int, end: int) -> Checked:
    return (start, end, 0.7) if ends_clean(text, end, also="-") else None


def _letters(text: str, start: int, end: int) -> Checked:
    if not ends_clean(text, end):
        return None
    near = street_near(text[max(0, start - 90) : start])
    spaced = " " in text[start:end]
    sure = near or spaced or _says_zip(text, start) or _town(text, start, end)
    return start, end, 0.6 if sure else WEAK


_YEARS = ("19", "20")
_SMALL_WORD = re.compile(r" (?:in|and|for|to|with|on|at|is|was|but|or|as|by|from|since|has|have)\b")


def _common(word: str) -> bool:
    folded, known = fold(word), lexicon()
    return folded in known.words and folded not in known.cities


def _in_a_town(text: str, start: int, end: int) -> Checked:
    """``lives in Dijon 31223,``: a place and a code, at the end of a phrase."""
    value = text[start:end]
    if not ends_clean(text, end, also="-/%") or not _free(text, start, end):
        return None
    if len(value) == 4 and value[:2] in _YEARS:
        return None
    before = re.search(r"([^\W\d_][^\W\d_'’.\-]+),? $", text[max(0, start - 40) : start])
    if before is None or _NOT_CODES.search(before[0]):
        return None
    if value.isdigit() and _common(before[1]):
        return None
    after = text[end : end + 8]
    ends = not after or after[0] in ",.;:)\n" or _SMALL_WORD.match(after)
    return (start, end, 0.55) if ends or len(value) > 5 else None


def _served(text: str, start: int, end: int) -> Checked:
    """``Do you deliver to 75008?``: the end of a phrase, and nothing that is counted."""
    after = text[end : end + 10]
    if not ends_clean(text, end, also="-/%$€") or _BIG.match(after):
        return None
    ended = not after.strip() or after[0] in "?.,;:)!\n" or _PLEASE.match(after)
    return (start, end, 0.55) if ended else None


_PLEASE = re.compile(r"(?i) (?:please|pls|plz|too|as well|\(|today|tomorrow|now|or|and)")


class PostalRecognizer(PatternFamily):
    """POSTAL_CODE."""

    rules = (
        Rule("POSTAL_CODE", r"(?:^|[^\pL\pN_.,$€£#\-/:=])(\d{5}(?:-\d{4})?)", 0.75, _zip),
        Rule(
            # Named as one, it may have any form: "PLZ 1040", "postcode: 060-0061".
            "POSTAL_CODE",
            rf"(?:^|[^\pL\pN])(?i:{_LABELS})[\"'*`]{{0,3}}(?: \((?i:{_LABELS})\))?"
            rf"(?i:(?: (?:{_LINKS})){{0,6}}"
            r"(?: ?is| ?['’]s| ist| est| es| è|:| =|=|\?)?| \(?(?:is|was|should be|changed to|"
            r"to)\)?)"
            r"[ \"'*`]{0,3}"
            r"(\d{3} \d{3}|(?:[A-Z]{1,3}-)?\d{3} \d{2}|[A-Z]{1,3}-\d{4,6}|\d{4} ?[A-Z]{2}|"
            r"\d{5}-\d{3,4}|\d{2,4}-\d{2,4}|\d{4,7}|[A-HJ-NP-Z]\d{4}(?:[A-Z]{3})?|"
            r"[A-Za-z]{1,2}\d[A-Za-z0-9]? ?\d[A-Za-z]{2}|[A-Za-z]\d[A-Za-z0-9] ?[A-Za-z0-9]{3,4})",
            0.75,
            _named,
        ),
        Rule(
            "POSTAL_CODE",
            r"\b(?:in|at|from|to|near|of) (?:\p{Lu}[\pL'’.\-]+,? ){1,3}"
            r"(\d{4} ?[A-Z]{2}\b|(?:[A-Z]{1,3}-)?(?:\d{5}-\d{3}|\d{4,6}|\d{3} \d{2}|\d{2}-\d{3}))",
            0.55,
            _in_a_town,
        ),
        Rule(
            "POSTAL_CODE",
            r"(?i)\b(?:(?:deliver(?:s|ed|y|ies)?|ship(?:s|ped|ping)?|courier|coverage|available|"
            r"serve|cover|collect(?:ion)?) (?:to|in|for|from)|"
            r"(?:nearest|closest)(?: [a-z]+){1,3}? (?:to|in))"
            rf" (?:{_LABELS} )?"
            r"((?-i:\d{5}-\d{3,4}|\d{2,4}-\d{3,4}|\d{4} ?[A-Z]{2}|\d{3} \d{3}|"
            r"(?:[A-Z]{1,2}-)?\d{3} \d{2}|(?:[A-Z]{1,2}-)?\d{4,6})|"
            r"[a-z]{1,2}\d[a-z0-9]? ?\d[a-z]{2}|[a-z]\d[a-z] ?\d[a-z]\d)",
            0.55,
            _served,
        ),
        Rule("POSTAL_CODE", r"〒 ?(\d{3}-?\d{4})", 0.9, _named),
        Rule("POSTAL_CODE", rf"\b(?:{_STATES})[ ,]{{1,2}}(\d{{5}}(?:-\d{{4}})?)", 0.7, _state_zip),
        Rule(
            "POSTAL_CODE",
            rf"\b(?:{_STATE_NAMES}),? (\d{{5}}(?:-\d{{4}})?)",
            0.7,
            _state_zip,
        ),
        Rule("POSTAL_CODE", r"\b(?:NSW|VIC|QLD|SA|WA|TAS|ACT|NT),? (\d{4})", 0.7, _state_zip),
        Rule(
            "POSTAL_CODE",
            r"\b(?:ON|QC|BC|AB|MB|SK|NS|NB|NL|PE|YT|NT|NU|PQ),? ([A-Z]\d[A-Z][ \-]?\d[A-Z]\d)",
            0.75,
            _state_zip,
        ),
        Rule("POSTAL_CODE", r"(?:^|[^\pL\pN_.\-/])(\d{5}-\d{3})", 0.6, _named),
        Rule(
            "POSTAL_CODE",
            r"(?:^|[\s,(])((?:D|A|CH|F|I|E|B|NL|L|DK|S|SE|N|NO|FIN|FI|H|HU|CZ|SK|PL|SI|HR|RO|BG|"
            r"P|LT|LV|EE)-"
            r"\d{4,5}|\d{2}-\d{3}|\d{3} \d{2}|\d{4} [A-Z]{2}|\d{4}[A-Z]{2}|\d{4}-\d{3})",
            0.65,
            _before_a_town,
        ),
        Rule(
            "POSTAL_CODE",
            r"(?:^|[^\pL\pN_\-])([A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|"
            r"[A-Z][0-9][A-Z][ \-]?[0-9][A-Z][0-9])",
            0.6,
            _letters,
        ),
        # What only a street before it makes a postal code: "Wien, 1040", "1017 JH", "H91 X2T4".
        Rule(
            "POSTAL_CODE",
            r"(?:^|[, \n])(\d{5}-\d{3}|\d{2,4}-\d{3,4}|\d{4} ?[A-Z]{2}|\d{3} \d{3}|"
            r"(?:[A-Z]{1,2}-)?\d{3} \d{2}|(?:[A-Z]{1,2}-)?\d{4,7}|[A-Z]\d{2} ?[A-Z0-9]{4})",
            WEAK,
            _after_a_street,
        ),
    )
