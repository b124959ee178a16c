"""Everything that is personal about one invented customer, patient, guest or colleague."""

from __future__ import annotations

import random
from dataclasses import dataclass

from benchmarks.pii import identities, numbers, people, places
from benchmarks.pii.numbers import digits, tail
from benchmarks.pii.probe import Piece, Value

#: The kinds of value that a trace is searched for.
KINDS = (
    "first name", "last name", "handle", "e-mail", "phone", "street", "zip", "date of birth",
    "payment id", "customer id", "card", "iban", "national id", "passport", "health id",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """``fields`` fill a script; ``truths`` is (field, kind, value): what must not remain."""

    fields: dict[str, str]
    truths: tuple[tuple[str, str, Value], ...]


def profile(rng: random.Random, held: bool) -> Profile:
    """Somebody with all their data, and a companion of whom less is known."""
    who, other = people.people(rng, held, 2)
    login = people.handle(rng, who)
    mail = identities.email(rng, held, who)
    home = places.street(rng, held, rng.choice(("us", "us", "us", "gb", "ca", "au", "de", "fr")))
    card = numbers.card(rng, held)
    made = {
        "handle": ("handle", _whole(login)), "email": ("e-mail", _whole(mail)),
        "street": ("street", home), "zip": ("zip", _zip(home.fields["zip"])),
        "phone": ("phone", numbers.phone(rng, held)), "card": ("card", card),
        "iban": ("iban", numbers.iban(rng, held)), "dob": ("date of birth", _birth(rng, who.born)),
        "dob_b": ("date of birth", _birth(rng, other.born)),
        "pay": ("payment id", _one(rng, "credit_card_8999999|paypal_8999999|gift_card_8999999")),
        "customer": ("customer id", _one(rng, "C899999|CUST-89999|8999999999|ACC-899-999")),
        "ssn": ("national id", _one(rng, "489-98-9989")),
        "passport": ("passport", _one(rng, "A89999999|899999999")),
        "mrn": ("health id", _one(rng, "MRN-899999|89999999")),
    }  # fmt: skip
    fields = {key: value.text for key, (_, value) in made.items()}
    truths = [(key, kind, value) for key, (kind, value) in made.items()]
    for suffix, one in (("", who), ("_b", other)):
        fields |= _name_fields(one, suffix)
        for key in _name_fields(one, suffix):
            if not key.startswith("last"):
                truths.append((key, "first name", _name(one.first)))
            if not key.startswith("first"):
                truths.append((key, "last name", _name(one.last)))
    fields["city"] = home.fields["city"]
    fields["last_four"] = card.text[-4:]
    return Profile(fields=fields, truths=tuple(truths))


def things(rng: random.Random) -> dict[str, str]:
    """What isn't personal: order numbers, products, dates of the future, amounts."""
    return {
        "order": digits(rng, "#W8999999"), "order_b": digits(rng, "#W8999999"),
        "sku": digits(rng, "8999999999"), "sku_b": digits(rng, "8999999999"),
        "pnr": "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(6)),
        "day": f"2025-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}",
        "n": str(rng.randrange(2, 9)), "price": f"{rng.randrange(5, 900)}.{rng.randrange(10, 99)}",
        "ticket": digits(rng, "TKT-89999"), "flight": "HAT" + digits(rng, "899"),
        "unix": str(rng.randrange(1_690_000_000, 1_760_000_000)),
    }  # fmt: skip


def _name_fields(one: people.Person, suffix: str) -> dict[str, str]:
    forms = {
        "first": one.first, "last": one.last, "name": one.name, "lower": one.name.lower(),
        "upper": one.name.upper(), "turned": f"{one.last}, {one.first}",
        "ticket_name": f"{one.last}/{one.first}".upper(),
    }  # fmt: skip
    return {key + suffix: text for key, text in forms.items()}


def _name(text: str) -> Value:
    glued = people.plain(text)
    inside: tuple[Piece, ...] = (("part", glued),) if len(glued) > 4 else ()
    return Value(text=text, must=(*people.name_pieces(text), *inside))


def _whole(value: Value) -> Value:
    """Without the names in it: those are looked for on their own."""
    kept: tuple[Piece, ...] = tuple(p for p in value.must if p[1][:1] == "@")
    return Value(text=value.text, must=(("part", value.text), *kept))


def _one(rng: random.Random, shapes: str) -> Value:
    shape = rng.choice(shapes.split("|"))
    text = digits(rng, shape) if shape[0] != "A" else "A" + digits(rng, shape[1:])
    return Value(text=text, must=tail(text, 5))


def _zip(text: str) -> Value:
    piece: Piece = ("tight", text)
    return Value(text=text, must=(piece,))


def _birth(rng: random.Random, year: int) -> Value:
    text = f"{year}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"
    return Value(text=text, must=(("part", text),))
