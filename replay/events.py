"""What happens while a run goes on, for progress bars and logs. No event holds trace content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from replay.results import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkersStarted:
    """The first ``workers`` processes were started."""

    workers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceNotReplayable:
    """A trace was left out, and why."""

    trace_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceReplayed:
    """A trace is done. ``done`` counts those of this run so far."""

    trace_id: str
    status: Status
    done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReplaced:
    """A worker was killed or died at this trace; another takes its place."""

    trace_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersNotKept:
    """Live answers that could not be scrubbed: the cassette lacks them, the next run asks again."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """No trace is left."""

    replayed: int
    not_replayable: int


Event: TypeAlias = (
    WorkersStarted
    | TraceNotReplayable
    | TraceReplayed
    | WorkerReplaced
    | AnswersNotKept
    | RunFinished
)
