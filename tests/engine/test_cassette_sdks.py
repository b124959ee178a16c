"""The shared recordings of OpenAI's and Anthropic's APIs, through the vendors' own SDKs."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from anonymize.errors import SourceError
from replay.intercept import router
from replay.intercept.cassette import Cassette, Interaction
from replay.intercept.playing import PlayingScope, within
from replay.intercept.vcr_files import read_cassette
from tests.support import SHARED

FOLDER = SHARED / "cassettes"
OPENAI = ("/chat/completions", "/responses", "/embeddings")
#: Others that speak OpenAI's protocol are spoken to with its SDK as well.
HOSTS = ("api.openai.com", "api.anthropic.com", "api.groq.com", "openrouter.ai", "api.together.ai")


def _ours(path: Path) -> list[Interaction]:
    try:
        items = read_cassette(path)
    except SourceError:
        return []
    return [i for i in items if urlsplit(i.uri).hostname in HOSTS and i.request[:1] == b"{"]


FOUND = {str(p.relative_to(FOLDER)): _ours(p) for p in sorted(FOLDER.rglob("*.yaml"))}
FOUND = {name: items for name, items in FOUND.items() if items}
CASES = sorted(FOUND) or [
    pytest.param("", marks=pytest.mark.skip(reason="development data is not on this machine"))
]


@pytest.fixture(scope="module")
def patched() -> Iterator[None]:
    with router.install():
        yield


_clients: dict[tuple[str, bool], Any] = {}


def client_for(item: Interaction, *, is_async: bool) -> Any:
    parts = urlsplit(item.uri)
    is_anthropic = parts.path.endswith("/messages")
    end = "/v1/messages" if is_anthropic else next(e for e in OPENAI if parts.path.endswith(e))
    base = f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix(end)}"
    if is_async or (base, is_async) not in _clients:  # an async client belongs to its loop
        module = pytest.importorskip("anthropic" if is_anthropic else "openai")
        name = "Anthropic" if is_anthropic else "OpenAI"
        made = getattr(module, f"Async{name}" if is_async else name)
        http = module.DefaultAsyncHttpxClient if is_async else module.DefaultHttpxClient
        _clients[base, is_async] = made(
            base_url=base, api_key="none", max_retries=0, http_client=http(verify=_tls())
        )
    return _clients[base, is_async]


def _tls() -> Any:
    import ssl

    _clients.setdefault(("tls", False), ssl.create_default_context())
    return _clients["tls", False]


def method_of(client: Any, item: Interaction) -> tuple[Any, dict[str, Any]]:
    """The SDK's method for a recorded request, and its arguments."""
    body = json.loads(item.request)
    path = urlsplit(item.uri).path
    if path.endswith("/messages"):
        found = client.beta.messages if "beta=true" in item.uri else client.messages
        needed = ("model", "messages", "max_tokens")
    elif path.endswith("/chat/completions"):
        found, needed = client.chat.completions, ("model", "messages")
    elif path.endswith("/responses"):
        found, needed = client.responses, ("model", "input")
    else:
        found, needed = client.embeddings, ("model", "input", "encoding_format")
    arguments = {name: body[name] for name in needed if name in body}
    if body.get("stream"):
        arguments["stream"] = True
    return found, arguments | {"extra_body": body, "timeout": 60}


def data_events(body: bytes) -> int:
    """Events that an SDK hands out: those with data, but for the end and the pings."""
    blocks = body.replace(b"\r\n", b"\n").split(b"\n\n")
    shown = [b for b in blocks if b"data:" in b and b"[DONE]" not in b]
    return len([b for b in shown if not b.startswith(b"event: ping")])


def check_error(error: Any, item: Interaction) -> None:
    assert error.status_code == item.status
    assert error.response.content == item.response


@pytest.mark.parametrize("name", CASES)
def test_the_sdk_gets_the_recorded_response(patched: None, name: str) -> None:
    with within(PlayingScope(Cassette(FOUND[name]))):
        for item in FOUND[name]:
            found, arguments = method_of(client_for(item, is_async=False), item)
            module = pytest.importorskip("anthropic" if "/messages" in item.uri else "openai")
            if item.status >= 400:
                with pytest.raises(module.APIStatusError) as caught:
                    found.create(**arguments)
                check_error(caught.value, item)
            elif arguments.get("stream"):
                with found.create(**arguments) as stream:
                    assert sum(1 for _ in stream) == data_events(item.response)
            else:
                raw = found.with_raw_response.create(**arguments)
                assert raw.http_response.content == item.response
                if item.response:  # a few were recorded after their bodies had been read
                    assert raw.parse().model_dump()


@pytest.mark.parametrize("name", CASES)
def test_the_async_sdk_gets_the_recorded_response(patched: None, name: str) -> None:
    async def go() -> None:
        for item in FOUND[name]:
            found, arguments = method_of(client_for(item, is_async=True), item)
            module = pytest.importorskip("anthropic" if "/messages" in item.uri else "openai")
            if item.status >= 400:
                with pytest.raises(module.APIStatusError) as caught:
                    await found.create(**arguments)
                check_error(caught.value, item)
            elif arguments.get("stream"):
                async with await found.create(**arguments) as stream:
                    assert len([event async for event in stream]) == data_events(item.response)
            else:
                raw = await found.with_raw_response.create(**arguments)
                assert raw.http_response.content == item.response
                if item.response:
                    parsed = raw.parse()
                    parsed = await parsed if inspect.isawaitable(parsed) else parsed
                    assert parsed.model_dump()

    with within(PlayingScope(Cassette(FOUND[name]))):
        asyncio.run(go())
