"""One night: ingest a day, replay it, report into ``runs/DATE``.

Every stage can be done again: ingest adds only what is new or was completed by late spans, and
the replay takes the results that it already holds. So a crash needs no care, and the same night
run twice is the same night.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from anonymize.errors import UsageError
from anonymize.settings import parse_table
from replay.config import ReplayConfig
from replay.keeper import make_scrubber
from replay.runs import Progress, RunOutcome, RunRequest, execute


@dataclass(frozen=True, slots=True, kw_only=True)
class NightlySettings:
    """``[nightly]``: a source (a name in ``[sources]`` or a path; ``{date}`` stands for the
    day), the candidate, and the version in production (empty: any)."""

    source: str
    agent: str
    baseline: str = ""


def run_night(
    config: ReplayConfig,
    day: date,
    *,
    agent: str | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> RunOutcome:
    """Do the night of ``day`` (UTC) and return how it went.

    Raises:
        UsageError: no ``[nightly]`` table, another night is going on, nothing was recorded.
        SourceError, StoreError: the source or the store can't be read.
    """
    from filelock import FileLock, Timeout

    where = f"{config.path or 'replay.toml'}: nightly"
    settings = parse_table(NightlySettings, config.nightly, where)
    runs = config.resolve(config.replay.runs)
    runs.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(runs / ".nightly.lock").acquire(timeout=0):
            return _night(config, settings, day, runs, agent, on_progress, say)
    except Timeout:
        raise UsageError(
            "another night is going on",
            where=str(runs / ".nightly.lock"),
            fix="wait for it; the lock goes with its process, even a killed one",
        ) from None


def _night(
    config: ReplayConfig,
    settings: NightlySettings,
    day: date,
    runs: Path,
    agent: str | None,
    on_progress: Callable[[Progress], None],
    say: Callable[[str], None],
) -> RunOutcome:
    from replay.faults import FaultPlan

    candidate = agent or settings.agent
    config.agent(candidate)
    store = config.resolve(config.replay.traces)
    say(_ingest(config, settings, day, store, on_progress))
    request = RunRequest(
        agent=candidate,
        traces=store,
        runs=runs,
        plan=FaultPlan(rules=config.fault_rules(), seed=config.replay.seed),
        baseline=settings.baseline or None,
        day=day,
        folder=runs / day.isoformat(),
        reuse=True,
    )
    return execute(request, config, on_progress=on_progress)


def _ingest(
    config: ReplayConfig,
    settings: NightlySettings,
    day: date,
    store: Path,
    on_progress: Callable[[Progress], None],
) -> str:
    from anonymize.config import AnonymizeConfig
    from anonymize.pipeline import ingest
    from anonymize.sources import open_source

    tables = {"anonymize": config.anonymize, "sources": config.sources}
    known = AnonymizeConfig.from_tables(tables, config.root, name=str(config.path or "replay.toml"))
    spec = settings.source
    if spec not in known.sources:
        spec = str(config.resolve(spec.replace("{date}", day.isoformat())))
    with make_scrubber(config) as scrubber:
        scrubber.start()  # it loads while the source is read
        summary, tally = ingest(
            open_source(spec, known.sources),
            store,
            scrubber,
            day=day,
            progress=lambda t: on_progress(Progress(stage="ingesting", done=t.read)),
        )
    return (
        f"{day}: {summary.added:,} added, {summary.unchanged:,} already there, "
        f"{summary.replaced:,} completed, {tally.skipped:,} skipped, "
        f"{tally.quarantined:,} quarantined"
    )
