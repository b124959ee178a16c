"""What a store holds, in figures: by day, by agent, by tool. Counts and names, no content.

Worked out part by part over columns, so memory holds the columns of one part.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Any

import polars as pl

from anonymize.playable import UNPLAYABLE
from anonymize.store.manifest import Part
from anonymize.store.reader import Store
from anonymize.store.scan import ChangedStore
from anonymize.trace import QuarantinedTrace, SkippedTrace

_TRIES = 5
_EMPTY = ["null", '""', "[]", "{}"]
#: Tool calls with these flags have no answer to replay, or not all of it (:mod:`..playable`).
_GAPS = ["tool_result_missing", "truncated", "redacted"]


@dataclass(slots=True, kw_only=True)
class Figures:
    """Sums over some traces. ``bytes`` are on disk; tokens and ``cost`` as the models said.

    ``errors`` are traces that ended in one, ``tool_errors`` calls. ``whole``, ``gaps`` and
    ``unplayable`` are traces by how well they can be replayed (:func:`anonymize.playable.grade`).
    """

    traces: int = 0
    spans: int = 0
    bytes: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    errors: int = 0
    tool_calls: int = 0
    tool_errors: int = 0
    whole: int = 0
    gaps: int = 0
    unplayable: int = 0

    def add(self, other: Figures) -> None:
        """Add the sums of other traces."""
        for one in fields(Figures):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


@dataclass(slots=True, kw_only=True)
class ToolFigures:
    """One tool: calls, the traces with any, those that failed, those without a result, and the
    bytes of arguments and results as text."""

    calls: int = 0
    traces: int = 0
    errors: int = 0
    silent: int = 0
    bytes: int = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row with the same names."""
        for one in fields(ToolFigures):
            setattr(self, one.name, getattr(self, one.name) + int(row[one.name] or 0))


@dataclass(slots=True, kw_only=True)
class StoreStats:
    """All of it. Days are ISO dates (UTC; 1970-01-01: undated); ``versions`` counts traces by
    agent, then version; ``served`` counts answers of replays by fidelity; ``trace_errors`` what
    traces ended in, by kind, ``step_errors`` what calls did."""

    total: Figures = field(default_factory=Figures)
    parts: int = 0
    days: dict[str, Figures] = field(default_factory=lambda: defaultdict(Figures))
    agents: dict[str, Figures] = field(default_factory=lambda: defaultdict(Figures))
    versions: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    tools: dict[str, ToolFigures] = field(default_factory=lambda: defaultdict(ToolFigures))
    models: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    trace_errors: Counter[str] = field(default_factory=Counter)
    step_errors: Counter[str] = field(default_factory=Counter)
    served: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)

    def document(self) -> dict[str, Any]:
        """As plain JSON, in a fixed order."""
        return {one.name: _plain(getattr(self, one.name)) for one in fields(StoreStats)}


def stats_of(
    store: Store, *, dates: tuple[date, date] | None = None, agent: str | None = None
) -> StoreStats:
    """The figures of ``store``, or of some days (first and last, both included) or one agent.

    What was skipped or quarantined belongs to no day or agent, and is counted over the whole store.

    Raises:
        StoreError: a file is damaged or missing.
    """
    for _ in range(_TRIES):
        with suppress(ChangedStore):
            return _stats_of(store, dates, agent)
        # From the beginning: a trace that moved to another day would be counted twice.
        store.refresh()
    return _stats_of(store, dates, agent)


def _stats_of(store: Store, dates: tuple[date, date] | None, agent: str | None) -> StoreStats:
    stats = StoreStats()
    for manifest in store.manifests(dates=dates, agent=agent):
        for part in manifest.parts:
            stats.parts += 1
            found = _of_part(store, part, stats, manifest.agent)
            for total in (
                stats.total,
                stats.days[manifest.date.isoformat()],
                stats.agents[manifest.agent],
            ):
                total.add(found)
    for record in (*store.skipped(), *store.quarantined()):
        if isinstance(record, SkippedTrace):
            stats.skipped[record.reason] += 1
        elif isinstance(record, QuarantinedTrace):
            stats.quarantined[record.reason] += 1
    for (kind, reason), count in store.more().items():
        (stats.skipped if kind == "skipped" else stats.quarantined)[reason] += count
    return stats


def _plain(value: Any) -> Any:
    if isinstance(value, Figures | ToolFigures):
        return asdict(value)
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in sorted(value.items())}
    return value


def _of_part(store: Store, part: Part, stats: StoreStats, agent: str) -> Figures:
    frames = store.scan_part(part, "traces", "steps", "messages")
    steps = frames["steps"]
    tools = _with_lengths(steps.filter(pl.col("kind").is_in(["tool", "retrieval"])), frames)
    asked = [
        _traces(frames["traces"]),
        steps.select(
            pl.len().alias("spans"),
            pl.col("input_tokens").sum(),
            pl.col("output_tokens").sum(),
            pl.col("cost").fill_nan(None).sum(),
        ),
        _tools(tools),
        _counts(steps.filter(pl.col("kind") == "llm"), "model"),
        _counts(steps, "fidelity"),
        _counts(steps, "error_kind"),
        tools.filter(_any_of("flags", _GAPS)).select(pl.col("trace_id").unique()),
    ]
    with store.reading():
        traces, sums, by_tool, models, served, kinds, gaps = pl.collect_all(asked)
        unplayable = _unplayable(frames, traces)
    for row in by_tool.iter_rows(named=True):
        stats.tools[row["name"] or ""].add(row)
    for counter, counted in (
        (stats.models, models),
        (stats.served, served),
        (stats.step_errors, kinds),
        (stats.versions[agent], _counted(traces, "agent_version")),
        (stats.trace_errors, _counted(traces, "error_kind")),
        (stats.flags, _counted(traces.select(pl.col("lossy_flags").list.unique().explode()))),
    ):
        counter.update({name: n for name, n in counted.rows() if name is not None})
    sum_of = sums.row(0, named=True)
    cut = set(gaps["trace_id"]) - unplayable
    return Figures(
        traces=traces.height,
        bytes=part.bytes,
        **{name: value or 0 for name, value in sum_of.items()},
        errors=traces["error_kind"].count(),
        tool_calls=int(by_tool["calls"].sum()),
        tool_errors=int(by_tool["errors"].sum()),
        whole=traces.height - len(unplayable) - len(cut),
        gaps=len(cut),
        unplayable=len(unplayable),
    )


def _traces(traces: pl.LazyFrame) -> pl.LazyFrame:
    asked = pl.col("input_json").is_null() | pl.col("input_json").is_in(_EMPTY)
    return traces.select(
        "trace_id",
        "agent_version",
        "error_kind",
        "lossy_flags",
        _any_of("lossy_flags", [*UNPLAYABLE]).alias("unplayable"),
        asked.alias("unasked"),
    )


def _any_of(column: str, flags: list[str]) -> pl.Expr:
    return pl.col(column).list.set_intersection(flags).list.len().fill_null(0) > 0


def _with_lengths(tools: pl.LazyFrame, frames: Mapping[Any, pl.LazyFrame]) -> pl.LazyFrame:
    """With the length of the texts that messages hold for the calls, 0 where they hold none."""
    length = pl.col("content_json").str.len_bytes()
    marks = pl.col("content_json").str.count_matches("\\", literal=True)
    held = frames["messages"].select(
        "trace_id",
        pl.col("seq").alias("held"),
        length.alias("same"),
        # Without the quotes around it and the marks before those in it.
        (length - marks - 2).alias("inner"),
    )
    own = pl.when(pl.col("text_ref").is_null()).then("inner").otherwise("same").fill_null(0)
    at = pl.coalesce("text_ref", "parsed_ref").alias("held")
    joined = tools.with_columns(at).join(held, on=["trace_id", "held"], how="left")
    return joined.with_columns(own.alias("held"))


def _tools(tools: pl.LazyFrame) -> pl.LazyFrame:
    text = pl.col("held") + pl.sum_horizontal(
        pl.col(name).str.len_bytes().fill_null(0)
        for name in ("arguments_json", "result_json", "query_json", "documents_json")
    )
    silent = _any_of("flags", ["tool_result_missing"])
    return tools.group_by("name").agg(
        pl.len().alias("calls"),
        pl.col("trace_id").n_unique().alias("traces"),
        pl.col("error_kind").count().alias("errors"),
        silent.sum().alias("silent"),
        text.cast(pl.Int64).sum().alias("bytes"),
    )


def _counts(rows: pl.LazyFrame, column: str) -> pl.LazyFrame:
    return rows.select(column).drop_nulls().group_by(column).len()


def _counted(rows: pl.DataFrame, column: str = "lossy_flags") -> pl.DataFrame:
    return rows.select(column).drop_nulls().group_by(column).len()


def _unplayable(frames: Mapping[Any, pl.LazyFrame], traces: pl.DataFrame) -> set[str]:
    """The traces that can't be replayed at all: by a flag, or since nobody asked anything."""
    found = set(traces.filter(pl.col("unplayable"))["trace_id"])
    silent = traces.filter(pl.col("unasked") & ~pl.col("unplayable"))["trace_id"]
    if silent.is_empty():
        return found
    # Looked for in the steps and messages of these alone: that is where the text is.
    own = pl.col("trace_id").is_in(silent.implode())
    said = pl.col("content_json").is_not_null() & ~pl.col("content_json").is_in(_EMPTY)
    there = pl.col("content_blob").is_not_null() | said
    turn = said | pl.any_horizontal(pl.col("text_ref", "parsed_ref").is_not_null())
    turns, messages = pl.collect_all(
        [
            frames["steps"].filter(own & (pl.col("kind") == "user") & turn).select("trace_id"),
            frames["messages"].filter(own & (pl.col("role") == "user") & there).select("trace_id"),
        ]
    )
    return found | (set(silent) - set(turns["trace_id"]) - set(messages["trace_id"]))
