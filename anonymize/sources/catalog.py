"""Which trace is where, for input that doesn't fit into memory: it is read again, part by part.

Spilling to disk would be simpler, but raw data never goes to disk. What is kept for a trace is a
number and its size, so a million traces take about 150 MB.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import pairwise

from anonymize.sources.budget import held_size
from anonymize.sources.interface import Limits
from anonymize.sources.otlp_json import LogEvent
from anonymize.spans import Span, SpanEvent

#: Beyond so many traces it is not noted any more where each is; parts are chosen by hash.
_MOST_TRACES = 1_500_000


class Shelf:
    """Spans and message events by trace. A trace that is too large is put away for good."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._sizes: dict[str, int] = {}
        self.spans: dict[str, list[Span]] = {}
        self.events: dict[tuple[str, str], list[SpanEvent]] = {}
        self.large: dict[str, int] = {}
        self.total = 0

    def put(self, item: Span | LogEvent, size: int) -> None:
        """Keep ``item``, which takes ``size`` bytes."""
        identity = item.trace_id
        if identity in self.large:
            self.large[identity] += size
            return
        held = self._sizes.get(identity, 0) + size
        self._sizes[identity] = held
        self.total += size
        if held > self._limits.trace:
            self.large[identity] = held
            self.total -= held
            self.spans.pop(identity, None)
            for key in [key for key in self.events if key[0] == identity]:
                del self.events[key]
        elif isinstance(item, Span):
            self.spans.setdefault(identity, []).append(item)
        else:
            self.events.setdefault((identity, item.span_id), []).append(item.event)

    def take(self) -> Iterator[tuple[str, list[Span]]]:
        """Each trace's spans, in the order in which the traces started; let go once taken."""
        for identity in sorted(self.spans, key=lambda i: (_start(self.spans[i]), i)):
            yield identity, self.spans.pop(identity)


class Catalog:
    """The traces of all input, and the documents they are in, by number."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._index: dict[int, int] = {}
        self._starts = array("q")
        self._sizes = array("q")
        #: The traces of document n are ``_members[_ends[n]:_ends[n + 1]]``.
        self._members = array("L")
        self._ends = array("Q", [0])
        self._first = array("H")
        self._last = array("H")
        self._parts = array("H")
        self._count = 0
        self._coarse = 0
        self._part = -1
        self._read = 0
        self.spans = 0
        self.total = 0

    # -- the first time -----------------------------------------------------------------------

    def document(self) -> bool:
        """A document begins. Whether it has anything that is wanted now."""
        if self._part < 0:
            self._ends.append(len(self._members))
            return True
        number, self._read = self._read, self._read + 1
        if self._coarse or number >= len(self._first):
            return True
        return self._first[number] <= self._part <= self._last[number]

    def see(self, item: Span | LogEvent) -> int:
        """Note a span or event of the current document; its size."""
        size = held_size(item if isinstance(item, Span) else item.event)
        start = (item.start_ns or 0) if isinstance(item, Span) else 0
        self.spans += isinstance(item, Span)
        if self._coarse:
            self.total += size
            return size
        number = self._index.setdefault(hash(item.trace_id), len(self._sizes))
        if number == len(self._sizes):
            self._starts.append(0)
            self._sizes.append(0)
        before = min(self._sizes[number], self._limits.trace)
        self._sizes[number] += size
        self.total += min(self._sizes[number], self._limits.trace) - before
        if start and (not self._starts[number] or start < self._starts[number]):
            self._starts[number] = min(start, 2**63 - 1)
        if len(self._members) == self._ends[-1] or self._members[-1] != number:
            self._members.append(number)
        if len(self._sizes) > _MOST_TRACES:
            self._forget()
        return size

    def _forget(self) -> None:
        self._coarse = 1
        self._index = {}
        self._starts, self._sizes = array("q"), array("q")
        self._members, self._ends = array("L"), array("Q", [0])

    # -- the times after ----------------------------------------------------------------------

    def split(self) -> int:
        """Cut the traces into parts that fit into memory; how many."""
        held = self._limits.held
        if self._coarse:
            self._coarse = 2 * self.total // held + 1
            return self._coarse
        self._parts = array("H", bytes(2 * len(self._sizes)))
        part = filled = 0
        for number in sorted(range(len(self._sizes)), key=self._starts.__getitem__):
            size = min(self._sizes[number], self._limits.trace)
            if filled and filled + size > held:
                part, filled = min(part + 1, 2**16 - 1), 0
            filled += size
            self._parts[number] = part
        self._ends.append(len(self._members))
        for begin, end in pairwise(self._ends[1:]):
            mine = [self._parts[number] for number in self._members[begin:end]]
            self._first.append(min(mine, default=1))
            self._last.append(max(mine, default=0))
        return part + 1

    def choose(self, part: int) -> None:
        """From here on, only what ``part`` needs is wanted. Reading begins again."""
        self._part, self._read = part, 0

    def wanted(self, trace_id: str) -> bool:
        """Whether a trace belongs to the chosen part."""
        if self._coarse:
            return hash(trace_id) % self._coarse == self._part
        number = self._index.get(hash(trace_id))
        return number is not None and self._parts[number] == self._part

    def expected(self) -> int:
        """The bytes that the chosen part took the first time (0: not known)."""
        if self._coarse:
            return 0
        pairs = zip(self._sizes, self._parts, strict=True)
        return sum(size for size, part in pairs if part == self._part)


def _start(spans: list[Span]) -> int:
    return min((s.start_ns for s in spans if s.start_ns), default=0)
