"""How often two values share a surrogate, what one costs, and whether it is recognised.

    python -m benchmarks.bench_surrogates [VALUES]

For each kind, VALUES (100,000) distinct made-up values: `pairs` counts how many more values than
surrogates there are, `expected` what the bound in the module of the form says for values drawn
at random, `mistaken` how many values were taken for surrogates and stayed.
"""

from __future__ import annotations

import math
import random
import string
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from anonymize.keys import PseudonymKey
from anonymize.surrogates import Surrogates
from anonymize.surrogates.documents import luhn_digit

_CONSONANTS = "bcdfghjklmnprstvwz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Values of one entity; ``results`` is the number of surrogates, 0 for one to one."""

    name: str
    entity: str
    make: Callable[[random.Random], str]
    results: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What was counted for a kind; ``cost`` in seconds a value, unknown values only."""

    values: int
    pairs: int
    mistaken: int
    unstable: int
    cost: float


def kinds() -> list[Kind]:
    """All that is counted."""
    return [
        Kind(name="names of 3-9 letters", entity="PERSON", make=_name(3, 9)),
        Kind(name="names of 10-14 letters", entity="PERSON", make=_name(10, 14), results=1.4e14),
        Kind(name="Cyrillic names", entity="PERSON", make=_cyrillic),
        Kind(name="full names", entity="PERSON",
             make=lambda r: f"{_name(3, 8)(r)} {_name(4, 9)(r)}"),
        Kind(name="e-mails", entity="EMAIL_ADDRESS", make=_email),
        Kind(name="e-mail domains", entity="EMAIL_ADDRESS",
             make=lambda r: f"anna@{_name(3, 12)(r).lower()}.{r.choice(('com', 'co.uk', 'de'))}",
             results=1.4e14),
        Kind(name="handles", entity="USERNAME",
             make=lambda r: f"{_name(3, 7)(r)}_{_name(3, 8)(r)}_{r.randrange(10_000)}".lower()),
        Kind(name="numeric ids", entity="ACCOUNT_ID", make=_digits(8)),
        Kind(name="short codes", entity="ACCOUNT_ID", make=_code(7)),
        Kind(name="long codes", entity="ACCOUNT_ID", make=_code(14), results=36.0**11),
        Kind(name="UUIDs", entity="ACCOUNT_ID", make=_uuid, results=16.0**24),
        Kind(name="payment ids", entity="PAYMENT_ID",
             make=lambda r: f"credit_card_{_digits(7)(r)}"),
        Kind(name="passports", entity="GOVERNMENT_ID", make=_code(9)),
        Kind(name="secrets", entity="SECRET", make=lambda r: "sk-" + _mixed(32)(r), results=1e45),
        Kind(name="passwords of 8", entity="SECRET", make=_mixed(8), results=7e6),
        Kind(name="phones, US", entity="PHONE_NUMBER", make=_us_phone, results=4e7),
        Kind(name="phones, one area code", entity="PHONE_NUMBER",
             make=lambda r: f"(415) {r.randrange(200, 1000)}-{r.randrange(10_000):04d}"),
        Kind(name="phones, UK mobile", entity="PHONE_NUMBER",
             make=lambda r: f"+44 7{_digits(3)(r)} {_digits(6)(r)}", results=4e7),
        Kind(name="phones, nine digits", entity="PHONE_NUMBER",
             make=lambda r: f"+33 {r.randrange(1, 10)}{_digits(8)(r)}", results=2.5e7),
        Kind(name="cards, 16 digits", entity="CREDIT_CARD", make=_card("4", 16), results=2.5e10),
        Kind(name="cards, one BIN", entity="CREDIT_CARD", make=_card("453227", 16)),
        Kind(name="cards, 15 digits", entity="CREDIT_CARD", make=_card("37", 15), results=2.5e8),
        Kind(name="IBANs, German", entity="IBAN_CODE",
             make=lambda r: f"DE{_digits(20)(r)}", results=1e14),
        Kind(name="IBANs, Norwegian", entity="IBAN_CODE",
             make=lambda r: f"NO{_digits(13)(r)}", results=1e8),
        Kind(name="SSNs", entity="US_SSN", results=1.25e7,
             make=lambda r: f"{r.randrange(1, 900):03d}{_digits(6)(r)}"),
        Kind(name="SSNs, one area", entity="US_SSN", make=lambda r: f"531{_digits(6)(r)}"),
        Kind(name="IPv4", entity="IP_ADDRESS", make=_ip(224), results=6.3e7),
        Kind(name="IPv4, one /8", entity="IP_ADDRESS", make=_ten),
        Kind(name="IPv6", entity="IP_ADDRESS", results=2.0**76,
             make=lambda r: ":".join(f"{r.randrange(4096, 65536):x}" for _ in range(8))),
        Kind(name="MAC addresses", entity="MAC_ADDRESS", results=6.9e10,
             make=lambda r: ":".join(f"{r.randrange(256):02x}" for _ in range(6))),
        Kind(name="street addresses", entity="STREET_ADDRESS",
             make=lambda r: f"{r.randrange(1, 9999)} {_name(4, 8)(r)} Street"),
        Kind(name="flats", entity="STREET_ADDRESS", make=lambda r: f"Suite {r.randrange(10**6)}"),
        Kind(name="US postal codes", entity="POSTAL_CODE", make=_digits(5), results=1700),
        Kind(name="Canadian postal codes", entity="POSTAL_CODE", make=_canadian, results=6.8e5),
        Kind(name="dates of birth", entity="DATE_OF_BIRTH", make=_birthday),
        Kind(name="positions, 6 decimals", entity="COORDINATES", results=1e10,
             make=lambda r: f"{r.uniform(-60, 70):.6f}, {r.uniform(-180, 180):.6f}"),
        Kind(name="Ethereum addresses", entity="CRYPTO", results=2.0**128,
             make=lambda r: f"0x{r.getrandbits(160):040x}"),
    ]  # fmt: skip


def count(kind: Kind, surrogates: Surrogates, number: int, seed: int = 7) -> Count:
    """Make ``number`` distinct values (fewer if the kind has no more) and their surrogates."""
    chooser = random.Random(f"{kind.name}/{seed}")
    values: dict[str, None] = {}
    for _ in range(3 * number):
        values[kind.make(chooser)] = None
        if len(values) == number:
            break
    started = time.process_time()
    made = [surrogates.make(kind.entity, value) for value in values]
    cost = (time.process_time() - started) / len(values)
    real = [(a, b) for a, b in zip(values, made, strict=True) if a != b]
    results = {b.casefold() for _, b in real}
    sample = real[:: max(1, len(real) // 2000)]
    unstable = sum(surrogates.make(kind.entity, b) != b for _, b in sample)
    return Count(
        values=len(values),
        pairs=len(real) - len(results),
        mistaken=len(values) - len(real),
        unstable=unstable,
        cost=cost,
    )


def main() -> None:
    """Print the table."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    surrogates = Surrogates(PseudonymKey(b"a key for benchmarks, not a secret"))
    print(f"{'kind':<26}{'values':>8}{'pairs':>7}{'expected':>10}{'mistaken':>10}{'us':>6}")
    for kind in kinds():
        counted = count(kind, surrogates, number)
        n, r = counted.values, kind.results
        # What n balls in r boxes leave: values less boxes that are used.
        expected = n - r * -math.expm1(-n / r) if r else 0.0
        print(
            f"{kind.name:<26}{n:>8,}{counted.pairs:>7,}{expected:>10.2g}"
            f"{counted.mistaken:>10,}{counted.cost * 1e6:>6.0f}"
        )
        assert not counted.unstable, kind.name


def _name(shortest: int, longest: int) -> Callable[[random.Random], str]:
    def make(chooser: random.Random) -> str:
        length = chooser.randint(shortest, longest)
        return "".join(chooser.choices(string.ascii_lowercase, k=length)).capitalize()

    return make


def _cyrillic(chooser: random.Random) -> str:
    return "".join(chooser.choices("абвгдезиклмнопрстуфы", k=chooser.randint(5, 8))).capitalize()


def _email(chooser: random.Random) -> str:
    domain = f"{_name(4, 7)(chooser).lower()}.com"
    return f"{_name(3, 7)(chooser)}.{_name(4, 8)(chooser)}{chooser.randrange(100)}@{domain}".lower()


def _digits(length: int) -> Callable[[random.Random], str]:
    return lambda chooser: f"{chooser.randrange(10**length):0{length}d}"


def _code(length: int) -> Callable[[random.Random], str]:
    """Capitals and digits, some of both."""

    def make(chooser: random.Random) -> str:
        rest = chooser.choices(string.ascii_uppercase[:6] + string.digits, k=length - 4)
        return f"X{chooser.randrange(10)}{''.join(rest)}Q{chooser.randrange(10)}"

    return make


def _mixed(length: int) -> Callable[[random.Random], str]:
    def make(chooser: random.Random) -> str:
        return "".join(chooser.choices(string.ascii_letters + string.digits, k=length))

    return make


def _uuid(chooser: random.Random) -> str:
    text = f"{chooser.getrandbits(128):032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _us_phone(chooser: random.Random) -> str:
    area = f"{chooser.randrange(2, 10)}{chooser.randrange(9)}{chooser.randrange(10)}"
    return f"({area}) {chooser.randrange(200, 1000)}-{chooser.randrange(10_000):04d}"


def _card(head: str, length: int) -> Callable[[random.Random], str]:
    def make(chooser: random.Random) -> str:
        body = head + _digits(length - len(head) - 1)(chooser)
        return body + luhn_digit(body)

    return make


def _ip(first: int) -> Callable[[random.Random], str]:
    def make(chooser: random.Random) -> str:
        rest = (chooser.randrange(256) for _ in range(3))
        return ".".join(map(str, (chooser.randrange(1, first), *rest)))

    return make


def _ten(chooser: random.Random) -> str:
    return ".".join(("10", *(str(chooser.randrange(256)) for _ in range(3))))


def _canadian(chooser: random.Random) -> str:
    letters, digits = (chooser.choices(c, k=3) for c in ("ABCEGHJKLMNPRSTVXY", string.digits))
    text = "".join(a + b for a, b in zip(letters, digits, strict=True))
    return f"{text[:3]} {text[3:]}"


def _birthday(chooser: random.Random) -> str:
    return (date(1905, 1, 1) + timedelta(days=chooser.randrange(49_000))).isoformat()


if __name__ == "__main__":
    main()
