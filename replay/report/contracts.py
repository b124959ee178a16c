"""Contracts in a report: a row each, and what of them fits on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from replay.compare.model import ContractRow, TraceDiff
from replay.compare.sample import sample_of
from replay.report.groups import interval_words
from replay.report.text import plural
from replay.statistics import WeightedRate

_MOST = 6


def contract_rows(
    rows: Sequence[ContractRow], pairs: Iterable[TraceDiff] = ()
) -> list[dict[str, Any]]:
    """The document's ``contracts``: those that only the candidate broke first. ``pairs`` are what
    was compared: the share that breaks one is of the traffic that its cases among them stand
    for."""
    known = {pair.trace_id: pair for pair in pairs}
    return [
        _row(row, _rate(row, known))
        for row in sorted(rows, key=lambda r: (-len(r.broken), -len(r.already), r.name))
    ]


def _rate(row: ContractRow, known: Mapping[str, TraceDiff]) -> WeightedRate | None:
    """How much of the traffic in which it could be broken is; nothing where there is none."""
    # Whatever breaks it was a case, also where a contract of the user's says otherwise.
    ids = dict.fromkeys((*row.of, *row.broken, *row.already))
    cases = [known[i] for i in ids if i in known]
    broken = set(row.broken)
    if not cases:
        return None
    return sample_of(cases).rate([n for n, p in enumerate(cases) if p.trace_id in broken])


def _row(row: ContractRow, rate: WeightedRate | None) -> dict[str, Any]:
    return {
        "name": row.name,
        "sentence": row.sentence,
        "cases": row.cases,
        "broken": len(row.broken),
        "share": rate.share if rate else None,
        "low": rate.interval.low if rate else None,
        "high": rate.interval.high if rate else None,
        "already": len(row.already),
        "mended": len(row.mended),
        "why": row.why,
        "trace_ids": list(row.broken),
    }


def share_words(row: Mapping[str, Any], weighted: bool) -> str:
    """``, 0.8 to 4.1 % of the traffic``: how many of its cases break it; empty where none does."""
    if not row["broken"] or row["low"] is None:
        return ""
    return f", {interval_words(row)} of {'the traffic' if weighted else 'such traces'}"


def contract_parts(
    document: Mapping[str, Any], text: Callable[..., Text]
) -> Iterator[RenderableType]:
    """One line where all contracts hold, else those that are broken."""
    rows: Sequence[Mapping[str, Any]] = document.get("contracts", ())
    if not rows:
        return
    broken = [row for row in rows if row["broken"]]
    weighted = bool(document.get("statistics", {}).get("weighted"))
    yield Text()
    if not broken:
        yield Text(f"Contracts  {plural(len(rows), 'contract')}, none newly broken", "dim")
        return
    yield Text(f"Contracts  {len(broken):,} of {len(rows):,} broken", "bold")
    for row in broken[:_MOST]:
        line = text(row["name"], limit=80)
        said = f"  {row['broken']:,} of {plural(row['cases'], 'trace')}"
        line.append(f"{said}{share_words(row, weighted)}\n", "dim")
        line.append_text(text(row["sentence"], "dim", limit=200))
        yield Padding(line, (0, 0, 0, 2))
    if len(broken) > _MOST:
        yield Padding(Text(f"and {len(broken) - _MOST:,} more in the report", "dim"), (0, 0, 0, 2))
