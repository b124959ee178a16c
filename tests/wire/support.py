"""Model answers made up by Hypothesis, and the vendors' SDKs as readers of what is written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st

from anonymize.trace import Json, Message, ToolRequest, Usage
from replay.wire import LlmAnswer, WireResponse, dialect_of

PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic_messages": "/v1/messages",
}
QUESTION = "Wie ist das Wetter?"
MODEL = "m-1"

# --- answers

#: What can't be written as UTF-8 is replaced on the way, so it is left out here.
words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60
)
leaf = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e6, 1e6) | words
values = st.recursive(
    leaf, lambda v: st.lists(v, max_size=3) | st.dictionaries(words, v, max_size=3), max_leaves=6
)
arguments = st.dictionaries(words, values, max_size=4)
names = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)


@st.composite
def requests(draw: st.DrawFn) -> tuple[ToolRequest, ...]:
    made = draw(st.lists(st.tuples(names, arguments), max_size=3))
    return tuple(
        ToolRequest(name=name, arguments=given, call_id=f"call_{n}")
        for n, (name, given) in enumerate(made)
    )


@st.composite
def answers(draw: st.DrawFn) -> LlmAnswer:
    """What a model may answer: text, thoughts, tools (several at once), nothing, a refusal."""
    asked = draw(requests())
    refused = not asked and draw(st.integers(0, 9)) == 0
    message = Message(
        role="assistant",
        content=draw(words if refused else st.none() | words),
        tool_requests=asked,
        reasoning=None if refused else draw(st.none() | words),
    )
    usage = draw(
        st.builds(Usage, input_tokens=st.integers(0, 10**6), output_tokens=st.integers(0, 10**6))
    )
    return LlmAnswer(
        messages=(message,),
        model="m-1-2026",
        finish_reason="tool_calls" if asked else "stop",
        usage=usage,
        refused=refused,
        seed=draw(words),
        duration_ms=draw(st.sampled_from([0.0, 800.0])),
    )


def plain(messages: tuple[Message, ...], *, thoughts: bool = True) -> list[Message]:
    """Messages without what no API keeps: the ids are kept, an empty text is no text."""
    return [
        replace(
            m,
            content=m.content or None,
            tool_requests=tuple(replace(r, arguments=r.arguments or {}) for r in m.tool_requests),
            reasoning=m.reasoning if thoughts else None,
            name=None,
        )
        for m in messages
        if m.content or m.tool_requests or (thoughts and m.reasoning)
    ]


# --- the SDKs


class Transport:
    """Answers each request of an SDK with ``answer``, written in its own dialect."""

    def __init__(self, answer: LlmAnswer) -> None:
        self.answer = answer
        self.written: WireResponse | None = None
        self.asked: Any = None

    def respond(self, request: Any, *, is_async: bool) -> Any:
        import httpx2

        dialect = dialect_of(request.method, request.url.path)
        assert dialect is not None
        self.asked = dialect.read(json.loads(request.content), request.url.path)
        made = self.written = dialect.write(self.answer, self.asked)
        data = [chunk for _, chunk in made.chunks()]
        body = _async_chunks(data) if is_async else iter(data)
        return httpx2.Response(made.status, headers=dict(made.headers), content=body)

    def client(self, name: str, *, is_async: bool = False, **options: Any) -> Any:
        """The SDK's client for the dialect ``name``; it checks responses strictly."""
        httpx2 = pytest.importorskip("httpx2")
        vendor = "anthropic" if name.startswith("anthropic") else "openai"
        module = pytest.importorskip(vendor)
        made = {"anthropic": "Anthropic", "openai": "OpenAI"}[vendor]
        if is_async:

            async def respond(request: Any) -> Any:
                return self.respond(request, is_async=True)

            http: Any = httpx2.AsyncClient(transport=httpx2.MockTransport(respond))
            made = f"Async{made}"
        else:
            http = httpx2.Client(
                transport=httpx2.MockTransport(lambda r: self.respond(r, is_async=False))
            )
        given = {"api_key": "none", "_strict_response_validation": True, "max_retries": 0}
        return getattr(module, made)(http_client=http, **(given | options))


async def _async_chunks(data: list[bytes]) -> AsyncIterator[bytes]:
    for chunk in data:
        yield chunk


def ask(client: Any, name: str, *, stream: bool, **more: Any) -> Any:
    """One call of the SDK, streamed through its own stream helper; its final object."""
    call, given = _call(client, name, more)
    if not stream:
        return call.create(**given)
    with call.stream(**given) as events:
        for _ in events:
            pass
        return _final(events)


def ask_async(client: Any, name: str, *, stream: bool, **more: Any) -> Any:
    """The same for the async client."""

    async def go() -> Any:
        call, given = _call(client, name, more)
        if not stream:
            return await call.create(**given)
        async with call.stream(**given) as events:
            async for _ in events:
                pass
            return await _final(events)

    return asyncio.run(go())


def _call(client: Any, name: str, more: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    messages = [{"role": "user", "content": QUESTION}]
    if name == "openai_chat":
        return client.chat.completions, {"model": MODEL, "messages": messages, **more}
    if name == "openai_responses":
        return client.responses, {"model": MODEL, "input": QUESTION, **more}
    return client.messages, {"model": MODEL, "messages": messages, "max_tokens": 99, **more}


def _final(events: Any) -> Any:
    for method in ("get_final_message", "get_final_response", "get_final_completion"):
        if hasattr(events, method):
            return getattr(events, method)()
    raise AssertionError(type(events))


def said(name: str, result: Any) -> Json:
    """The provider's own object as the JSON that an instrumentation would write down."""
    whole = result.model_dump(mode="json")
    if name == "openai_chat":
        found = [choice["message"] for choice in whole["choices"]]
        # Instrumentations write a refusal down as what was said.
        return [m | {"content": m["content"] or m.get("refusal")} for m in found]
    if name == "openai_responses":
        return whole["output"]
    return [{"role": "assistant", "content": whole["content"]}]


def chunks_of(made: WireResponse) -> Iterator[bytes]:
    return (chunk for _, chunk in made.chunks())
