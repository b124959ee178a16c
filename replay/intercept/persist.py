"""Cassettes on disk: Parquet for reading fast, and a journal for what a killed run had recorded.

Rows of the Parquet file are as :mod:`replay.intercept.rows` has them, sorted by ``key``,
``trace_id`` and ``number``.

The journal (``NAME.journal``) is appended to and synced as a run goes on: a head with a random
id, then records of length, checksum and Arrow data. A record that a kill cut short is left out.
Merging writes a new Parquet file that names the journal it has swallowed, and then removes it:
a kill in between loses nothing and doubles nothing.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from anonymize.errors import UsageError
from replay.intercept.cassette import Interaction
from replay.intercept.keys import DEFAULT_RULES, MatchRules, match_key
from replay.intercept.rows import ROW_GROUP, SCHEMA, Rows, table_of

VERSION = 1
_MAGIC = b"replay-journal-1"
_RECORD = struct.Struct("<QI")


def load(path: Path, rules: MatchRules = DEFAULT_RULES) -> tuple[Rows | None, list[Interaction]]:
    """The rows of the file, and what its journal holds besides.

    Raises:
        UsageError: not a cassette, or one of a newer version.
    """
    # In this order: a merge in between only makes the journal one that is left out.
    journal = _read_journal(_journal(path))
    rows: Rows | None = None
    swallowed = b""
    if path.exists():
        table = _read(path)
        meta = table.schema.metadata or {}
        swallowed = meta.get(b"replay.journal", b"")
        keys = [key.hex() for key in table.column("key").to_pylist()]
        rows = Rows(table, keys)
        if meta.get(b"replay.rules", b"").decode() != rules.digest():
            rows = Rows(table, [_key_under(rules, rows.interaction(n)) for n in range(len(keys))])
    if journal is None or journal[0] == swallowed:
        return rows, []
    return rows, [replace(item, key=_key_under(rules, item)) for item in journal[1]]


def save(
    path: Path,
    items: Iterable[Interaction],
    rules: MatchRules = DEFAULT_RULES,
    *,
    scrubbed: bool = True,
    journal: bytes = b"",
) -> None:
    """Write a cassette in one step: staged, synced, renamed, and the folder synced."""
    table = table_of(items).sort_by([(n, "ascending") for n in ("key", "trace_id", "number")])
    meta = {
        b"replay.cassette": str(VERSION).encode(),
        b"replay.rules": rules.digest().encode(),
        b"replay.scrubbed": b"yes" if scrubbed else b"no",
        b"replay.journal": journal,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with staged.open("wb") as file:
            pq.write_table(
                table.replace_schema_metadata(meta),
                file,
                compression="zstd",
                compression_level=3,
                row_group_size=ROW_GROUP,
                use_dictionary=["trace_id", "method", "scheme", "host", "path", "content_type"],
                write_statistics=["key"],
            )
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)
    _sync_folder(path.parent)


def is_scrubbed(path: Path) -> bool:
    """Whether the cassette was written by way of the scrubber."""
    return _metadata(path).get(b"replay.scrubbed") == b"yes"


def _metadata(path: Path) -> dict[bytes, bytes]:
    try:
        return dict(pq.read_schema(path).metadata or {})
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from None


class CassetteWriter:
    """Adds to the cassette at ``path``: what :meth:`append` was given survives a kill.

    Several processes may write to one cassette. ``scrubbed`` says whether what is added is.
    """

    def __init__(
        self, path: Path, rules: MatchRules = DEFAULT_RULES, *, scrubbed: bool = False
    ) -> None:
        from filelock import FileLock

        self._path = path
        self._scrubbed = scrubbed
        self._whole = 0
        self._rules = rules
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path.with_name(f".{path.name}.lock"))

    def append(self, items: Sequence[Interaction]) -> None:
        """Write these down; they are on disk when this returns."""
        if not items:
            return
        sink = pa.BufferOutputStream()
        table = table_of(items)
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        data = zlib.compress(sink.getvalue().to_pybytes(), 1)
        record = _RECORD.pack(len(data), zlib.crc32(data)) + data
        with self._lock, _journal(self._path).open("ab") as file:
            file.truncate(self._good())
            file.seek(0, os.SEEK_END)
            if file.tell() == 0:
                file.write(_MAGIC + os.urandom(16))
            file.write(record)
            file.flush()
            os.fsync(file.fileno())
            self._whole = file.tell()

    def close(self) -> None:
        """Merge the journal into the Parquet file."""
        with self._lock:
            journal = _read_journal(_journal(self._path))
            if journal is None:
                return
            rows, later = load(self._path, self._rules)
            if later:
                scrubbed = self._scrubbed and (rows is None or is_scrubbed(self._path))
                merged = [*(rows or ()), *later]
                save(self._path, merged, self._rules, scrubbed=scrubbed, journal=journal[0])
            _journal(self._path).unlink(missing_ok=True)

    def _good(self) -> int:
        """Bytes of the journal after which to go on: what follows a torn record, or a journal that
        was merged already, would never be read.
        """
        head = len(_MAGIC) + 16
        with _journal(self._path).open("rb") as file:
            raw = file.read(head)
            size = file.seek(0, os.SEEK_END)
        if len(raw) < head or raw[: len(_MAGIC)] != _MAGIC:
            return 0
        if self._path.exists() and _metadata(self._path).get(b"replay.journal") == raw[16:head]:
            return 0
        if size == self._whole:  # as this writer left it
            return size
        records = _records(_journal(self._path).read_bytes())
        return head + sum(_RECORD.size + len(record) for record in records)


def _journal(path: Path) -> Path:
    return path.with_name(f"{path.name}.journal")


def _read_journal(path: Path) -> tuple[bytes, list[Interaction]] | None:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from None
    if raw[: len(_MAGIC)] != _MAGIC:
        return None  # killed within the first write
    items: list[Interaction] = []
    for record in _records(raw):
        table = pa.ipc.open_stream(zlib.decompress(record)).read_all()
        keys = [key.hex() for key in table.column("key").to_pylist()]
        items.extend(Rows(table, keys))
    return raw[len(_MAGIC) : len(_MAGIC) + 16], items


def _records(raw: bytes) -> Iterator[bytes]:
    position = len(_MAGIC) + 16
    while position + _RECORD.size <= len(raw):
        size, checksum = _RECORD.unpack_from(raw, position)
        data = raw[position + _RECORD.size : position + _RECORD.size + size]
        if len(data) < size or zlib.crc32(data) != checksum:
            return
        yield data
        position += _RECORD.size + size


def _read(path: Path) -> pa.Table:
    try:
        schema = pq.read_schema(path)
        version = (schema.metadata or {}).get(b"replay.cassette", b"")
        if not version.isdigit():
            raise KeyError("not ours")
        if int(version) > VERSION:
            raise UsageError(
                f"this cassette has version {int(version)}, and this release reads up to {VERSION}",
                where=str(path),
                fix="upgrade replay-harness, or record again",
            )
        # A file that changes its columns is refused below, whatever its version says.
        return pq.read_table(path, columns=SCHEMA.names, memory_map=True).select(SCHEMA.names)
    except (pa.ArrowException, OSError, KeyError, TypeError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> UsageError:
    return UsageError(
        f"this is not a cassette ({type(error).__name__})",
        where=str(path),
        fix="name another file, or remove this one to record again; a YAML or JSON cassette of "
        "vcrpy becomes one with `replay cassette import`",
    )


def _key_under(rules: MatchRules, item: Interaction) -> str:
    return match_key(item.method, item.uri, item.content_type, item.request, rules)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
