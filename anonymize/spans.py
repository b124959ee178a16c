"""Spans in memory: the one form that every source is read into before it becomes a trace.

Compact on purpose: keys are interned, scope and resource are shared between spans, and JSON
inside attributes stays text until the trace is assembled, one trace at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from anonymize.trace import Json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Later times are garbage (a clock in the wrong unit); ``datetime`` itself ends in 9999.
_LAST_NS = 4_102_444_800 * 10**9  # 2100-01-01

SpanStatus = Literal["unset", "ok", "error"]


@dataclass(frozen=True, slots=True)
class Scope:
    """What recorded a span (instrumentation library) and where (resource attributes)."""

    name: str = ""
    version: str = ""
    resource: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened within a span: an exception, a message."""

    name: str
    time_ns: int | None = None
    attributes: Mapping[str, Json] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Span:
    """One operation of one trace, as recorded. Never changed once it is made.

    (Not declared frozen: that makes it eight times as slow to make, and there are millions.)

    ``trace_id`` and ``span_id`` are lower-case hex where the source has hex ids. Times are
    nanoseconds since 1970 (UTC) or ``None``. ``kind`` is OTLP's, lower case (``client``).
    ``dropped`` counts attributes the SDK threw away. ``flags`` are keys of
    :data:`anonymize.trace.LOSSY_FLAGS` seen while reading; ``maybe_dirty`` says that the text may
    hold characters that can't be stored.
    """

    trace_id: str
    span_id: str
    parent_id: str | None = None
    name: str = ""
    kind: str = ""
    start_ns: int | None = None
    end_ns: int | None = None
    attributes: Mapping[str, Json] = field(default_factory=dict)
    events: tuple[SpanEvent, ...] = ()
    status: SpanStatus = "unset"
    status_message: str = ""
    scope: Scope = Scope()
    dropped: int = 0
    remote_parent: bool = False
    flags: tuple[str, ...] = ()
    maybe_dirty: bool = False


def timestamp(ns: int | None) -> datetime | None:
    """Nanoseconds since 1970 as UTC time (to the microsecond), ``None`` when absent or absurd."""
    if ns is None or not 0 < ns < _LAST_NS:
        return None
    return _EPOCH + timedelta(0, ns // 10**9, ns % 10**9 // 1000)


def nanoseconds(moment: datetime | None) -> int | None:
    """UTC time as nanoseconds since 1970; a time without a zone is taken as UTC."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 10**9 + delta.microseconds * 1000


def parse_time(value: Json) -> datetime | None:
    """ISO 8601 text or a number of seconds/milliseconds/microseconds/nanoseconds, as UTC time."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
            if moment.tzinfo is None:
                return moment.replace(tzinfo=UTC)
            return moment.astimezone(UTC)
        except (ValueError, OverflowError):  # year 1 in another zone overflows
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return None
    for unit in (10**9, 10**6, 10**3, 1):  # the first that lands between 2001 and 2100
        ns = value * unit
        if 10**18 <= ns < _LAST_NS:
            return timestamp(int(ns))
    return None
