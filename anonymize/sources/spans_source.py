"""Sources whose files hold spans: read all, group by trace, assemble one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from anonymize.errors import SourceError
from anonymize.sources.budget import held_size, uncollected
from anonymize.sources.catalog import Catalog, Shelf
from anonymize.sources.documents import read_file
from anonymize.sources.files import Place, find_files
from anonymize.sources.interface import Limits, SourceSettings
from anonymize.sources.joining import joined
from anonymize.sources.labels import labelled
from anonymize.sources.otlp_json import Found
from anonymize.sources.places import shown
from anonymize.spans import Span, SpanEvent
from anonymize.trace import SkippedTrace, Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanSource:
    """A file, folder or glob of OTLP or Langfuse files. Traces may be spread over all of them.

    Only when the last span was read is a trace known to be whole. Input that is too large to be
    kept until then (``limits.held``) is read again, part by part, each time for other traces.
    ``watch`` is shown the spans of each trace before it is yielded. ``also`` are further
    paths: what they hold of the same traces belongs to them.
    """

    name: str
    path: str
    settings: SourceSettings = field(default_factory=SourceSettings)
    agent: str | None = None
    version: str | None = None
    limits: Limits = field(default_factory=Limits)
    watch: Callable[[Sequence[Span]], None] | None = None
    also: tuple[str, ...] = ()

    def read(self) -> Iterator[Trace | SkippedTrace]:
        """Traces in the order in which they started, then what could not be read.

        Raises:
            SourceError: there is nothing, or what there was is gone when it is read again.
        """
        files = [file for path in (self.path, *self.also) for file in find_files(path)]
        catalog = Catalog(self.limits)
        shelf: Shelf | None = Shelf(self.limits)
        skipped: list[SkippedTrace] = []
        with uncollected():
            for item in self._items(files, catalog):
                if isinstance(item, SkippedTrace):
                    skipped.append(item)
                    continue
                size = catalog.see(item)
                if catalog.total > self.limits.held:
                    shelf = None
                elif shelf is not None:
                    shelf.put(item, size)
        if not catalog.spans:
            raise nothing_read(shown(self.path), skipped)
        if shelf is not None:
            yield from self._traces(shelf)
        else:
            for part in range(catalog.split()):
                yield from self._traces(self._part(files, catalog, part))
        yield from skipped

    def _items(self, files: list[Place], catalog: Catalog) -> Iterator[Found]:
        for path in files:
            yield from read_file(path, self.limits, catalog.document)

    def _part(self, files: list[Place], catalog: Catalog, part: int) -> Shelf:
        """What one part of the traces is made of, read again."""
        catalog.choose(part)
        shelf = Shelf(self.limits)
        size = 0
        with uncollected():
            for item in self._items(files, catalog):
                if not isinstance(item, SkippedTrace) and catalog.wanted(item.trace_id):
                    mine = held_size(item if isinstance(item, Span) else item.event)
                    size += mine
                    shelf.put(item, mine)
        if size < catalog.expected():
            raise SourceError(
                "the source changed while it was read",
                where=shown(self.path),
                fix="run again when nothing writes to it any more; what was read is kept",
            )
        return shelf

    def _traces(self, shelf: Shelf) -> Iterator[Trace | SkippedTrace]:
        for _, spans in shelf.take():
            group = with_events(spans, shelf.events)
            if self.watch is not None:
                self.watch(group)
            with uncollected():
                result = joined(group, self.settings.map, self.name)
                if isinstance(result, Trace):
                    result = labelled(result, group, self.settings, self.agent, self.version)
            yield result
        for identity, size in shelf.large.items():
            reason = "a trace is too large"
            yield SkippedTrace(reason=reason, where=shown(self.path), trace_id=identity, size=size)


def with_events(spans: list[Span], events: Mapping[tuple[str, str], list[SpanEvent]]) -> list[Span]:
    """Spans with the message events that were sent as log records."""
    if not events:
        return spans
    return [
        replace(
            s, events=(*s.events, *sorted(found, key=lambda e: e.time_ns or 0)), maybe_dirty=True
        )
        if (found := events.get((s.trace_id, s.span_id)))
        else s
        for s in spans
    ]


_EXPECTED = "expected spans, a platform's export, or session files: docs/sources/files.md"
_MENDS = (
    ("is empty", "see to what writes it"),
    ("ends too early", "it is not whole: export or copy it again"),
    ("is damaged", "it is not whole: export or copy it again"),
    ("document is too large", "a line or message may have 64 MiB: leave out what fills it"),
    ("chat transcripts without", "`replay init FILE` writes the [sources.NAME] that they need"),
    ("no list of messages", "say where they are: `records` and `messages` of its table"),
)


def nothing_read(path: str, skipped: list[SkippedTrace]) -> SourceError:
    """The error for a source that gave nothing, with the first reason as the reason."""
    reason = skipped[0].reason if skipped else "there are no traces in it"
    more = f" (and {len(skipped) - 1} more)" if len(skipped) > 1 else ""
    return SourceError(
        f"no trace could be read: {reason}{more}",
        where=skipped[0].where if skipped else path,
        fix=next((fix for words, fix in _MENDS if words in reason), _EXPECTED),
    )
