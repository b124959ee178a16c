"""How often what goes wrong, by tool and fault and by contract and fault, with intervals.

Intervals are exact (Clopper and Pearson: The use of confidence or fiducial limits illustrated in
the case of the binomial, Biometrika 26, 1934): of all shares within them, none makes what was seen
less likely than 2.5 % on its side. They hold for any number of traces, and if none of them fails.
Where traces stand for different numbers of others, the shares are those of the traffic:
:class:`replay.statistics.weighted.Sample`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from replay.resilience.contracts import BUILT_IN
from replay.resilience.model import UNDECIDED
from replay.resilience.rows import OutcomeRow, Side
from replay.statistics.weighted import Sample

#: The share of all intervals that hold the true share.
LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Runs of one agent that something landed on: ``runs`` = ``survived + failed + undecided``.

    ``rate`` is the share that fails of those that were decided (``None`` where none was), ``low``
    and ``high`` bound it.
    """

    runs: int = 0
    survived: int = 0
    failed: int = 0
    undecided: int = 0
    rate: float | None = None
    low: float = 0.0
    high: float = 1.0

    @property
    def untried(self) -> bool:
        """Whether nothing landed at all."""
        return not self.runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """``what`` is a tool or a contract, ``fault`` the fault's name; one cell for each agent."""

    what: str
    fault: str
    candidate: Cell
    baseline: Cell | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """``total`` is over all faults (``what`` and ``fault`` are empty there)."""

    total: Line
    tools: tuple[Line, ...] = ()
    contracts: tuple[Line, ...] = ()


def scorecard(rows: Sequence[OutcomeRow], own_contracts: Sequence[str] = ()) -> Scorecard:
    """The card of all rows; those on which nothing landed are in none of its cells.

    A run counts once in each cell that concerns it, however often the fault landed. Where two
    faults landed on one run, both are charged with its outcome.
    """
    struck = [r for r in rows if r.landed]
    two = any(r.side == "baseline" for r in rows)
    places = dict.fromkeys((x.place, x.fault) for r in struck for x in r.landed)
    faults = list(dict.fromkeys(fault for _, fault in places))
    broken = {name for r in struck for name in r.outcome.contracts}
    names = [n for n in (*BUILT_IN, *own_contracts) if n in broken or n in own_contracts]
    return Scorecard(
        total=_line("", "", struck, two, None),
        tools=tuple(
            _line(place, fault, [r for r in struck if _on(r, place, fault)], two, None)
            for place, fault in sorted(places)
        ),
        contracts=tuple(
            _line(name, fault, [r for r in struck if _by(r, fault)], two, name)
            for name in names
            for fault in sorted(faults)
        ),
    )


def sample_of(rows: Sequence[OutcomeRow]) -> Sample:
    """The sample of the traffic that these rows are."""
    return Sample([r.weight for r in rows], [(r.session or r.trace_id, r.label) for r in rows])


def _on(row: OutcomeRow, place: str, fault: str) -> bool:
    return any((x.place, x.fault) == (place, fault) for x in row.landed)


def _by(row: OutcomeRow, fault: str) -> bool:
    return any(x.fault == fault for x in row.landed)


def _line(
    what: str, fault: str, rows: Sequence[OutcomeRow], two: bool, contract: str | None
) -> Line:
    return Line(
        what=what,
        fault=fault,
        candidate=_cell(_of(rows, "candidate"), contract),
        baseline=_cell(_of(rows, "baseline"), contract) if two else None,
    )


def _of(rows: Iterable[OutcomeRow], side: Side) -> list[OutcomeRow]:
    return [r for r in rows if r.side == side]


def _cell(rows: Sequence[OutcomeRow], contract: str | None) -> Cell:
    def fails(row: OutcomeRow) -> bool:
        return row.failed if contract is None else contract in row.outcome.contracts

    # A contract that was broken is decided, whatever became of the run otherwise.
    decided = [r for r in rows if fails(r) or r.failed or r.outcome.kind not in UNDECIDED]
    failed = [n for n, r in enumerate(decided) if fails(r)]
    cell = Cell(
        runs=len(rows),
        survived=len(decided) - len(failed),
        failed=len(failed),
        undecided=len(rows) - len(decided),
    )
    if not decided:
        return cell
    rate = sample_of(decided).rate(failed, LEVEL)
    low, high = rate.interval
    return dataclasses.replace(cell, rate=rate.share, low=low, high=high)
