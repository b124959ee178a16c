"""``anonymize doctor``."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonymize import console
from anonymize.commands.options import config as config_option

if TYPE_CHECKING:
    from anonymize.config import AnonymizeConfig
    from anonymize.health import Health, Loss
    from anonymize.health.look import Watch
    from anonymize.trace import SkippedTrace, Trace

_WITHOUT = {
    "agent": "an agent's name (set `agent` in [sources.NAME])",
    "agent_version": "a version (set `version`): versions can't be told apart",
    "session_id": "a session: turns of one conversation stay apart",
    "started_at": "a start time: they belong to no day",
}


@console.example("anonymize doctor 'exports/*.jsonl'")
@click.command()
@click.argument("source")
@config_option
@click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day (UTC) to look at.  [platforms: yesterday; files: all]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
def doctor(source: str, config: Path | None, day: datetime | None, as_json: bool) -> None:
    """Say what of SOURCE can be replayed, why not the rest, and what setting would mend it.

    Reads it as `anonymize ingest` would, in memory; writes and shows nothing of its content.
    """
    from anonymize.config import AnonymizeConfig
    from anonymize.health.look import Watch, examine
    from anonymize.jsontools import dumps

    settings = AnonymizeConfig.load(config)
    table = settings.sources.get(source)
    watch = Watch(table.map if table is not None else None)
    health = examine(_read(settings, source, day, watch), watch)
    if as_json:
        click.echo(dumps(health.as_json()))
        return
    for line in lines_of(health, source if table is not None else "NAME"):
        click.echo(console.printable(line))


def _read(
    settings: AnonymizeConfig, source: str, day: datetime | None, watch: Watch
) -> Iterator[Trace | SkippedTrace]:
    from dataclasses import replace

    from anonymize.guarded.harden import no_core_dumps
    from anonymize.pipeline import Tally, within
    from anonymize.sources import SpanSource, is_remote, open_remote, open_source
    from anonymize.sources.remote import Window

    no_core_dumps()
    table = settings.sources.get(source)
    if table is not None and is_remote(table):
        asked = day.date() if day else (datetime.now(UTC) - timedelta(days=1)).date()
        remote = open_remote(source, table, Window.of_day(asked))
        return replace(remote, watch=watch).read()
    opened = open_source(source, settings.sources)
    if isinstance(opened, SpanSource):
        opened = replace(opened, watch=watch)
    return within(opened.read(), day.date() if day else None, Tally())


def lines_of(health: Health, name: str = "NAME") -> Iterator[str]:
    """The findings at 80 columns, the good news first. ``name``: the source's in the config."""
    total = health.traces
    if not total:
        yield "no traces"
    else:
        share = health.playable / total
        yield f"{total:,} traces, {health.playable:,} ({share:.1%}) can be replayed"
        yield f"  {health.grades['whole']:>7,}  whole: each tool call has its answer"
        if health.grades["gaps"]:
            yield f"  {health.grades['gaps']:>7,}  with gaps"
        if health.grades["no"]:
            yield f"  {health.grades['no']:>7,}  not at all"
        if health.blind:
            yield from _entry(health.blind, "of them show no model call and no tool call")
    for title, counted in (
        ("why not, or not wholly", health.reasons),
        ("not read", health.skipped),
    ):
        if counted:
            yield f"{title}:"
            for reason, count in counted.most_common(10):
                yield from _entry(count, reason)
    if health.scopes:
        yield "recorded by:"
        yield from (f"  {n:>7,}  {scope}" for scope, n in health.scopes.most_common(10))
    yield from _losses(health)
    yield from _names(health, name)
    missing = {k: v for k, v in health.unnamed.items() if v}
    if missing:
        yield "without:"
        yield from (f"  {n:>7,}  {_WITHOUT[name]}" for name, n in missing.items())


def _names(health: Health, source: str) -> Iterator[str]:
    """Of spans that nothing is known of: a map that may fit; and what of a map is on no span."""
    table = list(health.unread.table(source))
    if table:
        yield "spans that follow no convention; if they are the agent's, a map makes them readable"
        yield "(docs/sources/custom.md; guessed from their names, so look at each):"
        yield from (f"           {line}" for line in table)
    elif health.unread.names() and not health.playable:
        yield "spans that follow no convention have attributes such as:"
        yield from _wrapped(", ".join(health.unread.names()))
        yield from _wrapped(f"-> if they are the agent's, name them in [sources.{source}.map]")
    if health.never:
        yield "in the map, but on no span:"
        yield from (f'           {key} = "{name}"' for key, name in health.never)


def _losses(health: Health) -> Iterator[str]:
    """What is lossy, each with what would mend it, once for all that share both."""
    grouped: dict[tuple[str, str, str], list[Loss]] = {}
    for loss in health.losses():
        grouped.setdefault((loss.flag, loss.meaning, loss.fix), []).append(loss)
    if grouped:
        yield "lossy, and what would mend it:"
    for (flag, meaning, fix), losses in grouped.items():
        yield from _entry(sum(x.traces for x in losses), f"{flag}: {meaning}")
        names = ", ".join(x.scope for x in losses if x.scope)
        if names:
            yield from _wrapped(f"recorded by {names}")
        if fix:
            yield from _wrapped(f"-> {fix}")


def _entry(count: int, text: str) -> list[str]:
    return textwrap.wrap(
        f"{count:,}".rjust(9) + f"  {text}", 79, subsequent_indent=" " * 11, drop_whitespace=True
    )


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text,
        79,
        initial_indent=" " * 11,
        subsequent_indent=" " * 14,
        break_long_words=False,
        break_on_hyphens=False,
    )
