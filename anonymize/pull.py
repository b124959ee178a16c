"""A platform's traces into the store, slice by slice: what is killed goes on where it was.

After each slice the store holds it and the state says so. A slice that is read again adds only
what is new in it, so a state that was lost costs time and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from anonymize.errors import UsageError
from anonymize.pipeline import Tally, ingest
from anonymize.sources.remote.engine import Reconciled, RemoteSource
from anonymize.sources.remote.state import SourceState, read_state, write_state
from anonymize.sources.remote.window import Window
from anonymize.store.disk import disk_errors
from anonymize.store.place import beside, change_beside

if TYPE_CHECKING:
    from anonymize.store import WriteSummary
    from anonymize.workers import AnyScrubber

#: Spans of the last minutes are still on their way.
SETTLE = timedelta(minutes=5)
#: What the first pull of a source takes if nothing is said.
_FIRST = timedelta(days=1)


@dataclass(slots=True)
class Pulled:
    """What a pull did: a summary and a tally for each slice, and what the source says it has."""

    window: Window
    slices: list[tuple[Window, WriteSummary, Tally]] = field(default_factory=list)
    reconciled: Reconciled = field(default_factory=Reconciled)
    known: int = 0


def window_of(
    store: Path,
    source: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    overlap: timedelta = timedelta(minutes=15),
    now: datetime | None = None,
) -> Window:
    """What to read: what was asked for, else what came since the last pull, with an overlap.

    Raises:
        UsageError: it ends before it begins.
    """
    now = (now or datetime.now(UTC)).astimezone(UTC)
    end = (until or now - SETTLE).astimezone(UTC)
    if since is None:
        known = read_state(beside(store), source).believed(now).until
        since = known - overlap if known is not None else end - _FIRST
    since = since.astimezone(UTC)
    if since >= end:
        raise UsageError(
            "there is nothing to read: the window ends before it begins",
            where=f"{source}: {since.isoformat()} to {end.isoformat()}",
            fix="name an earlier --since or a later --until",
        )
    return Window(since=since, until=end)


def pull(
    source: RemoteSource,
    store: Path,
    scrubber: AnyScrubber,
    *,
    again: bool = False,
    progress: Callable[[Tally], None] = lambda _: None,
) -> Pulled:
    """Read the window of ``source`` into ``store``, slice by slice.

    Slices that were read before are not read again unless ``again``; but the last ``overlap``
    before the newest always is, since spans come late.

    Raises:
        SourceError, StoreError, AuditError: as :func:`anonymize.pipeline.ingest`; the slices
            before it are kept, and the next pull goes on behind them.
    """
    pulled = Pulled(window=source.window)
    completed: set[str] = set()
    state = read_state(beside(store), source.name).believed(source.now())
    fresh_from = (state.newest or source.window.since) - source.overlap
    for part in source.window.slices(timedelta(hours=source.settings.slice_hours)):
        if not again and state.covers(part) and part.until <= fresh_from:
            pulled.known += 1
            continue
        one = replace(source.within(part), earlier=source.window.since, completed=completed)
        summary, tally = ingest(_Named(one), store, scrubber, progress=progress)
        pulled.slices.append((part, summary, tally))
        _add(pulled.reconciled, one.reconciled)
        settled = _settled(part, source.now(), one.reconciled.open_since)
        if settled is not None:
            with disk_errors("note how far the source was read", store):
                note = partial(_note, source.name, settled, source.now())
                state = change_beside(store, note)
    return pulled


def _settled(part: Window, now: datetime, open_since: datetime | None) -> Window | None:
    """What of a slice is over: what is still to come was not read, whatever was asked for."""
    end = min(part.until, now - SETTLE, open_since or part.until)
    return Window(since=part.since, until=end) if end > part.since else None


def _note(name: str, settled: Window, now: datetime, folder: Path) -> SourceState:
    state = read_state(folder, name).believed(now).with_done(settled)
    write_state(folder, name, state)
    return state


class _Named:
    """A slice under a name of its own: what was not taken in it is listed under that name."""

    def __init__(self, source: RemoteSource) -> None:
        self._source = source
        self.name = f"{source.name} {source.window.since:%Y-%m-%dT%H:%M}"
        self.read = source.read


def _add(total: Reconciled, one: Reconciled) -> None:
    total.note(one.open_since)
    if one.listed is not None:
        total.listed = (total.listed or 0) + one.listed
    total.arrived += one.arrived
    total.missing += one.missing
