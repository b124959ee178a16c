"""What senders are answered, as OTLP/HTTP and OTLP/gRPC have it.

Errors are a ``google.rpc.Status`` in the encoding of the request
(https://opentelemetry.io/docs/specs/otlp/#failures). Two fields of it are written by hand: its
classes are in a package that nothing else here needs.
"""

from __future__ import annotations

import json

JSON = "application/json"
PROTOBUF = "application/x-protobuf"
#: Seconds until a sender that was turned away shall come again.
COME_AGAIN = 5
#: grpc.StatusCode.UNAVAILABLE
_UNAVAILABLE = 14
_RETRY_INFO = b"type.googleapis.com/google.rpc.RetryInfo"


def kind_of(content_type: str) -> str:
    """The encoding of the answer to a request of this type: the same."""
    return JSON if content_type.strip().lower().startswith(JSON) else PROTOBUF


def taken(kind: str, rejected: int, reason: str, *, logs: bool = False) -> bytes:
    """The body that says that a request was taken, but for so many parts of it."""
    if kind == JSON:
        name = "rejectedLogRecords" if logs else "rejectedSpans"
        partial = {"partialSuccess": {name: str(rejected), "errorMessage": reason}}
        return json.dumps(partial if rejected else {}).encode()
    if not rejected:
        return b""
    # ExportTraceServiceResponse and ExportLogsServiceResponse: partial_success = 1, in which the
    # number is 1 and the message 2.
    inner = b"\x08" + _varint(rejected) + _field(2, reason.encode())
    return _field(1, inner)


def status(kind: str, message: str) -> bytes:
    """The body of an error."""
    if kind == JSON:
        return json.dumps({"message": message}).encode()
    return _field(2, message.encode())


def retry_status(message: str, seconds: int = COME_AGAIN) -> bytes:
    """A status for gRPC's trailer ``grpc-status-details-bin``: come again in so many seconds.

    Without it, senders take some codes for final.
    """
    delay = _field(1, b"\x08" + _varint(seconds))  # RetryInfo.retry_delay, Duration.seconds
    detail = _field(1, _RETRY_INFO) + _field(2, delay)  # google.protobuf.Any
    return b"\x08" + _varint(_UNAVAILABLE) + _field(2, message.encode()) + _field(3, detail)


def _field(number: int, data: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])
