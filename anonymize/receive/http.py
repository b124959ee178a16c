"""OTLP over HTTP: ``POST /v1/traces`` and ``/v1/logs``, and ``GET /healthz`` and ``/metrics`` for
whoever watches over it."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from anonymize.receive import answers
from anonymize.receive.buffer import Buffer, Full
from anonymize.receive.connections import Connections, Room
from anonymize.receive.figures import Figures
from anonymize.receive.keeping import Keeping
from anonymize.receive.reading import is_token, read_in_turn
from anonymize.sources.interface import Limits

#: Metrics are taken and dropped: senders told nothing but one address would complain for ever.
_METRICS = "/v1/metrics"
_PATHS = ("/v1/traces", "/v1/logs", _METRICS)
_ENCODINGS = frozenset(("", "identity", "gzip", "zstd"))
#: Seconds that a sender is waited for until it has asked. A body has besides as long as a slow line
#: needs for it.
_PATIENCE = 30.0
_SLOWEST = 20_000  # bytes a second
#: Each connection is a thread; and each of many senders keeps one open between its batches.
_MOST_CONNECTIONS = 256
#: Bodies in memory before they are read, in units of the largest allowed.
_BODIES = 4
_PIECE = 1 << 16
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n"
)


class _Refused(Exception):
    """The request was answered already; its body was not read to the end."""


class Receiver(ThreadingHTTPServer):
    """Takes spans into ``buffer``. ``token``: what senders have to show (``""``: nothing)."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 1024

    def __init__(
        self,
        address: tuple[str, int],
        buffer: Buffer,
        keeping: Keeping,
        *,
        token: str = "",
        limits: Limits | None = None,
        most_connections: int = _MOST_CONNECTIONS,
        patience: float = _PATIENCE,
        figures: Figures | None = None,
    ) -> None:
        self.buffer = buffer
        self.figures = figures or Figures(buffer=buffer, keeping=keeping)
        self.keeping = keeping
        self.token = token
        self.limits = limits or Limits()
        self.patience = patience
        self.connections = Connections(most_connections)
        self.room = Room(_BODIES * self.limits.document)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for each connection, as long as there are not too many."""
        if self.connections.admit(request, self.patience):
            super().process_request(request, client_address)
            return
        self.keeping.counts.note(turned_away=1)
        with suppress(OSError):
            request.setblocking(False)
            request.send(_FULL)
        super().shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        """A connection ends."""
        self.connections.gone(request)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Twice a second, between connections."""
        self.connections.expire()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that hangs up is no event; and nothing of a request goes into a log."""


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"
    # One packet an answer: in two, each request on an open line would wait 40 ms for the other's
    # acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *args: object) -> None:
        """Nothing: a request line could hold anything."""

    def handle_one_request(self) -> None:
        self.server.connections.waits(self.connection, self.server.patience)
        super().handle_one_request()

    def handle_expect_100(self) -> bool:
        """Go on, whoever asks before sending a body. Some wait for this, so it must not wait."""
        going = super().handle_expect_100()
        self.wfile.flush()
        return going

    def do_GET(self) -> None:
        self.server.connections.works(self.connection, self.server.patience)
        if self.path == "/healthz":
            well, known = self.server.figures.document()
            self._send(200 if well else 503, json.dumps(known).encode(), answers.JSON)
        elif self.path == "/metrics":
            self._send(200, *self.server.figures.prometheus())
        else:
            message = "only /healthz, /metrics, /v1/traces and /v1/logs"
            self._send(404, answers.status(answers.JSON, message), answers.JSON)

    def do_POST(self) -> None:
        room = 0
        try:
            self._check()
            room = self._size()
            self._take(self._chunks() if room < 0 else self._exactly(room))
        except _Refused:
            self._drain()
        finally:
            # Chunks are of no size that was told: they had as much room as a body may take.
            self.server.room.give(self.server.limits.document if room < 0 else room)

    def _take(self, data: bytes) -> None:
        """Put the spans of a request into the buffer, all of them or none."""
        counts = self.server.keeping.counts
        content_type = self.headers.get("Content-Type", "")
        kind = answers.kind_of(content_type)
        if self._path() == _METRICS:
            counts.note(metrics=1)
            self._send(200, answers.taken(kind, 0, ""), kind)
            return
        logs = self._path() == "/v1/logs"
        received = read_in_turn(data, content_type, self.server.limits, logs=logs)
        if received.refused:
            counts.note(rejected=max(received.rejected, 1))
            self._answer(400, received.refused)
            return
        try:
            late = self.server.buffer.put(received.spans)
        except Full:
            counts.note(turned_away=1)
            self._answer(503, "full, come again")
            return
        spans = len(received.spans) - received.logs
        counts.note(spans=spans, logs=received.logs, rejected=received.rejected, late=late)
        body = answers.taken(kind, received.rejected, received.reason, logs=logs)
        self._send(200, body, kind)

    def _path(self) -> str:
        return self.path.partition("?")[0].rstrip("/")

    def _check(self) -> None:
        """Turn down what needs no look at the body."""
        # Whoever is turned down without being read can't use the connection again.
        self.close_connection = True
        if self.server.token and not is_token(
            self.headers.get("Authorization", ""), self.server.token
        ):
            self._refuse(401, "a bearer token is needed")
        if self._path() not in _PATHS:
            self._refuse(404, "traces go to /v1/traces, logs to /v1/logs")
        if self.headers.get("Content-Encoding", "").strip().lower() not in _ENCODINGS:
            self._refuse(415, "compress with gzip or zstd, or not at all")

    def _size(self) -> int:
        """The bytes of the body, for which there is room now; -1: they come in chunks."""
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        text = self.headers.get("Content-Length", "").strip()
        if not chunked and not (text.isascii() and text.isdecimal()):
            self._refuse(411, "a Content-Length is needed")
        most = self.server.limits.document
        if not chunked and (len(text) > 15 or int(text) > most):
            self._refuse(413, "the body is too large")
        size = most if chunked else int(text)
        if not self.server.room.take(size):
            self.server.keeping.counts.note(turned_away=1)
            self._refuse(503, "full, come again")
        seconds = self.server.patience + size / _SLOWEST
        self.server.connections.works(self.connection, seconds)
        return -1 if chunked else size

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            piece = self.rfile.read(min(_PIECE, size - len(data)))
            if not piece:
                self._refuse(400, "the body ends too early")
            data += piece
        self.close_connection = self.headers.get("Connection", "").lower() == "close"
        return bytes(data)

    def _chunks(self) -> bytes:
        """A body of unknown length, as streaming clients send it (RFC 9112, 7.1)."""
        data = bytearray()
        while True:
            line = self.rfile.readline(100).partition(b";")[0].strip()
            if not line or len(line) > 12 or not set(line) <= set(b"0123456789abcdefABCDEF"):
                self._refuse(400, "the body's chunks can't be read")
            size = int(line, 16)
            if not size:
                break
            if len(data) + size > self.server.limits.document:
                self._refuse(413, "the body is too large")
            data += self._exactly(size)
            if self.rfile.readline(3).strip():
                self.close_connection = True
                self._refuse(400, "the body's chunks can't be read")
        for _ in range(20):  # trailers
            if not self.rfile.readline(_PIECE).strip():
                return bytes(data)
        self.close_connection = True
        self._refuse(400, "the body's chunks can't be read")
        raise AssertionError("unreachable")

    def _refuse(self, status: int, message: str) -> None:
        """Answer, and read no further."""
        self.close_connection = True
        self._answer(status, message)
        raise _Refused

    def _drain(self) -> None:
        """Take some of what is still sent: a reset would take the answer away from the sender."""
        with suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            self.server.connections.works(self.connection, 2.0)
            for _ in range(64):
                if not self.rfile.read1(_PIECE):
                    break

    def _answer(self, status: int, message: str) -> None:
        """An error, in the encoding of the request."""
        kind = answers.kind_of(self.headers.get("Content-Type", ""))
        self._send(status, answers.status(kind, message), kind)

    def _send(self, status: int, data: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if status == 503:
            self.send_header("Retry-After", str(answers.COME_AGAIN))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)
