"""Payment cards, IBANs and payment handles."""

from __future__ import annotations

import re

from anonymize.recognizers.interface import WEAK, Checked, PatternFamily, Rule, context, ends_clean
from anonymize.recognizers.lexicon import lexicon
from anonymize.surrogates import iban_valid, luhn_valid

_says_card = context(
    r"card|cards|cc|credit|debit|visa|mastercard|amex|american express|discover|maestro|pan|karte|"
    r"kreditkarte|carte|tarjeta|payment|pay|charge|charged|account",
    reach=60,
)
_says_other = context(
    r"order|sku|inventory|tracking|shipment|timestamp|ts|id|item|isbn|ean|upc|imei|serial|nonce|"
    r"sequence|epoch|time",
    reach=24,
)
_says_cash = context(r"cash ?app|cashtag|cash tag|square cash|pay me|send (?:it )?to", reach=40)
_says_iban = context(r"iban|konto|account|compte", reach=24)
_BINS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|"
    r"3[47]\d{13}|6(?:011|5\d\d|4[4-9]\d)\d{12}|62\d{14,17}|35(?:2[89]|[3-8]\d)\d{12}|"
    r"3(?:0[0-5]|[68]\d)\d{11}|(?:50|5[6-9]|6[0-9])\d{14}"
)
_GROUPED = re.compile(r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?|\d{4}([ -])\d{6}\2\d{4,5}")
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LI": 21, "LT": 20, "LU": 20, "LV": 21,
    "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15,
    "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24,
    "SI": 19, "SK": 24, "SM": 27, "TN": 24, "TR": 26, "UA": 29, "VG": 24, "XK": 20,
}  # fmt: skip


def _card(text: str, start: int, end: int) -> Checked:
    value = text[start:end]
    digits = "".join(c for c in value if c.isdigit())
    if not ends_clean(text, end) or _BINS.fullmatch(digits) is None or not luhn_valid(digits):
        return None
    if end + 1 < len(text) and text[end] in "-." and text[end + 1].isdigit():
        return None
    if _GROUPED.fullmatch(value) or _says_card(text, start):
        return start, end, 0.95
    # One in ten numbers is Luhn-valid, so the brand, the length and the words around decide.
    issued = digits[0] != "6" or digits.startswith(("6011", "62", "65"))
    plain = 14 <= len(digits) <= 16 and issued and not _says_other(text, start)
    return start, end, 0.6 if plain else WEAK


def _iban(text: str, start: int, end: int) -> Checked:
    length = _IBAN_LENGTHS.get(text[start : start + 2].upper())
    if length is None:
        return None
    seen = 0
    for index in range(start, end):
        seen += text[index].isalnum()
        if seen == length:
            stop = index + 1
            break
    else:
        return None
    compact = "".join(c for c in text[start:stop] if c.isalnum()).upper()
    if not ends_clean(text, stop):
        return None
    if iban_valid(compact):
        return start, stop, 0.95
    return (start, stop, 0.6) if _says_iban(text, start) else None


def _handle(text: str, start: int, end: int) -> Checked:
    return (start, end, 0.8) if ends_clean(text, end, also="-") else None


_PAGES = frozenset("home help login signin about pricing business send request pay us".split())


def _named(text: str, start: int, end: int) -> Checked:
    while end > start and text[end - 1] in ".-_":
        end -= 1
    value = text[start:end].lower()
    return None if len(value) < 2 or value in _PAGES else (start, end, 0.85)


def _said(text: str, start: int, end: int) -> Checked:
    """What follows "PayPal username": a handle, no word."""
    while end > start and text[end - 1] in ".-_@":
        end -= 1
    value = text[start:end]
    folded = value.lower()
    if len(value) < 4 or folded in _PAGES or not ends_clean(text, end, also="/("):
        return None
    if value.isalpha():
        return None  # "Venmo transfer", "the UPI limit"
    if any(c.isdigit() for c in value):
        amount = value[0] == "$" or value.replace(".", "").isdigit()
        return None if amount and len(value) < 9 else (start, end, 0.75)
    parts = re.split(r"[._\-@]", value)
    made = all(part.isalpha() and part.lower() in lexicon().words for part in parts if part)
    return None if made else (start, end, 0.75)


def _cashtag(text: str, start: int, end: int) -> Checked:
    value = text[start + 1 : end]
    said = _says_cash(text, start) or _says_cash(text[end : end + 30] + " ", 30)
    return (start, end, 0.75) if said and not value.isupper() and ends_clean(text, end) else None


class PaymentRecognizer(PatternFamily):
    """CREDIT_CARD, IBAN_CODE, PAYMENT_ID."""

    rules = (
        Rule("CREDIT_CARD", r"(?:^|[^\pL\pN_.+\-/])((?:\d[ \-]?){12,18}\d)", 0.95, _card),
        Rule(
            "IBAN_CODE",
            r"(?:^|[^\pL\pN_])([A-Za-z]{2}\d{2}(?:[ \-]?[A-Za-z0-9]{1,4}){3,9})",
            0.95,
            _iban,
        ),
        Rule(
            "PAYMENT_ID",
            r"(?i)(?:^|[^\pL\pN])((?:(?:credit|debit|gift)[_ ]card|certificate|paypal|venmo|"
            r"zelle|"
            r"bank_account|voucher|apple_pay|google_pay|klarna|sepa|wallet|payment|payment_method)"
            r"_[0-9a-z]{0,4}[0-9][0-9a-z]{2,20})",
            0.8,
            _handle,
        ),
        Rule(
            "PAYMENT_ID",
            r"(?:^|[^\pL\pN])((?:cus|pm|card|src|ba|btok|seti|sub)_[A-Za-z0-9]{14,32})",
            0.7,
            _handle,
        ),
        Rule(
            "PAYMENT_ID",
            r"(?i)(?:paypal\.me/|paypal\.com/paypalme/|venmo\.com/(?:u/|code\?user_id=)?|"
            r"cash\.app/\$?|"
            r"revolut\.me/|monzo\.me/|wise\.com/pay/me/|ko-fi\.com/|buymeacoffee\.com/|"
            r"zellepay\.com/u/)"
            r"@?([A-Za-z0-9][A-Za-z0-9._\-]{1,60})",
            0.85,
            _named,
        ),
        Rule(
            "PAYMENT_ID",
            r"(?i)(?:venmo|paypal|zelle|cash ?app|revolut|upi(?: id)?|vpa|paytm|alipay|"
            r"pix(?: key)?|chave pix)"
            r"(?: handle| id| username| account| user| name| tag)?(?: is| at|:|"
            r"=)? {0,2}([@$][A-Za-z0-9][A-Za-z0-9._\-]{1,40})",
            0.8,
            _named,
        ),
        Rule(
            "PAYMENT_ID",
            r"(?i)(?:^|[^\pL\pN])(?:(?:venmo|paypal|zelle|cash ?app|revolut|paytm|phonepe|gpay|"
            r"google pay|bizum|skrill|payoneer|wise|payment|payout) ?"
            r"(?:handle|id|user ?name|user|name|tag|me)|"
            r"cash ?tag|rev ?tag|upi(?: id| handle| address)?|vpa|(?:chave )?pix(?: key)?|pix-key|"
            r"venmo|(?:venmo|zelle) me)"
            r"(?: on file)?(?: is|['’]s| at|:| =|=| to)?[\"'`*]{0,3} {1,2}[\"'`]?"
            r"([+@$]?[A-Za-z0-9][A-Za-z0-9._\-@]{2,60})",
            0.75,
            _said,
        ),
        Rule("PAYMENT_ID", r"(?:^|[^\pL\pN_$])(\$[A-Za-z][A-Za-z0-9_]{2,20})", 0.75, _cashtag),
        # UPI addresses: the part after @ names a bank and has no dot.
        Rule(
            "PAYMENT_ID",
            r"(?i)(?:^|[^\pL\pN_.\-])([a-z0-9][a-z0-9._\-]{1,60}@(?:ok(?:axis|hdfcbank|icici|sbi)|"
            r"ybl|ibl|axl|apl|yapl|rapl|paytm|ptaxis|ptsbi|pthdfc|ptyes|upi|sbi|hdfcbank|icici|"
            r"axisbank|kotak|"
            r"axisb|yesbank|barodampay|fbl|idfcbank|indus|jupiteraxis|waicici|wahdfcbank|waaxis|"
            r"wasbi|"
            r"freecharge|airtel|postbank|cnrb|pnb|unionbank|federal|rbl|ikwik|abfspay|naviaxis|"
            r"superyes))",
            0.85,
            _handle,
        ),
    )
