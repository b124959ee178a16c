"""Whether a value can be what its field's name says: a phone number needs digits, a name none."""

from __future__ import annotations

import re
from collections.abc import Callable

from anonymize.recognizers.lexicon import lexicon

NAME_SHAPE = re.compile(r"[^\W\d_][^\d_@#/\\{}<>\[\]=|:;!?()]{0,60}")
_USERINFO = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{1,20}://[^\s:/@]{0,64}:[^\s/@]+@")


def plausible(rule: str, text: str) -> bool:
    """Whether ``text`` can be an entity of kind ``rule`` at all."""
    digits = sum(c.isdigit() for c in text)
    check = _CHECKS.get(rule)
    return len(text) <= 400 and (check is None or check(text, digits))


def _number(text: str, digits: int) -> bool:
    """A number of a customer or an account; groups of it may be apart."""
    if " " in text:
        pieces = text.split(" ")
        grouped = all(any(c.isdigit() for c in p) or len(p) <= 3 for p in pieces)
        return digits >= 5 and len(text) <= 40 and grouped
    return _handle(text, digits)


def _handle(text: str, digits: int) -> bool:
    if any(c.isspace() for c in text) or len(text) > 80:
        return False
    return not text.isdigit() or len(text) >= 5


_CHECKS: dict[str, Callable[[str, int], bool]] = {
    "PERSON": lambda t, d: NAME_SHAPE.fullmatch(t) is not None and d == 0,
    "EMAIL_ADDRESS": lambda t, d: t.count("@") == 1 and " " not in t and "," not in t,
    "PHONE_NUMBER": lambda t, d: 5 <= d <= 17 and not re.search(r"[^\W\d_]{4,}", t),
    "STREET_ADDRESS": lambda t, d: (
        len(t) > 2
        and any(c.isalnum() for c in t)
        and "@" not in t
        and not t.startswith(("http", "0x", "/"))
        and not re.fullmatch(r"[\d.:]+", t)
    ),
    "POSTAL_CODE": lambda t, d: d >= 2 and len(t) <= 12 and not re.search(r"[.,:$€£]", t),
    "DATE_OF_BIRTH": lambda t, d: d >= 4,
    "US_SSN": lambda t, d: d in (4, 9) and not any(c.isalpha() for c in t),
    "GOVERNMENT_ID": lambda t, d: (
        len(t) <= 40 and (d >= 3 or (d > 0 and len(t) >= 5 and t == t.upper()))
    ),
    "CREDIT_CARD": lambda t, d: d >= 12 or (d == 4 and len(t.lstrip("*•xX -.")) == 4),
    "IBAN_CODE": lambda t, d: len(t) >= 15,
    "ACCOUNT_ID": _number,
    "USERNAME": _handle,
    "PAYMENT_ID": lambda t, d: (
        (d >= 3 or t[:1] in "@$") and len(t) > 2 and not any(c.isspace() for c in t)
    ),
    "SECRET": lambda t, d: (
        len(t) >= 3
        and not (t.isalpha() and t.lower() in lexicon().words)
        and _USERINFO.match(t) is None  # only the password of a URL: the pattern finds it
    ),
    "IP_ADDRESS": lambda t, d: d >= 2 and ("." in t or ":" in t),
    "MAC_ADDRESS": lambda t, d: sum(c in "0123456789abcdefABCDEF" for c in t) == 12,
    "CRYPTO": lambda t, d: len(t) >= 25 and " " not in t,
    "COORDINATES": lambda t, d: (
        re.fullmatch(r"-?\d{1,3}\.\d+(?:[,;/ ]\s?-?\d{1,3}\.\d+)?", t) is not None
    ),
}
