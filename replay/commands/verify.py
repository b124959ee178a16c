"""``replay verify``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from anonymize import console
from replay.commands.shared import config_option, option, traces_option, workers_option


@console.example("replay verify get_order --limit 20")
@click.command()
@click.argument("tools", nargs=-1)
@traces_option
@config_option
@option("--limit", type=click.IntRange(1), default=50, help="Different calls of each tool.")
@workers_option
@option("--strict", is_flag=True, help="Other values, too, end with exit code 1.")
@option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the JSON here too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
def verify(
    tools: tuple[str, ...],
    traces: Path | None,
    config_path: Path,
    limit: int,
    workers: int,
    strict: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Make recorded reads again in a live sandbox, and compare the answers: contract drift.

    TOOLS (default: all) have `live` and effect = "read" in the config; the sandbox's hosts are
    in [sandbox] allow_hosts. No agent runs. Values of live answers are not shown or kept.

    Exit codes: 0 the contract holds, 1 it has drifted, 2 could not run.
    """
    from anonymize.jsontools import dumps
    from anonymize.store import Store
    from replay.config import ReplayConfig
    from replay.verify import verify as verify_tools
    from replay.verify.printed import lines

    config = ReplayConfig.load(config_path)
    store = Store(traces or config.resolve(config.replay.traces))
    found = verify_tools(
        store.traces(), config, tools, limit=limit, workers=workers or None, strict=strict
    )
    document = found.as_json()
    if out is not None:
        out.write_text(dumps(document) + "\n", encoding="utf-8")
    if as_json:
        click.echo(dumps(document))
    else:
        for line in lines(document):
            click.echo(line)
    sys.exit(found.exit_code)
