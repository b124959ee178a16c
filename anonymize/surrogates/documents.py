"""Numbers with an issuer: payment cards, IBANs, US social security numbers."""

from __future__ import annotations

import re
from math import prod

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


_CARD_CHECK = 4


class CardForm:
    """Card numbers: brand, length and grouping stay, the Luhn digit is valid.

    The brand's first digits are followed by 999, which few issuers have, and the rest carries a
    keyed check: one random number in 4,000 of a brand is taken for a surrogate. For 16 digits
    there are 2.5e10 results: two cards of one issuer number (BIN) never share one, of cards drawn
    at random n**2 / 5e10 pairs do; for 15 digits n**2 / 5e8.
    """

    _MARK = "999"

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
        # The last digit says nothing more, unless the number is no valid one.
        kind, value = ("card", digits[:-1]) if luhn_valid(digits) else ("card/odd", digits)
        number = self._keyed.spread(kind, int(value), 10**free // _CARD_CHECK) * _CARD_CHECK
        number += self._keyed.number("card/check", str(number // _CARD_CHECK), _CARD_CHECK)
        body = head + str(number).zfill(free)
        chars = iter(body + luhn_digit(body))
        return "".join(next(chars) if c.isdecimal() else c for c in surface)

    def _is_made(self, digits: str) -> bool:
        head = _brand(digits) + self._MARK
        if len(digits) < 12 or not digits.startswith(head) or not luhn_valid(digits):
            return False
        return self._keyed.is_checked("card", int(digits[len(head) : -1]), _CARD_CHECK)


def _brand(digits: str) -> str:
    if digits[:1] in "4":
        return digits[:1]
    return digits[:4] if digits[:4] == "6011" else digits[:2]


class IbanForm:
    """IBANs: country, length, letter and digit positions stay; the check digits are valid.

    The last four characters (three where accounts are short) carry a keyed check. A country's
    accounts map to as many results as the characters before allow: 1e14 for a German IBAN, 1e8
    for a Norwegian one, the shortest of all. Two accounts of one block of that size never share
    one; of n random ones n**2 over twice the results do.
    """

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
        sizes = [10 if char.isdigit() else 26 for char in body[: -_tail(body)]]
        # Every character counts, letters at the end too, which digits will stand for.
        draw = self._keyed.spread(f"iban/{country}", _mixed(body), prod(sizes))
        made = []
        for size in reversed(sizes):
            draw, digit = divmod(draw, size)
            made.append(str(digit) if size == 10 else chr(ord("A") + digit))
        head = "".join(reversed(made))
        bban = head + self._check(country, head, _tail(body))
        assert len(bban) == len(body)
        made_text = _fill(surface, country + _iban_check(country, bban) + bban)
        return made_text.lower() if surface.islower() else made_text

    def _check(self, country: str, head: str, length: int) -> str:
        number = self._keyed.number("iban/check", country + head, 10**length)
        return f"{number:0{length}d}"

    def _is_made(self, country: str, body: str) -> bool:
        tail = _tail(body)
        return (
            len(body) >= 8
            and not self._keyed.blind
            and body[-tail:] == self._check(country, body[:-tail], tail)
        )


def _tail(body: str) -> int:
    """How many final characters check the rest; digits are valid in every country's tail."""
    return 3 if len(body) < 16 else 4


def _mixed(body: str) -> int:
    """``body`` as a number, its digits in base 10 and its letters in base 26."""
    number = 0
    for char in body:
        number = number * 10 + int(char) if char.isdigit() else number * 26 + ord(char) - 65
    return number


def _iban_check(country: str, bban: str) -> str:
    text = "".join(str(int(c, 36)) for c in bban + country + "00")
    return f"{98 - int(text) % 97:02d}"


def iban_valid(text: str) -> bool:
    """Whether compact upper-case ``text`` has valid check digits (ISO 13616)."""
    if not text.isascii() or not text.isalnum() or len(text) < 15:
        return False
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


class SsnForm:
    """US social security numbers, into area 900-999 with group 00-49: never issued, no ITIN.

    There are 1.25e7 results for 1e9 numbers. Two numbers of one block of that size (twelve
    areas, most of a state) never share one; of numbers drawn at random n**2 / 2.5e7 pairs do. One
    random number in 80 is taken for a surrogate, no number that was issued is.
    """

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
        number = self._keyed.checked("ssn", int(digits), self._SPACE, self._MODULUS)
        area, rest = divmod(number, 50 * 10_000)
        chars = iter(f"9{area:02d}{rest:06d}")
        return "".join(next(chars) if c.isdecimal() else c for c in surface)

    def _is_made(self, digits: str) -> bool:
        if re.fullmatch(r"9\d\d[0-4]\d{5}", digits) is None:
            return False
        number = int(digits[1:3]) * 500_000 + int(digits[3:])
        return self._keyed.is_checked("ssn", number, self._MODULUS)
