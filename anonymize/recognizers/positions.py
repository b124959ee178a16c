"""Positions: decimal pairs, degrees and minutes, geo: links, and what map links carry."""

from __future__ import annotations

import re

from anonymize.recognizers.interface import WEAK, Checked, PatternFamily, Rule, context, ends_clean

_says_position = context(
    r"gps|geo|location|located|coordinates?|coords?|position|lat|latitude|lng|lon|longitude|latlng|"
    r"latlong|pin|map|near|at|where|pickup|pick-up|drop-?off|koordinaten|standort|waypoint|track|"
    r"pos|meet|here|tracker|beacon|ping(?:ed|s)?|seen|parked|vehicle|driver",
    reach=40,
)
_says_gps = context(
    r"gps|geo\w*|location|coordinates?|coords?|position|lat|latitude|lng|lon|longitude|latlng|pin|"
    r"koordinaten|standort",
    reach=24,
)
_says_other = context(r"embedding|vector|weights?|bbox|scores?|logits|shape|range|tensor", reach=40)


_MORE_AFTER = re.compile(r"\s*,\s*-?\d{1,6}\.\d")
_ROWS_AFTER = re.compile(r"\s*\],\s*\[")
_HAPPENED = re.compile(
    r"(?i)\b(?:reported|seen|found|located|parked|stopped|pinged|spotted|incident|accident|crash\w*|"
    r"delivered|arrived|waiting|picked up|dropped off)\b[\w ]{0,20}\b(?:at|near)[ :(]{1,2}$"
)
_MORE_BEFORE = re.compile(r"\d\.\d+\s*,\s*$")


def _pair(text: str, start: int, end: int) -> Checked:
    latitude, longitude = (float(v) for v in re.findall(r"-?\d+\.\d+", text[start:end])[:2])
    if not ends_clean(text, end) or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    # Lists of numbers (embeddings, boxes) look alike.
    before = text[max(0, start - 24) : start]
    if _MORE_AFTER.match(text[end : end + 6]) or _MORE_BEFORE.search(before):
        return None
    if max(abs(latitude), abs(longitude)) <= 1 or _says_other(text, start):
        return None
    rows = _ROWS_AFTER.match(text, end) or "], [" in before or "[[" in before
    if rows and not _says_gps(text, start):
        return None  # a matrix
    if "/" in text[start:end] and not _says_position(text, start):
        return None
    fine = min(len(v.partition(".")[2]) for v in re.findall(r"-?\d+\.\d+", text[start:end])[:2])
    if fine >= 4:
        return start, end, 0.8
    sure = _says_gps(text, start) or _HAPPENED.search(text, max(0, start - 40), start)
    said = _says_position(text, start) and (fine > 2 or sure)
    return start, end, 0.6 if said else WEAK


def _bare_pair(text: str, start: int, end: int) -> Checked:
    """``13.4050 52.5200``, ``59.3293°, 18.0686°``: any two numbers look like that."""
    value = text[start:end]
    if "°" not in value and "º" not in value and not _says_position(text, start):
        return None
    one, two = (abs(float(v)) for v in re.findall(r"-?\d+\.\d+", value)[:2])
    if max(one, two) > 180 or min(one, two) > 90 or max(one, two) <= 1:
        return None
    before = text[max(0, start - 24) : start]
    if _MORE_AFTER.match(text[end : end + 6]) or _MORE_BEFORE.search(before):
        return None
    return None if _says_other(text, start) else (start, end, 0.6)


def _plain(text: str, start: int, end: int) -> Checked:
    if text[end : end + 2].strip()[:1] in tuple("°º"):
        return None  # the first half of "27.37295° N, 158.19568° W"
    return (start, end, 0.85) if ends_clean(text, end) else None


_N = r"-?\d{1,3}(?:\.\d+)?"
_DMS = (
    rf"{_N} ?(?:[°º˚]|deg(?:rees)?\.?) ?"
    rf"(?:\d{{1,2}}(?:\.\d+)? ?['’′ʹm] ?)?(?:\d{{1,2}}(?:\.\d+)? ?(?:[\"”″ʺs]|''|’’|′′) ?)?"
)


#: Degrees and minutes with nothing but spaces between, minutes with decimals or seconds after.
_MINUTES = r"\d{1,3}[°º]? \d{1,2}(?:\.\d{1,5}| \d{1,2}(?:\.\d{1,3})?)['’′\"” ]{0,2}"


def _plus_code(text: str, start: int, end: int) -> Checked:
    """An Open Location Code, ``9F4MGCH7+R6``; the short form needs a word that says so."""
    value = text[start:end]
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    if not mixed or not ends_clean(text, end, also="+=/"):
        return None
    return (start, end, 0.7) if value.index("+") > 5 or _says_position(text, start) else None


class PositionRecognizer(PatternFamily):
    """COORDINATES, and GEO_POSITION for degrees and minutes; places in letters as ACCOUNT_ID."""

    rules = (
        Rule(
            "ACCOUNT_ID",
            r"(?:^|[^\pL\pN+/=])([2-9CFGHJMPQRVWX]{4,8}\+[2-9CFGHJMPQRVWX]{2,3})",
            0.7,
            _plus_code,
        ),
        Rule("USERNAME", r"(?:^|[^\pL\pN:/])///(\p{Ll}{3,20}\.\p{Ll}{3,20}\.\p{Ll}{3,20})", 0.7),
        Rule(
            "COORDINATES",
            r"(?:^|[^\pL\pN.])(-?\d{1,2}\.\d{2,16}\s?[,;/]\s?-?\d{1,3}\.\d{2,16})",
            0.65,
            _pair,
        ),
        # Longitude first, or nothing but a space between: in words that say so.
        Rule(
            "COORDINATES",
            r"(?:^|[^\pL\pN.])(-?\d{1,3}\.\d{3,16}[°º]?[,;]?\s-?\d{1,3}\.\d{3,16})[°º]?(?:[^\pL\pN%$€]|$)",
            0.6,
            _bare_pair,
        ),
        Rule(  # ISO 6709, and the hash of a map's address
            "COORDINATES",
            r"(?:^|[^\pL\pN.])([+\-]\d{2}\.\d{3,10}[+\-]\d{3}\.\d{3,10})/",
            0.85,
            _plain,
        ),
        Rule(
            "COORDINATES",
            r"(?i)\b(?:#map=\d{1,2}/|mlat=|point ?\(|coordinates\W{1,6})"
            r"(-?\d{1,3}\.\d{3,16}[/ ,]{1,2}-?\d{1,3}\.\d{3,16})",
            0.85,
            _plain,
        ),
        Rule(
            "GEO_POSITION",
            rf"(?:^|[^\pL\pN.])({_DMS}[NS][ ,;/]{{0,3}}{_DMS}[EWO]\b|"
            rf"[NS] ?{_DMS}[ ,;/]{{0,3}}[EWO] ?{_DMS}|"
            rf"{_DMS}[NS](?:,? (?:and|by|und|et|y|lat(?:itude)?\.?,?) |[\n|]{{1,2}} ?)"
            rf"{_DMS}[EWO]\b|"
            rf"\d{{1,2}}\.\d{{1,10}} ?[NS][ ,;/]{{1,3}}\d{{1,3}}\.\d{{1,10}} ?[EWO]\b|"
            rf"{_MINUTES}[NS][ ,;/]{{1,3}}{_MINUTES}[EWO]\b)",
            0.85,
        ),
        Rule(
            "GEO_POSITION",
            rf"(?:^|[^\pL\pN.])([NS] ?{_MINUTES}[ ,;/]{{1,3}}[EWO] ?{_MINUTES}|"
            rf"[NS] ?\d{{1,2}}\.\d{{2,10}}[°º]?[ ,;/]{{1,3}}[EWO] ?\d{{1,3}}\.\d{{2,10}})",
            0.85,
        ),
        Rule(
            "COORDINATES",
            r"(?i)\b(?:geo:|[@?&=](?:q=|ll=|sll=|center=|query=|loc:|daddr=|destination=|"
            r"cbll=)?|/@|"
            r"place/|!3d|lat(?:itude)?[=:] ?)(-?\d{1,2}\.\d{3,16}(?:,|%2C|%20|\+|, ?|"
            r"!4d)-?\d{1,3}\.\d{3,16})",
            0.85,
            _plain,
        ),
        Rule(
            "COORDINATES",
            r"(?i)\b(?:lat(?:itude)?|lng|lon(?:gitude)?)[\"'*`]{0,2}(?: is|:| =|"
            r"=)? {0,2}(-?\d{1,3}\.\d{3,16})",
            0.8,
            _plain,
        ),
    )
