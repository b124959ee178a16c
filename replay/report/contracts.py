"""Contracts in a report: a row each, and what of them fits on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from replay.compare.model import ContractRow
from replay.report.text import plural
from replay.statistics import rate_interval

_MOST = 6


def contract_rows(rows: Sequence[ContractRow], weighted: bool = False) -> list[dict[str, Any]]:
    """The document's ``contracts``: those that only the candidate broke first. Where traces are
    ``weighted``, the cases of a contract are no sample that an interval could be told of."""
    return [
        _row(row, weighted)
        for row in sorted(rows, key=lambda r: (-len(r.broken), -len(r.already), r.name))
    ]


def _row(row: ContractRow, weighted: bool) -> dict[str, Any]:
    cases = max(row.cases, len(row.broken) + len(row.already))
    span = rate_interval(len(row.broken), cases) if cases and not weighted else None
    return {
        "name": row.name,
        "sentence": row.sentence,
        "cases": row.cases,
        "broken": len(row.broken),
        "low": span.low if span else None,
        "high": span.high if span else None,
        "already": len(row.already),
        "mended": len(row.mended),
        "why": row.why,
        "trace_ids": list(row.broken),
    }


def contract_parts(
    document: Mapping[str, Any], text: Callable[..., Text]
) -> Iterator[RenderableType]:
    """One line where all contracts hold, else those that are broken."""
    rows: Sequence[Mapping[str, Any]] = document.get("contracts", ())
    if not rows:
        return
    broken = [row for row in rows if row["broken"]]
    yield Text()
    if not broken:
        yield Text(f"Contracts  {plural(len(rows), 'contract')}, none newly broken", "dim")
        return
    yield Text(f"Contracts  {len(broken):,} of {len(rows):,} broken", "bold")
    for row in broken[:_MOST]:
        line = text(row["name"], limit=80)
        line.append(f"  {row['broken']:,} of {plural(row['cases'], 'trace')}\n", "dim")
        line.append_text(text(row["sentence"], "dim", limit=200))
        yield Padding(line, (0, 0, 0, 2))
    if len(broken) > _MOST:
        yield Padding(Text(f"and {len(broken) - _MOST:,} more in the report", "dim"), (0, 0, 0, 2))
