"""What several commands share: options, the config, progress, the summary on the terminal."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anonymize import console

if TYPE_CHECKING:
    from replay.config import ReplayConfig
    from replay.runs import Progress

option = console.options("REPLAY")

config_option = option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("replay.toml"),
    help="The config file.",
)
traces_option = option(
    "--traces",
    type=click.Path(path_type=Path),
    help="The store of recorded traces.  [default: [replay] traces]",
)
workers_option = option(
    "--workers", type=click.IntRange(0), default=0, help="Processes; 0: as configured."
)
fail_on_option = option(
    "--fail-on",
    type=click.Choice(["effects", "regressed", "any"]),
    help="What ends with exit code 1.  [default: [compare] fail_on]",
)
fault_option = option(
    "--fault",
    "faults",
    multiple=True,
    help="A fault to inject, KIND:key=value,... (repeatable); `replay faults` lists them.",
)
faults_option = option(
    "--faults",
    "plans",
    multiple=True,
    metavar="FILE|PROFILE",
    help="A plan of faults, or a profile by name (repeatable); `replay faults` lists them.",
)


def load(path: Path, fail_on: str | None = None, *, optional: bool = False) -> ReplayConfig:
    """The config, with ``--fail-on`` in it; ``optional``: none need be there."""
    from replay.config import ReplayConfig

    if optional and path == Path("replay.toml") and not path.exists():
        config = ReplayConfig.from_tables({})
    else:
        config = ReplayConfig.load(path)
    if fail_on is None:
        return config
    return dataclasses.replace(config, compare={**config.compare, "fail_on": fail_on})


def show(document: Any, folder: Path | None) -> None:
    """The summary of a report, and where its page is."""
    from rich.console import Console

    from replay.report import render_terminal

    page = folder / "report.html" if folder is not None else None
    render_terminal(document, Console(highlight=False), report=page)


class Bar:
    """A progress bar on a terminal's stderr; nothing where stderr is not a terminal."""

    def __enter__(self) -> Bar:
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


def notes(said: Iterable[str]) -> None:
    """Sentences for whoever reads the terminal, on stderr."""
    for note in said:
        click.echo(click.wrap_text(f"note: {note}", 80, subsequent_indent="      "), err=True)
