"""OTLP log records as protobuf, as far as they are message events of spans.

Instrumentations that follow OpenTelemetry's own conventions may send what was said as log records
beside the spans. Ordinary log lines are passed over without being unpacked.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, TypeVar

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from anonymize.sources.otlp_json import LogEvent, log_event
from anonymize.trace import SkippedTrace

_MALFORMED = "malformed protobuf"
#: Unpacked, a message of empty parts takes a hundred times its bytes.
_LARGEST = 4 << 20
#: The tags of the fields 1 and 11 of a log record.
_TIMES = (b"\x09", b"\x59")
_FIXED = {1: 8, 5: 4}

_DAMAGED = (DecodeError, RecursionError, ValueError)

_Bytes = TypeVar("_Bytes", bytes, memoryview)


def read_log_message(data: bytes, where: str) -> Iterator[LogEvent | SkippedTrace]:
    """The message events of an ``ExportLogsServiceRequest``; what is malformed costs itself."""
    try:
        for resource in _fields(data, 1):
            yield from read_resource_logs(resource, where)
    except ValueError:
        yield SkippedTrace(reason=_MALFORMED, where=where, size=len(data))


def read_resource_logs(data: bytes, where: str) -> Iterator[LogEvent | SkippedTrace]:
    """The message events of one ``ResourceLogs`` message."""
    from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

    try:
        for scope in _fields(data, 2):
            for raw in _fields(scope, 2):
                if b"gen_ai." not in raw:
                    continue
                if len(raw) > _LARGEST:
                    reason = "a log record is too large"
                    yield SkippedTrace(reason=reason, where=where, size=len(raw))
                    continue
                try:
                    found = log_event(_as_json(LogRecord.FromString(raw)))
                except _DAMAGED:  # what surrounds it is whole
                    yield SkippedTrace(reason=_MALFORMED, where=where, size=len(raw))
                    continue
                if found is not None:
                    yield found
    except ValueError:
        yield SkippedTrace(reason=_MALFORMED, where=where, size=len(data))


def is_resource_logs(data: bytes) -> bool:
    """Whether a message is ``ResourceLogs`` rather than ``ResourceSpans``: both hold records in the
    same place. A log record begins with a time, in a field of eight bytes that spans don't have.
    """
    try:
        for scope in _fields(memoryview(data), 2):  # without a copy: most are spans, and large
            for record in _fields(scope, 2):
                return bytes(record[:1]) in _TIMES
    except ValueError:
        pass
    return False


def _fields(data: _Bytes, wanted: int) -> Iterator[_Bytes]:
    """The messages in field ``wanted``. Raises ``ValueError`` on damage."""
    position = 0
    while position < len(data):
        tag, used = _varint(data[position : position + 10])
        position += used
        wire = tag & 7
        if not used or wire not in (0, 1, 2, 5):
            raise ValueError(_MALFORMED)
        if wire in _FIXED:
            position += _FIXED[wire]
            continue
        value, used = _varint(data[position : position + 10])
        position += used
        if not used:
            raise ValueError(_MALFORMED)
        if wire == 2:
            if position + value > len(data):
                raise ValueError(_MALFORMED)
            if tag >> 3 == wanted:
                yield data[position : position + value]
            position += value


def _varint(data: bytes | memoryview) -> tuple[int, int]:
    """A number and how many bytes it took; 0 bytes if there is no whole number."""
    number = 0
    for index, byte in enumerate(data):
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return number, index + 1
    return 0, 0


def _as_json(record: Any) -> dict[str, Any]:
    """The record as OTLP writes it in JSON."""
    return {
        "eventName": record.event_name,
        "timeUnixNano": record.time_unix_nano or record.observed_time_unix_nano,
        "traceId": record.trace_id.hex(),
        "spanId": record.span_id.hex(),
        "body": _value(record.body),
        "attributes": [{"key": a.key, "value": _value(a.value)} for a in record.attributes],
    }


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return {kind: {"values": [_value(v) for v in value.array_value.values]}}
    if kind == "kvlist_value":
        pairs = [{"key": p.key, "value": _value(p.value)} for p in value.kvlist_value.values]
        return {kind: {"values": pairs}}
    if kind == "bytes_value":
        return {kind: base64.b64encode(value.bytes_value).decode()}
    return {kind: getattr(value, kind)} if kind else None
