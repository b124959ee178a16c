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
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonymize.errors import UsageError
from anonymize.jsontools import digest
from anonymize.settings import parse_table
from anonymize.trace import Trace
from replay import folder as folders
from replay import sessions
from replay.collecting import seldom_collected
from replay.config import ReplayConfig
from replay.keeper import make_scrubber, new_repeats, proofs
from replay.nights.budget import free_part, main_part, stage
from replay.privacy import privacy_of
from replay.recording import replayable
from replay.remembered import in_store_order
from replay.replaying import replay_missing
from replay.run_request import Progress, RunOutcome, RunRequest
from replay.selection import Selection, select

__all__ = [
    "EXIT_CODES",
    "Progress",
    "RunOutcome",
    "RunRequest",
    "comparison",
    "execute",
    "info_of",
    "select",
]

if TYPE_CHECKING:
    from anonymize.repeated import Repeats
    from anonymize.store import Store
    from anonymize.workers import AnyScrubber
    from replay.compare import CompareSettings, DatasetDiff, TraceDiff
    from replay.compare.tools import ToolCatalog
    from replay.contracts.checking import Held
    from replay.noise.again import Source
    from replay.noise.draws import Compare
    from replay.noise.flow import NoiseRun
    from replay.report import RunInfo
    from replay.resilience.flow import Judged

#: The exit code of each run verdict.
EXIT_CODES: Mapping[str, int] = {
    "pass": 0,
    "regressed": 1,
    "could not run": 2,
    "inconclusive": 3,
}


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
    from replay.noise.again import Source
    from replay.noise.flow import NoiseRun
    from replay.playing import playing_of
    from replay.volatile import learnt_paths

    started = time.monotonic()
    config.agent(request.agent)
    store = Store(request.traces)
    selection = select(store, request)
    if config.llm.granularity == "session":
        selection.digests = sessions.digests(store, selection.digests)
    _checked(request, config)
    check_key(store, make_scrubber(config), request.traces)
    playing, print_ = playing_of(request, config, store)
    chosen = digest(sorted(selection.digests.items()))
    folder, other = folders.choose(request, print_, chosen)
    with folders.locked(folder), seldom_collected(), ExitStack() as stack:
        if other:
            folders.clear(folder)
        header: dict[str, Any] = {
            "schema": 1,
            "state": "running",
            "agent": request.agent,
            "against": request.against,
            "baseline": request.baseline,
            "traces": str(request.traces),
            "fingerprint": print_,
            "selection": chosen,
            "learnt_volatile": learnt_paths(config, playing),
            "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        folders.write_header(folder / "run.json", header)
        request.plan.save(folder / "plan.json")
        settings, tools = comparison(config)
        by = (settings, tools) if request.stop_early and not request.plan.rules else None
        scrubber, repeats = make_scrubber(config), new_repeats()
        stack.callback(scrubber.close)
        _replay(request, playing, store, selection, folder, on_progress, by, (scrubber, repeats))
        source = Source(
            request=request,
            config=config,
            playing=playing,
            store=store,
            selection=selection,
            folder=folder,
            on_progress=on_progress,
            scrubber=scrubber,
            repeats=repeats,
        )
        judged, noise = None, None
        if request.plan.rules:
            judged = _judged(source, settings, tools)
        else:
            noise = NoiseRun.of(source, settings, _held_to(config, settings))
            with stage(request, playing, free_part):
                noise.replay_free()
        on_progress(Progress(stage="comparing"))
        outcome = _report(
            request, config, store, selection, folder, time.monotonic() - started, judged, noise
        )
        header |= {"state": "complete", "exit_code": outcome.exit_code}
        folders.write_header(folder / "run.json", header)
        folders.point_latest(request.runs, folder)
    return outcome


def _judged(source: Source, settings: CompareSettings, tools: ToolCatalog) -> Judged:
    from replay.nights.partial import weights_of
    from replay.resilience.flow import FaultRun, judge_run

    under_faults = FaultRun(
        request=source.request,
        config=source.config,
        playing=source.playing,
        store=source.store,
        selection=source.selection,
        folder=source.folder,
        on_progress=source.on_progress,
        reproduce=_reproduce(source.request, source.config, source.folder),
        weights=weights_of(source.request, source.selection),
    )
    return judge_run(under_faults, tools, settings)


def _checked(request: RunRequest, config: ReplayConfig) -> None:
    """Whether everything that is needed can be loaded, before anything runs."""
    from replay.review import memory_of
    from replay.runner import check_agent

    check_agent(request.agent, config)
    if request.against and not request.plan.rules:
        raise UsageError(
            "two agents are compared under faults, and there are none",
            where=f"--against {request.against}",
            fix="add --faults or --fault; without any, replay both and compare by `replay diff`",
        )
    if request.against:
        check_agent(request.against, config)
    if request.aa_agent:
        config.agent(request.aa_agent)
    if config.contracts:
        from replay.resilience.contracts import contracts_of

        contracts_of(config)
    memory_of(config)  # what can't be read is told before anything runs


def _replay(
    request: RunRequest,
    playing: ReplayConfig,
    store: Store,
    selection: Selection,
    folder: Path,
    on_progress: Callable[[Progress], None],
    by: tuple[CompareSettings, ToolCatalog] | None,
    shared: tuple[AnyScrubber, Repeats],
) -> None:
    given = (request, playing, store, selection, folder, on_progress)
    if by is None:
        with stage(request, playing, main_part):
            replay_missing(*given, scrubber=shared[0], repeats=shared[1])
        return
    from replay.noise.stopping import replay_until_known

    replay_until_known(*given, by, shared)


def _held_to(
    config: ReplayConfig, settings: CompareSettings
) -> Callable[[Compare], Compare] | None:
    """How further runs are compared: by the contracts as well, with a count of their own."""
    if not config.contracts:
        return None

    def both(compare: Compare) -> Compare:
        _, tools = comparison(config)
        also = held(config, tools)
        assert also is not None

        def compared(one: Trace, other: Trace) -> TraceDiff:
            return also.look(compare(one, other), one, other, settings)

        return compared

    return both


def _report(
    request: RunRequest,
    config: ReplayConfig,
    store: Store,
    selection: Selection,
    folder: Path,
    seconds: float,
    judged: Judged | None,
    noise: NoiseRun | None,
) -> RunOutcome:
    from anonymize.store import Store as Opened
    from replay.compare import compare_datasets
    from replay.faults import tally
    from replay.nights import partial
    from replay.nights.section import night_section, past_is_worse
    from replay.noise.section import section
    from replay.report import write_all
    from replay.review import memory_of

    candidate = Opened(folder / "traces") if (folder / "traces").exists() else None
    settings, tools = comparison(config)
    ids = set(selection.digests)
    left_out: list[tuple[str, str]] = []
    ours = {i: recorded for i, (recorded, _) in selection.written.items()}
    theirs = {i: made for i, (_, made) in selection.written.items()}

    def recordings() -> Iterator[Trace]:
        for trace in in_store_order(store, ids, ours):
            reason = replayable(trace)
            if reason is None:
                yield trace
            else:
                left_out.append((trace.trace_id, reason))

    diff = compare_datasets(
        recordings(),
        in_store_order(candidate, ids, theirs) if candidate is not None else iter(()),
        settings,
        tools,
        contracts=held(config, tools),
        quieteners=memory_of(config),
        study=noise,
        weights=partial.weights_of(request, selection),
    )
    diff = dataclasses.replace(diff, not_replayable=tuple(left_out))
    diff = partial.judged(diff, request, selection, settings)
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
        budget=partial.section(diff, request, selection, judged),
        night=night_section(request.night, diff) if request.night is not None else None,
    )
    if judged is not None:
        info = dataclasses.replace(
            info, exit_code=EXIT_CODES[judged.verdict.status], resilience=judged.section
        )
    if info.exit_code in (0, 3) and past_is_worse(info.night):
        info = dataclasses.replace(info, exit_code=EXIT_CODES["regressed"])
    studied = noise.studied if noise is not None else None
    if studied is not None:
        info = dataclasses.replace(info, noise=section(studied, selection.stopped))
    written = write_all(diff, info, folder)
    return RunOutcome(
        folder=folder,
        exit_code=info.exit_code,
        document=written.document,
        notes=(*selection.notes(), *(studied.notes if studied is not None else ())),
    )


def held(config: ReplayConfig, tools: ToolCatalog) -> Held | None:
    """What the config holds every run to, if it does."""
    if not config.contracts:
        return None
    from replay.contracts.checking import Held
    from replay.contracts.user import contracts_of

    return Held(contracts_of(config), tools)


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
