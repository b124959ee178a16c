"""Texts taken apart to the pieces that are searched, and put together again byte for byte.

JSON in a string is walked to its leaves (and JSON in those, and so on), prose is split into
lines. What did not change is written back exactly as it was: white space, escapes, key order.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator

from anonymize.fields import OPAQUE, rule_for
from anonymize.jsontools import JsonError, loads
from anonymize.structure import Structure
from anonymize.units import Document, Slot, Unit

#: JSON in strings in JSON: real traces nest three deep.
_DEEPEST = 8
_EMBEDDED = 20
_LABEL_LINES = 8
_LABEL_CHARS = 240

Rules = Callable[[tuple[str, ...], str, frozenset[str]], str]


class Reader:
    """Makes documents, and remembers them: agents repeat the whole history in every call."""

    def __init__(self, rules: Rules = rule_for, *, cache_chars: int = 64_000_000) -> None:
        self._rules = rules
        self._cache: dict[tuple[str, str, bool, tuple[str, ...]], Document] = {}
        self._chars = 0
        self._cache_chars = cache_chars

    def document(
        self, text: str, *, rule: str = "", names: bool = True, path: tuple[str, ...] = ()
    ) -> Document:
        """``text`` taken apart; ``path`` are the keys that lead to it."""
        key = (text, rule, names, path[-2:])
        found = self._cache.get(key)
        if found is None:
            found = self._parse(text, rule, names, path[-2:], 0)
            if self._chars > self._cache_chars:
                self._cache.clear()
                self._chars = 0
            self._cache[key] = found
            self._chars += len(text)
        return found

    def _parse(
        self, text: str, rule: str, names: bool, path: tuple[str, ...], depth: int
    ) -> Document:
        if depth < _DEEPEST and (not rule or rule == OPAQUE):
            head = text[:64].lstrip()[:2]
            if head[:1] in ("{", "[") and len(head) > 1:
                structure = self._structure(text, names, path, depth)
                if structure is not None:
                    return structure
            inner = _from_base64(text) if names else None
            if inner is not None:
                document = self._parse(inner, rule, names, path, depth + 1)
                return Document(text, (Slot(text, inner=document, encode=_to_base64),))
        if rule:
            return Document(text, (Slot(text, unit=Unit(text, rule, names)),))
        if names and depth < _DEEPEST and ('{"' in text or "{'" in text or "{\n" in text):
            pieces = self._embedded(text, path, depth)
            if pieces is not None:
                return Document(text, tuple(pieces))
        return Document(text, tuple(_lines(text, names)))

    def leaf(
        self, text: str, rule: str, names: bool, path: tuple[str, ...], depth: int
    ) -> tuple[Unit | None, Document | None]:
        """A string value inside a structure: a unit, or a document if it is one itself."""
        document = self._parse(text, rule, names, path[-2:], depth + 1)
        if len(document.parts) == 1:
            part = document.parts[0]
            if isinstance(part, Slot) and part.unit is not None and part.unit.text == text:
                return part.unit, None
        return None, document

    def _structure(
        self, text: str, names: bool, path: tuple[str, ...], depth: int
    ) -> Document | None:
        stripped = text.lstrip()
        python = stripped.startswith(("{'", "[{'", "['", "[['"))
        valid = False
        if not python:
            try:
                loads(text)
                valid = True
            except JsonError:
                # Cut-off JSON is common (attribute limits); Markdown links also begin with "[".
                if not stripped.startswith(('{"', '[{"', "[{", "{\n", "{ ")):
                    return None
        if not valid and _closes_early(text, python):
            return None  # JSON and then prose: see _embedded
        return Structure(self, text, names, path, depth, python, valid).document()

    def _embedded(self, text: str, path: tuple[str, ...], depth: int) -> list[str | Slot] | None:
        """JSON objects in the middle of prose (``Here is the profile: {...}``)."""
        decoder = json.JSONDecoder()
        parts: list[str | Slot] = []
        position = searched = 0
        for _ in range(_EMBEDDED):
            start = min(
                (i for i in (text.find(m, searched) for m in ('{"', "{'", "{\n")) if i >= 0),
                default=-1,
            )
            if start < 0:
                break
            end = _object_end(text, start, decoder)
            if end <= start:
                searched = start + 2
                continue
            parts.extend(_lines(text[position:start], True))
            inner = self._structure(text[start:end], True, path, depth + 1)
            if inner is not None:
                parts.append(Slot(text[start:end], inner=inner))
            else:
                parts.extend(_lines(text[start:end], True))
            position = searched = end
        if not parts:
            return None
        parts.extend(_lines(text[position:], True))
        return parts

    def rule(self, path: tuple[str, ...], value: str, siblings: frozenset[str]) -> str:
        """What the field name says."""
        return self._rules(path, value, siblings)


def _closes_early(text: str, python: bool) -> bool:
    """Whether the first bracket is closed before the text ends: more than one value."""
    depth = 0
    for match in _BRACKETS_PY.finditer(text) if python else _BRACKETS.finditer(text):
        mark = match.group()
        if mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
            if depth <= 0:
                return bool(text[match.end() :].strip())
    return False


_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.?)*+"?|[{}\[\]]', re.DOTALL)
_BRACKETS_PY = re.compile(r"'(?:[^'\\]++|\\.?)*+'?|\"(?:[^\"\\]++|\\.?)*+\"?|[{}\[\]]", re.DOTALL)


def _object_end(text: str, start: int, decoder: json.JSONDecoder) -> int:
    if text[start + 1] == "'":
        end = text.find("}", start)
        return end + 1
    try:
        return decoder.raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        return -1


def _lines(text: str, names: bool) -> Iterator[str | Slot]:
    """Lines with their ends. A private key spans lines and stays whole."""
    if "-----BEGIN" in text and "PRIVATE KEY" in text:
        yield Slot(text, unit=Unit(text, "", names))
        return
    lines = text.splitlines(keepends=True)
    if 1 < len(lines) <= _LABEL_LINES and len(text) <= _LABEL_CHARS:
        # An address label: the code on the last line is one because of the street above it.
        yield Slot(text, unit=Unit(text, "", names))
        return
    for line in lines:
        body = line.rstrip("\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
        if body.strip():
            yield Slot(body, unit=Unit(body, "", names))
        elif body:
            yield body
        if len(line) > len(body):
            yield line[len(body) :]


_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,200000}={0,2}")


def _from_base64(text: str) -> str | None:
    """The text inside base64 text, if that is what it is."""
    if len(text) % 4 or len(text) < 24 or _BASE64.fullmatch(text) is None:
        return None
    try:
        inner = base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    if not inner or sum(c.isprintable() or c in "\r\n\t" for c in inner) < len(inner):
        return None
    return inner


def _to_base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "replace")).decode()
