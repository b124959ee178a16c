"""Spans on their way to becoming traces."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from anonymize.sources.budget import held_size
from anonymize.spans import Span

#: Seconds after which what there is of a trace is written, though more of it still comes.
LONGEST = 600.0


class Full(Exception):
    """There is no room for more now."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The spans of a trace to which nothing came for a while.

    ``too_large``: there were more than a trace may have. ``rest``: the trace was written and
    forgotten before they came, so they are not all of it. ``again``: it was handed out before, and
    these are all of its spans; else it is not known whether another process had some of them.
    """

    trace_id: str
    spans: list[Span]
    too_large: bool = False
    rest: bool = False
    again: bool = False
    unreadable: bool = False


@dataclass(slots=True)
class _Open:
    """The spans of a trace that is still coming in."""

    spans: dict[str, Span] = field(default_factory=dict)
    size: int = 0
    touched: float = 0.0
    began: float = 0.0
    too_large: bool = False
    rest: bool = False
    again: bool = False


class Buffer:
    """Spans by trace, up to ``most`` bytes in all. Thread-safe.

    Traces that were handed out are remembered for a while, up to half as many bytes more: a span
    that comes late joins them, so that the trace is written again whole and never as its rest.
    """

    def __init__(
        self,
        *,
        most: int = 512 * 2**20,
        trace: int = 96 * 2**20,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._trace = trace
        self._clock = clock
        self._lock = threading.Lock()
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._written: OrderedDict[str, _Open] = OrderedDict()
        self._forgotten: OrderedDict[str, None] = OrderedDict()
        self._size = 0
        self._kept = 0
        self._closed = False

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return self._size

    @property
    def traces(self) -> int:
        """Traces that wait."""
        return len(self._open)

    def put(self, spans: Sequence[Span]) -> int:
        """Take all of ``spans`` or none; how many came after their trace was forgotten.

        Raises:
            Full: there is no room; nothing was taken.
        """
        sized = [(span, held_size(span)) for span in spans]
        with self._lock:
            if self._closed or (
                self._open and self._size + sum(size for _, size in sized) > self._most
            ):
                raise Full
            return sum(self._put(span, size) for span, size in sized)

    def _put(self, span: Span, size: int) -> bool:
        key = span.trace_id
        held = self._open.get(key)
        if held is None:
            held = self._written.pop(key, None)
            if held is None:
                held = _Open(rest=key in self._forgotten)
            else:
                held.again = True
            held.began = self._clock()
            self._kept -= held.size
            self._size += held.size
            self._open[key] = held
        held.touched = self._clock()
        self._open.move_to_end(key)
        if span.span_id in held.spans:
            before = held_size(held.spans[span.span_id])
            held.size -= before
            self._size -= before
        if held.size + size > self._trace:
            held.too_large = True
            self._size -= held.size  # nothing of it will be written
            held.size = 0
            held.spans.clear()
        if held.too_large:
            return held.rest
        held.spans[span.span_id] = span
        held.size += size
        self._size += size
        return held.rest

    def close(self) -> None:
        """Take nothing more: what waits is all that there will be."""
        with self._lock:
            self._closed = True

    def take(
        self, *, quiet_for: float, most: int = 64 * 2**20, longest: float = LONGEST
    ) -> list[Ready]:
        """Traces to which nothing came for ``quiet_for`` seconds, the quietest first.

        At most ``most`` bytes of them, but at least one if any is ready. One that goes on for
        more than ``longest`` seconds is ready too, with what there is of it by then.
        """
        now, size = self._clock(), 0
        taken: list[Ready] = []
        with self._lock:
            for key, held in list(self._open.items()):
                if now - held.touched < quiet_for and now - held.began < longest:
                    continue
                if taken and size + held.size > most:
                    break
                del self._open[key]
                self._size -= held.size
                self._keep(key, held)
                size += held.size
                spans = [*held.spans.values()]
                taken.append(Ready(key, spans, held.too_large, held.rest, held.again))
        return taken

    def _keep(self, key: str, held: _Open) -> None:
        self._written[key] = held
        self._kept += held.size
        while self._kept > self._most // 2 and len(self._written) > 1:
            old, gone = self._written.popitem(last=False)
            self._kept -= gone.size
            self._forgotten[old] = None
        while len(self._forgotten) > 100_000:
            self._forgotten.popitem(last=False)
