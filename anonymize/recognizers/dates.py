"""Dates of birth. Every date is a weak finding; what says "born" near it makes it a strong one."""

from __future__ import annotations

import re

from anonymize.recognizers.interface import WEAK, Checked, PatternFamily, Rule, context, ends_clean
from anonymize.surrogates.dates import MONTHS

_BORN = (
    r"dob|d\.o\.b\.?|born|birth|birthday|birthdate|birth date|date of birth|geboren|geb|"
    r"geburtsdatum|geburtstag|né|née|naissance|nacido|nacida|nacimiento|bday|b-day"
)
_says_born = context(_BORN, reach=36)
_says_after = re.compile(rf"(?i)^\W{{1,3}}(?:{_BORN})(?![^\W\d_])")
_says_other = context(
    r"flight|departure|arrival|booked|order|ordered|created|updated|expires?|valid|since|until|"
    r"meeting|appointment|due|invoice",
    reach=16,
)
_NAMES = "|".join(sorted({re.escape(name) for name in MONTHS}, key=len, reverse=True))


def _date(text: str, start: int, end: int) -> Checked:
    if not ends_clean(text, end) and text[end] != "T":
        return None
    if end + 1 < len(text) and text[end] in "-/." and text[end + 1].isdigit():
        return None
    born = _says_born(text, start) and not _says_other(text, start)
    if born or _says_after.match(text[end : end + 20]):
        return start, end, 0.85
    return start, end, WEAK


class BirthDateRecognizer(PatternFamily):
    """DATE_OF_BIRTH."""

    rules = (
        Rule(
            "DATE_OF_BIRTH",
            r"(?:^|[^\pL\pN_.\-/])(\d{4}[\-/.]\d{1,2}[\-/.]\d{1,2}|\d{1,2}[\-/]\d{1,2}[\-/]\d{2}(?:\d{2})?|"
            r"\d{1,2}\. ?\d{1,2}\. ?(?:\d{4}|\d{2}))",
            0.85,
            _date,
        ),
        Rule(
            "DATE_OF_BIRTH",
            rf"(?i)(?:^|[^\pL\pN_])((?:{_NAMES})\.?\s{{1,2}}\d{{1,2}}(?:st|nd|rd|th)?,?\s{{1,2}}\d{{4}})",
            0.85,
            _date,
        ),
        Rule(
            "DATE_OF_BIRTH",
            r"(?i)(?:^|[^\pL\pN_])(\d{1,2}(?:st|nd|rd|th|\.)?(?:\s+of)?[\s\-]{1,2}"
            rf"(?:{_NAMES})[.,]?[\s\-]{{1,2}}\d{{4}})",
            0.85,
            _date,
        ),
    )
