"""A bounded look at a source: some of its newest traces, in memory only."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

from anonymize.errors import SourceError
from anonymize.trace import SkippedTrace, Trace
from replay.init.place import Place

if TYPE_CHECKING:
    from anonymize.sources import Limits, Source, SourceSettings
    from anonymize.sources.files import Place as File
    from anonymize.sources.sessions import Kind
    from anonymize.spans import Span

Watch = Callable[[Sequence["Span"]], None]

#: Bytes of files that are read, and of one file once it is decompressed.
_MOST_READ = 32 * 2**20
_MOST_FILE = 96 * 2**20
_MOST_HELD = 24 * 2**20
_PACKED = (".gz", ".gzip", ".zst", ".parquet", ".eval")
#: How far back a platform is asked, the newest first. The last minutes come last: what is still
#: going on looks broken.
_BACK = (
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(days=1),
    timedelta(days=7),
    timedelta(days=31),
    timedelta(days=366),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What will be looked at: ``items`` are read as they are taken. ``about``: which part of the
    source that is, in words; ``""`` for all of it. ``cut``: what was too large to be read whole,
    known once all items were taken."""

    items: Iterator[Trace | SkippedTrace]
    about: str = ""
    cut: list[str] = field(default_factory=list)


def sample_of(
    place: Place, most: int, watch: Watch | None = None, now: datetime | None = None
) -> Sample:
    """About ``most`` traces of ``place``; ``watch`` is shown the spans of each, where it has any.

    Raises:
        SourceError, StoreError: it can't be read, or there is no trace in it.
    """
    if place.store is not None:
        return Sample(_first(_of_store(place.store), most))
    settings = place.settings()
    if place.is_platform:
        found = _of_platform(place.name, settings, watch, now or datetime.now(UTC), most)
        return Sample(_first(found, most))
    if settings.kind == "python":
        from anonymize.sources import open_source

        opened = open_source(place.name, {place.name: settings})
        return Sample(_first(opened.read(), most))
    cut: list[str] = []
    items, about = _of_files(place, settings, watch, cut)
    # Spans have to be read to their end before there is one trace, and the newest come last.
    return Sample(_first(items, most if _by_file(settings) else 10 * most), about, cut)


def _first(items: Iterator[Trace | SkippedTrace], most: int) -> Iterator[Trace | SkippedTrace]:
    """As many as have ``most`` traces among them; of others ten times as many at most."""
    traces = 0
    for item in itertools.islice(items, 10 * most):
        yield item
        traces += isinstance(item, Trace)
        if traces >= most:
            return


def _of_store(root: Path) -> Iterator[Trace | SkippedTrace]:
    from anonymize.store import Store

    store = Store(root)
    days = sorted({part.date for part in store.summary().partitions}, reverse=True)
    for day in days:
        yield from store.traces(dates=(day, day))


def _of_platform(
    name: str, settings: SourceSettings, watch: Watch | None, now: datetime, most: int
) -> Iterator[Trace | SkippedTrace]:
    from anonymize.sources import Limits, open_remote
    from anonymize.sources.remote import Window

    if settings.kind == "phoenix":  # its client gives no pages: ask for little, again and again
        settings = replace(settings, page=settings.page or max(200, 5 * most))
    edges = [now - back for back in _BACK]
    windows = [Window(since=s, until=u) for u, s in itertools.pairwise(edges)]
    windows.append(Window(since=edges[0], until=now + timedelta(minutes=1)))
    opened = replace(
        open_remote(name, settings, windows[0]), limits=Limits(held=_MOST_HELD), watch=watch
    )
    found = 0
    for window in windows:
        for item in opened.within(window).read():
            found += 1
            yield item
    if not found:
        raise SourceError(
            "the source has no trace of the last year",
            where=f"[sources.{name}]",
            fix="is it the right project? (--project); run the agent once with tracing on",
        )


def _of_files(
    place: Place, settings: SourceSettings, watch: Watch | None, cut: list[str]
) -> tuple[Iterator[Trace | SkippedTrace], str]:
    from anonymize.sources import Limits, SpanSource
    from anonymize.sources.files import find_files
    from anonymize.sources.sessions import KINDS, files_of

    limits = Limits(file=_MOST_FILE, held=4 * _MOST_FILE)
    if _by_file(settings):
        whole = files_of(settings.path) if settings.kind in KINDS else find_files(settings.path)
        return _without_the_end(_one_by_one(place.name, settings, whole, limits), cut), ""
    files = find_files(settings.path)
    chosen = _newest(files)
    paths = [_path(file, settings.path) for file in chosen]
    if len(chosen) == len(files):
        paths = [settings.path]
    source = SpanSource(
        name=place.name,
        path=paths[0],
        also=tuple(paths[1:]),
        settings=settings,
        limits=limits,
        watch=watch,
    )
    about = f"{len(chosen):,} of {len(files):,} files" if len(chosen) < len(files) else ""
    return _without_the_end(source.read(), cut), about


def _by_file(settings: SourceSettings) -> bool:
    """Whether each file holds whole conversations."""
    from anonymize.sources.sessions import KINDS

    return settings.kind == "transcripts" or settings.kind in KINDS


def _one_by_one(
    name: str, settings: SourceSettings, files: list[File], limits: Limits
) -> Iterator[Trace | SkippedTrace]:
    """File by file, the newest first: each holds whole conversations."""
    from anonymize.sources import SessionSource, TranscriptSource

    for file in _by_age(files):
        path = _path(file, settings.path)
        source: Source
        if settings.kind == "transcripts":
            source = TranscriptSource(
                name=name, settings=replace(settings, path=path), limits=limits
            )
        else:
            kind = cast("Kind", settings.kind)
            source = SessionSource(name=name, path=path, kind=kind, limits=limits)
        try:
            yield from source.read()
        except SourceError as error:
            yield SkippedTrace(reason=error.what, where=str(file))


def _without_the_end(
    items: Iterator[Trace | SkippedTrace], cut: list[str]
) -> Iterator[Trace | SkippedTrace]:
    """Without the remark that a file has more than is looked at: that goes into ``cut``."""
    for item in items:
        if isinstance(item, Trace) or item.reason != "the file is too large after decompression":
            yield item
        else:
            cut.append(item.where)


def _newest(files: list[File]) -> list[File]:
    """The newest files, as many as may be read; one at least, in the order of the source."""
    chosen: list[File] = []
    size = 0
    for file in _by_age(files):
        bytes_, packed = _size(file), file.suffix.lower() in _PACKED
        size += bytes_ * (8 if packed else 1)
        if chosen and size > _MOST_READ:
            break
        chosen.append(file)
    return [file for file in files if file in chosen]


def _by_age(files: list[File]) -> list[File]:
    """The newest first."""
    return sorted(files, key=lambda file: (_changed(file), str(file)), reverse=True)


def _changed(file: File) -> float:
    # Elsewhere names tell the age: exports are named by their day.
    return file.stat().st_mtime if isinstance(file, Path) else 0.0


def _size(file: File) -> int:
    if isinstance(file, Path):
        return file.stat().st_size
    return int(file.system.get_file_info(file.path).size or 0)


def _path(file: File, spec: str) -> str:
    """One of several files as a path of its own; options of an object store stay with it."""
    if isinstance(file, Path):
        return str(file)
    query = spec.partition("?")[2] if "?" in spec and "=" in spec else ""
    return f"{file.scheme}://{file.path}" + (f"?{query}" if query else "")
