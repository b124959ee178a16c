"""OTLP over gRPC, for senders that speak nothing else. Needs the package ``grpcio``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as service

from anonymize.receive.buffer import Buffer, Full
from anonymize.receive.keeping import Keeping
from anonymize.receive.reading import is_token, read_in_turn
from anonymize.sources.interface import Limits

_AT_MOST = 32


class _Servicer(service.TraceServiceServicer):
    def __init__(self, buffer: Buffer, keeping: Keeping, token: str, limits: Limits) -> None:
        self._buffer = buffer
        self._keeping = keeping
        self._token = token
        self._limits = limits

    def Export(self, request: Any, context: Any) -> Any:
        """Take the spans of one request, all or none."""
        if self._token:
            shown = dict(context.invocation_metadata()).get("authorization", "")
            if not is_token(str(shown), self._token):
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "a bearer token is needed")
        received = read_in_turn(request.SerializeToString(), "application/x-protobuf", self._limits)
        counts = self._keeping.counts
        if received.refused:
            counts.note(rejected=max(received.rejected, 1))
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, received.refused)
        try:
            late = self._buffer.put(received.spans)
        except Full:
            counts.note(turned_away=1)
            context.abort(grpc.StatusCode.UNAVAILABLE, "full, come again")
        counts.note(spans=len(received.spans), rejected=received.rejected, late=late)
        answer = messages.ExportTraceServiceResponse()
        if received.rejected:
            answer.partial_success.rejected_spans = received.rejected
            answer.partial_success.error_message = received.reason
        return answer


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
        # Beyond this, requests would wait in memory: senders are told to come again.
        maximum_concurrent_rpcs=_AT_MOST,
        options=[
            ("grpc.max_receive_message_length", limits.document),
            ("grpc.max_metadata_size", 64 * 1024),
            # Two processes at one port would each get some of the spans of a trace.
            ("grpc.so_reuseport", 0),
        ],
    )
    servicer = _Servicer(buffer, keeping, token, limits)
    service.add_TraceServiceServicer_to_server(servicer, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port(address)
    server.start()
    return server, port
