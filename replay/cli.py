"""``replay``: replay recorded traffic against a new version of an agent, and report."""

from __future__ import annotations

import dataclasses
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anonymize import console
from replay.commands.cassette import cassette
from replay.commands.doctor import doctor
from replay.commands.serve import serve
from replay.commands.verify import verify

if TYPE_CHECKING:
    from replay.config import ReplayConfig
    from replay.faults import FaultPlan
    from replay.runs import Progress

_option = console.options("REPLAY")

_config = _option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("replay.toml"),
    help="The config file.",
)
_traces = _option(
    "--traces",
    type=click.Path(path_type=Path),
    help="The store of recorded traces.  [default: [replay] traces]",
)
_fail_on = _option(
    "--fail-on",
    type=click.Choice(["effects", "regressed", "any"]),
    help="What ends with exit code 1.  [default: [compare] fail_on]",
)


@click.group(context_settings=dict(console.CONTEXT))
@click.version_option(package_name="replay-harness", prog_name="replay")
def cli() -> None:
    """Replay recorded agent traffic against a new version and see what changed.

    Exit codes: 0 pass, 1 regressed, 2 could not run, 3 inconclusive.
    """


cli.add_command(cassette)
cli.add_command(doctor)
cli.add_command(verify)
cli.add_command(serve)


def main() -> None:
    """Entry point of the ``replay`` script."""
    console.run_cli(cli)


@console.example("replay run v2 --traces traces --fault timeout:tool=issue_refund,call=1")
@cli.command()
@click.argument("agent")
@_traces
@_config
@_option("--baseline", help="Only recordings of this agent version.")
@_option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Only recordings of this day (UTC).",
)
@_option("--trace", "ids", multiple=True, help="Only this trace (repeatable).")
@_option("--limit", type=click.IntRange(1), help="Only the first so many.")
@_option("--workers", type=click.IntRange(0), default=0, help="Processes; 0: as configured.")
@_option(
    "--fault",
    "faults",
    multiple=True,
    help="A fault to inject, KIND:key=value,... (repeatable); `replay faults` lists them.",
)
@_option(
    "--plan",
    "plan_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A saved fault plan (plan.json of another run).",
)
@_option("--seed", type=int, help="Seed of the faults.  [default: [replay] seed]")
@_option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="The run's folder.  [default: a new one under [replay] runs]",
)
@_option("--fresh", is_flag=True, help="Don't go on with an unfinished run.")
@_option("--reuse", is_flag=True, help="Take results of a complete run of the same code.")
@_fail_on
def run(
    agent: str,
    traces: Path | None,
    config_path: Path,
    baseline: str | None,
    day: datetime | None,
    ids: tuple[str, ...],
    limit: int | None,
    workers: int,
    faults: tuple[str, ...],
    plan_path: Path | None,
    seed: int | None,
    out: Path | None,
    fresh: bool,
    reuse: bool,
    fail_on: str | None,
) -> None:
    """Replay recorded traces against AGENT (a name in the config) and report."""
    from replay.runs import RunRequest, execute

    config = _load(config_path, fail_on)
    request = RunRequest(
        agent=agent,
        traces=traces or config.resolve(config.replay.traces),
        runs=config.resolve(config.replay.runs),
        plan=_plan(config, faults, plan_path, seed),
        baseline=baseline,
        day=day.date() if day else None,
        ids=ids,
        limit=limit,
        workers=workers,
        folder=out,
        fresh=fresh,
        reuse=reuse,
    )
    with _Bar() as bar:
        outcome = execute(request, config, on_progress=bar.show)
    _show(outcome.document, outcome.folder)
    for note in outcome.notes:
        click.echo(click.wrap_text(f"note: {note}", 80, subsequent_indent="      "), err=True)
    sys.exit(outcome.exit_code)


@console.example("replay diff traces-v1 traces-v2 --out reports/v1-v2")
@cli.command()
@click.argument("baseline", type=click.Path(path_type=Path))
@click.argument("candidate", type=click.Path(path_type=Path))
@_config
@_option("--baseline-version", help="Only this agent version of BASELINE.")
@_option("--candidate-version", help="Only this one of CANDIDATE.")
@_option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to write the report.  [default: none is written]",
)
@_fail_on
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

    config = _load(config_path, fail_on, optional=True)
    request = DiffRequest(
        baseline=baseline,
        candidate=candidate,
        baseline_version=baseline_version,
        candidate_version=candidate_version,
        folder=out,
    )
    document, exit_code = diff_stores(request, config)
    _show(document, out)
    sys.exit(exit_code)


@console.example("replay nightly --date 2026-03-03")
@cli.command()
@_config
@_option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day to do (UTC).  [default: yesterday]",
)
@_option("--agent", help="The candidate.  [default: [nightly] agent]")
@_fail_on
def nightly(
    config_path: Path, day: datetime | None, agent: str | None, fail_on: str | None
) -> None:
    """Ingest a day, replay it, report into runs/DATE. Safe to run again at any time."""
    from replay.nightly import run_night

    config = _load(config_path, fail_on)
    date = day.date() if day else (datetime.now(UTC) - timedelta(days=1)).date()
    with _Bar() as bar:
        outcome = run_night(config, date, agent=agent, on_progress=bar.show, say=click.echo)
    _show(outcome.document, outcome.folder)
    for note in outcome.notes:
        click.echo(click.wrap_text(f"note: {note}", 80, subsequent_indent="      "), err=True)
    sys.exit(outcome.exit_code)


@console.example("replay report --open")
@cli.command()
@_config
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@_option("--open", "open_it", is_flag=True, help="Open it, if this machine has a screen.")
def report(config_path: Path, folder: Path | None, open_it: bool) -> None:
    """Show the summary of the last run, or of the run in FOLDER, and name its report."""
    from anonymize.errors import UsageError
    from anonymize.jsontools import JsonError, loads
    from replay.folder import latest

    config = _load(config_path, None, optional=True)
    runs = config.resolve(config.replay.runs)
    chosen = folder or latest(runs)
    if chosen is None:
        raise UsageError("there is no complete run", where=str(runs), fix="replay run AGENT first")
    try:
        document = loads((chosen / "report.json").read_bytes(), max_depth=10_000)
    except (OSError, JsonError):
        raise UsageError("this run has no report", where=str(chosen)) from None
    _show(document, chosen)
    screen = sys.platform in ("darwin", "win32") or os.environ.keys() & {
        "DISPLAY",
        "WAYLAND_DISPLAY",
    }
    if open_it and screen:
        click.launch(str(chosen / "report.html"))


@console.example("replay tools --traces traces")
@cli.command()
@_traces
@_config
def tools(traces: Path | None, config_path: Path) -> None:
    """List the recorded tools: reads or writes, what answers them, which arguments vary."""
    from anonymize.store import Store
    from replay.describe_tools import describe_tools
    from replay.runs import comparison

    config = _load(config_path, None, optional=True)
    _, catalog = comparison(config)
    store = Store(traces or config.resolve(config.replay.traces))
    for line in describe_tools(store, config, catalog):
        click.echo(console.printable(line))


@console.example("replay faults")
@cli.command()
def faults() -> None:
    """List the faults that `replay run --fault` takes."""
    from replay.faults import describe_faults

    for line in describe_faults():
        click.echo(line)


def _load(path: Path, fail_on: str | None, *, optional: bool = False) -> ReplayConfig:
    from replay.config import ReplayConfig

    if optional and path == Path("replay.toml") and not path.exists():
        config = ReplayConfig.from_tables({})
    else:
        config = ReplayConfig.load(path)
    if fail_on is None:
        return config
    return dataclasses.replace(config, compare={**config.compare, "fail_on": fail_on})


def _plan(
    config: ReplayConfig, specs: tuple[str, ...], path: Path | None, seed: int | None
) -> FaultPlan:
    from replay.faults import FaultPlan, parse_fault

    saved = FaultPlan.load(path) if path is not None else FaultPlan(seed=config.replay.seed)
    rules = (*saved.rules, *config.fault_rules(), *(parse_fault(spec) for spec in specs))
    return FaultPlan(rules=rules, seed=saved.seed if seed is None else seed)


def _show(document: Any, folder: Path | None) -> None:
    from rich.console import Console

    from replay.report import render_terminal

    page = folder / "report.html" if folder is not None else None
    render_terminal(document, Console(highlight=False), report=page)


class _Bar:
    """A progress bar on a terminal's stderr; nothing where stderr is not a terminal."""

    def __enter__(self) -> _Bar:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("starting", total=None)
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, progress: Progress) -> None:
        self._bar.update(
            self._task,
            description=progress.stage,
            completed=progress.done,
            total=progress.total or None,
        )
