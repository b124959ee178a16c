"""Phone numbers of many countries. Plain runs of digits need a word that says so."""

from __future__ import annotations

import re

from anonymize.recognizers.interface import WEAK, Checked, PatternFamily, Rule, context, ends_clean

_says_phone = context(
    r"phone|phones|call|calls|called|callback|calling|tel|tél|telephone|telefon|téléphone|mobile|"
    r"mobil|handy|cell|cellphone|fax|whatsapp|viber|signal|sms|text|texted|dial|desk|hotline|"
    r"contact|reach|ring|number is|my number|nummer|numéro|ph|line",
    reach=48,
)
_says_other = context(
    r"order|orders|sku|isbn|part|item|invoice|tracking|ticket|confirmation|reservation|flight|"
    r"booking|version|code|serial|model|ref|reference|id|ids|sequence|asin|upc|ean|price|total|"
    r"amount|size|account|card|ssn|zip|zips|created|created_at|updated_at|timestamp|time|epoch|ts",
    reach=20,
)
_says_after = re.compile(
    r"(?i)^[\s(,\-]{1,3}(?:office|mobile|cell|fax|home|work|phone|tel)(?![^\W_])"
)
_AREA = re.compile(r"(?:\+?1[ .\-]?)?\(?[2-9]\d\d\)?[ .\-]?\d{3}[ .\-]\d{4}")
_GROUPED = re.compile(r"\(?0\d{1,4}\)?(?:[ .\-/]\(?\d{2,5}\)?){1,5}")
_FRENCH = re.compile(r"0\d([ .\-])\d\d(?:\1\d\d){3}")
_DATE_LIKE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}")
_EXTENSION = re.compile(r"[ ,]{0,2}(?:x|ext\.?|extension)[ .]?\d{1,6}$", re.IGNORECASE)


def _phone(text: str, start: int, end: int) -> Checked:
    while end > start and not text[end - 1].isdigit():
        end -= 1
    value = text[start:end]
    if not ends_clean(text, end):
        return None
    if end + 1 < len(text) and text[end] in "-./@:" and text[end + 1].isalnum():
        return None  # 555-123-4567-A is a part number, 1.2.3.4 something else
    extension = _EXTENSION.search(value)
    main = value[: extension.start()] if extension else value
    count = sum(c.isdigit() for c in main)
    if not 7 <= count <= 15 or _DATE_LIKE.match(main) or main.count("(") != main.count(")"):
        return None
    score = _score(text, start, end, main, count)
    return (start, end, score) if score else None


def _score(text: str, start: int, end: int, main: str, count: int) -> float:
    if main.startswith("+"):
        return 0.9 if count >= 8 else 0.0
    said = _says_phone(text, start) or _says_after.match(text[end : end + 16]) is not None
    if main.isdigit():
        # 10-digit SKUs and timestamps look the same.
        return 0.6 if said and not _says_other(text, start) and count <= 12 else WEAK
    if _says_other(text, start) and not said:
        return WEAK
    if _AREA.fullmatch(main) and count >= 10:
        return 0.8
    if main.startswith("00") and count >= 11:
        return 0.75
    if _FRENCH.fullmatch(main) or (_GROUPED.fullmatch(main) and 9 <= count <= 12):
        return 0.6
    return 0.6 if said else WEAK


class PhoneNumberRecognizer(PatternFamily):
    """PHONE_NUMBER."""

    rules = (
        Rule(
            "PHONE_NUMBER",
            r"(?:^|[^\pL\pN_.+\-/=#$€£%@])"
            r"((?:\+|\(\+?)?\d[\d \x{00A0}\x{202F}().\-/]{5,22}\d"
            r"(?:[ ,]{0,2}(?:x|X|ext\.?|Ext\.?|extension)[ .]?\d{1,6})?)",
            0.8,
            _phone,
        ),
    )
