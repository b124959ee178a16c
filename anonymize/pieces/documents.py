"""Texts taken apart to the pieces that are searched, and put together again byte for byte.

JSON in a string is walked to its leaves (and JSON in those, and so on), prose is split into
lines. What did not change is written back exactly as it was: white space, escapes, key order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from anonymize.binary import Binaries
from anonymize.fields.meaning import OPAQUE
from anonymize.fields.paths import Scope, clip, scope_of
from anonymize.fields.rules import FieldRules
from anonymize.jsontools import JsonError, loads
from anonymize.pieces.encodings import encoder, from_base64, from_hex, to_hex
from anonymize.pieces.passages import Passage
from anonymize.pieces.questions import placed
from anonymize.pieces.structure import Structure
from anonymize.pieces.units import Document, Slot, Unit

#: JSON in strings in JSON: real traces nest three deep.
_DEEPEST = 8
_EMBEDDED = 20

#: Longer texts say themselves what they are about.
_ANSWER = 160
#: Text, rule, names, the last keys of the path, what the user's rules know of it, what it answers.
_Place = tuple[str, str, bool, tuple[str, ...], Scope | None, str]


class Reader:
    """Makes documents, and remembers them: agents repeat the whole history in every call."""

    def __init__(
        self, fields: FieldRules, binaries: Binaries, *, cache_chars: int = 64_000_000
    ) -> None:
        self.fields = fields
        self.binaries = binaries
        self._cache: dict[_Place, Document] = {}
        self._chars = 0
        self._cache_chars = cache_chars

    def document(
        self,
        text: str,
        *,
        rule: str = "",
        names: bool = True,
        path: tuple[str, ...] = (),
        about: str = "",
    ) -> Document:
        """``text`` taken apart; ``path`` are the keys to it, ``about`` what it answers."""
        path = clip(path)
        about = about if len(text) <= _ANSWER else ""
        key = (text, rule, names, path, scope_of(path), about)
        found = self._cache.get(key)
        if found is None:
            plain, binaries = self.binaries.replace(text)
            found = self._parse(plain, rule, names, path, 0)
            muted = self.fields.muted(path)
            found = found.quiet(muted) if muted else found
            found = found.answers(about) if about and names and not rule else found
            found = replace(found, binaries=binaries) if binaries else found
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
            inner = from_base64(text) if names else None
            coded = from_hex(text) if names and inner is None else None
            plain = coded if inner is None else inner
            if plain is not None:
                document = self._parse(plain, "", names, path, depth + 1)
                encode = encoder(text) if coded is None else to_hex
                return Document(text, (Slot(text, inner=document, encode=encode),))
        if rule == OPAQUE and names and "://" in text and depth < _DEEPEST:
            return Document(text, tuple(Passage(self, path, depth, OPAQUE).line(text)))
        if rule:
            return Document(text, (Slot(text, unit=Unit(text, rule, names)),))
        if names and depth < _DEEPEST and ('{"' in text or "{'" in text or "{\n" in text):
            pieces = self._embedded(text, path, depth)
            if pieces is not None:
                return Document(text, tuple(pieces))
        return Document(text, tuple(self._prose(text, names, path, depth)))

    def _prose(
        self, text: str, names: bool, path: tuple[str, ...], depth: int
    ) -> Iterator[str | Slot]:
        if names and depth < _DEEPEST:
            return Passage(self, path, depth).parts(text)
        return _lines(text, names)

    def leaf(
        self, text: str, rule: str, names: bool, path: tuple[str, ...], depth: int
    ) -> tuple[Unit | None, Document | None]:
        """A string value inside a structure: a unit, or a document if it is one itself."""
        path = clip(path)
        document = self._parse(text, rule, names, path, depth + 1)
        muted = self.fields.muted(path)
        document = document.quiet(muted) if muted else document
        if path and names and not rule and len(text) <= _ANSWER and placed(path[-1]):
            document = document.answers(placed(path[-1]))
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
            parts.extend(self._prose(text[position:start], True, path, depth))
            inner = self._structure(text[start:end], True, path, depth + 1)
            if inner is not None:
                parts.append(Slot(text[start:end], inner=inner))
            else:
                parts.extend(self._prose(text[start:end], True, path, depth))
            position = searched = end
        if not parts:
            return None
        parts.extend(self._prose(text[position:], True, path, depth))
        return parts

    def rule(self, path: tuple[str, ...], value: str, siblings: frozenset[str]) -> str:
        """What the field name says."""
        return self.fields.rule(path, value, siblings)


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
    """Lines with their ends: schemas, and what is nested too deeply to be taken apart."""
    for line in text.splitlines(keepends=True):
        body = line.rstrip("\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
        if body.strip():
            yield Slot(body, unit=Unit(body, "", names))
        elif body:
            yield body
        if len(line) > len(body):
            yield line[len(body) :]
