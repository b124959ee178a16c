"""The facts that a text states: numbers, dates, times, ids, e-mail addresses and links.

Facts are compared by what they say, not by how they are written: ``$1,200.00`` is ``1200``,
``May 13, 2024`` is ``2024-05-13``, ``5:30 pm`` is ``17:30``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from anonymize.trace import Json
from replay.compare.text import text_of

#: Longer texts are judged by their beginning.
MAX_TEXT = 50_000

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero gennaio janeiro",
            "february feb februar février febrero febbraio fevereiro",
            "march mar märz mars marzo março",
            "april apr avril abril aprile",
            "may mai mayo maggio maio",
            "june jun juni juin junio giugno junho",
            "july jul juli juillet julio luglio julho",
            "august aug août agosto",
            "september sep sept septembre septiembre settembre setembro",
            "october oct oktober octobre octubre ottobre outubro",
            "november nov novembre noviembre novembro",
            "december dec dezember décembre diciembre dicembre dezembro",
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_ORDINAL = r"(?:st|nd|rd|th|\.|º|er)?"
_PATTERNS = re.compile(
    r"(?P<link>https?://[^\s<>\"')\]]{1,300})"
    r"|(?P<email>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5})"
    r"|(?P<iso>\b\d{4}-\d{2}-\d{2}\b)"
    rf"|(?P<mdy>\b(?:{_MONTH})\.?\s+\d{{1,2}}{_ORDINAL}(?:,?\s+\d{{4}})?\b)"
    rf"|(?P<dmy>\b\d{{1,2}}{_ORDINAL}\s+(?:de\s+)?(?:{_MONTH})\b\.?(?:\s+(?:de\s+)?\d{{4}})?)"
    r"|(?P<slash>\b\d{1,4}[/.]\d{1,2}[/.]\d{2,4}\b)"
    r"|(?P<time>\b\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]\.?m\b\.?)?)"
    r"|(?P<hour>\b\d{1,2}\s?[ap]\.?m\b)"
    r"|(?P<id>#?\b(?=[A-Za-z0-9_-]*\d)(?=[A-Za-z0-9_-]*[A-Za-z])"
    r"[A-Za-z0-9]{1,40}(?:[_-][A-Za-z0-9]{1,40}){0,8}\b)"
    r"|(?P<number>(?<![\w.])[-+]?\d[\d.,'’\u00a0\u202f]*\d|(?<![\w.])\d)",
    re.I,
)
# "3." or "2)" at the head of a line counts the points of a list.
_LIST_NUMBER = re.compile(r"^\s*(?:[#>*_-]*\s*)\d{1,2}[.)](?=\s)", re.M)
_ANY = re.compile(r"\d|@|://")
_DAY = re.compile(r"\d\d-\d\d")
_FULL_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_UNIT = re.compile(r"(\d+)(st|nd|rd|th|x|k|kg|km|g|m|h|min|s|ms|gb|mb|lb|lbs|cm|mm|eur|usd)", re.I)


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts by their normal form; the value is how the text writes them."""

    shown: dict[str, str]

    def difference(self, later: Facts) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """``(lost, new)``: as written here and no longer in ``later``, and the other way round."""
        lost = tuple(text for key, text in self.shown.items() if not later.states(key))
        new = tuple(text for key, text in later.shown.items() if not self.states(key))
        return lost, new

    def states(self, key: str) -> bool:
        """Whether ``key`` is among the facts; a date also counts where only one has a year."""
        if key in self.shown:
            return True
        if _DAY.fullmatch(key) is not None:
            return any(k.endswith(f"-{key}") for k in self.shown)
        return _FULL_DATE.fullmatch(key) is not None and key[5:] in self.shown


def facts_of(value: Json) -> Facts:
    """The facts in a text or in all texts of a JSON value."""
    text = text_of(value)[:MAX_TEXT]
    if _ANY.search(text) is None:
        return Facts({})
    text = _LIST_NUMBER.sub(" ", text.replace("**", "").replace("`", " "))
    found: dict[str, str] = {}
    for match in _PATTERNS.finditer(text):
        written = match.group().strip(" .,")
        for key in _keys(match.lastgroup or "", written):
            found.setdefault(key, written)
    return Facts(found)


def facts_in(value: Json, found: dict[str, str], room: int) -> int:
    """Add the facts in the scalars of a JSON value to ``found``; returns the room (characters)
    that is left. Quicker than :func:`facts_of` on data, where most texts state no fact.
    """
    stack = [value]
    while stack and room > 0:
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list | tuple):
            stack.extend(item)
        elif isinstance(item, str):
            room -= len(item)
            if _ANY.search(item) is not None:
                found.update(facts_of(item).shown)
        elif isinstance(item, int | float) and not isinstance(item, bool) and abs(item) < 1e18:
            room -= 8
            written = format(item, "f") if isinstance(item, float) else str(item)
            found[_number(written)] = written
    return room


def _keys(kind: str, text: str) -> Iterator[str]:
    if kind == "link":
        yield text.rstrip("/.,;:").lower()
    elif kind in ("email", "iso"):
        yield text.lower()
    elif kind in ("mdy", "dmy"):
        yield _date(text)
    elif kind == "slash":
        yield _slash_date(text)
    elif kind in ("time", "hour"):
        yield _time(text)
    elif kind == "id":
        unit = _UNIT.fullmatch(text)
        yield _number(unit.group(1)) if unit else text.lstrip("#").lower()
    elif kind == "number":
        yield _number(text)


def _date(text: str) -> str:
    words = re.findall(r"[^\W\d_]+|\d+", text.lower())
    month = next((_MONTHS[w] for w in words if w in _MONTHS), 0)
    numbers = [int(w) for w in words if w.isdigit()]
    year = next((n for n in numbers if n > 31), None)
    day = next((n for n in numbers if n <= 31), 0)
    return f"{year}-{month:02}-{day:02}" if year is not None else f"{month:02}-{day:02}"


def _slash_date(text: str) -> str:
    parts = [int(p) for p in re.split(r"[/.]", text)]
    if parts[0] > 31:
        return f"{parts[0]}-{parts[1]:02}-{parts[2]:02}"
    # Day and month can't be told apart, so their order doesn't count.
    year = parts[2] if parts[2] > 99 else 2000 + parts[2]
    return f"{year}-" + "-".join(f"{p:02}" for p in sorted(parts[:2]))


def _time(text: str) -> str:
    numbers = [int(n) for n in re.findall(r"\d+", text)]
    hour, minute = numbers[0], numbers[1] if len(numbers) > 1 else 0
    if re.search("p", text, re.I) and hour < 12:
        hour += 12
    elif re.search("a", text, re.I) and hour == 12:
        hour = 0
    return f"{hour:02}:{minute:02}"


def _number(text: str) -> str:
    digits = re.sub("['’\u00a0\u202f+]", "", text)
    comma, dot = digits.rfind(","), digits.rfind(".")
    if comma >= 0 and dot >= 0:
        decimal = max(comma, dot)
    else:
        decimal = max(comma, dot)
        # One mark with three digits behind it, or several marks, group thousands.
        mark = digits[decimal] if decimal >= 0 else ""
        groups = digits.count(mark) > 1 if mark else False
        if decimal >= 0 and (groups or (mark == "," and len(digits) - decimal - 1 == 3)):
            decimal = -1
    whole = re.sub("[.,]", "", digits if decimal < 0 else digits[:decimal])
    rest = "" if decimal < 0 else digits[decimal + 1 :].rstrip("0")
    sign = "-" if whole.startswith("-") else ""
    return f"{sign}{whole.lstrip('-0') or '0'}" + (f".{rest}" if rest else "")
