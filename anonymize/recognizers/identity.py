"""Numbers that a word beside them makes those of one person: SSN, passports, accounts, plates."""

from __future__ import annotations

import re

from anonymize.recognizers import checkdigits
from anonymize.recognizers.interface import WEAK, Checked, PatternFamily, Rule, context, ends_clean

_says_ssn = context(r"ssn|ssns|social security|social|itin|tin|taxpayer|tax id", reach=40)
_says_car = context(
    r"car|vehicle|plates?|licen[cs]e plate|number ?plate|registration|reg|registered|parked|"
    r"drives?|"
    r"kennzeichen|matr[ií]cula|immatriculation|targa|kenteken|rental|truck|van|tesla|toyota|bmw|"
    r"honda|ford|audi|volkswagen|vw|mercedes|vin|fleet|tow(?:ed)?|parking",
    reach=48,
)
_says_insured = context(
    r"member|insurance|insured|patient|policy|plan|subscriber|passenger|employee|student", reach=70
)
_says_routing = context(r"routing|aba|rtn|transit|wire|ach|direct deposit|bank", reach=40)

#: What stands between a label and its value: "no.", "number is:", "..... ".
_LINK = (
    r"(?:\s?(?:no|number|num|nr|nummer|numéro|numero|id|card|#|code|n°|nº)){0,2}"
    r"(?: (?:on file|on record|on (?:the|my) account|here|i guess|i think|again|now)){0,2}"
    r"[\"'*`]{0,3}[.:#=?]{0,2}(?: ?[–—\-])?"
    r"(?: (?:it['’]?s|it is|its|that['’]?s|with (?:the )?(?:number|id|no\.?)))?"
    r"\s{0,2}(?:\.{2,20}\s?)?(?:is|are|:|=|ist|est|es|è|was|of|\|"
    r")?[\"'*`]{0,3}[\s(]{0,2}[\"'*`#]{0,2}"
)
_GOVERNMENT = (
    r"passport|reisepass|passeport|pasaporte|passaporto|paspoort|driver'?s? licen[cs]e|dl|"
    r"driving licen[cs]e|licen[cs]e no|licen[cs]e number|licen[cs]e #|führerschein|"
    r"permis de conduire|"
    r"carnet de conducir|rijbewijs|patente|national id(?:entity)?(?: card)?|national insurance|"
    r"identity (?:card|number|no|document)|id (?:card|document)|"
    r"(?:personal|national) identification|identification (?:number|no|code)|emirates id|civil id|"
    r"(?:national|personal) (?:number|no)|social insurance|citizen(?:ship)? id|"
    r"state id|photo id|government id|personalausweis|"
    r"carte d'identité|carta d'identità|tax id|tax(?: file| ref(?:erence)?| number| no)?|"
    r"tax ?payer(?: id)?|tin|utr|inn|bvn|my id(?: number)?|licen[cs]e|itin|ein|"
    r"steuer-?id(?:entifikationsnummer)?|steuernummer|"
    r"numéro fiscal|partita iva|nino?|ni|nhs|medicare|medicaid|medi-cal|mrn|"
    r"medical record|health (?:insurance|card|plan|id)|health plan member|hicn|mbi|krankenkasse|"
    r"versicherten(?:nummer|nr)|insurance id|insurance(?: policy| member| card)?|policy ?holder|"
    r"subscriber|group|visa number|visa no|aadhaar|aadhar|uidai|pan card|pan|voter id|epic|"
    r"ust-?id-?nr|vat(?: id| number| no)?|sin|dni|nie|nif|cpf|rg|curp|rfc|bsn|pesel|nip|"
    r"personnummer|codice fiscale|tfn|abn|ahv|avs|niss|rrn|cpr|hetu|rut|cuit|cuil|nric|fin|hkid|"
    r"my number|nir|sozialversicherungsnummer|sv-?nummer|rentenversicherungsnummer|"
    r"numéro de sécurité sociale|n° ?ss|green card|alien|uscis|a-number|known traveler|ktn|redress|"
    r"pps|ppsn|nhi|chi number|amka|afm|oib|egn|cnp|jmbg|mykad|ktp|cccd|nin|iqama|teudat zehut|"
    r"snils|cnic|c[eé]dula|ihi|mbi|philhealth|vaccination(?: card)?|personal identity code|"
    r"national register|military id|voter|ehic|ghic|medical card|pension|"
    r"global entry|tsa precheck|dea|npi|residence permit|work permit|student visa"
)
_HOLDERS = (
    r"customer|client|member(?:ship)?|patient|employee|staff|policy|policy ?holder|subscriber|"
    r"loyalty|frequent flyer|mileageplus|skymiles|aadvantage|rewards?|known traveler|redress|"
    r"account|acct|a/c|checking|savings|checking account|savings account|bank account|"
    r"current account|"
    r"joint account|deposit account|brokerage account|loan|mortgage|iban|clabe|bsb|kunden|konto|"
    r"kontonummer|kundennummer|numéro de client|n° ?client|compte|cuenta|conto|rekening|"
    r"acc|student|pupil|guest|passenger|donor|claimant|beneficiary|tenant|contractor|badge|"
    r"personnel|payroll|person|user|contact|member id|medical|chart|prescription|rx|claim|"
    r"(?:supporter|cardholder|insured|enrol?lment|candidate|crew|household|library|reader|shopper|"
    r"resident|profile|applicant|borrower|voter|cif|customer|account|client)"
    r" (?:id|number|no|card|code|account|ref(?:erence)?)|(?:kunden|mitglieds|versicherungs|"
    r"versicherten|patienten|personal|mitarbeiter)(?:nummer|nr)|contract account|meter account"
)


def _ssn(text: str, start: int, end: int) -> Checked:
    value = text[start:end]
    digits = "".join(c for c in value if c.isdigit())
    if not ends_clean(text, end, also="-") or text[end : end + 2].strip(".")[:1].isdigit():
        return None
    said = _says_ssn(text, start)
    if digits[0] == "9" and not ("-" in value and digits[3] in "56789") and not said:
        return None  # ITINs only
    if not said and (digits[:3] in ("000", "666") or digits[3:5] == "00" or digits[5:] == "0000"):
        return None
    if "-" in value:
        return start, end, 0.85
    return start, end, 0.8 if said else WEAK


def _last_four(text: str, start: int, end: int) -> Checked:
    return (start, end, 0.7) if ends_clean(text, end, also="-/.") else None


def _numbered(text: str, start: int, end: int) -> Checked:
    found = _number(text, start, end)
    if found is None:
        return None
    value = text[start : found[1]]
    # "passport in 2024", "tax 1200 euros"
    if value.isdigit() and len(value) < 5:
        return None
    return found


def _number(text: str, start: int, end: int) -> Checked:
    value = text[start:end].rstrip(" -./")
    # "passport X1234567 and": what follows the id is not part of it.
    pieces = value.split(" ")
    if len(pieces) > 1 and pieces[0] in _SMALL_WORDS:
        return None  # "the patient at 18005 Foxglove Place": a small word and no number's prefix
    while len(pieces) > 1 and not any(c.isdigit() for c in pieces[-1]) and len(pieces[-1]) > 1:
        pieces.pop()
    for index, piece in enumerate(pieces):
        if index and piece.isalpha() and (len(piece) > 3 or piece.islower()):
            pieces = pieces[:index]
            break
    value = " ".join(pieces)
    if sum(c.isdigit() for c in value) < 4 or len(value) < 5 or _DATE.fullmatch(value):
        return None
    stop = start + len(value)
    if _AMOUNT.match(text[stop : stop + 9]):
        return None
    return (start, stop, 0.7) if ends_clean(text, stop) else None


_SMALL_WORDS = frozenset("at in on to of by with for and is was the from vs or as via no".split())
_AMOUNT = re.compile(r"(?i)[.,]\d|%| ?(?:usd|eur|gbp|dollars|euros)\b")
_VIN_BEFORE = re.compile(r"(?i)\b(?:vin|fin|chassis|vehicle)\b[^\n]{0,24}$")
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}")


def _holder(text: str, start: int, end: int) -> Checked:
    """A number beside "customer" or "account": digits alone need five and no other meaning."""
    found = _number(text, start, end)
    if found is None:
        return None
    value = text[start : found[1]]
    digits = sum(c.isdigit() for c in value)
    if digits < 5 and value.isdigit():
        return None
    return found


def _target(text: str, start: int, end: int) -> Checked:
    """Where money goes; a telephone number with its groups is one."""
    value = text[start:end]
    if not ends_clean(text, end, also="-%") or _DATE.fullmatch(value):
        return None
    return start, end, 0.6


def _routing(text: str, start: int, end: int) -> Checked:
    valid = checkdigits.aba(text[start:end])
    return (start, end, 0.7) if valid and _says_routing(text, start) else None


def _vin(text: str, start: int, end: int) -> Checked:
    value = text[start:end].upper()
    digits = sum(c.isdigit() for c in value)
    if not ends_clean(text, end) or not 3 <= digits <= 14:
        return None
    if _VIN_BEFORE.search(text[max(0, start - 40) : start]):
        return start, end, 0.85
    known = value[0] in "12345JKLMNSTVWXYZ9"
    return (start, end, 0.7) if known and checkdigits.vin(value) and digits > 4 else None


def _plate(text: str, start: int, end: int) -> Checked:
    value = text[start:end]
    if not ends_clean(text, end, also="-") or not any(c.isdigit() for c in value):
        return None
    return (start, end, 0.65) if any(c.isalpha() for c in value) or len(value) > 5 else None


def _plate_form(text: str, start: int, end: int) -> Checked:
    if not ends_clean(text, end, also="-"):
        return None
    return (start, end, 0.6) if _says_car(text, start) else (start, end, WEAK)


def _insured(text: str, start: int, end: int) -> Checked:
    """``member LATISHA COLEMAN, ID XQJ447118820``."""
    return (start, end, 0.65) if ends_clean(text, end) and _says_insured(text, start) else None


class IdentityRecognizer(PatternFamily):
    """US_SSN, GOVERNMENT_ID, ACCOUNT_ID."""

    rules = (
        Rule("US_SSN", r"(?:^|[^0-9_\-.#])(\d{3}-\d{2}-\d{4}|\d{3} \d{2} \d{4}|\d{9})", 0.85, _ssn),
        Rule(
            "US_SSN",
            r"(?i)(?:last (?:4|four)(?: digits)? (?:of )?(?:my |the |your |his |her |"
            r"their )?(?:ssn|social(?: security)?(?: number)?)|"
            r"(?:ssn|social(?: security)?(?: number)?)(?:,? (?:ending|ends)(?: in| with)?|"
            r" last (?:4|four)(?: digits)?)|"
            r"(?:XXX|\*{3})-(?:XX|\*{2})-)(?: is| are|:|=)? {0,2}(\d{4})",
            0.7,
            _last_four,
        ),
        Rule(
            "GOVERNMENT_ID",
            rf"(?i)(?:^|[^\pL\pN])(?:{_GOVERNMENT})\b{_LINK}"
            r"((?:[A-Z]{1,5}[ \-]?)?[0-9][A-Z0-9]{0,19}(?:[ \-./][A-Z0-9]{1,8}){0,6}|"
            r"[A-Z]{1,9}\d[A-Z0-9\-]{4,20})",
            0.7,
            _numbered,
        ),
        Rule(
            "ACCOUNT_ID",
            rf"(?i)(?:^|[^\pL\pN])(?:{_HOLDERS})(?: ?[\-/]?(?:id|account))?{_LINK}"
            r"(\d{2}[- ]\d{2}[- ]\d{2}[ ,/]{1,2}\d{7,8}|"
            r"(?:[A-Z]{1,5}[ \-]?)?[0-9][A-Z0-9]{2,24}(?:-[A-Z0-9]{1,10}){0,4}(?: \d{3,5}){0,3}|"
            r"\d{2}-\d{2}-\d{2}|\d{1,3}(?:-\d{1,8}){2,4}|[A-Z]{1,8}-[A-Z0-9]{1,6}-?\d{2,12})",
            0.7,
            _holder,
        ),
        Rule(
            "ACCOUNT_ID",
            r"(?i)(?:sort code|bsb|bank code|blz|bankleitzahl|transit(?: number)?|"
            r"institution number|ifsc(?: code)?|"
            r"routing(?: number| no\.?| #)?|aba(?: number)?|swift(?: code)?|bic(?: code)?|clabe|"
            r"micr)"
            r"[ :=#]{1,3}(?:is )?([A-Z]{4}[A-Z0-9]{4,7}|\d{2}[- ]\d{2}[- ]\d{2}|\d{3}-\d{3}|"
            r"\d{5}-\d{3}|\d{5,18})",
            0.7,
            _plate,
        ),
        Rule("ACCOUNT_ID", r"(?:^|[^\pL\pN_.\-/])(\d{9})", 0.7, _routing),
        # British, New Zealand and Australian accounts with the number of the bank before.
        Rule(
            "ACCOUNT_ID",
            r"(?:^|[^\pL\pN_.\-/])(\d{2}-\d{2}-\d{2}[ ,/]{1,3}\d{8}|\d{2}-\d{4}-\d{7}-\d{2,3}|"
            r"\d{3}-\d{3}[ ,/]{1,3}\d{8,9})",
            0.7,
            _plate,
        ),
        Rule(
            "ACCOUNT_ID",
            r"(?i)\b(?:pay|paid|pays|transfer(?:red)?|wire[ds]?|deposit(?:ed)?|credit(?:ed)?|"
            r"remit(?:ted)?)"
            r"(?: [\w$€£.,]{1,14}){0,4}? (?:in)?to (?:my |the |his |her |their )?"
            r"(?:(?:bank )?(?:account|acct)[.:#]? ?)?(\d(?:[ \-]?\d){7,17})",
            0.6,
            _target,
        ),
        Rule(
            "GOVERNMENT_ID",
            r"(?:(?:^|[.:!?] )ID (?:[Nn]o\.?|[Nn]umber|[Dd]oc(?:ument)?)|"
            r"\b(?i:my|your|his|her|their|holder of|presented|shown?) (?i:ID))"
            r"(?: (?:no\.?|number|card|is)){0,2}[:#=]{0,2} {1,2}"
            r"((?:[A-Z]{1,4}[ \-]?)?\d[A-Z0-9]{2,19}(?:[ \-./][A-Z0-9]{1,8}){0,5})",
            0.65,
            _numbered,
        ),
        Rule(
            "ACCOUNT_ID",
            r"(?:^|[^\pL\pN_])([A-Z]{4}0[A-Z0-9]{6})",
            0.6,
            lambda t, s, e: (
                (s, e, 0.6) if ends_clean(t, e) and sum(c.isdigit() for c in t[s:e]) > 4 else None
            ),
        ),
        Rule(
            "GOVERNMENT_ID",
            r"(?i)\b(?:vat|tax)\b[ \w/]{0,16}\b(?:registration|number|id|no)\b[^\n:;,]{0,60}: "
            r"([A-Z]{0,3}\d[0-9A-Z]{1,13}(?:[ \-][0-9A-Z]{1,5}){0,5})",
            0.65,
            _numbered,
        ),
        Rule("ACCOUNT_ID", r"\b\p{Lu}[\pL ]{0,24}[Bb]ank (\d{8,16})", 0.6, _target),
        Rule("GOVERNMENT_ID", r"(?i)(?:^|[^\pL\pN_\-])([A-HJ-NPR-Z0-9]{17})", 0.85, _vin),
        Rule(
            "GOVERNMENT_ID",
            r"(?i)(?:licen[cs]e plate|number ?plate|plates?|plate (?:no\.?|number)|"
            r"car registration|"
            r"vehicle registration|registration (?:number|no\.?|plate)|"
            r"reg(?:istration)?(?: no\.?)?|kennzeichen|"
            r"matr[ií]cula|immatriculation|targa|kenteken|tag number)(?: number| no\.?| is| #|:|"
            r"=){0,2}[ \"'`]{1,2}"
            r"([A-ZÄÖÜ0-9]{1,4}[ \-·][A-Z0-9]{1,4}(?:[ \-][A-Z0-9]{1,4})?|[A-Z0-9]{5,8})",
            0.65,
            _plate,
        ),
        Rule("GOVERNMENT_ID", r"\bID[:#]? ([A-Z]{2,4}\d{7,12})", 0.65, _insured),
        # British, German, American, French, Spanish plates: a car must be near.
        Rule(
            "GOVERNMENT_ID",
            r"(?:^|[^\pL\pN_\-])([A-Z]{2}\d{2} [A-Z]{3}|[A-ZÄÖÜ]{1,3}-[A-Z]{1,2} ?\d{1,4}[EH]?|"
            r"[A-Z]{2,3}-\d{3,4}|\d[A-Z]{3} ?\d{3}|[A-Z]{2}-\d{3}-[A-Z]{2}|"
            r"\d{4} ?[BCDFGHJKLMNPRSTVWXYZ]{3}|"
            r"[A-Z]{3} \d{4}|[A-Z]{2} ?\d{3} ?[A-Z]{2}|[A-Z]{2} ?\d{2} ?[A-Z]{1,2} ?\d{4})",
            0.6,
            _plate_form,
        ),
    )
