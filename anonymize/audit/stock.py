"""Presidio's own recognizers as a second pair of eyes: the precise ones, in bounded time.

Their patterns backtrack, and Presidio swallows its own time-outs. So they see short windows
around the characters that a value can't do without, and the caller looks at the clock in between.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from anonymize.audit.patterns import PICTURE, is_card

#: Longer windows make quadratic patterns felt: 5,000 characters take EmailRecognizer 0.8 s.
_WINDOW = 400
_REACH = 80
_VERSION = re.compile(r"(?i)(?:version|release|build|ver|rev|section|chapter|v)[\s.:=]{0,3}\Z")
_ADDRESS = re.compile(r"\d{1,3}\.\d{1,3}\.\d{1,3}\.|[0-9A-Fa-f]{1,4}::?[0-9A-Fa-f]{1,4}:")
_USERINFO = re.compile(r"://[^\s/@?#]{0,64}:\Z")
#: Recognizer, entity, what it needs to be asked, the least score.
_STOCK: tuple[tuple[str, str, re.Pattern[str], float], ...] = (
    ("EmailRecognizer", "EMAIL_ADDRESS", re.compile(r"@"), 0.5),
    ("CreditCardRecognizer", "CREDIT_CARD", re.compile(r"\d{4}[ -]\d{4}[ -]\d{4}[ -]"), 0.5),
    ("IbanRecognizer", "IBAN_CODE", re.compile(r"\b[A-Z]{2}\d{2} ?[A-Z0-9]{4}"), 0.5),
    ("UsSsnRecognizer", "US_SSN", re.compile(r"\d{3}-\d{2}-\d{4}"), 0.5),
    ("IpRecognizer", "IP_ADDRESS", _ADDRESS, 0.5),
    ("CryptoRecognizer", "CRYPTO", re.compile(r"\b(?:[13]|bc1)[0-9A-HJ-NP-Za-km-z]{25}"), 0.5),
)  # fmt: skip


def windows(text: str, trigger: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """Short pieces of ``text``, overlapping, that hold every place where ``trigger`` matches."""
    end = -1
    for match in trigger.finditer(text):
        if match.end() + _REACH <= end:
            continue  # wholly inside of the last window
        start = max(0, match.start() - _REACH)
        end = start + _WINDOW
        yield start, text[start:end]


def hits(text: str) -> Iterator[tuple[str, str, str]]:
    """Entity, surface and recognizer for what the stock recognizers take for personal.

    Lazy, a window at a time, so that the caller can stop.
    """
    for name, entity, trigger, least in _STOCK:
        for offset, window in windows(text, trigger):
            for result in _recognizer(name).analyze(window, [entity], None) or ():
                if (offset and not result.start) or (
                    result.end == len(window) and offset + len(window) < len(text)
                ):
                    continue  # cut by the window: another one holds the whole of it
                surface = window[result.start : result.end]
                if result.score >= least and _sure(entity, window, result.start, surface):
                    yield entity, surface, name


@cache
def versions() -> dict[str, str]:
    """What searches here, for the receipt."""
    from importlib.metadata import version

    found = {name: str(_recognizer(name).version) for name, *_ in _STOCK}
    return found | {"presidio-analyzer": version("presidio-analyzer")}


def _sure(entity: str, window: str, start: int, surface: str) -> bool:
    before, after = window[max(0, start - 14) : start], window[start + len(surface) :][:2]
    if before[-1:] in tuple("_-/.#=") or before[-1:].isalnum() or after[:1] in tuple("_-"):
        # A piece of something longer: an id, a URL, a version.
        return entity == "EMAIL_ADDRESS" and before[-1:] not in ("/", ":", "@")
    if entity == "EMAIL_ADDRESS":
        if PICTURE.fullmatch(surface):
            return False
        if before[-1:] == ":" and _USERINFO.search(window[max(0, start - _REACH) : start]):
            return False  # a password before the host of a URL: see the check for those
        return not (surface.startswith("git@") and after[:1] == ":")
    if entity == "CREDIT_CARD":
        return is_card(surface)
    if entity == "US_SSN":
        return surface[:3] not in ("000", "666") and surface[0] != "9"
    if entity == "IP_ADDRESS":
        return _somebodys(surface) and _VERSION.search(before) is None and after[:1] != "."
    return True


def _somebodys(surface: str) -> bool:
    try:
        address = ipaddress.ip_address(surface)
    except ValueError:
        return False
    if address.version == 6:
        groups = [group for group in surface.split(":") if group]
        return len(groups) > 2 and not address.is_loopback
    return not (address.is_loopback or address.is_unspecified or int(address) >> 24 == 255)


@cache
def _recognizer(name: str) -> Any:
    import presidio_analyzer.predefined_recognizers as stock

    from anonymize.recognizers import offline_suffixes

    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    offline_suffixes()
    return getattr(stock, name)()
