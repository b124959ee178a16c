"""Values inside of lines that are written in another way: queries, escapes, base64, hexadecimal."""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from anonymize.pieces.units import Encode

_TOKEN = re.compile(r"[^\s\"'<>`]++")
_PARAMETER = re.compile(r"(?:^|[?&;]|(?<=&amp;))([\w.\-\[\]%]{1,60})=([^&;#?\s]*+)")
#: One parameter by itself, with the blanks of a form: words and numbers, so no formula.
_WORDS = r"(?:[\w.,@:'\-]|%[0-9A-Fa-f]{2})+"
_ALONE = re.compile(rf"([A-Za-z][\w.\-\[\]]{{0,40}})=({_WORDS}(?:\+{_WORDS}){{1,12}})")
_SEGMENT = re.compile(r"[^/?&=#;,:\s]*+")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_WORD = re.compile(
    r"(?<![A-Za-z0-9+/_.\-])[A-Za-z0-9+/_\-]{10,}+={0,2}(?![A-Za-z0-9+/=_\-]|\.[A-Za-z0-9])"
)
_WHOLE = re.compile(r"[A-Za-z0-9+/\-_]{10,200000}={0,2}")
_SHORTEST = 12
#: So many bytes are no plain text by chance; fewer must look like what people write.
_CHANCE = 12
_WRITTEN = re.compile(r"[A-Za-z0-9 .,:;@+'()/_\-]+")
_HEX = re.compile(r"(?:[0-9a-f]{24,20000}|[0-9A-F]{24,20000})")
_THREE_LETTERS = re.compile(r"[A-Za-z]{3}")
_AUTHORISED = re.compile(r"(?i)basic\s*$")
_TEXT = re.compile(r"[\s@:{}\"=,]")


class Encoded(NamedTuple):
    """An encoded value: its place, its key (or ""), what it says, and how to write another."""

    start: int
    end: int
    key: str
    text: str
    encode: Encode
    siblings: frozenset[str] = frozenset()


def encoded(line: str) -> Iterator[Encoded]:
    """The encoded values of a line, in order, not overlapping."""
    found: list[Encoded] = []
    words: list[Encoded] = []
    if "=" in line or "%" in line:
        for match in _TOKEN.finditer(line):
            if "=" in match.group() or "%" in match.group():
                found.extend(_in_token(match.group(), match.start()))
    ends = [e.end for e in found]
    if len(line) >= _SHORTEST:
        for match in _WORD.finditer(line):
            index = bisect_right(ends, match.start())
            if index < len(ends) and found[index].start < match.end():
                continue
            text = from_base64(match.group())
            if text is None:
                plain = from_hex(match.group())
                if plain is not None:
                    words.append(Encoded(match.start(), match.end(), "", plain, to_hex))
                continue
            before = line[max(0, match.start() - 8) : match.start()]
            if _AUTHORISED.search(before):
                continue
            if not _TEXT.search(text) and not text.isascii():
                continue
            encode = encoder(match.group())
            words.append(Encoded(match.start(), match.end(), "", text, encode))
    yield from sorted((*found, *words), key=lambda value: value.start)


def _in_token(token: str, offset: int) -> Iterator[Encoded]:
    if "=" in token and ("?" in token or "&" in token):
        parameters = list(_PARAMETER.finditer(token))
        siblings = frozenset(match[1] for match in parameters)
        last = 0
        for match in parameters:
            yield from _escaped(token[last : match.start(2)], offset + last)
            low, high = match.span(2)
            while high > low and token[high - 1] in ").,]}\\*":
                high -= 1
            last = high
            raw = token[low:high]
            text = _decoded(raw, plus=True)
            if text is not None and len(text) > 1:
                encode = quote_plus if "+" in raw or "%" not in raw else _quote
                key, low, high = unquote(match[1]), offset + low, offset + high
                yield Encoded(low, high, key, text, encode, siblings)
        yield from _escaped(token[last:], offset + last)
    elif alone := _ALONE.fullmatch(token):
        text = _decoded(alone[2], plus=True)  # q=Grace+Okonkwo
        if text is not None:
            low, high = alone.span(2)
            yield Encoded(offset + low, offset + high, alone[1], text, quote_plus)
    else:
        yield from _escaped(token, offset)


def _escaped(text: str, offset: int) -> Iterator[Encoded]:
    if "%" not in text:
        return
    for match in _SEGMENT.finditer(text):
        if _ESCAPE.search(match.group()):
            plain = _decoded(match.group(), plus=False)
            if plain is not None:
                yield Encoded(offset + match.start(), offset + match.end(), "", plain, _quote)


def _decoded(raw: str, *, plus: bool) -> str | None:
    try:
        text = unquote_plus(raw, errors="strict") if plus else unquote(raw, errors="strict")
    except UnicodeDecodeError:
        return None
    return text if text and all(c.isprintable() or c in "\r\n\t" for c in text) else None


def _quote(text: str) -> str:
    return quote(text, safe="")


def from_base64(text: str) -> str | None:
    """The text inside of base64 text (either alphabet), if that is what it is."""
    if len(text) < _SHORTEST or _WHOLE.fullmatch(text) is None:
        return None
    padded = text + "=" * (-len(text) % 4)
    try:
        raw = base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
        inner = raw.decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    if not inner or not all(c.isprintable() or c in "\r\n\t" for c in inner):
        return None
    if len(raw) < _CHANCE and _WRITTEN.fullmatch(inner) is None:
        return None
    return inner


def from_hex(text: str) -> str | None:
    """The text inside of hexadecimal digits, if that is what they are and not a hash or a number.

    A hash of 16 bytes is text of this kind once in a thousand million times.
    """
    if len(text) % 2 or _HEX.fullmatch(text) is None or text.isdigit():
        return None
    raw = bytes.fromhex(text)
    if not raw.isascii():
        return None
    inner = raw.decode("ascii")
    return inner if _WRITTEN.fullmatch(inner) and _THREE_LETTERS.search(inner) else None


def to_hex(text: str) -> str:
    """``text`` in hexadecimal digits."""
    return text.encode("utf-8", "replace").hex()


def encoder(raw: str) -> Encode:
    """What writes another text as ``raw`` is written: its alphabet, with or without padding."""
    if not set("-_").isdisjoint(raw):
        return to_base64url
    return to_base64 if len(raw) % 4 == 0 else _to_base64_bare


def _to_base64_bare(text: str) -> str:
    return to_base64(text).rstrip("=")


def to_base64(text: str) -> str:
    """``text`` in base64."""
    return base64.b64encode(text.encode("utf-8", "replace")).decode()


def to_base64url(text: str) -> str:
    """``text`` in the alphabet for URLs, without padding."""
    return base64.urlsafe_b64encode(text.encode("utf-8", "replace")).decode().rstrip("=")
