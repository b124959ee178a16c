"""E-mail addresses and phone numbers."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from anonymize.surrogates.keyed import Keyed
from anonymize.surrogates.words import Words, ascii_digits, fold

_RUN = re.compile(r"[^\W\d_]+|\d+")
#: Local parts that name a role, not a person; kept, the domain still changes.
ROLES = frozenset(
    """
    abuse admin alerts billing bounce care contact desk dev feedback help hello helpdesk hr
    info it jobs legal mail marketing me no noreply office ops order orders postmaster press
    privacy reply returns root sales security service services shop support team test user
    webmaster example name email your you someone
    """.split()
)


class EmailForm:
    """``mei.kovacs+news@corp.internal`` to a like address under the reserved ``.example``.

    The words of the local part are those of the person's name. An address is recognised as made
    here by its domain: an invented word (with its check) under ``.example``. Domains are hashed:
    n**2 / 2.8e14 pairs of n domains of one initial share a word. Local parts keep apart as names
    and digits do, which is nearly always exactly; names of roles stay.
    """

    def __init__(self, keyed: Keyed, words: Words) -> None:
        self._keyed = keyed
        self._words = words

    def canonical(self, surface: str) -> str:
        return unquote(surface).strip().casefold()

    def owns(self, surface: str) -> bool:
        return self.make(surface) == surface

    def make(self, surface: str) -> str:
        at = "@"
        text = surface
        if "@" not in surface:  # %40 and its double encoding
            at = next((e for e in ("%2540", "%40") if e in surface.casefold()), "")
            if not at:
                return surface
            text = unquote(unquote(surface)) if at == "%2540" else unquote(surface)
        local, _, domain = text.rpartition("@")
        mine = self._is_domain(domain)
        made = f"{self._local(local, done=mine)}@{domain if mine else self._domain(domain)}"
        if at == "@":
            return made
        return quote(made, safe="") if at == "%40" else quote(quote(made, safe=""), safe="")

    def _domain(self, domain: str) -> str:
        host = fold(domain.rstrip("."))
        made = f"{self._words.word(host)}.example"
        return made.upper() if domain.isupper() else made

    def _is_domain(self, domain: str) -> bool:
        host, _, end = domain.lower().rpartition(".")
        return end == "example" and self._words.is_word(host)

    def _local(self, local: str, *, done: bool) -> str:
        if local.startswith('"') and local.endswith('"') and len(local) > 2:
            return f'"{self._local(local[1:-1], done=done)}"'

        def run(match: re.Match[str]) -> str:
            surface = match.group()
            folded = fold(surface)
            if self._words.is_word(folded) or folded in ROLES or not folded:
                return surface
            if surface.isdecimal() or len(folded) == 1:
                if done:
                    return surface
                if surface.isdecimal():
                    return self._keyed.permute("handle", ascii_digits(surface))
                if folded.isascii():
                    return self._keyed.letter(surface)
            return self._words.replace(surface)

        return _RUN.sub(run, local)


# Country calling codes of one and two digits; all others have three.
_SHORT_CODES = frozenset(
    """
    1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61
    62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98
    """.split()
)
_EXTENSION = re.compile(r"(?i)[\s,;]*(?:x|ext\.?|extension|#)\s*(\d{1,6})$")
_NANP_CHECK = 4
#: Where ten digits after the code or the trunk 0 are not written without either, and can look
#: like those of a North American surrogate.
_TRUNK = frozenset(("0", "43", "44", "49", "61", "62", "81", "82", "84", "90"))
#: How many different numbers a form should have at least, where the digits allow it.
_WANTED = 40_000_000


class PhoneForm:
    """Phone numbers: punctuation, digit count and country code stay.

    North American numbers get an area code with middle digit 9 (reserved, never assigned) and an
    exchange that begins with 0 or 1 (impossible); others a national number that begins with 0
    after the country code or the trunk 0 (impossible). Fictional blocks (555-01XX, 07700 900XXX)
    hold some thousand numbers, too few to keep people apart.

    Numbers of one length map to 4e7 results, as far as there are so many (nine digits 2.5e7,
    seven 5e5 with a code before and 5e4 without). Two numbers of one block of that size (so of
    one area code and its neighbours) never share one; of numbers drawn at random n**2 / 8e7
    pairs do. More results would be possible only by taking more real-looking numbers for
    surrogates: now it is one in 200 of ten random digits, and no number that can be dialled in
    North America.
    """

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed

    def canonical(self, surface: str) -> str:
        main, _ = _extension(surface)
        return _split(main)[1]

    def owns(self, surface: str) -> bool:
        main, _ = _extension(surface)
        return self._is_made(*_split(main))

    def make(self, surface: str) -> str:
        main, extension = _extension(surface)
        head, national = _split(main)
        if len(national) < 5 or self._is_made(head, national):
            return surface
        digits = iter(head + self._national(head, national))
        made = "".join(next(digits) if c.isdecimal() else c for c in ascii_digits(main))
        if extension:
            number = extension.group(1)
            made += surface[len(main) : extension.start(1)] + self._keyed.permute("ext", number)
        return made

    def _national(self, head: str, digits: str) -> str:
        length = len(digits)
        if length == 10 and digits[0] != "0" and head not in _TRUNK:
            number = self._keyed.checked(
                "phone/nanp", int(digits), 8 * 10 * 200 * 10_000, _NANP_CHECK
            )
            number, line = divmod(number, 10_000)
            number, exchange = divmod(number, 200)
            area, tens = divmod(number, 10)
            return f"{area + 2}9{tens}{exchange:03d}{line:04d}"
        mark = _mark(head, length)
        free = length - len(mark)
        modulus = _modulus(head, free)
        number = self._keyed.checked(f"phone/{length}", int(digits), 10**free, modulus)
        return mark + str(number).zfill(free)

    def _is_made(self, head: str, digits: str) -> bool:
        length = len(digits)
        if length < 5:
            return False
        mark = _mark(head, length)
        if (length != 10 or digits[0] == "0") and digits.startswith(mark):
            number = int(digits[len(mark) :])
            return self._keyed.is_checked(
                f"phone/{length}", number, _modulus(head, length - len(mark))
            )
        if length != 10 or head in _TRUNK or digits[0] < "2" or digits[1] != "9" or digits[3] > "1":
            return False
        area = (int(digits[0]) - 2) * 10 + int(digits[2])
        number = (area * 200 + int(digits[3:6])) * 10_000 + int(digits[6:])
        return self._keyed.is_checked("phone/nanp", number, _NANP_CHECK)


def _mark(head: str, length: int) -> str:
    """How a made national number begins: as no real one does, and so that it splits alike."""
    if head:
        # After a trunk 0, one more 0 on a long number would read as "00" and a country code.
        return "00" if length > 10 else "0"
    return "9" if length > 10 else "1"


def _modulus(head: str, free: int) -> int:
    # Numbers without a code or a trunk 0 are told apart by little else than the check.
    return max(4 if head or free < 8 else 20, int(10**free) // _WANTED)


def _extension(surface: str) -> tuple[str, re.Match[str] | None]:
    match = _EXTENSION.search(surface[-24:])
    if match is None:
        return surface, None
    cut = len(surface) - len(surface[-24:]) + match.start()
    full = _EXTENSION.search(surface, cut)
    return surface[:cut], full


def _split(main: str) -> tuple[str, str]:
    """The digits that stay (country code, trunk 0) and the national number.

    ``+44 7700 900123``, ``0044 7700 900123`` and ``07700 900123`` have one national number.
    """
    text = ascii_digits(main)
    digits = "".join(c for c in text if c.isdecimal())
    international = text.lstrip(" (").startswith("+")
    start = 0
    if not international and digits[:2] == "00" != digits[1:3] and len(digits) >= 12:
        international, start = True, 2
    if international:
        start += next((n for n in (1, 2) if digits[start : start + n] in _SHORT_CODES), 3)
        start += "(0)" in text  # +44 (0)20 ...: the trunk 0 that is not dialled
    elif digits.startswith("011") and len(digits) >= 13:
        start = 3
        start += next((n for n in (1, 2) if digits[start : start + n] in _SHORT_CODES), 3)
    elif digits.startswith("0") or (len(digits) == 11 and digits.startswith("1")):
        start = 1
    return digits[:start], digits[start:]
