"""A run under faults, judged: the same agent without them, and a baseline agent beside it.

In the run's folder, next to the candidate's replays under the plan:

    control/          its replays without the plan, of the traces that a fault landed on
    against/          another agent's replays under the plan, with a control/ of its own
    outcomes.jsonl    one line for each trace and agent

What a store holds is not replayed again as long as it was made by the same code and config, so a
run that was killed goes on where it was.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonymize.jsontools import JsonError, loads
from anonymize.trace import Trace
from replay import folder as folders
from replay.faults.plan import FaultPlan, FaultProof
from replay.keeper import held, proofs
from replay.nights import partial
from replay.replaying import place, replay_missing
from replay.resilience.contracts import Contract, contracts_of
from replay.resilience.judge import judge
from replay.resilience.rows import FILE, OutcomeRow, Side, landings, write_rows
from replay.resilience.section import section
from replay.resilience.verdict import FaultVerdict, verdict_of
from replay.run_request import Progress, RunRequest
from replay.selection import Selection

if TYPE_CHECKING:
    from anonymize.store import Store
    from replay.compare import CompareSettings, ToolCatalog
    from replay.config import ReplayConfig

_MARK = "replay.json"
_BATCH = 256
#: Outcomes that tell nothing of an agent. Where no fault landed, none can fail.
_OPEN = ("inconclusive", "broken")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRun:
    """A run whose candidate has been replayed under its plan into ``folder``.

    ``playing`` is the config that replays, with what was learnt; ``reproduce`` the command that
    does one trace again; ``weights``: how many traces of the traffic each stands for.
    """

    request: RunRequest
    config: ReplayConfig
    playing: ReplayConfig
    store: Store
    selection: Selection
    folder: Path
    on_progress: Callable[[Progress], None]
    reproduce: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The verdict, and the report's section; ``known``: the traces on which the candidate's run
    could be judged, each with the conversation that it is a turn of."""

    verdict: FaultVerdict
    section: Mapping[str, Any]
    known: Mapping[str, str] = field(default_factory=dict)


def judge_run(run: FaultRun, tools: ToolCatalog, settings: CompareSettings) -> Judged:
    """Replay what is still missing, judge every trace, and keep the outcomes.

    Raises:
        UsageError: the baseline agent or a contract can't be loaded, or a contract fails.
    """
    request = run.request
    contracts = contracts_of(run.config)
    agents: dict[Side, str] = {"candidate": request.agent}
    sides: dict[Side, Path] = {"candidate": run.folder}
    if request.against:
        agents["baseline"] = request.against
        sides["baseline"] = run.folder / "against"
        _replay(
            run,
            request.against,
            request.plan,
            run.selection.digests,
            sides["baseline"],
            (f"replaying {request.against} under the faults", 1 / 3),
        )
    rows: list[OutcomeRow] = []
    found: dict[Side, list[FaultProof]] = {}
    for number, (side, folder) in enumerate(sides.items(), 1):
        found[side] = proofs(folder, run.selection.digests.keys())
        hit = {p.trace_id for p in found[side] if p.landed}
        digests = {i: d for i, d in run.selection.digests.items() if i in hit}
        without: frozenset[str] = frozenset()
        if digests:
            without = _replay(
                run,
                agents[side],
                FaultPlan(seed=request.plan.seed),
                digests,
                folder / "control",
                (f"replaying {agents[side]} without faults", 1 / (1 + len(sides) - number)),
            )
        run.on_progress(Progress(stage="judging"))
        # Without its counterpart nothing can be said of a run: it is as if there had been no room
        # for it, which is chance's doing, since both go through the traces in one order.
        found[side] = [p for p in found[side] if p.trace_id not in without]
        rows += _rows(run, side, folder, found[side], without, (tools, settings, contracts))
        if side == "candidate":
            run.selection.unjudged = without
    write_rows(run.folder / FILE, rows)
    verdict = verdict_of(rows, settings.min_conclusive, request.against)
    known = _known(rows, run.selection.unjudged, request.first)
    verdict = partial.judged_under_faults(verdict, known, request, run.selection, settings)
    own = [c.name for c in contracts]
    told = section(
        request.plan, agents, rows, found, verdict, own_contracts=own, reproduce=run.reproduce
    )
    return Judged(verdict=verdict, section=told, known=known)


def _known(
    rows: Sequence[OutcomeRow], unjudged: Collection[str], first: Collection[str]
) -> dict[str, str]:
    """What the candidate's rows tell of traces, as a draw by chance.

    A trace that nothing landed on needs no other replay. Behind the first one that there was no
    room for it would be there for that alone, so it does not count.
    """
    end = min((place(i, first) for i in unjudged), default=(True, b"\xff" * 33))
    return {
        r.trace_id: r.session or r.trace_id
        for r in rows
        if r.side == "candidate" and (r.failed or r.outcome.kind not in _OPEN)
        if place(r.trace_id, first) < end
    }


def _replay(
    run: FaultRun,
    agent: str,
    plan: FaultPlan,
    digests: Mapping[str, str],
    folder: Path,
    told: tuple[str, float],
) -> frozenset[str]:
    """Fill the store in ``folder``; what it holds of other code or another config is forgotten.

    ``told`` is what the progress says, and the share of what is left of the run's budget that this
    may use. Returns those of ``digests`` that there was no room for.
    """
    from replay.runner import fingerprint

    print_ = fingerprint(agent, run.playing, plan)
    mark = {"schema": 1, "agent": agent, "fingerprint": print_}
    if _mark(folder / _MARK) != mark:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        folders.write_header(folder / _MARK, mark)
    selection = Selection(digests=dict(digests), policies=run.selection.policies)

    stage, share = told

    def progress(said: Progress) -> None:
        run.on_progress(dataclasses.replace(said, stage=stage))

    request = dataclasses.replace(run.request, agent=agent, plan=plan)
    with nullcontext() if request.budget is None else request.budget.part(share):
        replay_missing(request, run.playing, run.store, selection, folder, progress)
    run.selection.not_kept.update(selection.not_kept)
    run.selection.cut = run.selection.cut or selection.cut
    return selection.left


def _rows(
    run: FaultRun,
    side: Side,
    folder: Path,
    found: Sequence[FaultProof],
    without: Collection[str],
    by: tuple[ToolCatalog, CompareSettings, tuple[Contract, ...]],
) -> Iterator[OutcomeRow]:
    from anonymize.store import Store

    tools, settings, contracts = by
    if not (folder / "traces").exists():
        return
    done = held(folder / "traces")
    ids = [i for i in run.selection.digests if i in done and i not in without]
    faulted = Store(folder / "traces")
    control = folder / "control" / "traces"
    controls = Store(control) if control.exists() else None
    of_trace: dict[str, list[FaultProof]] = {}
    for proof in found:
        of_trace.setdefault(proof.trace_id, []).append(proof)
    own = {c.name for c in contracts}
    agent = run.request.agent if side == "candidate" else run.request.against
    for some in _batches(ids):
        without = {t.trace_id: t for t in controls.traces(ids=some)} if controls else {}
        under = {t.trace_id: t for t in faulted.traces(ids=some)}
        for trace_id in some:
            offered = of_trace.get(trace_id, [])
            trace = under[trace_id]
            measure = without.get(trace_id, _no_measure(trace))
            outcome = judge(measure, trace, offered, tools, settings, contracts)
            yield OutcomeRow(
                trace_id=trace_id,
                agent=agent,
                side=side,
                plan=run.request.plan.name,
                outcome=outcome,
                landed=landings(offered),
                own_contracts=tuple(c for c in outcome.contracts if c in own),
                weight=run.weights.get(trace_id, 1.0),
                session=trace.session_id or "",
            )


def _mark(path: Path) -> object:
    try:
        return loads(path.read_bytes())
    except (OSError, JsonError):
        return None


def _no_measure(trace: Trace) -> Trace:
    """Stands for a control that there is none of: where nothing landed, none is needed."""
    reason = "there is no replay without the faults"
    tags = {**trace.tags, "replay.status": "broken", "replay.broken_reason": reason}
    return dataclasses.replace(trace, tags=tags)


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    items = iter(ids)
    while some := list(islice(items, _BATCH)):
        yield some
