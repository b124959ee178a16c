"""Positions: decimal pairs, degrees and minutes, geo: links, and what map links carry."""

from __future__ import annotations

import re

from anonymize.recognizers.interface import WEAK, Checked, PatternFamily, Rule, context, ends_clean

_says_position = context(
    r"gps|geo|location|located|coordinates?|coords?|position|lat|latitude|lng|lon|longitude|latlng|"
    r"latlong|pin|map|near|at|where|pickup|drop-?off|koordinaten|standort",
    reach=40,
)
_says_other = context(r"embedding|vector|weights?|bbox|scores?|logits|shape|range|tensor", reach=40)


_MORE_AFTER = re.compile(r"\s*,\s*-?\d")
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
    fine = min(len(v.partition(".")[2]) for v in re.findall(r"-?\d+\.\d+", text[start:end])[:2])
    if fine >= 4:
        return start, end, 0.65
    return start, end, 0.6 if _says_position(text, start) else WEAK


def _plain(text: str, start: int, end: int) -> Checked:
    if text[end : end + 2].strip()[:1] in tuple("°º"):
        return None  # the first half of "27.37295° N, 158.19568° W"
    return (start, end, 0.85) if ends_clean(text, end) else None


_N = r"-?\d{1,3}(?:\.\d+)?"
_DMS = (
    rf"{_N} ?(?:[°º˚]|deg(?:rees)?\.?) ?"
    rf"(?:\d{{1,2}}(?:\.\d+)? ?['’′ʹm] ?)?(?:\d{{1,2}}(?:\.\d+)? ?(?:[\"”″ʺs]|''|’’|′′) ?)?"
)


class PositionRecognizer(PatternFamily):
    """COORDINATES, and GEO_POSITION for degrees and minutes."""

    rules = (
        Rule(
            "COORDINATES",
            r"(?:^|[^\pL\pN.])(-?\d{1,2}\.\d{3,16}\s?[,;]\s?-?\d{1,3}\.\d{3,16})",
            0.65,
            _pair,
        ),
        Rule(
            "GEO_POSITION",
            rf"(?:^|[^\pL\pN.])({_DMS}[NS][ ,;/]{{0,3}}{_DMS}[EWO]\b|"
            rf"[NS] ?{_DMS}[ ,;/]{{0,3}}[EWO] ?{_DMS}|"
            rf"{_DMS}[NS](?:,? (?:and|by|und|et|y|lat(?:itude)?\.?,?) |[\n|]{{1,2}} ?)"
            rf"{_DMS}[EWO]\b|"
            rf"\d{{1,2}}\.\d{{1,10}} ?[NS][ ,;/]{{1,3}}\d{{1,3}}\.\d{{1,10}} ?[EWO]\b)",
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
