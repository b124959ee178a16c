"""``replay init``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonymize import console

if TYPE_CHECKING:
    from replay.doctor import Check
    from replay.init.flow import Asked, Made

_option = console.options("REPLAY_INIT")  # REPLAY_AGENT names an agent of a config, as others do


@console.example("replay init https://phoenix.corp.example --project shop")
@click.command()
@click.argument("source", required=False)
@_option(
    "--config",
    "config_path",
    envvar="REPLAY_CONFIG",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("replay.toml"),
    help="The file to write.",
)
@_option("--name", default="prod", help="What the source is called: [sources.NAME].")
@_option("--kind", default="", help="What it is, where it doesn't say so itself.")
@_option("--project", default="", help="Platforms: which project, by name or id.")
@_option("--key-env", default="", help="Platforms: the variable that holds the key.")
@_option("--public-key-env", default="", help="Langfuse: the variable with the public key.")
@_option("--agent", default="", help="module:name, a command, a URL; none: later.")
@_option("--agent-name", default="candidate", help="What the agent is called: [agents.NAME].")
@_option(
    "--sample",
    type=click.IntRange(1, 5_000),
    default=200,
    help="About so many traces are looked at.",
)
@_option("--force", is_flag=True, help="Replace a config that is there.")
@_option("--yes", is_flag=True, help="Ask nothing; take what is likeliest.")
@_option("--print", "print_only", is_flag=True, help="Write nothing, show the text.")
@_option(
    "--trial/--no-trial",
    envvar="REPLAY_INIT_TRIAL",
    default=True,
    help="Try the config on a few traces.",
)
def init(
    source: str | None,
    config_path: Path,
    name: str,
    kind: str,
    project: str,
    key_env: str,
    public_key_env: str,
    agent: str,
    agent_name: str,
    sample: int,
    force: bool,
    yes: bool,
    print_only: bool,
    trial: bool,
) -> None:
    """Look at where your traces are, and write a replay.toml that fits.

    SOURCE is a file, a folder, a glob, an object store (s3://...), the URL of Phoenix, MLflow,
    Langfuse or LangSmith, a module:Class of your own, or a store that `anonymize receive` fills.
    Without it, what the environment names (PHOENIX_BASE_URL, MLFLOW_TRACKING_URI, ...).

    A sample is looked at in memory. Nothing of what was said goes into the config: names, counts
    and times only. Keys are named by their variables. The agent is looked for in the source code
    here, without running it. Then the config is tried: a few traces are read through it, scrubbed
    and replayed, in a folder that goes away.

    Exit codes: 0 written, 2 nothing written, or a run could not start with it yet.
    """
    from replay.init.flow import Asked, make

    asked = Asked(
        source=source or "",
        path=config_path,
        name=name,
        kind=kind,
        project=project,
        key_env=key_env,
        public_key_env=public_key_env,
        agent=agent,
        agent_name=agent_name,
        sample=sample,
        force=force,
        print_only=print_only,
        interactive=not yes and not print_only and sys.stdin.isatty() and sys.stdout.isatty(),
    )
    made = make(asked, lambda text: click.echo(console.printable(text), err=print_only))
    if print_only:
        click.echo(made.text, nl=False)
        return
    failed = _try(asked, made) if trial else False
    _next_steps(made)
    sys.exit(2 if failed else 0)


def _try(asked: Asked, made: Made) -> bool:
    """Try the config; whether a run could not start with it."""
    from replay.doctor.printed import check_lines
    from replay.init.trial import trial

    failed = False
    click.echo("trying it on a few traces ...")
    agent = asked.agent_name if made.agent is not None else ""
    checks: list[Check] = []
    for check in trial(made.config, made.place, agent, made.seen):
        checks.append(check)
        failed |= check.state == "fail"
        for line in check_lines(check, 80):
            click.echo(line)
    return failed


def _next_steps(made: Made) -> None:
    click.echo("")
    click.echo(f"written  {made.config.path}: read it, it says why it says what it says. Then:")
    for line in made.next_steps():
        click.echo(f"  {console.printable(line)}")
