"""Dates of birth. Every date is a weak finding; what says "born" near it makes it a strong one."""

from __future__ import annotations

import re

from anonymize.recognizers.interface import WEAK, Checked, PatternFamily, Rule, context, ends_clean
from anonymize.surrogates.dates import MONTHS

_BORN = (
    r"dob|d\.o\.b\.?|d/o/b|born|birth|birthday|birthdate|birth ?date|date of birth|birth_date|"
    r"geboren|geb|geburtsdatum|geburtstag|né|née|naissance|nacido|nacida|nacimiento|nascimento|"
    r"nascido|nascida|nato|nata|nascita|geboortedatum|född|født|syntynyt|urodzony|urodzona|"
    r"urodzenia|doğum|bday|b-day|b\.?day|geb\.?dat|cumpleaños|anniversaire|turning|生年月日|出生"
)
_says_born = context(_BORN, reach=64)
_says_after = re.compile(rf"(?i)^\W{{1,3}}(?:\w{{1,4}} )?(?:{_BORN})(?![^\W\d_])")
_STAR = re.compile(r"(?:^|[\s(,;])(?:\*|b\.) ?$")
_says_other = context(
    r"flight|departure|arrival|booked|order|ordered|created|updated|expires?|expiry|valid|since|"
    r"until|meeting|appointment|due|invoice|deadline|release|released|version|registered|joined|"
    r"hired|admitted|visit|died|deceased|passed away|married",
    reach=18,
)
#: A date between the word and this one takes the word for itself.
_A_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4}|\b(?:19|20)\d\d\b")
_MORE_MONTHS = (
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre "
    "janeiro fevereiro março maio junho julho setembro outubro novembro dezembro "
    "januari februari maart mei juni juli augustus oktober augusti maj marts "
    "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada "
    "grudnia"
).split()
_NAMES = "|".join(
    sorted({re.escape(name) for name in (*MONTHS, *_MORE_MONTHS)}, key=len, reverse=True)
)
_DAY = r"\d{1,2}(?:st|nd|rd|th|er|\.|º)?"
_YEAR = r"(?:\d{4}|['’]?\d{2})"


def _born(text: str, start: int, end: int) -> bool:
    if _says_after.match(text[end : end + 24]):
        return True
    if _says_other(text, start):
        return False
    before = text[max(0, start - 64) : start]
    dates = [m.end() for m in _A_DATE.finditer(before)]
    if _STAR.search(before[-4:]):
        return True
    if not _says_born(text, start):
        return False
    # "born 1984-05-17, joined 2020-01-01": only the nearest date is the one of birth
    return not dates or context_after(before[dates[-1] :])


def context_after(rest: str) -> bool:
    """Whether the word stands after the last date."""
    return _says_born(rest, len(rest))


def _date(text: str, start: int, end: int) -> Checked:
    if not ends_clean(text, end) and text[end] != "T":
        return None
    if end + 1 < len(text) and text[end] in "-/." and text[end + 1].isdigit():
        return None
    return (start, end, 0.85) if _born(text, start, end) else (start, end, WEAK)


def _partial(text: str, start: int, end: int) -> Checked:
    """Month and year, day and month, or a year alone: only where something says "born"."""
    if not ends_clean(text, end):
        return None
    return (start, end, 0.7) if _says_near(text, start) else None


_says_near = context(_BORN.replace("turning|", "") + r"|born in|born on", reach=22)


def _compact(text: str, start: int, end: int) -> Checked:
    """``DOB 19840503``, ``born 1984``."""
    return (start, end, 0.7) if ends_clean(text, end, also="-/.") else None


class BirthDateRecognizer(PatternFamily):
    """DATE_OF_BIRTH."""

    rules = (
        Rule(
            "DATE_OF_BIRTH",
            r"(?:^|[^\pL\pN_.\-/])(\d{4}[\-/.]\d{1,2}[\-/.]\d{1,2}|"
            r"\d{1,2}[\-/]\d{1,2}[\-/]\d{2}(?:\d{2})?|"
            r"\d{1,2}\. ?\d{1,2}\. ?(?:\d{4}|\d{2})|\d{1,2} / \d{1,2} / \d{4}|"
            r"\d{4}年\d{1,2}月\d{1,2}日)",
            0.85,
            _date,
        ),
        Rule(
            "DATE_OF_BIRTH",
            rf"(?i)(?:^|[^\pL\pN_])((?:{_NAMES})\.?[\s\-]{{1,2}}(?:the )"
            rf"?{_DAY},?[\s\-]{{1,2}}{_YEAR})",
            0.85,
            _date,
        ),
        Rule(
            "DATE_OF_BIRTH",
            rf"(?i)(?:^|[^\pL\pN_])({_DAY}(?:\s+(?:of|de|day of))?[\s\-/]{{1,2}}"
            rf"(?:{_NAMES})[.,]?(?:\s+(?:de|del))?[\s\-/,]{{1,2}}{_YEAR})",
            0.85,
            _date,
        ),
        Rule(
            "DATE_OF_BIRTH",
            rf"(?i)(?:^|[^\pL\pN_])((?:19|20)\d\d[\s\-/](?:{_NAMES})[\s\-/]\d{{1,2}})",
            0.85,
            _date,
        ),
        Rule(
            "DATE_OF_BIRTH",
            rf"(?i)(?:^|[^\pL\pN_])((?:{_NAMES})\.?,? (?:of )?(?:19|"
            rf"20)\d\d|{_DAY}(?: of)? (?:{_NAMES})|"
            rf"(?:{_NAMES}) {_DAY})",
            0.7,
            _partial,
        ),
        Rule(
            "DATE_OF_BIRTH",
            r"(?i)(?:dob|date of birth|birth ?date|born|d\.o\.b\.?|geboren|née?)\W{0,4}(?:is|"
            r"was|in|on)?\W{0,3}"
            r"((?:19|20)\d{6}|[0-3]\d[01]\d(?:19|20)\d\d|(?:19|20)\d\d)",
            0.7,
            _compact,
        ),
    )
