"""Replaying traces once more, by the same agent and by the one that made the recordings.

Each replay is another draw of chance: its seed differs, so random numbers, ids and, where there is
one, the model's answers do. Kept in the run's folder, each part a store like any other:

    repeat/2, repeat/3, ...   ``--repeat``: the candidate, every trace
    aa/1, aa/2, ...           ``--aa``: the agent of the recordings, a share of the traces
    again/, again-aa/         traces that differed, by the candidate and by that agent; the draw
                              is part of the trace's id (``t1~2``)
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from anonymize.jsontools import JsonError, loads
from anonymize.trace import Trace
from replay import folder as folders
from replay.faults.plan import FaultPlan
from replay.jobs import Planned
from replay.keeper import Keeper, held
from replay.replaying import replay_missing
from replay.run_request import Progress, RunRequest
from replay.selection import Selection
from replay.slots import altered

if TYPE_CHECKING:
    from anonymize.repeated import Repeats
    from anonymize.store import Store
    from anonymize.workers import AnyScrubber
    from replay.config import ReplayConfig

PARTS = ("repeat", "aa", "again", "again-aa")
_MARK = "replay.json"
_SPREAD = 7_919
#: Draws of the agent of the recordings never share a seed with the candidate's.
_OTHER = 500


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where replays come from: the run that they belong to. ``scrubber`` and ``repeats`` serve all.

    ``playing`` is ``config`` with what was learnt of the recordings, which grows with them.
    """

    request: RunRequest
    config: ReplayConfig
    playing: ReplayConfig
    store: Store
    selection: Selection
    folder: Path
    on_progress: Callable[[Progress], None]
    scrubber: AnyScrubber
    repeats: Repeats


def replay_all(
    source: Source, agent: str, ids: Collection[str], folder: Path, draw: int, stage: str
) -> None:
    """Replay ``ids`` once by ``agent`` into ``folder``; what it holds already is not done again."""
    playing = _drawn(source.playing, draw)
    _prepared(folder, agent, playing)
    digests = {i: d for i, d in source.selection.digests.items() if i in ids}
    selection = Selection(digests=digests, policies=source.selection.policies)

    def progress(said: Progress) -> None:
        source.on_progress(dataclasses.replace(said, stage=stage))

    request = dataclasses.replace(
        source.request, agent=agent, plan=FaultPlan(seed=playing.replay.seed)
    )
    if digests:
        replay_missing(
            request,
            playing,
            source.store,
            selection,
            folder,
            progress,
            scrubber=source.scrubber,
            repeats=source.repeats,
        )


def replay_again(
    source: Source, agent: str, ids: Sequence[str], folder: Path, draws: range, stage: str
) -> None:
    """Replay ``ids`` several times by ``agent``, all at once: a draw of chance each."""
    from replay.runner import run

    playing = _uncached(source.playing)
    _prepared(folder, agent, playing)
    done = held(folder / "traces")
    digests, policies = source.selection.digests, source.selection.policies
    todo = [(i, k) for i in ids for k in draws if done.get(named(i, k)) != digests[i]]
    if not todo:
        return
    names = {named(i, k): i for i, k in todo}
    keeper = Keeper(
        playing,
        folder,
        {name: digests[i] for name, i in names.items()},
        {name: policies[i] for name, i in names.items()},
        scrubber=source.scrubber,
        repeats=source.repeats,
    )
    plan = FaultPlan(seed=playing.replay.seed)
    wanted = {i: [k for j, k in todo if j == i] for i, _ in todo}
    offset = _OTHER if folder.name.endswith("-aa") else 0
    recordings: dict[str, Trace] = {}
    budget = source.request.budget

    def planned() -> Iterator[Planned]:
        for trace in source.store.traces(ids=list(wanted)):
            recordings[trace.trace_id] = trace
            if budget is not None and budget.closed():
                return
            for k in wanted[trace.trace_id]:
                if budget is not None:
                    budget.began()
                yield Planned(trace=trace, plan=plan, label=str(k), draw=k + offset)

    workers = source.request.workers or playing.replay.workers
    close = budget is not None and budget.limited
    results = run(planned(), agent, playing, plan, workers=workers, close=close)
    try:
        for n, result in enumerate(results, 1):
            if budget is not None:
                budget.spend(result)
            recording = recordings[result.trace.trace_id]
            name = named(result.trace.trace_id, int(result.label))
            keeper.add(altered(result, trace=altered(result.trace, trace_id=name)), recording)
            source.on_progress(Progress(stage=stage, done=n, total=len(todo)))
    finally:
        keeper.close()
        if budget is not None:
            budget.keep()


def named(trace_id: str, draw: int) -> str:
    """The id that a further draw of a trace is kept under."""
    return f"{trace_id}~{draw}"


def drawn(folder: Path, ids: Collection[str], draws: range) -> dict[str, list[Trace]]:
    """What :func:`replay_again` left, by the trace's own id."""
    from anonymize.store import Store

    if not (folder / "traces").exists():
        return {}
    names = {named(i, k): i for i in ids for k in draws}
    found: dict[str, list[Trace]] = {}
    for trace in Store(folder / "traces").traces(ids=list(names)):
        found.setdefault(names[trace.trace_id], []).append(trace)
    return found


def kept(folder: Path, ids: Collection[str]) -> Mapping[str, Trace]:
    """What :func:`replay_all` left."""
    from anonymize.store import Store

    if not (folder / "traces").exists():
        return {}
    return {t.trace_id: t for t in Store(folder / "traces").traces(ids=list(ids))}


def _drawn(config: ReplayConfig, draw: int) -> ReplayConfig:
    """The config with another seed, and a cassette of its own: what a model said in another draw
    must not be said for it."""
    replay = dataclasses.replace(config.replay, seed=config.replay.seed + draw * _SPREAD)
    llm = config.llm
    if llm.cassette and llm.mode != "recorded":
        path = Path(llm.cassette)
        own = str(path.with_name(f"{path.stem}.draw{draw}{path.suffix}"))
        llm = dataclasses.replace(llm, cassette=own)
    return dataclasses.replace(config, replay=replay, llm=llm)


def _uncached(config: ReplayConfig) -> ReplayConfig:
    if config.llm.mode == "recorded" or not config.llm.cassette:
        return config
    return dataclasses.replace(config, llm=dataclasses.replace(config.llm, cassette=""))


def _prepared(folder: Path, agent: str, config: ReplayConfig) -> None:
    """Forget what the folder holds of other code or another config."""
    from replay.runner import fingerprint

    print_ = fingerprint(agent, config, FaultPlan(seed=config.replay.seed))
    mark = {"schema": 1, "agent": agent, "fingerprint": print_}
    try:
        known = loads((folder / _MARK).read_bytes())
    except (OSError, JsonError):
        known = None
    if known != mark:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        folders.write_header(folder / _MARK, mark)
