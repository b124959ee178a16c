"""The language of many texts at once: as :func:`replay.compare.language.language_of` tells it.

Texts in Latin letters are counted in polars, several times as fast as one by one; others, and those
with code in them, one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replay.compare.language import LEAST_HITS, LEAST_LETTERS, STOP, language_of

if TYPE_CHECKING:
    import polars as pl

#: What only :func:`language_of` looks at: other scripts, code, addresses.
_ODD = "[`\u0370-\u1cff\u3040-\ud7af]|://"


def languages(texts: pl.Series) -> pl.Series:
    """The language of each text, ``""`` where it can't be told; nulls are texts without words."""
    import polars as pl

    frame = texts.fill_null("").alias("text").to_frame().with_row_index("n")
    odd = frame.filter(pl.col("text").str.contains(_ODD))
    told = {n: language_of(text) or "" for n, text in odd.iter_rows()}
    words = (
        frame.filter(
            ~pl.col("text").str.contains(_ODD)
            & (pl.col("text").str.count_matches(r"\p{L}") >= LEAST_LETTERS)
        )
        .select("n", pl.col("text").str.to_lowercase().str.extract_all(r"\p{L}+").alias("word"))
        .with_columns(pl.col("word").list.len().alias("of"))
        .explode("word")
    )
    stops = pl.DataFrame(
        [(word, lang) for lang, known in sorted(STOP.items()) for word in sorted(known)],
        schema={"word": pl.String, "lang": pl.String},
        orient="row",
    )
    hits = words.join(stops, on="word").group_by("n", "lang").agg(pl.len(), pl.col("of").first())
    best = (
        hits.sort("n", "len", "lang", descending=[False, True, True])
        .group_by("n", maintain_order=True)
        .agg(
            pl.col("lang").first(),
            pl.col("len").first().alias("first"),
            pl.col("len").get(1, null_on_oob=True).fill_null(0).alias("second"),
            pl.col("of").first(),
        )
        .filter(
            (pl.col("first") >= LEAST_HITS)
            & (pl.col("first") * 8 >= pl.col("of"))
            & (pl.col("first") >= 1.5 * pl.col("second"))
        )
        .select("n", "lang")
    )
    one_by_one = pl.DataFrame(
        {"n": list(told), "lang": list(told.values())}, schema={"n": pl.UInt32, "lang": pl.String}
    )
    found = frame.select("n").join(
        pl.concat([best, one_by_one]), on="n", how="left", maintain_order="left"
    )
    return found["lang"].fill_null("").alias("language")
