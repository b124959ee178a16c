"""Which recordings take part in a run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from anonymize.errors import UsageError
from anonymize.trace import Trace
from replay.events import AnswersNotKept, Event

if TYPE_CHECKING:
    from anonymize.store import Store
    from replay.run_request import RunRequest


@dataclass(slots=True)
class Selection:
    """Which recordings take part: trace id -> digest of the recording's scrubbed content, and
    what they were scrubbed under. ``versions`` are those of the agent that made them; ``unasked``
    counts recordings that a run which could stop early did without; ``lost``: traces of the suite
    that are no longer in the store. ``left``: those that a budget had no room for, and ``cut`` what
    ran out, ``time`` or ``money``; ``whole``: it took conversations whole; ``unjudged``: those
    replayed under faults for which it had no room to replay them without."""

    digests: dict[str, str]
    policies: dict[str, str]
    reused: int = 0
    replayed: int = 0
    drifted: int = 0
    unasked: int = 0
    stopped: str = ""
    cut: str = ""
    left: frozenset[str] = frozenset()
    whole: bool = False
    unjudged: frozenset[str] = frozenset()
    lost: int = 0
    versions: frozenset[str] = frozenset()
    not_kept: Counter[str] = field(default_factory=Counter)
    written: dict[str, tuple[Trace, Trace]] = field(default_factory=dict)

    def hear(self, event: Event) -> None:
        if isinstance(event, AnswersNotKept):
            self.not_kept[event.reason] += event.number

    def notes(self) -> tuple[str, ...]:
        said = [
            f"{number:,} live answers were not kept and will be asked for again: {reason}"
            for reason, number in sorted(self.not_kept.items())
        ]
        if self.unasked:
            said.append(
                f"stopped early (the candidate is {self.stopped}): {self.unasked:,} traces were "
                "not replayed"
            )
        if self.lost:
            said.append(
                f"{self.lost:,} traces of the suite are no longer in the store "
                "(`replay select --update` chooses others)"
            )
        if self.drifted:
            said.append(
                f"{self.drifted:,} traces come after an answer in their session that is not the "
                'recorded one, so they are counterfactual; granularity "turn" judges each by itself'
            )
        return tuple(said)


def select(store: Store, request: RunRequest) -> Selection:
    """The recordings that a request means. Raises :class:`UsageError` where there are none."""
    import polars as pl

    frame = store.scan("traces").select("trace_id", "agent_version", "date", "digest", "policy")
    if request.baseline is not None:
        frame = frame.filter(pl.col("agent_version") == request.baseline)
    if request.day is not None:
        frame = frame.filter(pl.col("date") == request.day)
    if request.weights:
        frame = frame.filter(pl.col("trace_id").is_in(list(request.weights)))
    if request.ids:
        frame = frame.filter(pl.col("trace_id").is_in(list(request.ids)))
    with store.reading():
        rows = frame.sort("date", "trace_id").collect()
    if request.limit is not None:
        rows = rows.head(request.limit)
    digests = dict(zip(rows["trace_id"].to_list(), rows["digest"].to_list(), strict=True))
    unknown = [i for i in request.ids if i not in digests]
    if unknown:
        raise UsageError(
            f"no recorded trace '{unknown[0]}'",
            where=str(request.traces),
            fix="check the id, and --baseline and --date if you gave them",
        )
    if not digests:
        _nothing(store, request)
    policies = dict(zip(rows["trace_id"].to_list(), rows["policy"].to_list(), strict=True))
    versions = frozenset(v or "" for v in rows["agent_version"].to_list())
    lost = 0 if request.ids else _lost(store, request)
    return Selection(digests=digests, policies=policies, versions=versions, lost=lost)


def _lost(store: Store, request: RunRequest) -> int:
    """How many traces of the suite the store has not, whatever else the request leaves out."""
    if not request.weights:
        return 0
    return len(request.weights.keys() - set(store.ids(ids=list(request.weights))))


def _nothing(store: Store, request: RunRequest) -> None:
    import polars as pl

    if request.weights and _lost(store, request) == len(request.weights):
        raise UsageError(
            f"none of the {len(request.weights):,} traces of the suite is in the store",
            where=str(request.traces),
            fix="choose others with `replay select --update`, or ask the store that it was made of",
        )

    there = (
        store.scan("traces")
        .group_by("date", "agent_version")
        .agg(pl.len().alias("n"))
        .sort("date", "agent_version")
        .collect()
    )
    listed = ", ".join(f"{d} {v or '(no version)'} ({n})" for d, v, n in there.iter_rows())
    asked = [f"version '{request.baseline}'"] if request.baseline else []
    asked += [f"day {request.day}"] if request.day else []
    raise UsageError(
        f"nothing to replay: no trace of {' and '.join(asked) or 'any kind'}",
        where=str(request.traces),
        fix=f"what is there: {listed}" if listed else "ingest some traces first",
    )
