"""What each recorded trace shows: its tools, its path, its errors, its language, its length.

Read part by part over columns, in polars, so that a year of traffic needs the memory of one part
and some hundred bytes a trace.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from anonymize.errors import UsageError
from anonymize.playable import UNPLAYABLE
from replay.suites.conditions import condition, wrong

if TYPE_CHECKING:
    import polars as pl

    from anonymize.store import Store
    from anonymize.store.schema import Table

#: Calls that a path's shape goes by; what is behind them is told by the length.
_PATH = 12
_LENGTHS = (0, 1, 3, 6, 12, 25, 50, 100, 250)
#: Characters of an input that a condition sees, and that tell its language.
_INPUT, _HEAD = 2_000, 400
#: Between the features of a trace in one text.
SPLIT = "\x1f"

#: Columns that are kept of every trace; others where the draw goes by them.
_KEPT = ("trace_id", "unit", "date", "agent", "agent_version", "path", "language", "features")
_PROFILE = (
    "agent",
    "agent_version",
    "path",
    "tools",
    "tool_errors",
    "error_kind",
    "language",
    "calls",
    "lossy_flags",
    "models",
)
_EMPTY = ("null", '""', "[]", "{}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The traces that may be chosen.

    ``frame`` has a row a trace: ``trace_id``, ``unit`` (the session, or the trace itself),
    ``date``, ``agent``, ``agent_version``, ``path`` (the tools in their order, repeats in a row
    once), ``language``, ``features`` (texts like ``tool refund`` or ``error Timeout``, joined by
    :data:`SPLIT`), the columns that were asked for, and ``favoured`` (the first condition of
    ``favour`` that it fits, from 1, or 0). ``left_out``: how many can't be replayed.
    """

    frame: pl.DataFrame
    left_out: int = 0


@cache
def columns() -> Mapping[str, pl.DataType]:
    """What a condition can ask for, and a draw can go by: name and type."""
    import polars as pl

    text, number, texts = pl.String(), pl.Int64(), pl.List(pl.String())
    return {
        "agent": text,
        "agent_version": text,
        "date": pl.Date(),
        "started_at": pl.Datetime("us", "UTC"),
        "duration_ms": pl.Float64(),
        "calls": number,
        "path": text,
        "tools": texts,
        "tool_errors": texts,
        "gaps": number,
        "error_kind": text,
        "lossy_flags": texts,
        "language": text,
        "tokens": number,
        "cost": pl.Float64(),
        "model": text,
        "models": texts,
        "n_steps": pl.Int32(),
        "input": text,
        "trace_id": text,
        "session_id": text,
        "user_id": text,
        "tags_json": text,
        "source": text,
        "origin": text,
    }


def candidates(
    store: Store, *, where: str = "", favour: Sequence[str] = (), keep: Collection[str] = ()
) -> Candidates:
    """The traces of ``store`` that can be replayed and fit ``where``.

    ``where`` and each of ``favour`` are conditions (:func:`replay.suites.conditions.condition`).
    ``keep``: further columns of :func:`columns` to keep.

    Raises:
        UsageError: a condition can't be understood, or nothing fits it.
        StoreError: a file of the store is missing or damaged.
    """
    import polars as pl

    wanted = condition(where, columns()) if where else None
    favoured = [condition(text, columns(), "--favour") for text in favour]
    kept = list(dict.fromkeys((*_KEPT, *keep)))
    known: dict[tuple[object, ...], str] = {}
    found: list[pl.DataFrame] = []
    fitting = 0
    for rows in _parts(store, wanted):
        try:
            rows = rows if wanted is None else rows.filter(wanted)
            chosen = rows.with_columns(_first_of(favoured))
        except pl.exceptions.PolarsError as error:
            text = where or ", ".join(favour)
            raise wrong(text, str(error).partition("\n")[0][:150], columns(), "--where") from None
        fitting += chosen.height
        chosen = chosen.filter("playable")
        if not chosen.is_empty():
            chosen = _with_features(chosen, known)
            found.append(chosen.select(*kept, "favoured"))
    if not found:
        raise UsageError(
            "there is nothing to choose from",
            where=f"--where {where}" if where else "the store",
            fix=f"{fitting:,} traces fit, none of them can be replayed"
            if fitting
            else "no trace fits the condition",
        )
    frame = pl.concat(found).sort("date", "trace_id")
    return Candidates(frame=frame, left_out=fitting - frame.height)


def _first_of(conditions: Sequence[pl.Expr]) -> pl.Expr:
    import polars as pl

    found: pl.Expr = pl.lit(0)
    for number, one in reversed(list(enumerate(conditions, start=1))):
        found = pl.when(one.fill_null(value=False)).then(pl.lit(number)).otherwise(found)
    return found.cast(pl.UInt8).alias("favoured")


def _parts(store: Store, wanted: pl.Expr | None) -> Iterator[pl.DataFrame]:
    """Of each part, a row a trace with all of :func:`columns`, ``unit`` and ``playable``.

    Traces that ``wanted`` can tell by the table of traces alone are left out here already: of a
    year only the days that are asked for are read.
    """
    import polars as pl

    from replay.suites.languages import languages

    plain = [name for name in columns() if name not in (*_OF_STEPS, "input", "language")]
    early = wanted is not None and set(wanted.meta.root_names()) <= set(plain)
    for part in store.scan_parts("traces", "steps", "messages"):
        with store.reading():
            traces = part["traces"]
            if early and wanted is not None:
                traces = traces.filter(wanted)
            text = pl.col("input_json").fill_null("null").str.slice(0, _INPUT)
            rows = traces.select(*plain, text.alias("input")).collect()
            if rows.is_empty():
                continue
            rows = rows.join(_of_steps(part["steps"]).collect(), on="trace_id", how="left")
            asked = _asked_later(part, rows)
        heads = rows["input"].str.slice(0, _HEAD).str.strip_chars('"').str.replace_all("\\n", " ")
        empty = pl.col("input").is_in(_EMPTY) & ~pl.col("trace_id").is_in(asked)
        yield rows.with_columns(
            languages(heads),
            *(pl.col(name).fill_null(0) for name in ("calls", "gaps")),
            *(pl.col(name).fill_null([]) for name in ("tools", "tool_errors", "models")),
            pl.col("path").fill_null(""),
            pl.when(pl.col("session_id").fill_null("") == "")
            .then("trace_id")
            .otherwise("session_id")
            .alias("unit"),
            (
                (pl.col("lossy_flags").list.set_intersection(list(UNPLAYABLE)).list.len() == 0)
                & ~empty
            ).alias("playable"),
        )


_OF_STEPS = ("calls", "path", "tools", "tool_errors", "gaps", "tokens", "cost", "model", "models")


def _of_steps(steps: pl.LazyFrame) -> pl.LazyFrame:
    """Per trace: its tools in order, how many calls, which errors, how many tokens."""
    import polars as pl

    named = (
        steps.filter(pl.col("kind").is_in(["tool", "retrieval"]))
        .select("trace_id", "seq", "name", "error_kind", "flags")
        .sort("trace_id", "seq")
        .with_columns(
            (
                (pl.col("name") != pl.col("name").shift())
                | (pl.col("trace_id") != pl.col("trace_id").shift())
            )
            .fill_null(value=True)
            .alias("first")
        )
    )
    calls = named.group_by("trace_id").agg(
        pl.len().cast(pl.Int64).alias("calls"),
        pl.col("name").filter(pl.col("first")).head(_PATH).str.join(">").alias("path"),
        pl.col("name").drop_nulls().unique().sort().alias("tools"),
        pl.col("error_kind").drop_nulls().unique().sort().alias("tool_errors"),
        pl.col("flags").list.contains("tool_result_missing").sum().cast(pl.Int64).alias("gaps"),
    )
    usage = steps.group_by("trace_id").agg(
        (pl.col("input_tokens").sum() + pl.col("output_tokens").sum()).alias("tokens"),
        pl.col("cost").sum().alias("cost"),
        pl.col("model").filter(pl.col("model") != "").first().alias("model"),
        pl.col("model").filter(pl.col("model") != "").unique().sort().alias("models"),
    )
    return usage.join(calls, on="trace_id", how="left")


def _asked_later(part: Mapping[Table, pl.LazyFrame], rows: pl.DataFrame) -> list[str]:
    """Traces without an input of their own that say what was asked in a step or a message."""
    import polars as pl

    without = rows.filter(pl.col("input").is_in(_EMPTY))["trace_id"].to_list()
    if not without:
        return []
    said = ~pl.col("content_json").fill_null("null").is_in(_EMPTY)
    kind, role = pl.col("kind") == "user", pl.col("role") == "user"
    own = pl.col("trace_id").is_in(without)
    held = pl.any_horizontal(pl.col("text_ref", "parsed_ref").is_not_null())  # by a message
    steps = part["steps"].filter(own & kind & (said | held))
    messages = part["messages"].filter(own & role & (said | pl.col("content_blob").is_not_null()))
    found = pl.concat([steps.select("trace_id"), messages.select("trace_id")]).unique().collect()
    return found["trace_id"].to_list()


def _with_features(rows: pl.DataFrame, known: dict[tuple[object, ...], str]) -> pl.DataFrame:
    """Rows with the column ``features``; ``known``: what was worked out before, by profile."""
    import polars as pl

    calls = pl.lit(_LENGTHS[0])
    for least in _LENGTHS[1:]:
        calls = pl.when(pl.col("calls") >= least).then(least).otherwise(calls)
    lists = ("tools", "tool_errors", "lossy_flags", "models")
    flat = rows.select(
        *(
            pl.col(n).list.join(SPLIT).alias(n) if n in lists else pl.col(n)
            for n in _PROFILE
            if n != "calls"
        ),
        calls.alias("calls"),
    ).select(_PROFILE)
    profiles = flat.unique()
    texts = []
    for profile in profiles.iter_rows():
        text = known.get(profile)
        if text is None:
            text = known[profile] = SPLIT.join(_features(dict(zip(_PROFILE, profile, strict=True))))
        texts.append(text)
    told = profiles.with_columns(pl.Series("features", texts, dtype=pl.String))
    joined = flat.join(told, on=_PROFILE, how="left", nulls_equal=True, maintain_order="left")
    return rows.with_columns(joined["features"]).with_columns(
        pl.col("features", "path", "agent", "agent_version", "language").cast(pl.Categorical)
    )


def _features(row: Mapping[str, object]) -> list[str]:
    found = [f"agent {row['agent']} {row['agent_version'] or ''}".strip()]
    found.append(f"path {row['path'] or '-'}")
    names = str(row["path"]).split(">") if row["path"] else []
    found += [f"step {a}>{b}" for a, b in pairwise(names)]
    for key, word in (
        ("tools", "tool"),
        ("tool_errors", "tool error"),
        ("lossy_flags", "flag"),
        ("models", "model"),
    ):
        found += [f"{word} {v}" for v in str(row[key] or "").split(SPLIT) if v]
    for key, word in (("error_kind", "error"), ("language", "language")):
        if row[key]:
            found.append(f"{word} {row[key]}")
    found.append(f"calls {row['calls']}+")
    # Names come from outside: none may hold what separates them later.
    return list(dict.fromkeys("".join(c if c.isprintable() else " " for c in f) for f in found))
