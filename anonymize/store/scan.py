"""Parquet files to polars frames, with the errors of damaged files made plain.

polars panics on some damaged files (an error that ``except Exception`` doesn't catch, and a
backtrace on stderr), so whole parts are held against their checksum before polars sees them.
"""

from __future__ import annotations

import os
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import polars as pl

from anonymize.errors import StoreError
from anonymize.store.decode import Blobs, Rows, decode
from anonymize.store.manifest import Manifest, Part, PartFile, Partition, Snapshot
from anonymize.store.place import Place as StorePlace
from anonymize.store.schema import Table, polars_schema
from anonymize.store.shared import LONG
from anonymize.trace import Trace

#: How many traces of a chunk are Python objects at a time.
DECODED_TRACES = 50

_UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OverflowError)
_AGAIN = (
    "delete the partition's manifest (same date and agent, under _manifests) and ingest that "
    "date again"
)


def damaged(path: Path, how: str) -> StoreError:
    """The error for a data file that can't be what was written."""
    return StoreError(
        f"a file of the store is damaged: {how}",
        where=str(path),
        fix=_AGAIN,
    )


class MissingFile(StoreError):
    """A data file that a manifest names isn't there."""


class ChangedStore(StoreError):
    """A data file was replaced while the store was read: nothing is damaged."""


def changed(path: Path) -> ChangedStore:
    """The error for a data file that was there when the store was opened."""
    return ChangedStore(
        "the store changed while it was read: traces were replaced, or forgotten",
        where=str(path),
        fix="run the same again",
    )


def missing(path: Path) -> MissingFile:
    """The error for a data file that a manifest names and that isn't there."""
    return MissingFile(
        "a file of the store is missing: its manifest names it", where=str(path), fix=_AGAIN
    )


def check_size(path: Path, file: PartFile) -> None:
    """Raise :class:`StoreError` if the file hasn't the length that its manifest says.

    A file that isn't there stays a ``FileNotFoundError``: a writer may have replaced it.
    """
    size = path.stat().st_size
    if size != file.bytes:
        raise damaged(path, f"it has {size:,} bytes, its manifest says {file.bytes:,}")


def read_checked(path: Path, file: PartFile) -> bytes:
    """The file's bytes, if they are what its manifest says; else as :func:`check_size`."""
    with readable(path):
        check_size(path, file)
        data = path.read_bytes()
    if zlib.crc32(data) != file.crc32:
        raise damaged(path, "its checksum is not the one in its manifest")
    return data


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what polars raises on damaged files into a :class:`StoreError` about ``path``."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(f"can't read the store: {error.strerror}", where=str(path)) from error
    except _UNREADABLE as error:
        raise damaged(path, f"polars can't read it ({type(error).__name__})") from None


def frame(
    source: bytes | Sequence[Path | str], table: Table, *, path_column: str = ""
) -> pl.LazyFrame:
    """The rows in today's columns: what an older version didn't write is null."""
    schema = polars_schema(table)
    if not source:
        return pl.LazyFrame(schema=schema)
    return pl.scan_parquet(
        source if isinstance(source, bytes) else [str(path) for path in source],
        schema=schema,
        missing_columns="insert",
        extra_columns="ignore",
        glob=False,
        hive_partitioning=False,
        include_file_paths=path_column or None,
    )


def filled(steps: pl.LazyFrame, messages: pl.LazyFrame) -> pl.LazyFrame:
    """The steps with the texts that ``messages`` of the same traces hold for them."""
    at = pl.coalesce("text_ref", "parsed_ref").alias("_at")
    content = pl.col("content_json").alias("_")
    held = messages.select("trace_id", pl.col("seq").alias("_at"), content)
    same = pl.col("text_ref").is_not_null()
    # What is not to be parsed may be no text, which polars would refuse.
    inner = pl.when(~same).then("_").str.json_decode(pl.String)
    text = pl.when(same).then("_").otherwise(inner)
    return (
        steps.with_columns(at)
        .join(held, on=["trace_id", "_at"], how="left", maintain_order="left")
        .with_columns(
            pl.when(pl.col("_at").is_not_null() & (pl.col("kind") == kind))
            .then(text)
            .otherwise(column)
            .alias(column)
            for kind, column in LONG.items()
        )
        .drop("_at", "_")
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a trace is, and the digest of its content."""

    partition: Partition
    part: Part
    digest: str


def find(place: StorePlace, snapshot: Snapshot, ids: Sequence[str]) -> dict[str, Place]:
    """The places of those of the traces ``ids`` that are in the store.

    Raises ``FileNotFoundError`` if a file is missing, :class:`StoreError` if one is damaged.
    """
    places = _trace_files(place, snapshot)
    if not places:
        return {}
    wanted = pl.col("trace_id").is_in(ids) if len(ids) > 1 else pl.col("trace_id") == ids[0]
    with readable(place.folder / "traces"):
        found = frame([*places], "traces", path_column="path").filter(wanted)
        rows = found.select("trace_id", "path", "digest").collect().rows()
    return {trace_id: Place(*places[path], digest) for trace_id, path, digest in rows}


def _trace_files(place: StorePlace, snapshot: Snapshot) -> dict[str, tuple[Partition, Part]]:
    """The files of the table ``traces``, and what they are of. Errors as in :func:`find`."""
    places: dict[str, tuple[Partition, Part]] = {}
    root = str(place.folder)
    place.fetch(p.files["traces"] for m in snapshot.values() for p in m.parts)
    with readable(place.folder / "traces"):
        for partition, manifest in snapshot.items():
            for part in manifest.parts:
                file = part.files["traces"]
                path = f"{root}/{file.path}"  # not a Path: with thousands of them it is the half
                if os.stat(path).st_size != file.bytes:  # noqa: PTH116
                    check_size(Path(path), file)
                places[path] = (partition, part)
    return places


def locate(place: StorePlace, snapshot: Snapshot, trace_id: str) -> Part | None:
    """The part that holds the trace, or ``None``. Errors as in :func:`find`.

    Ten times as fast as :func:`find`: for each file that a Parquet reader opens it reads the footer
    with all of its columns, and there are hundreds of files.
    """
    wanted = trace_id.encode()
    # As Parquet's plain encoding has it: the length, and the text.
    mark = len(wanted).to_bytes(4, "little") + wanted
    own = pl.col("trace_id") == trace_id
    older: dict[Partition, Manifest] = {}
    for path, (partition, part) in _trace_files(place, snapshot).items():
        if not part.ids:
            parts = (*older[partition].parts, part) if partition in older else (part,)
            older[partition] = replace(snapshot[partition], parts=parts)
        elif _holds(path, part, mark):
            with readable(Path(path)):
                if frame([path], "traces").filter(own).select("trace_id").collect().height:
                    return part
    found = find(place, older, [trace_id]).get(trace_id)
    return None if found is None else found.part


def _holds(path: str, part: Part, mark: bytes) -> bool:
    with readable(Path(path)), open(path, "rb", buffering=0) as file:  # noqa: PTH123 - hundreds
        for start, size, crc in part.ids:
            file.seek(start)
            data = file.read(size)
            if zlib.crc32(data) != crc:
                raise damaged(Path(path), "its checksum is not the one in its manifest")
            if mark in data:
                return True
    return False


class Index:
    """Which part holds which trace, of one snapshot: some 40 bytes a trace, read once.

    For readers that ask for one trace after the other; :func:`find` opens each file each time.
    """

    def __init__(self, place: StorePlace, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        places = _trace_files(place, snapshot)
        self._parts = [part for _, part in places.values()]
        with readable(place.folder / "traces"):
            self._ids = frame([*places], "traces").select("trace_id").collect()["trace_id"]
        self._ends = list(accumulate(part.traces for part in self._parts))
        if len(self._ids) != sum(part.traces for part in self._parts):
            raise damaged(place.folder / "traces", "it has not the rows that its manifests say")

    def part(self, trace_id: str) -> Part | None:
        """The part with that trace, or ``None``."""
        rows = (self._ids == trace_id).arg_true()
        if rows.is_empty():
            return None
        return self._parts[bisect_right(self._ends, rows[0])]


class OpenPart:
    """One part, read into memory as it is on disk (compressed) and decoded chunk by chunk.

    Held as bytes, it stays whole when a writer replaces the files meanwhile.
    """

    def __init__(self, place: StorePlace, part: Part) -> None:
        root = place.folder
        place.fetch(part.files.values())
        self._part = part
        self._path = root / part.files["traces"].path
        self._data: Mapping[Table, bytes] = {
            table: read_checked(root / file.path, file) for table, file in part.files.items()
        }
        self._blobs: Blobs | None = None

    def traces(self, wanted: pl.Expr | None) -> Iterator[Trace]:
        """The traces whose row in ``traces`` fulfils ``wanted``, by id; one chunk in memory."""
        starts = accumulate(self._part.chunks, _sum3, initial=(0, 0, 0))
        for start, length in zip(starts, self._part.chunks, strict=False):
            with readable(self._path):
                rows = self._slice("traces", start[0], length[0])
                if wanted is not None:
                    rows = rows.filter(wanted)
                traces = rows.collect()
                if traces.is_empty():
                    continue
                steps = self._slice("steps", start[1], length[1])
                messages = self._slice("messages", start[2], length[2])
                if traces.height < length[0]:
                    ids = traces["trace_id"].implode()
                    steps = steps.filter(pl.col("trace_id").is_in(ids))
                    messages = messages.filter(pl.col("trace_id").is_in(ids))
                if self._blobs is None:
                    blobs = frame(self._data.get("blobs", b""), "blobs")
                    self._blobs = read_blobs(blobs)
                chunk = traces, steps.collect(), messages.collect()
            yield from decode_all(self._path, *chunk, self._blobs)

    def _slice(self, table: Table, start: int, length: int) -> pl.LazyFrame:
        return frame(self._data.get(table, b""), table).slice(start, length)


def _sum3(a: tuple[int, int, int], b: tuple[int, int, int]) -> tuple[int, int, int]:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def read_blobs(blobs: pl.LazyFrame) -> Blobs:
    """The texts of a frame of blobs by name."""
    return Blobs(dict(blobs.select("blob", "text_json").collect().rows()))


def decode_all(
    path: Path, traces: pl.DataFrame, steps: pl.DataFrame, messages: pl.DataFrame, blobs: Blobs
) -> Iterator[Trace]:
    """The traces of these rows, all sorted by id; ``path`` is named where they contradict.

    Rows become Python objects some traces at a time: those take many times the frames' memory.
    """
    next_step = next_message = 0
    for some in traces.iter_slices(DECODED_TRACES):
        n_steps, n_messages = int(some["n_steps"].sum()), int(some["n_messages"].sum())
        own_steps = _columns(steps.slice(next_step, n_steps))
        own_messages = _columns(messages.slice(next_message, n_messages))
        next_step += n_steps
        next_message += n_messages
        step = message = 0
        rows = _columns(some)
        for values in zip(*rows.values(), strict=True):
            row = dict(zip(rows, values, strict=True))
            try:
                last = step + row["n_steps"], message + row["n_messages"]
                trace = decode(
                    row, Rows(own_steps, step, last[0]), Rows(own_messages, message, last[1]), blobs
                )
            except (KeyError, IndexError, ValueError, TypeError, OverflowError) as error:
                how = f"a trace's rows don't fit ({type(error).__name__})"
                raise damaged(path, how) from None
            step, message = last
            yield trace


def _columns(rows: pl.DataFrame) -> dict[str, list[Any]]:
    """The columns as Python values. Most of them are empty, and cost nothing then."""
    found: dict[str, list[Any]] = {}
    for column in rows.get_columns():
        if column.null_count() == rows.height:
            found[column.name] = [None] * rows.height
        elif column.name == "started_at":
            # Times as numbers: polars would look up a time zone for each.
            found[column.name] = column.to_physical().to_list()
        elif column.name not in ("date", "agent") or "n_steps" in rows.columns:
            found[column.name] = column.to_list()
    return found
