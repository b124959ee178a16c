"""``replay reproduce``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from anonymize import console
from replay.commands.shared import config_option, load, option, workers_option


@console.example("replay reproduce double-refund.json --agent v3")
@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@config_option
@option("--agent", default="", help="Try this agent.  [default: the one that failed]")
@option("--repeat", type=click.IntRange(0, 1000), default=0, help="Replays; 0: as in FILE.")
@workers_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
def reproduce(
    file: Path, config_path: Path, agent: str, repeat: int, workers: int, as_json: bool
) -> None:
    """Say whether the failure in FILE, made by `replay minimize`, is there.

    The agents, the hosts and all code are those of your own config; FILE is data, and may come
    from anybody.

    Exit codes: 0 NOT REPRODUCED, 1 REPRODUCED, 2 INVALID (FILE was changed, or doesn't fit this
    config or agent), 3 not this failure, but another one.
    """
    from dataclasses import asdict

    from anonymize.jsontools import dumps
    from replay.minimize.printed import lines_of_reproduction
    from replay.minimize.reproduce import reproduce as try_it

    found = try_it(file, load(config_path), agent=agent, repeat=repeat, workers=workers)
    if as_json:
        click.echo(dumps(asdict(found)))
    else:
        for line in lines_of_reproduction(found):
            click.echo(console.printable(line))
    sys.exit(found.exit_code)
