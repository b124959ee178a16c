"""One conversation as the requests and responses of each interface: (request, response), twice.

The user asks, the model asks for two calls of one tool, is told, and answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

SYSTEM = "Be kind."
ASKED = "Weather in Oslo and Rome?"
ANSWER = "Oslo 3, Rome 20."
CALLS = (("c1", "Oslo", "3 degrees"), ("c2", "Rome", "20 degrees"))
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
Body = Any
Turns = list[tuple[Body, Body]]

HEAD = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": ASKED}]
OPENAI_CALLS = [
    {
        "id": i,
        "type": "function",
        "function": {"name": "weather", "arguments": json.dumps({"city": c})},
    }
    for i, c, _ in CALLS
]
TOLD = [{"role": "tool", "tool_call_id": i, "content": r} for i, _, r in CALLS]
REQUEST = {"role": "assistant", "content": None, "tool_calls": OPENAI_CALLS}
REPLY = {"role": "assistant", "content": ANSWER}


def openai_chat(*, bare: bool = False) -> Turns:
    def request(messages: list[Any]) -> Body:
        return messages if bare else {"model": "m", "messages": messages}

    def response(message: dict[str, Any]) -> Body:
        return message if bare else {"object": "chat.completion", "choices": [{"message": message}]}

    return [
        (request(HEAD), response(REQUEST)),
        (request([*HEAD, REQUEST, *TOLD]), response(REPLY)),
    ]


def openai_chunks() -> Turns:
    """The same, recorded as the pieces in which it was streamed."""

    def chunk(delta: dict[str, Any]) -> dict[str, Any]:
        return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]}

    pieces = [chunk({"role": "assistant", "content": None})]
    for index, call in enumerate(OPENAI_CALLS):
        written = call["function"]["arguments"]
        named = {"index": index, "id": call["id"], "function": {"name": "weather", "arguments": ""}}
        pieces.append(chunk({"tool_calls": [named]}))
        for part in (written[:4], written[4:]):
            piece = {"index": index, "function": {"arguments": part}}
            pieces.append(chunk({"tool_calls": [piece]}))
    (first, _), (second, _) = openai_chat()
    said = [chunk({"content": part}) for part in (ANSWER[:5], ANSWER[5:])]
    return [(first, pieces), (second, said)]


def openai_responses() -> Turns:
    calls = [
        {
            "type": "function_call",
            "call_id": i,
            "name": "weather",
            "arguments": json.dumps({"city": c}),
        }
        for i, c, _ in CALLS
    ]
    told = [{"type": "function_call_output", "call_id": i, "output": r} for i, _, r in CALLS]
    said = {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": ANSWER}],
    }
    history = [{"role": "user", "content": ASKED}, *calls, *told]
    thought = {"type": "reasoning", "id": "rs", "summary": []}
    return [
        ({"model": "m", "instructions": SYSTEM, "input": ASKED}, {"output": [thought, *calls]}),
        ({"model": "m", "instructions": SYSTEM, "input": history}, {"output": [said]}),
    ]


ANTHROPIC_CALLS = [
    {"type": "tool_use", "id": i, "name": "weather", "input": {"city": c}} for i, c, _ in CALLS
]


def anthropic() -> Turns:
    told = [
        {"type": "tool_result", "tool_use_id": i, "content": [{"type": "text", "text": r}]}
        for i, _, r in CALLS
    ]
    history = [
        {"role": "user", "content": ASKED},
        {"role": "assistant", "content": ANTHROPIC_CALLS},
        {"role": "user", "content": told},
    ]
    box = {"type": "message", "role": "assistant", "model": "m"}
    return [
        ({"system": SYSTEM, "messages": history[:1]}, {**box, "content": ANTHROPIC_CALLS}),
        (
            {"system": [{"type": "text", "text": SYSTEM}], "messages": history},
            {**box, "content": [{"type": "text", "text": ANSWER}]},
        ),
    ]


def anthropic_events() -> Turns:
    def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[Any]:
        return [
            {"type": "content_block_start", "index": index, "content_block": start},
            *({"type": "content_block_delta", "index": index, "delta": d} for d in deltas),
            {"type": "content_block_stop", "index": index},
        ]

    calls: list[Any] = [{"type": "message_start", "message": {"role": "assistant", "content": []}}]
    for index, call in enumerate(ANTHROPIC_CALLS):
        written = json.dumps(call["input"])
        parts = [
            {"type": "input_json_delta", "partial_json": part}
            for part in (written[:4], written[4:])
        ]
        calls += block(index, {**call, "input": {}}, *parts)
    texts = [{"type": "text_delta", "text": part} for part in (ANSWER[:5], ANSWER[5:])]
    (first, _), (second, _) = anthropic()
    return [(first, calls), (second, block(0, {"type": "text", "text": ""}, *texts))]


def gemini(name: Callable[[str], str] = lambda name: name) -> Turns:
    """``name`` spells the keys: as they are on the wire, or as the Python client has them."""
    calls = [
        {name("functionCall"): {"id": i, "name": "weather", "args": {"city": c}}}
        for i, c, _ in CALLS
    ]
    told = [
        {name("functionResponse"): {"id": i, "name": "weather", "response": {"result": r}}}
        for i, _, r in CALLS
    ]
    history = [
        {"role": "user", "parts": [{"text": ASKED}]},
        {"role": "model", "parts": calls},
        {"role": "user", "parts": told},
    ]
    system = {name("systemInstruction"): {"parts": [{"text": SYSTEM}]}}

    def response(parts: list[Any]) -> Body:
        return {"candidates": [{"content": {"role": "model", "parts": parts}}]}

    return [
        ({**system, "contents": history[:1]}, response(calls)),
        ({**system, "contents": history}, response([{"text": ANSWER}])),
    ]


def snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def bedrock() -> Turns:
    calls = [
        {"toolUse": {"toolUseId": i, "name": "weather", "input": {"city": c}}} for i, c, _ in CALLS
    ]
    told = [
        {"toolResult": {"toolUseId": i, "status": "success", "content": [{"text": r}]}}
        for i, _, r in CALLS
    ]
    history = [
        {"role": "user", "content": [{"text": ASKED}]},
        {"role": "assistant", "content": calls},
        {"role": "user", "content": told},
    ]

    def response(content: list[Any]) -> Body:
        return {"output": {"message": {"role": "assistant", "content": content}}}

    system = {"system": [{"text": SYSTEM}]}
    return [
        ({**system, "messages": history[:1]}, response(calls)),
        ({**system, "messages": history}, response([{"text": ANSWER}])),
    ]


def langchain() -> Turns:
    def message(kind: str, **fields: Any) -> dict[str, Any]:
        names = ["langchain", "schema", "messages", kind]
        return {"lc": 1, "type": "constructor", "id": names, "kwargs": fields}

    calls = [{"name": "weather", "args": {"city": c}, "id": i} for i, c, _ in CALLS]
    head = [message("SystemMessage", content=SYSTEM), message("HumanMessage", content=ASKED)]
    asks = message("AIMessage", content="", tool_calls=calls)
    told = [message("ToolMessage", content=r, tool_call_id=i) for i, _, r in CALLS]
    reply = message("AIMessage", content=ANSWER)

    def response(said: dict[str, Any]) -> Body:
        return {"generations": [[{"text": said["kwargs"]["content"], "message": said}]]}

    return [
        ({"messages": [head]}, response(asks)),
        ({"messages": [[*head, asks, *told]]}, response(reply)),
    ]


def vercel() -> Turns:
    calls = [
        {"type": "tool-call", "toolCallId": i, "toolName": "weather", "input": {"city": c}}
        for i, c, _ in CALLS
    ]
    told = [
        {
            "type": "tool-result",
            "toolCallId": i,
            "toolName": "weather",
            "output": {"type": "text", "value": r},
        }
        for i, _, r in CALLS
    ]
    asks, tool = {"role": "assistant", "content": calls}, {"role": "tool", "content": told}
    return [
        ({"messages": HEAD}, {"content": calls, "finishReason": "tool-calls"}),
        ({"messages": [*HEAD, asks, tool]}, {"content": [{"type": "text", "text": ANSWER}]}),
    ]


def pydantic_ai() -> Turns:
    head = {
        "kind": "request",
        "parts": [
            {"part_kind": "system-prompt", "content": SYSTEM},
            {"part_kind": "user-prompt", "content": ASKED},
        ],
    }
    asks = {
        "kind": "response",
        "parts": [
            {
                "part_kind": "tool-call",
                "tool_name": "weather",
                "args": {"city": c},
                "tool_call_id": i,
            }
            for i, c, _ in CALLS
        ],
    }
    told = {
        "kind": "request",
        "parts": [
            {"part_kind": "tool-return", "tool_name": "weather", "content": r, "tool_call_id": i}
            for i, _, r in CALLS
        ],
    }
    reply = {"kind": "response", "parts": [{"part_kind": "text", "content": ANSWER}]}
    return [([head], asks), ([head, asks, told], reply)]


def autogen() -> Turns:
    calls = [
        {"id": i, "arguments": json.dumps({"city": c}), "name": "weather"} for i, c, _ in CALLS
    ]
    told = [{"content": r, "name": "weather", "call_id": i, "is_error": False} for i, _, r in CALLS]
    head = [
        {"content": SYSTEM, "type": "SystemMessage"},
        {"content": ASKED, "source": "user", "type": "UserMessage"},
    ]
    asks = {"content": calls, "source": "a", "type": "AssistantMessage"}
    tool = {"content": told, "type": "FunctionExecutionResultMessage"}
    return [
        (head, {"finish_reason": "function_calls", "content": calls, "cached": False}),
        ([*head, asks, tool], {"finish_reason": "stop", "content": ANSWER}),
    ]


BODIES: dict[str, Turns] = {
    "openai_chat": openai_chat(),
    "openai_messages": openai_chat(bare=True),
    "openai_chunks": openai_chunks(),
    "openai_responses": openai_responses(),
    "anthropic": anthropic(),
    "anthropic_events": anthropic_events(),
    "gemini": gemini(),
    "gemini_python": gemini(snake),
    "bedrock": bedrock(),
    "langchain": langchain(),
    "vercel": vercel(),
    "pydantic_ai": pydantic_ai(),
    "autogen": autogen(),
}
