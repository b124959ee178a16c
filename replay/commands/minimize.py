"""``replay minimize``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from anonymize import console
from replay.commands.shared import Bar, config_option, load, option, traces_option, workers_option


@console.example("replay minimize runs/v2-20260303-060000 8a3f12")
@click.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path, file_okay=False))
@click.argument("trace")
@config_option
@traces_option
@option("--label", default="", help="Of a campaign: the plan.  [default: the worst]")
@option("--repeat", type=click.IntRange(1, 1000), default=1, help="Replays for each question.")
@option("--least", type=click.IntRange(0), default=0, help="Of them must fail; 0: over half.")
@option("--budget", type=click.IntRange(1), default=200, help="Replays in all.")
@workers_option
@option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The reproducer, .json or .json.zst.  [default: RUN/reproducers/TRACE.json]",
)
def minimize(
    folder: Path,
    trace: str,
    config_path: Path,
    traces: Path | None,
    label: str,
    repeat: int,
    least: int,
    budget: int,
    workers: int,
    out: Path | None,
) -> None:
    """Make a failed TRACE of a run as small as it can be, and one file of it.

    Leaves out faults, makes them milder and shortens the recording, as long as real replays
    show the same failure. TRACE~PLAN names a plan of a campaign. A killed run goes on.

    Exit codes: 0 done, 2 could not run, 3 the failure did not come back.
    """
    from replay.minimize.printed import lines_of
    from replay.minimize.run import NoFailure, Request
    from replay.minimize.run import minimize as minimise
    from replay.run_request import Progress

    config = load(config_path)
    request = Request(
        folder=folder,
        trace=trace,
        label=label,
        traces=traces,
        repeat=repeat,
        least=least,
        budget=budget,
        workers=workers,
        out=out,
    )
    try:
        with Bar() as bar:
            done = minimise(request, config, lambda stage: bar.show(Progress(stage=stage)))
    except NoFailure as error:
        console.fail(str(error), code=3)
    for line in lines_of(done):
        click.echo(console.printable(line))
    sys.exit(0)
