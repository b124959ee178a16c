"""The part of the terminal's summary that is about faults, at most 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from replay.report.resilience import KINDS, HeatCell, chosen, heat, plan_sentence, tallies
from replay.report.text import plural

MAX_LINES = 10
MAX_FAILURES = 6
MAX_PROOFS = 8

_SHADES = ("dim", "green", "yellow", "yellow", "red", "red")


def fault_parts(
    section: Mapping[str, Any], text: Callable[..., Text], weighted: bool = False
) -> Iterator[RenderableType]:
    """``text`` makes hostile text safe; ``weighted``: shares are those of the traffic."""
    yield Text()
    head = Text("Under faults", "bold")
    head.append("  ").append_text(text(plan_sentence(section), "dim"))
    yield head
    for tally in tallies(section):
        line = Text("  ")
        line.append_text(text(tally.agent, "bold", limit=40)).append(": ")
        for n, (word, kind, count, failed) in enumerate(tally.kinds):
            style = "red" if failed else "green" if kind in ("recovered", "degraded") else "yellow"
            line.append(", " if n else "").append(f"{count:,} {word}", style)
        yield line if tally.kinds else line.append("no traces")
    if section["tools"]:
        yield Text()
        yield _scorecard(section, text, weighted)
    failures = [o for o in section["outcomes"] if o["failed"]]
    if failures:
        yield Text()
        yield Text("Failures, worst first", "bold")
        yield from _failures(failures, section, text)
    missed = [p for p in section["proofs"] if not p["landed"] and p["side"] == "candidate"]
    for proof in missed[:MAX_PROOFS]:
        yield Padding(text(f"fault {proof['sentence']}", "yellow"), (0, 0, 0, 2))


def _scorecard(section: Mapping[str, Any], text: Callable[..., Text], weighted: bool) -> Table:
    two = section["agents"]["baseline"] is not None
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim")
    table.add_column("  failed on", ratio=3, overflow="fold")
    table.add_column("fault", ratio=2, overflow="fold")
    for side in ("candidate", "baseline") if two else ("candidate",):
        name = text(section["agents"][side], limit=18).plain
        table.add_column(name, justify="right", no_wrap=True)
        table.add_column("of traffic" if weighted else "95 %", justify="right", no_wrap=True)
    lines = heat(chosen(section, MAX_LINES))
    for line in lines:
        what = Text("  ").append_text(text(line.what, limit=60))
        cells: list[Text] = []
        for cell in (line.candidate, line.baseline):
            if cell is not None:
                cells += _cell(cell)
        table.add_row(what, text(line.fault, limit=40), *cells)
    more = len(section["tools"]) - len(lines)
    if more > 0:
        table.add_row(Text(f"  and {plural(more, 'more line')} in the report", "dim"))
    return table


def _cell(cell: HeatCell) -> list[Text]:
    return [Text(cell.text, _SHADES[cell.shade]), Text(cell.bounds, "dim")]


def _failures(
    failures: list[Mapping[str, Any]], section: Mapping[str, Any], text: Callable[..., Text]
) -> Iterator[RenderableType]:
    for outcome in failures[:MAX_FAILURES]:
        line = text(
            KINDS[outcome["kind"]], "bold red" if outcome["side"] == "candidate" else "bold"
        )
        if section["agents"]["baseline"] is not None:
            line.append(" of ").append_text(text(outcome["agent"], limit=40))
        line.append(f" in {plural(outcome['count'], 'trace')}, for example ")
        line.append_text(text(outcome["example"], limit=60))
        yield Padding(line, (0, 0, 0, 2))
        yield Padding(text(outcome["why"], limit=240), (0, 0, 0, 4))
        if outcome["contracts"]:
            names = ", ".join(outcome["contracts"][:5])
            yield Padding(text(f"breaks {names}", "dim", limit=200), (0, 0, 0, 4))
    if len(failures) > MAX_FAILURES:
        more = plural(len(failures) - MAX_FAILURES, "more kind")
        yield Padding(Text(f"and {more} of failure in the report", "dim"), (0, 0, 0, 2))
