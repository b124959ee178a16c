"""Invented numbers with rules of their own: phones, cards, accounts, devices, dates, places."""

from __future__ import annotations

import random
import string

from benchmarks.pii import data
from benchmarks.pii.probe import Piece, Value

_DRAW = {
    "9": string.digits,
    "8": "23456789",
    "A": "BCDFGHJKLMNPRSTVWXY",
    "~": "abcdef0123456789",
}
_BINS = (
    ("4539", 16), ("4716", 16), ("4024", 16), ("5213", 16), ("5425", 16), ("2720", 16),
    ("3714", 15), ("3787", 15), ("6011", 16), ("3528", 16), ("3056", 14), ("6212", 16),
)  # fmt: skip
# Country, the beginning of its account numbers (bank), and the length of the whole IBAN.
_BANKS = (
    ("DE", "37040044", 22), ("GB", "NWBK601613", 22), ("FR", "30006000", 27), ("NL", "ABNA", 18),
    ("ES", "21000418", 24), ("CH", "00762", 21), ("BE", "539", 16), ("PL", "10901014", 28),
    ("AT", "19043", 20), ("IT", "X0542811101", 27), ("SE", "500", 24), ("DK", "0040", 18),
    ("PT", "00020123", 25), ("IE", "AIBK931152", 22), ("NO", "8601", 15), ("FI", "123456", 18),
)  # fmt: skip
_MONTHS = """January February March April May June July August September October November
December""".split()
_B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_B32 = "023456789acdefghjklmnpqrstuvwxyz"
_HEX = "0123456789abcdef"
# Bitcoin in four kinds, Ethereum in two, Tron, Litecoin, Ripple, Solana.
_WALLETS = (
    ("1", _B58, 33), ("3", _B58, 33), ("bc1q", _B32, 38), ("bc1p", _B32, 58), ("0x", _HEX, 40),
    ("0x", _HEX + "ABCDEF", 40), ("T", _B58, 33), ("ltc1q", _B32, 38), ("r", _B58, 32),
    ("", _B58, 44),
)  # fmt: skip


def digits(rng: random.Random, shape: str) -> str:
    """A shape with its marks drawn: 9 and 8 digits, A a capital letter, ~ a hex digit."""
    return "".join(rng.choice(_DRAW[c]) if c in _DRAW else c for c in shape)


def tail(text: str, least: int = 6) -> tuple[Piece, ...]:
    """The last digits or letters: what tells one number from another of the same range."""
    tight = "".join(c for c in text if c.isalnum())
    return (("tight", tight[-min(least, len(tight)) :]), ("tight", tight))


def phone(rng: random.Random, held: bool, country: str = "") -> Value:
    """A phone number of one of fourteen countries, as it is written there."""
    shapes = data.words("phones")
    text = digits(rng, rng.choice(shapes[country or rng.choice([*shapes, "us", "us", "gb"])]))
    return Value(text=text, must=tail(text.split(" x")[0]))


def card(rng: random.Random, held: bool) -> Value:
    """A card number with a BIN in use and a valid Luhn digit."""
    bin_, length = rng.choice(_BINS)
    body = bin_ + digits(rng, "9" * (length - 5))
    number = body + _luhn(body)
    groups = (4, 6, 5) if length == 15 else (4, 6, 4) if length == 14 else (4, 4, 4, 4)
    gap = rng.choice(("", "", " ", "-"))
    return Value(text=_grouped(number, groups, gap), must=tail(number, 8))


def iban(rng: random.Random, held: bool) -> Value:
    """An IBAN with valid check digits (ISO 13616)."""
    land, bank, size = rng.choice(_BANKS)
    body = (bank + digits(rng, "9" * 30))[: size - 4]
    check = 98 - int("".join(str(int(c, 36)) for c in body + land + "00")) % 97
    whole = f"{land}{check:02}{body}"
    if rng.random() < 0.5:
        whole = " ".join(whole[i : i + 4] for i in range(0, len(whole), 4))
    return Value(text=whole, must=tail(whole, 8))


def ip(rng: random.Random, held: bool) -> Value:
    """A public IPv4 or an IPv6 address, short or long."""
    first = rng.choice((24, 62, 73, 81, 98, 109, 151, 189, 203))
    four = ".".join([str(first), *(str(rng.randrange(2, 254)) for _ in range(3))])
    groups = [f"{rng.randrange(1, 65535):x}" for _ in range(7)]
    long, short = f"2001:{':'.join(groups)}", f"2a02:{':'.join(groups[:3])}::{groups[3]}"
    text = rng.choice((four, four, long, short))
    return Value(text=text, must=(("part", text),))


def mac(rng: random.Random, held: bool) -> Value:
    """A MAC address in one of three notations, small or capital."""
    pairs = [f"{rng.randrange(256):02x}" for _ in range(6)]
    text = rng.choice((":", "-", ":", ".")).join(pairs)
    if "." in text:
        text = ".".join("".join(pairs[i : i + 2]) for i in (0, 2, 4))
    return Value(text=rng.choice((text, text.upper())), must=tail(text))


def birth_date(rng: random.Random, held: bool) -> Value:
    """A date of birth as people and systems write it."""
    year, month, day = rng.randrange(1938, 2008), rng.randrange(1, 13), rng.randrange(1, 29)
    name = _MONTHS[month - 1]
    ending = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}.get(day, "th")
    forms = (
        f"{year}-{month:02}-{day:02}", f"{month:02}/{day:02}/{year}", f"{day:02}.{month:02}.{year}",
        f"{name} {day}, {year}", f"{day} {name} {year}", f"{day:02}/{month:02}/{year}",
        f"{name[:3]} {day} {year}", f"{day}-{name[:3]}-{year}", f"{year}/{month:02}/{day:02}",
        f"the {day}{ending} of {name} {year}", f"{year}{month:02}{day:02}",
    )  # fmt: skip
    text = rng.choice(forms)
    return Value(text=text, must=(("part", text),))


def crypto(rng: random.Random, held: bool) -> Value:
    """A wallet address of one of ten kinds."""
    prefix, alphabet, length = rng.choice(_WALLETS)
    text = prefix + "".join(rng.choice(alphabet) for _ in range(length))
    return Value(text=text, must=(("part", text),))


def position(rng: random.Random, held: bool) -> Value:
    """Where somebody is, to a few metres; fields: lat, lon."""
    lat, lon = rng.uniform(-60, 68), rng.uniform(-170, 175)
    a, b = f"{lat:.{rng.choice((4, 5, 6))}f}", f"{lon:.{rng.choice((4, 5, 6))}f}"
    north, east = "N" if lat > 0 else "S", "E" if lon > 0 else "W"
    minutes = [f"{rng.randrange(60)}'{rng.uniform(0, 60):.1f}\"" for _ in range(2)]
    text = rng.choice((
        f"{a}, {b}", f"{a},{b}", f"{abs(lat):.5f}° {north}, {abs(lon):.5f}° {east}",
        f"{int(abs(lat))}°{minutes[0]}{north} {int(abs(lon))}°{minutes[1]}{east}",
    ))  # fmt: skip
    numbers = (a.strip("-"), b.strip("-"), f"{abs(lat):.5f}", f"{abs(lon):.5f}", text)
    must: tuple[Piece, ...] = tuple(("part", part) for part in dict.fromkeys(numbers))
    return Value(text=text, must=must, fields={"lat": a, "lon": b})


def _luhn(body: str) -> str:
    total = sum(sum(divmod(int(d) * (2 - i % 2), 10)) for i, d in enumerate(reversed(body)))
    return str(-total % 10)


def _grouped(number: str, sizes: tuple[int, ...], gap: str) -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    return gap.join(parts)
