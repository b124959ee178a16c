"""What waits in the buffer, written to the store every so often, and all of it at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from anonymize.assemble import assemble
from anonymize.errors import AnonymizeError, StoreError
from anonymize.receive.buffer import Buffer, Ready
from anonymize.sources.interface import SourceSettings
from anonymize.sources.labels import labelled
from anonymize.trace import SkippedTrace, Trace

if TYPE_CHECKING:
    from anonymize.workers import AnyScrubber

NAME = "receive"
_COUNTING = threading.Lock()
_REST = "spans came long after their trace was written"


@dataclass(slots=True)
class Counts:
    """Since the start: spans taken and rejected, requests turned away, traces written and not."""

    spans: int = 0
    rejected: int = 0
    turned_away: int = 0
    late: int = 0
    added: int = 0
    replaced: int = 0
    skipped: int = 0
    quarantined: int = 0

    def note(self, **more: int) -> None:
        """Add to these counts; from any thread."""
        with _COUNTING:
            for name, number in more.items():
                setattr(self, name, getattr(self, name) + number)


@dataclass(frozen=True, slots=True)
class _Batch:
    """A few traces as a source; what was not taken of them is listed under its name.

    ``stored``: how many steps those have that another process wrote. The rest of a trace never
    takes the place of the whole.
    """

    name: str
    groups: list[Ready]
    settings: SourceSettings
    stored: Mapping[str, int]

    def read(self) -> Iterator[Trace | SkippedTrace]:
        for ready in self.groups:
            spans, identity = ready.spans, ready.trace_id
            if ready.unreadable:
                yield SkippedTrace(
                    reason="its spans can't be put together", where=NAME, trace_id=identity
                )
            elif ready.too_large:
                yield SkippedTrace(
                    reason="a trace is too large", where=NAME, trace_id=identity, size=len(spans)
                )
            elif ready.rest:
                yield SkippedTrace(reason=_REST, where=NAME, trace_id=identity, size=len(spans))
            else:
                result = assemble(spans, source=NAME)
                if isinstance(result, Trace):
                    result = labelled(result, spans, self.settings)
                    if len(result.steps) < self.stored.get(identity, 0):
                        yield SkippedTrace(reason=_REST, where=NAME, trace_id=identity)
                        continue
                yield result


class Keeping:
    """Writes what is ready in ``buffer`` to ``store``. One thread calls :meth:`flush`.

    A write that fails (a full disk) is tried again with the next flush: its traces are kept, the
    buffer fills, and senders are turned away before anything is lost.
    """

    def __init__(
        self,
        buffer: Buffer,
        store: Path,
        scrubber: AnyScrubber,
        *,
        settings: SourceSettings | None = None,
        quiet_for: float = 30.0,
    ) -> None:
        self.counts = Counts()
        self.failure = ""
        self._buffer = buffer
        self._store = store
        self._scrubber = scrubber
        self._settings = settings or SourceSettings()
        self._quiet_for = quiet_for
        self._again: list[Ready] = []

    @property
    def waiting(self) -> int:
        """Traces that were taken out of the buffer, and could not be written yet."""
        return len(self._again)

    def flush(self, *, everything: bool = False) -> int:
        """Write what is ready, or ``everything``; how many traces that were.

        Raises:
            AnonymizeError: the store can't be written. What was to be written is kept.
        """
        total = 0
        while True:
            quiet = 0.0 if everything else self._quiet_for
            groups = self._again or self._buffer.take(quiet_for=quiet)
            if not groups:
                self.failure = ""
                return total
            self._again = groups
            try:
                self._write(groups)
            except AnonymizeError:
                raise
            except Exception:
                # A fault of ours with one of them must not keep the others in memory for ever.
                self._one_by_one()
            self._again = []
            total += len(groups)

    def _one_by_one(self) -> None:
        while self._again:
            one = self._again[0]
            try:
                self._write([one])
            except AnonymizeError:
                raise
            except Exception:
                self._write([replace(one, spans=[], unreadable=True)])
            self._again = self._again[1:]

    def _write(self, groups: list[Ready]) -> None:
        from anonymize.pipeline import ingest

        batch = _Batch(NAME, groups, self._settings, self._stored(groups))
        summary, _ = ingest(batch, self._store, self._scrubber, whole=False)
        self.counts.note(
            added=summary.added,
            replaced=summary.replaced,
            skipped=summary.skipped,
            quarantined=summary.quarantined,
        )

    def _stored(self, groups: list[Ready]) -> dict[str, int]:
        """How many steps the store has of those that this process has not written itself."""
        import polars as pl

        from anonymize.store import Store, open_place

        ids = [ready.trace_id for ready in groups if not ready.again]
        if not ids or not open_place(self._store).exists():
            return {}
        try:
            frame = Store(self._store).scan("traces").select("trace_id", "n_steps")
        except StoreError:  # there is none yet
            return {}
        return dict(frame.filter(pl.col("trace_id").is_in(ids)).collect().iter_rows())

    def run(
        self, stop: threading.Event, every: float, say: Callable[[str], None] = lambda _: None
    ) -> None:
        """Flush every ``every`` seconds until ``stop``.

        What can't be written is tried again; ``say`` is told once.
        """
        while not stop.wait(every):
            try:
                self.flush()
            except AnonymizeError as error:
                if not self.failure:
                    say(f"the store can't be written, trying again: {error}")
                self.failure = type(error).__name__
            except Exception as error:
                # Whatever it is, to end now would lose all that waits. It may quote what it met.
                if not self.failure:
                    say(f"what waits can't be written, trying again: {type(error).__name__}")
                self.failure = type(error).__name__
