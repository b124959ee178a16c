"""IP and MAC addresses."""

from __future__ import annotations

import ipaddress

from anonymize.recognizers.interface import Checked, PatternFamily, Rule, context, ends_clean
from anonymize.surrogates.network import is_nobodys

_says_mac = context(
    r"mac|mac address|bssid|hwaddr|ethernet|wifi|wi-fi|bluetooth|physical", reach=30
)
_says_version = context(r"version|release|build|v|ver|section|chapter|rev", reach=14)


def _four(text: str, start: int, end: int) -> Checked:
    if not ends_clean(text, end) or (
        text[end : end + 1] == "." and text[end + 1 : end + 2].isdigit()
    ):
        return None
    if text[end : end + 1] == "-" and text[end + 1 : end + 2].isalnum():
        return None
    try:
        address = ipaddress.IPv4Address(text[start:end])
    except ValueError:
        return None
    if is_nobodys(address) or _says_version(text, start):
        return None
    return start, end, 0.9


def _six(text: str, start: int, end: int) -> Checked:
    value = text[start:end]
    if value.endswith(":") and not value.endswith("::"):
        end -= 1
        value = value[:-1]
    # a::b is C++; an address that people have has three groups and a digit.
    groups = [group for group in value.split(":") if group]
    if not ends_clean(text, end) or len(groups) < 3 or not any(c.isdigit() for c in value):
        return None
    try:
        address = ipaddress.IPv6Address(value)
    except ValueError:
        return None
    return None if is_nobodys(address) else (start, end, 0.9)


def _mac(text: str, start: int, end: int) -> Checked:
    if not ends_clean(text, end, also=":-"):
        return None
    digits = [c for c in text[start:end] if c.isalnum()]
    return (start, end, 0.85) if len(set(digits)) > 2 else None


def _bare_mac(text: str, start: int, end: int) -> Checked:
    digits = sum(c.isdigit() for c in text[start:end])
    said = _says_mac(text, start) and 0 < digits < 12
    return (start, end, 0.7) if said and ends_clean(text, end, also=":-") else None


class NetworkRecognizer(PatternFamily):
    """IP_ADDRESS, MAC_ADDRESS."""

    rules = (
        Rule("IP_ADDRESS", r"(?:^|[^\pL\pN_.])((?:\d{1,3}\.){3}\d{1,3})", 0.9, _four),
        Rule(
            "IP_ADDRESS",
            r"(?:^|[^\pL\pN_:.])((?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4})",
            0.9,
            _six,
        ),
        Rule(
            "MAC_ADDRESS",
            r"(?:^|[^\pL\pN_:\-])((?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}|"
            r"(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4})",
            0.85,
            _mac,
        ),
        Rule("MAC_ADDRESS", r"(?:^|[^\pL\pN_:\-])([0-9A-Fa-f]{12})", 0.7, _bare_mac),
        Rule(
            "MAC_ADDRESS",
            r"(?:^|[^\pL\pN_:\-])((?:[0-9A-Fa-f]{2} ){5}[0-9A-Fa-f]{2}|"
            r"[0-9A-Fa-f]{6}[:\-][0-9A-Fa-f]{6})",
            0.7,
            _bare_mac,
        ),
    )
