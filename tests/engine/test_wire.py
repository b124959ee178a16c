"""Bodies of three provider APIs, streamed or not, as model calls."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymize.trace import LLMCall, Message, ToolRequest, Usage
from replay.intercept.wire import Exchange, read_exchange


def exchange(
    path: str, request: Any, response: Any, status: int = 200, **headers: str
) -> LLMCall | None:
    raw = response if isinstance(response, bytes) else json.dumps(response).encode()
    return read_exchange(
        Exchange(
            method="POST",
            uri=f"https://api.example.com{path}",
            request=request if isinstance(request, bytes) else json.dumps(request).encode(),
            status=status,
            headers={k.replace("_", "-"): v for k, v in headers.items()},
            response=raw,
        )
    )


def sse(*events: Any) -> bytes:
    return b"".join(
        f"event: {e.get('type', 'x')}\ndata: {json.dumps(e)}\n\n".encode() for e in events
    )


ASKED = (ToolRequest(name="get", arguments={"id": 7}, call_id="c1"),)
CHAT = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "function": {"name": "get", "arguments": '{"id": 7}'}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "found"},
    ],
    "tools": [{"type": "function", "function": {"name": "get", "parameters": {"type": "object"}}}],
}


def test_a_chat_completion() -> None:
    call = exchange(
        "/v1/chat/completions",
        CHAT,
        {
            "model": "m-2026",
            "choices": [
                {
                    "finish_reason": "tool_calls",
                    "message": {
                        "role": "assistant",
                        "content": "wait",
                        "reasoning_content": "hm",
                        "tool_calls": [
                            {"id": "c2", "function": {"name": "get", "arguments": "{broken"}}
                        ],
                    },
                }
            ],
            "usage": {"prompt_tokens": 3, "completion_tokens": 4},
        },
    )
    assert call is not None
    assert [m.role for m in call.input] == ["system", "user", "assistant", "tool"]
    assert call.input[1].content == "ab"
    assert call.input[2].tool_requests == ASKED
    assert call.input[3].tool_call_id == "c1"
    (said,) = call.output
    assert (said.content, said.reasoning) == ("wait", "hm")
    assert said.tool_requests == (ToolRequest(name="get", arguments="{broken", call_id="c2"),)
    assert (call.model, call.finish_reason) == ("m-2026", "tool_calls")
    assert call.usage == Usage(input_tokens=3, output_tokens=4)
    assert call.tools[0].parameters == {"type": "object"}


def test_a_streamed_chat_completion() -> None:
    def delta(**part: Any) -> dict[str, Any]:
        reason = part.pop("finish_reason", None)
        return {"model": "m", "choices": [{"index": 0, "delta": part, "finish_reason": reason}]}

    def piece(index: int, text: str, **more: Any) -> dict[str, Any]:
        return delta(tool_calls=[{"index": index, **more, "function": {"arguments": text}}])

    first = {"index": 0, "id": "c1", "function": {"name": "get", "arguments": '{"i'}}
    call = exchange(
        "/v1/chat/completions",
        CHAT | {"stream": True},
        sse(delta(role="assistant", content="wa"), delta(content="it"))
        + sse(delta(tool_calls=[first]), piece(0, 'd": 7}'), delta(finish_reason="tool_calls"))
        + sse({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}})
        + b"data: [DONE]\n\n",
        content_type="text/event-stream",
    )
    assert call is not None
    assert call.output == (Message(role="assistant", content="wait", tool_requests=ASKED),)
    assert call.finish_reason == "tool_calls"
    assert call.usage == Usage(input_tokens=1, output_tokens=2)


RESPONSES = {
    "model": "m",
    "instructions": "be kind",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "where?"}]},
        {"type": "reasoning", "summary": [{"text": "hm"}]},
        {"type": "function_call", "call_id": "c1", "name": "get", "arguments": '{"id": 7}'},
        {"type": "function_call_output", "call_id": "c1", "output": "found"},
    ],
    "tools": [{"type": "function", "name": "get", "parameters": {}}, {"type": "web_search"}],
}
ANSWER = {
    "model": "m",
    "output": [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "x"}]}
    ],
    "usage": {"input_tokens": 3, "output_tokens": 4},
}


@pytest.mark.parametrize("streamed", [False, True])
def test_a_response(streamed: bool) -> None:
    started = {"type": "response.created", "response": {}}
    body: Any = sse(started, {"type": "response.completed", "response": ANSWER})
    call = exchange("/v1/responses", RESPONSES, body if streamed else ANSWER)
    assert call is not None
    assert [m.role for m in call.input] == ["system", "user", "assistant", "tool"]
    assert call.input[2] == Message(role="assistant", tool_requests=ASKED, reasoning="hm")
    assert call.output == (Message(role="assistant", content="x"),)
    assert call.usage == Usage(input_tokens=3, output_tokens=4)
    assert [t.name for t in call.tools] == ["get"]


def test_a_response_that_was_cut_off_keeps_what_had_come() -> None:
    body = sse({"type": "response.output_item.done", "item": ANSWER["output"][0]})
    call = exchange("/v1/responses", RESPONSES, body, content_type="text/event-stream")
    assert call is not None
    assert call.output[0].content == "x"
    assert call.finish_reason == "stream cut off"


CLAUDE = {
    "model": "c",
    "system": [{"type": "text", "text": "be kind"}],
    "messages": [
        {"role": "user", "content": "where?"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm"},
                {"type": "tool_use", "id": "c1", "name": "get", "input": {"id": 7}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "c1",
                    "content": [{"type": "text", "text": "found"}],
                },
                {"type": "text", "text": "and?"},
            ],
        },
    ],
    "tools": [{"name": "get", "description": "gets", "input_schema": {"type": "object"}}],
}


def test_an_anthropic_message() -> None:
    call = exchange(
        "/v1/messages",
        CLAUDE,
        {
            "model": "c",
            "content": [{"type": "text", "text": "x"}, CLAUDE["messages"][1]["content"][1]],
            "stop_reason": "tool_use",
            "usage": {"input_tokens": 3, "cache_read_input_tokens": 100, "output_tokens": 4},
        },
    )
    assert call is not None
    assert [m.role for m in call.input] == ["system", "user", "assistant", "tool", "user"]
    assert call.input[2] == Message(role="assistant", tool_requests=ASKED, reasoning="hm")
    assert call.input[3] == Message(role="tool", content="found", tool_call_id="c1")
    assert call.output == (Message(role="assistant", content="x", tool_requests=ASKED),)
    assert call.usage == Usage(input_tokens=103, output_tokens=4)
    assert (call.provider, call.finish_reason) == ("anthropic", "tool_use")


def test_a_streamed_anthropic_message() -> None:
    tool = {"type": "tool_use", "id": "c1", "name": "get", "input": {}}
    bare = {"type": "tool_use", "id": "c2", "name": "now", "input": {}}
    call = exchange(
        "/v1/messages",
        CLAUDE,
        sse(
            {"type": "message_start", "message": {"model": "c", "usage": {"input_tokens": 3}}},
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "text", "text": ""},
            },
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": "x"},
            },
            {"type": "content_block_start", "index": 1, "content_block": tool},
            {"type": "content_block_delta", "index": 1, "delta": {"partial_json": '{"id"'}},
            {"type": "content_block_delta", "index": 1, "delta": {"partial_json": ": 7}"}},
            {"type": "content_block_start", "index": 2, "content_block": bare},
            {"type": "content_block_delta", "index": 2, "delta": {"partial_json": ""}},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "tool_use"},
                "usage": {"output_tokens": 4},
            },
            {"type": "message_stop"},
        ),
    )
    assert call is not None
    (said,) = call.output
    assert said.content == "x"
    assert said.tool_requests == (*ASKED, ToolRequest(name="now", arguments={}, call_id="c2"))
    assert call.usage == Usage(input_tokens=3, output_tokens=4)


@pytest.mark.parametrize("body", [{"error": {"message": "slow down"}}, {"error": "slow down"}])
def test_a_refusal_is_the_error_of_the_call(body: dict) -> None:
    call = exchange("/v1/chat/completions", CHAT, body, status=429)
    assert call is not None
    assert (call.error.kind, call.error.message) == ("http_429", "slow down")  # type: ignore[union-attr]
    assert call.output == ()


def test_compressed_answers_are_read() -> None:
    raw = gzip.compress(json.dumps({"choices": [{"message": {"content": "x"}}]}).encode())
    call = exchange("/v1/chat/completions", CHAT, raw, content_encoding="gzip")
    assert call is not None
    assert call.output[0].content == "x"
    cut = exchange("/v1/chat/completions", CHAT, raw[:10], content_encoding="gzip")
    assert cut is not None
    assert cut.output == ()


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/models", "/messages"])
def test_other_requests_are_no_model_calls(path: str) -> None:
    assert exchange(path, {"input": "x"}, {}) is None


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda v: (
        st.lists(v, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "messages",
                    "choices",
                    "message",
                    "delta",
                    "tool_calls",
                    "function",
                    "content",
                    "input",
                    "output",
                    "usage",
                    "type",
                    "index",
                    "item",
                    "response",
                    "name",
                    "arguments",
                    "id",
                    "tools",
                    "error",
                    "role",
                    "text",
                ]
            ),
            v,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.sampled_from(["/v1/chat/completions", "/v1/responses", "/v1/messages"]),
    anything,
    st.one_of(anything, st.binary(max_size=40)),
    st.booleans(),
    st.sampled_from([200, 500]),
)
def test_no_body_makes_reading_fail(
    path: str, request: Any, response: Any, streamed: bool, status: int
) -> None:
    body = request if isinstance(request, dict) else {"x": request}
    raw = response
    if streamed and not isinstance(raw, bytes):
        raw = sse(*(e for e in (raw if isinstance(raw, list) else [raw]) if isinstance(e, dict)))
    exchange(path, {"messages": [], "input": [], **body}, raw, status=status)


def test_real_providers_answers_are_read() -> None:
    """Every successful model call in the cassettes of the development data."""
    import yaml
    from vcr.serializers import yamlserializer

    from tests.support import shared

    read = 0
    for path in sorted(shared("cassettes").rglob("*.yaml")):
        try:
            entries = yamlserializer.deserialize(path.read_text())["interactions"]
        except (yaml.YAMLError, KeyError, UnicodeDecodeError):
            continue
        for entry in entries:
            raw = entry["response"].get("body", {}).get("string") or b""
            asked = entry["request"].get("body") or b""
            if not raw or not isinstance(asked, str | bytes):
                continue
            call = read_exchange(
                Exchange(
                    method=entry["request"]["method"],
                    uri=entry["request"]["uri"],
                    request=asked.encode() if isinstance(asked, str) else asked,
                    status=entry["response"]["status"]["code"],
                    headers={k.lower(): v[0] for k, v in entry["response"]["headers"].items()},
                    response=raw.encode() if isinstance(raw, str) else raw,
                )
            )
            if call is not None and call.error is None:
                assert call.model
                assert any(m.content or m.tool_requests for m in call.output), path.name
                read += 1
    assert read > 100
