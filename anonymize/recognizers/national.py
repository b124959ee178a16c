"""National numbers that their form and check digits give away, without a word beside them.

What has neither (nine plain digits) needs a label: see :mod:`anonymize.recognizers.identity`.
"""

from __future__ import annotations

from collections.abc import Callable

from anonymize.recognizers import checkdigits as check
from anonymize.recognizers.interface import (
    WEAK,
    Check,
    Checked,
    PatternFamily,
    Rule,
    context,
    ends_clean,
)

_says_id = context(
    r"national id|identity|identification|id number|cpf|curp|rfc|aadhaar|aadhar|uidai|nino|ni|"
    r"national|"
    r"insurance|nie|dni|nif|fiscale|codice|cf|bsn|burgerservicenummer|sofi|pesel|personnummer|"
    r"personnr|pnr|sin|social|tfn|tax|nhs|health|medicare|steuer|steuer-?id|idnr|nir|securite|"
    r"sécurité|sociale|rut|run|ahv|avs|rrn|rijksregister|niss|hetu|henkilötunnus|fødselsnummer|"
    r"fodselsnummer|cpr|tc|kimlik|nric|fin|hkid|cuit|cuil|citizen|pan|resident|my ?number|cnp|egn|"
    r"ssn|passport",
    reach=40,
)
_says_other = context(
    r"order|orders|tracking|sku|item|invoice|timestamp|ts|epoch|isbn|ean|upc|imei|serial|amount|"
    r"shipment|flight|booking|build|commit|hash|phone|call|tel|mobile|fax|whatsapp",
    reach=24,
)


def _strip(text: str) -> str:
    return "".join(c for c in text if c.isalnum()).upper()


def _sure(valid: Callable[[str], bool]) -> Check:
    """The form is distinctive: a valid check is enough, a word will do without one."""

    def checked(text: str, start: int, end: int) -> Checked:
        if not ends_clean(text, end) or text[end : end + 2].strip("-./ ")[:1].isdigit():
            return None
        if text[max(0, start - 2) : start].rstrip(" -")[-1:].isdigit():
            return None  # a group of a longer number
        if valid(_strip(text[start:end])):
            return start, end, 0.8
        return (start, end, 0.6) if _says_id(text, start) else None

    return checked


def _likely(valid: Callable[[str], bool]) -> Check:
    """Plain digits: a valid check, and a word or no word for something else."""

    def checked(text: str, start: int, end: int) -> Checked:
        if not ends_clean(text, end, also="-/") or text[end : end + 2].strip(".,")[:1].isdigit():
            return None
        if not valid(_strip(text[start:end])):
            return None
        said = _says_id(text, start) and not _says_other(text, start)
        return start, end, 0.75 if said else WEAK

    return checked


def _nino(text: str) -> bool:
    return text[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def _personnummer(text: str) -> bool:
    day = int(text[-6:-4])
    dated = 1 <= int(text[-8:-6]) <= 12 and (1 <= day <= 31 or 61 <= day <= 91)
    return dated and check.luhn(text[-10:])


def _southafrican(text: str) -> bool:
    return check.day_month(text[2:6]) and text[10] in "01" and check.luhn(text)


def _cnp(text: str) -> bool:
    total = sum(int(d) * w for d, w in zip(text[:12], (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9),
                                           strict=True))  # fmt: skip
    return check.day_month(text[3:7]) and (1 if total % 11 == 10 else total % 11) == int(text[12])


def _hkid(text: str) -> bool:
    body = text.rjust(9)
    values = [36 if c == " " else int(c, 36) for c in body[:8]]
    total = sum(v * w for v, w in zip(values, range(9, 1, -1), strict=True))
    last = 10 if body[8] == "A" else int(body[8]) if body[8].isdigit() else -1
    return (total + last) % 11 == 0


def _czech(text: str) -> bool:
    month = int(text[2:4]) % 50 % 20
    return 1 <= month <= 12 and 1 <= int(text[4:6]) <= 31 and int(text) % 11 == 0


def _korean(text: str) -> bool:
    return check.day_month(text[2:6]) and text[6] in "12345678"


def _malay(text: str) -> bool:
    return check.day_month(text[2:6])


def _danish(text: str) -> bool:
    return check.month_day(text[:4])


def _pan(text: str) -> bool:
    return text[3] in "PCHFATBLJG"


def _yes(text: str) -> bool:
    return bool(text)


_BEFORE = r"(?:^|[^\pL\pN_.\-/#])"
_MONTHS = "[ABCDEHLMPRST]"
#: Distinctive forms.
_FORMS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    (r"\d{3}\.\d{3}\.\d{3}-\d{2}", check.cpf),
    (r"[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d", check.curp),
    (rf"(?i:[A-Z]{{6}}\d{{2}}{_MONTHS}\d{{2}}[A-Z]\d{{3}}[A-Z])", check.codice_fiscale),
    (r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]", _nino),
    (r"[XYZ]-?\d{7}-?[A-Z]", check.dni),
    (r"\d{8}-?[TRWAGMYFPDXBNJZSQVHLCKE]", check.dni),
    (r"\d{2}\.\d{3}\.\d{3}-[A-Z]", check.dni),
    (r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}", check.nir),
    (r"\d{1,2}\.\d{3}\.\d{3}-[\dkK]", check.rut),
    (r"756\.\d{4}\.\d{4}\.\d{2}|7560\d{9}", check.ahv),
    (r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", check.rijksregister),
    (r"[1-9]\d{5}(?:19|20)\d{9}[\dXx]", check.china),
    (r"\d{6}[+\-A]\d{3}[0-9A-Y]", check.hetu),
    (r"(?:19|20)?\d{6}[\-+]\d{4}", _personnummer),
    (r"[STFGM]\d{7}[A-Z]", check.nric),
    (r"[A-Z]{1,2}\d{6}\([0-9A]\)", _hkid),
    (r"(?:20|23|24|27)-\d{8}-\d", check.cuit),
    (r"\d-\d{4}-\d{5}-\d{2}-\d", check.thai),
    (r"\d{6}/\d{4}", _czech),
    (r"\d{6}-[1-8]\d{6}", _korean),
    (r"\d{6}-\d{2}-\d{4}", _malay),
    (r"[2-9]\d{3}[ \-]\d{4}[ \-]\d{4}", check.verhoeff),
    (r"[A-Z]{3}P[A-Z]\d{4}[A-Z]", _pan),
)
#: Plain digits with a check.
_DIGITS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    (r"\d{11}", lambda t: check.cpf(t) or check.pesel(t) or check.steuer_id(t)
        or check.fodselsnummer(t) or check.tc_kimlik(t) or check.rijksregister(t)),
    (r"\d{9}", lambda t: check.bsn(t) or check.luhn(t) or check.tfn(t)),
    (r"\d{3}[ \-]\d{3}[ \-]\d{3}", lambda t: check.luhn(t) or check.tfn(t) or check.bsn(t)),
    (r"\d{10}|\d{3}[ \-]\d{3}[ \-]\d{4}", check.nhs),
    (r"\d{4}[ ]\d{5}[ ]\d", check.medicare),
    (r"\d{2} \d{3} \d{3} \d{3}", check.steuer_id),
    (r"\d{10}|\d{12}", _personnummer),
    (r"\d{6}-\d{4}|\d{10}", _danish),
    (r"\d{12}", check.verhoeff),
    (r"\d{13}", lambda t: _southafrican(t) or _cnp(t) or check.thai(t)),
    (r"[A-Z]{5}\d{4}[A-Z]", _pan),
    (r"[A-Z]{4}\d{6}[A-Z0-9]{3}", _yes),
    (r"\d{7,8}-[\dkK]", check.rut),
    (r"\d{7}[A-W][A-IW]?", _yes),
)  # fmt: skip


class NationalIdRecognizer(PatternFamily):
    """GOVERNMENT_ID by form and check digits."""

    rules = (
        *(Rule("GOVERNMENT_ID", f"{_BEFORE}({form})", 0.8, _sure(v)) for form, v in _FORMS),
        *(Rule("GOVERNMENT_ID", f"{_BEFORE}({form})", 0.75, _likely(v)) for form, v in _DIGITS),
    )
