"""A receiver in this process, and ways of sending to it that no SDK has."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from anonymize.receive import Buffer, Keeping
from anonymize.receive.http import Receiver
from anonymize.sources import Limits
from tests.receive.test_receive import request_of, span

SMALL = Limits(document=100_000, values=2_000_000)
JSON = {"Content-Type": "application/json"}
PROTO = {"Content-Type": "application/x-protobuf"}


@contextmanager
def listening(**options: Any) -> Iterator[tuple[Receiver, Buffer]]:
    """A receiver in this process whose buffer nobody empties."""
    buffer = Buffer()
    keeping = Keeping(buffer, Path("nowhere"), None)  # type: ignore[arg-type]
    options = {"limits": SMALL, **options}
    server = Receiver(("127.0.0.1", 0), buffer, keeping, **options)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server, buffer
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def ask(
    server: Receiver, body: bytes, headers: dict[str, str], path: str = "/v1/traces"
) -> tuple[int, bytes]:
    line = http.client.HTTPConnection(*server.server_address[:2], timeout=20)
    try:
        line.request("POST", path, body, headers)
        answer = line.getresponse()
        return answer.status, answer.read()
    finally:
        line.close()


def raw(server: Receiver, data: bytes, *, seconds: float = 20) -> bytes:
    """What comes back over a bare socket until the server hangs up."""
    with socket.create_connection(server.server_address[:2], timeout=seconds) as line:
        with suppress(OSError):
            line.sendall(data)
        got = b""
        with suppress(ConnectionResetError):
            while piece := line.recv(65536):
                got += piece
        return got


def head(*lines: str) -> bytes:
    return "\r\n".join(("POST /v1/traces HTTP/1.1", "Host: x", *lines, "", "")).encode("latin-1")


GOOD = request_of(span("a" * 32, "aa"))


def nested(depth: int) -> bytes:
    """A valid span with a list in a list in a list, as protobuf."""
    request = ExportTraceServiceRequest()
    made = request.resource_spans.add().scope_spans.add().spans.add()
    made.trace_id, made.span_id = b"t" * 16, b"s" * 8
    value = made.attributes.add(key="deep").value
    for _ in range(depth):
        value = value.array_value.values.add()
    data: bytes = request.SerializeToString()
    return data


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def wrapped(depth: int) -> bytes:
    """The same by hand, deeper than protobuf's own classes would write it."""
    value = b""
    for _ in range(depth):
        inner = b"\x0a" + varint(len(value)) + value  # ArrayValue.values
        value = b"\x2a" + varint(len(inner)) + inner  # AnyValue.array_value
    attribute = b"\x0a\x01a\x12" + varint(len(value)) + value
    one = b"\x0a\x10" + b"t" * 16 + b"\x12\x08" + b"s" * 8
    one += b"\x4a" + varint(len(attribute)) + attribute
    for field in (b"\x12", b"\x12", b"\x0a"):
        one = field + varint(len(one)) + one
    return one
