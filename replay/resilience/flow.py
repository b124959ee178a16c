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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonymize.jsontools import JsonError, loads
from anonymize.trace import Trace
from replay import folder as folders
from replay.faults.plan import FaultPlan, FaultProof
from replay.keeper import held, proofs
from replay.replaying import replay_missing
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRun:
    """A run whose candidate has been replayed under its plan into ``folder``.

    ``playing`` is the config that replays, with what was learnt; ``reproduce`` the command that
    does one trace again.
    """

    request: RunRequest
    config: ReplayConfig
    playing: ReplayConfig
    store: Store
    selection: Selection
    folder: Path
    on_progress: Callable[[Progress], None]
    reproduce: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The verdict, and the report's section."""

    verdict: FaultVerdict
    section: Mapping[str, Any]


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
            f"replaying {request.against} under the faults",
        )
    rows: list[OutcomeRow] = []
    found: dict[Side, list[FaultProof]] = {}
    for side, folder in sides.items():
        found[side] = proofs(folder, run.selection.digests.keys())
        hit = {p.trace_id for p in found[side] if p.landed}
        digests = {i: d for i, d in run.selection.digests.items() if i in hit}
        control = folder / "control"
        if digests:
            _replay(
                run,
                agents[side],
                FaultPlan(seed=request.plan.seed),
                digests,
                control,
                f"replaying {agents[side]} without faults",
            )
        run.on_progress(Progress(stage="judging"))
        rows += _rows(run, side, folder, found[side], (tools, settings, contracts))
    write_rows(run.folder / FILE, rows)
    verdict = verdict_of(rows, settings.min_conclusive, request.against)
    own = [c.name for c in contracts]
    told = section(
        request.plan, agents, rows, found, verdict, own_contracts=own, reproduce=run.reproduce
    )
    return Judged(verdict=verdict, section=told)


def _replay(
    run: FaultRun,
    agent: str,
    plan: FaultPlan,
    digests: Mapping[str, str],
    folder: Path,
    stage: str,
) -> None:
    """Fill the store in ``folder``; what it holds of other code or another config is forgotten."""
    from replay.runner import fingerprint

    print_ = fingerprint(agent, run.playing, plan)
    mark = {"schema": 1, "agent": agent, "fingerprint": print_}
    if _mark(folder / _MARK) != mark:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        folders.write_header(folder / _MARK, mark)
    selection = Selection(digests=dict(digests), policies=run.selection.policies)

    def progress(said: Progress) -> None:
        run.on_progress(dataclasses.replace(said, stage=stage))

    # Without its counterpart a run under faults can't be judged: a budget limits the first only.
    request = dataclasses.replace(run.request, agent=agent, plan=plan, budget=None)
    replay_missing(request, run.playing, run.store, selection, folder, progress)
    run.selection.not_kept.update(selection.not_kept)


def _rows(
    run: FaultRun,
    side: Side,
    folder: Path,
    found: Sequence[FaultProof],
    by: tuple[ToolCatalog, CompareSettings, tuple[Contract, ...]],
) -> Iterator[OutcomeRow]:
    from anonymize.store import Store

    tools, settings, contracts = by
    if not (folder / "traces").exists():
        return
    done = held(folder / "traces")
    ids = [i for i in run.selection.digests if i in done]
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
