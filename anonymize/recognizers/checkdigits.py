"""Check digits of national numbers, as their issuers publish them. All take plain digits."""

from __future__ import annotations

from collections.abc import Sequence

_VERHOEFF_D = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678", "5987604321",
    "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_P = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901",
    "2793806415", "7046913258",
)  # fmt: skip


def _weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(int(d) * w for d, w in zip(digits, weights, strict=False))


def luhn(digits: str) -> bool:
    """Canada's SIN, Sweden's personnummer, South Africa, Israel and others."""
    total = 0
    for index, char in enumerate(reversed(digits)):
        digit = int(char) * (1 + index % 2)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0


def verhoeff(digits: str) -> bool:
    """Aadhaar."""
    check = 0
    for index, char in enumerate(reversed(digits)):
        check = int(_VERHOEFF_D[check][int(_VERHOEFF_P[index % 8][int(char)])])
    return check == 0


def cpf(digits: str) -> bool:
    """Brazil: two check digits; all digits alike is no number."""
    if len(digits) != 11 or len(set(digits)) == 1:
        return False
    first = _weighted(digits, range(10, 1, -1)) * 10 % 11 % 10
    second = _weighted(digits, range(11, 1, -1)) * 10 % 11 % 10
    return digits[9:] == f"{first}{second}"


def bsn(digits: str) -> bool:
    """Netherlands: the eleven test."""
    digits = digits.zfill(9)
    return int(digits) > 0 and _weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def pesel(digits: str) -> bool:
    """Poland: a date (the century is in the month) and a check digit."""
    day, month = int(digits[4:6]), int(digits[2:4]) % 20
    check = -_weighted(digits[:10], (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10
    return 1 <= month <= 12 and 1 <= day <= 31 and check == int(digits[10])


def nhs(digits: str) -> bool:
    """United Kingdom: modulus 11."""
    check = (11 - _weighted(digits[:9], range(10, 1, -1)) % 11) % 11
    return check != 10 and check == int(digits[9])


def tfn(digits: str) -> bool:
    """Australia, nine digits: modulus 11."""
    return _weighted(digits, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def medicare(digits: str) -> bool:
    """Australia's Medicare card, ten digits: the ninth checks the first eight."""
    return digits[0] in "23456" and _weighted(digits[:8], (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == int(
        digits[8]
    )


def steuer_id(digits: str) -> bool:
    """Germany's tax id: ISO 7064 MOD 11,10, no leading 0, a digit that occurs twice or thrice."""
    if digits[0] == "0" or not 8 <= len(set(digits[:10])) <= 9:
        return False
    product = 10
    for char in digits[:10]:
        total = (int(char) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def nir(text: str) -> bool:
    """France: 13 digits (2A and 2B for Corsica) and a key of two."""
    body, key = text[:13].replace("2A", "19").replace("2B", "18"), text[13:]
    return body.isdigit() and key.isdigit() and 97 - int(body) % 97 == int(key)


def dni(text: str) -> bool:
    """Spain's DNI and NIE: the letter follows from the number modulo 23."""
    text = text.upper()
    number = text[:-1].replace("X", "0", 1).replace("Y", "1", 1).replace("Z", "2", 1)
    return number.isdigit() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == text[-1]


_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3,
         6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)  # fmt: skip


def codice_fiscale(text: str) -> bool:
    """Italy: the last letter checks fifteen characters."""
    total = 0
    for index, char in enumerate(text[:15]):
        value = int(char) if char.isdigit() else ord(char) - 65
        total += value if index % 2 else _ODD[char]
    return chr(65 + total % 26) == text[15]


def curp(text: str) -> bool:
    """Mexico: modulus 10 over an alphabet with Ñ."""
    alphabet = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
    total = sum(alphabet.index(char) * (18 - i) for i, char in enumerate(text[:17]))
    return -total % 10 == int(text[17]) if text[17].isdigit() else False


def rut(text: str) -> bool:
    """Chile: modulus 11, K for ten."""
    body, check = text[:-1], text[-1].upper()
    total = sum(int(d) * (2 + i % 6) for i, d in enumerate(reversed(body)))
    return "0123456789K0"[-total % 11] == check


def ahv(digits: str) -> bool:
    """Switzerland: an EAN-13."""
    return _weighted(digits, (1, 3) * 7) % 10 == 0


def rijksregister(digits: str) -> bool:
    """Belgium: modulus 97, with a 2 before for people born from 2000 on."""
    body, check = digits[:9], int(digits[9:])
    return check in (97 - int(body) % 97, 97 - int("2" + body) % 97)


def china(text: str) -> bool:
    """China's resident number: ISO 7064 MOD 11-2 and a date of birth."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    check = "10X98765432"[_weighted(text[:17], weights) % 11]
    return check == text[17].upper() and text[6:8] in ("19", "20") and day_month(text[10:14])


def hetu(text: str) -> bool:
    """Finland: the sign follows from date and number modulo 31."""
    signs = "0123456789ABCDEFHJKLMNPRSTUVWXY"
    number = text[-4:-1]  # the sign for the century is a letter or was a hyphen
    return signs[int(text[:6] + number) % 31] == text[-1]


def fodselsnummer(digits: str) -> bool:
    """Norway: two check digits and a date."""
    first = -_weighted(digits, (3, 7, 6, 1, 8, 9, 4, 5, 2)) % 11
    second = -_weighted(digits[:10], (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    day = int(digits[:2]) % 40
    return 1 <= day <= 31 and 1 <= int(digits[2:4]) <= 12 and digits[9:] == f"{first}{second}"


def tc_kimlik(digits: str) -> bool:
    """Turkey: two check digits."""
    numbers = [int(d) for d in digits]
    tenth = (sum(numbers[0:9:2]) * 7 - sum(numbers[1:8:2])) % 10
    return digits[0] != "0" and tenth == numbers[9] and sum(numbers[:10]) % 10 == numbers[10]


def nric(text: str) -> bool:
    """Singapore: the letter follows from weights and the first letter."""
    first, body = text[0].upper(), text[1:8]
    total = _weighted(body, (2, 7, 6, 5, 4, 3, 2)) + {"T": 4, "G": 4, "M": 3}.get(first, 0)
    letters = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "M": "KLJNPQRTUWX"}
    return letters.get(first, "XWUTRQPNMLK")[total % 11] == text[8].upper()


def cuit(digits: str) -> bool:
    """Argentina: modulus 11."""
    total = _weighted(digits[:10], (5, 4, 3, 2, 7, 6, 5, 4, 3, 2))
    return (11 - total % 11) % 11 == int(digits[10])


def thai(digits: str) -> bool:
    """Thailand: modulus 11."""
    return (11 - _weighted(digits[:12], range(13, 1, -1)) % 11) % 10 == int(digits[12])


def vin(text: str) -> bool:
    """A vehicle number's ninth character, as North America and China compute it."""
    values = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3,
                                                  4, 5, 6, 7, 8, 9), strict=True))  # fmt: skip
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    numbers = [int(c) if c.isdigit() else values.get(c, 0) for c in text.upper()]
    total = sum(n * w for n, w in zip(numbers, weights, strict=True))
    return "0123456789X"[total % 11] == text[8].upper()


def aba(digits: str) -> bool:
    """A US bank's routing number."""
    return int(digits) > 0 and _weighted(digits, (3, 7, 1) * 3) % 10 == 0


def day_month(text: str) -> bool:
    """``MMDD``."""
    return 1 <= int(text[:2]) <= 12 and 1 <= int(text[2:4]) <= 31


def month_day(text: str) -> bool:
    """``DDMM``."""
    return 1 <= int(text[2:4]) <= 12 and 1 <= int(text[:2]) <= 31
