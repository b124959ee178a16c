"""The rows of the table: what each is made of and what the project demands of it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.pii import credentials, forms, identities, numbers, places
from benchmarks.pii.data import contexts, framed
from benchmarks.pii.forms import Maker
from benchmarks.pii.probe import HALVES, SEED, Context, Probe, split

VALUES, CONTEXTS = 30, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """``required`` is the least share of values that must be gone; ``ours`` marks a bar that
    this project set itself because it was given none."""

    name: str
    required: float
    make: Maker
    contexts: Sequence[Context]
    ours: bool = False

    def probes(self) -> Iterator[Probe]:
        """Both halves: 30 values, each in up to 6 texts; no value, no text is in both halves."""
        texts = split(self.contexts, self.name)
        for held in HALVES:
            rng = random.Random(f"{SEED} {self.name} {held}")
            seen: set[str] = set()
            while len(seen) < VALUES:
                value = self.make(rng, held)
                if value.text in seen:
                    continue
                seen.add(value.text)
                for context in rng.sample(texts[held], min(CONTEXTS, len(texts[held]))):
                    yield Probe(
                        row=self.name, held=held, domain=context.domain, kind=context.kind,
                        text=context.fill(value), value=value.text, around=context.around(),
                        must=value.must,
                    )  # fmt: skip


def rows() -> list[Row]:
    """Every row whose probes are single texts with one personal value."""
    return [
        *(
            Row(name=name, required=required, make=make, contexts=contexts(section))
            for name, required, make, section in (
                ("names in tool JSON", 0.99, forms.parts, "NAME_JSON"),
                ("handles, by themselves", 0.99, forms.handle, "HANDLE"),
                ("handles, name nearby", 0.99, forms.handle, "HANDLE_KNOWN"),
                ("street addresses, whole", 0.97, places.street, "ADDRESS"),
                ("postcodes", 0.97, places.postcode, "POSTCODE"),
                ("secrets, known formats", 0.99, credentials.secret, "SECRET"),
                ("secrets, bare", 0.90, credentials.bare, "BARE"),
            )
        ),
        *(
            Row(name=f"names, {form}", required=0.95, make=make, contexts=contexts("NAME"))
            for form, make in forms.NAME_FORMS.items()
        ),
        Row(name="e-mails, unusual", required=1.0, make=identities.odd_email, contexts=_mail()),
        *(
            Row(name=name, required=0.95, make=make, contexts=texts, ours=True)
            for name, make, texts in (*_things(), *_wrapped())
        ),
    ]


def _mail() -> list[Context]:
    return framed("EMAIL", ("email", "email"), ("e-mail address", "contact_email"), ("mail", "to"))


def _things() -> Iterator[tuple[str, Maker, list[Context]]]:
    """What the issue names without a bar: each in the common frames, with its own words."""
    yield "e-mails, ordinary", forms.mail, _mail()
    phone = (("phone number", "phone"), ("mobile", "mobile_phone"), ("telephone", "contact_number"))
    yield "phones of 14 countries", numbers.phone, framed("PHONE", *phone)
    card = (("card number", "card_number"), ("credit card", "pan"), ("visa card", "cardNumber"))
    yield "cards", numbers.card, framed("", *card)
    iban = (("IBAN", "iban"), ("account", "account_iban"), ("bank details", "payout_account"))
    yield "IBANs", numbers.iban, framed("", *iban)
    ip = (("IP address", "ip"), ("ip", "client_ip"), ("address of my router", "remote_addr"))
    yield "IP addresses", numbers.ip, framed("IP", *ip)
    mac = (("MAC address", "mac"), ("device address", "mac_address"), ("wifi mac", "hw_addr"))
    yield "MAC addresses", numbers.mac, framed("", *mac)
    yield "dates of birth", numbers.birth_date, contexts("BIRTH")
    passport = (
        ("passport number", "passport_number"),
        ("passport", "passport_no"),
        ("passport no.", "passport"),
    )
    yield "passports", identities.passport, framed("", *passport)
    yield "tax and national ids", identities.tax_id, framed()
    yield "health ids", identities.health_id, framed()
    wallet = (
        ("wallet address", "wallet"),
        ("bitcoin address", "payout_address"),
        ("crypto wallet", "wallet_address"),
    )
    yield "crypto addresses", numbers.crypto, framed("", *wallet)
    gps = (("location", "gps"), ("GPS position", "coordinates"), ("coordinates", "last_position"))
    yield "GPS positions", numbers.position, framed("GPS", *gps)
    yield "payment handles", identities.pay_handle, framed()
    yield "customer ids", identities.customer_id, framed()


def _wrapped() -> Iterator[tuple[str, Maker, list[Context]]]:
    """Values of any kind in every wrapping."""
    yield "in JSON keys", forms.as_key, contexts("KEYS")
    for name, section in (
        ("in base64", "BASE64"),
        ("URL-encoded", "URL"),
        ("JSON in JSON in JSON", "NESTED"),
        ("in HTML", "HTML"),
        ("in Markdown and tables", "MARKDOWN"),
        ("in code, SQL, CSV, logs, YAML", "CODE"),
    ):
        yield name, forms.anything, contexts(section)
