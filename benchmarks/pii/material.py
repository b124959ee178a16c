"""All that is judged in one run, gathered the same way for this project and for plain Presidio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pii import hostile, sets
from benchmarks.pii.engines import Plain
from benchmarks.pii.negatives import Harmless, harmless
from benchmarks.pii.probe import Probe
from benchmarks.pii.rows import Row, rows
from benchmarks.pii.score import Board, Tally, judge_cases, judge_probes, sample
from benchmarks.pii.traces import Case, cases

TRACES, AIRLINE, DEMO = "agent traces, 12 trades", "airline transcripts", "demo traffic"
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asked for; ``data`` holds ``pii`` and ``tau2_airline``."""

    data: Path
    quick: bool = False
    plain: bool = True

    @property
    def per_row(self) -> int:
        """Probes of a row that plain Presidio gets."""
        return 20 if self.quick else 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Probes, traces by name with every how manieth plain Presidio gets, and what is missing."""

    probes: Sequence[Probe]
    traces: Sequence[tuple[str, Sequence[Case], int]]
    notes: tuple[str, ...]

    def cases(self, name: str) -> Sequence[Case]:
        """The traces of one name, if its data is there."""
        return next((found for group, found, _ in self.traces if group == name), ())


def all_rows() -> list[Row | Harmless]:
    """Every row of probes, those that must go and those that must stay."""
    return [*rows(), *harmless()]


def collect(options: Options) -> Material:
    """Everything that there is; annotated sets and transcripts only where they are found."""
    notes = []
    probes = [probe for row in all_rows() for probe in row.probes()]
    if (folder := options.data / "pii").exists():
        probes += sets.annotated(folder)
    else:
        notes.append(f"no annotated texts: {folder} is missing")
    flights: list[Case] = []
    if (folder := options.data / "tau2_airline").exists():
        flights = list(sets.airline(folder))
    else:
        notes.append(f"no airline transcripts: {folder} is missing")
    trades = list(cases(3 if options.quick else 15))
    return Material(
        probes=sample(probes, 60) if options.quick else probes,
        traces=(
            (TRACES, trades, len(trades) // 12),
            (AIRLINE, flights, 5),
            (DEMO, list(sets.demo(_ROOT, every=9 if options.quick else 3)), 12),
        ),
        notes=tuple(notes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What plain Presidio reached: counts by row, and seconds for one hostile text."""

    rows: dict[str, Tally]
    slowest: float


def run_plain(options: Options) -> Beside:
    """Plain Presidio on samples; runs in a process of its own, beside ours."""
    material, engine, board = collect(options), Plain(), Board()
    judge_probes(engine, sample(material.probes, options.per_row), board)
    for name, found, few in material.traces:
        judge_cases(engine, found[::few], board, name)
    slowest, _ = hostile.slowest(engine, only=1)
    return Beside(rows={row: board.both(row) for row in board.halves}, slowest=slowest)
