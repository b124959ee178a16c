"""Coarser values: enough for an agent or an analyst to go on with, too little to find a person by.

Each function takes a text and gives a coarser one, or ``None`` where the text is not of its kind.
Each gives its own result back unchanged, so doing it twice is doing it once.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

#: A function from a written date to its ISO form, or ``None``.
ReadDate = Callable[[str], str | None]

_RANGE = re.compile(r"(-?\d+(?:\.\d+)?) to (-?\d+(?:\.\d+)?)")
_YEAR, _MONTH = re.compile(r"\d{4}"), re.compile(r"\d{4}-(?:0[1-9]|1[0-2])")
_IN_TEXT = re.compile(r"^(?:[^\w-]|-(?!\d))*(-?\d[\d,]*(?:\.\d+)?)\W*[^\W\d]{0,3}\W*$")

#: Numbers from here on are milliseconds: 1973 in them, 4970 in seconds. The first moment of a year,
#: so that what was generalised is read the same way again.
_FIRST_MILLISECONDS = 94_694_400_000


def rounded(text: str, step: float) -> str | None:
    """A number down to a multiple of ``step`` (``52,300`` by 1000: ``52000``)."""
    number = _number(text)
    return None if number is None else _floor(number, step)


def ranged(text: str, step: float) -> str | None:
    """A number as the range that holds it: ``52000 to 53000``, the upper end not included."""
    found = _RANGE.fullmatch(text)
    if found is not None:
        low, high = Decimal(found[1]), Decimal(found[2])
        if _floor(low, step) == found[1] and high - low == _exact(step):
            return text
    number = _number(text)
    if number is None:
        return None
    lowest = _floor(number, step)
    return f"{lowest} to {_plain(Decimal(lowest) + _exact(step))}"


def dated(text: str, way: str, read: ReadDate) -> str | None:
    """``1984-05-17``, ``17 May 1984`` and the like as ``1984``, or ``1984-05`` for ``month``."""
    if _YEAR.fullmatch(text) or (way == "month" and _MONTH.fullmatch(text)):
        return text
    if _MONTH.fullmatch(text):
        return text[:4]
    iso = read(text)
    return None if iso is None else iso[: 4 if way == "year" else 7]


def dated_number(text: str, way: str) -> str | None:
    """A Unix time in seconds or milliseconds as that of its year's or month's first moment."""
    number = _number(text)
    if number is None or number != int(number):
        return None
    if 1000 <= number <= 9999:
        return text  # a year
    unit = 1000 if abs(number) >= _FIRST_MILLISECONDS else 1
    try:
        moment = datetime.fromtimestamp(int(number) / unit, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    first = datetime(moment.year, moment.month if way == "month" else 1, 1, tzinfo=UTC)
    return str(int(first.timestamp()) * unit)


def network(text: str) -> str | None:
    """An IP address as its network: ``203.0.113.0/24``, for IPv6 ``2001:db8::/48``."""
    body = text.strip().strip("[]")
    if ":" in body and body.count(":") == 1:
        body = body.partition(":")[0]  # a port
    try:
        found = ipaddress.ip_network(body, strict=False)
    except ValueError:
        return None
    most = 24 if found.version == 4 else 48
    return str(found.supernet(new_prefix=most) if found.prefixlen > most else found)


def prefixed(text: str, digits: int) -> str | None:
    """The first ``digits`` letters and digits; what follows them becomes ``*``."""
    if not any(c.isalnum() or c == "*" for c in text):
        return None
    left, made = digits, []
    for char in text:
        if char.isalnum() and left <= 0:
            made.append("*")
            continue
        left -= char.isalnum() or char == "*"
        made.append(char)
    return "".join(made)


def prefixed_number(text: str, digits: int) -> str | None:
    """The same for a number: zeros in the place of what is left out."""
    if not (text.isascii() and text.isdigit()):
        return None
    return text[:digits] + "0" * (len(text) - digits) if digits < len(text) else text


def iso_date(text: str) -> str | None:
    """ISO dates and times as a date; what other readers don't take."""
    try:
        return date.fromisoformat(text.strip()[:10]).isoformat()
    except ValueError:
        return None


def _number(text: str) -> Decimal | None:
    """The number that ``text`` writes, with thousands and a currency perhaps."""
    found = _IN_TEXT.match(text)
    try:
        number = Decimal(found[1].replace(",", "") if found else text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < Decimal(10) ** 18 else None


def _floor(number: Decimal, step: float) -> str:
    exact = _exact(step)
    return _plain((number / exact).to_integral_value(rounding="ROUND_FLOOR") * exact)


def _exact(step: float) -> Decimal:
    return Decimal(str(step))


def _plain(number: Decimal) -> str:
    made = f"{number:f}"
    made = made.rstrip("0").rstrip(".") if "." in made else made
    return "0" if made in ("-0", "") else made
