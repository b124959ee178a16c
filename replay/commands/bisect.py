"""``replay bisect``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anonymize import console
from replay.commands.shared import Bar, config_option, load, option, traces_option, workers_option

if TYPE_CHECKING:
    from replay.config import ReplayConfig
    from replay.run_request import RunRequest


class _ForGit(click.Command):
    """Mistakes in the command line stop the bisection: git takes exit code 2 for "bad"."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            error.show()
            sys.exit(128)


@console.example("git bisect run replay bisect v2 --group 1f3a9c0b7d2e --traces traces")
@click.command(cls=_ForGit)
@click.argument("agent")
@traces_option
@config_option
@option("--group", default="", help="The behaviour to look for: its id in the report.")
@option("--code", default="", help="Or: any divergence of this code.  [default: the gate]")
@option("--baseline", help="Only recordings of this agent version.")
@option("--trace", "ids", multiple=True, help="Only this trace (repeatable).")
@option("--limit", type=click.IntRange(1), help="Only the first so many.")
@option("--repeat", type=click.IntRange(1, 100), default=1, help="Replays of the whole, at most.")
@option("--least", type=click.IntRange(0), default=0, help="Of them must show it; 0: over half.")
@workers_option
def bisect(
    agent: str,
    traces: Path | None,
    config_path: Path,
    group: str,
    code: str,
    baseline: str | None,
    ids: tuple[str, ...],
    limit: int | None,
    repeat: int,
    least: int,
    workers: int,
) -> None:
    """Say for `git bisect run` whether AGENT, as checked out, shows a behaviour.

    Exit codes: 0 it does not, 1 it does, 125 this commit can't be tested, 128 the question is
    wrong (git stops).
    """
    from anonymize.errors import UsageError
    from replay.attribution.bisect import EXIT_CODES, STOP, look_here
    from replay.attribution.question import Question
    from replay.faults import FaultPlan
    from replay.run_request import RunRequest

    try:
        question = Question(group=group, code=code)
        if least > repeat:
            raise UsageError("more than --repeat", where="--least")
        if traces is not None and not traces.exists():
            raise UsageError("there is no store", where=str(traces))
    except UsageError as error:
        console.fail(str(error), code=STOP)

    def request(config: ReplayConfig) -> RunRequest:
        return RunRequest(
            agent=agent,
            traces=traces or config.resolve(config.replay.traces),
            runs=config.resolve(config.replay.runs),
            plan=FaultPlan(seed=config.replay.seed),
            baseline=baseline,
            ids=ids,
            limit=limit,
            workers=workers,
            fresh=True,
        )

    with Bar() as bar:
        found = look_here(
            question,
            request,
            lambda: load(config_path),
            repeat=repeat,
            least=least,
            on_progress=bar.show,
        )
    word = "can't be tested" if found.answer == "unknown" else found.answer
    click.echo(console.printable(f"{found.commit or 'here'}: {word}: {found.why}"))
    if found.folder is not None and (found.folder / "report.html").exists():
        click.echo(console.printable(f"  {found.folder / 'report.html'}"))
    sys.exit(EXIT_CODES[found.answer])
