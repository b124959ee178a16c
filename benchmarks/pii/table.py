"""The table: every line beside its bar, plain Presidio and both halves."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.pii.score import Line, Unit

HEADER = f"{'':32} {'required':>9} {'plain':>6} {'tuned':>7} {'held':>7} {'n':>6}"


def text(lines: Iterable[Line]) -> str:
    """As wide as a terminal; ``*`` marks bars that the project set itself."""
    return "\n".join([HEADER, *map(_line, lines)])


def _line(line: Line) -> str:
    sign = "" if line.unit == "x" or not line.required else ("≥" if line.least else "≤")
    bar = f"{sign or '≥' if line.least else sign}{number(line.required, line.unit)}"
    cells = (line.plain, line.tuned, line.held)
    plain, tuned, held = ("-" if c is None else number(c, line.unit) for c in cells)
    mark = "ok" if line.ok else "MISSED"
    star = "*" if line.ours else " "
    return f"{line.row:32} {bar:>8}{star} {plain:>6} {tuned:>7} {held:>7} {line.n:>6} {mark}"


def number(value: float, unit: Unit) -> str:
    """A share with three decimals, seconds with two, ratios, megabytes and counts as they are."""
    if unit == "share":
        return f"{value:.3f}" if 0 < value < 1 else f"{value:.0f}"
    if unit == "s":
        return f"{value:.2f}s"
    if value == float("inf"):
        return "none"
    if unit == "x":
        return f"{value:.0f}x"
    return f"{value:.0f}MB" if unit == "MB" else f"{value:.0f}"
