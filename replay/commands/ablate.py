"""``replay ablate``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from anonymize import console
from replay.commands.shared import Bar, config_option, load, option, traces_option, workers_option


@console.example("replay ablate v2 --from v1 --traces traces")
@click.command()
@click.argument("agent")
@option("--from", "base", default="", help="The agent before.  [default: the agent's base]")
@traces_option
@config_option
@option("--baseline", help="Only recordings of this agent version.")
@option("--trace", "ids", multiple=True, help="Only this trace (repeatable).")
@option("--limit", type=click.IntRange(1), help="Only the first so many.")
@option("--sample", type=click.IntRange(1), default=5, help="Traces of each behaviour.")
@option("--every", is_flag=True, help="All behaviours, not only regressions.")
@option("--budget", type=click.IntRange(2), default=60, help="Runs in all.")
@workers_option
@option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where its runs go.  [default: RUNS/ablate-AGENT]",
)
def ablate(
    agent: str,
    base: str,
    traces: Path | None,
    config_path: Path,
    baseline: str | None,
    ids: tuple[str, ...],
    limit: int | None,
    sample: int,
    every: bool,
    budget: int,
    workers: int,
    out: Path | None,
) -> None:
    """Say which change of AGENT causes which behaviour, by replays with some of them.

    The changes are those that the config declares ([agents.AGENT.changes]), else every key in
    which the two agents differ. A killed ablation goes on.

    Exit codes: 0 done, 2 could not run, 3 the budget ran out before all was proven.
    """
    from anonymize.errors import UsageError
    from anonymize.jsontools import dumps
    from replay.attribution.ablate import ablate as attribute
    from replay.attribution.printed import ablation_lines
    from replay.attribution.runs import runner, to_json
    from replay.attribution.variants import changes_between
    from replay.faults import FaultPlan
    from replay.run_request import RunRequest

    config = load(config_path)
    base = base or config.agent(agent).base
    if not base:
        raise UsageError(
            f"'{agent}' has no base",
            where=f"{config_path}: agents.{agent}",
            fix="name the agent before with --from, or add: base = ...",
        )
    changes = changes_between(config, agent, base)
    folder = out or config.resolve(config.replay.runs) / f"ablate-{agent}"
    request = RunRequest(
        agent=agent,
        traces=traces or config.resolve(config.replay.traces),
        runs=folder,
        plan=FaultPlan(seed=config.replay.seed),
        baseline=baseline,
        ids=ids,
        limit=limit,
        workers=workers,
    )
    with Bar() as bar:
        found = attribute(
            list(changes),
            runner(config, base, changes, request, folder, bar.show),
            sample=sample,
            every=every,
            budget=budget,
        )
    for line in ablation_lines(found, agent, base):
        click.echo(console.printable(line))
    result = folder / "ablation.json"
    result.write_text(dumps(to_json(found, agent, base)) + "\n", encoding="utf-8")
    click.echo(console.printable(f"\nIts runs, each with a report: {folder}"))
    sys.exit(0 if all(cause.proven for cause in found.causes) else 3)
