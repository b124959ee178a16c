"""Session files and logs that hold whole conversations, each in a format of its own.

What a file is, is told from its content: no settings are needed to read one.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from anonymize.conventions.values import as_dict
from anonymize.jsontools import JsonError
from anonymize.sources.by_line import read_documents
from anonymize.sources.dialects import dialect_of
from anonymize.sources.documents import TOO_LARGE, TooManyValues, parse_document
from anonymize.sources.files import OpenedFile, Place, at_any_place, find_files
from anonymize.sources.interface import Limits
from anonymize.sources.otlp_json import is_otlp
from anonymize.sources.places import shown
from anonymize.sources.sessions import atif, claude_code, codex, inspect_logs
from anonymize.sources.sessions.model import Session, to_trace
from anonymize.sources.spans_source import nothing_read
from anonymize.trace import Json, SkippedTrace, Trace

Kind = Literal["claude-code", "codex", "atif", "inspect"]
KINDS: tuple[Kind, ...] = ("claude-code", "codex", "atif", "inspect")

_BY_LINE = {"claude-code": claude_code, "codex": codex}
_BY_DOCUMENT = {"atif": atif, "inspect": inspect_logs}
_ZIP = b"PK\x03\x04"
#: Lines at the start of a file that are looked at: the first of them may say nothing.
_LOOKED_AT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSource:
    """Files of sessions: a file, a folder or a glob, all of one ``kind``."""

    name: str
    path: str
    kind: Kind
    agent: str | None = None
    version: str | None = None
    limits: Limits = field(default_factory=Limits)

    def read(self) -> Iterator[Trace | SkippedTrace]:
        """Traces in the order of the files, then what could not be read.

        Raises:
            SourceError: nothing at all can be read.
        """
        skipped: list[SkippedTrace] = []
        any_trace = False
        for path in files_of(self.path):
            for item in self._of_file(path):
                if isinstance(item, Trace):
                    any_trace = True
                    yield item
                else:
                    skipped.append(item)
        if not any_trace:
            raise nothing_read(shown(self.path), skipped)
        yield from skipped

    def _of_file(self, path: Place) -> Iterator[Trace | SkippedTrace]:
        where = str(path)
        try:
            found = _zipped(path, self.limits) if _is_zip(path) else self._sessions(path)
            for item in found:
                if isinstance(item, SkippedTrace):
                    yield item
                    continue
                session = item if item.identity else replace(item, identity=path.stem)
                yield to_trace(session, self.name, where, self.agent, self.version)
        except OSError as error:
            reason = f"can't be opened: {error.strerror}"
            yield SkippedTrace(reason=reason, where=where)

    def _sessions(self, path: Place) -> Iterator[Session | SkippedTrace]:
        where = str(path)
        with OpenedFile(path, self.limits) as file:
            documents = read_documents(file, where)
            if self.kind in _BY_LINE:
                yield from _by_line(self.kind, documents, where, self.limits)
            else:
                for document, dirty, place in documents:
                    if isinstance(document, SkippedTrace):
                        yield document
                    elif _BY_DOCUMENT[self.kind].is_document(document):
                        for session in _BY_DOCUMENT[self.kind].sessions(document):
                            yield replace(session, dirty=dirty)
                    else:
                        yield SkippedTrace(reason=f"no {self.kind} document", where=place)
            if file.broken:
                yield SkippedTrace(reason=file.broken, where=where)


def told(path: str, limits: Limits | None = None) -> Kind | None:
    """The kind of the first file that ``path`` names, if it is one of these."""
    limits = limits or Limits()
    try:
        files = files_of(path)
        first = next(iter(files), None)
        if first is None:
            return None
        if _is_zip(first):
            return "inspect" if _is_eval(first) else None
        with OpenedFile(first, limits) as file:
            if file.head(1) not in (b"{", b"\xef", b" ", b"\n"):
                return None
            for number, (document, _, _) in enumerate(read_documents(file, str(first))):
                for kind in KINDS:
                    if kind in _BY_LINE and _BY_LINE[kind].is_line(document):
                        return kind
                    if kind in _BY_DOCUMENT and _BY_DOCUMENT[kind].is_document(document):
                        return kind
                if number >= _LOOKED_AT or is_otlp(document) or dialect_of(document):
                    break
    except OSError:
        return None
    return None


def files_of(path: str) -> list[Place]:
    """The files that ``path`` names: those of a folder with Inspect logs are its logs.

    Raises:
        SourceError: there is none.
    """
    folder = Path(path)
    if folder.is_dir():
        logs = sorted(p for p in folder.rglob("*.eval") if p.is_file())
        if logs:
            return [*logs]
    return find_files(path)


def _by_line(
    kind: Kind, documents: Iterator[tuple[Json, bool, str]], where: str, limits: Limits
) -> Iterator[Session | SkippedTrace]:
    """The lines of a whole file, as long as they may be kept at once."""
    lines: list[dict[str, Any]] = []
    any_dirty, bad, foreign, size = False, [], 0, 0
    for document, dirty, _ in documents:
        any_dirty |= dirty
        if isinstance(document, SkippedTrace):
            bad.append(document)
        elif isinstance(document, dict):
            size += _size(document)
            if size > limits.values:
                yield SkippedTrace(reason="a session is too large", where=where)
                return
            lines.append(document)
        else:
            foreign += 1
    yield from bad
    if foreign:
        yield SkippedTrace(reason=f"{foreign} lines are no objects", where=where)
    if not any(_BY_LINE[kind].is_line(line) for line in lines):
        if lines or not bad:
            yield SkippedTrace(reason=f"no {kind} session", where=where)
        return
    for session in _BY_LINE[kind].sessions(lines):
        # A line that can't be read is a hole in the conversation.
        flags = session.flags | ({"bad_json"} if bad else set())
        yield replace(session, dirty=any_dirty, flags=flags)


def _size(value: Json) -> int:
    """About the bytes that a parsed value takes."""
    total, todo = 0, [value]
    while todo:
        item = todo.pop()
        total += 60
        if isinstance(item, str):
            total += len(item) * 2
        elif isinstance(item, dict):
            todo += item.values()
            total += 100 * len(item)
        elif isinstance(item, list):
            todo += item
    return total


def _is_zip(path: Place) -> bool:
    with path.open("rb") as file:
        return file.read(4) == _ZIP


def _is_eval(path: Place) -> bool:
    try:
        with zipfile.ZipFile(at_any_place(path)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    return bool(names & {"header.json", "_journal/start.json"})


def _zipped(path: Place, limits: Limits) -> Iterator[Session | SkippedTrace]:
    """The samples of an ``.eval`` file, one after the other."""
    where = str(path)
    try:
        with zipfile.ZipFile(at_any_place(path)) as archive:
            about: dict[str, Any] = {}
            for name in ("header.json", "_journal/start.json"):
                if name in archive.namelist():
                    header = _member(archive, name, where, limits)
                    about = about or as_dict(as_dict(header).get("eval"))
            for name in sorted(archive.namelist()):
                if name.startswith("samples/") and name.endswith(".json"):
                    sample = _member(archive, name, where, limits)
                    if isinstance(sample, SkippedTrace):
                        yield sample
                    elif isinstance(sample, dict):
                        yield replace(inspect_logs.session_of(sample, about), dirty=True)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        kind = type(error).__name__
        yield SkippedTrace(reason=f"the zip file is damaged ({kind})", where=where)


def _member(archive: zipfile.ZipFile, name: str, where: str, limits: Limits) -> Json:
    place = f"{where}: {name}"
    try:
        # Read up to the limit, whatever size the archive claims.
        with archive.open(name) as file:
            data = file.read(limits.document + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        return SkippedTrace(reason=f"damaged ({type(error).__name__})", where=place)
    if len(data) > limits.document:
        return SkippedTrace(reason=TOO_LARGE, where=place, size=len(data))
    try:
        return parse_document(data, limits)[0]
    except TooManyValues:
        return SkippedTrace(reason=TOO_LARGE, where=place, size=len(data))
    except JsonError:
        return SkippedTrace(reason="not JSON", where=place, size=len(data))
