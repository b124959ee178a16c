"""One short conversation in the words of several conventions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from anonymize.trace import LLMCall, Message, ToolRequest
from tests.sources.builders import key_values, only_llm, read, span

TEMPLATE = {"type": "object", "properties": {"city": {"type": "string"}}}
HISTORY = (
    Message(role="system", content="Be kind."),
    Message(role="user", content="Weather in Oslo?"),
    Message(
        role="assistant",
        tool_requests=(ToolRequest(name="weather", arguments={"city": "Oslo"}, call_id="c1"),),
    ),
    Message(role="tool", content='{"c": 3}', tool_call_id="c1"),
)
ANSWER = (Message(role="assistant", content="3 degrees."),)
EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("gen_ai.system.message", {"content": "Be kind."}),
    ("gen_ai.user.message", {"content": "Weather in Oslo?"}),
    (
        "gen_ai.assistant.message",
        {
            "tool_calls": json.dumps(
                [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
                    }
                ]
            )
        },
    ),
    ("gen_ai.tool.message", {"content": '{"c": 3}', "id": "c1"}),
    ("gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": "3 degrees."}),
]
PARTS: list[dict[str, Any]] = [
    {"role": "user", "parts": [{"type": "text", "content": "Weather in Oslo?"}]},
    {
        "role": "assistant",
        "parts": [
            {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Oslo"}}
        ],
    },
]


def events(items: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    return [{"name": name, "attributes": key_values(body)} for name, body in items]


def llm(tmp_path: Path, attributes: dict[str, Any], **more: Any) -> LLMCall:
    return only_llm(read(tmp_path, span(1, "x", attributes, **more)))


GENAI = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "m",
    "llm.provider": "openai",
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": "Be kind.",
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.contents.0.message_content.type": "text",
    "llm.input_messages.1.message.contents.0.message_content.text": "Weather in Oslo?",
    "llm.input_messages.2.message.role": "assistant",
    "llm.input_messages.2.message.tool_calls.0.tool_call.id": "c1",
    "llm.input_messages.2.message.tool_calls.0.tool_call.function.name": "weather",
    "llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments": '{"city": "Oslo"}',
    "llm.input_messages.3.message.role": "tool",
    "llm.input_messages.3.message.content": '{"c": 3}',
    "llm.input_messages.3.message.tool_call_id": "c1",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "3 degrees.",
    "llm.token_count.prompt": 7,
    "llm.token_count.completion": 2,
    "llm.cost.total": 0.25,
    "llm.tools.0.tool.json_schema": json.dumps(
        {"type": "function", "function": {"name": "weather", "parameters": TEMPLATE}}
    ),
}
