"""The behaviours in the terminal: those that count, then those that are settled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from replay.report.groups import common_words, interval_words
from replay.report.text import percent, plural

#: Behaviours listed before the rest becomes "and N more in the report".
MAX_GROUPS = 12
MAX_QUIET = 6
MAX_NOTES = 8

COLOURS = {
    "regressed": "red", "regression": "red", "could not run": "red", "broken": "magenta",
    "pass": "green", "improved": "green", "improvement": "green",
    "inconclusive": "yellow", "changed": "blue", "major": "blue",
}  # fmt: skip

Safe = Callable[..., Text]


def group_table(document: Mapping[str, Any], text: Safe) -> Table:
    """The behaviours that count, worst first. ``text`` makes hostile text safe."""
    groups = document["groups"]
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim")
    table.add_column("  traces", justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    table.add_column("severity", no_wrap=True)
    table.add_column("behaviour", ratio=1, overflow="fold")
    for group in groups[:MAX_GROUPS]:
        part = "" if group["share"] is None else percent(group["share"])
        severity = Text(group["severity"], COLOURS.get(group["severity"], ""))
        table.add_row(f"{group['count']:,}", part, severity, _said(group, text))
    if len(groups) > MAX_GROUPS:
        more = plural(len(groups) - MAX_GROUPS, "more behaviour")
        table.add_row("", "", "", Text(f"and {more} in the report", "dim"))
    return table


def _said(group: Mapping[str, Any], text: Safe) -> Text:
    what = text(group["title"], "bold", limit=160)
    what.append("\n").append_text(text(group["code"], "dim", limit=60))
    what.append(f" {group['id'][:6]}", "dim")
    span = interval_words(group, short=True)
    what.append(f" ({span} %)" if span else "", "dim")
    what.append(", counterfactual" if group["counterfactual"] else "", "dim")
    if group.get("common"):
        what.append("\n").append_text(text(common_words(group), limit=300))
    if group.get("review"):
        what.append("\n").append_text(text(group["review"], "yellow", limit=300))
    return what


def quiet_parts(document: Mapping[str, Any], text: Safe) -> Iterator[RenderableType]:
    """What does not count and why, and what became of behaviours that were reviewed."""
    quiet: Sequence[Mapping[str, Any]] = document.get("quiet_groups", ())
    if quiet:
        yield Text()
        yield Text("Not counted", "bold")
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(justify="right", no_wrap=True, min_width=8)
        table.add_column(ratio=1, overflow="fold")
        for group in quiet[:MAX_QUIET]:
            what = text(group["title"], limit=160)
            what.append(f" {group['id'][:6]}\n", "dim")
            what.append_text(text(group["quiet"], "dim", limit=300))
            table.add_row(f"{group['count']:,}", what)
        yield table
        if len(quiet) > MAX_QUIET:
            more = plural(len(quiet) - MAX_QUIET, "more behaviour")
            yield Padding(Text(f"and {more} in the report", "dim"), (0, 0, 0, 2))
    notes: Sequence[str] = document.get("notes", ())
    if notes:
        yield Text()
        yield Text("Reviews", "bold")
        for note in notes[:MAX_NOTES]:
            yield Padding(text(note), (0, 0, 0, 2))
        if len(notes) > MAX_NOTES:
            more = plural(len(notes) - MAX_NOTES, "more note")
            yield Padding(Text(f"and {more} in the report", "dim"), (0, 0, 0, 2))
