"""From a platform's answers to whole traces, in bounded memory, each trace in one window.

A trace belongs to the window in which it began. Spans are asked for with some time around the
window, and traces that reach over its edge are asked for again, whole. A window with more than
fits into memory is halved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from anonymize.conventions.values import as_text
from anonymize.errors import SourceError
from anonymize.sources.budget import held_size
from anonymize.sources.dialects import read_as
from anonymize.sources.interface import Limits, SourceSettings
from anonymize.sources.joining import joined
from anonymize.sources.labels import labelled
from anonymize.sources.remote.extent import (
    began,
    belongs,
    goes_on,
    reaches_over,
    still_open,
)
from anonymize.sources.remote.pages import Circling
from anonymize.sources.remote.patience import Expired, TooLarge
from anonymize.sources.remote.platform import Platform
from anonymize.sources.remote.window import Window
from anonymize.spans import Span
from anonymize.trace import SkippedTrace, Trace

#: Below this a window is not halved any more.
_SHORTEST = timedelta(seconds=30)
_BATCH = 50
_RESTARTS = 3
#: What can't be halved any more may take so many times what is held else.
_LAST_RESORT = 4

_NONSENSE = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError)

T = TypeVar("T")


class _TooMuch(Exception):
    """More than may be held at once."""


@dataclass(slots=True)
class Reconciled:
    """What a source says it has against what arrived, in traces. ``listed``: ``None`` if it
    doesn't say; ``missing``: listed, but not handed out. ``open_since``: when the first of those
    began that were probably not over yet."""

    listed: int | None = None
    arrived: int = 0
    missing: int = 0
    open_since: datetime | None = None

    def note(self, moment: datetime | None) -> None:
        """Note when a trace began that was not over (``None``: it was)."""
        if moment is not None and (self.open_since is None or moment < self.open_since):
            self.open_since = moment


@dataclass(slots=True)
class _Held:
    """The spans of one window, by trace and span id: what comes twice counts once."""

    spans: dict[str, dict[str, Span]] = field(default_factory=lambda: defaultdict(dict))
    skipped: dict[SkippedTrace, None] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSource:
    """The traces of a platform that began within ``window``.

    ``earlier``: traces that began before this moment and go on within the window are handed out
    too, whole and once: what came of them late completes what was stored of them. ``completed``
    are those, over all windows of one reading.
    """

    name: str
    platform: Platform
    window: Window
    settings: SourceSettings = field(default_factory=SourceSettings)
    agent: str | None = None
    version: str | None = None
    limits: Limits = field(default_factory=Limits)
    reconciled: Reconciled = field(default_factory=Reconciled)
    watch: Callable[[Sequence[Span]], None] | None = None
    earlier: datetime | None = None
    completed: set[str] = field(default_factory=set)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def within(self, window: Window) -> RemoteSource:
        """The same source, for another window."""
        return replace(self, window=window, reconciled=Reconciled())

    def read(self) -> Iterator[Trace | SkippedTrace]:
        """The traces, window part by window part, in the order in which they began.

        Raises:
            SourceError: the platform can't be reached, refuses, has no such project, or has pages
                that never end.
        """
        yield from self._read(self.window)

    def _read(self, window: Window) -> Iterator[Trace | SkippedTrace]:
        try:
            held = self._collect(window)
        except _TooMuch:
            for half in window.halves():
                yield from self._read(half)
            return
        mine = {i: [*s.values()] for i, s in held.spans.items() if self._wanted(i, held, window)}
        for identity, spans in sorted(mine.items(), key=lambda item: _order(item[1])):
            if sum(map(held_size, spans)) > self.limits.trace:
                yield SkippedTrace(
                    reason="a trace is too large", where=self.name, trace_id=identity
                )
                continue
            if self.watch is not None:
                self.watch(spans)
            if belongs(spans, window):  # others have a window that waits for them
                self.reconciled.note(still_open(spans, self.now()))
            result = joined(spans, self.settings.map, self.name)
            if isinstance(result, Trace):
                result = labelled(result, spans, self.settings, self.agent, self.version)
            yield result
        yield from held.skipped
        self.reconciled.arrived += sum(belongs(spans, window) for spans in mine.values())
        yield from self._missing(window, held)

    def _wanted(self, identity: str, held: _Held, window: Window) -> bool:
        spans = held.spans[identity].values()
        if identity in held.refused:
            return False
        if belongs(spans, window):
            return True
        moment = began(spans)
        early = moment is not None and self.earlier is not None and moment < self.earlier
        if not early or identity in self.completed or not goes_on(spans, window):
            return False
        self.completed.add(identity)
        return True

    def _collect(self, window: Window) -> _Held:
        """The spans of everything that may have begun in ``window``."""
        # Around a short window less is asked for, or halving it would not make it less.
        around = min(self.overlap, window.length)
        asked = window if self.platform.whole_traces else window.wider(around)
        halvable = window.length > _SHORTEST

        def ask() -> _Held:
            held = _Held()
            self._take(self.platform.documents(asked), held, halvable=halvable)
            if not self.platform.whole_traces:
                self._complete(held, window, asked, halvable=halvable)
            return held

        try:
            return self._afresh(ask, window)
        except (Circling, TooLarge) as error:
            if halvable:  # fewer pages, or one; smaller answers
                raise _TooMuch from None
            raise self._unreadable(error, window) from None

    def _afresh(self, ask: Callable[[], T], window: Window) -> T:
        """What ``ask`` returns; begun again where a cursor expires. Nothing of it is twice."""
        for _ in range(_RESTARTS):
            try:
                return ask()
            except Expired:
                continue
        raise SourceError(
            "the cursors of the source expire before a window is read",
            where=f"{self.name}: {window}",
            fix="make the windows shorter: slice_hours = 1",
        )

    def _unreadable(self, error: Exception, window: Window) -> SourceError:
        if isinstance(error, TooLarge):
            return SourceError(
                "an answer is larger than the source's answers may be",
                where=f"{self.name}: {window}",
                fix="a smaller `page`, or read it from an export: path = '...'",
            )
        return SourceError(
            "the pages of the source go in circles: what it has can't be read to its end",
            where=f"{self.name}: {window}",
            fix="a larger `page` may help; what was read before is kept",
        )

    @property
    def overlap(self) -> timedelta:
        """How much before and after a window is asked for."""
        return timedelta(minutes=self.settings.overlap_minutes)

    def _take(
        self, documents: Iterable[dict[str, Any]], held: _Held, *, halvable: bool = False
    ) -> None:
        most = self.limits.held * (1 if halvable else _LAST_RESORT)
        for document in self._handed(documents):
            for item in self._items(document):
                if isinstance(item, SkippedTrace):
                    held.skipped[item] = None
                elif isinstance(item, Span):
                    known = held.spans[item.trace_id]
                    if item.span_id in known:
                        held.size -= held_size(known[item.span_id])
                    held.size += held_size(item)
                    known[item.span_id] = item
            if held.size <= most:
                continue
            if halvable:
                raise _TooMuch
            raise SourceError(
                f"the source hands out more than {most / 2**20:,.0f} MB for one moment",
                where=self.name,
                fix="read it from an export: path = '...'",
            )

    def _handed(self, documents: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """``documents``; what goes wrong in a walk through nonsense is told without it."""
        try:
            yield from documents
            return
        except _NONSENSE:
            pass
        raise self._not_understood()

    def _not_understood(self) -> SourceError:
        return SourceError(
            "the source answers in a form that its own client does not know",
            where=self.name,
            fix="a newer version of the client, or a `url` that is the platform's API",
        )

    def _items(self, document: dict[str, Any]) -> Iterator[Any]:
        try:
            yield from read_as(self.platform.dialect, document, self.name)
        except _NONSENSE:
            yield SkippedTrace(reason="a document of an unknown form", where=self.name)

    def _complete(self, held: _Held, window: Window, asked: Window, *, halvable: bool) -> None:
        """Ask again, whole, for traces that reach over the edge of what was asked for."""
        early = self.earlier is not None
        edge = [
            identity
            for identity, spans in held.spans.items()
            if reaches_over(spans.values(), window, asked, early=early)
        ]
        for begin in range(0, len(edge), _BATCH):
            if not self._whole(edge[begin : begin + _BATCH], held, halvable=halvable):
                return

    def _whole(self, ids: Sequence[str], held: _Held, *, halvable: bool) -> bool:
        """All spans of these traces; ``False``: the platform can't give them by id."""
        try:
            found = self.platform.of_traces(ids)
            if found is None:
                return False
            self._take(found, held, halvable=halvable)
        except (TooLarge, Circling):
            if len(ids) > 1:
                halves = (ids[::2], ids[1::2])
                return all(self._whole(part, held, halvable=halvable) for part in halves)
            reason = "the source can't hand it out whole: it is too large for its answers"
            held.refused.add(ids[0])
            held.skipped[SkippedTrace(reason=reason, where=self.name, trace_id=ids[0])] = None
        return True

    def _missing(self, window: Window, held: _Held) -> Iterator[SkippedTrace]:
        listed = self._listed(window)
        if listed is None:
            return
        self.reconciled.listed = (self.reconciled.listed or 0) + len(listed)
        skipped = {s.trace_id for s in held.skipped}
        for identity in sorted(listed - held.spans.keys() - skipped):
            self.reconciled.missing += 1
            yield SkippedTrace(
                reason="listed by the source, but not handed out",
                where=self.name,
                trace_id=identity,
            )

    def _listed(self, window: Window) -> set[str] | None:
        try:
            return self._afresh(lambda: self.platform.listed(window), window)
        except (Circling, TooLarge) as error:
            if window.length <= _SHORTEST:
                raise self._unreadable(error, window) from None
        except _NONSENSE:
            raise self._not_understood() from None
        parts = [self._listed(half) for half in window.halves()]
        return None if None in parts else {i for part in parts for i in part or ()}


def _order(spans: list[Span]) -> tuple[str, str]:
    return str(began(spans) or ""), as_text(spans[0].trace_id)
