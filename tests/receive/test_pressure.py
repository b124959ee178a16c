"""More comes than is written, or takes more memory than it seems to: nothing gets stuck."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from anonymize.cli import cli
from anonymize.commands.receive import _drain
from anonymize.errors import StoreError
from anonymize.receive import Buffer, Keeping, read_request
from anonymize.receive import keeping as kept
from anonymize.sources import Limits
from anonymize.spans import Scope, Span
from tests.receive.senders import GOOD, PROTO, ask, head, listening, varint
from tests.receive.test_receive import as_span, request_of, span


class Slow(Keeping):
    """Writes as many traces as spans come meanwhile."""

    writes = 0
    pause = 0.05
    wrong: Callable[[Any], None] = staticmethod(lambda groups: None)

    def _write(self, groups: Any) -> None:
        self.wrong(groups)
        self.writes += 1
        time.sleep(self.pause)


@contextmanager
def sending(buffer: Buffer) -> Iterator[None]:
    """A sender that never stops."""
    end = threading.Event()

    def send() -> None:
        number = 0
        while not end.wait(0.001):
            number += 1
            buffer.put([as_span(str(number), "1")])

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join(20)


def slow(buffer: Buffer) -> Slow:
    return Slow(buffer, Path("nowhere"), None, quiet_for=0.0)  # type: ignore[arg-type]


def test_a_stop_is_heeded_though_something_is_always_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    buffer, stop = Buffer(), threading.Event()
    monkeypatch.setattr(kept, "_AT_ONCE", 1)  # what is ready is more than that, all the time
    keeping = slow(buffer)
    between: list[int] = []
    run = threading.Thread(
        target=keeping.run, args=(stop, 0.01, lambda _: None, lambda: between.append(1))
    )
    with sending(buffer):
        run.start()
        while keeping.writes < 5:
            time.sleep(0.01)
        stop.set()
        run.join(20)
        assert not run.is_alive()
    assert len(between) >= 5  # a new config does not wait for the end of the load either


def test_a_few_spans_now_and_then_are_one_write_each_time_and_not_one_after_the_other() -> None:
    buffer, stop = Buffer(), threading.Event()
    keeping = slow(buffer)
    run = threading.Thread(target=keeping.run, args=(stop, 0.4))
    with sending(buffer):
        run.start()
        time.sleep(1.5)
        stop.set()
        run.join(20)
    assert 1 <= keeping.writes <= 3


def test_a_signal_ends_it_whatever_this_thread_is_about() -> None:
    """It comes in the midst of anything: what it does and what waits for it share no lock."""
    buffer, stop = Buffer(), threading.Event()
    buffer.put([as_span("t", "1")])
    keeping = slow(buffer)
    run = threading.Thread(target=keeping.run, args=(stop, 0.01))
    with buffer._lock:
        buffer.close()
    with stop._cond:  # type: ignore[attr-defined]
        run.start()
        until = time.monotonic() + 20
        while not keeping.writes and time.monotonic() < until:
            time.sleep(0.01)
    stop.set()
    run.join(20)
    assert keeping.writes == 1


@pytest.mark.parametrize("ending", [True, False])
def test_between_two_parts_another_receiver_gets_its_turn(
    monkeypatch: pytest.MonkeyPatch, ending: bool
) -> None:
    """Whoever waits for the lock looks every 50 ms whether it is free."""
    monkeypatch.setattr(kept, "_AT_ONCE", 1)
    buffer = Buffer(clock=lambda: 0.0)
    buffer.put([as_span(str(number), "1") for number in range(4)])
    keeping, stop, times = slow(buffer), threading.Event(), list[float]()
    keeping.wrong = lambda _: times.append(time.monotonic())  # type: ignore[method-assign]
    if ending:
        keeping.flush(everything=True)
    else:
        run = threading.Thread(target=keeping.run, args=(stop, 0.01))
        run.start()
        while buffer.waiting.spans:
            time.sleep(0.01)
        stop.set()
        run.join(20)
    assert len(times) == 4
    assert all(after - before > Slow.pause + 0.05 for before, after in pairwise(times))


def test_what_a_fault_is_at_is_found_in_a_few_writes() -> None:
    def wrong(groups: Any) -> None:
        if any(g.trace_id == "77" and not g.unreadable for g in groups):
            raise ValueError("it quotes mei.kovacs@corp.example")

    buffer = Buffer(clock=lambda: 0.0)
    buffer.put([as_span(str(number), "1") for number in range(128)])
    keeping = slow(buffer)
    keeping.wrong, keeping.pause = wrong, 0.0  # type: ignore[method-assign]
    assert keeping.flush(everything=True) == 128
    assert keeping.writes == 8
    assert buffer.waiting.spans == keeping.waiting == 0


def test_the_end_tries_again_whatever_goes_wrong_and_quotes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("anonymize.commands.receive._WAITS", (0.0, 0.0))

    def wrong(_: Any) -> None:
        raise ValueError("it quotes mei.kovacs@corp.example")

    buffer = Buffer(clock=lambda: 0.0)
    buffer.put([as_span("t", "1")])
    keeping = slow(buffer)
    keeping.wrong = wrong  # type: ignore[method-assign]
    with pytest.raises(StoreError, match=r"1 traces that waited .* are lost: ValueError"):
        _drain(buffer, keeping)
    keeping.wrong = lambda _: None  # type: ignore[method-assign]
    _drain(buffer, keeping)
    assert keeping.writes == 1


def test_a_port_that_is_taken_is_told_before_anything_is_listened_at(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        (tmp_path / "replay.toml").write_text(
            f'[anonymize]\nkey_file = "{tmp_path}/k.key"\nworkers = 0\n'
        )
        command = ["receive", "--out", str(tmp_path / "traces"), "--port", "0"]
        command += ["--config", str(tmp_path / "replay.toml"), "--grpc-port", taken]
        told = CliRunner().invoke(cli, command)
    assert "listening" not in told.output
    assert getattr(told.exception, "what", "") == "this address can't be listened at"
    assert "--grpc-port" in getattr(told.exception, "fix", "")


def test_a_sender_that_asks_before_it_sends_a_body_is_told_to_go_on() -> None:
    with listening() as (server, _):
        asks = head("Expect: 100-continue", f"Content-Length: {len(GOOD)}", "Connection: close")
        with socket.create_connection(server.server_address[:2], timeout=20) as line:
            line.sendall(asks)
            assert line.recv(1000).startswith(b"HTTP/1.1 100 ")
            line.sendall(GOOD)
            assert line.recv(1000).startswith(b"HTTP/1.1 200 ")


LONG = "x" * 100_000


@pytest.mark.parametrize(
    "heavy",
    [
        {"name": LONG},
        {"attributes": [{"key": LONG, "value": {"intValue": 1}}]},
        {
            "attributes": [
                {
                    "key": "a",
                    "value": {"kvlistValue": {"values": [{"key": LONG, "value": {"intValue": 1}}]}},
                }
            ]
        },
        {"events": [{"name": LONG}]},
        {"events": [{"name": "e", "attributes": [{"key": LONG, "value": {"intValue": 1}}]}]},
    ],
    ids=["name", "key", "inner key", "event", "event's key"],
)
def test_what_takes_memory_counts_wherever_it_stands(heavy: dict[str, Any]) -> None:
    body = request_of(span("a" * 32, "aa") | heavy)
    buffer = Buffer()
    buffer.put(read_request(body, "application/json", Limits()).spans)
    assert buffer.size >= len(LONG)


def test_a_process_that_tells_of_itself_with_every_span_is_held_once() -> None:
    def sent(number: int, note: str = "v") -> Span:
        scope = Scope("lib", "1", {f"host.attribute.{n}": note * 50 for n in range(30)})
        return Span(trace_id=str(number), span_id="1", scope=scope)

    buffer = Buffer(clock=lambda: 0.0)
    buffer.put([sent(0)])
    first = buffer.size
    assert first > 2_000 + 30 * 50  # as large as it is, the first time
    buffer.put([sent(1)])
    assert buffer.size - first < first / 3
    buffer.put([sent(2, "x" * 1000)])
    buffer.put([sent(3, "x" * 1000)])  # too large to be held on to for others
    assert buffer.size > 2 * 30 * 50_000
    scopes = [ready.spans[0].scope for ready in buffer.take(quiet_for=0)]
    assert scopes[0] is scopes[1]
    assert all(len(scope.resource) == 30 for scope in scopes)


def test_an_id_that_is_none_costs_its_span() -> None:
    for odd in (span(LONG, "aa"), span("a" * 32, LONG), span("a" * 32, "aa", parentSpanId=LONG)):
        received = read_request(request_of(odd, span("a" * 32, "bb")), "application/json", Limits())
        assert (len(received.spans), received.rejected) == (1, 1)
        assert received.reason == "an id is too long"


def test_spans_without_ids_after_empty_groups_are_looked_through_once() -> None:
    """Eight thousand bytes took seven seconds, and sixty thousand as many minutes."""
    empty = b"\x12\x00" * 30_000
    group = b"\x12" + varint(len(empty)) + empty
    body = b"\x0a" + varint(len(empty + group)) + empty + group
    began = time.monotonic()
    with listening() as (server, _):
        assert ask(server, body[:90_000], PROTO)[0] == 400
        received = read_request(body, "application/x-protobuf", Limits())
    assert received.rejected == 30_000
    assert time.monotonic() - began < 20
