"""``replay run``."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonymize import console
from replay.commands.shared import (
    Bar,
    config_option,
    fail_on_option,
    fault_option,
    faults_option,
    load,
    notes,
    option,
    show,
    traces_option,
    workers_option,
)

if TYPE_CHECKING:
    from replay.config import ReplayConfig
    from replay.faults import FaultPlan


@console.example("replay run v2 --traces traces --fault timeout:tool=issue_refund,call=1")
@click.command()
@click.argument("agent")
@traces_option
@config_option
@option("--baseline", help="Only recordings of this agent version.")
@option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Only recordings of this day (UTC).",
)
@option("--trace", "ids", multiple=True, help="Only this trace (repeatable).")
@option(
    "--suite",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Only the traces of this file (`replay select`), weighted.",
)
@option("--limit", type=click.IntRange(1), help="Only the first so many.")
@workers_option
@fault_option
@faults_option
@option(
    "--plan",
    "plan_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A saved fault plan (plan.json of another run).",
)
@option("--seed", type=int, help="Seed of the faults.  [default: [replay] seed]")
@option("--against", default="", help="Put this agent under the same faults, to compare.")
@option("--repeat", type=click.IntRange(1), help="Replays of each trace.  [default: 1]")
@option(
    "--aa",
    type=click.FloatRange(0, 1),
    help="Share of the traces that the unchanged agent replays too, to learn its noise.",
)
@option("--aa-agent", help="Which agent that is.  [default: the one named like the recordings]")
@option("--stop-early", is_flag=True, help="Stop as soon as enough is known.")
@option("--dry-run", is_flag=True, help="Say which calls the faults would hit; run nothing.")
@option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="The run's folder.  [default: a new one under [replay] runs]",
)
@option("--fresh", is_flag=True, help="Don't go on with an unfinished run.")
@option("--reuse", is_flag=True, help="Take results of a complete run of the same code.")
@fail_on_option
def run(
    agent: str,
    traces: Path | None,
    config_path: Path,
    baseline: str | None,
    day: datetime | None,
    ids: tuple[str, ...],
    suite: Path | None,
    limit: int | None,
    workers: int,
    faults: tuple[str, ...],
    plans: tuple[str, ...],
    plan_path: Path | None,
    seed: int | None,
    against: str,
    repeat: int | None,
    aa: float | None,
    aa_agent: str | None,
    stop_early: bool,
    dry_run: bool,
    out: Path | None,
    fresh: bool,
    reuse: bool,
    fail_on: str | None,
) -> None:
    """Replay recorded traces against AGENT (a name in the config) and report."""
    from replay.runs import RunRequest, execute
    from replay.suites.suite import read_suite

    config = load(config_path, fail_on)
    request = RunRequest(
        agent=agent,
        traces=traces or config.resolve(config.replay.traces),
        runs=config.resolve(config.replay.runs),
        plan=fault_plan(config, agent, faults, plans, plan_path, seed),
        baseline=baseline,
        day=day.date() if day else None,
        ids=ids,
        limit=limit,
        weights=read_suite(suite).weights if suite is not None else {},
        workers=workers,
        folder=out,
        fresh=fresh,
        reuse=reuse,
        against=against,
        repeat=repeat,
        aa=aa,
        aa_agent=aa_agent,
        stop_early=stop_early,
    )
    if dry_run:
        from replay.preview import preview_run

        for line in preview_run(request, config):
            click.echo(console.printable(line))
        return
    with Bar() as bar:
        outcome = execute(request, config, on_progress=bar.show)
    show(outcome.document, outcome.folder)
    notes(outcome.notes)
    sys.exit(outcome.exit_code)


def fault_plan(
    config: ReplayConfig,
    agent: str,
    specs: tuple[str, ...],
    names: tuple[str, ...],
    saved: Path | None,
    seed: int | None,
) -> FaultPlan:
    """All faults of one run: ``--plan``, ``--faults``, ``[faults]`` and ``--fault``, in this order.

    Faults of one's own are imported from the agent's folders and the config's, as in a worker.

    Raises:
        UsageError: an unknown fault, profile or file, or something wrong in one.
    """
    from dataclasses import replace

    from replay.faults import parse_fault
    from replay.faults.files import check_order, find_plan, joined, read_plan

    importable(config, agent)
    files = [read_plan(saved)] if saved is not None else []
    files += [find_plan(name) for name in names]
    more = (*config.fault_rules(), *(parse_fault(spec) for spec in specs))
    plan = joined(files, more, seed=config.replay.seed)
    check_order(plan.rules, "--fault")
    return plan if seed is None else replace(plan, seed=seed)


def importable(config: ReplayConfig, agent: str | None) -> None:
    """Make what a worker could import importable here: ``module:Class`` names a fault."""
    from replay.agents.python_function import extend_path

    settings = config.agents.get(agent or "")
    paths = settings.path if settings is not None else ()
    extend_path([*(config.root / path for path in paths), config.root])
