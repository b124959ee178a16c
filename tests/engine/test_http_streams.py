"""Streams, framing and encodings: played as they were recorded, recorded as they come."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import time
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from replay.errors import BrokenReplay
from replay.intercept import router
from replay.intercept.cassette import Cassette
from replay.intercept.playback import Pace
from replay.intercept.playing import PlayingScope, within
from tests.engine.http_support import (
    CLIENTS,
    URL,
    RawServer,
    cassette_of,
    chunked,
    events,
    recorded,
    sse_head,
)

SSE = {"content-type": ["text/event-stream"]}
THREE = events("one", "two", "three")


@pytest.fixture(scope="module", autouse=True)
def patched() -> Iterator[None]:
    with router.install():
        yield


# --- reading piece by piece: (url, how many, timeout) -> the pieces


def _httpx(name: str) -> Any:
    def read(url: str, most: int = 99, timeout: float = 20.0) -> list[bytes]:
        module = pytest.importorskip(name)
        with module.Client(timeout=timeout) as client, client.stream("GET", url) as answer:
            found = []
            for part in answer.iter_raw():
                found.append(part)
                if len(found) == most:
                    break
            return found

    return read


def _async_httpx(name: str) -> Any:
    def read(url: str, most: int = 99, timeout: float = 20.0) -> list[bytes]:
        module = pytest.importorskip(name)

        async def go() -> list[bytes]:
            async with (
                module.AsyncClient(timeout=timeout) as client,
                client.stream("GET", url) as answer,
            ):
                found = []
                async for part in answer.aiter_raw():
                    found.append(part)
                    if len(found) == most:
                        break
                return found

        return asyncio.run(go())

    return read


def _requests(url: str, most: int = 99, timeout: float = 20.0) -> list[bytes]:
    requests = pytest.importorskip("requests")
    with requests.get(url, stream=True, timeout=timeout) as answer:
        found = []
        for part in answer.iter_content(chunk_size=None):
            found.append(part)
            if len(found) == most:
                break
        return found


def _urllib3(url: str, most: int = 99, timeout: float = 20.0) -> list[bytes]:
    urllib3 = pytest.importorskip("urllib3")
    answer = urllib3.PoolManager().request(
        "GET", url, preload_content=False, timeout=timeout, retries=False
    )
    found = []
    for part in answer.stream(None):
        found.append(part)
        if len(found) == most:
            break
    answer.close()
    return found


def _aiohttp(url: str, most: int = 99, timeout: float = 20.0) -> list[bytes]:
    aiohttp = pytest.importorskip("aiohttp")

    async def go() -> list[bytes]:
        limit = aiohttp.ClientTimeout(sock_read=timeout)
        async with aiohttp.ClientSession(timeout=limit) as session, session.get(url) as answer:
            found = []
            async for part, _ in answer.content.iter_chunks():
                if part:
                    found.append(part)
                if len(found) == most:
                    break
            return found

    return asyncio.run(go())


READERS = {
    "httpx": _httpx("httpx"),
    "httpx2": _httpx("httpx2"),
    "httpx-async": _async_httpx("httpx"),
    "httpx2-async": _async_httpx("httpx2"),
    "requests": _requests,
    "urllib3": _urllib3,
    "aiohttp": _aiohttp,
}
each_reader = pytest.mark.parametrize("reader", READERS)
each_client = pytest.mark.parametrize("client", CLIENTS)


@each_reader
def test_chunks_come_as_they_were_recorded(reader: str) -> None:
    with cassette_of(recorded("abcdef", offsets=(0, 1, 3), ms=(1, 2, 3))):
        assert READERS[reader](URL) == [b"a", b"bc", b"def"]


@each_reader
def test_a_stream_without_recorded_chunks_comes_event_by_event(reader: str) -> None:
    with cassette_of(recorded(THREE, headers=SSE)):
        assert READERS[reader](URL) == [b"data: one\n\n", b"data: two\n\n", b"data: three\n\n"]


@each_reader
def test_an_endless_stream_can_be_read_as_far_as_it_was(reader: str) -> None:
    with cassette_of(recorded(THREE, headers=SSE, failure="open")):
        assert READERS[reader](URL, most=2) == [b"data: one\n\n", b"data: two\n\n"]


@each_reader
def test_reading_on_where_the_recorded_reader_left_breaks_the_replay(reader: str) -> None:
    with (
        cassette_of(recorded(THREE, headers=SSE, failure="open")),
        pytest.raises(BrokenReplay, match="this agent reads on"),
    ):
        READERS[reader](URL)


@each_reader
def test_waits_are_as_recorded_through_the_hook_and_none_by_default(reader: str) -> None:
    slept: list[float] = []

    async def asleep(seconds: float) -> None:
        slept.append(seconds)

    item = recorded("abc", latency_ms=100, offsets=(0, 1, 2), ms=(100, 350, 1350))
    with cassette_of(item, pace=Pace(2.0, slept.append, asleep)):
        READERS[reader](URL)
    assert [round(s, 3) for s in slept if s] == [0.2, 0.5, 2.0]
    slow = recorded("abc", latency_ms=60_000, offsets=(0, 1, 2), ms=(60_000, 61_000, 62_000))
    started = time.perf_counter()
    with cassette_of(slow):
        READERS[reader](URL)
    assert time.perf_counter() - started < 30


@each_reader
def test_a_gap_longer_than_the_clients_own_patience_is_its_time_out(reader: str) -> None:
    item = recorded("abc", latency_ms=1, offsets=(0, 1, 2), ms=(1, 2, 5002), headers=SSE)
    with cassette_of(item, pace=Pace(0.1)), pytest.raises(Exception) as caught:  # noqa: PT011
        READERS[reader](URL, timeout=0.05)
    shown = f"{type(caught.value).__name__} {caught.value}".lower()
    assert "timeout" in shown or "timed out" in shown


# --- framing and encodings


@each_client
def test_a_body_shorter_than_its_header_says_is_an_error_of_the_client(client: str) -> None:
    item = recorded("hello", headers={"content-length": ["100"]})
    with cassette_of(*[item] * 4):  # urllib3 tries again
        if client == "botocore":  # it asks urllib3 not to count
            assert CLIENTS[client]("GET", URL).body == b"hello"
            return
        with pytest.raises(Exception) as caught:  # noqa: PT011
            CLIENTS[client]("GET", URL)
    assert type(caught.value).__name__ in {
        "RemoteProtocolError",
        "ChunkedEncodingError",
        "ProtocolError",
        "MaxRetryError",
        "IncompleteRead",
        "ClientPayloadError",
    }


@each_client
@pytest.mark.parametrize("status", [204, 304])
def test_a_response_without_a_body_has_none(client: str, status: int) -> None:
    item = recorded(status=status, headers={"content-length": ["77"], "etag": ["x"]})
    with cassette_of(item):
        got = CLIENTS[client]("GET", URL)
    assert (got.status, got.body, got.headers["etag"]) == (status, b"", "x")


@each_client
def test_head_has_the_length_and_no_body(client: str) -> None:
    with cassette_of(recorded(method="HEAD", headers={"content-length": ["1234"]})):
        got = CLIENTS[client]("HEAD", URL)
    assert (got.status, got.body, got.headers["content-length"]) == (200, b"", "1234")


def packed(coding: str, data: bytes) -> bytes:
    if coding == "gzip":
        return gzip.compress(data)
    if coding == "deflate":
        return zlib.compress(data)
    if coding == "zstd":
        import zstandard

        return zstandard.compress(data)
    brotli: Any = pytest.importorskip("brotli", reason="no library packs br here")
    return brotli.compress(data)


@each_client
@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd", "br"])
def test_a_packed_body_is_unpacked_as_the_client_does_it(client: str, coding: str) -> None:
    data = b'{"answer": 42}' * 20
    headers = {"content-encoding": [coding], "content-type": ["application/json"]}
    item = recorded(packed(coding, data), headers=headers)
    with cassette_of(item):
        assert CLIENTS[client]("GET", URL).body == data
    if client in ("http.client", "botocore"):  # they ask for it, and leave it to their caller
        with cassette_of(item):
            got = CLIENTS[client]("GET", URL, b"", {"accept-encoding": coding})
            assert got.body == item.response


@each_client
def test_binary_bodies_pass_unchanged_both_ways(client: str) -> None:
    data = bytes(range(256)) * 10
    with cassette_of(recorded(data, method="POST", request=data, sent={"content-type": "a/b"})):
        assert CLIENTS[client]("POST", URL, data, {"content-type": "a/b"}).body == data


@pytest.mark.parametrize("library", ["httpx", "httpx2", "requests", "urllib3", "aiohttp"])
def test_clients_follow_recorded_redirects_hop_by_hop(library: str) -> None:
    module: Any = pytest.importorskip(library)
    there = "https://other.example/there"
    items = (
        recorded(status=302, headers={"location": [there]}),
        recorded("arrived", url=there),
    )
    with cassette_of(*items):
        if library == "aiohttp":

            async def go() -> tuple[str, bytes]:
                async with module.ClientSession() as session, session.get(URL) as answer:
                    assert len(answer.history) == 1
                    return str(answer.url), await answer.read()

            found = asyncio.run(go())
        elif library == "urllib3":
            answer = module.PoolManager().request("GET", URL)
            found = (answer.geturl(), answer.data)
        elif library == "requests":
            answer = module.get(URL)
            found = (answer.url, answer.content)
        else:
            answer = module.get(URL, follow_redirects=True)
            found = (str(answer.url), answer.content)
    assert found == (there, b"arrived")


@each_client
def test_a_connection_is_used_again(client: str) -> None:
    with cassette_of(*(recorded(str(n), url=f"{URL}/{n}") for n in range(5))):
        assert [CLIENTS[client]("GET", f"{URL}/{n}").body for n in range(5)] == [
            str(n).encode() for n in range(5)
        ]


# --- live, recorded, and played


def live() -> Any:
    return within(PlayingScope(Cassette(), live=lambda request: True))


@each_reader
def test_a_live_stream_comes_as_it_is_sent_and_is_recorded_with_its_timing(reader: str) -> None:
    parts = (b"data: one\n\n", b"data: two\n\n", b"data: three\n\n")
    first, second, *rest = chunked(*parts)
    head = sse_head("Transfer-Encoding: chunked")
    with RawServer(head, first, 0.15, second, 0.15, *rest) as server:
        with live() as scope:
            assert b"".join(READERS[reader](server.url)) == b"".join(parts)
        (item,) = scope.recorded
        assert item.response == b"".join(parts)
        assert len(item.offsets) == len(item.times_ms) >= 3
        assert item.times_ms[1] - item.times_ms[0] > 100
        assert item.failure == ""
        with cassette_of(item):
            assert b"".join(READERS[reader](server.url)) == b"".join(parts)
        assert len(server.asked) == 1


@each_reader
def test_an_endless_live_stream_is_delivered_and_recorded_up_to_its_reader_s_leaving(
    reader: str,
) -> None:
    head = sse_head("Transfer-Encoding: chunked")
    pieces = chunked(b"data: one\n\n", b"data: two\n\n", end=False)
    with RawServer(head, *pieces, keep_open=True) as server:
        started = time.perf_counter()
        with live() as scope:
            READERS[reader](server.url, most=1)
        assert time.perf_counter() - started < 15  # the server waits for 20
        (item,) = scope.recorded
        assert item.failure == "open"
        assert item.response.startswith(b"data: one\n\n")
        with cassette_of(item):
            READERS[reader](server.url, most=1)


@each_client
@pytest.mark.parametrize("framing", ["length", "chunked", "close", "gzip"])
def test_what_was_live_once_is_played_the_same(client: str, framing: str) -> None:
    body = b'{"answer": 42}' * 50
    wire = gzip.compress(body) if framing == "gzip" else body
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: r1\r\n"
    if framing == "chunked":
        answer = (head + b"Transfer-Encoding: chunked\r\n\r\n", *chunked(wire[:10], wire[10:]))
    elif framing == "close":
        answer = (head + b"Connection: close\r\n\r\n", wire)
    else:
        coding = b"Content-Encoding: gzip\r\n" if framing == "gzip" else b""
        answer = (head + coding + b"Content-Length: %d\r\n\r\n" % len(wire), wire)
    if framing == "gzip" and client in ("http.client", "botocore"):
        pytest.skip("this client does not unpack")
    sent = {"accept-encoding": "gzip", "content-type": "text/plain"}
    with RawServer(*answer) as server:
        with live() as scope:
            got = CLIENTS[client]("POST", server.url, b"hello", sent)
        assert got.body == body
        (item,) = scope.recorded
        assert (item.request, item.failure) == (b"hello", "")
        with cassette_of(item):
            again = CLIENTS[client]("POST", server.url, b"hello", sent)
        assert (again.status, again.body) == (got.status, got.body)
        assert again.headers["x-request-id"] == "r1"
        assert len(server.asked) == 1


@each_client
def test_a_live_body_that_was_cut_off_is_not_kept(client: str) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    with RawServer(head, b"hello") as server, live() as scope:
        with contextlib.suppress(Exception):
            CLIENTS[client]("GET", server.url)
        assert scope.recorded == []
