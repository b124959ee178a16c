"""The same few messages in the shapes of many providers and frameworks."""

from __future__ import annotations

from typing import Any

from anonymize.trace import Message, ToolRequest

ASKED = Message(role="user", content="hi")
REQUEST = Message(
    role="assistant",
    tool_requests=(ToolRequest(name="get", arguments={"n": 1}, call_id="c1"),),
)
ANSWER = Message(role="tool", content='{"x":2}', tool_call_id="c1")
SAID = Message(role="assistant", content="bye")

SHAPES: dict[str, tuple[Any, list[Message]]] = {
    "openai chat request": (
        {
            "model": "m",
            "messages": [
                {"role": "user", "content": "hi"},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "c1",
                            "type": "function",
                            "function": {"name": "get", "arguments": '{"n": 1}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "content": '{"x":2}'},
            ],
        },
        [ASKED, REQUEST, ANSWER],
    ),
    "flat tool calls with dict arguments": (
        [{"role": "assistant", "tool_calls": [{"id": "c1", "name": "get", "arguments": {"n": 1}}]}],
        [REQUEST],
    ),
    "openai chat response": (
        {"id": "r", "choices": [{"message": {"role": "assistant", "content": "bye"}}]},
        [SAID],
    ),
    "openai responses": (
        {
            "instructions": "be kind",
            "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
                {"type": "function_call", "call_id": "c1", "name": "get", "arguments": '{"n":1}'},
                {"type": "function_call_output", "call_id": "c1", "output": '{"x":2}'},
            ],
        },
        [Message(role="system", content="be kind"), ASKED, REQUEST, ANSWER],
    ),
    "openai responses output": (
        {
            "output": [
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": "bye"}],
                },
            ]
        },
        [Message(role="assistant", reasoning="hm"), SAID],
    ),
    "anthropic": (
        {
            "system": [{"type": "text", "text": "be kind"}],
            "messages": [
                {"role": "user", "content": "hi"},
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "id": "c1", "name": "get", "input": {"n": 1}}],
                },
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": "c1", "content": '{"x":2}'}],
                },
            ],
        },
        [Message(role="system", content="be kind"), ASKED, REQUEST, ANSWER],
    ),
    "anthropic thinking": (
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "bye"}],
        },
        [Message(role="assistant", content="bye", reasoning="hm")],
    ),
    "gemini": (
        {
            "contents": [
                {"role": "user", "parts": [{"text": "hi"}]},
                {"role": "model", "parts": [{"functionCall": {"name": "get", "args": {"n": 1}}}]},
                {
                    "role": "user",
                    "parts": [{"functionResponse": {"name": "get", "response": {"x": 2}}}],
                },
            ],
            "systemInstruction": {"parts": [{"text": "be kind"}]},
        },
        [
            Message(role="system", content="be kind"),
            ASKED,
            Message(role="assistant", tool_requests=(ToolRequest(name="get", arguments={"n": 1}),)),
            Message(role="tool", content='{"x":2}', name="get"),
        ],
    ),
    "gemini response": (
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "bye"}]}}]},
        [SAID],
    ),
    "bedrock": (
        {
            "messages": [
                {"role": "user", "content": [{"text": "hi"}]},
                {
                    "role": "assistant",
                    "content": [{"toolUse": {"toolUseId": "c1", "name": "get", "input": {"n": 1}}}],
                },
                {
                    "role": "user",
                    "content": [
                        {"toolResult": {"toolUseId": "c1", "content": [{"json": {"x": 2}}]}}
                    ],
                },
            ]
        },
        [ASKED, REQUEST, ANSWER],
    ),
    "bedrock response": (
        {"output": {"message": {"role": "assistant", "content": [{"text": "bye"}]}}},
        [SAID],
    ),
    "langchain": (
        {
            "messages": [
                [
                    {
                        "lc": 1,
                        "type": "constructor",
                        "id": ["langchain", "schema", "messages", "HumanMessage"],
                        "kwargs": {"content": "hi", "type": "human"},
                    },
                    {
                        "type": "ai",
                        "data": {
                            "content": "",
                            "tool_calls": [{"name": "get", "args": {"n": 1}, "id": "c1"}],
                        },
                    },
                    {"type": "tool", "data": {"content": '{"x":2}', "tool_call_id": "c1"}},
                ]
            ]
        },
        [ASKED, REQUEST, ANSWER],
    ),
    "langchain with keyword arguments": (
        [
            {
                "type": "ai",
                "content": "",
                "additional_kwargs": {
                    "tool_calls": [
                        {"id": "c1", "function": {"name": "get", "arguments": '{"n": 1}'}}
                    ]
                },
            }
        ],
        [REQUEST],
    ),
    "langchain generations": (
        {"generations": [[{"text": "bye", "message": {"kwargs": {"content": "bye"}}}]]},
        [SAID],
    ),
    "pairs": ([["user", "hi"], ["ai", "bye"]], [ASKED, SAID]),
    "vercel": (
        [{"toolCallId": "c1", "toolName": "get", "args": {"n": 1}}],
        [REQUEST],
    ),
    "openinference, nested": (
        [{"message": {"role": "user", "contents": [{"message_content": {"text": "hi"}}]}}],
        [ASKED],
    ),
    "microsoft agent framework": (
        [
            {
                "role": "assistant",
                "parts": [
                    {
                        "type": "tool_call",
                        "id": ["run_1", "call_9"],
                        "name": "get",
                        "arguments": "{}",
                    }
                ],
            }
        ],
        [
            Message(
                role="assistant",
                tool_requests=(ToolRequest(name="get", arguments={}, call_id="call_9"),),
            )
        ],
    ),
    "semantic kernel": (
        {"gen_ai.event.content": '{"index":0,"message":{"role":"Assistant","content":"bye"}}'},
        [SAID],
    ),
    "strands": (
        [
            {"role": "user", "content": '[{"text": "hi"}]'},
            {
                "role": "assistant",
                "content": '[{"toolUse": {"toolUseId": "c1", "name": "get", "input": {"n": 1}}}]',
            },
            {
                "role": "tool",
                "content": '[{"toolResult": {"toolUseId": "c1", "content": [{"json": {"x":2}}]}}]',
            },
        ],
        [ASKED, REQUEST, ANSWER],
    ),
    "livekit": (
        {
            "items": [
                {"type": "message", "role": "user", "content": ["hi"]},
                {"type": "function_call", "call_id": "c1", "name": "get", "arguments": '{"n":1}'},
                {"type": "function_call_output", "call_id": "c1", "output": '{"x":2}'},
            ]
        },
        [ASKED, REQUEST, ANSWER],
    ),
    "a model's result": (
        {
            "text": "",
            "toolCalls": [{"toolCallId": "c1", "toolName": "get", "input": {"n": 1}}],
            "finishReason": "tool-calls",
        },
        [REQUEST],
    ),
    "a legacy completion": ({"completion": "bye"}, [SAID]),
    "choices as a list": (
        [{"index": 0, "finish_reason": "stop", "message": {"content": "bye"}}],
        [SAID],
    ),
    "a prompt": ({"prompt": "hi"}, [ASKED]),
    "plain text": ("hi", [ASKED]),
    "json in text": ('[{"role": "user", "content": "hi"}]', [ASKED]),
    "an old function call": (
        [{"role": "assistant", "function_call": {"name": "get", "arguments": '{"n": 1}'}}],
        [Message(role="assistant", tool_requests=(ToolRequest(name="get", arguments={"n": 1}),))],
    ),
}
