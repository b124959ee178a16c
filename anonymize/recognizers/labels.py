"""Labels and their values inside of text: ``zip: 80279``, ``--dob=1984-05-03``, ``"tel" => "..."``.

What a key says in JSON it says as well in a log line, a form, code, SQL or a shell command. Here
the end of the value is not given, so each entity has a form that its values must have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from anonymize.fields.meaning import key_entity, normal
from anonymize.fields.plausible import plausible
from anonymize.recognizers.interface import PatternFamily, Rule, compiled
from anonymize.recognizers.lexicon import lexicon
from anonymize.recognizers.postal import INVALID
from anonymize.surrogates import fold

#: A label of up to five words and what joins it to its value.
_LABEL = (
    r"([\pL][\pL\pN_'’/.\-]*(?:[ ][\pL][\pL\pN_'’/.\-]*){0,4})(?:\*\*|"
    r"__)?[\"'`\\)\]]{0,4}(?:\*\*|__)?"
    r"(?: {0,6}(?:=>|:=|==|[:=?])|(?: is| was| ist| est| lautet|['’]s) | {0,2}\.{3,40} ?|\t|"
    r" {0,2}\| )"
)
_COMPILED = rf"(?:^|[^\pL\pN_]){_LABEL}"
_LEAD = re.compile(r"(?:\*\*|__)? {0,12}\\{0,6}(?P<quote>[\"'`]?)\(?")
#: Code: the value of a name is another name.
_CODE = re.compile(r"[A-Za-z_][\w.]*(?:[(\[].*)?$")
_END = re.compile(r"[\n;|]|\t| {2,}|,(?= ?[\w ]{2,30}[:=])|\.(?:\s|$)|\)(?:\W|$)|[<>{}]")

_VALUES: dict[str, re.Pattern[str]] = {
    "POSTAL_CODE": re.compile(
        r"(?i)\d{5}(?:-\d{3,4})?|\d{3}[ -]\d{2,4}|\d{2}-\d{3}|\d{4} ?[A-Z]{2}\b|\d{4,7}|"
        r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d|[A-Z]{1,2}-\d{4,5}|"
        r"[A-Z]\d{2} ?[A-Z\d]{4}|[A-HJ-NP-Z]\d{4}(?:[A-Z]{3})?"
    ),
    "PHONE_NUMBER": re.compile(
        r"[+(]{0,2}\d[\d ().\-/]{4,22}\d(?:[ ,]{0,2}(?:x|"
        r"ext\.?) ?\d{1,6})?"
    ),
    "DATE_OF_BIRTH": re.compile(
        r"(?i)\d{1,4}[-/.] ?\d{1,2}[-/.] ?\d{1,4}|\d{8}|[^\W\d_]{3,12}\.? \d{1,2}(?:st|nd|rd|"
        r"th)?,? \d{4}|"
        r"\d{1,2}(?:st|nd|rd|th|\.)?(?: of)?[ \-][^\W\d_]{3,12}\.?,?[ \-](?:\d{4}|\d{2})|(?:19|"
        r"20)\d\d"
    ),
    "US_SSN": re.compile(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "GOVERNMENT_ID": re.compile(
        r"(?i)[A-Z0-9]{1,14}(?:[\-./][A-Z0-9]{1,12}){0,5}(?: [\-./A-Z]{0,3}\d[A-Z0-9\-./]{0,12})"
        r"{0,6}(?: [A-D]\b)?"
    ),
    "ACCOUNT_ID": re.compile(r"(?i)[A-Z0-9#]{1,12}(?:[\-_./]?[A-Z0-9]{1,20}){0,5}"),
    "USERNAME": re.compile(r"@?[\w][\w.\-]{1,62}\w"),
    "PAYMENT_ID": re.compile(r"[@$]?[\w][\w.\-@]{2,60}"),
    "CREDIT_CARD": re.compile(r"\d{4}(?:[ -]?\d{2,7}){2,5}|\d{12,19}"),
    "IBAN_CODE": re.compile(r"(?i)[A-Z]{2}\d{2}(?:[ \-]?[A-Z0-9]{1,4}){3,9}"),
    "IP_ADDRESS": re.compile(r"[0-9A-Fa-f:.]{7,45}"),
    "MAC_ADDRESS": re.compile(
        r"(?:[0-9A-Fa-f]{2}[:\- ]?){5}[0-9A-Fa-f]{2}|"
        r"(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}"
    ),
    "COORDINATES": re.compile(r"[\[(]?-?\d{1,3}\.\d{3,}(?:, ?-?\d{1,3}\.\d{3,})?"),
    "CRYPTO": re.compile(r"[A-Za-z0-9:]{26,110}"),
    "EMAIL_ADDRESS": re.compile(r"[^\s@\"'<>,;]{1,64}@[^\s@\"'<>,;]{2,100}"),
}
#: The least digits of a value that is not quoted.
_DIGITS = {
    "GOVERNMENT_ID": 4, "ACCOUNT_ID": 4, "PAYMENT_ID": 3, "IP_ADDRESS": 3, "PHONE_NUMBER": 6,
    "POSTAL_CODE": 3,
}  # fmt: skip
#: Entities that "is" and "was" may introduce: "my address is correct" is no address.
_SAID = frozenset(
    "POSTAL_CODE PHONE_NUMBER DATE_OF_BIRTH US_SSN GOVERNMENT_ID ACCOUNT_ID CREDIT_CARD IBAN_CODE "
    "MAC_ADDRESS COORDINATES STREET_ADDRESS CRYPTO".split()
)


#: Cheap to look for in every text; the labels are looked for where it matches.
_MAYBE = r"[:=\t|?]|\.\.\.|(?i: is | was | ist | est |'s |values ?\()"


@lru_cache(16)
def labelled(text: str) -> tuple[tuple[int, int, str], ...]:
    """Values in ``text`` that a label names: start, end, entity. Linear in the text."""
    return tuple(_labelled(text))


def _labelled(text: str) -> Iterator[tuple[int, int, str]]:
    yield from _inserted(text)
    spots = [(start, end) for start, end in compiled(_COMPILED).spans(text)]
    for start, end in spots:
        entity = _entity(text[start:end])
        if not entity:
            continue
        after = _joint(text, end)
        found = _value(text, start, after, entity)
        if found is not None:
            yield (*found, entity)


_INSERT = re.compile(r"(?i)insert into [\w.\"`\[\]]{1,80} ?\(([^()]{1,2000})\) ?values ?")
_TUPLE = re.compile(r"\s*,?\s*\(([^()]{1,4000})\)")
_ITEM = re.compile(r"\s*(?:'((?:[^']|'')*+)'|\"([^\"]*+)\"|([^,'\"]*+))\s*(?:,|$)")


def _inserted(text: str) -> Iterator[tuple[int, int, str]]:
    """SQL's ``INSERT INTO t (name, zip) VALUES ('Mei', '80279')``: the columns name the values."""
    for match in _INSERT.finditer(text) if "(" in text else ():
        columns = [key_entity(normal(c.strip(' "`[]\n'))) for c in match[1].split(",")]
        position = match.end()
        while row := _TUPLE.match(text, position):
            place = row.start(1)
            for entity in columns:
                item = _ITEM.match(text, place, row.end(1))
                if item is None or item.end() <= place:
                    break
                group = next((g for g in (1, 2, 3) if item[g] is not None), 3)
                value = item[group]
                if entity and value.strip() and plausible(entity, value.strip()):
                    yield item.start(group), item.start(group) + len(value.rstrip()), entity
                place = item.end()
            position = row.end()


def _joint(text: str, end: int) -> int:
    """Where the joint after a label ends (the pattern has matched it)."""
    match = _JOINT.match(text, end, end + 60)
    return match.end() if match else end


_JOINT = re.compile(
    r"(?:\*\*|__)?[\"'`\\)\]]{0,4}(?:\*\*|__)?"
    r"(?: {0,6}(?:=>|:=|==|[:=?])|(?: is| was| ist| est| lautet|['’]s) | {0,2}\.{3,40} ?|\t|"
    r" {0,2}\| )"
)


@lru_cache(1 << 14)
def _entity(label: str) -> str:
    words = label.replace("’", "'").split(" ")
    for count in range(min(4, len(words)), 0, -1):
        entity = key_entity(normal(" ".join(words[-count:])))
        if entity:
            return entity
    return ""


def _value(text: str, label: int, after: int, entity: str) -> tuple[int, int] | None:
    lead = _LEAD.match(text, after, after + 40)
    start = lead.end() if lead else after
    quote = lead["quote"] if lead else ""
    joint = text[label:start]
    if "?" in joint and entity in ("PERSON", "STREET_ADDRESS"):
        return None  # "what's the address? it is ..."
    said = re.search(r" (?:is|was|ist|est|lautet) |['’]s $", joint[-12:]) is not None
    if start >= len(text) or (said and entity not in _SAID):
        return None
    if quote:
        end = text.find(quote, start, start + 300)
        if end < 0:
            return None
        end = start + len(text[start:end].rstrip("\\"))
        value = text[start:end]
        if entity in ("PERSON", "STREET_ADDRESS") or entity not in _VALUES:
            return (start, end) if _whole(entity, value) else None
        if not _VALUES[entity].fullmatch(value.strip()):
            return None
        return (start, end) if plausible(entity, value) and not _code(entity, value, "") else None
    pattern = _VALUES.get(entity)
    if pattern is not None:
        match = pattern.match(text, start, start + 120)
        if match is None or not _closed(text, match.end()):
            return None
        value = match.group()
        if entity == "POSTAL_CODE" and INVALID.match(text[match.end() : match.end() + 24]):
            return None
        if sum(c.isdigit() for c in value) < _DIGITS.get(entity, 0) or not plausible(entity, value):
            return None
        return None if _code(entity, value, joint) else match.span()
    if entity == "SECRET":
        return None  # see anonymize.recognizers.secret
    stop = _END.search(text, start, start + 160)
    end = stop.start() if stop else min(len(text), start + 160)
    value = text[start:end].rstrip(" ,.*`\"'")
    if "=" in joint and "==" not in joint and " " not in joint.partition("=")[0].strip():
        # name=Mei zip=80279; a street has blanks: addr=Molenpad 13c crew=3
        ends = r"[,&]|\s+\w{1,30}=" if entity == "STREET_ADDRESS" else r"[\s,&]"
        value = re.split(ends, value, maxsplit=1)[0]
    return (start, start + len(value)) if _whole(entity, value) else None


def _closed(text: str, end: int) -> bool:
    if text[end : end + 2].strip()[:1] in tuple("°º"):
        return False  # degrees and minutes: see anonymize.recognizers.positions
    return end >= len(text) or not (text[end].isalnum() or text[end] in "_@([")


def _whole(entity: str, value: str) -> bool:
    if entity == "PERSON":
        return len(value) < 60 and plausible("PERSON", value) and _name(value)
    if entity == "STREET_ADDRESS":
        letters = re.search(r"[^\W\d_]{2}", value) is not None
        if re.search(r"[?!]", value):
            return False
        if not any(c.isdigit() for c in value[:50]):
            return _STREET.fullmatch(value) is not None
        return (
            letters and plausible(entity, value) and (" " in value.strip() or not value.isascii())
        )
    return plausible(entity, value)


#: A street or a house without a number, as one of an address: "The Old Granary, Church Lane".
_STREET = re.compile(
    r"(?:[^\W\d_a-z][\w'’.\-]*,? ){1,5}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Close|Court|"
    r"Crescent|Terrace|Way|Gardens|Grove|Row|Hill|Square|Place|Mews|Walk|Green)\.?"
)


def _name(value: str) -> bool:
    words = re.findall(r"[^\W\d_]+", value)
    known = lexicon()
    if not 1 <= len(words) <= 5 or not (words[0][0].isupper() or value.islower()):
        return False
    common = [fold(w) in known.words and fold(w) not in known.first for w in words]
    return sum(common) * 2 <= len(words) and any(
        known.is_name(fold(w)) or (w[0].isupper() and not known.is_common(fold(w))) for w in words
    )


def _code(entity: str, value: str, joint: str) -> bool:
    """``user_id = user_id``, ``username: string``: a name or a type, not somebody's."""
    if any(c.isdigit() for c in value):
        return False
    if entity in ("USERNAME", "ACCOUNT_ID", "PAYMENT_ID", "GOVERNMENT_ID"):
        runs = [fold(run) for run in re.findall(r"[^\W\d_]+", value)]
        known = lexicon()
        return (
            key_entity(normal(value)) != ""
            or all(run in known.words and run not in known.firm for run in runs)
            or fold(value) in _SHARED
            or ("=" in joint and _CODE.fullmatch(value) is not None and "_" in value)
            or (" = " in joint and "." in value)
        )
    return False


_SHARED = frozenset(
    """
    admin administrator root system guest test user users none null string str text int integer
    number required optional default unknown anonymous me self you ubuntu postgres mysql
    nobody demo example staff support service bot agent assistant
    """.split()
)


@dataclass(frozen=True, slots=True)
class LabelRule(Rule):
    """The labelled values of one entity; the text is searched once for all of them."""

    def find(self, text: str) -> Iterator[tuple[int, int, float]]:
        for start, end, entity in labelled(text):
            if entity == self.entity:
                yield start, end, self.score


class LabelRecognizer(PatternFamily):
    """Values that a label in the text names; see :mod:`anonymize.fields.meaning` for the labels."""

    rules = tuple(
        LabelRule(entity, _MAYBE, 0.7) for entity in (*_VALUES, "PERSON", "STREET_ADDRESS")
    )
