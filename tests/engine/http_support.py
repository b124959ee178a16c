"""For the tests of HTTP: exchanges in a line each, and every client behind one function."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from vcr.request import Request

from replay.intercept.cassette import Cassette, Interaction, Timing, interaction
from replay.intercept.playing import PlayingScope, within

URL = "https://api.example.com/v1/things"


@dataclass(frozen=True)
class Got:
    status: int
    headers: dict[str, str]
    body: bytes


def recorded(
    body: bytes | str = b"",
    *,
    url: str = URL,
    method: str = "GET",
    request: bytes | None = None,
    sent: dict | None = None,
    status: int = 200,
    headers: dict | None = None,
    trace_id: str = "",
    **timing: object,
) -> Interaction:
    asked = Request(method, url, request, sent or {})
    data = body.encode() if isinstance(body, str) else body
    response = {
        "status": {"code": status, "message": "OK" if status == 200 else ""},
        "headers": headers or {},
        "body": {"string": data},
    }
    return interaction(trace_id, asked, response, Timing(**timing))


def events(*data: str) -> bytes:
    return "".join(f"data: {d}\n\n" for d in data).encode()


@contextmanager
def cassette_of(*items: Interaction, **options: object) -> Iterator[PlayingScope]:
    """The code inside is played these. The module has to use the fixture ``patched``."""
    with within(PlayingScope(Cassette(items), **options)) as scope:
        yield scope


# --- clients: (method, url, body, headers) -> Got; redirects are not followed

_kept: dict[str, object] = {}


def _client(name: str, make: Callable) -> object:
    return _kept.setdefault(name, None) or _kept.update({name: make()}) or _kept[name]


def _httpx_like(name: str) -> Callable:
    def send(method: str, url: str, body: bytes = b"", headers: dict | None = None) -> Got:
        module = pytest.importorskip(name)
        client = _client(name, module.Client)
        answer = client.request(method, url, content=body, headers=headers or {})
        return Got(answer.status_code, dict(answer.headers), answer.content)

    return send


def _async_httpx_like(name: str) -> Callable:
    def send(method: str, url: str, body: bytes = b"", headers: dict | None = None) -> Got:
        module = pytest.importorskip(name)
        # Making a TLS context takes longer than all the rest.
        context = _client(f"{name} tls", module.create_ssl_context)

        async def go() -> Got:
            async with module.AsyncClient(verify=context) as client:
                answer = await client.request(method, url, content=body, headers=headers or {})
                return Got(answer.status_code, dict(answer.headers), answer.content)

        return asyncio.run(go())

    return send


def with_requests(method: str, url: str, body: bytes = b"", headers: dict | None = None) -> Got:
    requests = pytest.importorskip("requests")
    session = _client("requests", requests.Session)
    answer = session.request(method, url, data=body, headers=headers or {}, allow_redirects=False)
    return Got(answer.status_code, _lower(answer.headers), answer.content)


def with_urllib3(method: str, url: str, body: bytes = b"", headers: dict | None = None) -> Got:
    urllib3 = pytest.importorskip("urllib3")
    pool = _client("urllib3", urllib3.PoolManager)
    answer = pool.request(method, url, body=body, headers=headers or {}, redirect=False)
    return Got(answer.status, _lower(answer.headers), answer.data)


def with_http_client(method: str, url: str, body: bytes = b"", headers: dict | None = None) -> Got:
    import ssl

    parts = urlsplit(url)
    if parts.scheme == "https":
        context = _client("http.client tls", ssl.create_default_context)
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, context=context)
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    connection.request(method, target, body, headers or {})
    answer = connection.getresponse()
    return Got(answer.status, _lower(dict(answer.getheaders())), answer.read())


def with_aiohttp(method: str, url: str, body: bytes = b"", headers: dict | None = None) -> Got:
    aiohttp = pytest.importorskip("aiohttp")

    async def go() -> Got:
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method, url, data=body or None, headers=headers or {}, allow_redirects=False
            ) as answer,
        ):
            return Got(answer.status, _lower(answer.headers), await answer.read())

    return asyncio.run(go())


def with_botocore(method: str, url: str, body: bytes = b"", headers: dict | None = None) -> Got:
    pytest.importorskip("botocore")
    from botocore.awsrequest import AWSRequest
    from botocore.httpsession import URLLib3Session

    session = _client("botocore", URLLib3Session)
    request = AWSRequest(method, url, headers=headers or {}, data=body)
    answer = session.send(request.prepare())
    return Got(answer.status_code, _lower(answer.headers), answer.content)


CLIENTS: dict[str, Callable[..., Got]] = {
    "httpx": _httpx_like("httpx"),
    "httpx2": _httpx_like("httpx2"),
    "httpx-async": _async_httpx_like("httpx"),
    "httpx2-async": _async_httpx_like("httpx2"),
    "requests": with_requests,
    "urllib3": with_urllib3,
    "http.client": with_http_client,
    "aiohttp": with_aiohttp,
    "botocore": with_botocore,
}


def headers_of(item: Interaction) -> dict[str, str]:
    """The recorded request's headers."""
    return {name: values[0] for name, values in json.loads(item.request_headers).items()}


def send(client: str, item: Interaction) -> Got:
    """The recorded request, sent again."""
    return CLIENTS[client](item.method, item.uri, item.request, headers_of(item))


def _lower(headers: object) -> dict[str, str]:
    return {str(k).lower(): str(v) for k, v in dict(headers).items()}


# --- a server that says what it is told to, byte by byte


class RawServer:
    """On loopback; answers each connection with the pieces of its script, and counts them.

    A piece is bytes, a float (seconds to wait), or ``"reset"``. What came is in ``asked``.
    """

    def __init__(self, *pieces: object, keep_open: bool = False) -> None:
        self.pieces = pieces
        self.keep_open = keep_open
        self.asked: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/stream"
        self._stop = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> RawServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._socket.close()

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            asked = b""
            while not _is_whole(asked):  # to close on a request that is still coming resets it
                asked += connection.recv(65536)
            self.asked.append(asked)
            for piece in self.pieces:
                if isinstance(piece, float):
                    self._stop.wait(piece)
                elif piece == "reset":
                    import struct

                    linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    return
                else:
                    connection.sendall(piece)
            if self.keep_open:
                self._stop.wait(20)


def _is_whole(asked: bytes) -> bool:
    head, blank, body = asked.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    return bool(blank) and len(body) >= (int(length[1]) if length else 0)


def chunked(*parts: bytes, end: bool = True) -> tuple[bytes, ...]:
    found = [b"%x\r\n%b\r\n" % (len(p), p) for p in parts]
    return (*found, b"0\r\n\r\n") if end else tuple(found)


def sse_head(*more: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", "Content-Type: text/event-stream", *more, "", ""]
    return "\r\n".join(lines).encode()


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()
