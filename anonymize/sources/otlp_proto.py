"""OTLP as protobuf.

``TracesData``, ``ExportTraceServiceRequest`` and their like share one layout: field 1, repeated,
holds resource spans. The field is walked by hand, so that a file cut off in the middle loses its
last message only, and a long file is never in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from anonymize.sources.interface import Limits
from anonymize.sources.otlp_json import Found
from anonymize.sources.otlp_logs import is_resource_logs, read_resource_logs
from anonymize.sources.otlp_wire import Attributes, ResourceSpans, is_odd
from anonymize.spans import Scope, Span, SpanEvent, SpanStatus
from anonymize.trace import SkippedTrace

_FIELD_1 = 0x0A  # field 1, length-delimited
_KINDS = ("", "internal", "server", "client", "producer", "consumer")
_STATUSES: tuple[SpanStatus, ...] = ("unset", "ok", "error")
_REMOTE = 0x200
#: Ids of nothing but this byte are none.
_NO_ID = b"\0"
_TRUNCATED = "the protobuf data ends too early"
_MALFORMED = "malformed protobuf"
#: An empty message takes two bytes in a file and about 200 in memory; in small ones it may.
_SMALL = 1 << 20
_MESSAGE = 200
#: The bytes of a field by its wire type; those of 0 and 2 are told by what stands there.
_FIXED = {0: 0, 1: 8, 2: 0, 5: 4}
#: Which field of which message is a message, as far as there can be many.
_INNER: dict[str, dict[int, str]] = {
    "resource spans": {1: "list", 2: "scope spans"},
    "scope spans": {2: "span"},
    "span": {9: "attribute", 11: "event", 13: "link"},
    "event": {3: "attribute"},
    "link": {4: "attribute"},
    "attribute": {2: "value"},
    "value": {5: "array", 6: "list"},
    "array": {1: "value"},
    "list": {1: "attribute"},
}


def looks_like_proto(head: bytes) -> bool:
    """Whether the first bytes could be a protobuf trace message, bare or with its length before."""
    if head[:1] == b"\n":
        return True
    size, used = _varint(head)
    return used > 0 and size > 2 and head[used : used + 1] == b"\n"


def read_stream(
    stream: BinaryIO, where: str, limits: Limits, begin: Callable[[], bool]
) -> Iterator[Found]:
    """The spans of bare or length-delimited messages, one resource at a time.

    ``begin`` is asked before each resource whether to read it.
    """
    position = 0
    end_of_message = 0
    reader = Attributes()
    while True:
        tag, used = _read_varint(stream)
        if used == 0:
            return
        position += used
        if tag != _FIELD_1:
            if position <= end_of_message or used > 5:
                yield SkippedTrace(reason=_MALFORMED, where=f"{where}: byte {position - used}")
                return
            end_of_message = position + tag  # a length before the next whole message
            continue
        size, used = _read_varint(stream)
        position += used
        wanted = begin()
        if used == 0 or size > limits.document:
            reason = _TRUNCATED if used == 0 else "a message is too large"
            yield SkippedTrace(reason=reason, where=f"{where}: byte {position}")
            return
        data = stream.read(size)
        if len(data) < size:
            yield SkippedTrace(reason=_TRUNCATED, where=f"{where}: byte {position}")
            return
        position += size
        if wanted:
            yield from read_resource_spans(data, f"{where}: byte {position - size}", limits, reader)


def read_message(
    data: bytes, where: str, limits: Limits, reader: Attributes | None = None
) -> Iterator[Found]:
    """The spans of one whole message in memory. ``reader`` is shared by messages of one stream."""
    reader = Attributes() if reader is None else reader
    position = 0
    while position < len(data):
        tag, used = _varint(data[position : position + 10])
        size, more = _varint(data[position + used : position + used + 10])
        position += used + more
        if tag != _FIELD_1 or not used or not more or position + size > len(data):
            yield SkippedTrace(reason=_MALFORMED, where=f"{where}: byte {position}")
            return
        yield from read_resource_spans(data[position : position + size], where, limits, reader)
        position += size


def read_resource_spans(
    data: bytes, where: str, limits: Limits, reader: Attributes
) -> Iterator[Found]:
    """The spans of one ``ResourceSpans`` message; a malformed one costs itself only."""
    # Log records look like spans without ids, or like damage; only then it is looked at closer.
    large = len(data) > _SMALL
    looked = large  # once: it walks through all that comes before the first record
    if large and is_resource_logs(data):
        yield from read_resource_logs(data, where)
        return
    if large and _too_many(data, limits.values // _MESSAGE):
        yield SkippedTrace(reason="a message has too many parts", where=where, size=len(data))
        return
    message = ResourceSpans()
    try:
        message.ParseFromString(data)
        resource = reader.read(message.resource.attributes)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        if is_resource_logs(data):
            yield from read_resource_logs(data, where)
        else:
            yield SkippedTrace(reason=_MALFORMED, where=where, size=len(data))
        return
    for group in message.scope_spans:
        scope = Scope(group.scope.name, group.scope.version, resource)
        for raw in group.spans:
            if not raw.trace_id.strip(_NO_ID):
                if not looked and is_resource_logs(data):
                    yield from read_resource_logs(data, where)
                    return
                looked = True
                yield SkippedTrace(reason="a span without a trace id", where=where)
                continue
            try:
                yield _span(raw, scope, reader)
            except (DecodeError, UnicodeDecodeError, RecursionError):
                yield SkippedTrace(reason=_MALFORMED, where=where)


def _span(raw: Any, scope: Scope, reader: Attributes) -> Span:
    reader.flags, reader.odd = [], False
    values = reader.read(raw.attributes)
    kind, code, name = raw.kind, 0, raw.name
    span_id, parent_id = raw.span_id, raw.parent_span_id
    message = ""
    if raw.HasField("status"):
        code, message = raw.status.code, raw.status.message
    events = raw.events
    return Span(
        trace_id=raw.trace_id.hex(),
        span_id=span_id.hex() if span_id.strip(_NO_ID) else "",
        parent_id=parent_id.hex() if parent_id.strip(_NO_ID) else None,
        name=name,
        kind=_KINDS[kind] if 0 <= kind < len(_KINDS) else "",
        start_ns=raw.start_time_unix_nano or None,
        end_ns=raw.end_time_unix_nano or None,
        attributes=values,
        events=tuple([_event(e, reader) for e in events]) if events else (),
        status=_STATUSES[code] if 0 <= code < len(_STATUSES) else "unset",
        status_message=message,
        scope=scope,
        dropped=raw.dropped_attributes_count,
        remote_parent=bool(raw.flags & _REMOTE),
        flags=tuple(reader.flags),
        maybe_dirty=reader.odd or is_odd(name),
    )


def _event(raw: Any, reader: Attributes) -> SpanEvent:
    return SpanEvent(raw.name, raw.time_unix_nano or None, reader.read(raw.attributes))


def _too_many(data: bytes, most: int) -> bool:
    """Whether a message holds more than ``most`` messages, told without making any."""
    count = 0
    stack = [(0, len(data), "resource spans")]
    while stack and count <= most:
        position, end, kind = stack.pop()
        inner = _INNER[kind]
        while position < end and count <= most:
            tag, used = _varint(data[position : position + 10])
            value, more = _varint(data[position + used : position + used + 10])
            wire = tag & 7
            if not used or wire not in _FIXED or (wire in (0, 2) and not more):
                break  # damaged: the parser will say so
            position += used + (more + value if wire == 2 else more if wire == 0 else _FIXED[wire])
            if wire == 2 and (name := inner.get(tag >> 3)):
                count += 1
                stack.append((position - value, min(position, end), name))
    return count > most


def _varint(data: bytes) -> tuple[int, int]:
    """A number and how many bytes it took; 0 bytes if there is no whole number."""
    number = 0
    for index, byte in enumerate(data[:10]):
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return number, index + 1
    return 0, 0


def _read_varint(stream: BinaryIO) -> tuple[int, int]:
    head = b""
    while len(head) < 10:
        byte = stream.read(1)
        if not byte:
            return 0, 0
        head += byte
        if byte[0] < 0x80:
            return _varint(head)
    return 0, 0
