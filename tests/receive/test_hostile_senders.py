"""Senders that are hostile, broken or merely many: each is answered, and the others are served."""

from __future__ import annotations

import gzip
import http.client
import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
import zstandard

from anonymize.receive import Buffer, Keeping
from anonymize.receive.connections import Connections
from anonymize.receive.reading import is_token
from anonymize.store import Store
from tests.receive.senders import (
    GOOD,
    JSON,
    PROTO,
    ask,
    head,
    listening,
    nested,
    raw,
    wrapped,
)
from tests.receive.test_receive import as_span, finish, post, receiving, request_of, span


def test_hostile_protobuf_is_answered_every_time_and_harms_nobody() -> None:
    random_ = random.Random(7)
    base = nested(3)
    bodies = [b"", b"\n", b"\n\xff\xff\xff\xff\x0f", b"\x00" * 1_000, b"\xff" * 1_000]
    bodies += [nested(20), wrapped(60), wrapped(500), wrapped(8_000), b"\n\x00" * 40_000]
    for _ in range(200):
        data = bytearray(base)
        for _ in range(random_.randrange(1, 6)):
            data[random_.randrange(len(data))] = random_.randrange(256)
        bodies.append(bytes(data[: random_.randrange(1, len(data) + 1)]))
    with listening() as (server, buffer):
        line = http.client.HTTPConnection(*server.server_address[:2], timeout=20)
        for body in bodies:
            line.request("POST", "/v1/traces", body, PROTO)
            answer = line.getresponse()
            answer.read()
            assert answer.status in (200, 400), body[:50]
        line.request("POST", "/v1/traces", GOOD, JSON)
        assert line.getresponse().status == 200
        assert buffer.size < 20_000_000


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_a_bomb_is_refused_and_so_is_one_inside_of_another(pack: Any) -> None:
    bomb = pack(b"\x00" * 50_000_000)
    with listening() as (server, buffer):
        for body in (bomb, pack(bomb), pack(GOOD)[:-4], pack(b"{" * 90_000)):
            status, _ = ask(server, body, JSON)
            assert status in (400, 413)
        assert ask(server, pack(GOOD), JSON)[0] == 200
        assert buffer.traces == 1


def test_odd_requests_are_answered_in_words_and_never_by_silence() -> None:
    long = f"Content-Length: {'9' * 5_000}"
    cases = {
        b"401": [head("Authorization: Bearer h\xfcsh", "Content-Length: 2") + b"{}"],
        b"413": [head("Authorization: Bearer hush", long)],
        b"411": [
            head("Authorization: Bearer hush"),
            head("Authorization: Bearer hush", "Content-Length: -1"),
            head("Authorization: Bearer hush", "Content-Length: \xb2"),
        ],
        b"415": [head("Authorization: Bearer hush", "Content-Encoding: br", "Content-Length: 2")],
        b"400": [
            head("Authorization: Bearer hush", "Transfer-Encoding: chunked") + b"zz\r\n\r\n",
            head("Authorization: Bearer hush", "Transfer-Encoding: chunked") + b"-5\r\nabc\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # TLS
            b"GET\r\n\r\n",
        ],
    }
    cases[b"413"].append(
        head("Authorization: Bearer hush", "Transfer-Encoding: chunked") + b"fffffff\r\n"
    )
    with listening(token="hush", patience=5.0) as (server, _):
        for status, requests in cases.items():
            for data in requests:
                got = raw(server, data.replace(b"Host: x", b"Host: x\r\nConnection: close"))
                assert status in got.partition(b"\r\n")[0] or status in got[:400], (data, got)


def test_tokens_of_any_characters_are_compared() -> None:
    assert is_token("Bearer hush", "hush")
    assert is_token("Bearer h\u00fcsh", "h\u00fcsh")
    for shown in ("", "hush", "Bearer", "Bearer hus", "bearer hush", "Bearer \udcff", "\xff" * 9):
        assert not is_token(shown, "hush")


def test_bodies_that_come_in_chunks_are_taken() -> None:
    """As exporters send them that compress while they send (JavaScript's does)."""

    def pieces(data: bytes) -> Iterator[bytes]:
        for begin in range(0, len(data), 50):
            yield data[begin : begin + 50]

    with listening() as (server, buffer):
        line = http.client.HTTPConnection(*server.server_address[:2], timeout=20)
        for body in (GOOD, gzip.compress(request_of(span("b" * 32, "bb")))):
            headers = {**JSON, "Transfer-Encoding": "chunked"}
            line.request("POST", "/v1/traces", pieces(body), headers, encode_chunked=True)
            answer = line.getresponse()
            assert (answer.status, answer.read()) == (200, b"{}")
        assert buffer.traces == 2


def test_who_sends_a_byte_now_and_then_is_put_off() -> None:
    with listening(patience=0.4) as (server, _):
        lines = [socket.create_connection(server.server_address[:2], timeout=9) for _ in range(2)]
        lines[0].sendall(b"POST /v1/traces HTTP/1.1\r\n")
        lines[1].sendall(head("Content-Length: 9000"))
        ended = [False, False]
        for _ in range(100):
            for number, line in enumerate(lines):
                with suppress(OSError):
                    line.sendall(b"X")
                line.settimeout(0.02)
                try:
                    ended[number] = ended[number] or line.recv(999) == b"" or True
                except TimeoutError:
                    pass
                except OSError:
                    ended[number] = True
            if all(ended):
                break
            time.sleep(0.02)
        assert all(ended)
        assert ask(server, GOOD, JSON)[0] == 200
        for line in lines:
            line.close()


def test_thousands_of_connections_do_not_keep_a_sender_out() -> None:
    others = threading.active_count()
    with listening(most_connections=40) as (server, buffer), ExitStack() as stack:
        for _ in range(2_000):
            line = stack.enter_context(socket.socket())
            with suppress(OSError):
                line.connect(server.server_address[:2])
        before = threading.active_count()
        assert ask(server, GOOD, JSON)[0] == 200
        assert buffer.traces == 1
        assert before - others < 60


def test_a_connection_that_is_owed_an_answer_is_not_the_one_to_go() -> None:
    now = [0.0]
    pairs = [socket.socketpair() for _ in range(4)]
    try:
        known = Connections(2, lambda: now[0])
        a, b, c, d = (pair[0] for pair in pairs)
        assert known.admit(a, 10)
        known.works(a, 100)
        now[0] = 1.0
        assert known.admit(b, 10)
        assert known.admit(c, 10), "the idle one goes"
        assert pairs[1][1].recv(1) == b""
        known.works(c, 100)
        assert not known.admit(d, 10), "all are at work"
        known.gone(a)
        assert known.admit(d, 10)
        now[0] = 50.0
        known.expire()
        assert pairs[3][1].recv(1) == b""
        assert len(known) == 1
    finally:
        for pair in pairs:
            for line in pair:
                line.close()


def test_many_large_bodies_at_once_wait_outside() -> None:
    """Four may be on their way; the fifth is told to come again, and comes."""
    with listening() as (server, _), ExitStack() as stack:
        for _ in range(4):
            line = stack.enter_context(socket.create_connection(server.server_address[:2]))
            line.sendall(head("Content-Length: 100000") + b"{")
        for _ in range(100):
            if server.room._taken >= 400_000:
                break
            time.sleep(0.02)
        status, body = ask(server, GOOD, JSON)
        assert (status, json.loads(body)) == (503, {"message": "full, come again"})
    with listening() as (server, _):
        assert ask(server, GOOD, JSON)[0] == 200
        for _ in range(100):
            if not server.room._taken:
                break
            time.sleep(0.02)
        assert server.room._taken == 0


def test_what_can_not_be_put_together_costs_itself_and_nothing_else(tmp_path: Path) -> None:
    class Picky(Keeping):
        written: list[tuple[str, bool]]

        def _write(self, groups: Any) -> None:
            if any(g.trace_id == "b" and not g.unreadable for g in groups):
                raise ValueError("of it")
            self.written += [(g.trace_id, g.unreadable) for g in groups]

    buffer = Buffer(clock=lambda: 0.0)
    buffer.put([as_span(name, "1") for name in "abc"])
    keeping = Picky(buffer, tmp_path, None)  # type: ignore[arg-type]
    keeping.written = []
    assert keeping.flush(everything=True) == 3
    assert keeping.written == [("a", False), ("b", True), ("c", False)]
    assert not keeping.waiting


def test_a_trace_that_never_goes_quiet_is_written_with_what_there_is() -> None:
    now = [0.0]
    buffer = Buffer(clock=lambda: now[0])
    for number in range(13):
        now[0] = number * 50.0
        buffer.put([as_span("long", str(number))])
        ready = buffer.take(quiet_for=60)
        assert bool(ready) == (number == 12)
    assert len(ready[0].spans) == 13
    buffer.put([as_span("long", "13")])
    (whole,) = buffer.take(quiet_for=0)
    assert len(whole.spans) == 14


def test_a_trace_that_is_too_large_is_let_go_of_at_once() -> None:
    buffer = Buffer(trace=5_000, clock=lambda: 0.0)
    for number in range(20):
        buffer.put([as_span("huge", str(number))])
    assert buffer.size == 0
    (ready,) = buffer.take(quiet_for=0)
    assert (ready.too_large, ready.trace_id, ready.spans) == (True, "huge", [])


def test_a_stop_in_the_middle_keeps_all_that_was_taken_and_a_restart_keeps_it_whole(
    tmp_path: Path,
) -> None:
    """Senders go on while it is stopped; what they were told is kept is in the store. Then the
    rest of one trace comes to the next process, which does not have the others."""
    taken: list[str] = []
    with receiving(tmp_path, "--quiet", "60") as (process, where):
        host, _, port = where["http"].partition("/")[0].partition(":")

        def send(sender: int) -> None:
            line = http.client.HTTPConnection(host, int(port), timeout=20)
            for number in range(10_000):
                name = f"{sender + 1:04x}{number + 1:028x}"
                body = request_of(span(name, "aa"), span(name, "bb"))
                try:
                    line.request("POST", "/v1/traces", body, JSON)
                    answer = line.getresponse()
                    answer.read()
                except OSError:
                    return
                if answer.status != 200:
                    assert answer.status == 503
                    return
                taken.append(name)

        threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        while len(taken) < 40:
            time.sleep(0.01)
        finish(process)
        for thread in threads:
            thread.join(20)
    stored = Store(tmp_path / "traces").ids()
    assert sorted(stored) == sorted(taken)
    with receiving(tmp_path, "--quiet", "60") as (process, where):
        url = f"http://{where['http']}"
        assert post(url, request_of(span(taken[0], "cc")), "application/json")[0] == 200
        finish(process)
    found = Store(tmp_path / "traces").trace(taken[0])
    assert found is not None
    assert len(found.tool_calls) == 2
    (skip,) = Store(tmp_path / "traces").skipped()
    assert skip.reason == "spans came long after their trace was written"
