"""Hostile senders over gRPC: bombs, bad messages, odd metadata, too many at once."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from anonymize.receive import Buffer, Keeping
from anonymize.receive.grpc import serve_grpc
from anonymize.sources import Limits
from tests.receive.senders import nested, wrapped

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
Code = grpc.StatusCode


@contextmanager
def listening(
    *, most: int = 1_000_000, token: str = "", method: str = METHOD
) -> Iterator[tuple[Any, Buffer, Keeping]]:
    """A call that takes and gives bytes, and what is behind it."""
    buffer = Buffer(most=most)
    keeping = Keeping(buffer, Path("nowhere"), None)  # type: ignore[arg-type]
    server, port = serve_grpc(
        "127.0.0.1:0", buffer, keeping, token=token, limits=Limits(document=100_000)
    )
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel.unary_unary(method), buffer, keeping
    finally:
        server.stop(0).wait()


def code_of(call: Any, body: bytes, **options: Any) -> Any:
    try:
        call(body, timeout=20, **options)
    except grpc.RpcError as error:
        told = error.details()
        assert told is not None
        assert "Exception calling" not in told
        return error.code()
    return Code.OK


def test_messages_that_are_none_are_refused_and_the_next_is_taken(
    capfd: pytest.CaptureFixture[str],
) -> None:
    random_ = random.Random(7)
    base = nested(3)
    with listening() as (call, buffer, _):
        for body in (wrapped(60), wrapped(5_000), b"\n\x00" * 40_000, b"\xff" * 900, b""):
            assert code_of(call, body) in (Code.OK, Code.INVALID_ARGUMENT, Code.INTERNAL)
        for _ in range(100):
            data = bytearray(base)
            data[random_.randrange(len(data))] = random_.randrange(256)
            assert code_of(call, bytes(data)) in (Code.OK, Code.INVALID_ARGUMENT, Code.INTERNAL)
        assert code_of(call, base) is Code.OK
        assert buffer.traces
    assert "Traceback" not in capfd.readouterr().err


def test_a_bomb_is_refused_by_its_size_once_unpacked() -> None:
    with listening() as (call, buffer, _):
        for body in (b"\x00" * 50_000_000, nested(1) + b"\x00" * 200_000):
            code = code_of(call, body, compression=grpc.Compression.Gzip)
            assert code is Code.RESOURCE_EXHAUSTED
        assert not buffer.traces
        assert code_of(call, nested(1), compression=grpc.Compression.Gzip) is Code.OK


@pytest.mark.parametrize("signal", ["trace", "logs", "metrics"])
def test_odd_metadata_is_no_token(signal: str) -> None:
    method = METHOD.replace("trace", signal).replace("Trace", signal.capitalize())
    with listening(token="hush", method=method) as (call, buffer, keeping):
        for metadata in (
            (),
            (("authorization", "hush"),),
            (("authorization", "Bearer "), ("authorization", "hush")),
            (("authorization-bin", b"\xff\xfe"),),
            (("authorization", "Bearer " + "x" * 6_000),),
        ):
            assert code_of(call, nested(1), metadata=metadata) is Code.UNAUTHENTICATED
        good = (("authorization", "Bearer hush"), ("x-any-bin", b"\x00\xff"))
        assert code_of(call, nested(1), metadata=good) is Code.OK
        counts = keeping.counts
        assert (buffer.traces, counts.metrics) == (signal == "trace", signal == "metrics")


def test_many_at_once_are_taken_or_told_to_come_again() -> None:
    codes: list[Any] = []
    with listening(most=20_000) as (call, buffer, keeping):
        buffer_bodies = [
            nested(1).replace(b"t" * 16, bytes([n % 250 + 1]) * 16) for n in range(200)
        ]

        def send(mine: list[bytes]) -> None:
            codes.extend(code_of(call, body) for body in mine)

        threads = [threading.Thread(target=send, args=(buffer_bodies[n::20],)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(codes) == 200
        assert set(codes) <= {Code.OK, Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED}
        assert codes.count(Code.OK) == keeping.counts.spans
        assert buffer.size <= 20_000
