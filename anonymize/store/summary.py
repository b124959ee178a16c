"""What a store holds, in a few counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from anonymize.store.values import json_value

if TYPE_CHECKING:
    from anonymize.store.reader import Store


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


def summary_of(store: Store) -> StoreSummary:
    """Counts over the whole store. Errors as in ``Store.reading``."""
    traces, steps = store.scan("traces"), store.scan("steps")
    by = ["date", "agent", "agent_version"]
    with store.reading():
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
    more: Counter[str] = Counter()
    for (kind, _), count in store.more().items():
        more[kind] += count
    return StoreSummary(
        traces=sum(p.traces for p in partitions),
        partitions=partitions,
        steps=dict(kinds),
        flags=dict(counted),
        entities=dict(sorted(total.items())),
        skipped=len(store.skipped()) + more["skipped"],
        quarantined=len(store.quarantined()) + more["quarantined"],
        bytes=sum(part.bytes for m in store.manifests() for part in m.parts),
    )
