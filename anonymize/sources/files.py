"""Files found and opened: a file, a folder or a glob; plain, gzip or zstd; within limits.

Compression is told from the first bytes, never from the name. A stream that ends too early or
grows beyond the limit does not raise: what came before is good, and ``broken`` says what is wrong.
"""

from __future__ import annotations

import glob
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import orjson
import zstandard

from anonymize.errors import SourceError
from anonymize.sources.interface import Limits
from anonymize.sources.places import RemoteFile, is_url, remote_files

#: A file here or on another file system.
Place = Path | RemoteFile

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
#: What exporters call their files. Others in a folder are read if their content looks like one.
SUFFIXES = frozenset(
    {".json", ".jsonl", ".ndjson", ".pb", ".binpb", ".proto", ".otlp", ".gz", ".gzip", ".zst"}
    | {".parquet"}
)
_CHUNK = 64 * 1024
_LARGEST_MANIFEST = 64 * 2**20
#: zstd can blow one input byte up to some 30,000; small bites bound what one step can produce.
_ZSTD_CHUNK = 2 * 1024
_ZSTD_WINDOW = 128 * 2**20


def find_files(spec: str) -> list[Place]:
    """The files that ``spec`` names, sorted. Hidden files are left out of folders and globs.

    Raises:
        SourceError: there is none.
    """
    if is_url(spec):
        files = remote_files(spec)
        wanted = [f for f in files if len(files) == 1 or f.suffix.lower() in SUFFIXES]
        return _named_by_manifests([*wanted])
    path = Path(spec)
    if path.is_file():
        return [path]
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.is_file() and not _hidden(p, path))
        found = [p for p in found if p.suffix.lower() in SUFFIXES or _looks_like_data(p)]
        if not found:
            raise SourceError(
                "the folder holds no trace files",
                where=spec,
                fix="expected traces (.json, .jsonl, .pb, .parquet, also .gz and .zst)",
            )
        return _named_by_manifests([*found])
    matches = sorted(Path(p) for p in glob.glob(spec, recursive=True))  # noqa: PTH207 - absolute ones too
    matches = [p for p in matches if p.is_file() and not p.name.startswith(".")]
    if not matches:
        if path.exists():  # a pipe, a device: input may have to be read more than once
            raise SourceError("this is no plain file", where=spec, fix="write it to a file first")
        pattern = any(c in spec for c in "*?[")
        raise SourceError(
            "no file matches the pattern" if pattern else "the file does not exist",
            where=spec,
            fix="check the path; a folder or a glob like 'traces/*.jsonl' works too",
        )
    return [*matches]


def at_any_place(place: Place) -> str | BinaryIO:
    """What libraries take that read a file here and there: its path, or an open file."""
    return str(place) if isinstance(place, Path) else place.open_random()


def _named_by_manifests(files: list[Place]) -> list[Place]:
    """Without what no manifest names, where there are manifests: it may not be whole yet.

    Exports to object stores write ``manifests/*.json`` last. Whatever their keys are called, a file
    is named where a text in one ends with its path.
    """
    manifests = [f for f in files if "/manifests/" in f"/{f}" and f.suffix == ".json"]
    if not manifests:
        return files
    named = {text for place in manifests for text in _texts(place)}
    paths = {str(f): f for f in files if f not in manifests}
    return [
        file
        for path, file in paths.items()
        if any(text and (path == text or path.endswith("/" + text.lstrip("/"))) for text in named)
    ]


def _texts(manifest: Place) -> Iterator[str]:
    try:
        with manifest.open("rb") as file:
            stack = [orjson.loads(file.read(_LARGEST_MANIFEST))]
    except (OSError, ValueError):
        return
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            yield value.partition("://")[2].partition("/")[2] if "://" in value else value
        elif isinstance(value, dict):
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)


def _hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def _looks_like_data(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError:
        return False
    return head.startswith((GZIP, ZSTD)) or b'"resourceSpans"' in head or b'{"trace' in head


class OpenedFile:
    """A file's content after decompression, as a stream of bytes.

    ``broken`` is ``None`` or, once the end was reached, why the content is not complete.
    ``begin`` is asked before each document whether to read it.
    """

    def __init__(
        self, path: Place, limits: Limits, begin: Callable[[], bool] = lambda: True
    ) -> None:
        self.path = path
        self.limits = limits
        self.begin = begin
        self._raw = path.open("rb")
        self._feed = _Feed(self._raw, limits.file)
        self.stream = io.BufferedReader(self._feed, buffer_size=1 << 20)

    @property
    def broken(self) -> str | None:
        """Why the stream ended before its end."""
        return self._feed.broken

    def head(self, size: int = 4096) -> bytes:
        """The first bytes, without consuming them."""
        return self.stream.peek(size)[:size]

    def lines(self, *, before: bytes = b"", number: int = 0) -> Iterator[tuple[int, bytes | int]]:
        """Lines with their numbers, without blank ones; of one over the limit only its size.

        ``before`` was read from the stream already; ``number`` lines came earlier.
        """
        *whole, tail = before.split(b"\n")
        for line in whole:
            number += 1
            if line.strip():
                yield number, line
        while True:
            number += 1
            line = tail + self.stream.readline(self.limits.document)
            tail = b""
            if not line:
                return
            if len(line) >= self.limits.document and not line.endswith(b"\n"):
                size = len(line)
                line = b""
                yield number, size + self._skip_line()
            elif not line.isspace():
                yield number, line

    def _skip_line(self) -> int:
        size = 0
        while True:
            rest = self.stream.readline(_CHUNK)
            size += len(rest)
            if not rest or rest.endswith(b"\n"):
                return size

    def rest(self) -> bytes:
        """All that is left; if it is more than one document may be, one byte more than that."""
        return self.stream.read(self.limits.document + 1)

    def __enter__(self) -> OpenedFile:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stream.close()
        self._raw.close()


class _Feed(io.RawIOBase):
    """Decompresses chunk by chunk, up to ``limit`` bytes."""

    def __init__(self, raw: io.BufferedReader, limit: int) -> None:
        super().__init__()
        self.broken: str | None = None
        self._chunks = _decompressed(raw, self)
        self._left = memoryview(b"")
        self._limit = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._left:
            if self.broken is not None:
                return 0
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        size = min(len(buffer), len(self._left))
        self._limit -= size
        if self._limit < 0:
            self.broken = "the file is too large after decompression"
            self._left = memoryview(b"")
            return 0
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size


def _decompressed(raw: io.BufferedReader, feed: _Feed) -> Iterator[bytes]:
    try:
        head = raw.peek(4)[:4]
        if head.startswith(GZIP):
            yield from _gunzip(raw, feed)
        elif head.startswith(ZSTD):
            yield from _unzstd(raw, feed)
        else:
            while chunk := raw.read(_CHUNK):
                yield chunk
    except (zlib.error, zstandard.ZstdError, MemoryError):
        feed.broken = "the compressed data is damaged"
    except OSError:
        feed.broken = "reading failed"


def _gunzip(raw: io.BufferedReader, feed: _Feed) -> Iterator[bytes]:
    """All members of a gzip file; each step gives at most a chunk times four."""
    member = zlib.decompressobj(wbits=31)
    data = b""
    while True:
        data = data or raw.read(_CHUNK)
        if member.eof:
            data = data.lstrip(b"\0")  # padding after the last member is allowed
            if not data:
                if not (data := raw.read(_CHUNK)):
                    return
                continue
            member = zlib.decompressobj(wbits=31)
        if not data:
            feed.broken = "the gzip data ends too early"
            return
        yield member.decompress(data, 4 * _CHUNK)
        data = member.unconsumed_tail or member.unused_data


def _unzstd(raw: io.BufferedReader, feed: _Feed) -> Iterator[bytes]:
    """All frames of a zstd file."""
    factory = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    frame = factory.decompressobj()
    data = b""
    while True:
        data = data or raw.read(_ZSTD_CHUNK)
        if not data:
            if not frame.eof:
                feed.broken = "the zstd data ends too early"
            return
        if frame.eof:
            frame = factory.decompressobj()
        yield frame.decompress(data)
        data = frame.unused_data if frame.eof else b""


def decompress(data: bytes, limit: int) -> bytes | None:
    """One compressed message, ``None`` if damaged or larger than ``limit``; else unchanged."""
    if not data.startswith((GZIP, ZSTD)):
        return data
    feed = _Feed(io.BufferedReader(io.BytesIO(data)), limit)
    content = io.BufferedReader(feed).read()
    return None if feed.broken else content
