"""What a source is, its settings, and the limits that every reader keeps to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from anonymize.sources.mapped import SpanMap
from anonymize.trace import SkippedTrace, Trace


class Source(Protocol):
    """Something that traces can be read from."""

    @property
    def name(self) -> str:
        """For messages and for ``Trace.source``."""

    def read(self) -> Iterator[Trace | SkippedTrace]:
        """Every trace, and every piece of input that is none.

        Raises:
            SourceError: nothing at all can be read.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """One ``[sources.NAME]`` table.

    ``path`` is a file, a folder or a glob. All others but ``kind`` are jmespath expressions. For
    ``transcripts`` they are applied to the document (``records``) and to each record (the rest);
    ``agent`` and ``version`` may also be literals, written ``'v1'``. For ``otlp`` and
    ``langfuse``, ``agent``, ``version``, ``pair_key`` and ``tags`` are applied to
    ``{"name", "attributes", "resource"}`` of a trace's outermost span. The others
    (:mod:`anonymize.sources.sessions`) need none.

    With ``url`` instead of ``path``, kinds ``phoenix``, ``mlflow``, ``langfuse`` and ``langsmith``
    ask the platform: for ``project`` (its name or id; MLflow's experiment), with the key in the
    environment variable ``key_env`` (``public_key_env`` beside it for Langfuse). A window is read
    in slices of ``slice_hours``, and spans up to ``overlap_minutes`` around it, since some come
    late. ``page`` is the most that is asked for at once (0: as the platform likes it).

    ``python`` is a class of your own, ``target = "module:Class"``, made with ``options``.

    ``map`` tells under which attributes of their own spans record what, where they follow no
    convention (:class:`~anonymize.sources.mapped.SpanMap`).
    """

    kind: Literal[
        "otlp",
        "transcripts",
        "langfuse",
        "langsmith",
        "phoenix",
        "mlflow",
        "claude-code",
        "codex",
        "atif",
        "inspect",
        "python",
    ] = "otlp"
    path: str = ""
    url: str = ""
    project: str = ""
    key_env: str = ""
    public_key_env: str = ""
    overlap_minutes: float = 15.0
    slice_hours: float = 6.0
    page: int = 0
    target: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    records: str | None = None
    id: str | None = None
    messages: str | None = None
    pair_key: str | None = None
    agent: str | None = None
    version: str | None = None
    started_at: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    map: SpanMap | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes. What is larger is skipped, with a reason, before it is in memory.

    ``document`` is one line or message and ``file`` one file, after decompression. ``values``
    is what a document takes once parsed, ``trace`` what the spans of one trace take, ``held``
    what is kept while traces are put together: input with more is read several times.
    """

    document: int = 64 * 2**20
    file: int = 16 * 2**30
    values: int = 256 * 2**20
    trace: int = 96 * 2**20
    held: int = 128 * 2**20
