"""Phone numbers of many countries. Plain runs of digits need a word that says so."""

from __future__ import annotations

import re

from anonymize.recognizers.interface import WEAK, Checked, PatternFamily, Rule, context, ends_clean

_says_phone = context(
    r"phone|phones|call|calls|called|callback|calling|tel|tél|telephone|telefon|téléphone|telefono|"
    r"teléfono|telefone|telefoon|mobile|mobil|móvil|celular|handy|cell|cellphone|fax|whatsapp|"
    r"viber|"
    r"signal|sms|text|texted|dial|dialed|dialled|desk|hotline|contact|contacted|reach|reached|ring|"
    r"number is|my number|(?:meine|mon|mi|meu|votre|ihre|su) (?:nummer|numéro|número)|ph|"
    r"line|landline|answering|registered|confirm on|"
    r"voicemail|msisdn|portable|gsm|keitai|電話|电话|携帯",
    reach=48,
)
_labels_phone = re.compile(
    r"(?i)(?:^|[\s|,;(])(?:(?:t|m|p|f|h|w|o|c|tel|ph|mob|cell|fax|phone|mobile)[.:]{1,2} ?\(?|"
    r"\((?:t|m|p|f|h|w|o|c|tel|mob|cell|fax|phone|mobile|office|home|work)\) )$"
)
_says_other = context(
    r"order|orders|sku|isbn|part|item|invoice|tracking|ticket|confirmation|reservation|flight|"
    r"booking|version|code|serial|model|ref|reference|id|ids|sequence|asin|upc|ean|price|total|"
    r"amount|size|account|card|ssn|zip|zips|created|created_at|updated_at|timestamp|time|epoch|ts|"
    r"imei|vin|build|port|bytes|score|shipment|parcel",
    reach=20,
)
_says_after = re.compile(
    r"(?i)^[\s(,\-]{1,3}(?:office|mobile|cell|fax|home|work|phone|tel|landline)(?![^\W_])"
)
_AREA = re.compile(r"(?:\+?1[ .\-]?)?\(?[2-9]\d\d\)?[ .\-]?\d{3}[ .\-]\d{4}")
_GROUPED = re.compile(r"\(?0\d{1,4}\)?(?:[ .\-/]{1,3}\(?\d{2,8}\)?){1,5}")
_FRENCH = re.compile(r"0\d([ .\-])\d\d(?:\1\d\d){3}")
#: National habits of grouping that hardly anything else shares.
_NATIONAL = re.compile(
    r"\(\d{2,4}\)[ \-]?\d{2,5}[ \-]\d{3,5}|"  # Brazil, and area codes in brackets anywhere
    r"1[3-9]\d[ \-]\d{4}[ \-]\d{4}|"  # China
    r"[6-9]\d{4}[ \-]\d{5}|"  # India
    r"8[ \-]?\(?[3-9]\d{2}\)?[ \-]?\d{3}[ \-]?\d{2}[ \-]\d{2}|"  # Russia
    r"[6-9]\d{2} \d{2} \d{2} \d{2}|"  # Spain
    r"3[1-9]\d[ .\-/]\d{6,7}|"  # Italy
    r"1[38]00[ \-]\d{3}[ \-]\d{3}|"  # Australia
    r"\d{2} \d{4} \d{4}|"  # Mexico
    r"0[ \-]?\(?\d{3}\)?[ \-]\d{3}[ \-]\d{2}[ \-]\d{2}"  # Turkey
)
_TRUNK = re.compile(r"0[1-9]\d{9}")
_DATE_LIKE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}")
_DATE_FIRST = re.compile(r"(?:19|20)\d\d[-/.]\d{2}[-/.]\d{2}[ T]")
_ISBN = re.compile(r"97[89][ \-]")
_EXTENSION = re.compile(r"[ ,;]{0,2}(?:x|ext\.?|extn\.?|extension|#)[ .:]?\d{1,6}$", re.IGNORECASE)


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
    if main.startswith("(") and main.count("(") > main.count(")"):
        start, main = start + 1, main[1:]  # "(0171 3902588)"
    count = sum(c.isdigit() for c in main)
    if not 7 <= count <= 15 or main.count("(") != main.count(")"):
        return None
    if _DATE_LIKE.fullmatch(main) or _DATE_FIRST.match(main) or _ISBN.match(main):
        return None
    score = _score(text, start, end, main, count)
    return (start, end, score) if score else None


def _score(text: str, start: int, end: int, main: str, count: int) -> float:
    if main.startswith("+"):
        return 0.9 if count >= 8 else 0.0
    labelled = _labels_phone.search(text[max(0, start - 12) : start]) is not None
    said = (
        labelled or _says_phone(text, start) or _says_after.match(text[end : end + 16]) is not None
    )
    other = _says_other(text, start) and not labelled
    if main.isdigit():
        # 10-digit SKUs and timestamps look the same.
        if _TRUNK.fullmatch(main) and not other:
            return 0.55
        return 0.6 if said and not other and count <= 12 else WEAK
    if other and not said:
        return WEAK
    if _AREA.fullmatch(main) and count >= 10:
        return 0.8
    if main.startswith("00") and count >= 11:
        return 0.75
    if _FRENCH.fullmatch(main) or (_GROUPED.fullmatch(main) and 9 <= count <= 12):
        return 0.6
    if _NATIONAL.fullmatch(main):
        return 0.6
    alone = main.strip() == text.strip() and " " in main and count >= 8
    return 0.6 if said or (alone and "-" not in main) else WEAK


def _link(text: str, start: int, end: int) -> Checked:
    return (start, end, 0.85) if ends_clean(text, end) else None


class PhoneNumberRecognizer(PatternFamily):
    """PHONE_NUMBER."""

    rules = (
        Rule(
            "PHONE_NUMBER",
            r"(?:^|[^\pL\pN_.+\-/=#$€£%@])"
            r"((?:\+|\(\+?)?\d[\d \x{00A0}\x{202F}().\-/]{5,22}\d"
            r"(?:[ ,;]{0,2}(?:x|X|ext\.?|Ext\.?|EXT\.?|extn\.?|extension)[ .:]?\d{1,6})?)",
            0.8,
            _phone,
        ),
        Rule(  # in a query, where "=" is no sign of a formula: with a "+" or brackets
            "PHONE_NUMBER",
            r"[A-Za-z_]{2,30}[=:](\+\d[\d ().\-]{6,20}\d|\(\d{2,4}\) ?\d[\d \-]{4,12}\d|"
            r"00\d[\d ]{8,16}\d)",
            0.8,
            _phone,
        ),
        Rule(
            "PHONE_NUMBER",
            r"(?i)(?:wa\.me/|tel:|sms:|smsto:|callto:|phone=|"
            r"whatsapp\.com/send\?phone=)(\+?\d{7,15})",
            0.85,
            _link,
        ),
    )
