"""``replay``: replay recorded traffic against a new version of an agent, and report."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from anonymize import console
from replay.commands.ablate import ablate
from replay.commands.bisect import bisect
from replay.commands.campaign import campaign
from replay.commands.cassette import cassette
from replay.commands.contracts import contracts
from replay.commands.doctor import doctor
from replay.commands.faults import faults
from replay.commands.init import init
from replay.commands.judge import judge
from replay.commands.load import load as load_command
from replay.commands.minimize import minimize
from replay.commands.nightly import nightly, nights
from replay.commands.origins import origins
from replay.commands.plan import plan
from replay.commands.reproduce import reproduce
from replay.commands.review import review
from replay.commands.run import run
from replay.commands.select import select
from replay.commands.serve import serve
from replay.commands.shared import (
    config_option,
    fail_on_option,
    load,
    option,
    show,
)
from replay.commands.tools import tools
from replay.commands.verify import verify


@click.group(context_settings=dict(console.CONTEXT))
@click.version_option(package_name="replay-harness", prog_name="replay")
def cli() -> None:
    """Replay recorded agent traffic against a new version and see what changed.

    Exit codes: 0 pass, 1 regressed, 2 could not run, 3 inconclusive.
    """


cli.add_command(ablate)
cli.add_command(bisect)
cli.add_command(campaign)
cli.add_command(cassette)
cli.add_command(contracts)
cli.add_command(doctor)
cli.add_command(verify)
cli.add_command(serve)
cli.add_command(run)
cli.add_command(faults)
cli.add_command(init)
cli.add_command(judge)
cli.add_command(load_command)
cli.add_command(minimize)
cli.add_command(nightly)
cli.add_command(nights)
cli.add_command(reproduce)
cli.add_command(plan)
cli.add_command(origins)
cli.add_command(tools)
cli.add_command(review)
cli.add_command(select)


def main() -> None:
    """Entry point of the ``replay`` script."""
    console.run_cli(cli)


@console.example("replay diff traces-v1 traces-v2 --out reports/v1-v2")
@cli.command()
@click.argument("baseline", type=click.Path(path_type=Path))
@click.argument("candidate", type=click.Path(path_type=Path))
@config_option
@option("--baseline-version", help="Only this agent version of BASELINE.")
@option("--candidate-version", help="Only this one of CANDIDATE.")
@option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to write the report.  [default: none is written]",
)
@fail_on_option
def diff(
    baseline: Path,
    candidate: Path,
    config_path: Path,
    baseline_version: str | None,
    candidate_version: str | None,
    out: Path | None,
    fail_on: str | None,
) -> None:
    """Compare two trace stores, recorded or replayed, without running anything."""
    from replay.diffing import DiffRequest, diff_stores

    config = load(config_path, fail_on, optional=True)
    request = DiffRequest(
        baseline=baseline,
        candidate=candidate,
        baseline_version=baseline_version,
        candidate_version=candidate_version,
        folder=out,
    )
    document, exit_code = diff_stores(request, config)
    show(document, out)
    sys.exit(exit_code)


@console.example("replay report --open")
@cli.command()
@config_option
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@option("--open", "open_it", is_flag=True, help="Open it, if this machine has a screen.")
def report(config_path: Path, folder: Path | None, open_it: bool) -> None:
    """Show the summary of the last run, or of the run in FOLDER, and name its report."""
    from anonymize.errors import UsageError
    from anonymize.jsontools import JsonError, loads
    from replay.folder import latest

    config = load(config_path, None, optional=True)
    runs = config.resolve(config.replay.runs)
    chosen = folder or latest(runs)
    if chosen is None:
        raise UsageError("there is no complete run", where=str(runs), fix="replay run AGENT first")
    try:
        document = loads((chosen / "report.json").read_bytes(), max_depth=10_000)
    except (OSError, JsonError):
        raise UsageError(
            "this run has no report", where=str(chosen), fix="name the folder of a run, as in runs/"
        ) from None
    show(document, chosen)
    screen = sys.platform in ("darwin", "win32") or os.environ.keys() & {
        "DISPLAY",
        "WAYLAND_DISPLAY",
    }
    if open_it and screen:
        click.launch(str(chosen / "report.html"))
