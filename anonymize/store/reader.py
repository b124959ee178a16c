"""Reading the store: traces in order, one trace by id, plain tables for polars and duckdb.

Only files that a manifest names are read. What is damaged is told as a
:class:`~anonymize.errors.StoreError` that says which file and what to do.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, TypeVar

import polars as pl

from anonymize.store.manifest import Manifest, Part, Snapshot
from anonymize.store.place import open_place
from anonymize.store.scan import (
    Index,
    OpenPart,
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
from anonymize.store.skips import read_skips
from anonymize.store.values import json_value
from anonymize.trace import QuarantinedTrace, SkippedTrace, Trace

T = TypeVar("T")

#: A reader that asks for so many traces one by one gets an index, unless that would be too large.
_OFTEN = 3
_INDEXED = 3_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionSummary:
    """How many traces of one agent version started on one day (UTC; 1970-01-01: undated)."""

    date: date
    agent: str
    version: str
    traces: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSummary:
    """What a store holds.

    ``steps`` counts by kind, ``flags`` traces by lossy flag, ``entities`` replaced values by
    kind; ``skipped`` and ``quarantined`` are records, ``bytes`` the Parquet files' size.
    """

    traces: int
    partitions: tuple[PartitionSummary, ...]
    steps: Mapping[str, int]
    flags: Mapping[str, int]
    entities: Mapping[str, int]
    skipped: int
    quarantined: int
    bytes: int


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
        1970-01-01. ``None`` means any. Memory holds, for each part of one day and agent, its
        compressed files and one group of some ten thousand rows.
        """
        wanted = _wanted(agent_version, ids)
        for manifest in self._chosen(dates, agent):
            parts = self._open(manifest)
            # Not one list of all: a part's chunks are decoded as the merge asks for them.
            yield from heapq.merge(*(p.traces(wanted) for p in parts), key=lambda t: t.trace_id)

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
        counted trace by trace needs the memory of one part. Errors as in :meth:`files`."""
        for manifest in self.manifests():
            for part in manifest.parts:
                yield self.scan_part(part, *tables)

    def scan_part(self, part: Part, *tables: Table) -> dict[Table, pl.LazyFrame]:
        """One part's tables as lazy frames. Errors as in :meth:`files`."""
        files = {t: [f] if (f := part.files.get(t)) else [] for t in tables}
        try:
            self._place.fetch([f for found in files.values() for f in found])
            for file in (f for found in files.values() for f in found):
                check_size(self._root / file.path, file)
        except FileNotFoundError as error:
            raise missing(Path(error.filename or self._root)) from None
        paths = {t: [self._root / f.path for f in found] for t, found in files.items()}
        return {t: frame(found, t) for t, found in paths.items()}

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

    def policies(self) -> set[str]:
        """Digests of the policies that traces were scrubbed under; a key's name ends each."""
        with readable(self._root / "traces"):
            found = self.scan("traces").select("policy").unique().collect()
        return set(found["policy"].drop_nulls())

    def summary(self) -> StoreSummary:
        """Counts over the whole store."""
        traces, steps = self.scan("traces"), self.scan("steps")
        by = ["date", "agent", "agent_version"]
        with readable(self._root):
            groups = traces.group_by(by).len().sort(by).collect().rows()
            kinds = steps.group_by("kind").len().sort("kind").collect().rows()
            flags = traces.select(pl.col("lossy_flags").list.unique().explode()).drop_nulls()
            counted = flags.group_by("lossy_flags").len().sort("lossy_flags").collect().rows()
            entities = traces.select("entities_json").collect()["entities_json"].drop_nulls()
        partitions = tuple(
            PartitionSummary(date=day, agent=agent, version=version, traces=count)
            for day, agent, version, count in groups
        )
        total: Counter[str] = Counter()
        for text in entities:
            total.update(json_value(text))
        records = Counter(type(record) for record in self._records())
        return StoreSummary(
            traces=sum(p.traces for p in partitions),
            partitions=partitions,
            steps=dict(kinds),
            flags=dict(counted),
            entities=dict(sorted(total.items())),
            skipped=records[SkippedTrace],
            quarantined=records[QuarantinedTrace],
            bytes=sum(part.bytes for m in self._snapshot.values() for part in m.parts),
        )

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


def _is_text(trace_id: str) -> bool:
    """Whether the id is Unicode; what isn't can't be in the store, nor be asked of polars."""
    try:
        trace_id.encode()
    except UnicodeEncodeError:
        return False
    return True
