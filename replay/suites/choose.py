"""Which traces: those that must be in, those that a draw would miss, a fair draw of the rest.

Whole conversations are taken. Every draw goes by a hash of the seed and the conversation's name,
so that the same traffic gives the same suite, and more traffic changes little of it. What must be
in and what covers was not drawn: each such trace stands for itself. What was drawn stands for all
others, so that weighted rates are those of the traffic (design-based: Horvitz and Thompson 1952).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anonymize.errors import UsageError
from replay.suites.cover import JOIN, Shown, cover, kinds, shown
from replay.suites.draw import drawn, marks
from replay.suites.features import Candidates
from replay.suites.suite import Entry

if TYPE_CHECKING:
    import polars as pl

#: The part of the room that covering may take, and that stays for the draw in any case.
_COVER, _DRAW = 0.4, 1 / 3
#: A feature of which so many traces would be drawn by themselves is left to the draw.
_BY_ITSELF = 5
#: A conversation may take this part of the room, and so many traces in any case.
_LONG, _SHORT = 0.5, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The chosen traces, and what is and is not covered by them.

    ``covered``: features of the chosen; ``uncovered``: those of nobody chosen, with their counts.
    ``of``: how many traces there were to choose from; ``too_long``: how many of them are in
    conversations that don't fit into the suite: nothing stands for those.
    """

    entries: tuple[Entry, ...]
    of: int
    covered: int
    uncovered: Mapping[str, int]
    too_long: int = 0


def choose(
    known: Candidates,
    *,
    size: int,
    seed: int = 0,
    always: Mapping[str, str] | None = None,
    by: Collection[str] = ("path",),
    before: Collection[str] = (),
    whole: bool = True,
) -> Choice:
    """About ``size`` traces: a conversation is not cut, and what must be in is in.

    ``always``: trace ids that must be in, with the reason; ids that are unknown are ignored.
    ``by``: columns whose values make the strata of the draw. ``before``: trace ids of an earlier
    suite, taken again where others would do as well. ``whole``: conversations are kept together.

    Raises:
        UsageError: no conversation is short enough for a suite of this size.
    """
    import polars as pl

    # Texts that many traces share are numbers from here on: a million traces fit into memory.
    frame = known.frame.with_columns(pl.col("features").cast(pl.Categorical))
    if not whole:
        frame = frame.with_columns(pl.col("trace_id").alias("unit"))
    features = _shown(frame)
    units = _units(frame, seed, tuple(by), always or {}, before)
    longest = max(_SHORT, math.ceil(size * _LONG))
    must = {u: (w, n) for u, w, n in _rows(units.filter("must"), "unit", "why", "size")}
    free = units.filter(~pl.col("must") & (pl.col("size") <= longest))
    if free.is_empty() and not must:
        raise _too_long(units, size)
    chosen = dict(must)
    room = size - _traces(must)
    there = _shows(units, list(must), features)
    rate = max(room, 0) / max(int(free["size"].sum()), 1)
    rare = [
        f for f, count in enumerate(features.counts) if f not in there and count * rate < _BY_ITSELF
    ]
    chosen |= cover(kinds(free, features), features, rare, math.floor(max(room, 0) * _COVER))
    room = max(size - _traces(chosen), math.ceil(size * _DRAW))
    free = free.filter(~pl.col("unit").is_in(list(chosen)))
    taken = drawn(free, room)
    # What the draw missed against the odds is added; so seldom that it shifts no rate.
    names = [*chosen, *taken["unit"].to_list()]
    there = _shows(units, names, features)
    left = free.filter(~pl.col("unit").is_in(names))
    missed = set(range(len(features.names))) - there - set(rare)
    added = cover(kinds(left, features), features, missed, size) if missed else {}
    chosen |= added
    there |= _shows(units, list(added), features)
    return Choice(
        entries=tuple(_entries(frame, chosen, taken, free, added, tuple(by))),
        of=frame.height,
        covered=len(there),
        uncovered=_uncovered(features, there),
        too_long=int(units.filter(~pl.col("must") & (pl.col("size") > longest))["size"].sum()),
    )


def _uncovered(known: Shown, there: set[int]) -> dict[str, int]:
    """What nobody chosen shows, with the number of its traces, the most frequent first."""
    left = [(known.names[f], n) for f, n in enumerate(known.counts) if f not in there]
    return dict(sorted(left, key=lambda item: (-item[1], item[0])))


def _shown(frame: pl.DataFrame) -> Shown:
    import polars as pl

    counted = frame.group_by("features").len()
    rows = counted.select(
        pl.col("features").to_physical().cast(pl.String).alias("code"),
        pl.col("features").cast(pl.String),
        "len",
    )
    return shown(rows.sort("features").rows())


def _units(
    frame: pl.DataFrame,
    seed: int,
    by: tuple[str, ...],
    always: Mapping[str, str],
    before: Collection[str],
) -> pl.DataFrame:
    """A row a conversation: ``unit``, ``size``, ``profiles``, ``stratum`` (of its first trace),
    ``favoured``, ``must`` and ``why``, ``before``, ``mark`` and ``turn``."""
    import polars as pl

    rows = frame.lazy().select(
        "unit",
        "trace_id",
        pl.col("features").to_physical().alias("profile"),
        _stratum(frame, by),
        (pl.col("favoured") if "favoured" in frame.columns else pl.lit(0)).alias("favoured"),
        pl.col("trace_id").is_in(list(always)).alias("must"),
        pl.col("trace_id").is_in(list(before)).alias("before"),
    )
    units = (
        rows.group_by("unit")
        .agg(
            pl.len().cast(pl.Int64).alias("size"),
            pl.col("profile").unique().sort().cast(pl.String).str.join(JOIN).alias("profiles"),
            pl.col("stratum").sort_by("trace_id").first(),
            pl.col("favoured").max(),
            pl.col("must").any(),
            pl.col("trace_id").filter(pl.col("must")).min().alias("which"),
            pl.col("before").any(),
        )
        .sort("unit")
        .collect()
    )
    which = {i: always[i] for i in units["which"].drop_nulls()}
    names = units["unit"]
    return units.with_columns(
        marks(names, seed).alias("mark"),
        # Not the same: else what covers would take the smallest marks away from its own kind, and
        # the draw would have too few of it.
        marks(names, f"{seed} cover").alias("turn"),
        pl.col("which").replace_strict(which, default=None, return_dtype=pl.String).alias("why")
        if which
        else pl.lit(None, dtype=pl.String).alias("why"),
    )


def _stratum(frame: pl.DataFrame, by: tuple[str, ...]) -> pl.Expr:
    import polars as pl

    if len(by) == 1 and frame.schema[by[0]] == pl.Categorical and not frame[by[0]].null_count():
        return pl.col(by[0]).alias("stratum")
    texts = [pl.col(c).cast(pl.String).fill_null("") for c in by]
    return pl.concat_str(texts, separator=" | ").cast(pl.Categorical).alias("stratum")


def _shows(units: pl.DataFrame, names: Collection[str], known: Shown) -> set[int]:
    import polars as pl

    texts = units.filter(pl.col("unit").is_in(list(names)))["profiles"].unique().to_list()
    return set(known.of_all({p for text in texts for p in text.split(JOIN)}))


def _entries(
    frame: pl.DataFrame,
    chosen: Mapping[str, tuple[str, int]],
    taken: pl.DataFrame,
    free: pl.DataFrame,
    added: Mapping[str, tuple[str, int]],
    by: tuple[str, ...],
) -> list[Entry]:
    """The chosen traces: what must be in and what covers first, then what was drawn."""
    import polars as pl

    whole = int(free["size"].sum())
    # What was added stands for itself, and the drawn for that much less.
    less = 1 - _traces(added) / whole if whole else 1.0
    said: dict[str, tuple[int, str, float]] = {u: (0, w, 1.0) for u, (w, _) in chosen.items()}
    for unit, name, weight in _rows(taken, "unit", "name", "weight"):
        words = name if name == "the rest" else f"{', '.join(by)} {name or '-'}"
        said[unit] = (1, f"drawn: {words[:100]}", round(max(1.0, weight * less), 4))
    rows = frame.filter(pl.col("unit").is_in(list(said))).select("unit", "trace_id").rows()
    rows.sort(key=lambda row: (*said[row[0]][:2], *row))
    return [Entry(trace_id=t, weight=said[u][2], why=said[u][1]) for u, t in rows]


def _too_long(units: pl.DataFrame, size: int) -> UsageError:
    least = int(units["size"].min())  # type: ignore[arg-type]
    return UsageError(
        f"no conversation fits into a suite of {size:,}: the shortest has {least:,} traces",
        where="--size",
        fix="a larger --size, or --turns: traces by themselves",
    )


def _traces(units: Mapping[str, tuple[str, int]]) -> int:
    return sum(size for _, size in units.values())


def _rows(frame: pl.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return frame.select(*columns).rows()
