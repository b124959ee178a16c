"""Invented people: names of many origins, and the handles and addresses made from them."""

from __future__ import annotations

import random
import re
import unicodedata
from dataclasses import dataclass

from benchmarks.pii import data
from benchmarks.pii.probe import Piece, Value, half, words

ORIGINS = tuple(data.pairs("names"))
_ONSETS = "b br ch d dr f g gl h j k kh kr l m n p r s sh st t tr v vl w y z zh".split()
_VOWELS = "a e i o u ai ei ou".split()
_ENDS = "dze nyan escu ovic ssen veld mann uru ake ilo adze insky oglu poulos ström wala".split()
_HANDLE_STYLES = (
    "{f}_{l}_{n}", "{f}_{l}", "{f}.{l}", "{f}{l}", "{i}{l}", "{i}{l}{n}", "{f}{L}", "{F}{L}",
    "{f}-{l}", "{f}.{l}{y}", "{l}.{f}", "{l}{i}", "{i}.{l}", "{f}{l}{y}", "{l}_{f}", "{i}_{l}{y}",
    "{F}_{L}{n}", "{f}-{l}-{n}", "{l}{f}", "{f}{li}{n}", "the_real_{f}_{l}",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody invented. ``born`` is a year."""

    first: str
    last: str
    origin: str
    born: int

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def must(self) -> tuple[Piece, ...]:
        return name_pieces(self.first, self.last)


def name_pieces(*parts: str) -> tuple[Piece, ...]:
    """The name itself and its parts: none may remain, however written."""
    return tuple(dict.fromkeys(piece for part in parts for piece in words(part, least=2)))


def person(rng: random.Random, held: bool, origin: str = "") -> Person:
    """Somebody of one half; one in ten has a last name that nobody bears."""
    origin = origin or rng.choice(ORIGINS)
    first, last = _pool(origin, held)
    family = made_up(rng) if rng.random() < 0.1 else rng.choice(last)
    return Person(
        first=rng.choice(first), last=family, origin=origin, born=rng.randrange(1945, 2006)
    )


def people(rng: random.Random, held: bool, count: int, *origins: str) -> list[Person]:
    """Different people, taking turns among the origins."""
    chosen: dict[str, Person] = {}
    turn = rng.sample(origins or ORIGINS, len(origins or ORIGINS))
    while len(chosen) < count:
        one = person(rng, held, turn[len(chosen) % len(turn)])
        chosen.setdefault(one.name, one)
    return list(chosen.values())


def scripts(held: bool) -> list[str]:
    """Whole names that are not in Latin letters."""
    return half(data.words("scripts")["all"], "scripts", held)


def made_up(rng: random.Random) -> str:
    """A last name from syllables."""
    stem = "".join(rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(rng.choice((2, 2, 3))))
    return (stem + rng.choice(_ENDS)).capitalize()


def plain(text: str) -> str:
    """ASCII letters only, lower case: what a handle is made of."""
    text = text.translate(str.maketrans("łØøßıÞþđ", "lOosiTtd"))
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub("[^a-z]", "", letters.lower())


def handle(rng: random.Random, who: Person, style: str = "") -> Value:
    """A login name built from a name, in one of many styles."""
    first, last = plain(who.first), plain(who.last)
    text = (style or rng.choice(_HANDLE_STYLES)).format(
        f=first, l=last, F=first.capitalize(), L=last.capitalize(), i=first[0], li=last[0],
        n=rng.randrange(1000, 9999), y=str(who.born)[2:],
    )  # fmt: skip
    parts = [p for p in (first, last) if p in text.lower()]
    must = tuple(("part" if len(p) > 4 else "word", p) for p in parts)
    return Value(
        text=text,
        must=(*must, ("word", text)),  # type: ignore[arg-type]
        fields={"first": who.first, "last": who.last, "name": who.name},
    )


def handle_styles() -> tuple[str, ...]:
    return _HANDLE_STYLES


def _pool(origin: str, held: bool) -> tuple[list[str], list[str]]:
    first, last = data.pairs("names")[origin]
    return half(first.split(), "first", held), half(last.split(), "last", held)
