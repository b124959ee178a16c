"""``anonymize ingest``."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonymize import console
from anonymize.commands.options import config as config_option
from anonymize.commands.options import option
from anonymize.commands.options import out as out_option

if TYPE_CHECKING:
    from anonymize.config import AnonymizeConfig
    from anonymize.pipeline import Tally
    from anonymize.pull import Pulled
    from anonymize.store import WriteSummary
    from anonymize.workers import AnyScrubber

_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


@console.example("anonymize ingest 'exports/*.jsonl.zst' --out traces/")
@click.command()
@click.argument("source")
@out_option
@config_option
@option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Only traces that started on this day (UTC).",
)
@option("--since", type=click.DateTime(_TIMES), help="Platforms: from this time (UTC) on.")
@option("--until", type=click.DateTime(_TIMES), help="Platforms: up to this time (UTC).")
@option("--again", is_flag=True, help="Platforms: also what was read before.")
@option("--agent", help="Agent name for traces that carry none.")
@option("--version", help="Agent version for traces that carry none.")
def ingest(
    source: str,
    out: Path,
    config: Path | None,
    day: datetime | None,
    since: datetime | None,
    until: datetime | None,
    again: bool,
    agent: str | None,
    version: str | None,
) -> None:
    """Scrub the traces of SOURCE and add them to a store.

    SOURCE is a file, a folder, a glob, or the name of a [sources.NAME] table of the config: files,
    or a platform, which is asked for what is new since the last time. Running it again adds nothing
    twice.
    """
    from anonymize import pipeline
    from anonymize.config import AnonymizeConfig
    from anonymize.keys import load_key
    from anonymize.sources import is_remote, open_source
    from anonymize.workers import open_scrubber

    settings = AnonymizeConfig.load(config)
    remote = source in settings.sources and is_remote(settings.sources[source])
    if not remote:
        _only_for_platforms(source, since, until, again)
    opened = None if remote else open_source(source, settings.sources, agent=agent, version=version)
    key = load_key(settings.policy, settings.root)
    started = time.monotonic()
    progress = _Progress()
    with open_scrubber(settings.policy, key) as scrubber:
        scrubber.start()  # it loads while the source is read
        if opened is not None:
            summary, tally = pipeline.ingest(
                opened, out, scrubber, day=day.date() if day else None, progress=progress.show
            )
        else:
            times = (day, since, until)
            pulled = _pull(
                source, settings, out, scrubber, times, again, (agent, version), progress
            )
    progress.clear()
    if opened is not None:
        _print_ingest(summary, tally, out, time.monotonic() - started)
    else:
        _print_pulled(pulled, out, time.monotonic() - started)


def _only_for_platforms(
    source: str, since: datetime | None, until: datetime | None, again: bool
) -> None:
    from anonymize.errors import UsageError

    if since or until or again:
        raise UsageError(
            "--since, --until and --again are for platforms",
            where=source,
            fix="files are read whole; --date keeps the traces of one day",
        )


def _pull(
    source: str,
    settings: AnonymizeConfig,
    out: Path,
    scrubber: AnyScrubber,
    times: tuple[datetime | None, datetime | None, datetime | None],
    again: bool,
    labels: tuple[str | None, str | None],
    progress: _Progress,
) -> Pulled:
    from datetime import timedelta

    from anonymize.errors import UsageError
    from anonymize.pull import pull, window_of
    from anonymize.sources import open_remote
    from anonymize.sources.remote import Window

    day, since, until = (moment.replace(tzinfo=UTC) if moment else None for moment in times)
    if day is not None and (since or until):
        raise UsageError("--date and --since or --until exclude each other", where=source)
    table = settings.sources[source]
    if day is not None:
        window = Window.of_day(day.date())
    else:
        overlap = timedelta(minutes=table.overlap_minutes)
        window = window_of(out, source, since=since, until=until, overlap=overlap)
    agent, version = labels
    opened = open_remote(source, table, window, agent=agent, version=version)
    return pull(opened, out, scrubber, again=again, progress=progress.show)


class _Progress:
    """One line on a terminal that counts; nothing at all when stderr is not a terminal."""

    def __init__(self) -> None:
        self._shown = 0.0

    def show(self, tally: Tally) -> None:
        now = time.monotonic()
        if sys.stderr.isatty() and now - self._shown > 0.2:
            self._shown = now
            click.echo(f"\r  {tally.read:,} traces read", nl=False, err=True)

    def clear(self) -> None:
        if self._shown:
            click.echo("\r\033[K", nl=False, err=True)


def _print_ingest(summary: WriteSummary, tally: Tally, out: Path, seconds: float) -> None:
    from anonymize.assemble import NOTHING_SAID
    from anonymize.store.place import url_of

    click.echo(f"ingested {tally.read:,} traces in {seconds:.1f} s")
    for name in ("added", "unchanged", "replaced", "skipped", "quarantined"):
        click.echo(f"  {name:<12}{getattr(summary, name):>7,}")
    if tally.forgotten:
        click.echo(f"  {'forgotten':<12}{tally.forgotten:>7,}  (not taken: `anonymize forget`)")
    if tally.outside:
        click.echo(f"  {'other days':<12}{tally.outside:>7,}")
    if tally.reasons:
        click.echo("not taken, by reason:")
        for line in console.rows(tally.reasons):
            click.echo(line)
        if tally.reasons.get(NOTHING_SAID):
            click.echo("  if these are an agent's: `anonymize doctor SOURCE` says what to map")
    if summary.flags:
        click.echo("lossy, by flag (see `anonymize show`):")
        for line in console.rows(summary.flags):
            click.echo(line)
    if summary.entities:
        click.echo("replaced, by kind:")
        for line in console.rows(summary.entities):
            click.echo(line)
    if tally.receipt is not None:
        from dataclasses import asdict

        from anonymize.audit.printed import receipt_lines

        for line in receipt_lines(asdict(tally.receipt)):
            click.echo(console.printable(line))
    click.echo(f"store  {url_of(out) or out}")


def _print_pulled(pulled: Pulled, out: Path, seconds: float) -> None:
    """The slices of a platform's window, and what it says it has against what arrived."""
    from anonymize.store.place import url_of

    click.echo(f"window  {pulled.window}")
    if pulled.known:
        click.echo(f"{pulled.known:,} slices were read before (--again reads them too)")
    for part, summary, tally in pulled.slices:
        click.echo(
            f"  {part.since:%Y-%m-%d %H:%M}  read {tally.read:,}  added {summary.added:,}  "
            f"unchanged {summary.unchanged:,}  replaced {summary.replaced:,}  "
            f"skipped {summary.skipped:,}  quarantined {summary.quarantined:,}"
        )
        for line in console.rows(tally.reasons) if tally.reasons else ():
            click.echo(f"  {line}")
    seen = pulled.reconciled
    if seen.listed is None:
        click.echo(f"{seen.arrived:,} traces arrived; the source does not say how many it has")
    else:
        click.echo(
            f"the source lists {seen.listed:,} traces, {seen.arrived:,} arrived, "
            f"{seen.missing:,} missing"
        )
    click.echo(f"store  {url_of(out) or out}  ({seconds:.1f} s)")
