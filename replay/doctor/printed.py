"""A diagnosis as text: no line wider than a terminal, worst things last, where one looks."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from anonymize.console import printable
from replay.describe_tools import describe_volatile

if TYPE_CHECKING:
    from replay.doctor import Check, Diagnosis
    from replay.doctor.forecast import Forecast

_MARKS = {"ok": "ok  ", "warn": "WARN", "fail": "FAIL"}
_MOST_TOOLS = 60


def lines(diagnosis: Diagnosis, width: int = 80) -> Iterator[str]:
    """The checks in the order of a run, the tools, the forecast, and the verdict."""
    for check in diagnosis.checks:
        yield from check_lines(check, width)
    if diagnosis.tools:
        yield ""
        yield f"{'tool':<28}{'effect':<8}{'calls':>7}{'answered':>10}  answered by"
        for row in diagnosis.tools[:_MOST_TOOLS]:
            name = printable(row["tool"])
            name = name if len(name) <= 27 else f"{name[:24]}..."
            by = row["answered_by"] + (f", else {row['miss']}" if row["calls"] else "")
            line = f"{name:<28}{row['effect']:<8}{row['calls']:>7,}{row['answered']:>10,}  {by}"
            yield line[:width]
    for line in describe_volatile(diagnosis.volatile):
        yield printable(line)[:width]
    if diagnosis.forecast is not None and diagnosis.forecast.traces:
        yield ""
        yield from _forecast(diagnosis.forecast)
    yield ""
    states = [check.state for check in diagnosis.checks]
    if diagnosis.exit_code:
        yield f"can't run: {states.count('fail')} checks failed"
    else:
        warned = states.count("warn")
        yield "ready" + (f", with {warned} warnings" if warned else "")


def check_lines(check: Check, width: int = 80) -> Iterator[str]:
    """One check, with its place and its way out where it is no good news."""
    head = f"{_MARKS[check.state]} {check.area:<8}"
    indent = " " * len(head)
    for name, text in (("", check.what), ("where: ", check.where), ("do:    ", check.fix)):
        if not text or (name and check.state == "ok"):
            continue
        wrapped = textwrap.wrap(
            printable(f"{name}{text}"), width - len(indent), break_on_hyphens=False
        )
        for line in wrapped:
            yield f"{head if head else indent}{line}"
            head = ""
        head = ""


def _forecast(found: Forecast) -> Iterator[str]:
    yield f"traces that can be replayed  {found.replayable:>9,} of {found.traces:,}"
    yield f"  all tool calls answered    {found.whole:>9,}"
    yield f"tool calls with an answer    {found.calls_answered:>9,} of {found.calls:,}"
    yield f"model calls with an answer   {found.llm_answered:>9,} of {found.llm_calls:,}"
    yield f"fidelity, at most            {found.fidelity:>9.0%}"
