"""Probe values for the scrubber: rows of 20 values in 5 contexts, seeded; odd ones are held out.

Names come from lists written for this file, not from the lists that the recognizers use.
"""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable
from dataclasses import dataclass

from anonymize.surrogates.documents import luhn_digit

_GIVEN = (
    "Mei Aarav Fatima Yusuf Priya Olena Bronwyn Kwame Tadeusz Sinéad Ngozi Hiroshi Amélie Jürgen "
    "Xochitl Dmitri Leilani Siobhan Anders Paulina Marcus Ingrid Rashid Chloe Ethan Zainab Mateo "
    "Linnea Oluwaseun Katarzyna Bjorn Esperanza Nikhil Harriet Thandiwe Giovanni Svetlana Eamon "
    "Beatriz Desmond"
).split()
_FAMILY = (
    "Kovacs Patel Okonkwo Nakamura Lindqvist O'Brien García Müller Haddad Petrov Nguyen Fernandes "
    "Abernathy Castellanos Wójcik Thistlewood Al-Rashid Bhattacharya Vandenberg Oyelaran Hernandez "
    "Papadopoulos Szymanski Kaczmarek Delacroix Yamashita Bergström Mbeki Rosenthal Ferreira "
    "Whitcombe Iyer Chukwu Lefebvre Saarinen Quintero Novotná Marchetti Aldridge Farouk"
).split()


@dataclass(frozen=True, slots=True)
class Probe:
    """A text that holds ``value``; ``value`` must be gone (or, in negative rows, untouched)."""

    row: str
    text: str
    value: str
    held: bool


Make = Callable[[random.Random], str]


def _name(r: random.Random) -> tuple[str, str]:
    return r.choice(_GIVEN), r.choice(_FAMILY)


def _ascii(text: str) -> str:
    table = str.maketrans("éüíóöáñ", "euiooan")
    return text.translate(table).replace("'", "").replace("-", "").lower()


def _handle(r: random.Random) -> str:
    given, family = map(_ascii, _name(r))
    number = r.randint(10, 9999)
    return r.choice(
        (
            f"{given}_{family}_{number}",
            f"{given}.{family}",
            f"{given}{family}{number % 100:02d}",
            f"{given}_{family}",
            f"{family}.{given}.{number}",
        )
    )


def _email(r: random.Random) -> str:
    given, family = map(_ascii, _name(r))
    local = r.choice(
        (f"{given}.{family}", f"{given[0]}{family}", f"{given}+shop", f"{family}{r.randint(1, 99)}")
    )
    host = r.choice(
        (
            "gmail.com",
            "corp.internal",
            "mail.example.com",
            "uni-koeln.de",
            "co.uk",
            "x.io",
            "firma.local",
        )
    )
    return f"{local}@{host}"


def _digits(r: random.Random, count: int) -> str:
    return "".join(r.choice("0123456789") for _ in range(count))


def _phone(r: random.Random) -> str:
    return r.choice(
        (
            f"({r.randint(201, 989)}) {r.randint(200, 999)}-{_digits(r, 4)}",
            f"+1-{r.randint(201, 989)}-{r.randint(200, 999)}-{_digits(r, 4)}",
            f"{r.randint(201, 989)}.{r.randint(200, 999)}.{_digits(r, 4)}",
            f"+44 7{_digits(r, 3)} {_digits(r, 6)}",
            f"020 7{_digits(r, 3)} {_digits(r, 4)}",
            f"+49 30 {_digits(r, 7)}",
            f"0171 {_digits(r, 7)}",
            f"06 {' '.join(_digits(r, 2) for _ in range(4))}",
            f"+33 6 {' '.join(_digits(r, 2) for _ in range(4))}",
            f"+91 98{_digits(r, 3)} {_digits(r, 5)}",
            f"+34 6{_digits(r, 2)} {_digits(r, 3)} {_digits(r, 3)}",
            f"+81 90-{_digits(r, 4)}-{_digits(r, 4)}",
            f"+61 4{_digits(r, 2)} {_digits(r, 3)} {_digits(r, 3)}",
            f"+55 11 9{_digits(r, 4)}-{_digits(r, 4)}",
            f"+39 3{_digits(r, 2)} {_digits(r, 7)}",
            f"+86 138 {_digits(r, 4)} {_digits(r, 4)}",
        )
    )


def _card(r: random.Random) -> str:
    body = r.choice(("4", "51", "53", "55")) + _digits(r, 14)
    body = body[:15]
    digits = body + luhn_digit(body)
    if r.random() < 0.5:
        return digits
    return r.choice((" ", "-")).join(digits[i : i + 4] for i in (0, 4, 8, 12))


def _street(r: random.Random) -> str:
    name = r.choice(
        ("Sunset", "Maple", "Old Mill", "Kingfisher", "Martin Luther King", "Elm", "Lakeview")
    )
    kind = r.choice(("Drive", "Street", "Ave", "Lane", "Blvd.", "Road", "Court", "Way"))
    return r.choice(
        (
            f"{r.randint(1, 9999)} {name} {kind}",
            f"{r.randint(1, 9999)} {name} {kind}",
            f"{r.choice(('Lindenstraße', 'Goethestr.', 'Bahnhofsweg'))} {r.randint(1, 150)}",
            f"{r.randint(1, 150)} rue {r.choice(('Voltaire', 'Victor Hugo', 'de Grenelle'))}",
        )
    )


def _secret(r: random.Random) -> str:
    def text(count: int, chars: str = string.ascii_letters + string.digits) -> str:
        return "".join(r.choice(chars) for _ in range(count))

    hexa = "0123456789abcdef"
    return r.choice(
        (
            "sk-" + text(40),
            "sk-proj-" + text(60),
            "AKIA" + text(16, string.ascii_uppercase + "234567"),
            "ghp_" + text(36),
            "xoxb-" + _digits(r, 11) + "-" + text(24),
            "glpat-" + text(20),
            "AIza" + text(35),
            "sk_live_" + text(24),
            "hf_" + text(34),
            "npm_" + text(36),
            "eyJhbGciOiJIUzI1NiJ9.eyJ" + text(30) + "." + text(43),
            "SG." + text(22) + "." + text(43),
            "shpat_" + text(32, hexa),
            "github_pat_" + text(60),
            "dop_v1_" + text(64, hexa),
        )
    )


def _bare(r: random.Random) -> str:
    while True:
        text = "".join(
            r.choice(string.ascii_letters + string.digits) for _ in range(r.randint(32, 44))
        )
        if any(c.isdigit() for c in text):
            return text


def _dob(r: random.Random) -> str:
    year, month, day = r.randint(1940, 2006), r.randint(1, 12), r.randint(1, 28)
    months = "January February March April May June July August September October November December"
    name = months.split()[month - 1]
    return r.choice(
        (
            f"{year}-{month:02d}-{day:02d}",
            f"{month:02d}/{day:02d}/{year}",
            f"{name} {day}, {year}",
            f"{day} {name} {year}",
            f"{day:02d}.{month:02d}.{year}",
        )
    )


def _form(style: str) -> Make:
    def make(r: random.Random) -> str:
        given, family = _name(r)
        return {
            "full": f"{given} {family}",
            "upper": f"{given} {family}".upper(),
            "lower": f"{given} {family}".lower(),
            "reversed": f"{family}, {given}",
            "initial": f"{given[0]}. {family}",
            "titled": r.choice(("Mr.", "Ms", "Dr.", "Prof.")) + f" {family}",
        }[style]

    return make


_TALK = (
    "Hi, this is about {}.",
    "Please note: {} asked us to look at the booking again.",
    '{{"note": "caller was {}"}}',
    "- {}\n- waiting for an answer",
    "I spoke with {} yesterday about it.",
)
_ABOUT = (
    "My number for this is {}.",
    "{}",
    "The value on file: {}",
    '{{"text": "on file: {}"}}',
    "see {} (as said)",
)
_POSITIVE: dict[str, tuple[Make, tuple[str, ...]]] = {
    "name in JSON": (
        lambda r: r.choice(_name(r)),
        (
            '{{"first_name": "{}"}}',
            '{{"customer": {{"lastName": "{}"}}}}',
            '{{"passengers": [{{"surname": "{}"}}]}}',
            "{{'given_name': '{}', 'age': 33}}",
            '{{"data": "{{\\"family_name\\": \\"{}\\"}}"}}',
        ),
    ),
    "full name": (_form("full"), _TALK),
    "UPPER NAME": (_form("upper"), _TALK),
    "lower name": (_form("lower"), _TALK),
    "Last, First": (_form("reversed"), _TALK),
    "M. Last": (_form("initial"), _TALK),
    "Dr. Last": (_form("titled"), _TALK),
    "handle": (
        _handle,
        (
            "My user id is {}.",
            '{{"user_id": "{}"}}',
            "username: {}",
            '{{"owner": {{"login": "{}"}}}}',
            "look up {} please",
        ),
    ),
    "e-mail": (
        _email,
        ("write to {} today", '{{"email": "{}"}}', "<{}>", "mailto:{}", "cc: {}, thanks"),
    ),
    "e-mail %40": (
        lambda r: _email(r).replace("+", ".").replace("@", "%40"),
        (
            "https://x.test/u?email={}&a=1",
            "q={}",
            "GET /users/{}",
            '{{"url": "https://a.b/c?m={}"}}',
            "{}",
        ),
    ),
    "phone": (
        _phone,
        ("Call me at {}.", '{{"phone": "{}"}}', "Phone: {}", "{}", "my number is {}, thanks"),
    ),
    "card": (
        _card,
        (
            "card {} please",
            '{{"card_number": "{}"}}',
            "Visa: {}",
            "pay with {}",
            "my credit card number is {}",
        ),
    ),
    "street": (
        _street,
        ("I live at {}.", '{{"address1": "{}"}}', "Ship to {}, Dallas", "{}", '{{"street": "{}"}}'),
    ),
    "zip": (
        lambda r: f"{r.randint(10001, 99950)}",
        (
            '{{"zip": "{}"}}',
            "12 Main Street, Dallas, TX {}",
            "ZIP code {}",
            '{{"address": {{"postal_code": "{}"}}}}',
            "my zip is {}",
        ),
    ),
    "secret": (
        _secret,
        (
            "key {}",
            '{{"api_key": "{}"}}',
            "export TOKEN={}",
            "Authorization: Bearer {}",
            "I pasted {} here",
        ),
    ),
    "bare secret": (
        _bare,
        ("use {} for it", "secret: {}", '{{"password": "{}"}}', "TOKEN={}", "value={}"),
    ),
    "date of birth": (
        _dob,
        (
            "I was born on {}.",
            '{{"dob": "{}"}}',
            "DOB: {}",
            "date of birth is {}",
            '{{"birthDate": "{}"}}',
        ),
    ),
    "SSN": (
        lambda r: f"{r.randint(1, 665):03d}-{r.randint(1, 99):02d}-{r.randint(1, 9999):04d}",
        ("SSN {}", '{{"ssn": "{}"}}', "social security number: {}", "it is {}.", "({})"),
    ),
    "IP": (
        lambda r: ".".join(str(r.randint(11, 223)) for _ in range(4)),
        ("from {}", '{{"ip": "{}"}}', "host {}:8080", "[{}]", "client={} ok"),
    ),
    "payment id": (
        lambda r: (
            r.choice(("credit_card", "gift_card", "paypal", "certificate"))
            + f"_{r.randint(10**6, 10**7 - 1)}"
        ),
        (
            "use {}",
            '{{"payment_id": "{}"}}',
            '{{"payment_methods": {{"{}": {{"amount": 5}}}}}}',
            "- `{}`",
            "pay by {}, ok?",
        ),
    ),
    "in base64": (lambda r: " ".join(_name(r)), ('{{"blob": "b64:{}"}}',)),
}
_NEGATIVE: dict[str, Make] = {
    "order id": lambda r: r.choice(
        (f"#W{_digits(r, 7)}", f"ORD-{_digits(r, 6)}", f"order_{_digits(r, 8)}", _digits(r, 10))
    ),
    "SKU": lambda r: r.choice(
        (
            f"SKU-{_digits(r, 8)}",
            _digits(r, 10),
            f"B0{_digits(r, 4)}XKQZ",
            f"{_digits(r, 3)}-ABC-{_digits(r, 2)}",
        )
    ),
    "timestamp": lambda r: r.choice(
        (
            f"17{_digits(r, 8)}",
            f"17{_digits(r, 11)}",
            f"2024-0{r.randint(1, 9)}-1{r.randint(0, 9)}T0{r.randint(0, 9)}:15:00Z",
            f"2025-0{r.randint(1, 9)}-2{r.randint(0, 8)}",
        )
    ),
    "float": lambda r: f"{r.uniform(-1000, 1000):.{r.randint(2, 12)}f}",
    "code": lambda r: r.choice(
        (
            "os.path.join(a, b)",
            "for i in range(10): print(i)",
            "SELECT name FROM users WHERE id = 7;",
            "const x = await fetch(url);",
            "import numpy as np",
            "self.user_id = user_id",
            "df.groupby('zip').mean()",
        )
    ),
    "URL": lambda r: r.choice(
        (
            "https://docs.python.org/3/library/re.html",
            "https://api.openai.com/v1/chat/completions",
            "http://localhost:8000/health",
            "https://github.com/org/repo/issues/1234",
            "s3://bucket/data/2024/05/part-0001.parquet",
        )
    ),
    "code of a place": lambda r: r.choice(
        "JFK LAX ORD DFW SFO ATL BOS SEA DEN MIA LHR CDG FRA".split()
    ),
    "product": lambda r: r.choice(
        (
            "iPhone 15 Pro",
            "Samsung Galaxy S24",
            "Mechanical Keyboard",
            "Water Bottle",
            "LEGO Star Wars",
            "ThinkPad X1 Carbon",
            "Dyson V15",
            "Instant Pot",
            "Bluetooth Speaker",
            "Gaming Mouse",
            "Nike Air Max",
            "Kindle Paperwhite",
        )
    ),
    "place": lambda r: r.choice(
        (
            "Paris",
            "New York",
            "San Francisco",
            "Austin, Texas",
            "Berlin",
            "Tokyo",
            "Los Angeles",
            "South Carolina",
            "San Jose",
        )
    ),
    "hash": lambda r: r.choice(
        (
            "".join(r.choice("0123456789abcdef") for _ in range(40)),
            "call_" + _bare(r)[:24],
            "chatcmpl-" + _bare(r)[:29],
            "550e8400-e29b-41d4-a716-4466554" + _digits(r, 5),
        )
    ),
    "flight": lambda r: r.choice(
        (
            f"HAT{_digits(r, 3)}",
            f"UA{_digits(r, 4)}",
            f"{r.choice('ABCDXQ')}{_digits(r, 2)}K{_digits(r, 1)}Z",
        )
    ),
    "amount": lambda r: r.choice(
        (
            f"${r.randint(1, 9999)}.{_digits(r, 2)}",
            f"{r.randint(1, 99)}%",
            f"{r.randint(1, 500)} items",
            f"{r.randint(1000, 99999)} points",
        )
    ),
}
_NEUTRAL = (
    "The result is {} as expected.",
    '{{"value": "{}"}}',
    "Got {}",
    "{}",
    "Status: shipped ({})",
)


def positives(seed: int = 7) -> list[Probe]:
    """20 values in each context for every row."""
    return [
        probe
        for row, (make, contexts) in _POSITIVE.items()
        for probe in _row(row, make, contexts, random.Random(f"{seed} {row}"))
    ]


def negatives(seed: int = 7) -> list[Probe]:
    """The same for values that are nobody's: they must stay as they are."""
    return [
        probe
        for row, make in _NEGATIVE.items()
        for probe in _row(row, make, _NEUTRAL, random.Random(f"{seed} {row}"))
    ]


def _row(row: str, make: Make, contexts: tuple[str, ...], r: random.Random) -> list[Probe]:
    probes = []
    for index in range(20):
        value = make(r)
        for context in contexts:
            text = context.format(value)
            if row == "in base64":
                text = base64.b64encode(f"Customer: {value}, Dallas".encode()).decode()
            probes.append(Probe(row, text, value, held=index % 2 == 1))
    return probes
