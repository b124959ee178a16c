"""``replay campaign``."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from anonymize import console
from replay.commands.shared import (
    Bar,
    config_option,
    fault_option,
    faults_option,
    load,
    notes,
    option,
    traces_option,
    workers_option,
)


@console.example("replay campaign v2 --against v1 --faults api_outage --budget 200")
@click.command()
@click.argument("agent")
@option("--against", help="Another agent of the config, which gets the same faults.")
@fault_option
@faults_option
@option("--budget", type=click.IntRange(1), default=200, help="How many runs with faults.")
@option("--strength", type=click.IntRange(1, 4), default=2, help="Faults that are combined.")
@option("--seed", type=int, help="Seed of the faults.  [default: [replay] seed]")
@traces_option
@option("--trace", "ids", multiple=True, help="Only this trace (repeatable).")
@option("--baseline", help="Only recordings of this agent version.")
@option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Only recordings of this day (UTC)."
)
@config_option
@workers_option
@option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="The campaign's folder.  [default: a new one under [replay] runs]",
)
@option("--fresh", is_flag=True, help="Don't go on with an unfinished campaign.")
@option("--dry-run", is_flag=True, help="Say what would be injected where; run nothing.")
def campaign(
    agent: str,
    against: str | None,
    faults: tuple[str, ...],
    plans: tuple[str, ...],
    budget: int,
    strength: int,
    seed: int | None,
    traces: Path | None,
    ids: tuple[str, ...],
    baseline: str | None,
    day: datetime | None,
    config_path: Path,
    workers: int,
    out: Path | None,
    fresh: bool,
    dry_run: bool,
) -> None:
    """Find out which faults AGENT does not survive, injected where recordings say it matters.

    Without --faults and --fault, every fault is tried. Stopped, it goes on where it was.

    Exit codes: 0 survived, 1 a failure (that --against does not have), 2 could not run, 3 too
    little was decided.
    """
    from replay.campaign.campaign import CampaignRequest, choose, run_campaign
    from replay.campaign.report import read_document
    from replay.campaign.words import dry_lines, terminal_lines
    from replay.commands.run import fault_plan
    from replay.runs import RunRequest

    config = load(config_path)
    plan = fault_plan(config, agent, faults, plans, None, seed)
    run = RunRequest(
        agent=agent,
        traces=traces or config.resolve(config.replay.traces),
        runs=config.resolve(config.replay.runs),
        plan=plan,
        baseline=baseline,
        day=day.date() if day else None,
        ids=ids,
        workers=workers,
        folder=out,
        fresh=fresh,
    )
    request = CampaignRequest(run=run, plan=plan, against=against, budget=budget, strength=strength)
    if dry_run:
        for line in dry_lines(choose(request, config), agent):
            click.echo(console.printable(line))
        return
    with Bar() as bar:
        outcome = run_campaign(request, config, on_progress=bar.show)
    for line in terminal_lines(read_document(outcome.folder)):
        click.echo(console.printable(line))
    notes(outcome.notes)
    sys.exit(outcome.exit_code)
