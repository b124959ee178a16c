"""Invented ids and addresses that stand for a person: documents, accounts, mail, payments."""

from __future__ import annotations

import random
import string

from benchmarks.pii import data
from benchmarks.pii.numbers import digits, tail
from benchmarks.pii.people import Person, person, plain
from benchmarks.pii.probe import Piece, Value, half


def passport(rng: random.Random, held: bool) -> Value:
    """A passport number as some country writes it."""
    text = digits(rng, rng.choice(data.words("passports")["all"]))
    return Value(text=text, must=tail(text))


def tax_id(rng: random.Random, held: bool) -> Value:
    """A tax or national number; field ``what`` says which, as a document would."""
    what, shape = _named(rng, "tax ids")
    text = digits(rng, shape)
    if shape == "SSN":
        text = f"{rng.randrange(101, 665)}-{rng.randrange(10, 99)}-{rng.randrange(1001, 9999)}"
    if what == "codice fiscale":
        text = "".join(rng.choice(string.ascii_uppercase) for _ in range(6)) + text[6:]
    return Value(text=text, must=tail(text, 5), fields={"what": what})


def health_id(rng: random.Random, held: bool) -> Value:
    """A health number; field ``what`` names it."""
    what, shape = _named(rng, "health ids")
    text = digits(rng, shape)
    return Value(text=text, must=tail(text, 5), fields={"what": what})


def customer_id(rng: random.Random, held: bool) -> Value:
    """An id that stands for a customer; field ``what`` names it."""
    what, shape = _named(rng, "customer ids")
    text = digits(rng, shape)
    return Value(text=text, must=tail(text, 5), fields={"what": what})


def pay_handle(rng: random.Random, held: bool) -> Value:
    """A handle that takes payments; field ``what`` names the service."""
    who = person(rng, held)
    first, last, n = plain(who.first), plain(who.last), rng.randrange(10, 99)
    what, shape = rng.choice((
        ("PayPal", "paypal.me/{f}{l}"), ("Venmo", "@{f}-{l}-{n}"), ("Venmo", "@{f}{l}"),
        ("UPI", "{f}.{l}@okhdfcbank"), ("UPI ID", "{f}{n}@ybl"), ("Cash App", "${f}{l}{n}"),
        ("Cash App", "${F}{L}"), ("Zelle", "{f}.{l}{n}@outlook.com"), ("Paytm", "{f}{l}@paytm"),
        ("Revolut", "@{f}{li}{n}"), ("PayPal", "{f}_{l}@gmx.net"), ("Venmo", "venmo.com/u/{f}-{l}"),
    ))  # fmt: skip
    text = shape.format(f=first, l=last, n=n, F=first.capitalize(), L=last.capitalize(), li=last[0])
    must = (*_inside(text, first, last), ("part", text))
    return Value(text=text, must=must, fields={"what": what})


def email(rng: random.Random, held: bool, who: Person | None = None) -> Value:
    """An ordinary address; the local part and the site must go."""
    who = who or person(rng, held)
    first, last = plain(who.first), plain(who.last)
    shape = rng.choice(("{f}.{l}", "{i}{l}", "{f}_{l}", "{f}{y}", "{l}.{i}"))
    local = shape.format(f=first, l=last, i=first[0], y=who.born % 100)
    site = rng.choice(half(data.words("mail sites")["all"], "site", held))
    return _mail(site, f"{local}@{site}", first, last)


def odd_email(rng: random.Random, held: bool) -> Value:
    """%40, internal domains, quoted, plus tags, letters beyond ASCII, capitals, ``mailto:``."""
    who = person(rng, held)
    first, last = plain(who.first), plain(who.last)
    site = rng.choice(half(data.words("mail sites")["all"], "site", held))
    inner = rng.choice(half(data.words("mail sites")["internal"], "site", held))
    shape = rng.choice((
        "{f}.{l}%40{s}", "{i}{l}@{n}", '"{f}.{l}"@{s}', '"{f} {l}"@{s}', "{f}.{l}+orders@{s}",
        "{f}+{l}@{s}", "{u}@{s}", "{C}@{S}", "{f}.{l}@{n}", "{f}%2B{l}%40{s}", "mailto:{f}.{l}@{n}",
    ))  # fmt: skip
    text = shape.format(
        f=first, l=last, i=first[0], s=site, n=inner, S=site.upper(), C=f"{first}{last}".upper(),
        u=f"{who.first}.{who.last}".lower().replace("'", ""),
    )  # fmt: skip
    return _mail(inner if "{n}" in shape else site, text, first, last)


def _named(rng: random.Random, section: str) -> tuple[str, str]:
    what, shape = rng.choice(data.words(section)["all"]).split("=")
    return what, shape


def _mail(site: str, text: str, *names: str) -> Value:
    must = (*_inside(text, *names), ("part", text), ("part", f"@{site}"))
    return Value(text=text, must=must)


def _inside(text: str, *names: str) -> tuple[Piece, ...]:
    """The names that are long enough not to be in other words by chance."""
    return tuple(("part", name) for name in names if len(name) > 4 and name in text.lower())
