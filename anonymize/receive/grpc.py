"""OTLP over gRPC, for senders that speak nothing else. Needs the package ``grpcio``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import grpc  # type: ignore[import-untyped]

from anonymize.receive import answers
from anonymize.receive.buffer import Buffer, Full
from anonymize.receive.keeping import Keeping
from anonymize.receive.reading import is_token, read_in_turn
from anonymize.sources.interface import Limits

#: Of one connection. Senders keep what is more with them until there is room.
_AT_MOST = 32
_DETAILS = "grpc-status-details-bin"
_PACKAGE = "opentelemetry.proto.collector"


class _Taking:
    """Takes requests, as bytes, all of one or none."""

    def __init__(self, buffer: Buffer, keeping: Keeping, token: str, limits: Limits) -> None:
        self._buffer = buffer
        self._keeping = keeping
        self._token = token
        self._limits = limits

    def export(self, request: bytes, context: Any, *, logs: bool) -> bytes:
        """Take the spans of a request, or with ``logs`` the message events."""
        self._check(context)
        received = read_in_turn(request, answers.PROTOBUF, self._limits, logs=logs)
        counts = self._keeping.counts
        if received.refused:
            counts.note(rejected=max(received.rejected, 1))
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, received.refused)
        try:
            late = self._buffer.put(received.spans)
        except Full:
            counts.note(turned_away=1)
            message = "full, come again"
            context.set_trailing_metadata(((_DETAILS, answers.retry_status(message)),))
            context.abort(grpc.StatusCode.UNAVAILABLE, message)
        spans = len(received.spans) - received.logs
        counts.note(spans=spans, logs=received.logs, rejected=received.rejected, late=late)
        return answers.taken(answers.PROTOBUF, received.rejected, received.reason)

    def drop(self, request: bytes, context: Any) -> bytes:
        """Take metrics, and drop them."""
        self._check(context)
        self._keeping.counts.note(metrics=1)
        return b""

    def _check(self, context: Any) -> None:
        if self._token:
            shown = dict(context.invocation_metadata()).get("authorization", "")
            if not is_token(str(shown), self._token):
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "a bearer token is needed")


def serve_grpc(
    address: str,
    buffer: Buffer,
    keeping: Keeping,
    *,
    token: str = "",
    limits: Limits | None = None,
) -> tuple[Any, int]:
    """A started server at ``address`` (``host:port``) and its port; ``.stop(grace)`` ends it."""
    limits = limits or Limits()
    server = grpc.server(
        ThreadPoolExecutor(max_workers=8),
        # No limit of gRPC's own on all of them: it would answer RESOURCE_EXHAUSTED, which is final
        # for senders. A request is not read before a thread is there for it.
        options=[
            ("grpc.max_concurrent_streams", _AT_MOST),
            ("grpc.max_receive_message_length", limits.document),
            ("grpc.max_metadata_size", 64 * 1024),
            # Two processes at one port would each get some of the spans of a trace.
            ("grpc.so_reuseport", 0),
        ],
    )
    taking = _Taking(buffer, keeping, token, limits)
    for name, export in (
        ("trace.v1.TraceService", partial(taking.export, logs=False)),
        ("logs.v1.LogsService", partial(taking.export, logs=True)),
        ("metrics.v1.MetricsService", taking.drop),
    ):
        # Without a deserializer: what can't be read is told apart from what failed, and once.
        handlers = {"Export": grpc.unary_unary_rpc_method_handler(export)}
        handler = grpc.method_handlers_generic_handler(f"{_PACKAGE}.{name}", handlers)
        server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port(address)
    server.start()
    return server, port
