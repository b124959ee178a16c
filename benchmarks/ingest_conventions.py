"""How three instrumentations write one model call, one tool call and one run into attributes.

OTel GenAI as JSON, OpenInference flattened with the raw request beside it, OpenLLMetry's numbered
form. Messages are given as OpenAI's interface has them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

Attributes = dict[str, Any]
Message = dict[str, Any]

TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": f"{verb}_{noun}",
            "description": f"{verb} one {noun} of the customer who asks. " * 4,
            "parameters": {
                "type": "object",
                "properties": {
                    "id": {"type": "string", "description": f"number of the {noun}"},
                    "reason": {"type": "string", "description": "what the customer said"},
                },
                "required": ["id"],
            },
        },
    }
    for verb in ("get", "update", "cancel")
    for noun in ("order", "invoice")
]


def as_json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _otel_model(history: list[Message], answer: Message) -> Attributes:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4.1",
        "gen_ai.response.model": "gpt-4.1-2025-04-14",
        "gen_ai.response.id": f"chatcmpl-{len(history)}",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 2048,
        "gen_ai.conversation.id": "s-1",
        "gen_ai.agent.name": "support",
        "server.address": "api.openai.com",
        "server.port": 443,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 80 * len(history),
        "gen_ai.usage.output_tokens": 60,
        "gen_ai.system_instructions": as_json([{"type": "text", "content": history[0]["content"]}]),
        "gen_ai.tool.definitions": as_json(TOOLS),
        "gen_ai.input.messages": as_json([_otel_message(m) for m in history[1:]]),
        "gen_ai.output.messages": as_json([{**_otel_message(answer), "finish_reason": "stop"}]),
    }


def _otel_message(message: dict[str, Any]) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    if message["role"] == "tool":
        answer = {"id": message["tool_call_id"], "response": message["content"]}
        return {"role": "tool", "parts": [{"type": "tool_call_response", **answer}]}
    if message.get("content"):
        parts.append({"type": "text", "content": message["content"]})
    for call in message.get("tool_calls", ()):
        given = {"id": call["id"], **call["function"]}
        given["arguments"] = orjson.loads(given["arguments"])
        parts.append({"type": "tool_call", **given})
    return {"role": message["role"], "parts": parts}


def _otel_tool(name: str, call_id: str, arguments: str, result: str) -> Attributes:
    return {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.id": call_id,
        "gen_ai.tool.type": "function",
        "gen_ai.tool.description": f"{name} of the customer who asks",
        "gen_ai.tool.call.arguments": arguments,
        "gen_ai.tool.call.result": result,
        "gen_ai.agent.name": "support",
        "thread.id": 140,
        "code.function": name,
    }


def _otel_agent(question: str) -> Attributes:
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "openai",
        "gen_ai.agent.name": "support",
        "gen_ai.agent.id": "asst_1",
        "gen_ai.conversation.id": "s-1",
        "gen_ai.request.model": "gpt-4.1",
        "enduser.id": "u-17",
        "thread.id": 140,
        "gen_ai.input.messages": as_json([_otel_message({"role": "user", "content": question})]),
    }


def _flat(prefix: str, message: dict[str, Any]) -> Attributes:
    out: Attributes = {f"{prefix}message.role": message["role"]}
    if message.get("content") is not None:
        out[f"{prefix}message.content"] = message["content"]
    if "tool_call_id" in message:
        out[f"{prefix}message.tool_call_id"] = message["tool_call_id"]
    for index, call in enumerate(message.get("tool_calls", ())):
        head = f"{prefix}message.tool_calls.{index}.tool_call."
        out[f"{head}id"] = call["id"]
        out[f"{head}function.name"] = call["function"]["name"]
        out[f"{head}function.arguments"] = call["function"]["arguments"]
    return out


def _inference_model(history: list[Message], answer: Message) -> Attributes:
    out: Attributes = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "gpt-4.1",
        "llm.provider": "openai",
        "llm.system": "openai",
        "llm.invocation_parameters": as_json({"model": "gpt-4.1", "temperature": 0.2}),
        "input.value": as_json({"messages": history, "model": "gpt-4.1", "tools": TOOLS}),
        "input.mime_type": "application/json",
        "output.value": as_json({"id": "chatcmpl-1", "choices": [{"message": answer}]}),
        "output.mime_type": "application/json",
        "llm.token_count.prompt": 80 * len(history),
        "llm.token_count.completion": 60,
        "llm.token_count.total": 80 * len(history) + 60,
        "session.id": "s-1",
        "user.id": "u-17",
    }
    for index, tool in enumerate(TOOLS):
        out[f"llm.tools.{index}.tool.json_schema"] = as_json(tool)
    for index, message in enumerate(history):
        out |= _flat(f"llm.input_messages.{index}.", message)
    return out | _flat("llm.output_messages.0.", answer)


def _inference_tool(name: str, call_id: str, arguments: str, result: str) -> Attributes:
    return {
        "openinference.span.kind": "TOOL",
        "tool.name": name,
        "tool.description": f"{name} of the customer who asks",
        "tool.parameters": as_json(TOOLS[0]["function"]["parameters"]),
        "tool_call.id": call_id,
        "input.value": arguments,
        "input.mime_type": "application/json",
        "output.value": result,
        "output.mime_type": "application/json",
        "session.id": "s-1",
    }


def _inference_agent(question: str) -> Attributes:
    return {
        "openinference.span.kind": "AGENT",
        "agent.name": "support",
        "input.value": question,
        "input.mime_type": "text/plain",
        "session.id": "s-1",
        "user.id": "u-17",
        "metadata": as_json({"tier": "gold"}),
    }


def _numbered_model(history: list[Message], answer: Message) -> Attributes:
    out: Attributes = {
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4.1",
        "gen_ai.response.model": "gpt-4.1-2025-04-14",
        "llm.request.type": "chat",
        "llm.is_streaming": False,
        "gen_ai.usage.input_tokens": 80 * len(history),
        "gen_ai.usage.output_tokens": 60,
        "llm.usage.total_tokens": 80 * len(history) + 60,
        "traceloop.workflow.name": "support",
        "traceloop.association.properties.session_id": "s-1",
        "traceloop.association.properties.user_id": "u-17",
    }
    for index, tool in enumerate(TOOLS):
        head = f"llm.request.functions.{index}."
        function: Any = tool["function"]
        out[f"{head}name"] = function["name"]
        out[f"{head}description"] = function["description"]
        out[f"{head}parameters"] = as_json(function["parameters"])
    for kind, messages in (("prompt", history), ("completion", [answer])):
        for index, message in enumerate(messages):
            head = f"gen_ai.{kind}.{index}."
            out[f"{head}role"] = message["role"]
            if message.get("content") is not None:
                out[f"{head}content"] = message["content"]
            if "tool_call_id" in message:
                out[f"{head}tool_call_id"] = message["tool_call_id"]
            for number, call in enumerate(message.get("tool_calls", ())):
                out[f"{head}tool_calls.{number}.id"] = call["id"]
                out[f"{head}tool_calls.{number}.name"] = call["function"]["name"]
                out[f"{head}tool_calls.{number}.arguments"] = call["function"]["arguments"]
    return out


def _numbered_tool(name: str, call_id: str, arguments: str, result: str) -> Attributes:
    given = {"input_str": arguments, "inputs": orjson.loads(arguments), "tags": []}
    return {
        "traceloop.span.kind": "tool",
        "traceloop.entity.name": name,
        "traceloop.entity.path": "support",
        "traceloop.workflow.name": "support",
        "traceloop.association.properties.session_id": "s-1",
        "traceloop.entity.input": as_json(given),
        "traceloop.entity.output": result,
    }


def _numbered_agent(question: str) -> Attributes:
    return {
        "traceloop.span.kind": "workflow",
        "traceloop.entity.name": "support",
        "traceloop.workflow.name": "support",
        "traceloop.association.properties.session_id": "s-1",
        "traceloop.association.properties.user_id": "u-17",
        "traceloop.entity.input": as_json({"question": question}),
    }


@dataclass(frozen=True, slots=True)
class Convention:
    """How one instrumentation writes a model call, a tool call and a run."""

    scope: str
    model: Callable[[list[Message], Message], Attributes]
    tool: Callable[[str, str, str, str], Attributes]
    agent: Callable[[str], Attributes]


CONVENTIONS = {
    "otel": Convention("opentelemetry.util.genai", _otel_model, _otel_tool, _otel_agent),
    "openinference": Convention(
        "openinference.instrumentation.openai", _inference_model, _inference_tool, _inference_agent
    ),
    "openllmetry": Convention(
        "opentelemetry.instrumentation.openai", _numbered_model, _numbered_tool, _numbered_agent
    ),
}
