"""``anonymize stats``: what a store holds, in figures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonymize import console
from anonymize.commands.options import option

if TYPE_CHECKING:
    from anonymize.receive.journal import Received
    from anonymize.store.stats import Figures, StoreStats

_DAY = click.DateTime(["%Y-%m-%d"])


@console.example("anonymize stats traces --since 2026-03-01 --agent shop")
@click.command()
@click.argument("store", type=click.Path(path_type=Path), default=Path("traces"))
@option("--since", type=_DAY, help="From this day (UTC) on.")
@option("--until", type=_DAY, help="Up to this day (UTC), included.")
@option("--agent", help="Only this agent.")
@option(
    "--limit",
    type=click.IntRange(1),
    default=14,
    help="Rows of a table; the last days, and what is most frequent.",
)
@option("--json", "as_json", is_flag=True, help="All of it, as JSON.")
def stats(
    store: Path,
    since: datetime | None,
    until: datetime | None,
    agent: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Say what a store holds: traces, spans, bytes, tokens, errors, and how much can be replayed.

    By day, by agent and by tool, with what is lossy and what was not taken. Counts and names only:
    no content of any trace.
    """
    from anonymize.errors import StoreError
    from anonymize.receive.journal import received
    from anonymize.store import Store
    from anonymize.store.stats import stats_of

    dates = None
    if since or until:
        dates = since.date() if since else date.min, until.date() if until else date.max
    coming = received(store)
    try:
        found = stats_of(Store(store), dates=dates, agent=agent)
    except StoreError:
        for line in _receivers(coming):  # before anything was written, something may be lost
            click.echo(line)
        raise
    if as_json:
        document = {"stats_version": 1, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        everything = {**document, **found.document(), "receivers": coming.document()}
        click.echo(json.dumps(everything, indent=1))
        return
    for line in (*_lines(found, limit), *_receivers(coming)):
        click.echo(console.printable(line))


def _lines(found: StoreStats, limit: int) -> Iterator[str]:
    total = found.total
    days = sorted(day for day in found.days if day != "1970-01-01")
    span = f", {days[0]} to {days[-1]}" if days else ""
    yield f"{total.traces:,} traces, {total.spans:,} spans, {_size(total.bytes)}{span}"
    if total.traces:
        each = total.bytes / total.traces
        yield f"  {each:,.0f} bytes a trace, in {found.parts:,} parts"
        yield (
            f"  can be replayed: {total.whole:,} whole, {total.gaps:,} with gaps, "
            f"{total.unplayable:,} not at all"
        )
    if total.input_tokens or total.output_tokens:
        cost = f", cost {total.cost:,.2f}" if total.cost else ""
        yield f"  tokens: {total.input_tokens:,} in, {total.output_tokens:,} out{cost}"
    yield from _table("by day", found.days, sorted(found.days, reverse=True), limit)
    names = sorted(found.agents, key=lambda name: (-found.agents[name].traces, name))
    yield from _table("by agent", found.agents, names, limit)
    yield from _tools(found, limit)
    for title, counted in (
        ("versions", _versions(found)),
        ("models", found.models),
        ("lossy", found.flags),
        ("ended in", found.trace_errors),
        ("failed calls", found.step_errors),
        ("answers served", found.served),
    ):
        if counted:
            yield f"{title}:"
            yield from console.rows(dict(counted.most_common(limit)))
            yield from _more(len(counted), limit)
    for title, counted in (("skipped", found.skipped), ("quarantined", found.quarantined)):
        if counted:
            yield f"{title}: {sum(counted.values()):,}"
            yield from (f"  {n:>8,}  {_cut(r, 68)}" for r, n in counted.most_common(limit))
            yield from _more(len(counted), limit)


def _receivers(coming: Received) -> Iterator[str]:
    """What receivers hold that is not in the store yet, and what killed ones took with them."""
    for one in coming.live:
        if one.spans:
            first = datetime.fromtimestamp(one.first, UTC)
            yield (
                f"waiting in a receiver: {one.spans:,} spans of {one.traces:,} traces, "
                f"since {first:%Y-%m-%d %H:%M:%S}"
            )
    lost = coming.lost
    if lost.times:
        yield f"lost in killed receivers: {lost.spans:,} spans of {lost.traces:,} traces"
        for loss in lost.latest[-5:]:
            first, last = (datetime.fromtimestamp(t, UTC) for t in (loss.first, loss.last))
            yield (
                f"  {loss.spans:>8,}  that came from {first:%Y-%m-%d %H:%M:%S} "
                f"to {last:%H:%M:%S} (UTC)"
            )


def _versions(found: StoreStats) -> Counter[str]:
    return Counter(
        {
            f"{agent or '(no name)'} {version or '(none)'}": n
            for agent, versions in found.versions.items()
            for version, n in versions.items()
        }
    )


def _table(title: str, rows: Mapping[str, Figures], names: list[str], limit: int) -> Iterator[str]:
    if not rows:
        return
    head = ("traces", "spans", "size", "tokens", "errors", "whole", "gaps", "not")
    yield f"{title:<17}" + "".join(f"{name:>{w}}" for name, w in zip(head, _WIDTHS, strict=True))
    for name in names[:limit]:
        one = rows[name]
        cells = (
            f"{one.traces:,}",
            _short(one.spans),
            _size(one.bytes),
            _short(one.input_tokens + one.output_tokens),
            f"{one.errors:,}",
            _short(one.whole),
            _short(one.gaps),
            _short(one.unplayable),
        )
        label = "no time" if name == "1970-01-01" else name or "(no name)"
        yield f"  {_cut(label, 15):<15}" + "".join(
            f"{cell:>{w}}" for cell, w in zip(cells, _WIDTHS, strict=True)
        )
    yield from _more(len(names), limit)


_WIDTHS = (9, 8, 10, 8, 7, 7, 7, 7)


def _tools(found: StoreStats, limit: int) -> Iterator[str]:
    if not found.tools:
        return
    names = sorted(found.tools, key=lambda name: (-found.tools[name].calls, name))
    yield f"{'by tool':<34}{'calls':>10}{'traces':>10}{'errors':>8}{'silent':>8}{'text':>10}"
    for name in names[:limit]:
        one = found.tools[name]
        yield (
            f"  {_cut(name or '(no name)', 32):<32}{one.calls:>10,}{one.traces:>10,}"
            f"{one.errors:>8,}{one.silent:>8,}{_size(one.bytes):>10}"
        )
    yield from _more(len(names), limit)


def _more(count: int, limit: int) -> Iterator[str]:
    if count > limit:
        yield f"  ... {count - limit:,} more (--limit)"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1000
    raise AssertionError


def _short(count: float) -> str:
    for unit in ("", "k", "M"):
        if count < 10_000:
            return f"{count:,.0f}{unit}"
        count /= 1000
    return f"{count:,.0f}G"
