"""Street addresses, postal codes, positions. Cities and countries alone are nobody's."""

from __future__ import annotations

import re

from anonymize.recognizers.interface import WEAK, Checked, PatternFamily, Rule, context, ends_clean
from anonymize.recognizers.lexicon import lexicon
from anonymize.surrogates import fold
from anonymize.surrogates.places import COUNTRIES, KEPT

#: English street types that, after a number and a name, leave little doubt.
_STRONG = (
    "street|st|avenue|ave|road|rd|drive|dr|lane|ln|boulevard|blvd|court|ct|place|pl|square|sq|"
    "terrace|ter|trail|trl|way|highway|hwy|parkway|pkwy|circle|cir|crescent|close|gardens|grove|"
    "mews|row|walk|hill|plaza|loop|alley|expressway|turnpike|pike|quay|wharf|run|path|pass|"
    "crossing|heights|ridge|view|park|broadway"
)
_SURE = frozenset(
    """
    street avenue ave road rd lane ln boulevard blvd court terrace crescent parkway pkwy
    """.split()
)
_WORD = re.compile(r"[^\W\d_]+(?:['’.\-][^\W\d_]+)*")
_says_zip = context(r"zip|zips|zip ?code|postal|postcode|post code|postal code|plz|postleitzahl|cp")
_STREET_NEAR = re.compile(
    rf"(?i)\d[^\n]{{1,40}}\b(?:{_STRONG})\b|(?:straße|strasse|str\.|weg|platz|allee)\s\d|\brue\b"
)
_STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|DC|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|"
    "NM|NY|NC|ND|OH|OK|OR|PA|PR|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY"
)
_UNITS_OF = frozenset(
    """
    min mins minute minutes hour hours day days week weeks month months year years mile miles
    km kilometers block blocks percent step steps item items people ways
    """.split()
)


def _street(text: str, start: int, end: int) -> Checked:
    value = text[start:end]
    if not ends_clean(text, end):
        return None
    words = _WORD.findall(value)
    names = [w for w in words[:-1] if fold(w) not in KEPT] or words[:-1]
    last = fold(words[-1].rstrip("."))
    if not names or fold(names[0]) in _UNITS_OF or len(value) > 100:
        return None
    capital = sum(w[0].isupper() for w in names) >= len(names) / 2
    if capital and (words[-1][0].isupper() or last in _SURE):
        return start, end, 0.75
    # all lower case: "23 main street", but not "2 days drive"
    known = [fold(w) in lexicon().words for w in names]
    if last in _SURE or last in ("drive", "circle", "square"):
        return start, end, 0.6 if last in _SURE or not all(known) else WEAK
    return None if all(known) else (start, end, WEAK)


def _european(text: str, start: int, end: int) -> Checked:
    if not ends_clean(text, end) and text[end - 2] == " ":
        end -= 2  # "Nassaustraat 123 street": the s is not part of the number
    while end > start and not text[end - 1].isalnum():
        end -= 1
    if not ends_clean(text, end) or text[end : end + 1] in ("%", "€"):
        return None
    return start, end, 0.7


def _said(text: str, start: int, end: int) -> Checked:
    """What follows "lives at": a number and at least one word that is not an everyday one."""
    while end > start and not text[end - 1].isalnum():
        end -= 1
    words = _WORD.findall(text[start:end])
    rare = [w for w in words if fold(w) not in lexicon().words or w[0].isupper()]
    if not rare or end - start > 120 or fold(words[0]) in _UNITS_OF or not ends_clean(text, end):
        return None
    return start, end, 0.6


def _unit(text: str, start: int, end: int) -> Checked:
    if not ends_clean(text, end):
        return None
    near = _STREET_NEAR.search(text[max(0, start - 80) : start]) is not None
    sure = re.match(r"(?i)(?:suite|ste|apt|apartment|p)\b", text[start:end]) is not None
    return start, end, 0.6 if near or sure else WEAK


_UNIT_BEFORE = re.compile(
    r"(?i)\b(?:suite|ste|apt|apartment|unit|flat|room|rm|box|postfach)\W{0,3}$"
)


def _zip(text: str, start: int, end: int) -> Checked:
    if _UNIT_BEFORE.search(text[max(0, start - 14) : start]):
        return None
    if not ends_clean(text, end, also="-") or text[end : end + 2].strip(".,")[:1].isdigit():
        return None
    if _says_zip(text, start):
        return start, end, 0.75
    near = _STREET_NEAR.search(text[max(0, start - 90) : start]) is not None
    return start, end, 0.6 if near else WEAK


def _named(text: str, start: int, end: int) -> Checked:
    return (start, end, 0.75) if ends_clean(text, end, also="-") else None


def _after_a_street(text: str, start: int, end: int) -> Checked:
    if _UNIT_BEFORE.search(text[max(0, start - 14) : start]) or not ends_clean(text, end, also="-"):
        return None
    country = re.match(r",? ?\n?([^\W\d_]{3,})", text[end : end + 20])
    if country and country[1][0].isupper() and fold(country[1]) in COUNTRIES:
        return start, end, 0.6
    return start, end, WEAK


def _state_zip(text: str, start: int, end: int) -> Checked:
    return (start, end, 0.7) if ends_clean(text, end, also="-") else None


def _letters(text: str, start: int, end: int) -> Checked:
    if not ends_clean(text, end):
        return None
    near = _STREET_NEAR.search(text[max(0, start - 90) : start]) is not None
    spaced = " " in text[start:end]
    return start, end, 0.6 if near or spaced or _says_zip(text, start) else WEAK


def _pair(text: str, start: int, end: int) -> Checked:
    latitude, longitude = (float(v) for v in text[start:end].split(","))
    if not ends_clean(text, end) or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    # Lists of numbers (embeddings, boxes) look alike.
    if re.match(r"\s*,\s*-?\d", text[end : end + 6]) or re.search(r"\d\s*,\s*$", text[:start][-6:]):
        return None
    return (start, end, 0.65) if max(abs(latitude), abs(longitude)) > 1 else None


class PlaceRecognizer(PatternFamily):
    """STREET_ADDRESS, POSTAL_CODE, COORDINATES."""

    rules = (
        Rule(
            "STREET_ADDRESS",
            r"(?i)(?:^|[^\pL\pN.,$€£\-/])(\d{1,6}[A-Za-z]?(?:[\-/]\d{1,5})?,?[ \n]"
            rf"(?:[\pL\pN.'’\-]+ ){{1,4}}?(?:{_STRONG})\b\.?(?:\s(?:N|S|E|W|NE|NW|SE|SW)\b)?)",
            0.75,
            _street,
        ),
        Rule(
            "STREET_ADDRESS",
            r"(?:^|[^\pL\pN])((?:\p{Lu}[\pL\-]+(?:straße|strasse|str\.|weg|platz|allee|gasse|damm|"
            r"ufer|ring|straat|laan|plein|gracht|gatan|vägen|vej|gade|katu|veien)|"
            r"\p{Lu}[\pL\-]+ (?:Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse|Damm|Ufer|Ring))"
            r" \d{1,4}\s?[a-z]?)",
            0.7,
            _european,
        ),
        Rule(
            "STREET_ADDRESS",
            r"(?:^|[^\pL\pN])(\d{1,4}(?:,| bis| ter)?,? (?:[Rr]ue|[Aa]venue|[Aa]v\.|[Bb]oulevard|[Bb]d\.?|"
            r"[Pp]lace|[Cc]hemin|[Aa]llée|[Ii]mpasse|[Qq]uai|[Cc]ours) "
            r"(?:(?:de|du|des|la|le|les|d'|l'|de la|de l') ?){0,2}\p{Lu}[\pL'’\-]+(?: \p{Lu}[\pL'’\-]+){0,3})",
            0.7,
            _european,
        ),
        Rule(
            "STREET_ADDRESS",
            r"(?:^|[^\pL\pN])((?:Calle|C/|Avenida|Avda\.?|Paseo|Plaza|Via|Viale|Piazza|Corso|Rua|Travessa|"
            r"ul\.|Ulica) (?:(?:de|del|la|las|los|da|do|dos|dei|delle|della) ){0,2}"
            r"\p{Lu}[\pL'’\-]+(?: (?:de |del |la )?\p{Lu}[\pL'’\-]+){0,3},? (?:nº ?|n\. ?)?\d{1,4})",
            0.7,
            _european,
        ),
        Rule(
            "STREET_ADDRESS",
            r"(?i)(?:^|[^\pL\pN])((?:suite|ste|apt|apartment|unit|flat|room|rm)\.?\s?#?\s?\d{1,5}[a-z]?|"
            r"(?:p\.?\s?o\.?\s?box|postfach)\s+\d{1,7})",
            0.6,
            _unit,
        ),
        Rule(
            "STREET_ADDRESS",
            r"(?i)\b(?:address(?: is| with| to|:)|lives? (?:at|on)|living at|resid(?:es|ing) at|"
            r"(?:ship|deliver|send|return|mail)(?:ed)?(?: it| them)? to|moved to|wohnt in|habite)\s{1,2}"
            r"(\d{1,5}[A-Za-z]?(?:[ \-/]\d{1,5})?,? [\pL][\pL\pN.'’\-]+"
            r"(?: [\pL\pN.'’\-]+){0,4})",
            0.6,
            _said,
        ),
        Rule("POSTAL_CODE", r"(?:^|[^\pL\pN_.,$€£#\-/:])(\d{5}(?:-\d{4})?)", 0.75, _zip),
        Rule(
            # Named as one, it may have any form: "PLZ 1040", "postcode: 060-0061".
            "POSTAL_CODE",
            r"(?:^|[^\pL\pN])(?i:post ?code|postal code|zip(?: ?code)?|plz|postleitzahl|code postal|"
            r"c[oó]digo postal|cap|cep|postnummer|postnr|郵便番号)(?i: is| ist| est| es|:| =)? {0,2}"
            r"(\d{4} ?[A-Z]{2}|\d{5}-\d{3,4}|\d{2,4}[\- ]\d{2,4}|\d{4,7}|[A-Z]{1,2}\d[A-Z0-9]? ?\d[A-Z]{2}|"
            r"[A-Z]\d[A-Z0-9] ?[A-Z0-9]{3,4})",
            0.75,
            _named,
        ),
        Rule("POSTAL_CODE", rf"\b(?:{_STATES})[ ,]{{1,2}}(\d{{5}}(?:-\d{{4}})?)", 0.7, _state_zip),
        Rule(
            "POSTAL_CODE",
            r"(?:^|[^\pL\pN_\-])([A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9])",
            0.6,
            _letters,
        ),
        # What only a street before it makes a postal code: "Wien, 1040", "1017 JH", "H91 X2T4".
        Rule(
            "POSTAL_CODE",
            r"(?:^|[, \n])(\d{4} [A-Z]{2}|\d{4,7}|\d{2,3}-\d{3,4}|\d{5}-\d{3}|[A-Z]\d{2} ?[A-Z0-9]{4})",
            WEAK,
            _after_a_street,
        ),
        Rule(
            "COORDINATES",
            r"(?:^|[^\pL\pN.,])(-?\d{1,2}\.\d{4,10},\s?-?\d{1,3}\.\d{4,10})",
            0.65,
            _pair,
        ),
    )
