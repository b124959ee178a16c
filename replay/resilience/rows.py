"""One line of ``outcomes.jsonl``: how one trace ended under one plan, and what had landed on it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from anonymize.jsontools import JsonError, dumps, loads
from replay.faults.interface import Level
from replay.faults.plan import FaultProof
from replay.resilience.model import FaultOutcome

FILE = "outcomes.jsonl"

Side = Literal["candidate", "baseline"]
#: What a fault that is not on a tool was on, for people.
PLACES: dict[Level, str] = {
    "model": "(model)",
    "case": "(what is asked)",
    "tools": "(tools offered)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """One fault that landed. ``fault`` is its name, ``rule`` the rule that aimed it."""

    rule: str
    tool: str
    level: Level = "tool"
    call_index: int = -1
    seen: str = ""
    retried: bool = False
    masked: bool = False

    @property
    def fault(self) -> str:
        """The fault's name alone."""
        return self.rule.partition(":")[0]

    @property
    def place(self) -> str:
        """What it was on: a tool's name, or a word in brackets."""
        return PLACES.get(self.level, self.tool)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """``label`` and ``plan`` tell plans apart, ``side`` the agents: ``agent`` is its name."""

    trace_id: str
    agent: str
    outcome: FaultOutcome
    side: Side = "candidate"
    label: str = ""
    plan: str = ""
    landed: tuple[Landing, ...] = ()
    own_contracts: tuple[str, ...] = ()
    """Those of ``outcome.contracts`` that are the user's."""
    weight: float = 1.0
    """How many traces of the traffic this one stands for."""
    session: str = ""
    """The conversation that it is a turn of; empty for none."""

    @property
    def failed(self) -> bool:
        """The faults brought out a failure, or broke a contract of the user's."""
        return self.outcome.failed or bool(self.own_contracts)

    @property
    def survived(self) -> bool:
        """The agent coped, and kept to what it was held to."""
        return self.outcome.survived and not self.own_contracts


def landings(proofs: Iterable[FaultProof]) -> tuple[Landing, ...]:
    """What landed, in the order of the proofs."""
    return tuple(
        Landing(
            rule=p.rule,
            tool=p.tool,
            level=p.level,
            call_index=p.call_index,
            seen=p.seen,
            retried=p.retried,
            masked=p.masked,
        )
        for p in proofs
        if p.landed
    )


def write_rows(path: Path, rows: Sequence[OutcomeRow]) -> None:
    """Replace ``path`` in one step."""
    staging = path.with_suffix(".tmp")
    with staging.open("w", encoding="utf-8") as file:
        for row in rows:
            flat = {**dataclasses.asdict(row), **dataclasses.asdict(row.outcome)}
            del flat["outcome"]
            file.write(dumps(flat) + "\n")
        file.flush()
        os.fsync(file.fileno())
    staging.replace(path)


def read_rows(path: Path) -> Iterator[OutcomeRow]:
    """The rows of a file; none where there is no such file. A torn line is passed over."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return
    names = {f.name for f in dataclasses.fields(FaultOutcome)}
    for line in lines:
        try:
            flat = loads(line)
            told = {k: flat.pop(k) for k in [*flat] if k in names}
            for key in ("tools", "contracts"):
                told[key] = tuple(told.get(key, ()))
            flat["landed"] = tuple(Landing(**one) for one in flat.get("landed", ()))
            flat["own_contracts"] = tuple(flat.get("own_contracts", ()))
            yield OutcomeRow(outcome=FaultOutcome(**told), **flat)
        except (JsonError, TypeError, AttributeError):
            continue
