"""Failures of HTTP: in each library the class of exception that production would see."""

from __future__ import annotations

import asyncio
import http.client
import socket
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest
from vcr.request import Request

from anonymize.errors import UsageError
from replay.intercept import cassette, router
from replay.intercept.cassette import Interaction
from replay.intercept.failures import KINDS, LIBRARIES, raise_like
from replay.intercept.playback import Pace
from tests.engine.http_support import CLIENTS, URL, RawServer, cassette_of, chunked, recorded

#: What the caller of each library catches. The first name is what a played call gives; urllib3
#: and requests wrap what they tried more than once.
EXPECTED: dict[str, dict[str, str]] = {
    "httpx": {
        "refused": "ConnectError",
        "dns": "ConnectError",
        "connect_timeout": "ConnectTimeout",
        "read_timeout": "ReadTimeout",
        "reset": "ReadError",
        "disconnected": "RemoteProtocolError",
        "cut": "RemoteProtocolError",
    },
    "requests": {
        "refused": "ConnectionError",
        "dns": "ConnectionError",
        "connect_timeout": "ConnectTimeout",
        "read_timeout": "ReadTimeout",
        "reset": "ConnectionError",
        "disconnected": "ConnectionError",
        "cut": "ChunkedEncodingError",
    },
    "urllib3": {
        "refused": "MaxRetryError",
        "dns": "MaxRetryError",
        "connect_timeout": "MaxRetryError",
        "read_timeout": "MaxRetryError",
        "reset": "MaxRetryError",
        "disconnected": "MaxRetryError",
        "cut": "ProtocolError",
    },
    "http.client": {
        "refused": "ConnectionRefusedError",
        "dns": "gaierror",
        "connect_timeout": "TimeoutError",
        "read_timeout": "TimeoutError",
        "reset": "ConnectionResetError",
        "disconnected": "RemoteDisconnected",
        "cut": "IncompleteRead",
    },
    "aiohttp": {
        "refused": "ClientConnectorError",
        "dns": "ClientConnectorDNSError",
        "connect_timeout": "ConnectionTimeoutError",
        "read_timeout": "SocketTimeoutError",
        "reset": "ClientOSError",
        "disconnected": "ServerDisconnectedError",
        "cut": "ClientPayloadError",
    },
    "botocore": {
        "refused": "EndpointConnectionError",
        "dns": "EndpointConnectionError",
        "connect_timeout": "ConnectTimeoutError",
        "read_timeout": "ReadTimeoutError",
        "reset": "ConnectionClosedError",
        "disconnected": "ConnectionClosedError",
        "cut": "ConnectionClosedError",
    },
}
EXPECTED["httpx2"] = EXPECTED["httpx"]

pairs = [(library, kind) for library in LIBRARIES for kind in KINDS]


@pytest.fixture(scope="module", autouse=True)
def patched() -> Iterator[None]:
    with router.install():
        yield


def installed(library: str) -> None:
    if library != "http.client":
        pytest.importorskip(library)


def failed(kind: str) -> Interaction:
    """No response at all; ``cut`` breaks one off that had begun."""
    if kind == "cut":
        return replace(recorded("hello"), failure="cut")
    return cassette.failed(Request("GET", URL, None, {}), kind)


@pytest.mark.parametrize(("library", "kind"), pairs)
def test_raise_like_raises_the_library_s_own_class(library: str, kind: str) -> None:
    installed(library)
    with pytest.raises(Exception) as caught:  # noqa: PT011
        raise_like(library, kind, url=URL)
    assert type(caught.value).__name__ == EXPECTED[library][kind]
    assert str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_played_failure_has_the_class_that_raise_like_has(client: str, kind: str) -> None:
    library = client.removesuffix("-async")
    installed(library)
    with cassette_of(*[failed(kind)] * 6), pytest.raises(Exception) as caught:  # noqa: PT011
        CLIENTS[client]("GET", URL)
    with pytest.raises(Exception) as like:  # noqa: PT011
        raise_like(library, kind, url=URL)
    found, wanted = type(caught.value), type(like.value)
    if (client, kind) == ("urllib3", "cut"):  # it reads the body itself, so it tries again
        assert found.__name__ == "MaxRetryError"
    else:
        assert found is wanted, (found.__mro__, wanted)


def test_an_unknown_library_or_kind_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        raise_like("httpx3", "refused")
    assert "did you mean 'httpx" in caught.value.fix
    with pytest.raises(UsageError) as caught:
        raise_like("httpx", "refuse")
    assert caught.value.fix == "did you mean 'refused'?"


# --- the same as from a real socket


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def really(client: str, kind: str) -> BaseException:
    """What the client raises with a real socket, unpatched by a scope that lets all pass."""
    from tests.engine.test_http_streams import live

    if kind == "refused":
        with live(), pytest.raises(Exception) as caught:  # noqa: PT011
            CLIENTS[client]("GET", f"http://127.0.0.1:{closed_port()}/")
        return caught.value
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    script: tuple[object, ...] = {
        "reset": ("reset",),
        "disconnected": (),
        "cut": (head, *chunked(b"hello", end=False)),
    }[kind]
    with RawServer(*script) as server, live(), pytest.raises(Exception) as caught:  # noqa: PT011
        CLIENTS[client]("GET", server.url)
    return caught.value


@pytest.mark.parametrize("kind", ["refused", "reset", "disconnected", "cut"])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_played_failure_is_what_a_real_socket_gives(client: str, kind: str) -> None:
    installed(client.removesuffix("-async"))
    real = really(client, kind)
    with cassette_of(*[failed(kind)] * 6), pytest.raises(Exception) as caught:  # noqa: PT011
        CLIENTS[client]("GET", URL)
    assert type(caught.value) is type(real), (repr(caught.value), repr(real))
    assert type(caught.value.__cause__) is type(real.__cause__)


# --- SDKs


def sdk(name: str, retries: int) -> Any:
    module = pytest.importorskip(name)
    made = module.OpenAI if name == "openai" else module.Anthropic
    return module, made(api_key="none", base_url="https://llm.example/v1", max_retries=retries)


def call(name: str, client: Any) -> Any:
    said = [{"role": "user", "content": "hi"}]
    if name == "openai":
        return client.chat.completions.create(model="m", messages=said)
    return client.messages.create(model="m", messages=said, max_tokens=5)


def at(name: str, item: Interaction) -> Interaction:
    """Whatever the SDK sends, it gets this: recorded for the request that it makes."""
    path = "/chat/completions" if name == "openai" else "/v1/messages"
    body = b'{"messages":[{"role":"user","content":"hi"}],"model":"m"'
    body += b"}" if name == "openai" else b',"max_tokens":5}'
    sent = {"content-type": "application/json"}
    made = recorded(url=f"https://llm.example/v1{path}", method="POST", request=body, sent=sent)
    kept = {k: getattr(item, k) for k in ("status", "response", "headers", "failure", "reason")}
    return replace(made, **kept)


GOOD = {
    "openai": b'{"id":"c","model":"m","choices":[{"index":0,"finish_reason":"stop",'
    b'"message":{"role":"assistant","content":"fine"}}]}',
    "anthropic": b'{"id":"c","model":"m","type":"message","role":"assistant",'
    b'"content":[{"type":"text","text":"fine"}],"usage":{"input_tokens":1,"output_tokens":1}}',
}


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "cut"])
@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_an_sdk_retries_a_failure_as_in_production(
    name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    module, client = sdk(name, retries=2)
    good = recorded(GOOD[name], headers={"content-type": ["application/json"]})
    with cassette_of(at(name, failed(kind)), at(name, failed(kind)), at(name, good)):
        assert "fine" in call(name, client).model_dump_json()
    with cassette_of(*[at(name, failed(kind))] * 3):
        late = kind.endswith("timeout")
        wanted = module.APITimeoutError if late else module.APIConnectionError
        with pytest.raises(wanted):
            call(name, client)


def test_a_read_time_out_waits_as_long_as_the_client_would() -> None:
    httpx2: Any = pytest.importorskip("httpx2")
    slept: list[float] = []
    with (
        cassette_of(failed("read_timeout"), pace=Pace(1.0, slept.append)),
        pytest.raises(httpx2.ReadTimeout),
    ):
        httpx2.get(URL, timeout=30)
    assert slept == [30]


def test_an_aiohttp_session_s_own_limit_ends_a_played_wait() -> None:
    aiohttp: Any = pytest.importorskip("aiohttp")

    async def go() -> None:
        limit = aiohttp.ClientTimeout(total=0.05)
        async with aiohttp.ClientSession(timeout=limit) as session, session.get(URL) as answer:
            await answer.read()

    with (
        cassette_of(recorded("late", latency_ms=5_000), pace=Pace(1.0)),
        pytest.raises(asyncio.TimeoutError),
    ):
        asyncio.run(go())


def test_http_client_knows_a_failure_in_the_middle_of_a_body() -> None:
    item = replace(recorded("hello world", offsets=(0, 5), ms=(0, 1)), failure="reset")
    with cassette_of(item):
        connection = http.client.HTTPSConnection("api.example.com")
        connection.request("GET", "/v1/things")
        answer = connection.getresponse()
        assert answer.read1() == b"hello"
        with pytest.raises(ConnectionResetError):
            answer.read()


def test_every_library_of_the_list_is_in_the_table() -> None:
    assert set(LIBRARIES) == set(EXPECTED)
    assert all(set(kinds) == set(KINDS) for kinds in EXPECTED.values())
    assert import_module("replay.intercept.failures").__doc__
