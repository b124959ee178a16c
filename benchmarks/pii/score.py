"""From scrubbed texts and traces to the lines of the table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.pii.engines import Engine, texts_of
from benchmarks.pii.probe import Probe
from benchmarks.pii.traces import Case, all_text

Unit = Literal["share", "s", "x", "MB", "count"]


@dataclass(slots=True)
class Tally:
    """How many of how many."""

    hits: int = 0
    n: int = 0

    def add(self, hit: bool) -> None:
        self.hits += hit
        self.n += 1

    @property
    def share(self) -> float | None:
        return self.hits / self.n if self.n else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table.

    ``least`` tells "at least ``required``" from "at most". ``held`` is ``None`` where there is
    no half to hold out. ``ours`` marks a bar that this project set itself.
    """

    row: str
    required: float
    least: bool = True
    tuned: float | None
    held: float | None = None
    n: int
    plain: float | None = None
    plain_n: int = 0
    unit: Unit = "share"
    ours: bool = False

    @property
    def ok(self) -> bool:
        """Whether every half that was measured reaches the bar."""
        measured = [value for value in (self.tuned, self.held) if value is not None]
        return bool(measured) and all(
            value >= self.required if self.least else value <= self.required for value in measured
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A value of the tuning half that remained, or a text that changed for nothing."""

    row: str
    where: str
    value: str
    text: str
    result: str


@dataclass(slots=True)
class Board:
    """Counts by row and half, and the failures of the tuning half (never of the other)."""

    halves: dict[str, tuple[Tally, Tally]] = field(
        default_factory=lambda: defaultdict(lambda: (Tally(), Tally()))
    )
    failures: list[Failure] = field(default_factory=list)

    def count(self, row: str, held: bool, hit: bool, failure: Failure | None = None) -> None:
        """``failure`` is kept when there is one and the half may be looked at."""
        self.halves[row][held].add(hit)
        if failure is not None and not held:
            self.failures.append(failure)

    def share(self, row: str) -> tuple[float | None, float | None, int]:
        """Tuned, held, and how many in both."""
        tuned, held = self.halves[row]
        return tuned.share, held.share, tuned.n + held.n

    def both(self, row: str) -> Tally:
        """Both halves as one."""
        tuned, held = self.halves[row]
        return Tally(tuned.hits + held.hits, tuned.n + held.n)


def judge_probes(engine: Engine, probes: Sequence[Probe], board: Board) -> None:
    """Personal values: hit = gone. Harmless texts: hit = changed (or set aside)."""
    for probe, made in zip(probes, texts_of(engine, [p.text for p in probes]), strict=True):
        if probe.must:
            hit = made is not None and not probe.leaks(made)
            bad = not hit
        else:
            hit = bad = made != probe.text
        failure = Failure(
            row=probe.row, where=f"{probe.domain}, {probe.kind}", value=probe.value,
            text=probe.text, result="(quarantined)" if made is None else made,
        ) if bad else None  # fmt: skip
        board.count(probe.row, probe.held, hit, failure)


def judge_cases(engine: Engine, cases: Sequence[Case], board: Board, name: str) -> None:
    """Rows ``NAME``, ``NAME: KIND`` (hit = gone) and ``NAME, arguments`` (hit = altered)."""
    results = engine.scrub([case.trace for case in cases])
    for case, made in zip(cases, results, strict=True):
        text = "" if made is None else all_text(made)
        leaks = list(case.truths) if made is None else case.leaks(text)
        for kind, value in case.truths:
            gone = (kind, value) not in leaks
            pieces = [piece.casefold() for _, piece in value.must]
            lines = (x for x in text.split("\n") if any(p in x.casefold() for p in pieces))
            failure = None if gone or case.held else Failure(
                row=f"{name}: {kind}", where=case.domain, value=value.text,
                text=case.trace.trace_id, result=" … ".join(list(dict.fromkeys(lines))[:3])[:900],
            )  # fmt: skip
            board.count(f"{name}: {kind}", case.held, gone, failure)
            board.count(name, case.held, gone)
        _arguments(case, made, board, f"{name}, arguments")


def _arguments(case: Case, made: object, board: Board, row: str) -> None:
    calls = () if made is None else made.tool_calls  # type: ignore[attr-defined]
    after = {call.call_id: call for call in calls}
    for call in case.trace.tool_calls:
        if call.call_id in case.harmless:
            other = after.get(call.call_id)
            altered = other is None or other.arguments != call.arguments
            failure = Failure(
                row=row, where=case.domain, value=call.name, text=str(call.arguments),
                result=str(other and other.arguments),
            ) if altered else None  # fmt: skip
            board.count(row, case.held, altered, failure)


def sample(items: Sequence[Probe], each: int) -> list[Probe]:
    """At most ``each`` probes of every row, evenly from both halves."""
    rows: Mapping[str, list[Probe]] = _by_row(items)
    return [probe for of in rows.values() for probe in of[:: max(1, len(of) // each)][:each]]


def _by_row(items: Iterable[Probe]) -> dict[str, list[Probe]]:
    rows: dict[str, list[Probe]] = defaultdict(list)
    for probe in items:
        rows[probe.row].append(probe)
    return rows
