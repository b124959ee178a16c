"""Texts in which nothing is personal: they must come out byte for byte."""

from __future__ import annotations

import random
import string
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.pii import data
from benchmarks.pii.credentials import draw
from benchmarks.pii.numbers import digits
from benchmarks.pii.probe import HALVES, SEED, Context, Probe, Value, half, split

_HEX = "0123456789abcdef"
_COUNT = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmless:
    """A row of texts without anything personal; at most ``required`` of them may change."""

    name: str
    contexts: list[Context]
    make: Callable[[random.Random, bool], Value]
    required: float = 0.02

    def probes(self) -> Iterator[Probe]:
        """Both halves, 120 texts each, from different frames and different fillings."""
        frames = split(self.contexts, self.name)
        for held in HALVES:
            rng = random.Random(f"{SEED} {self.name} {held}")
            made: dict[str, Probe] = {}
            for turn in range(20 * _COUNT):
                context = frames[held][turn % len(frames[held])]
                text = context.fill(self.make(rng, held))
                made.setdefault(text, Probe(row=self.name, held=held, domain=context.domain,
                                            kind=context.kind, text=text))  # fmt: skip
                if len(made) == _COUNT:
                    break
            yield from made.values()


def harmless() -> list[Harmless]:
    """Every row of texts that must not change."""
    return [
        Harmless(name="order ids, SKUs, tracking", contexts=_texts("IDS"), make=_id),
        Harmless(name="timestamps, floats, amounts", contexts=_texts("NUMBERS"), make=_number),
        Harmless(name="hashes, uuids, versions", contexts=_texts("HASHES"), make=_hash),
        Harmless(name="airport, flight, status codes", contexts=_texts("CODES"), make=_code),
        Harmless(name="URLs, paths, hosts", contexts=_texts("URLS"), make=_slots),
        Harmless(name="code and SQL", contexts=_texts("CODE"), make=_slots),
        Harmless(name="tool schemas, settings", contexts=_texts("SCHEMAS"), make=_slots),
        Harmless(name="product names", contexts=_texts("PRODUCTS"), make=_slots),
        Harmless(name="ordinary English", contexts=_texts("PROSE"), make=_slots),
        Harmless(name="headings, labels, Markdown", contexts=_texts("LABELS"), make=_slots),
        Harmless(name="cities and countries", contexts=_texts("PLACES"), make=_slots),
    ]


def _texts(section: str) -> list[Context]:
    return data.contexts(section, "harmless.txt")


def _value(text: str, **fields: str) -> Value:
    return Value(text=text, must=(), fields=fields)


def _id(rng: random.Random, held: bool) -> Value:
    ean = "4006381" + digits(rng, "999999")
    shapes = (
        "#W8999999", "ORD-2024-99999", "8999999999", "SKU-99999-AA", "AA-9999-99", "INV-999999",
        "1ZA99A990399999999", "9400 1000 0000 9999 9999 99", "JD0146009999999999", "B0899AA9AA",
        "RM-99999", "PO-4500999999", "item_8999999999", "KT/99/AA", "P9AA99",
        "555-899-9999-A", "LOT99A9999", "7719999", "TKT-99999", "order_99999999",
    )  # fmt: skip
    isbn = f"978-3-{digits(rng, '16')}-{digits(rng, '999999-9')}"
    text = rng.choice((ean, isbn, *(digits(rng, shape) for shape in shapes)))
    return _value(text)


def _number(rng: random.Random, held: bool) -> Value:
    second = rng.randrange(1_600_000_000, 1_760_000_000)
    day = f"{rng.randrange(2019, 2027)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"
    time = f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}"
    micro = rng.randrange(10**6)
    text = rng.choice((
        str(second), f"{second}{micro // 1000:03}", f"{second}{micro:06}",
        f"{day}T{time}Z", f"{day}T{time}.{micro // 1000:03}+02:00", f"{day} {time}",
        f"{rng.uniform(0, 1):.16f}", f"{rng.uniform(-1, 1):.6f}", f"{rng.uniform(10, 9000):.2f}",
        f"{rng.uniform(0, 1e-5):.4e}", f"{rng.randrange(1000, 999999):,}",
        str(rng.randrange(10**8, 10**9)), str(rng.randrange(10**11, 10**12)),
        f"{rng.uniform(100, 400):.13f}",
    ))  # fmt: skip
    return _value(text)


def _hash(rng: random.Random, held: bool) -> Value:
    number = uuid.UUID(int=rng.getrandbits(128), version=4)
    minor, patch = rng.randrange(40), rng.randrange(200)
    text = rng.choice((
        str(number), str(number), draw(rng, _HEX, 40), draw(rng, _HEX, 64), draw(rng, _HEX, 32),
        draw(rng, _HEX, 7), f"sha256:{draw(rng, _HEX, 64)}", draw(rng, _HEX, 16),
        draw(rng, _HEX, 12), f"{minor % 9}.{minor}.{patch}", f"v{minor}.{patch}.0-rc.{minor % 5}",
        f"2024.{minor % 12}.{patch % 30}",
    ))  # fmt: skip
    return _value(text)


def _code(rng: random.Random, held: bool) -> Value:
    airports = half(data.words("slots")["airport"], "airport", held)
    one, two = rng.sample(airports, 2)
    states = half(data.words("slots")["state"], "state", held)
    return _value(
        "", origin=one, dest=two, flight=rng.choice(("LH", "UA", "BA", "HAT")) + digits(rng, "899"),
        pnr=draw(rng, string.ascii_uppercase + "23456789", 6), state=rng.choice(states),
        gate=digits(rng, "B9"), seat=digits(rng, "89A"),
        currency=rng.choice(("EUR", "USD", "JPY", "GBP")),
    )  # fmt: skip


def _slots(rng: random.Random, held: bool) -> Value:
    def one(name: str) -> str:
        return rng.choice(half(data.words("slots")[name], name, held))

    fields = {name: one(name) for name in data.words("slots")}
    second = next(c for c in iter(lambda: one("city"), None) if c != fields["city"])
    return _value(
        "", **fields, city_b=second, n=str(rng.randrange(2, 90)),
        big=str(rng.randrange(1000, 99999)), price=f"{rng.uniform(3, 900):.2f}",
    )  # fmt: skip
