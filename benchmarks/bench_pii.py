"""How well the scrubber finds, how much it leaves alone, and how fast it is: one table.

    python -m benchmarks.bench_pii [--quick] [--no-plain] [--data FOLDER] [--json] [--show ROW]

Each line shows what is required, what plain Presidio reaches (same spaCy model, same run, on a
sample), and what this project reaches on the half that rules may be tuned on and on the half that
nobody looks at (other values in other texts, chosen by a seeded hash). ``--show ROW`` prints
failures of the first half; there is no way to print those of the other.

"Fully covered": no word of three or more characters of the value is left at its place.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

from anonymize.trace import Trace
from benchmarks.__main__ import machine
from benchmarks.pii import hostile, laws, limits, sets, speed, table
from benchmarks.pii.engines import Ours, Plain
from benchmarks.pii.material import (
    AIRLINE,
    DEMO,
    TRACES,
    Beside,
    Material,
    Options,
    collect,
    run_plain,
)
from benchmarks.pii.negatives import harmless
from benchmarks.pii.rows import rows
from benchmarks.pii.score import Board, Line, judge_cases, judge_probes
from benchmarks.pii.traces import Case

DATA = Path(os.environ.get("REPLAY_SHARED_DATA", "../shared/data"))
_SHOWN = 40


class Bench:
    """One run: what is judged, what was found, and the notes below the table."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.material: Material = collect(options)
        self.notes = list(self.material.notes)
        self.ours = Ours()
        self.board = Board()
        self.beside: Beside | None = None

    def lines(self) -> list[Line]:
        """Every line of the table, in the issue's order."""
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            plain = pool.submit(run_plain, self.options) if self.options.plain else None
            self.judge()
            last = [*self._laws(), *self._hostile(plain)]
        self.beside = plain.result() if plain else None
        hungry = limits.start(limits.INPUTS[0], quick=self.options.quick)
        last += self._speed()
        last += self._memory(limits.INPUTS[0], limits.result(hungry))
        for name in limits.INPUTS[1:]:
            running = limits.start(name, quick=self.options.quick)
            last += self._memory(name, limits.result(running))
        return [*self._shares(), *last]

    def judge(self) -> None:
        """Scrubs everything once."""
        judge_probes(self.ours, self.material.probes, self.board)
        for name, found, _ in self.material.traces:
            judge_cases(self.ours, found, self.board, name)
        self.notes += [f"set aside: {n} x {why}" for why, n in self.ours.reasons.most_common(8)]

    def _shares(self) -> Iterator[Line]:
        for name in (TRACES, AIRLINE, DEMO):
            yield from self._share(name, 0.995)
        for kind in sorted(k for k in self.board.halves if k.startswith(f"{TRACES}: ")):
            yield from self._share(
                kind, 0.995, label=f"  of these: {kind.removeprefix(TRACES)[2:]}"
            )
        for row in rows():
            yield from self._share(row.name, row.required, ours=row.ours)
        yield from self._share("annotated: all", 0.90, label="annotated English, all personal")
        yield from self._share("annotated: PERSON", 0.95, label="annotated English, PERSON")
        yield from self._share(
            "annotated: none", 0.02, least=False, label="annotated, nothing in it"
        )
        for stays in harmless():
            yield from self._share(stays.name, stays.required, least=False)
        for name in (TRACES, AIRLINE):
            yield from self._share(f"{name}, arguments", 0.0, least=False, label=f"altered: {name}")
        aside = sum(self.ours.reasons.values())
        number = len(self.material.probes) + sum(len(found) for _, found, _ in self.material.traces)
        yield Line(row="set aside, of all of these", required=0.0, least=False,
                   tuned=aside / number, n=number, ours=True)  # fmt: skip

    def _laws(self) -> Iterator[Line]:
        laws.linked(self.ours, self.board)
        laws.everywhere(self.ours, self.board)
        yield from self._share("one person, one surrogate", 1.0)
        yield from self._share("one person, one surrogate, glued", 1.0, ours=True)
        yield from self._share("the same in every trace", 1.0)
        count = 2_000 if self.options.quick else 20_000
        for kind, number in laws.collisions(self.ours, count).items():
            yield Line(row=f"two entities, one: {kind}", required=0, least=False, tuned=number,
                       n=count, unit="count")  # fmt: skip
        chosen = self.material.probes[:: 40 if self.options.quick else 6]
        laws.twice(self.ours, chosen, self.board)
        yield from self._share("changed when scrubbed twice", 0.0, least=False)

    def _hostile(self, plain: Future[Beside] | None) -> Iterator[Line]:
        found, number, hidden = hostile.behind(self.ours)
        if hidden:
            self.notes.append(f"what follows these is not found: {hidden}")
        yield Line(row="found behind hostile text", required=1.0, tuned=found / number, n=number)
        seconds, unit = hostile.slowest(self.ours)
        self.notes.append(f"slowest 10 kB: {unit!r} repeated, {seconds:.2f} s")
        yield Line(row="slowest hostile 10 kB", required=0.1, least=False, tuned=seconds,
                   n=len(hostile.ATTACKS), plain=plain.result().slowest if plain else None,
                   plain_n=1, unit="s")  # fmt: skip

    def _speed(self) -> Iterator[Line]:
        found: Sequence[Case] = self.material.cases(AIRLINE) or self.material.cases(TRACES)
        traces = [case.trace for case in found[: 10 if self.options.quick else None]]
        rates = speed.rates(traces)
        base = speed.plain_rate(Plain(), traces) if self.options.plain else None
        if base:
            self.notes.append(f"plain Presidio: {base:,.0f} characters a second of CPU time")
        for name, required in (("full history", 100), ("no repetition", 10)):
            self.notes.append(f"ours, {name}: {rates[name]:,.0f} characters a second of CPU time")
            if base:
                yield Line(row=f"speed, {name}", required=required, tuned=rates[name] / base,
                           plain=1.0, n=len(traces), unit="x")  # fmt: skip

    def _memory(self, name: str, found: tuple[float, str]) -> Iterator[Line]:
        peak, outcome = found
        self.notes.append(f"memory, {name} input: {outcome}")
        yield Line(row=f"peak memory, {name} input", required=1024, least=False, tuned=peak, n=1,
                   unit="MB")  # fmt: skip

    def _share(
        self, key: str, required: float, *, least: bool = True, ours: bool = False, label: str = ""
    ) -> Iterator[Line]:
        if key not in self.board.halves:
            return
        tuned, held, number = self.board.share(key)
        plain = self.beside.rows.get(key) if self.beside else None
        yield Line(
            row=label or key, required=required, least=least, tuned=tuned, held=held, n=number,
            plain=plain.share if plain else None, plain_n=plain.n if plain else 0, ours=ours,
        )  # fmt: skip


def show(bench: Bench, name: str) -> int:
    """Print failures of the tuning half in the rows whose name contains ``name``."""
    judge_probes(bench.ours, [p for p in bench.material.probes if name in p.row], bench.board)
    if not bench.board.halves:
        for group, found, _ in bench.material.traces:
            if name.startswith(group) or group.startswith(name):
                judge_cases(bench.ours, found, bench.board, group)
    if not bench.board.halves:
        laws.linked(bench.ours, bench.board)
        laws.everywhere(bench.ours, bench.board)
        laws.twice(bench.ours, bench.material.probes[::6], bench.board)
    found_here = [failure for failure in bench.board.failures if name in failure.row]
    for failure in found_here[:_SHOWN]:
        print(f"\n{failure.row} ({failure.where}): {failure.value}")
        print(f"  - {failure.text}\n  + {failure.result}")
    print(f"\n{len(found_here)} failures in the tuning half of rows with '{name}' in their name")
    return 0


def main() -> int:
    """Print the table, or the failures of one row."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller samples, about a minute")
    parser.add_argument("--no-plain", action="store_true", help="without plain Presidio")
    parser.add_argument("--data", type=Path, default=DATA, help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--show", metavar="ROW", help="failures of the tuning half in such rows")
    given = parser.parse_args()
    plain = not (given.no_plain or given.show)
    started = time.monotonic()
    bench = Bench(Options(data=given.data, quick=given.quick, plain=plain))
    bench.ours.scrub([Trace(trace_id="", input=speed.WARM)])
    if given.show:
        return show(bench, given.show)
    lines = bench.lines()
    if given.json:
        shown = [{**dataclasses.asdict(line), "ok": line.ok} for line in lines]
        print(json.dumps({"machine": machine(), "lines": shown, "notes": bench.notes}, indent=2))
        return 0
    missed = sum(not line.ok for line in lines)
    print(f"\n{table.text(lines)}\n")
    print(f"{missed} of {len(lines)} missed. {machine()}, {time.monotonic() - started:.0f} s")
    print("tuned, held: the half that rules may be tuned on, and the half that nobody looks at")
    print("≤ lines: the share that was changed though nothing is personal. * a bar of our own")
    if plain:
        print(f"plain: the same spaCy model; {bench.options.per_row} texts a row, every few traces")
    print(f"counted as personal in annotated texts: {', '.join(sets.PERSONAL)}")
    for note in bench.notes:
        print(note)
    return 0


if __name__ == "__main__":
    sys.exit(main())
