"""OTLP as JSON: documents with ``resourceSpans`` (and ``resourceLogs`` for message events).

Parsed with orjson and mapped by hand: protobuf's own JSON reader is 25 times slower and takes the
hex ids for base64. Accepts int and string enums, ids in hex or base64, camel and snake case, and
the older ``instrumentationLibrarySpans``.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterator
from dataclasses import dataclass
from sys import intern
from typing import Any

from anonymize.binary import decoded, interim
from anonymize.spans import Scope, Span, SpanEvent, SpanStatus
from anonymize.trace import Json, SkippedTrace

_KINDS = ("", "internal", "server", "client", "producer", "consumer")
_STATUSES: tuple[SpanStatus, ...] = ("unset", "ok", "error")
_REMOTE = 0x200  # SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK
_MAX_NUMBER = 2**63
_MAX_NESTING = 50


@dataclass(frozen=True, slots=True)
class LogEvent:
    """A log record that belongs to a span: where message events go when they are logs."""

    trace_id: str
    span_id: str
    event: SpanEvent


Found = Span | LogEvent | SkippedTrace


def is_otlp(document: Json) -> bool:
    """Whether a JSON value is an OTLP document of any signal, or one bare OTLP span.

    ``batches`` is Tempo's word for resource spans; Phoenix hands out spans without a resource.
    """
    if not isinstance(document, dict):
        return False
    keys = ("resourceSpans", "resource_spans", "resourceLogs", "resource_logs", "resourceMetrics")
    return any(key in document for key in keys) or _is_tempo(document) or _is_bare(document)


def _is_tempo(document: dict[str, Any]) -> bool:
    batches = _list(document, "batches")
    return bool(batches) and all(
        _list(b, "scopeSpans", "instrumentationLibrarySpans") for b in batches
    )


def _is_bare(document: dict[str, Any]) -> bool:
    return (
        isinstance(document.get("attributes"), list)
        and ("traceId" in document or "trace_id" in document)
        and ("startTimeUnixNano" in document or "start_time_unix_nano" in document)
    )


def read_otlp(document: dict[str, Any], where: str, *, dirty: bool = False) -> Iterator[Found]:
    """The spans and log events of one document; what is malformed comes as ``SkippedTrace``."""
    if _is_bare(document):
        document = {"resourceSpans": [{"scopeSpans": [{"spans": [document]}]}]}
    for entry in _list(document, "resourceSpans", "resource_spans", "batches"):
        yield from _resource_spans(entry, where, dirty)
    for entry in _list(document, "resourceLogs", "resource_logs"):
        yield from _resource_logs(entry)
    if "resourceMetrics" in document:
        yield SkippedTrace(reason="OTLP metrics, not traces", where=where)


def _list(holder: Json, *keys: str) -> list[Any]:
    for key in keys:
        value = holder.get(key) if isinstance(holder, dict) else None
        if isinstance(value, list):
            return value
    return []


def _resource_spans(entry: Json, where: str, dirty: bool) -> Iterator[Found]:
    resource = _resource(entry)
    groups = _list(entry, "scopeSpans", "scope_spans", "instrumentationLibrarySpans")
    if not groups and not isinstance(entry, dict):
        yield SkippedTrace(reason="malformed OTLP", where=where)
    for group in groups:
        scope = _scope(group, resource)
        for raw in _list(group, "spans"):
            try:
                span = _span(raw, scope, dirty)
            except (TypeError, ValueError, AttributeError, KeyError, OverflowError):
                # Wrong types anywhere in a span written by a stranger; its neighbours are fine.
                yield SkippedTrace(reason="malformed OTLP span", where=where)
                continue
            if span.trace_id:
                yield span
            else:
                yield SkippedTrace(reason="a span without a trace id", where=where)


def _resource(entry: Json) -> dict[str, Json]:
    holder = entry.get("resource") if isinstance(entry, dict) else None
    try:
        return attributes(_list(holder, "attributes"), [])
    except (TypeError, ValueError, AttributeError, KeyError):
        return {}


def _scope(group: Json, resource: dict[str, Json]) -> Scope:
    raw: Json = {}
    if isinstance(group, dict):
        raw = group.get("scope") or group.get("instrumentationLibrary") or {}
    if not isinstance(raw, dict):
        raw = {}
    return Scope(str(raw.get("name") or ""), str(raw.get("version") or ""), resource)


def _span(raw: dict[str, Any], scope: Scope, dirty: bool) -> Span:
    get = raw.get
    flags: list[str] = []
    status = get("status") or {}
    events = get("events")
    return Span(
        trace_id=trace_id(get("traceId") or get("trace_id")),
        span_id=span_id(get("spanId") or get("span_id")),
        parent_id=span_id(get("parentSpanId") or get("parent_span_id")) or None,
        name=str(get("name") or ""),
        kind=_enum(get("kind"), _KINDS, "SPAN_KIND_"),
        start_ns=_time(get("startTimeUnixNano") or get("start_time_unix_nano")),
        end_ns=_time(get("endTimeUnixNano") or get("end_time_unix_nano")),
        attributes=attributes(get("attributes") or (), flags),
        events=tuple(_event(e, flags) for e in events) if events else (),
        status=_enum(status.get("code"), _STATUSES, "STATUS_CODE_"),  # type: ignore[arg-type]
        status_message=str(status.get("message") or ""),
        scope=scope,
        dropped=_count(get("droppedAttributesCount") or get("dropped_attributes_count")),
        remote_parent=bool(_count(get("flags")) & _REMOTE),
        flags=tuple(flags),
        maybe_dirty=dirty,
    )


def attributes(items: Any, flags: list[str]) -> dict[str, Json]:
    """OTLP key-values as a dict; of repeated keys the last wins."""
    return {intern(item["key"]): any_value(item.get("value"), flags) for item in items}


def any_value(value: Any, flags: list[str], depth: int = 0) -> Json:
    """An OTLP ``AnyValue`` as JSON. Bytes become a placeholder, flagged ``binary_dropped``.

    Raises:
        ValueError: lists and objects nested beyond the limit, or a number that is none.
    """
    if not isinstance(value, dict):
        return value  # some writers leave the box out
    text = value.get("stringValue")
    if text is not None:
        return text if isinstance(text, str) else str(text)
    for key, inner in value.items():
        reader = _VALUES.get(key)
        if reader is not None and inner is not None:
            if depth > _MAX_NESTING:
                raise ValueError("nested too deeply")
            return reader(inner, flags, depth + 1)
    return None


def _array(value: Any, flags: list[str], depth: int) -> Json:
    return [any_value(v, flags, depth) for v in _list(value, "values")]


def _kvlist(value: Any, flags: list[str], depth: int) -> Json:
    items = _list(value, "values")
    return {intern(item["key"]): any_value(item.get("value"), flags, depth) for item in items}


def _bytes(value: Any, flags: list[str], depth: int) -> Json:
    flags.append("binary_dropped")
    return interim(decoded(str(value)) or b"")


def _double(value: Any, flags: list[str], depth: int) -> Json:
    return finite(float(value))


def _int(value: Any, flags: list[str], depth: int) -> Json:
    number = int(value)
    return number if -_MAX_NUMBER <= number < _MAX_NUMBER else float(number)


def finite(number: float) -> float | None:
    """``number``, or ``None`` for NaN and infinities, which JSON doesn't have."""
    return number if math.isfinite(number) else None


_VALUES = {
    "intValue": _int,
    "boolValue": lambda value, flags, depth: bool(value),
    "doubleValue": _double,
    "arrayValue": _array,
    "kvlistValue": _kvlist,
    "bytesValue": _bytes,
    "string_value": lambda value, flags, depth: str(value),
    "int_value": _int,
    "bool_value": lambda value, flags, depth: bool(value),
    "double_value": _double,
    "array_value": _array,
    "kvlist_value": _kvlist,
    "bytes_value": _bytes,
}


def _event(raw: dict[str, Any], flags: list[str]) -> SpanEvent:
    time = _time(raw.get("timeUnixNano") or raw.get("time_unix_nano"))
    return SpanEvent(
        str(raw.get("name") or ""), time, attributes(raw.get("attributes") or (), flags)
    )


def _resource_logs(entry: Json) -> Iterator[LogEvent]:
    for group in _list(entry, "scopeLogs", "scope_logs"):
        for raw in _list(group, "logRecords", "log_records"):
            try:
                found = log_event(raw)
            except (TypeError, ValueError, AttributeError, KeyError):
                continue  # ordinary log lines may look like anything; only events matter here
            if found is not None:
                yield found


def log_event(raw: dict[str, Any]) -> LogEvent | None:
    """The message event in a log record; ``None``: it is none. Raises on strange content."""
    flags: list[str] = []
    given = attributes(raw.get("attributes") or (), flags)
    name = raw.get("eventName") or raw.get("event_name") or given.get("event.name")
    if not isinstance(name, str) or not name.startswith("gen_ai."):
        return None
    body = any_value(raw.get("body"), flags)
    content = body if isinstance(body, dict) else {"content": body}
    time = _time(raw.get("timeUnixNano") or raw.get("observedTimeUnixNano"))
    return LogEvent(
        trace_id=trace_id(raw.get("traceId") or raw.get("trace_id")),
        span_id=span_id(raw.get("spanId") or raw.get("span_id")),
        event=SpanEvent(name, time, {**given, **content}),
    )


def trace_id(value: Any) -> str:
    """A trace id in lower-case hex; from base64 where a generic protobuf writer made it."""
    return _id(value, 32, 24)


def span_id(value: Any) -> str:
    """A span id in lower-case hex; ``""`` if absent or all zeros."""
    return _id(value, 16, 12)


def _id(value: Any, size: int, encoded: int) -> str:
    if not isinstance(value, str) or not value:
        return ""
    text = value
    if len(text) == encoded and text.endswith("="):
        try:
            text = base64.b64decode(text, validate=True).hex()
        except (binascii.Error, ValueError):
            return text
    if len(text) == size:
        text = text.lower()
        return "" if text.count("0") == size else text
    return text


def _time(value: Any) -> int | None:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 < number < 2 * _MAX_NUMBER else None


def _count(value: Any) -> int:
    return int(value) if isinstance(value, int | str) and value else 0


def _enum(value: Any, names: tuple[str, ...], prefix: str) -> str:
    if isinstance(value, str):
        if not value.isdigit():
            name = value.removeprefix(prefix).lower()
            return name if name in names else names[0]
        value = int(value[:4])
    if isinstance(value, int) and 0 < value < len(names):
        return names[value]
    return names[0]
