"""Own patterns, for what leaves little doubt. RE2: linear in the text whatever the text.

They are narrower than the scrubber's: it may change a number that is nobody's, an audit that
objects to one stops a trace for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

import re2

from anonymize.audit.known import Known

#: Finds an entity in a text: the surfaces, without their places.
Finder = Callable[[str], Iterator[str]]

_EMAIL = re2.compile(
    r"([\pL\pN._%+'\-]+)@([\pL\pN](?:[\pL\pN\-]*[\pL\pN])?(?:\.[\pL\pN\-]+)*\.\pL{2,})"
)
_CARD = re2.compile(
    r"(?:^|[^\pL\pN._+\-/])(\d{4}(?: \d{4}){3}|\d{4}(?:-\d{4}){3}|\d{4} \d{6} \d{5}|"
    r"\d{4}-\d{6}-\d{5})(?:$|[^\pL\pN\-])"
)
_SSN = re2.compile(r"(?:^|[^\pL\pN._\-#/])(\d{3}-\d{2}-\d{4})")
_PHONE = re2.compile(
    r"(?:^|[^\pL\pN._+\-/=#$@%])(\+[1-9]\d{0,2}[ .\-]?\(?\d{1,4}\)?(?:[ .\-]?\d{2,4}){2,4}|"
    r"\(\d{3}\) ?\d{3}-\d{4}|[2-9]\d{2}-\d{3}-\d{4}|[2-9]\d{2}\.\d{3}\.\d{4})"
)
_MAC = re2.compile(
    r"(?:^|[^\pL\pN:\-])((?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2})"
    r"(?:$|[^\pL\pN:\-])"
)
_SECRET = re2.compile(
    r"(?:^|[^A-Za-z0-9_\-])((?:sk-|AKIA|ASIA|gh[opsu]_|github_pat_|glpat-|xox[abp]-|AIza|ya29\.|"
    r"(?:sk|rk)_live_|npm_|hf_|shpat_|dop_v1_)[A-Za-z0-9_\-]{16,300}|"
    r"eyJ[A-Za-z0-9_\-]{10,}\.eyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,})"
)
_URL_PASSWORD = re2.compile(r"://[^\s:/@\"'<>]{1,64}:([^\s/@\"'<>{}$*]{6,128})@[\pL\pN]")
_ETHER = re2.compile(r"(?:^|[^\pL\pN])(0x[0-9a-fA-F]{40})(?:$|[^\pL\pN])")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_BORN = re2.compile(
    r"(?i)\b(?:born(?: on)?|date of birth|dob|birth ?date|birthday)\b"
    r"[^\pL\pN\n]{1,4}(?:is |was |on )?"
    rf"((?:19|20)\d\d-\d\d-\d\d|\d{{1,2}}/\d{{1,2}}/(?:19|20)\d\d|"
    rf"{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d\d|"
    rf"\d{{1,2}}(?:st|nd|rd|th)? {_MONTH},? (?:19|20)\d\d)\b"
)
_PASSPORT = re2.compile(
    r"(?i)\bpassport(?: (?:no|number|#))?[.:]? {0,2}(?:is |: ?)?([A-Z]{1,2}\d{6,8})\b"
)
_STREET = re2.compile(
    r"(?:^|[^\pL\pN#.\-/])(\d{2,5} (?:[NSEW]\.? )?\p{Lu}\p{Ll}{3,}(?: \p{Lu}\p{Ll}{3,})? "
    r"(?:Street|Avenue|Boulevard|Road|Lane|Drive))\b"
)
_TITLED = re2.compile(r"\b(?:Mr|Mrs|Ms)\.? (\p{Lu}\p{Ll}{2,}(?:[ \-]\p{Lu}\p{Ll}{2,})?)")
_MY_NAME = re2.compile(
    r"\b(?i:my name is|my name's|my full name is) (\p{Lu}[\p{Ll}']+(?:[ \-]\p{Lu}[\p{Ll}']+){1,2})"
)
_HANDLE = re2.compile(
    r"(?:^|[^\pL\pN])((?:credit_card|debit_card|gift_card|certificate|bank_account)_\d{4,})\b"
)
_STATES = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|"
    "T[NX]|UT|V[AT]|W[AIVY]"
)
_STATE_ZIP = re2.compile(rf", (?:{_STATES}) (\d{{5}}(?:-\d{{4}})?)\b")
_GREETED = re2.compile(
    r"(?:^|[\n>])\W{0,3}(?:Hi|Hello|Dear|Hallo|Bonjour|Hola) (\p{Lu}\p{Ll}+ \p{Lu}\p{Ll}+)[,.!]"
)
_SIGNED = re2.compile(
    r"(?i:\b(?:thanks|thank you|regards|cheers|sincerely|danke|grüße|merci|cordialement|gracias))"
    r"[,.!]?\s{1,3}(\p{Lu}\p{Ll}+ \p{Lu}[\pL'\-]+)[.!]?\s*(?:\n|$)"
)
_KIN = re2.compile(
    r"\b(?i:my (?:wife|husband|son|daughter|mother|father|mom|dad|sister|brother|partner|friend))"
    r",? "
    r"(\p{Lu}\p{Ll}+ \p{Lu}[\pL'\-]+)"
)
_TITLES = frozenset("Mr Mrs Ms Miss Mx Dr Prof Mme Mlle Herr Frau Sra Sr Señora Señor Sir".split())
_NO_NAMES = frozenset(
    """
    president chairman speaker ambassador secretary minister justice mayor governor coffee bean
    clean meyer robot right wrong nobody anybody somebody big bubble
    """.split()
)
_NOT_GREETED = frozenset(
    """
    all team there everyone support customer service sir madam valued hiring manager friends guest
    user dear kitty world folks again sirs ladies member human resources kunde kundin client
    """.split()
)


def _all(pattern: object) -> Finder:
    def find(text: str) -> Iterator[str]:
        for match in pattern.finditer(text):  # type: ignore[attr-defined]
            yield match.group(1)

    return find


#: ``logo@2x.png``: a picture for screens with many dots.
PICTURE = re.compile(r"(?i)[^@]+@\d(?:\.\d)?x(?:~\w+)?\.(?:png|jpe?g|webp|gif|svg|avif|pdf)")


def _emails(text: str) -> Iterator[str]:
    if "@" not in text:
        return
    for match in _EMAIL.finditer(text):
        start = match.start()
        before = text[max(0, start - 120) : start]
        if re.search(r"://[^\s/]*\Z", before) or not match.group(1).strip("%.'-+"):
            continue  # a password in a URL
        if PICTURE.fullmatch(match.group()):
            continue
        if match.group(1) == "git" and text[match.end() : match.end() + 1] == ":":
            continue
        yield match.group()


def _cards(text: str) -> Iterator[str]:
    for match in _CARD.finditer(text):
        if is_card(match.group(1)):
            yield match.group(1)


def is_card(surface: str) -> bool:
    """Whether the digits are an issuer's and pass the check of ISO/IEC 7812."""
    digits = [int(c) for c in surface if c.isdecimal()]
    if not 13 <= len(digits) <= 19:
        return False
    head = int("".join(map(str, digits[:4])))
    issued = (
        4000 <= head <= 4999
        or 5100 <= head <= 5599
        or 2221 <= head <= 2720
        or 3400 <= head <= 3499
        or 3700 <= head <= 3799
        or head == 6011
        or 6500 <= head <= 6599
    )
    total = sum(digits[-1::-2]) + sum(sum(divmod(d * 2, 10)) for d in digits[-2::-2])
    return issued and total % 10 == 0


def _ssns(text: str) -> Iterator[str]:
    for match in _SSN.finditer(text):
        area, group, serial = match.group(1).split("-")
        issued = area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"
        if issued and _ends(text, match.end(1)):
            yield match.group(1)


def _phones(text: str) -> Iterator[str]:
    for match in _PHONE.finditer(text):
        if _ends(text, match.end(1)) and dialable(match.group(1)):
            yield match.group(1)


def _ends(text: str, end: int) -> bool:
    """Whether a number ends there, as a word or a sentence does."""
    after = text[end : end + 2]
    if after[:1] == ".":
        return not after[1:].isalnum()
    return not (after[:1].isalnum() or after[:1] in tuple("_-/@:"))


def reserved(surface: str) -> bool:
    """Whether a 0 follows the country code, as in no number that is written by the book."""
    import phonenumbers

    digits = "".join(c for c in surface if c.isdecimal())
    if not surface.lstrip(" (").startswith("+"):
        return digits[:2] == "00" or digits[:1] == "1"
    try:
        code = str(phonenumbers.parse(surface, None).country_code)
    except phonenumbers.NumberParseException:
        return True
    return digits[len(code) :].startswith("0")


@lru_cache(1 << 14)
def dialable(surface: str) -> bool:
    """Whether a number exists, as far as the tables of libphonenumber know."""
    import phonenumbers

    try:
        number = phonenumbers.parse(surface, "US")
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number)


def _macs(text: str) -> Iterator[str]:
    for match in _MAC.finditer(text):
        if len(set(match.group(1))) > 4:
            yield match.group(1)


def _secrets(text: str) -> Iterator[str]:
    for match in _SECRET.finditer(text):
        surface = match.group(1).rstrip("-_.")
        if any(c.isdigit() for c in surface[4:]) and len(set(surface)) > 9:
            yield surface
    for match in _URL_PASSWORD.finditer(text):
        if any(c.isdigit() for c in match.group(1)):
            yield match.group(1)


def _titled(text: str) -> Iterator[str]:
    for match in _TITLED.finditer(text):
        if match.group(1).split()[0].casefold() not in _NO_NAMES:
            yield match.group(1)


def _greeted(text: str) -> Iterator[str]:
    for match in _GREETED.finditer(text):
        if not _NOT_GREETED & set(match.group(1).casefold().split()):
            yield match.group(1)


def _told(text: str) -> Iterator[str]:
    """Signatures and relatives, word by word: one may be replaced and the other not."""
    for pattern in (_SIGNED, _KIN):
        for match in pattern.finditer(text):
            words = match.group(1).split()
            if words[0].rstrip(".") in _TITLES:
                words = words[1:]  # "Kind regards, Mrs Kovacs"
            if not _NOT_GREETED & {word.casefold() for word in words}:
                yield from words


#: Entity, check's name, what must be in the text for it to be tried, finder.
_DIGIT = re.compile(r"\d\d")
_CAPITALS = re2.compile(r"\p{Lu}\p{Ll}+ \p{Lu}")
_CHECKS: tuple[tuple[str, str, Callable[[str], object], Finder], ...] = (
    ("EMAIL_ADDRESS", "address", lambda t: "@" in t, _emails),
    ("CREDIT_CARD", "card", _DIGIT.search, _cards),
    ("US_SSN", "ssn", lambda t: "-" in t and _DIGIT.search(t), _ssns),
    ("PHONE_NUMBER", "dialable", _DIGIT.search, _phones),
    ("MAC_ADDRESS", "mac", lambda t: ":" in t or "-" in t, _macs),
    ("SECRET", "format", lambda t: len(t) > 19, _secrets),
    ("CRYPTO", "wallet", lambda t: "0x" in t, _all(_ETHER)),
    ("DATE_OF_BIRTH", "born", _DIGIT.search, _all(_BORN)),
    ("GOVERNMENT_ID", "passport", _DIGIT.search, _all(_PASSPORT)),
    ("STREET_ADDRESS", "street", _DIGIT.search, _all(_STREET)),
    ("PAYMENT_ID", "handle", lambda t: "_" in t, _all(_HANDLE)),
    ("POSTAL_CODE", "state", _DIGIT.search, _all(_STATE_ZIP)),
    ("PERSON", "greeting", _CAPITALS.search, _greeted),
    ("PERSON", "signature", _CAPITALS.search, _told),
    ("PERSON", "title", lambda t: "M" in t, _titled),
)
#: What the scrubber looks for in names that programs depend on.
IN_LABELS = frozenset(("EMAIL_ADDRESS", "SECRET", "US_SSN", "IBAN_CODE"))


def objections(
    text: str, known: Known, *, label: bool, speaker: str = ""
) -> Iterator[tuple[str, str]]:
    """Entity and check for each kind of value in ``text`` that is not known to be invented."""
    for entity, check, worth, find in _CHECKS:
        if label and entity not in IN_LABELS:
            continue
        if not known.judges(entity) or not worth(text):
            continue
        if any(not _invented(known, entity, surface) for surface in find(text)):
            yield entity, check
    # Assistants have names too; who says "my name is" as a user is a person.
    if speaker == "user" and not label and "name" in text:
        for match in _MY_NAME.finditer(text):
            if not _invented(known, "PERSON", match.group(1)):
                yield "PERSON", "introduction"
                break


def _invented(known: Known, entity: str, surface: str) -> bool:
    # After a name that was replaced, a capital may begin something else: "Ms Quvubeheyuh Thanks".
    first = entity == "PERSON" and known.word(re.split(r"[ \-]", surface)[0])
    return first or known.clears(entity, surface)
