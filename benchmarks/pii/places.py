"""Invented street addresses and postcodes of many countries."""

from __future__ import annotations

import random
import re
import string

from benchmarks.pii import data
from benchmarks.pii.probe import Piece, Value, half, words

COUNTRIES = {
    "us": "United States", "gb": "United Kingdom", "ca": "Canada", "au": "Australia",
    "de": "Germany", "fr": "France", "es": "Spain", "it": "Italy", "nl": "Netherlands",
    "pl": "Poland", "nordic": "Sweden", "latam": "Brazil", "in": "India", "jp": "Japan",
    "box": "USA",
}  # fmt: skip
# 9 a digit, A a capital letter; written as the country writes it.
_POSTCODES = {
    "us": "99999|99999|99999|99999-9999", "gb": "NW9 9AB|SE19 9RT|LS9 9XD|CB9 9PQ|EH9A 9BN",
    "ca": "K9A 9B9|V9L 9T9|H9X9Y9", "au": "2999|3999|4999", "de": "D-99999|99999|99999",
    "fr": "99999|F-99999", "es": "29999|09999", "it": "20999|00199", "nl": "9999 AB|9999XK",
    "pl": "99-999", "nordic": "999 99|SE-999 99|9999", "latam": "99999-999|06999",
    "in": "999999|560 999", "jp": "999-9999|〒999-9999", "box": "99999",
}  # fmt: skip


def street(rng: random.Random, held: bool, country: str = "") -> Value:
    """A street line as its country writes it; fields: city, zip, country."""
    country = country or rng.choice([*data.pairs("streets"), "us", "us", "us"])
    names, shapes = data.pairs("streets")[country]
    name = rng.choice(half(names.split("|"), "street", held))
    text = rng.choice(shapes.split("|")).format(
        S=name, N=rng.randrange(112, 19980), N3=rng.randrange(101, 999),
        N2=rng.randrange(11, 99), n=rng.randrange(1, 99), n2=rng.randrange(2, 40),
        U=f"{rng.randrange(1, 29)}{rng.choice('ABCDF')}", a=rng.choice("abc"),
        A=rng.choice("ABCD"),
    )  # fmt: skip
    return Value(text=text, must=street_pieces(text), fields=_place(rng, held, country))


def postcode(rng: random.Random, held: bool, country: str = "") -> Value:
    """A postcode; fields: city, country."""
    country = country or rng.choice([*_POSTCODES, "us", "us", "us", "us"])
    place = _place(rng, held, country)
    return Value(text=place["zip"], must=_code_pieces(place["zip"]), fields=place)


def _place(rng: random.Random, held: bool, country: str) -> dict[str, str]:
    city = rng.choice(half(data.words("cities")[country], "city", held))
    shape = rng.choice(_POSTCODES[country].split("|"))
    return {"city": city, "zip": _code(rng, shape), "country": COUNTRIES[country]}


def _code(rng: random.Random, shape: str) -> str:
    made = "".join(str(rng.randrange(1, 10)) if c == "9" else c for c in shape)
    letters = [c for c in string.ascii_uppercase if c not in "CIKMOV"]
    return re.sub("[A-Z](?=[0-9A-Z]$)", lambda _: rng.choice(letters), made)


def street_pieces(text: str) -> tuple[Piece, ...]:
    """House numbers of three and more digits and the street's own words."""
    found = [p for p in words(text) if not re.fullmatch(r"[0-9]{1,2}[a-z]*", p[1], re.IGNORECASE)]
    return tuple(found) or (("tight", text),)


def _code_pieces(text: str) -> tuple[Piece, ...]:
    longest = max(re.findall(r"[0-9A-Z]+", text), key=len)
    return (("tight", text), *((("word", longest),) if len(longest) > 3 else ()))
