"""Spans on their way to becoming traces."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from anonymize.receive.scopes import Item, Scopes
from anonymize.sources.budget import held_size
from anonymize.sources.otlp_json import LogEvent
from anonymize.sources.spans_source import with_events
from anonymize.spans import Span, SpanEvent

#: Seconds after which what there is of a trace is written, though more of it still comes.
LONGEST = 600.0
#: About the bytes that a trace takes beside its spans.
_TRACE = 700


class Full(Exception):
    """There is no room for more now."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The spans of a trace to which nothing came for a while.

    ``too_large``: there were more than a trace may have. ``rest``: the trace was written and
    forgotten before they came, so they are not all of it. ``fresh``: how many spans of it came
    since it was handed out before; ``since``: when the first of those came, in seconds since 1970.
    """

    trace_id: str
    spans: list[Span]
    too_large: bool = False
    rest: bool = False
    unreadable: bool = False
    fresh: int = 0
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """What was taken and is not in the store yet: spans, of how many traces, and between which
    moments they came (seconds since 1970; ``0``: nothing waits)."""

    spans: int = 0
    traces: int = 0
    first: float = 0.0
    last: float = 0.0


@dataclass(slots=True)
class _Open:
    """The spans of a trace that is still coming in, and message events that came as logs.

    ``whole``: whether nothing is missing of it; ``None``: not looked at since something came.
    """

    spans: dict[tuple[object, ...], Span] = field(default_factory=dict)
    events: dict[tuple[object, ...], LogEvent] = field(default_factory=dict)
    size: int = _TRACE
    touched: float = 0.0
    began: float = 0.0
    too_large: bool = False
    rest: bool = False
    fresh: int = 0
    since: float = 0.0
    whole: bool | None = None

    def is_whole(self) -> bool:
        """Whether its root has ended, and every span has, and all parents are there."""
        if self.whole is None:
            known = self.spans.values()
            ids = {s.span_id for s in known}
            self.whole = any(not s.parent_id for s in known) and all(
                s.end_ns and (not s.parent_id or s.parent_id in ids) for s in known
            )
        return self.whole

    def all_spans(self) -> list[Span]:
        """Its spans, with their events."""
        events: dict[tuple[str, str], list[SpanEvent]] = {}
        for one in self.events.values():
            events.setdefault((one.trace_id, one.span_id), []).append(one.event)
        return with_events([*self.spans.values()], events)


class Buffer:
    """Spans by trace, up to ``most`` bytes in all. Thread-safe.

    Traces that were handed out are remembered for a while, up to half as many bytes more: a span
    that comes late joins them, so that the trace is written again whole and never as its rest.

    ``watch`` is told what waits, whenever that changes; it is not to take long. ``wall`` is the
    time of day, in seconds since 1970.
    """

    def __init__(
        self,
        *,
        most: int = 512 * 2**20,
        trace: int = 96 * 2**20,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        watch: Callable[[Waiting], None] = lambda _: None,
    ) -> None:
        self._most = most
        self._trace = trace
        self._clock = clock
        self._wall = wall
        self._watch = watch
        self._lock = threading.Lock()
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._written: OrderedDict[str, _Open] = OrderedDict()
        self._forgotten: OrderedDict[str, None] = OrderedDict()
        self._size = 0
        self._kept = 0
        self._closed = False
        self._scopes = Scopes()
        #: Whether there was more that is ready than was handed out the last time.
        self.more = False
        self._out: dict[str, Ready] = {}
        self._waiting = Waiting()

    @property
    def waiting(self) -> Waiting:
        """What was taken and is not known to be in the store, whether still in here or not."""
        return self._waiting

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return self._size

    @property
    def traces(self) -> int:
        """Traces that wait."""
        return len(self._open)

    def put(self, spans: Sequence[Item]) -> int:
        """Take all of ``spans`` or none; how many came after their trace was forgotten.

        Raises:
            Full: there is no room; nothing was taken.
        """
        sizes = [_size(one) for one in spans]
        self._scopes.share(spans, sizes)
        with self._lock:
            more = sum(sizes)
            more += _TRACE * sum(i not in self._open for i in {one.trace_id for one in spans})
            if self._closed or (self._open and self._size + more > self._most):
                raise Full
            now = self._wall()
            late = sum(self._put(one, size, now) for one, size in zip(spans, sizes, strict=True))
            if spans:
                was = self._waiting
                self._tell(was.spans + len(spans), was.first or now, now)
            return late

    def _put(self, item: Item, size: int, now: float) -> bool:
        key = item.trace_id
        held = self._open.get(key)
        if held is None:
            held = self._written.pop(key, None)
            if held is None:
                held = _Open(rest=key in self._forgotten)
            else:
                self._kept -= held.size
            held.began, held.since = self._clock(), now
            self._size += held.size
            self._open[key] = held
        held.touched, held.whole = self._clock(), None
        held.fresh += 1
        self._open.move_to_end(key)
        there: dict[tuple[object, ...], Any] = held.spans if isinstance(item, Span) else held.events
        name = _name(item)
        before = there.get(name)
        if isinstance(item, Span) and not item.end_ns and before is not None and before.end_ns:
            return held.rest  # what was sent when it began, after what was sent when it ended
        if before is not None:
            held.size -= _size(before)
            self._size -= _size(before)
        if held.size + size > self._trace:
            held.too_large = True
            self._size -= held.size  # nothing of it will be written
            held.size = 0
            held.spans.clear()
            held.events.clear()
        if held.too_large:
            return held.rest
        there[name] = item
        held.size += size
        self._size += size
        return held.rest

    def _tell(self, spans: int, first: float, last: float) -> None:
        traces = len(self._open) + len(self._out)
        self._waiting = Waiting(spans, traces, first, last) if spans else Waiting()
        self._watch(self._waiting)

    def done(self, groups: Iterable[Ready]) -> None:
        """What :meth:`take` handed out is in the store, or on record there."""
        with self._lock:
            done = [self._out.pop(one.trace_id, None) for one in groups]
            gone = sum(ready.fresh for ready in done if ready is not None)
            since = [held.since for held in self._open.values()]
            since += [ready.since for ready in self._out.values()]
            last = self._waiting.last
            self._tell(self._waiting.spans - gone, min(since, default=0.0), last)

    def close(self) -> None:
        """Take nothing more: what waits is all that there will be."""
        self._closed = True  # without the lock: a signal may come while this very thread holds it

    def take(
        self,
        *,
        quiet_for: float,
        whole_for: float | None = None,
        most: int = 64 * 2**20,
        longest: float = LONGEST,
    ) -> list[Ready]:
        """Traces to which nothing came for ``quiet_for`` seconds, the quietest first.

        Of which nothing is missing (the root has ended, all parents are there), those to which
        nothing came for ``whole_for`` seconds. At most ``most`` bytes of them, but at least one if
        any is ready. One that goes on for more than ``longest`` seconds is ready too, with what
        there is of it by then.
        """
        now, size = self._clock(), 0
        taken: list[Ready] = []
        with self._lock:
            self.more = False
            for key, held in list(self._open.items()):
                quiet = now - held.touched
                comes = quiet < quiet_for and now - held.began < longest
                if comes and (whole_for is None or quiet < whole_for or not held.is_whole()):
                    continue
                if taken and size + held.size > most:
                    self.more = True
                    break
                del self._open[key]
                self._size -= held.size
                size += held.size
                taken.append(self._hand_out(key, held))
        return taken

    def _hand_out(self, key: str, held: _Open) -> Ready:
        before = self._out.get(key)
        ready = Ready(
            key,
            held.all_spans(),
            too_large=held.too_large,
            rest=held.rest,
            fresh=held.fresh + (before.fresh if before else 0),
            since=min(held.since, before.since) if before else held.since,
        )
        held.fresh = 0
        self._out[key] = ready
        self._keep(key, held)
        return ready

    def _keep(self, key: str, held: _Open) -> None:
        self._written[key] = held
        self._kept += held.size
        while self._kept > self._most // 2 and len(self._written) > 1:
            old, gone = self._written.popitem(last=False)
            self._kept -= gone.size
            self._forgotten[old] = None
        while len(self._forgotten) > 100_000:
            self._forgotten.popitem(last=False)


def _size(item: Item) -> int:
    return held_size(item if isinstance(item, Span) else item.event)


def _name(item: Item) -> tuple[object, ...]:
    """What is equal for one that was sent twice. Some senders give two spans the same id, or none:
    both are kept, as they are of files."""
    if isinstance(item, Span):
        return item.span_id or item.name, item.start_ns
    event = item.event
    return item.span_id, event.name, event.time_ns, hash(repr(event.attributes))
