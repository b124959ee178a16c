"""``replay doctor``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from anonymize import console

_option = console.options("REPLAY")


@console.example("replay doctor v2 --traces traces")
@click.command()
@click.argument("agents", nargs=-1)
@_option(
    "--traces",
    type=click.Path(path_type=Path),
    help="The store of recorded traces.  [default: [replay] traces]",
)
@_option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("replay.toml"),
    help="The config file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
def doctor(agents: tuple[str, ...], traces: Path | None, config_path: Path, as_json: bool) -> None:
    """Say what can be replayed, and how faithfully, before anything runs.

    Checks the config, the store, the key, each of AGENTS (default: all) and its tools against
    the recorded ones, recorded model answers, cassettes, and which hosts may be reached.

    Exit codes: 0 ready (warnings are listed), 2 a run could not start.
    """
    from anonymize.errors import AnonymizeError
    from anonymize.jsontools import dumps
    from replay.config import ReplayConfig
    from replay.doctor import Diagnosis, diagnose, failed, lines_of

    try:
        config = ReplayConfig.load(config_path)
    except AnonymizeError as error:
        diagnosis = Diagnosis(agents=agents, checks=(failed("config", error),))
    else:
        store = traces or config.resolve(config.replay.traces)
        diagnosis = diagnose(config, store, agents)
    if as_json:
        click.echo(dumps(diagnosis.as_json()))
    else:
        for line in lines_of(diagnosis):
            click.echo(line)
    sys.exit(diagnosis.exit_code)
