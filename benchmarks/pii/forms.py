"""Makers of names in every form, and of values of any kind."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from benchmarks.pii import identities, numbers, people, places
from benchmarks.pii.people import Person
from benchmarks.pii.probe import Piece, Value, words

Maker = Callable[[random.Random, bool], Value]
_TITLES = "Mr. Mrs. Ms Dr. Prof. Miss Sir Judge Captain Nurse Herr Frau Señora Mme".split()
_AT_HOME = ("english", "american", "irish")


def parts(rng: random.Random, held: bool) -> Value:
    """A whole name; fields: first, last."""
    who = people.person(rng, held)
    return Value(text=who.name, must=who.must, fields={"first": who.first, "last": who.last})


def handle(rng: random.Random, held: bool) -> Value:
    """A login name made from somebody's name; fields: first, last, name."""
    return people.handle(rng, people.person(rng, held))


def anything(rng: random.Random, held: bool) -> Value:
    """A value of any common kind; fields: what (spoken), key (in systems)."""
    what, key, make = rng.choice((
        ("name", "full_name", parts), ("customer", "customer_name", parts),
        ("contact", "contact_name", parts), ("email", "email", identities.email),
        ("mail", "email", identities.email), ("phone", "phone", numbers.phone),
        ("card", "card_number", numbers.card), ("IBAN", "iban", numbers.iban),
        ("address", "street_address", places.street), ("user id", "user_id", handle),
    ))  # fmt: skip
    value = make(rng, held)
    return Value(text=value.text, must=value.must, fields={"what": what, "key": key})


def as_key(rng: random.Random, held: bool) -> Value:
    """What systems use as keys: names, addresses, numbers, handles with boundaries."""
    make = rng.choice(
        (parts, parts, identities.email, identities.email, _spaced_phone, numbers.iban,
         numbers.card, _segmented)
    )  # fmt: skip
    return make(rng, held)


def mail(rng: random.Random, held: bool) -> Value:
    """An ordinary e-mail address."""
    return identities.email(rng, held)


def _spaced_phone(rng: random.Random, held: bool) -> Value:
    """Ten digits alone, where nothing says what they are, could be anything."""
    while (value := numbers.phone(rng, held)).text.isdigit():
        continue
    return value


def _segmented(rng: random.Random, held: bool) -> Value:
    return people.handle(rng, people.person(rng, held), "{f}_{l}_{n}")


def _form(*shapes: str, origins: tuple[str, ...] = ()) -> Maker:
    """Names in one of several shapes: f and l as they are, F and L in capitals, i and m letters."""

    def make(rng: random.Random, held: bool) -> Value:
        who = people.person(rng, held, rng.choice(origins) if origins else "")
        text = rng.choice(shapes).format(
            f=who.first, l=who.last, F=who.first.upper(), L=who.last.upper(), i=who.first[0],
            m=rng.choice("ABDEJKMT"), t=rng.choice(_TITLES), a=who.name.lower(),
        )  # fmt: skip
        return Value(text=text, must=_shown(who, text))

    return make


def _shown(who: Person, text: str) -> tuple[Piece, ...]:
    """The parts of the name that this form of it shows, glued together or not."""
    alone = {part.casefold() for _, part in words(text, least=2)}
    return tuple(
        ("word" if part.casefold() in alone else "part", part)
        for _, part in who.must
        if part.casefold() in text.casefold()
    )


_foreign = _form("{f} {l}", origins=tuple(o for o in people.ORIGINS if o not in _AT_HOME))


def _non_english(rng: random.Random, held: bool) -> Value:
    """One in eight in a script of its own."""
    if rng.random() > 0.12:
        return _foreign(rng, held)
    text = rng.choice(people.scripts(held))
    return Value(text=text, must=words(text, mode="part", least=2) or (("part", text),))


NAME_FORMS: Mapping[str, Maker] = {
    "UPPER": _form("{F} {L}"),
    "lower": _form("{a}"),
    "Last, First": _form("{l}, {f}", "{L}, {f}", "{L} {f}"),
    "initials": _form("{i}. {l}", "{i}.{m}. {l}", "{f} {m}. {l}", "{i} {l}", "{l}, {i}."),
    "titles": _form("{t} {l}", "{t} {l}", "{t} {f} {l}", "{t} {i}. {l}"),
    "non-English": _non_english,
    "first name alone": _form("{f}"),
    "camelCase, dotted": _form("{f}{l}", "{f}.{l}", "{f}_{l}"),
}
