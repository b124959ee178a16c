"""The stages of one night, each of which can be done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from anonymize.errors import SourceError
from replay.config import ReplayConfig
from replay.folder import read_header
from replay.keeper import held as replayed
from replay.nights.budget import Budget
from replay.nights.forecast import Pace, forecast, measured, pace_of
from replay.nights.history import (
    beat,
    counts_of,
    every_night,
    forget_run,
    nights,
    read_night,
    write_night,
)
from replay.nights.ingesting import Ingested, audit_again, choose_suite, ingest_day
from replay.nights.notify import NotifySettings
from replay.nights.past import choose_past, forget_past
from replay.nights.quiet import Held, held_of, silence_of, write_quiet
from replay.nights.section import known_before
from replay.nights.settings import NightlySettings, aa_of
from replay.nights.telling import retry, tell
from replay.run_request import Progress, RunOutcome, RunRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A night to do, and what it is done with. ``day`` is in UTC."""

    config: ReplayConfig
    settings: NightlySettings
    who: NotifySettings
    day: date
    candidate: str
    runs: Path
    store: Path
    budget: Budget
    on_progress: Callable[[Progress], None]
    say: Callable[[str], None]

    @property
    def folder(self) -> Path:
        """Where the night's run and report are."""
        return self.runs / self.day.isoformat()

    def run(self, request: RunRequest) -> RunOutcome:
        """A run of the night; the traces that it replayed are counted."""
        from replay.runs import execute

        outcome = execute(request, self.config, on_progress=self.on_progress)
        self.budget.traces += int(outcome.document["counts"]["replayed"])
        return outcome


def do_night(work: Work, *, ingest: bool = True) -> RunOutcome:
    """All stages of a night.

    Raises:
        UsageError: traces there are, but none of the baseline's version.
        SourceError: the source can't be read, or nothing of the day could be taken.
        StoreError, AuditError: the store can't be read or written, or personal data was found.
        OSError: the disk is full, or a file of the night can't be written.
    """
    write_night(work.folder, begun=True)
    retry(work.who, work.runs, work.say)
    began = time.monotonic()
    work.budget.begin_night()
    came = _ingested(work) if ingest else None
    held = held_of(work.store, work.day)
    outcome = _replayed(work) if held.traces else _quiet(work, came)
    _remember(work, outcome, held, time.monotonic() - began)
    tell(outcome.document, work.who, work.runs, work.day, work.say)
    _tidy(work)
    write_night(work.folder, begun=None)
    return outcome


def _ingested(work: Work) -> Ingested:
    came = ingest_day(work.config, work.settings, work.day, work.store, work.on_progress)
    work.say(came.said)
    return came


def _replayed(work: Work) -> RunOutcome:
    """Audit, choose, replay, report."""
    from replay.nights.drift import drift_of

    settings, day, folder = work.settings, work.day, work.folder
    if settings.audit:
        work.on_progress(Progress(stage="auditing"))
        work.say(audit_again(work.config, work.store, settings.audit))
    chosen: Mapping[str, float] = {}
    first: frozenset[str] = frozenset()
    if settings.size:
        chosen, first = choose_suite(work.config, settings, day, work.store, folder)
    drift = drift_of(work.store, day)
    for note in drift.notes:
        work.say(f"inputs: {note}")
    earlier = choose_past(work) if settings.past else {}
    pace = _foreseen(work, chosen, earlier)
    past = _past(work, earlier)
    request = _request(work, weights=chosen, first=first)
    request = _with(request, {**_before(work, inputs=drift.notes), "past": past})
    with work.budget.kept(pace.kept(work.budget.left_minutes) if pace else 0.0):
        outcome, before = work.run(request), None
        # What was kept for further replays and not needed goes to traces that were left out.
        while (left := _left(outcome)) and left != before and work.budget.room:
            before = left
            outcome = work.run(request)
    write_night(folder, drift=list(drift.notes))
    return outcome


def _foreseen(work: Work, chosen: Mapping[str, float], earlier: Mapping[str, date]) -> Pace | None:
    """Say what the night will take; how long traces took in the nights before."""
    from anonymize.store import Store

    ids = Store(work.store).ids(
        dates=(work.day, work.day), agent_version=work.settings.baseline or None
    )
    todo = set(chosen or ids) - replayed(work.folder / "traces").keys()
    pace = pace_of(work.runs, work.day, work.candidate)
    also = earlier.keys() - replayed(work.folder / "past" / "traces").keys()
    if todo:
        work.say(forecast(pace, len(todo), len(also), work.budget, work.candidate))
    return pace


def _past(work: Work, earlier: Mapping[str, date]) -> Mapping[str, Any] | None:
    """What regressed or was reviewed on earlier days, replayed as a run of its own."""
    from dataclasses import replace

    from replay.nights.past import replay_past

    def request(ids: tuple[str, ...], folder: Path) -> RunRequest:
        # The choice goes through the behaviours in turn: a small budget shall see each of them.
        first = frozenset(ids[: -(-len(ids) // 3)])
        asked = replace(_request(work), day=None, aa=0.0, picked=True)
        return replace(asked, ids=ids, folder=folder, first=first)

    return replay_past(work, earlier, request)


def _left(outcome: RunOutcome) -> int:
    return int((outcome.document.get("budget") or {}).get("not_replayed", 0))


def _quiet(work: Work, came: Ingested | None) -> RunOutcome:
    """A day of which nothing was recorded: a report that says so, and whether that is usual."""
    from anonymize.store import Store, open_place

    if came is not None and came.refused:
        raise SourceError(
            f"nothing of {work.day} could be stored: {came.skipped:,} skipped, "
            f"{came.quarantined:,} quarantined",
            where=work.settings.source,
            fix="`anonymize doctor` says what is wrong with them",
        )
    known = Store(work.store) if open_place(work.store).exists() else None
    silence = silence_of(known, work.runs, work.day)
    if not silence.usual:
        work.say(f"warning: is the source '{work.settings.source or work.store}' still recording?")
    night = _before(work, verdict={**silence.verdict})
    document = write_quiet(_request(work), silence, night, work.folder)
    return RunOutcome(folder=work.folder, exit_code=silence.exit_code, document=document)


def _request(work: Work, **more: Any) -> RunRequest:
    from replay.faults import FaultPlan

    config = work.config
    return RunRequest(
        agent=work.candidate,
        traces=work.store,
        runs=work.runs,
        plan=FaultPlan(rules=config.fault_rules(), seed=config.replay.seed),
        baseline=work.settings.baseline or None,
        day=work.day,
        folder=work.folder,
        reuse=True,
        aa=aa_of(config, work.settings),
        budget=work.budget,
        **more,
    )


def _with(request: RunRequest, night: Mapping[str, Any]) -> RunRequest:
    from dataclasses import replace

    return replace(request, night=night)


def print_of(config: ReplayConfig, candidate: str) -> str:
    """What tells the candidate's code and config from others, as they are written: what a run
    learns of its recordings does not count here."""
    from replay.faults import FaultPlan
    from replay.fingerprint import fingerprint

    return fingerprint(candidate, config, FaultPlan(seed=config.replay.seed))


def _before(work: Work, **more: Any) -> dict[str, Any]:
    return known_before(
        work.day,
        [night for night in every_night(work.runs) if night.day < work.day],
        source=work.settings.source,
        candidate=work.candidate,
        fingerprint=print_of(work.config, work.candidate),
        **more,
    )


def _remember(work: Work, outcome: RunOutcome, held: Held, seconds: float) -> None:
    """What stays of the night, the figures, and the heartbeat."""
    known = counts_of(outcome.document)
    finished = time.time()
    pace = measured(work.budget, seconds, read_night(work.folder).get("pace"))
    write_night(
        work.folder,
        **{"share": None, "low": None, "high": None, **known},
        **({"pace": pace} if pace else {}),
        traffic=held.traces,
        content=held.content if held.traces else None,
        fingerprint=print_of(work.config, work.candidate),
        finished_at=int(finished),
        duration_s=round(seconds, 1),
        spent_usd=round(work.budget.night_usd, 6) or None,
        failed=None,
        failed_at=None,
    )
    settings = work.settings
    if settings.metrics:
        from replay.nights.metrics import write_metrics

        write_metrics(
            work.config.resolve(settings.metrics),
            outcome.document,
            finished=finished,
            day=work.day,
            traffic=held.traces,
        )
    if settings.heartbeat:
        beat(
            work.config.resolve(settings.heartbeat),
            day=work.day.isoformat(),
            state="done",
            verdict=known["verdict"],
            exit_code=known["exit_code"],
        )


def _tidy(work: Work) -> None:
    """Take out what is older than the config wants to keep, from today, and merge small files."""
    from anonymize.store import StoreWriter, open_place

    settings, there = work.settings, open_place(work.store).exists()
    if settings.keep_days:
        first = datetime.now(UTC).date() - timedelta(days=settings.keep_days)
        _forget_before(work, min(first, work.day), there)
    if settings.compact and there:
        done = StoreWriter(work.store).compact()
        if done.parts[1] < done.parts[0]:
            work.say(f"{done.parts[0]:,} files of the store became {done.parts[1]:,}")


def _forget_before(work: Work, first: date, there: bool) -> None:
    """Retention: traces of the store, and runs; what their nights came to stays."""
    from anonymize.store import StoreWriter

    gone = StoreWriter(work.store).prune(first) if there else None
    forget_past(work.runs, first)
    for night in nights(work.runs):
        folder = work.runs / night.day.isoformat()
        if night.day < first and (read_header(folder) or not read_night(folder).get("run_gone")):
            forget_run(folder)
    if gone is not None and gone.traces:
        work.say(f"{gone.traces:,} traces of {gone.days} days before {first} left the store")
