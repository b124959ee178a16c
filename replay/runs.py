"""One run, from a store to a report: select, replay, scrub, keep, compare, report.

A run that was killed is gone on with by the next run of the same agent, config, plan and traces;
a trace is replayed again only if its recording changed. A complete run is never reused unless
asked (``reuse``), because an agent can change in ways that no fingerprint sees.
"""

from __future__ import annotations

import dataclasses
import shlex
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonymize.errors import UsageError
from anonymize.jsontools import digest
from anonymize.settings import parse_table
from anonymize.trace import Trace
from replay import folder as folders
from replay.config import ReplayConfig
from replay.events import AnswersNotKept, Event
from replay.keeper import Keeper, held, make_scrubber, proofs
from replay.privacy import privacy_of
from replay.recording import replayable

if TYPE_CHECKING:
    from anonymize.store import Store
    from replay.compare import CompareSettings, DatasetDiff
    from replay.compare.tools import ToolCatalog
    from replay.faults import FaultPlan
    from replay.report import RunInfo

#: The exit code of each run verdict.
EXIT_CODES: Mapping[str, int] = {
    "pass": 0,
    "regressed": 1,
    "could not run": 2,
    "inconclusive": 3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What to replay, and where to put it.

    ``baseline`` limits the recordings to one agent version, ``day`` to one day (UTC), ``ids``
    to these traces, ``limit`` to the first so many. ``folder``: the run's folder, else a new one
    under ``runs``. ``fresh`` forgets an unfinished run; ``reuse`` accepts a complete one.
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


@dataclass(slots=True)
class _Selection:
    """Which recordings take part: trace id -> digest of the recording's scrubbed content, and
    what they were scrubbed under."""

    digests: dict[str, str]
    policies: dict[str, str]
    reused: int = 0
    replayed: int = 0
    not_kept: Counter[str] = field(default_factory=Counter)

    def hear(self, event: Event) -> None:
        if isinstance(event, AnswersNotKept):
            self.not_kept[event.reason] += event.number

    def notes(self) -> tuple[str, ...]:
        return tuple(
            f"{number:,} live answers were not kept and will be asked for again: {reason}"
            for reason, number in sorted(self.not_kept.items())
        )


def execute(
    request: RunRequest,
    config: ReplayConfig,
    *,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> RunOutcome:
    """Do the whole run and leave its folder complete.

    Raises:
        UsageError: unknown agent, an agent that can't be imported, nothing to replay.
        StoreError: the store can't be read or the run's folder can't be written.
    """
    from anonymize.pipeline import check_key
    from anonymize.store import Store
    from replay.runner import check_agent, fingerprint
    from replay.volatile import learnt_config, learnt_paths

    started = time.monotonic()
    config.agent(request.agent)
    store = Store(request.traces)
    selection = _select(store, request)
    check_agent(request.agent, config)
    check_key(store, make_scrubber(config), request.traces)
    playing = learnt_config(store, config)
    print_ = fingerprint(request.agent, playing, request.plan)
    chosen = digest(sorted(selection.digests.items()))
    folder, other = folders.choose(request, print_, chosen)
    with folders.locked(folder):
        if other:
            folders.clear(folder)
        header: dict[str, Any] = {
            "schema": 1,
            "state": "running",
            "agent": request.agent,
            "baseline": request.baseline,
            "traces": str(request.traces),
            "fingerprint": print_,
            "selection": chosen,
            "learnt_volatile": learnt_paths(config, playing),
            "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        folders.write_header(folder / "run.json", header)
        request.plan.save(folder / "plan.json")
        _replay_missing(request, playing, store, selection, folder, on_progress)
        on_progress(Progress(stage="comparing"))
        outcome = _report(request, config, store, selection, folder, time.monotonic() - started)
        header |= {"state": "complete", "exit_code": outcome.exit_code}
        folders.write_header(folder / "run.json", header)
        folders.point_latest(request.runs, folder)
    return outcome


def _select(store: Store, request: RunRequest) -> _Selection:
    import polars as pl

    frame = store.scan("traces").select("trace_id", "agent_version", "date", "digest", "policy")
    if request.baseline is not None:
        frame = frame.filter(pl.col("agent_version") == request.baseline)
    if request.day is not None:
        frame = frame.filter(pl.col("date") == request.day)
    if request.ids:
        frame = frame.filter(pl.col("trace_id").is_in(list(request.ids)))
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
    return _Selection(digests=digests, policies=policies)


def _nothing(store: Store, request: RunRequest) -> None:
    import polars as pl

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


def _replay_missing(
    request: RunRequest,
    config: ReplayConfig,
    store: Store,
    selection: _Selection,
    folder: Path,
    on_progress: Callable[[Progress], None],
) -> None:
    """Replay what the run's store does not hold yet."""
    from replay.runner import run

    done = held(folder / "traces")
    todo = [i for i, d in selection.digests.items() if done.get(i) != d]
    selection.reused = len(selection.digests) - len(todo)
    total, refused = len(selection.digests), 0
    recordings: dict[str, Trace] = {}

    def wanted() -> Iterator[Trace]:
        nonlocal refused
        for trace in store.traces(ids=todo) if todo else ():
            if replayable(trace) is not None:
                refused += 1
                continue
            recordings[trace.trace_id] = trace
            yield trace

    def progress(stage: str) -> None:
        count = selection.reused + selection.replayed + refused
        on_progress(Progress(stage=stage, done=count, total=total))

    progress("replaying")
    keeper = Keeper(config, folder, selection.digests, selection.policies)
    workers = request.workers or config.replay.workers
    results = run(
        wanted(), request.agent, config, request.plan, workers=workers, on_event=selection.hear
    )
    for result in results:
        selection.replayed += 1
        keeper.add(result, recordings.pop(result.trace.trace_id))
        progress("replaying")
    progress("scrubbing what the candidate said")
    keeper.close()


def _report(
    request: RunRequest,
    config: ReplayConfig,
    store: Store,
    selection: _Selection,
    folder: Path,
    seconds: float,
) -> RunOutcome:
    from anonymize.store import Store as Opened
    from replay.compare import compare_datasets
    from replay.faults import tally
    from replay.report import write_all

    candidate = Opened(folder / "traces") if (folder / "traces").exists() else None
    settings, tools = comparison(config)
    ids = set(selection.digests)
    left_out: list[tuple[str, str]] = []

    def recordings() -> Iterator[Trace]:
        for trace in store.traces(ids=ids):
            reason = replayable(trace)
            if reason is None:
                yield trace
            else:
                left_out.append((trace.trace_id, reason))

    diff = compare_datasets(
        recordings(),
        candidate.traces(ids=ids) if candidate is not None else iter(()),
        settings,
        tools,
    )
    diff = dataclasses.replace(diff, not_replayable=tuple(left_out))
    landed = proofs(folder, ids)
    info = dataclasses.replace(
        info_of(diff, store, config, settings, tools),
        run_id=folder.name,
        candidate=request.agent,
        baseline=request.baseline or "recorded",
        started_at=datetime.now(UTC).replace(microsecond=0),
        duration_s=seconds,
        seed=request.plan.seed,
        reproduce=_reproduce(request, config, folder),
        traces_read=len(selection.digests),
        traces_replayed=selection.replayed,
        traces_reused=selection.reused,
        faults=tuple(tally(request.plan, landed)),
        fault_proofs=tuple(landed),
        privacy=privacy_of(request.traces, folder),
    )
    written = write_all(diff, info, folder)
    return RunOutcome(
        folder=folder,
        exit_code=info.exit_code,
        document=written.document,
        notes=selection.notes(),
    )


def comparison(config: ReplayConfig) -> tuple[CompareSettings, ToolCatalog]:
    """What the config says about comparing, and about tools."""
    from replay.compare import CompareSettings, ToolCatalog

    where = f"{config.path or 'replay.toml'}: compare"
    return parse_table(CompareSettings, config.compare, where), ToolCatalog(config.tools)


def info_of(
    diff: DatasetDiff,
    store: Store,
    config: ReplayConfig,
    settings: CompareSettings,
    tools: ToolCatalog,
) -> RunInfo:
    """The part of a report's run section that a comparison without a replay has too."""
    from replay.report import RunInfo

    return RunInfo(
        run_id="",
        candidate="candidate",
        baseline="baseline",
        exit_code=EXIT_CODES[diff.verdict],
        config=str(config.path or ""),
        fidelity_threshold=settings.fidelity_threshold,
        skipped=Counter(s.reason for s in store.skipped()),
        quarantined=Counter(q.reason for q in store.quarantined()),
        tools=tuple(tools.known()),
        versions=_versions(),
    )


def _versions() -> dict[str, str]:
    import platform

    found = {"python": platform.python_version()}
    for name in ("replay-harness", "presidio-analyzer", "deepdiff", "vcrpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a source tree that was never installed
            found[name] = "unknown"
    return found


def _reproduce(request: RunRequest, config: ReplayConfig, folder: Path) -> str:
    words = ["replay", "run", request.agent, "--traces", str(request.traces)]
    if config.path is not None and config.path != Path("replay.toml"):
        words += ["--config", str(config.path)]
    if request.baseline:
        words += ["--baseline", request.baseline]
    if request.plan.rules:
        words += ["--plan", str(folder / "plan.json")]
    return shlex.join(words) + " --trace {trace_id}"
