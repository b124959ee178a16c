"""A person who does not exist, with every kind of value that the scrubber looks for."""

from __future__ import annotations

import hashlib
import random
import string
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

_STARTS = "b br c d dr f g gr h j k kr l m n p r s st t tr v w z".split()
_VOWELS = "a e i o u ai ea".split()
_ENDS = "n l r s k ck m nd rt sk lt x".split()
_AREAS = "206 212 303 312 404 415 503 512 617 702 713 773 818 917".split()
_ZIPS = "021 100 191 303 331 481 554 606 752 787 802 900 941 981".split()
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Values that look real and belong to nobody. Made by :meth:`draw`."""

    first: str
    last: str
    email: str
    username: str
    phone: str
    card: str
    iban: str
    ssn: str
    born: str
    street: str
    postal: str
    passport: str
    customer: str
    payment: str
    secrets: tuple[str, ...]
    ip: str
    mac: str
    wallet: str
    position: tuple[float, float]
    friend: tuple[str, str]
    """Somebody of whom nothing is told but the name: nothing else leads to it."""

    @classmethod
    def draw(cls, draw: random.Random) -> Person:
        """A person drawn from ``draw``."""
        first, last = _word(draw), _word(draw)
        small = f"{first}.{last}".lower()
        return cls(
            first=first,
            last=last,
            email=f"{small}{draw.randint(10, 99)}@{_word(draw).lower()}-mail.com",
            username=f"{first}_{last}_{draw.randint(1000, 9999)}".lower(),
            phone=f"+1 {draw.choice(_AREAS)} {draw.randint(220, 989)} {draw.randint(1000, 9999)}",
            # Surrogates of these cards begin with 4999.
            card=_grouped(_luhn(f"4{draw.randint(0, 8)}{_digits(draw, 13)}")),
            iban=_iban("DE", _digits(draw, 18)),
            ssn=f"{draw.randint(101, 665)}-{draw.randint(10, 99)}-{draw.randint(1000, 9999)}",
            born=f"{draw.randint(1950, 2003)}-{draw.randint(10, 12)}-{draw.randint(10, 28)}",
            street=f"{draw.randint(111, 989)} {_word(draw)} Street",
            postal=f"{draw.choice(_ZIPS)}{draw.randint(10, 99)}",
            passport=f"X{_digits(draw, 8)}",
            customer=f"CU{_digits(draw, 8)}",
            payment=f"credit_card_{_digits(draw, 7)}",
            secrets=(
                "sk-" + _mixed(draw, 40),
                "AKIA" + "".join(draw.choices(string.ascii_uppercase + string.digits, k=14)) + "7Q",
                "ghp_" + _mixed(draw, 36),
            ),
            ip=f"{draw.randint(20, 99)}.{draw.randint(101, 250)}."
            f"{draw.randint(101, 250)}.{draw.randint(101, 250)}",
            mac=":".join(f"{draw.randint(16, 255):02x}" for _ in range(6)),
            wallet=_wallet(draw.randbytes(20)),
            position=(_degrees(draw, 41), _degrees(draw, 11)),
            friend=(_word(draw), _word(draw)),
        )

    def values(self) -> dict[str, tuple[str, ...]]:
        """What must be gone, by entity."""
        return {
            "PERSON": (self.first, self.last, *self.friend),
            "EMAIL_ADDRESS": (self.email, self.email.partition("@")[2]),
            "USERNAME": (self.username,),
            "PHONE_NUMBER": (self.phone,),
            "CREDIT_CARD": (self.card,),
            "IBAN_CODE": (self.iban,),
            "US_SSN": (self.ssn,),
            "DATE_OF_BIRTH": (self.born,),
            "STREET_ADDRESS": (self.street,),
            "POSTAL_CODE": (self.postal,),
            "GOVERNMENT_ID": (self.passport,),
            "ACCOUNT_ID": (self.customer,),
            "PAYMENT_ID": (self.payment,),
            "SECRET": self.secrets,
            "IP_ADDRESS": (self.ip,),
            "MAC_ADDRESS": (self.mac,),
            "CRYPTO": (self.wallet,),
            "COORDINATES": tuple(map(str, self.position)),
        }

    def profile(self) -> dict[str, object]:
        """The person as a tool's JSON."""
        return {
            "user_id": self.username,
            "first_name": self.first,
            "last_name": self.last,
            "email": self.email,
            "phone": self.phone,
            "date_of_birth": self.born,
            "ssn": self.ssn,
            "address": {"street": self.street, "zip": self.postal},
            "passport_number": self.passport,
            "customer_id": self.customer,
            "payment_methods": {self.payment: {"id": self.payment, "card_number": self.card}},
            "iban": self.iban,
            "ip_address": self.ip,
            "location": {"latitude": self.position[0], "longitude": self.position[1]},
            "emergency_contact": {"first_name": self.friend[0], "last_name": self.friend[1]},
        }

    def sentences(self) -> list[str]:
        """The person in English sentences."""
        return [
            f"Hi, my name is {self.first} {self.last}.",
            f"You can reach me at {self.email} or call {self.phone}.",
            f"I was born on {self.born} and my SSN is {self.ssn}.",
            f"My card is {self.card}, please refund {self.payment}.",
            f"I live at {self.street}, zip code {self.postal}.",
            f"My passport number is {self.passport}, customer number {self.customer}.",
            f"Transfer to IBAN {self.iban} or to {self.wallet} please.",
            f"The device {self.mac} at {self.ip} used {self.secrets[0]}.",
        ]

    def lines(self) -> list[str]:
        """Values that need no language to be found."""
        return [self.email, self.card, self.iban, self.wallet, self.ip, self.mac, *self.secrets]


def _degrees(draw: random.Random, whole: int) -> float:
    return float(f"{whole}.{draw.randint(11111, 99999)}7")


def _word(draw: random.Random) -> str:
    """A name-like word that is in no list: ``Draick``, ``Stoven``."""
    while True:
        parts = (draw.choice(_STARTS), draw.choice(_VOWELS), draw.choice("bdgklmnprtvz"),
                 draw.choice(_VOWELS), draw.choice(_ENDS))  # fmt: skip
        word = "".join(parts)
        if word not in _dictionary():  # "final" is no name wherever it stands
            return word.capitalize()


@lru_cache(1)
def _dictionary() -> frozenset[str]:
    text = files("anonymize.recognizers").joinpath("words.txt").read_text(encoding="utf-8")
    return frozenset(text.lower().split())


def _digits(draw: random.Random, count: int) -> str:
    return str(draw.randint(1, 9)) + "".join(draw.choices(string.digits, k=count - 1))


def _mixed(draw: random.Random, count: int) -> str:
    return "".join(draw.choices(string.ascii_letters + string.digits, k=count - 3)) + "4Tq"


def _luhn(body: str) -> str:
    digits = [int(c) for c in body]
    total = sum(digits[-2::-2]) + sum(sum(divmod(d * 2, 10)) for d in digits[-1::-2])
    return body + str(-total % 10)


def _grouped(digits: str) -> str:
    return " ".join(digits[i : i + 4] for i in range(0, len(digits), 4))


def _iban(country: str, account: str) -> str:
    number = "".join(str(int(c, 36)) for c in account + country + "00")
    return f"{country}{98 - int(number) % 97:02d}{account}"


def _wallet(payload: bytes) -> str:
    raw = b"\x00" + payload
    raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
    number, text = int.from_bytes(raw), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return "1" + text
