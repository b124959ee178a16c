"""What waits in the buffer, written to the store every so often, and all of it at the end."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from anonymize.audit.rolling import Rolling
from anonymize.errors import AnonymizeError
from anonymize.receive.buffer import Buffer, Ready
from anonymize.receive.journal import one_at_a_time
from anonymize.sources.interface import SourceSettings
from anonymize.sources.joining import UNREADABLE, joined
from anonymize.sources.labels import labelled
from anonymize.trace import SkippedTrace, Trace

if TYPE_CHECKING:
    from anonymize.workers import AnyScrubber

NAME = "receive"
_COUNTING = threading.Lock()
_REST = "spans came long after their trace was written"
#: Bytes of spans that are written at once. The store is locked meanwhile, for some fifteen seconds.
#: Others that want to write look for their chance twenty times a second.
_AT_ONCE = 8 << 20
#: Seconds between two such, and until a stop is noticed.
_LOOK = 0.1
_SPAN_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(slots=True)
class Counts:
    """Since the start: spans and message events (``logs``) taken, spans and events rejected,
    requests turned away, those with metrics, traces written and not."""

    spans: int = 0
    logs: int = 0
    metrics: int = 0
    rejected: int = 0
    turned_away: int = 0
    late: int = 0
    added: int = 0
    unchanged: int = 0
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

    ``stored``: the spans of those that are in the store, whoever wrote them. What does not have all
    of them is the rest of a trace, and never takes its place.
    """

    name: str
    groups: list[Ready]
    settings: SourceSettings
    stored: Mapping[str, Collection[str]]

    def read(self) -> Iterator[Trace | SkippedTrace]:
        for ready in self.groups:
            spans, identity = ready.spans, ready.trace_id
            if ready.unreadable:
                yield SkippedTrace(reason=UNREADABLE, where=NAME, trace_id=identity)
            elif ready.too_large:
                yield SkippedTrace(
                    reason="a trace is too large", where=NAME, trace_id=identity, size=ready.fresh
                )
            elif not spans:
                yield SkippedTrace(
                    reason="log records of a trace came, but none of its spans",
                    where=NAME,
                    trace_id=identity,
                )
            elif ready.rest:
                yield SkippedTrace(reason=_REST, where=NAME, trace_id=identity, size=len(spans))
            else:
                result = joined(spans, self.settings.map, NAME)
                if isinstance(result, Trace):
                    result = labelled(result, spans, self.settings)
                    if not {span.span_id for span in spans}.issuperset(
                        self.stored.get(identity, ())
                    ):
                        yield SkippedTrace(
                            reason=_REST, where=NAME, trace_id=identity, size=len(spans)
                        )
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
        whole_for: float | None = None,
    ) -> None:
        self.counts = Counts()
        self.failure = ""
        #: When something was last written, in seconds since 1970.
        self.wrote = 0.0
        self._buffer = buffer
        self._store = store
        self._scrubber = scrubber
        self._settings = settings or SourceSettings()
        self._quiet_for = quiet_for
        self._whole_for = whole_for
        self._again: list[Ready] = []
        self._receipts = Rolling()

    def use(self, scrubber: AnyScrubber, settings: SourceSettings | None) -> None:
        """Go on with another scrubber and other settings; by the thread that flushes."""
        self._scrubber = scrubber
        self._settings = settings or SourceSettings()

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
        while number := self._some(everything=everything):
            total += number
            if self._buffer.more:
                time.sleep(_LOOK)
        return total

    def _some(self, *, everything: bool = False) -> int:
        """Write what is ready, up to as much as is taken at once; how many traces that were."""
        if not self._again:
            quiet = 0.0 if everything else self._quiet_for
            self._again = self._buffer.take(
                quiet_for=quiet, whole_for=self._whole_for, most=_AT_ONCE
            )
        number = len(self._again)
        if number:
            self._apart(self._again)
            self.wrote = time.time()
        self.failure = ""
        return number

    def _apart(self, groups: list[Ready]) -> None:
        """Write ``groups``; if that fails, half by half, until what it fails at is alone.

        A fault of ours with one of them must not keep the others in memory for ever.
        """
        try:
            self._write(groups)
        except AnonymizeError:
            raise
        except Exception:
            if len(groups) > 1:
                middle = len(groups) // 2
                self._apart(groups[:middle])
                self._apart(groups[middle:])
                return
            self._write([replace(groups[0], spans=[], unreadable=True)])
        self._again = self._again[len(groups) :]
        self._buffer.done(groups)

    def _write(self, groups: list[Ready]) -> None:
        from anonymize.pipeline import ingest

        with one_at_a_time(self._store):
            batch = _Batch(NAME, groups, self._settings, self._stored(groups))
            summary, _ = ingest(
                batch, self._store, self._scrubber, whole=False, receipts=self._receipts
            )
        self.counts.note(
            added=summary.added,
            unchanged=summary.unchanged,
            replaced=summary.replaced,
            skipped=summary.skipped,
            quarantined=summary.quarantined,
        )

    def _stored(self, groups: list[Ready]) -> dict[str, Collection[str]]:
        """The spans that the store has of ``groups``."""
        from anonymize.store import Store, open_place

        # Of those too that were handed out before: as the rest of a trace that another process
        # wrote, they were not written.
        ids = [ready.trace_id for ready in groups if ready.spans]
        if not ids or not open_place(self._store).exists():
            return {}
        store = Store(self._store)
        return {one: _spans_of(store.trace(one)) for one in store.ids(ids=ids)}

    def run(
        self,
        stop: threading.Event,
        every: float,
        say: Callable[[str], None] = lambda _: None,
        between: Callable[[], None] = lambda: None,
    ) -> None:
        """Write what is ready every ``every`` seconds until ``stop``; ``between`` is called before.

        With more than is written at once it goes on soon, but not beyond ``stop``: spans may come
        as fast as they are written. What can't be written is tried again; ``say`` is told once.
        """
        pause = every
        while _goes_on(stop, pause):
            pause = every
            between()
            try:
                self._some()
                pause = _LOOK if self._buffer.more else every
            except AnonymizeError as error:
                if not self.failure:
                    say(f"the store can't be written, trying again: {error}")
                self.failure = type(error).__name__
            except Exception as error:
                # Whatever it is, to end now would lose all that waits. It may quote what it met.
                if not self.failure:
                    say(f"what waits can't be written, trying again: {type(error).__name__}")
                self.failure = type(error).__name__


def _goes_on(stop: threading.Event, seconds: float) -> bool:
    """Wait for so long, or until ``stop``; ``False``: it is time to.

    Not by waiting for the event: it is set by a signal, in this thread maybe, and that would wait
    for a lock that this thread holds while it begins to wait.
    """
    until = time.monotonic() + seconds
    while not stop.is_set():
        left = until - time.monotonic()
        if left <= 0:
            return True
        time.sleep(min(left, _LOOK))
    return False


def _spans_of(trace: Trace | None) -> set[str]:
    """The ids of the spans that a stored trace was made of, as far as its steps have them."""
    steps = trace.steps if trace is not None else ()
    return {step.step_id for step in steps if _SPAN_ID.fullmatch(step.step_id)}
