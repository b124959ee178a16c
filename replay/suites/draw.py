"""The fair draw: conversations of each stratum, as many as its share of the traffic asks for.

Each conversation has a mark, a number from a hash of the seed and its name: those with the
smallest marks are drawn. So the same traffic gives the same draw, and more traffic changes little
of it (permanent random numbers: Ohlsson 1995).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

#: A stratum of which fewer conversations would be drawn is thrown together with others such.
_LEAST = 2
#: Traces that the user would rather have are so many times as likely to be drawn.
FAVOUR = 5.0
_REST = "the rest"


@dataclass(frozen=True, slots=True)
class Stratum:
    """``units`` conversations with ``traces`` traces; ``drawn`` of the conversations are drawn."""

    name: str
    units: int
    traces: int
    drawn: int


def marks(names: pl.Series, seed: int | str) -> pl.Series:
    """A number for each name, the same on every machine."""
    import numpy
    import polars as pl

    start = hashlib.sha256(f"{seed}:".encode())

    def mark(name: str) -> int:
        one = start.copy()
        one.update(name.encode("utf-8", "surrogatepass"))
        return int.from_bytes(one.digest()[:7], "big")

    # One number at a time: a list of a million would take more than all else that is known.
    return pl.Series(numpy.fromiter(map(mark, names), dtype=numpy.int64, count=len(names)))


def strata(
    sizes: Mapping[tuple[bool, str], tuple[int, int]], room: int
) -> dict[tuple[bool, str], Stratum]:
    """How many to draw of each: key (favoured or not, name) -> where its conversations are drawn.

    ``sizes``: conversations and traces of each; ``room``: traces to draw about. Small strata share
    one: alone, each would have all or nothing drawn of it, and stand for what it isn't.
    """
    whole = sum(traces * (FAVOUR if key[0] else 1.0) for key, (_, traces) in sizes.items())
    rate = room / whole if whole else 0.0

    def due(key: tuple[bool, str], units: int) -> float:
        return min(float(units), units * rate * (FAVOUR if key[0] else 1.0))

    found: dict[tuple[bool, str], Stratum] = {}
    wanted: dict[tuple[bool, str], float] = {}
    merged: dict[tuple[bool, str], list[tuple[bool, str]]] = {}
    for favoured in (False, True):
        small: list[tuple[bool, str]] = []
        together = 0.0
        ordered = sorted((k for k in sizes if k[0] == favoured), key=lambda k: (sizes[k][0], k[1]))
        for key in ordered:
            many = due(key, sizes[key][0])
            # What is taken whole needs no company; what is left over of the small ones does.
            if many >= min(_LEAST, sizes[key][0]) and (not small or together >= _LEAST):
                merged[key] = [key]
            else:
                small.append(key)
                together += many
        if small:
            merged[favoured, _REST if len(small) > 1 else small[0][1]] = small
    for key, members in merged.items():
        units = sum(sizes[k][0] for k in members)
        wanted[key] = due(key, units)
    counts = _rounded(wanted, {k: sum(sizes[m][0] for m in v) for k, v in merged.items()})
    for key, members in merged.items():
        units = sum(sizes[k][0] for k in members)
        traces = sum(sizes[k][1] for k in members)
        for member in members:
            found[member] = Stratum(key[1], units, traces, counts[key])
    return found


def _rounded(
    wanted: Mapping[tuple[bool, str], float], most: Mapping[tuple[bool, str], int]
) -> dict[tuple[bool, str], int]:
    """Whole numbers with about the same sum, at least one each: the largest remainders go up."""
    counts = {k: min(most[k], max(1, math.floor(v + 1e-9))) for k, v in wanted.items()}
    left = round(sum(wanted.values())) - sum(counts.values())
    for key in sorted(wanted, key=lambda k: (math.floor(wanted[k]) - wanted[k], k)):
        if left <= 0:
            break
        if counts[key] < most[key]:
            counts[key] += 1
            left -= 1
    return counts


def drawn(units: pl.DataFrame, room: int) -> pl.DataFrame:
    """Of ``units`` (``unit``, ``size``, ``stratum``, ``favoured``, ``mark``) those that are drawn,
    with ``name`` (of the stratum they are drawn from) and ``weight`` (of each of their traces)."""
    import polars as pl

    keyed = units.with_columns((pl.col("favoured") > 0).alias("liked"))
    sizes = {
        (liked, name): (number, traces)
        for liked, name, number, traces in keyed.group_by("liked", "stratum")
        .agg(pl.len(), pl.col("size").sum())
        .iter_rows()
    }
    of = strata(sizes, room)
    table = pl.DataFrame(
        [(k[0], k[1], s.name, s.traces, s.drawn) for k, s in of.items()],
        schema={
            "liked": pl.Boolean,
            "stratum": pl.String,
            "name": pl.String,
            "traces": pl.Int64,
            "drawn": pl.Int64,
        },
        orient="row",
    ).with_columns(pl.col("stratum").cast(units.schema["stratum"]))
    taken = (
        keyed.join(table, on=["liked", "stratum"])
        .sort("liked", "name", "mark", "unit")
        .filter(pl.int_range(pl.len()).over("liked", "name") < pl.col("drawn"))
    )
    return taken.with_columns(
        (pl.col("traces") / pl.col("size").sum().over("liked", "name")).alias("weight")
    )
