"""Reading the store: traces in order, one trace by id, plain tables for polars and duckdb.

Only files that a manifest names are read. What is damaged is told as a
:class:`~anonymize.errors.StoreError` that says which file and what to do.
"""

from __future__ import annotations

import heapq
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Literal, TypeVar

import polars as pl

from anonymize.store.manifest import Manifest, Part, Snapshot
from anonymize.store.place import open_place
from anonymize.store.scan import (
    Index,
    OpenPart,
    changed,
    check_size,
    decode_all,
    filled,
    frame,
    locate,
    missing,
    read_blobs,
    read_checked,
    readable,
)
from anonymize.store.schema import Table
from anonymize.store.skips import read_more, read_skips
from anonymize.store.summary import StoreSummary, summary_of
from anonymize.trace import QuarantinedTrace, SkippedTrace, Trace

T = TypeVar("T")

#: A reader that asks for so many traces one by one gets an index, unless that would be too large.
_OFTEN = 3
_INDEXED = 3_000_000


class Store:
    """A store as it was when it was opened; open it again to see later writes.

    Reading while a writer works is safe. What was merged or pruned meanwhile stays readable for
    a reader in another process, up to a day; a partition of which traces were replaced or
    forgotten is read as it is by then.

    ``root`` is a folder, or the URL of an object store as a path.

    Raises:
        StoreError: there is no store, a manifest is damaged or of a newer version.
    """

    def __init__(self, root: Path) -> None:
        self._place = open_place(Path(root))
        self._root = self._place.folder
        self._place.lease(self)
        self._snapshot: Snapshot = self._place.load()
        self._checked: set[str] = set()
        self._index: Index | None = None
        self._asked = 0

    @property
    def root(self) -> Path:
        """The folder that the store's files are read from."""
        return self._root

    def traces(
        self,
        *,
        dates: tuple[date, date] | None = None,
        agent: str | None = None,
        agent_version: str | None = None,
        ids: Collection[str] | None = None,
    ) -> Iterator[Trace]:
        """The traces by (date, agent, trace id), exactly as they were written; lazy.

        ``dates`` are the first and the last UTC day, both included; undated traces are on
        1970-01-01. ``None`` means any. No trace comes twice, whatever is written meanwhile. Memory
        holds, for each part of one day and agent, its compressed files and one group of some ten
        thousand rows, and eight bytes a trace.
        """
        wanted = _wanted(agent_version, ids)
        opened, read, known = self._snapshot, array("q"), None
        for manifest in self._chosen(dates, agent):
            parts = self._open(manifest)
            if known is None and self._snapshot is not opened:
                known = set(read)  # what moved to a later day meanwhile was read already
            # Not one list of all: a part's chunks are decoded as the merge asks for them.
            for trace in heapq.merge(*(p.traces(wanted) for p in parts), key=_id_of):
                name = hash(trace.trace_id)
                if known is None:
                    read.append(name)
                elif name in known:
                    continue
                else:
                    known.add(name)
                yield trace

    def ids(
        self,
        *,
        dates: tuple[date, date] | None = None,
        agent: str | None = None,
        agent_version: str | None = None,
        ids: Collection[str] | None = None,
    ) -> list[str]:
        """The ids of what :meth:`traces` yields, in its order, without reading the traces."""
        wanted = _wanted(agent_version, ids)

        def read(snapshot: Snapshot) -> list[str]:
            chosen = _chosen(snapshot, dates, agent)
            rows = frame(self._paths(chosen, "traces"), "traces")
            with readable(self._root / "traces"):
                rows = rows if wanted is None else rows.filter(wanted)
                ordered = rows.sort("date", "agent", "trace_id").select("trace_id").collect()
            return ordered["trace_id"].to_list()

        return self._retry(read)

    def trace(self, trace_id: str) -> Trace | None:
        """The trace of that id, or ``None``."""
        if not _is_text(trace_id):
            return None

        def read(snapshot: Snapshot) -> Trace | None:
            part = self._part_of(snapshot, trace_id)
            return None if part is None else self._one(part, trace_id)

        return self._retry(read)

    def files(self, table: Table) -> list[Path]:
        """The table's Parquet files, by (date, agent): what other tools may read.

        ``pl.scan_parquet(store.files("steps"))`` works as it is, and so does duckdb's
        ``read_parquet([...], hive_partitioning=false)``. Date and agent are columns of every
        file; what duckdb would guess from the folders is not the name if that is a number or
        very long.

        Raises:
            StoreError: a file is missing or has not the length that its manifest says.
        """
        return self._retry(lambda snapshot: self._paths(_chosen(snapshot, None, None), table))

    def scan(self, table: Literal["traces", "steps", "messages", "blobs"]) -> pl.LazyFrame:
        """The whole table as a lazy frame; each blob once. Errors as in :meth:`files`."""
        rows = frame(self.files(table), table)
        return rows.unique("blob", keep="any") if table == "blobs" else rows

    def scan_filled(self) -> pl.LazyFrame:
        """The table ``steps`` with the texts that are kept in messages (``text_ref`` and
        ``parsed_ref``) filled in. Errors as in :meth:`files`."""
        return filled(self.scan("steps"), self.scan("messages"))

    def scan_parts(self, *tables: Table) -> Iterator[dict[Table, pl.LazyFrame]]:
        """Each part's tables as lazy frames: all rows of a trace are in one part, so that what is
        counted trace by trace needs the memory of one part. Errors as in :meth:`reading`."""
        for manifest in self.manifests():
            for part in manifest.parts:
                yield self.scan_part(part, *tables)

    def scan_part(self, part: Part, *tables: Table) -> dict[Table, pl.LazyFrame]:
        """One part's tables as lazy frames. Errors as in :meth:`reading`."""
        files = {t: [f] if (f := part.files.get(t)) else [] for t in tables}
        with self.reading():
            self._place.fetch([f for found in files.values() for f in found])
            for file in (f for found in files.values() for f in found):
                check_size(self._root / file.path, file)
        paths = {t: [self._root / f.path for f in found] for t, found in files.items()}
        return {t: frame(found, t) for t, found in paths.items()}

    def refresh(self) -> None:
        """Read on from the store as it is now."""
        self._snapshot = self._place.load()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Around whatever collects a lazy frame of the store: errors made plain.

        Raises:
            ChangedStore: a writer has replaced a file since the store was opened.
            StoreError: a file is missing or damaged.
        """
        try:
            with readable(self._root):
                yield
        except FileNotFoundError as error:
            path = Path(error.filename or self._root)
            raise (missing if self._place.load() == self._snapshot else changed)(path) from None

    def manifests(
        self, *, dates: tuple[date, date] | None = None, agent: str | None = None
    ) -> list[Manifest]:
        """What each day and agent consists of, by (date, agent); arguments as :meth:`traces`."""
        return _chosen(self._snapshot, dates, agent)

    def skipped(self) -> list[SkippedTrace]:
        """What could not be read as a trace, by source and in the order it was met."""
        return [r for r in self._records() if isinstance(r, SkippedTrace)]

    def quarantined(self) -> list[QuarantinedTrace]:
        """What could not be scrubbed with certainty, by source and in the order it was met."""
        return [r for r in self._records() if isinstance(r, QuarantinedTrace)]

    def more(self) -> Counter[tuple[str, str]]:
        """How many were skipped or quarantined beside those listed, by kind and reason."""
        self._place.pull()
        return read_more(self._root)

    def policies(self) -> set[str]:
        """Digests of the policies that traces were scrubbed under; a key's name ends each."""

        def read(snapshot: Snapshot) -> set[str]:
            rows = frame(self._paths(_chosen(snapshot, None, None), "traces"), "traces")
            with readable(self._root / "traces"):
                return set(rows.select("policy").drop_nulls().unique().collect()["policy"])

        return self._retry(read)

    def summary(self) -> StoreSummary:
        """Counts over the whole store."""
        return summary_of(self)

    def _records(self) -> list[SkippedTrace | QuarantinedTrace]:
        self._place.pull()
        return read_skips(self._root)

    def _chosen(self, dates: tuple[date, date] | None, agent: str | None) -> list[Manifest]:
        return _chosen(self._snapshot, dates, agent)

    def _paths(self, manifests: Collection[Manifest], table: Table) -> list[Path]:
        files = [f for m in manifests for p in m.parts if (f := p.files.get(table))]
        self._place.fetch(files)
        for file in files:
            check_size(self._root / file.path, file)
        return [self._root / file.path for file in files]

    def _open(self, manifest: Manifest) -> list[OpenPart]:
        def read(snapshot: Snapshot) -> list[OpenPart]:
            now = snapshot.get(manifest.partition)
            return [OpenPart(self._place, part) for part in now.parts] if now else []

        return self._retry(read)

    def _part_of(self, snapshot: Snapshot, trace_id: str) -> Part | None:
        if self._index is not None and self._index.snapshot is snapshot:
            return self._index.part(trace_id)
        self._asked += 1
        traces = sum(part.traces for m in snapshot.values() for part in m.parts)
        if self._asked >= _OFTEN and traces <= _INDEXED:
            self._index = Index(self._place, snapshot)
            return self._index.part(trace_id)
        return locate(self._place, snapshot, trace_id)

    def _one(self, part: Part, trace_id: str) -> Trace:
        """One trace of a part, reading only the row groups that hold it."""
        self._place.fetch(part.files.values())
        for file in part.files.values():
            if file.path not in self._checked:
                read_checked(self._root / file.path, file)
                self._checked.add(file.path)

        def scan(table: Table) -> pl.LazyFrame:
            file = part.files.get(table)
            return frame([self._root / file.path] if file else [], table)

        own = pl.col("trace_id") == trace_id
        path = self._root / part.files["traces"].path
        with readable(path):
            traces, steps, messages = pl.collect_all(
                [scan(table).filter(own) for table in ("traces", "steps", "messages")]
            )
            used = {*steps["tools_blob"].drop_nulls(), *messages["content_blob"].drop_nulls()}
            blobs = read_blobs(scan("blobs").filter(pl.col("blob").is_in(list(used))))
        return next(decode_all(path, traces, steps, messages, blobs))

    def _retry(self, read: Callable[[Snapshot], T]) -> T:
        """``read``, again with fresh manifests if a writer has replaced its files meanwhile."""
        for _ in range(10):
            try:
                return read(self._snapshot)
            except FileNotFoundError as error:
                path = Path(error.filename or self._root)
                fresh = self._place.load()
                if fresh == self._snapshot:
                    break
                self._snapshot = fresh
        else:
            raise changed(path)
        raise missing(path)


def _chosen(
    snapshot: Snapshot, dates: tuple[date, date] | None, agent: str | None
) -> list[Manifest]:
    """The manifests of those days and that agent, by (date, agent)."""
    return [
        snapshot[day, name]
        for day, name in sorted(snapshot)
        if (dates is None or dates[0] <= day <= dates[1]) and (agent is None or agent == name)
    ]


def _wanted(agent_version: str | None, ids: Collection[str] | None) -> pl.Expr | None:
    conditions = []
    if agent_version is not None:
        conditions.append(pl.col("agent_version") == agent_version)
    if ids is not None:
        conditions.append(pl.col("trace_id").is_in([i for i in ids if _is_text(i)]))
    return pl.all_horizontal(conditions) if conditions else None


def _id_of(trace: Trace) -> str:
    return trace.trace_id


def _is_text(trace_id: str) -> bool:
    """Whether the id is Unicode; what isn't can't be in the store, nor be asked of polars."""
    try:
        trace_id.encode()
    except UnicodeEncodeError:
        return False
    return True
