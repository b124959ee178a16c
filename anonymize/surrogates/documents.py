"""Numbers with an issuer: payment cards, IBANs, US social security numbers."""

from __future__ import annotations

import re

from anonymize.surrogates.keyed import Keyed


def luhn_digit(body: str) -> str:
    """The check digit that makes ``body`` + digit valid (ISO/IEC 7812-1)."""
    total = 0
    for index, char in enumerate(reversed(body)):
        digit = int(char)
        if index % 2 == 0:
            digit = digit * 2 - 9 if digit > 4 else digit * 2
        total += digit
    return str(-total % 10)


def luhn_valid(digits: str) -> bool:
    """Whether the last digit is the Luhn check digit of the others."""
    return len(digits) > 1 and luhn_digit(digits[:-1]) == digits[-1]


def _fill(surface: str, digits: str) -> str:
    """``digits`` (or letters) in place of the alphanumeric characters of ``surface``."""
    chars = iter(digits)
    return "".join(next(chars) if c.isalnum() else c for c in surface)


class CardForm:
    """Card numbers: brand, length and grouping stay, the Luhn digit is valid.

    The brand's first digits are followed by 9999, which no issuer has; then comes a number with
    a keyed check. For 16 digits: 2e8 results.
    """

    _MARK = "9999"

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed

    def canonical(self, surface: str) -> str:
        return "".join(str(int(c)) for c in surface if c.isdecimal())

    def owns(self, surface: str) -> bool:
        return self._is_made(self.canonical(surface))

    def make(self, surface: str) -> str:
        digits = self.canonical(surface)
        if len(digits) < 12 or self._is_made(digits):
            return surface
        head = _brand(digits) + self._MARK
        free = len(digits) - len(head) - 1
        number = self._keyed.checked("card", digits, 10**free, _card_modulus(free))
        body = head + str(number).zfill(free)
        chars = iter(body + luhn_digit(body))
        return "".join(next(chars) if c.isdecimal() else c for c in surface)

    def _is_made(self, digits: str) -> bool:
        head = _brand(digits) + self._MARK
        if len(digits) < 12 or not digits.startswith(head) or not luhn_valid(digits):
            return False
        free = len(digits) - len(head) - 1
        return self._keyed.is_checked("card", int(digits[len(head) : -1]), _card_modulus(free))


def _brand(digits: str) -> str:
    if digits[:1] in "4":
        return digits[:1]
    return digits[:4] if digits[:4] == "6011" else digits[:2]


def _card_modulus(free: int) -> int:
    return 50 if free >= 9 else 10


class IbanForm:
    """IBANs: country, length, letter and digit positions stay; the check digits are valid."""

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed

    def canonical(self, surface: str) -> str:
        return "".join(c for c in surface if c.isalnum()).upper()

    def owns(self, surface: str) -> bool:
        text = self.canonical(surface)
        return text.isascii() and self._is_made(text[:2], text[4:])

    def make(self, surface: str) -> str:
        text = self.canonical(surface)
        country, body = text[:2], text[4:]
        if len(body) < 8 or not text.isascii() or not country.isalpha():
            return surface
        if self._is_made(country, body):
            return surface
        length = len(body)
        draw = self._keyed.number("iban", text, 10**40)
        made = []
        for char in body[:-4]:
            size = 10 if char.isdigit() else 26
            draw, digit = divmod(draw, size)
            made.append(str(digit) if char.isdigit() else chr(ord("A") + digit))
        head = "".join(made)
        # The last four carry the check, whatever they were: digits are valid in every BBAN tail.
        bban = head + self._check(country, head)
        assert len(bban) == length
        made_text = _fill(surface, country + _iban_check(country, bban) + bban)
        return made_text.lower() if surface.islower() else made_text

    def _check(self, country: str, head: str) -> str:
        return f"{self._keyed.number('iban/check', country + head, 10_000):04d}"

    def _is_made(self, country: str, body: str) -> bool:
        return len(body) >= 8 and body[-4:] == self._check(country, body[:-4])


def _iban_check(country: str, bban: str) -> str:
    text = "".join(str(int(c, 36)) for c in bban + country + "00")
    return f"{98 - int(text) % 97:02d}"


def iban_valid(text: str) -> bool:
    """Whether compact upper-case ``text`` has valid check digits (ISO 13616)."""
    if not text.isascii() or not text.isalnum() or len(text) < 15:
        return False
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


class SsnForm:
    """US social security numbers, into area 900-999 with group 00-49: never issued, no ITIN."""

    _MODULUS = 4
    _SPACE = 100 * 50 * 10_000

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed

    def canonical(self, surface: str) -> str:
        return "".join(str(int(c)) for c in surface if c.isdecimal())

    def owns(self, surface: str) -> bool:
        return self._is_made(self.canonical(surface))

    def make(self, surface: str) -> str:
        digits = self.canonical(surface)
        if len(digits) != 9 or self._is_made(digits):
            return surface
        number = self._keyed.checked("ssn", digits, self._SPACE, self._MODULUS)
        area, rest = divmod(number, 50 * 10_000)
        chars = iter(f"9{area:02d}{rest:06d}")
        return "".join(next(chars) if c.isdecimal() else c for c in surface)

    def _is_made(self, digits: str) -> bool:
        if re.fullmatch(r"9\d\d[0-4]\d{5}", digits) is None:
            return False
        number = int(digits[1:3]) * 500_000 + int(digits[3:])
        return self._keyed.is_checked("ssn", number, self._MODULUS)
