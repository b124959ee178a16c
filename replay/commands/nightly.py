"""``replay nightly`` and ``replay nights``."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from anonymize import console
from replay.commands.shared import Bar, config_option, fail_on_option, load, notes, option, show


@console.example("replay nightly --date 2026-03-03")
@click.command()
@config_option
@option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day to do (UTC).  [default: yesterday]",
)
@option("--agent", help="The candidate.  [default: [nightly] agent]")
@fail_on_option
def nightly(
    config_path: Path, day: datetime | None, agent: str | None, fail_on: str | None
) -> None:
    """Ingest a day, replay it, report into runs/DATE. Safe to run again at any time.

    Without --date: yesterday, after the nights before it that were missed; then, as far as the
    budget goes, nights that were cut short. The exit code is that of the worst night.
    """
    from replay.nightly import days_to_do, run_nights

    config = load(config_path, fail_on)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    days = [day.date()] if day else days_to_do(config, yesterday)
    worst, bars = 0, [Bar()]
    done = run_nights(
        config,
        days,
        agent=agent,
        resume=day is None,
        on_progress=lambda progress: bars[-1].show(progress),
        say=lambda line: click.echo(console.printable(line)),
    )
    while True:
        bars[:] = [Bar()]
        with bars[0]:
            night = next(done, None)
        if night is None:
            break
        worst = max(worst, night.exit_code, key=(0, 3, 1, 2).index)
        if night.outcome is None:
            said = f"{night.day}: {night.error}" if len(days) > 1 else str(night.error)
            click.echo(f"error: {console.printable(said)}", err=True)
            continue
        show(night.outcome.document, night.outcome.folder)
        notes(night.outcome.notes)
    sys.exit(worst)


@console.example("replay nights --last 14")
@click.command()
@config_option
@option("--last", type=click.IntRange(1), default=30, help="So many nights.  [default: 30]")
@option("--json", "as_json", is_flag=True, help="As JSON, a night a line.")
def nights(config_path: Path, last: int, as_json: bool) -> None:
    """List the last nights: verdicts, how many got worse, what was not replayed."""
    from replay.nights.history import every_night
    from replay.nights.section import row
    from replay.report.nights import night_table

    config = load(config_path, None)
    known = [row(night) for night in every_night(config.resolve(config.replay.runs))[-last:]]
    if as_json:
        for one in known:
            click.echo(json.dumps(one))
        return
    if not known:
        click.echo("no night was done yet: `replay nightly` does one")
        return
    from rich.console import Console

    Console(highlight=False).print(night_table(known), markup=False, emoji=False)
