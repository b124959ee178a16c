"""How a day's *inputs* differ from the days before: that is the users, not the agent.

New tools, subjects and languages, and longer questions, are told apart from what the candidate does
otherwise: behaviour that changes because people ask other things is no regression of a version.

A share has moved where its exact interval and that of the days before don't meet, and it is another
by half: with many traces every share is another one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from replay.report.text import plural

if TYPE_CHECKING:
    import polars as pl

    from anonymize.store import Store

_DAYS = 7
_FEW = 20
#: How much the median or a share has to move to be worth a line.
_MOVED = 1.5
_FLOOD = 3.0
#: Questions that are read, of the day and of those before; characters of each.
_QUESTIONS, _BEFORE, _HEAD = 4_000, 12_000, 1_000
_WORD = re.compile(r"[^\W\d_]{4,}")
#: A new subject: so many questions at least, so large a share, and so much of it together.
_LEAST, _SHARE, _ALIKE = 5, 0.03, 0.6
_SUBJECTS, _LINES = 5, 20
#: Of each of the many words and values that are looked at.
_LEVEL = 0.999


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """``notes``: what is new or moved, as sentences; ``before``: traces of the days before."""

    notes: tuple[str, ...]
    traces: int
    before: int


def drift_of(store: Path, day: date) -> Drift:
    """The day against the seven before it; nothing is said with fewer than twenty traces there.

    Raises:
        StoreError: the store can't be read, or was changed meanwhile.
    """
    from anonymize.store import Store

    opened = Store(store)
    with opened.reading():
        return _drift(opened, day)


def _drift(opened: Store, day: date) -> Drift:
    import polars as pl

    within = (pl.col("date") >= day - timedelta(days=_DAYS)) & (pl.col("date") <= day)
    window = (
        opened.scan("traces")
        .filter(within)
        .select(
            "trace_id",
            "date",
            "agent",
            "agent_version",
            "error_kind",
            pl.col("input_json").str.len_chars().alias("length"),
        )
        .collect()
    )
    today, before = window.filter(pl.col("date") == day), window.filter(pl.col("date") < day)
    if today.is_empty() or before.height < _FEW:
        return Drift(notes=(), traces=today.height, before=before.height)
    steps = (
        opened.scan("steps")
        .filter(within & pl.col("kind").is_in(["tool", "llm"]))
        .select("trace_id", "date", "kind", "name", "model", "error_kind")
        .collect()
    )
    notes = [
        *_values(today, before, steps, day),
        *_traffic(window, day),
        *_medians(today, before, steps, day),
        *_questions(opened, today, before, day),
    ]
    return Drift(notes=tuple(notes[:_LINES]), traces=today.height, before=before.height)


def _traffic(window: pl.DataFrame, day: date) -> Iterator[str]:
    """Much more or less of it than on any day of the week before."""
    counts = dict(window.group_by("date").len().iter_rows())
    now = counts.pop(day)
    most, least = max(counts.values()), min(counts.values())
    if now >= _FLOOD * most or now * _FLOOD <= least:
        usual = f"{least:,} to {most:,}" if most > least else f"{most:,}"
        yield f"traces: {now:,}, {usual} a day in the week before"
    agents = {a for a, d in window.select("agent", "date").unique().iter_rows() if d == day}
    days: Counter[str] = Counter()
    for agent, on in window.select("agent", "date").unique().iter_rows():
        days[agent] += on != day
    for agent, number in sorted(days.items()):
        if agent not in agents and number == len(counts) and number > 1:
            yield f"agent {agent[:60]}: silent, though there on each day of the week before"


def _values(
    today: pl.DataFrame, before: pl.DataFrame, steps: pl.DataFrame, day: date
) -> Iterator[str]:
    """Tools, models, agents, versions and errors that are new, or a larger or smaller share."""
    import polars as pl

    tools, models = steps.filter(pl.col("kind") == "tool"), steps.filter(pl.col("kind") == "llm")
    failed = tools.filter(pl.col("error_kind").is_not_null())
    for word, frame, column in (
        ("tool", tools, "name"),
        ("agent", today.vstack(before), "agent"),
        ("version", today.vstack(before), "agent_version"),
        ("model", models, "model"),
        ("error of tool", failed, "name"),
        ("error", today.vstack(before), "error_kind"),
    ):
        seen = frame.filter(pl.col(column).is_not_null() & (pl.col(column) != ""))
        seen = seen.group_by(column, pl.col("date") == day).agg(pl.col("trace_id").n_unique())
        now: dict[str, int] = {}
        then: dict[str, int] = {}
        for value, is_today, number in seen.iter_rows():
            (now if is_today else then)[str(value)] = number
        yield from _moved(word, now, then, today.height, before.height)


def _moved(
    word: str, now: Mapping[str, int], then: Mapping[str, int], of: int, was_of: int
) -> Iterator[str]:
    fresh = sorted(now.keys() - then.keys(), key=lambda v: (-now[v], v))
    for value in fresh:
        yield f"new {word}: {value[:60]} in {plural(now[value], 'trace')}"
    for value in sorted(then, key=lambda v: (-then[v], v)):
        number = now.get(value, 0)
        if _apart(number, of, then[value], was_of):
            yield (
                f"{word} {value[:60]}: in {number / of:.1%} of the traces, "
                f"{then[value] / was_of:.1%} in the week before"
            )


def _apart(hits: int, of: int, was: int, was_of: int) -> bool:
    """Whether a share has moved: beyond chance, and by enough to be worth a line."""
    from replay.statistics import rate_interval

    share, then = hits / of, was / was_of
    low, high = sorted((share, then))
    if high < low * _MOVED or high - low < 0.01:
        return False
    one, other = rate_interval(hits, of, _LEVEL), rate_interval(was, was_of, _LEVEL)
    return one.low > other.high or other.low > one.high


def _medians(
    today: pl.DataFrame, before: pl.DataFrame, steps: pl.DataFrame, day: date
) -> Iterator[str]:
    import polars as pl

    calls = steps.filter(pl.col("kind") == "tool").group_by("trace_id", "date").len()
    for word, one, other in (
        ("questions", today["length"], before["length"]),
        (
            "calls per trace",
            calls.filter(pl.col("date") == day)["len"],
            calls.filter(pl.col("date") < day)["len"],
        ),
    ):
        now, then = one.median(), other.median()
        if isinstance(now, int | float) and isinstance(then, int | float) and then > 0 and now > 0:
            times = now / then
            if times >= _MOVED or times <= 1 / _MOVED:
                yield f"{word}: median {now:,.0f}, {then:,.0f} in the week before"


def _questions(store: Store, today: pl.DataFrame, before: pl.DataFrame, day: date) -> Iterator[str]:
    """Languages, and subjects that nobody asked about."""
    import polars as pl

    from replay.compare.language import language_of

    some = _drawn(today, _QUESTIONS), _drawn(before, _BEFORE)
    texts = (
        store.scan("traces")
        .filter(pl.col("trace_id").is_in([*some[0], *some[1]]))
        .select("date", pl.col("input_json").str.slice(0, _HEAD).fill_null("").alias("text"))
        .collect()
    )
    sides: tuple[list[str], list[str]] = ([], [])
    for on, text in texts.iter_rows():
        sides[on < day].append(str(text))
    told = [Counter(code for t in side if (code := language_of(t))) for side in sides]
    yield from _moved("language", told[0], told[1], max(1, len(sides[0])), max(1, len(sides[1])))
    yield from _subjects(*sides)


def _drawn(frame: pl.DataFrame, most: int) -> list[str]:
    """Ids of at most so many traces, in an order of chance that is always the same."""
    ids = frame.select("trace_id").sort("trace_id")
    ids = ids.sample(most, seed=0) if ids.height > most else ids
    return [str(i) for i in ids["trace_id"]]


def _subjects(now: list[str], then: list[str]) -> Iterator[str]:
    """Words that many questions of the day hold and hardly any of those before.

    A surrogate of a name is in few questions, so it makes no subject. Words of the same questions
    are one.
    """
    where: dict[str, set[int]] = {}
    for number, text in enumerate(now):
        for word in set(_WORD.findall(text.lower())):
            where.setdefault(word, set()).add(number)
    least = max(_LEAST, _SHARE * len(now))
    many = {word: found for word, found in where.items() if len(found) >= least}
    was: Counter[str] = Counter()
    for text in then:
        was.update(many.keys() & set(_WORD.findall(text.lower())))
    # Three times as many as before at least, beyond chance.
    rare = [
        w
        for w, found in many.items()
        if len(found) / len(now) >= _FLOOD * was[w] / max(1, len(then))
        and _apart(len(found), len(now), was[w], max(1, len(then)))
    ]
    groups: list[list[str]] = []
    for word in sorted(rare, key=lambda w: (-len(many[w]), w)):
        for group in groups:
            first = many[group[0]]
            if len(first & many[word]) >= _ALIKE * len(first | many[word]):
                group.append(word)
                break
        else:
            groups.append([word])
    for group in groups[:_SUBJECTS]:
        word = group[0]
        yield (
            f"new subject: {', '.join(w[:30] for w in group[:4])} in {len(many[word]):,} of "
            f"{len(now):,} questions, {was[word]:,} of {len(then):,} before"
        )
