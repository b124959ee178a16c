"""What a run is asked to do, where it stands, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from replay.faults import FaultPlan
    from replay.nights.budget import Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What to replay, and where to put it.

    ``baseline`` limits the recordings to one agent version, ``day`` to one day (UTC), ``ids``
    to these traces, ``limit`` to the first so many. ``folder``: the run's folder, else a new one
    under ``runs``. ``fresh`` forgets an unfinished run; ``reuse`` accepts a complete one.
    ``against`` is another agent of the config that is put under the same faults.
    ``repeat``: how often the candidate replays each trace; ``aa``: the share of the traces (0 to 1)
    that the agent of the recordings replays as well, ``aa_agent`` which one that is; ``None`` takes
    what the config says. ``stop_early``: stop as soon as enough is known.
    ``weights``: only these traces, a suite's, each with how many it stands for; those that the
    store no longer has are said and left out. ``budget``: what it may take; the traces are then
    replayed in an order of chance, ``first`` before all others. ``picked``: the traces are those on
    which earlier runs showed something, so how often others show it says nothing of them.
    ``night``: what a night adds to the report (:mod:`replay.nights.section`).
    """

    agent: str
    traces: Path
    runs: Path
    plan: FaultPlan
    baseline: str | None = None
    day: date | None = None
    ids: tuple[str, ...] = ()
    limit: int | None = None
    workers: int = 0
    folder: Path | None = None
    fresh: bool = False
    reuse: bool = False
    against: str = ""
    repeat: int | None = None
    aa: float | None = None
    aa_agent: str | None = None
    stop_early: bool = False
    weights: Mapping[str, float] = field(default_factory=dict)
    budget: Budget | None = None
    first: frozenset[str] = frozenset()
    picked: bool = False
    night: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a run stands: ``stage`` is a word for people, ``done`` of ``total`` traces."""

    stage: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """A finished run. ``document`` is the report as versioned JSON, ``notes`` are sentences for
    the terminal: what the next run will do otherwise."""

    folder: Path
    exit_code: int
    document: Mapping[str, Any]
    notes: tuple[str, ...] = ()
