"""One night: ingest a day, search it again, choose, replay, report, tell, tidy up.

    window -> ingest -> audit -> select -> replay (A/A included) -> diff -> report
           -> figures, heartbeat, messages -> retention

Every stage can be done again: ingest adds only what is new or was completed by late spans, the
choice is a file, the replay takes the results that it already holds, and who was told is noted. So
a crash needs no care, and the same night run twice is the same night.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from anonymize.errors import AnonymizeError, SourceError, StoreError, UsageError
from replay.config import ReplayConfig
from replay.nights.budget import Budget
from replay.nights.history import beat, missed, nights, read_night, write_night
from replay.nights.notify import check
from replay.nights.settings import NightlySettings, budget_of, settings_of
from replay.nights.stages import Work, do_night
from replay.runs import Progress, RunOutcome

__all__ = ["Done", "NightlySettings", "days_to_do", "run_night", "run_nights"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A night, and how it went: with an ``outcome``, or an ``error`` that kept it from being done.

    ``again``: it had been done before, and went on with what its budget had no room for, or with
    what came late.
    """

    day: date
    outcome: RunOutcome | None = None
    error: AnonymizeError | None = None
    again: bool = False

    @property
    def exit_code(self) -> int:
        """That of the outcome; 2 where there is none."""
        return 2 if self.outcome is None else self.outcome.exit_code


def days_to_do(config: ReplayConfig, last: date) -> list[date]:
    """The nights to do up to ``last``, oldest first: those that were missed, and it.

    Raises:
        UsageError: no ``[nightly]`` table, or a wrong one.
    """
    settings, _ = settings_of(config)
    return missed(config.resolve(config.replay.runs), last, settings.catch_up)


def run_nights(
    config: ReplayConfig,
    days: list[date],
    *,
    agent: str | None = None,
    resume: bool = True,
    on_progress: Callable[[Progress], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Done]:
    """Do these nights, then with ``resume`` go on with others that are not whole.

    The budget is shared evenly among ``days``. What is left of it goes to nights of the last days
    (``catch_up``) that were cut short, the newest first; nights of which traces came late or were
    completed are brought up to date. A day that can't be read is passed over and comes back as an
    error; what would stop every night (the config, the store, the audit, a platform that is down)
    ends it.

    Raises:
        UsageError: no ``[nightly]`` table, an unknown agent, a message that could not be sent for
            want of a setting, or another night is going on.
    """
    settings, who = settings_of(config)
    check(who)
    config.agent(agent or settings.agent)
    budget = budget_of(settings, config.resolve(config.replay.runs))
    budget.nights = len(days)
    for number, day in enumerate(days):
        done = None
        with budget.part(1 / (len(days) - number)):
            try:
                outcome = run_night(
                    config, day, agent=agent, on_progress=on_progress, say=say, budget=budget
                )
                done = Done(day=day, outcome=outcome)
            except SourceError as error:
                done = Done(day=day, error=error)
                if _down_for_all(config, settings):
                    days = days[: number + 1]
        yield done
        if number + 1 >= len(days):
            break
    if resume and days and not _failed_last(done):
        yield from _unfinished(config, settings, days, budget, agent, on_progress, say)


def _failed_last(done: Done | None) -> bool:
    return done is None or done.outcome is None


def _down_for_all(config: ReplayConfig, settings: NightlySettings) -> bool:
    """Whether a source that failed for one day would fail for all: only files differ by day."""
    table = config.sources.get(settings.source)
    path = settings.source if table is None else str(table.get("path", ""))
    return "{date}" not in path


def _unfinished(
    config: ReplayConfig,
    settings: NightlySettings,
    days: list[date],
    budget: Budget,
    agent: str | None,
    on_progress: Callable[[Progress], None],
    say: Callable[[str], None],
) -> Iterator[Done]:
    """Nights that were cut short or have changed since, newest first, while there is room."""
    from replay.nights.stages import print_of
    from replay.nights.unfinished import stale

    same = (agent or settings.agent, print_of(config, agent or settings.agent))
    runs = config.resolve(config.replay.runs)
    store = config.resolve(config.replay.traces)
    first = days[-1] - timedelta(days=settings.catch_up)
    for night in reversed(nights(runs)):
        if not first <= night.day <= days[-1] or (night.candidate, night.fingerprint) != same:
            continue  # of other code, it stays what it was
        late = night.day not in days and stale(store, night)
        if not late and not (night.left and budget.room):
            continue
        on_with = f"{night.left:,} traces that were left" if night.left else "what came late"
        say(f"{night.day}: going on with {on_with}")
        outcome = run_night(
            config,
            night.day,
            agent=agent,
            on_progress=on_progress,
            say=say,
            budget=budget,
            ingest=False,
        )
        yield Done(day=night.day, outcome=outcome, again=True)


def run_night(
    config: ReplayConfig,
    day: date,
    *,
    agent: str | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
    budget: Budget | None = None,
    ingest: bool = True,
) -> RunOutcome:
    """Do the night of ``day`` (UTC) and return how it went.

    ``budget`` is shared with other nights; without it there is one of its own, as configured.
    ``ingest=False`` takes the day as the store has it.

    Raises:
        UsageError: no ``[nightly]`` table, another night is going on, nothing of the baseline's
            version was recorded.
        SourceError, StoreError, AuditError: as :func:`replay.nights.stages.do_night`. The heartbeat
            says so, and who is to know is told; the night is done again the next time.
    """
    settings, who = settings_of(config)
    check(who)
    runs = config.resolve(config.replay.runs)
    candidate = agent or settings.agent
    config.agent(candidate)
    with _alone(runs):
        work = Work(
            config=config,
            settings=settings,
            who=who,
            day=day,
            candidate=candidate,
            runs=runs,
            store=config.resolve(config.replay.traces),
            budget=budget or budget_of(settings, runs),
            on_progress=on_progress,
            say=say,
        )
        try:
            return do_night(work, ingest=ingest)
        except OSError as error:
            problem = StoreError(
                f"this can't be read or written: {error.strerror or type(error).__name__}",
                where=str(error.filename or runs),
                fix="see to the disk; the night goes on where it was",
            )
            _failed(work, problem)
            raise problem from None
        except AnonymizeError as error:
            _failed(work, error)
            raise


def _failed(work: Work, error: AnonymizeError) -> None:
    """Leave word of a night that could not be done: on a full disk as much as there is room for."""
    from replay.nights.metrics import write_failure
    from replay.nights.telling import tell_failure

    settings, folder = work.settings, work.runs / work.day.isoformat()
    try:
        if settings.heartbeat:
            path = work.config.resolve(settings.heartbeat)
            beat(path, day=work.day.isoformat(), state="failed", reason=error.what)
        if settings.metrics:
            write_failure(
                work.config.resolve(settings.metrics),
                work.candidate,
                last=_last_finished(work.runs),
                failed=time.time(),
            )
        write_night(folder, failed=error.what, failed_at=int(time.time()))
        tell_failure(error.what, work.candidate, work.who, folder, work.say)
    except OSError as problem:
        work.say(f"nobody was told: {problem.strerror or type(problem).__name__}")


def _last_finished(runs: Path) -> float:
    known = [read_night(runs / n.day.isoformat()).get("finished_at", 0) for n in nights(runs)]
    return max((k for k in known if isinstance(k, int | float)), default=0)


@contextmanager
def _alone(runs: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    runs.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(runs / ".nightly.lock").acquire(timeout=0)
    except Timeout:
        raise UsageError(
            "another night is going on",
            where=str(runs / ".nightly.lock"),
            fix="wait for it; the lock goes with its process, even a killed one",
        ) from None
    with lock:
        yield
