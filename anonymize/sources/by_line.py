"""The JSON documents of a file: one over all of it, or one a line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import chain

from anonymize.jsontools import JsonError
from anonymize.sources.documents import (
    EMPTY,
    MOST_SKIPPED,
    NOT_JSON,
    TOO_LARGE,
    TOO_MANY,
    TooManyValues,
    parse_document,
)
from anonymize.sources.files import OpenedFile
from anonymize.sources.interface import Limits
from anonymize.trace import Json, SkippedTrace

_BOM = b"\xef\xbb\xbf"


def read_documents(file: OpenedFile, where: str) -> Iterator[tuple[Json, bool, str]]:
    """The file's one document, or one a line, each as ``(document, dirty, where)``; what can't be
    read comes as a ``SkippedTrace`` in the document's place.
    """
    lines = file.lines()
    number, first = next(lines, (1, b""))
    if not first:
        if not file.broken:
            yield SkippedTrace(reason=EMPTY, where=where), False, where
        return
    if isinstance(first, bytes):
        try:
            parsed = parse_document(first.removeprefix(_BOM), file.limits)
        except JsonError:
            yield from _not_by_line(file, first, number, where)
            return
        first = b""
        second = next(lines, None)
        yield (*parsed, where if second is None else f"{where}:{number}")
        if second is None:
            return
        lines = chain([second], lines)
    else:
        yield _unread(TOO_LARGE, f"{where}:{number}", first)
    for number, line in lines:
        yield _line(line, f"{where}:{number}", file.limits)


def _not_by_line(
    file: OpenedFile, first: bytes, number: int, where: str
) -> Iterator[tuple[Json, bool, str]]:
    """A document over many lines, or lines of which the first is bad."""
    rest = file.rest()
    size = len(first) + len(rest)
    if size > file.limits.document:
        yield _unread(TOO_LARGE, where, size)
        return
    if file.broken:
        return
    try:
        yield (*parse_document(first.removeprefix(_BOM) + rest, file.limits), where)
        return
    except TooManyValues:
        yield _unread(TOO_MANY, where, size)
        return
    except JsonError:
        pass
    bad = [_unread(NOT_JSON, f"{where}:{number}", len(first))]
    good = False
    for i, line in enumerate(io.BytesIO(rest), start=number + 1):
        if not line.strip():
            continue
        read = _line(line, f"{where}:{i}", file.limits)
        if not isinstance(read[0], SkippedTrace):
            good = True
        if good:
            yield from bad
            bad = []
            yield read
        elif len(bad) < MOST_SKIPPED:
            bad.append(read)
    if not good:
        yield _unread(NOT_JSON, where, size)


def _line(line: bytes | int, place: str, limits: Limits) -> tuple[Json, bool, str]:
    if isinstance(line, int):
        return _unread(TOO_LARGE, place, line)
    try:
        return (*parse_document(line, limits), place)
    except TooManyValues:
        return _unread(TOO_MANY, place, len(line))
    except JsonError:
        return _unread(NOT_JSON, place, len(line))


def _unread(reason: str, place: str, size: int) -> tuple[Json, bool, str]:
    return SkippedTrace(reason=reason, where=place, size=size), False, place
