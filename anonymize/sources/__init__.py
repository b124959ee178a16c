"""Where traces come from. :func:`open_source` takes what a person types after ``ingest``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from anonymize.errors import SourceError
from anonymize.settings import nearest
from anonymize.sources.interface import Limits, Source, SourceSettings
from anonymize.sources.labels import plain
from anonymize.sources.own import OwnSource
from anonymize.sources.places import is_url, shown
from anonymize.sources.sessions import KINDS, SessionSource, told
from anonymize.sources.spans_source import SpanSource
from anonymize.sources.transcripts import TranscriptSource

if TYPE_CHECKING:
    from anonymize.sources.remote import RemoteSource, Window

__all__ = [
    "Limits",
    "OwnSource",
    "SessionSource",
    "Source",
    "SourceSettings",
    "SpanSource",
    "TranscriptSource",
    "is_remote",
    "open_remote",
    "open_source",
]


def open_source(
    spec: str,
    sources: Mapping[str, SourceSettings],
    *,
    agent: str | None = None,
    version: str | None = None,
) -> Source:
    """A source from a file, a folder, a glob or the name of a ``[sources.NAME]`` table.

    Formats are told from the content. ``agent`` and ``version`` override what traces say.

    Raises:
        SourceError: ``spec`` is none of these, or the table lacks a path.
    """
    if not spec:  # a variable of a shell that is not set, not the folder here
        raise SourceError("no source is named", fix="name a file, a folder or a [sources.NAME]")
    if spec in sources:
        return _configured(spec, sources[spec], agent, version)
    if is_url(spec) or Path(spec).exists() or any(c in spec for c in "*?["):
        name = Path(shown(spec)).name or shown(spec)
        kind = told(spec)
        if kind is not None:
            return SessionSource(name=name, path=spec, kind=kind, agent=agent, version=version)
        return SpanSource(name=name, path=spec, agent=agent, version=version)
    if Path(spec).name != spec or Path(spec).suffix:
        raise SourceError("the file does not exist", where=spec, fix="check the path")
    like = nearest(spec, sources)
    known = ", ".join(sorted(sources)) or "none"
    raise SourceError(
        f"there is no file and no source called '{spec}'",
        where=f"[sources.{spec}]",
        fix=f"did you mean '{like}'?" if like else f"configured sources: {known}",
    )


def is_remote(settings: SourceSettings) -> bool:
    """Whether a ``[sources.NAME]`` table is about a platform rather than about files."""
    from anonymize.sources.remote.platform import KINDS as PLATFORMS

    return settings.kind in PLATFORMS and not settings.path


def open_remote(
    name: str,
    settings: SourceSettings,
    window: Window,
    *,
    agent: str | None = None,
    version: str | None = None,
) -> RemoteSource:
    """A platform's traces of ``window``.

    Raises:
        SourceError: a setting, the key or the vendor's client is missing, or it can't be reached.
    """
    from anonymize.sources.remote import RemoteSource, open_platform

    return RemoteSource(
        name=name,
        platform=open_platform(name, settings),
        window=window,
        settings=settings,
        agent=agent,
        version=version,
    )


def _configured(
    name: str, settings: SourceSettings, agent: str | None, version: str | None
) -> Source:
    if is_remote(settings):
        raise SourceError(
            "a platform is asked for a window of time",
            where=f"[sources.{name}]",
            fix="use `anonymize ingest NAME`, or open_remote",
        )
    if settings.kind == "python":
        return OwnSource(name=name, settings=settings, agent=agent, version=version)
    if not settings.path:
        raise SourceError(
            "the source has no path", where=f"[sources.{name}]", fix='add: path = "..."'
        )
    if settings.kind == "transcripts":
        return TranscriptSource(name=name, settings=settings, agent=agent, version=version)
    if settings.kind in KINDS:
        return SessionSource(
            name=name,
            path=settings.path,
            kind=settings.kind,
            agent=agent or plain(settings.agent),
            version=version or plain(settings.version),
        )
    return SpanSource(
        name=name, path=settings.path, settings=settings, agent=agent, version=version
    )
