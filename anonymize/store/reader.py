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

from anonymize.store.manifest import Manifest, Part, Snapshot, load
from anonymize.store.scan import (
    OpenPart,
    check_size,
    decode_all,
    find,
    frame,
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

    Reading while a writer replaces traces is safe: a partition that has been rewritten is read
    as it is by then.

    Raises:
        StoreError: there is no store, a manifest is damaged or of a newer version.
    """

    def __init__(self, root: Path) -> None:
        self._root = Path(root)
        self._snapshot: Snapshot = load(self._root)
        self._checked: set[str] = set()

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
            place = find(self._root, snapshot, [trace_id]).get(trace_id)
            return None if place is None else self._one(place.part, trace_id)

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

    def skipped(self) -> list[SkippedTrace]:
        """What could not be read as a trace, by source and in the order it was met."""
        return [r for r in read_skips(self._root) if isinstance(r, SkippedTrace)]

    def quarantined(self) -> list[QuarantinedTrace]:
        """What could not be scrubbed with certainty, by source and in the order it was met."""
        return [r for r in read_skips(self._root) if isinstance(r, QuarantinedTrace)]

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
        records = Counter(type(record) for record in read_skips(self._root))
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

    def _chosen(self, dates: tuple[date, date] | None, agent: str | None) -> list[Manifest]:
        return _chosen(self._snapshot, dates, agent)

    def _paths(self, manifests: Collection[Manifest], table: Table) -> list[Path]:
        found = []
        for manifest in manifests:
            for part in manifest.parts:
                if file := part.files.get(table):
                    path = self._root / file.path
                    check_size(path, file)
                    found.append(path)
        return found

    def _open(self, manifest: Manifest) -> list[OpenPart]:
        def read(snapshot: Snapshot) -> list[OpenPart]:
            now = snapshot.get(manifest.partition)
            return [OpenPart(self._root, part) for part in now.parts] if now else []

        return self._retry(read)

    def _one(self, part: Part, trace_id: str) -> Trace:
        """One trace of a part, reading only the row groups that hold it."""
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
                fresh = load(self._root)
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
