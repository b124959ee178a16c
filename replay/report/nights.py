"""What a report shows of the nights before it: lines for the terminal, rows for the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from replay.report.statistics import worse_share
from replay.report.terminal_groups import COLOURS
from replay.report.text import plural

#: Nights in the terminal, behaviours of a kind, lines on inputs.
_NIGHTS, _GROUPS, _INPUTS = 7, 5, 8
#: The page's bars are drawn up to this share, or up to the largest of them.
_LEAST_SCALE = 0.05


def night_parts(document: Mapping[str, Any], text: Callable[..., Text]) -> list[RenderableType]:
    """Lines for the terminal: what of the inputs is otherwise, what is new, the nights before."""
    night = document.get("night")
    if night is None:
        return []
    parts: list[RenderableType] = []
    if night["inputs"]:
        parts += [Text(), Text("Inputs, against the week before", "bold")]
        parts += [Padding(text(note), (0, 0, 0, 2)) for note in night["inputs"][:_INPUTS]]
    if night.get("past"):
        parts += [Text(), Text("Earlier days", "bold")]
        parts.append(Padding(text(night["past"]["sentence"]), (0, 0, 0, 2)))
        said = [f"{g['count']:,}  {g['title']}" for g in night["past"]["groups"][:_GROUPS]]
        parts += [Padding(text(line, limit=160), (0, 0, 0, 4)) for line in said]
        if night["past"]["groups"]:
            where = f"their own report: {night['past']['report']}, beside this one"
            parts.append(Padding(text(where, "dim"), (0, 0, 0, 2)))
    lines = [text(night["sentence"])] if night["sentence"] else []
    for word, groups in (("new", night["new"]), ("gone", night["gone"])):
        for group in groups[:_GROUPS]:
            lines.append(text(f"{word}: {group['title']} {group['id'][:6]}", limit=160))
        if len(groups) > _GROUPS:
            lines.append(text(f"{word}: {len(groups) - _GROUPS:,} more, in the report"))
    if night["before"]:
        lines.append(text(_line(night["before"][-_NIGHTS:])))
    if lines:
        parts += [Text(), Text("Nights before", "bold")]
        parts += [Padding(line, (0, 0, 0, 2)) for line in lines]
    return parts


def _line(rows: Sequence[Mapping[str, Any]]) -> str:
    return f"got worse: {', '.join(_short(row) for row in rows)}"


def _short(row: Mapping[str, Any]) -> str:
    if row["share"] is None:
        return str(row["verdict"])
    return f"{row['regressed']:,} of {row['compared']:,}"


def night_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """The history as a table, a night a line, the newest last."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim")
    table.add_column("night", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("compared", justify="right", no_wrap=True)
    table.add_column("got worse", justify="right", no_wrap=True)
    table.add_column("95 %", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for row in rows:
        table.add_row(
            row["day"],
            Text(row["verdict"], COLOURS.get(row["verdict"], "")),
            f"{row['compared']:,}" if row["compared"] else "",
            f"{row['regressed']:,}" if row["share"] is not None else "",
            interval(row),
            remark(row),
        )
    return table


def interval(row: Mapping[str, Any]) -> str:
    """Where the share that got worse lies, ``0.4 to 2.1 %``."""
    if row["low"] is None or row["high"] is None:
        return ""
    return f"{100 * row['low']:.1f} to {100 * row['high']:.1f} %"


def remark(row: Mapping[str, Any]) -> str:
    """What else there is to say of a night."""
    said = [str(row["why"])[:200]] if row["why"] else []
    if row.get("past"):
        said.append(f"{row['past']:,} of earlier days worse")
    if row["not_replayed"]:
        said.append(f"{row['not_replayed']:,} not replayed")
    if row["inputs"]:
        said.append("inputs moved")
    return ", ".join(said)


def night_page(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the page shows of the nights before; ``None`` for a run that is no night."""
    night = document.get("night")
    if night is None:
        return None
    worse = worse_share(document)
    today = {
        "day": night["day"],
        "verdict": document["verdict"]["status"],
        "compared": document["counts"]["compared"],
        "regressed": document["counts"]["regressed"],
        "not_replayed": (document.get("budget") or {}).get("not_replayed", 0),
        "past": (night.get("past") or {"regressed": 0})["regressed"],
        "inputs": len(night["inputs"]),
        "why": "",
        "share": worse.share,
        "low": worse.low,
        "high": worse.high,
    }
    rows = [*night["before"], today]
    scale = max([_LEAST_SCALE, *(row["high"] for row in rows if row["high"] is not None)])
    return {
        "night": night,
        "rows": [{**row, "bar": _bar(row, scale), "remark": remark(row)} for row in rows],
        "scale": f"{100 * scale:.0f} %",
        "stays": [s for s in night["stays"] if s["nights"] > 1],
        "nights": plural(night["compared_with"], "night"),
    }


def _bar(row: Mapping[str, Any], scale: float) -> dict[str, float] | None:
    """The interval and the share in per cent of the bar's width."""
    if row["share"] is None:
        return None
    low, high = row["low"] or 0.0, row["high"] or 0.0
    return {
        "low": round(100 * low / scale, 2),
        "width": round(100 * max(0.0, high - low) / scale, 2),
        "share": round(100 * row["share"] / scale, 2),
    }
