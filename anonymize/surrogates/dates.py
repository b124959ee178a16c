"""Dates of birth, shifted by a constant that only the key of their scope knows.

Every date of a scope moves by the same number of days, so order and intervals stay exactly, and
two dates never share a surrogate. The shift is 136 to 200 years, which puts every surrogate
before 1905 and every living person's date after it: that is how a surrogate is told from a date,
and why nothing needs to be stored. The price: an agent that computes an age gets one above 120,
and one known date of birth reveals the shift to whoever holds the surrogates of its scope.

A shift for each subject would need to know whose a date is, from the date alone: a date stands in
one trace beside a name, in the next beside an id, in a third beside both parents. Shifting each
date by itself would keep neither order nor intervals. So it is the scope that limits what one
known date tells: with ``scope = "session"`` it is one conversation, so mostly one subject.

Only dates found to be dates of birth are moved; other dates carry the meaning of a recording and
stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from anonymize.surrogates.keyed import Keyed

_FIRST = date(1905, 1, 1)
_LAST = date(2040, 12, 31)
_WIDTH = (_LAST - _FIRST).days + 1
_SPREAD = 23_376  # days in 64 years

_NAMES = {
    "en": "january february march april may june july august september october november december",
    "de": "januar februar märz april mai juni juli august september oktober november dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre "
    "diciembre",
}
MONTHS: dict[str, int] = {}
_SPELLINGS: list[list[str]] = []
for _language in _NAMES.values():
    _SPELLINGS.append(_language.split())
    _SPELLINGS.append([name[:3] for name in _language.split()])
for _list in _SPELLINGS:
    for _index, _name in enumerate(_list):
        MONTHS.setdefault(_name, _index + 1)
MONTHS["sept"] = 9
_SPELLINGS.append(["sept" if n == 9 else "" for n in range(1, 13)])

_YMD = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_COMPACT = re.compile(r"((?:19|20|17|18)\d\d)(\d\d)(\d\d)(?!\d)")
_DMY = re.compile(r"(\d{1,2})([-/.] ?)(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_WORD = r"([^\W\d_]{3,12})"
_MONTH_FIRST = re.compile(rf"{_WORD}(\.?\s+)(\d{{1,2}})((?:st|nd|rd|th)?,?\s+)(\d{{4}})(?!\d)")
_DAY_FIRST = re.compile(
    rf"(\d{{1,2}})((?:st|nd|rd|th|\.)?(?:\s+of)?[\s-]+){_WORD}((?:\.|,)?[\s-]+)(\d{{4}})(?!\d)"
)


_Write = Callable[[date], str]
_Read = tuple[date, _Write, int]


class DateForm:
    """Dates in the ways people write them; the way stays (two-digit years become four)."""

    def __init__(self, keyed: Keyed, *, month_first: bool) -> None:
        self._month_first = month_first
        #: What another key moved dates by; with it, its surrogates become surrogates of this key.
        self.undone = timedelta()
        self.shift = timedelta(days=_WIDTH + keyed.number("date", "", _SPREAD))

    def canonical(self, surface: str) -> str:
        parsed = self._parse(surface)
        return parsed[0].isoformat() if parsed else surface.casefold()

    def owns(self, surface: str) -> bool:
        parsed = self._parse(surface)
        return parsed is not None and not (self.undone or _FIRST <= parsed[0] <= _LAST)

    def make(self, surface: str) -> str:
        parsed = self._parse(surface)
        if parsed is None:
            return surface
        value = parsed[0] if parsed[0] >= _FIRST else parsed[0] + self.undone
        return parsed[1](value - self.shift) if _FIRST <= value <= _LAST else surface

    def is_date(self, surface: str) -> bool:
        """Whether this is one date (and perhaps a time), in a known way of writing."""
        return self._parse(surface) is not None

    def _parse(self, surface: str) -> tuple[date, _Write] | None:
        """The date, and a function that writes another date in the same way; or ``None``."""
        text = surface.lstrip()
        lead = surface[: len(surface) - len(text)]
        for reader in (self._ymd, self._dmy, self._month_name, self._day_name):
            found = reader(text)
            if found is not None:
                value, write, end = found
                tail = text[end:]
                if tail and not re.match(r"[T\s]", tail):
                    continue
                return value, _between(lead, write, tail)
        return None

    def _ymd(self, text: str) -> _Read | None:
        match = _YMD.match(text)
        if match:
            year, separator, month, day = match.groups()
            width = 2 if len(month) == 2 or len(day) == 2 else 1

            def write(d: date) -> str:
                return separator.join(
                    (f"{d.year:04d}", f"{d.month:0{width}d}", f"{d.day:0{width}d}")
                )

        else:
            match = _COMPACT.match(text)
            if not match:
                return None
            year, month, day = match.groups()

            def write(d: date) -> str:
                return f"{d.year:04d}{d.month:02d}{d.day:02d}"

        value = _date(year, month, day)
        return (value, write, match.end()) if value else None

    def _dmy(self, text: str) -> _Read | None:
        match = _DMY.match(text)
        if not match:
            return None
        first, separator, second, year = match.groups()
        width = 2 if "0" in (first[0], second[0]) or len(first) == len(second) == 2 else 1
        month_first = self._month_first and "." not in separator
        order = (True, False) if month_first else (False, True)
        for months_lead in order:
            month, day = (first, second) if months_lead else (second, first)
            value = _date(_century(year), month, day)
            if value:
                break
        else:
            return None

        def write(d: date, months_lead: bool = months_lead) -> str:
            pair = (d.month, d.day) if months_lead else (d.day, d.month)
            return f"{pair[0]:0{width}d}{separator}{pair[1]:0{width}d}{separator}{d.year:04d}"

        return value, write, match.end()

    def _month_name(self, text: str) -> _Read | None:
        match = _MONTH_FIRST.match(text)
        if not match or match.group(1).casefold() not in MONTHS:
            return None
        name, gap, day, middle, year = match.groups()
        value = _date(year, str(MONTHS[name.casefold()]), day)

        def write(d: date) -> str:
            return f"{_month(name, d.month)}{gap}{d.day}{_plain(middle)}{d.year:04d}"

        return (value, write, match.end()) if value else None

    def _day_name(self, text: str) -> _Read | None:
        match = _DAY_FIRST.match(text)
        if not match or match.group(3).casefold() not in MONTHS:
            return None
        day, gap, name, middle, year = match.groups()
        value = _date(year, str(MONTHS[name.casefold()]), day)

        def write(d: date) -> str:
            return f"{d.day}{_plain(gap)}{_month(name, d.month)}{middle}{d.year:04d}"

        return (value, write, match.end()) if value else None


def _between(lead: str, write: _Write, tail: str) -> _Write:
    return lambda value: lead + write(value) + tail


def _plain(gap: str) -> str:
    """The gap without an ordinal ending, which would be wrong for another day."""
    return re.sub(r"^(?:st|nd|rd|th)", "", gap)


def _month(name: str, number: int) -> str:
    """Month ``number`` in the language, length and case of ``name``."""
    folded = name.casefold()
    for spelling in _SPELLINGS:
        if folded in spelling and spelling[number - 1]:
            made = spelling[number - 1]
            break
    else:
        made = _SPELLINGS[1][number - 1]
    if name.isupper():
        return made.upper()
    return made.capitalize() if name[0].isupper() else made


def _century(year: str) -> str:
    if len(year) == 4:
        return year
    return ("19" if int(year) > 26 else "20") + year


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
