"""The other conventions, and several of them at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anonymize.trace import LLMCall, ToolCall, Usage
from tests.sources.builders import only_llm, only_tool, read, span
from tests.sources.examples import (
    ANSWER,
    EVENTS,
    GENAI,
    HISTORY,
    OPENINFERENCE,
    TEMPLATE,
    llm,
)


def test_old_openllmetry_prompts(tmp_path: Path) -> None:
    call = llm(
        tmp_path,
        {
            "llm.request.type": "chat",
            "gen_ai.request.model": "m",
            "gen_ai.prompt.0.role": "system",
            "gen_ai.prompt.0.content": "Be kind.",
            "gen_ai.prompt.1.role": "user",
            "gen_ai.prompt.1.content": json.dumps([{"type": "text", "text": "Weather in Oslo?"}]),
            "gen_ai.prompt.2.role": "assistant",
            "gen_ai.prompt.2.tool_calls.0.id": "c1",
            "gen_ai.prompt.2.tool_calls.0.name": "weather",
            "gen_ai.prompt.2.tool_calls.0.arguments": '{"city": "Oslo"}',
            "gen_ai.prompt.3.role": "tool",
            "gen_ai.prompt.3.content": '{"c": 3}',
            "gen_ai.prompt.3.tool_call_id": "c1",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": "3 degrees.",
            "gen_ai.completion.0.finish_reason": "stop",
            "llm.request.functions.0.name": "weather",
            "llm.request.functions.0.parameters": json.dumps(TEMPLATE),
            "gen_ai.usage.prompt_tokens": 7,
            "gen_ai.usage.completion_tokens": 2,
            "traceloop.association.properties.session_id": "s",
        },
    )
    assert call.input == HISTORY
    assert call.output == ANSWER
    assert call.usage == Usage(input_tokens=7, output_tokens=2)
    assert call.finish_reason == "stop"
    assert call.tools[0].parameters == TEMPLATE


def test_openllmetry_workflow_and_tool(tmp_path: Path) -> None:
    flow = {
        "traceloop.span.kind": "workflow",
        "traceloop.entity.name": "shop_flow",
        "traceloop.workflow.name": "shop_flow",
        "traceloop.entity.input": json.dumps({"args": [], "kwargs": {"question": "Weather?"}}),
        "traceloop.entity.output": json.dumps("3 degrees."),
        "traceloop.association.properties.user_id": "u",
    }
    tool = {
        "traceloop.span.kind": "tool",
        "traceloop.entity.name": "weather",
        "traceloop.entity.input": json.dumps(
            {"input_str": "{'city': 'Oslo'}", "tags": [], "metadata": {}, "kwargs": {}}
        ),
        "traceloop.entity.output": json.dumps({"output": "sunny", "kwargs": {}}),
    }
    trace = read(
        tmp_path, span(1, "shop_flow.workflow", flow, end=99), span(2, "t", tool, parent=1)
    )
    assert trace.agent == "shop_flow"
    assert trace.user_id == "u"
    assert only_tool(trace).arguments == {"city": "Oslo"}
    assert only_tool(trace).result == "sunny"


def test_pydantic_ai_of_every_age(tmp_path: Path) -> None:
    message_events = [
        {"event.name": name, "role": name.split(".")[1], **body} for name, body in EVENTS[:2]
    ]
    choice = {
        "event.name": "gen_ai.choice",
        "index": 0,
        "message": {"role": "assistant", "content": "3 degrees."},
    }
    old = llm(tmp_path, {**GENAI, "events": json.dumps([*message_events, choice])})
    assert old.input == HISTORY[:2]
    assert old.output == ANSWER
    tool = span(
        2,
        "running tool: weather",
        {
            "gen_ai.tool.name": "weather",
            "gen_ai.tool.call.id": "c1",
            "tool_arguments": '{"city": "Oslo"}',
            "tool_response": "sunny",
        },
        scope="pydantic-ai",
    )
    call = only_tool(read(tmp_path, tool))
    assert (call.arguments, call.result) == ({"city": "Oslo"}, "sunny")


def test_an_output_tool_is_an_answer_and_no_tool_call(tmp_path: Path) -> None:
    asked = [{"role": "user", "parts": [{"type": "text", "content": "Rate it"}]}]
    part = {"type": "tool_call", "id": "c", "name": "final_result", "arguments": {"good": True}}
    trace = read(
        tmp_path,
        span(
            1,
            "chat m",
            {
                **GENAI,
                "gen_ai.input.messages": json.dumps(asked),
                "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [part]}]),
                "model_request_parameters": json.dumps(
                    {"function_tools": [], "output_tools": [{"name": "final_result"}]}
                ),
            },
            scope="pydantic-ai",
        ),
    )
    assert trace.tool_calls == ()
    assert trace.output == {"good": True}
    assert trace.lossy_flags == ()


def test_placeholders_of_logfire_are_no_steps(tmp_path: Path) -> None:
    pending = span(9, "chat m", {**GENAI, "logfire.span_type": "pending_span"}, scope="logfire")
    trace = read(tmp_path, pending, span(1, "chat m", GENAI))
    assert len(trace.steps) == 1


def test_vercel_outer_span_is_the_agent(tmp_path: Path) -> None:
    outer = {
        "ai.operationId": "ai.generateText",
        "ai.telemetry.functionId": "shop",
        "ai.telemetry.metadata.userId": "u",
        "ai.telemetry.metadata.sessionId": "s",
        "ai.telemetry.metadata.plan": "pro",
        "ai.prompt": json.dumps({"system": "Be kind.", "prompt": "Weather in Oslo?"}),
        "ai.response.text": "3 degrees.",
    }
    inner = {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.model.id": "m",
        "ai.model.provider": "openai.chat",
        "ai.prompt.messages": json.dumps(
            [
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": [{"type": "text", "text": "Weather in Oslo?"}]},
                {
                    "role": "assistant",
                    "content": [
                        {
                            "type": "tool-call",
                            "toolCallId": "c1",
                            "toolName": "weather",
                            "input": {"city": "Oslo"},
                        }
                    ],
                },
                {
                    "role": "tool",
                    "content": [
                        {
                            "type": "tool-result",
                            "toolCallId": "c1",
                            "toolName": "weather",
                            "output": {"type": "text", "value": '{"c": 3}'},
                        }
                    ],
                },
            ]
        ),
        "ai.prompt.tools": [json.dumps({"name": "weather", "inputSchema": TEMPLATE})],
        "ai.response.text": "3 degrees.",
        "ai.response.finishReason": "stop",
        "ai.usage.promptTokens": 7,
        "ai.usage.completionTokens": 2,
    }
    tool = {
        "ai.operationId": "ai.toolCall",
        "ai.toolCall.name": "weather",
        "ai.toolCall.id": "c1",
        "ai.toolCall.args": '{"city": "Oslo"}',
        "ai.toolCall.result": '{"c": 3}',
    }
    trace = read(
        tmp_path,
        span(1, "ai.generateText", outer, start=0, end=99, scope="ai"),
        span(2, "ai.generateText.doGenerate", inner, parent=1, scope="ai"),
        span(3, "ai.toolCall", tool, parent=1, start=5, scope="ai"),
    )
    call = only_llm(trace)
    assert [(m.role, m.content, m.tool_requests, m.tool_call_id) for m in call.input] == [
        (m.role, m.content, m.tool_requests, m.tool_call_id) for m in HISTORY
    ]
    assert call.output == ANSWER
    assert call.tools[0].parameters == TEMPLATE
    assert only_tool(trace).result == {"c": 3}
    assert (trace.agent, trace.user_id, trace.session_id) == ("shop", "u", "s")
    assert trace.tags["plan"] == "pro"
    assert (trace.input, trace.output) == ("Weather in Oslo?", "3 degrees.")


def test_langfuse_sdk_spans(tmp_path: Path) -> None:
    generation = {
        "langfuse.observation.type": "generation",
        "langfuse.observation.input": json.dumps([{"role": "user", "content": "Weather in Oslo?"}]),
        "langfuse.observation.output": json.dumps({"role": "assistant", "content": "3 degrees."}),
        "langfuse.observation.model.name": "m",
        "langfuse.observation.usage_details": '{"input": 7, "output": 2}',
        "langfuse.observation.cost_details": '{"input": 0.1, "output": 0.2}',
        "langfuse.trace.name": "shop",
        "langfuse.trace.tags": ["prod"],
        "langfuse.version": "v2",
        "session.id": "s",
        "user.id": "u",
    }
    trace = read(tmp_path, span(1, "chat", generation))
    call = only_llm(trace)
    assert call.usage is not None
    assert call.usage.cost == pytest.approx(0.3)
    assert call.output == ANSWER
    assert (trace.agent, trace.agent_version, trace.session_id) == ("shop", "v2", "s")
    assert trace.tags["tags"] == "prod"


def test_langsmith_google_adk_and_mlflow(tmp_path: Path) -> None:
    langsmith = {
        "langsmith.span.kind": "llm",
        "langsmith.metadata.ls_model_name": "m",
        "gen_ai.prompt": json.dumps(
            {"messages": [{"role": "user", "content": "Weather in Oslo?"}]}
        ),
        "gen_ai.completion": json.dumps(
            {"generations": [[{"text": "3 degrees.", "message": {"kwargs": {}}}]]}
        ),
    }
    adk = {
        "gen_ai.system": "gcp.vertex.agent",
        "gcp.vertex.agent.llm_request": json.dumps(
            {"model": "m", "contents": [{"role": "user", "parts": [{"text": "Weather in Oslo?"}]}]}
        ),
        "gcp.vertex.agent.llm_response": json.dumps(
            {"content": {"role": "model", "parts": [{"text": "3 degrees."}]}}
        ),
    }
    mlflow = {
        "mlflow.spanType": '"CHAT_MODEL"',
        "mlflow.spanInputs": json.dumps(
            {"model": "m", "messages": [{"role": "user", "content": "Weather in Oslo?"}]}
        ),
        "mlflow.spanOutputs": json.dumps(
            json.dumps({"choices": [{"message": {"role": "assistant", "content": "3 degrees."}}]})
        ),
    }
    for attributes in (langsmith, adk, mlflow):
        call = llm(tmp_path, attributes)
        assert call.input == HISTORY[1:2]
        assert call.output == ANSWER
        assert call.model == "m"


def test_two_conventions_on_one_span_complete_each_other(tmp_path: Path) -> None:
    partial = {k: v for k, v in OPENINFERENCE.items() if "output" not in k and "token" not in k}
    call = llm(
        tmp_path,
        {
            **partial,
            **GENAI,
            "gen_ai.usage.input_tokens": 7,
            "gen_ai.output.messages": json.dumps(
                [{"role": "assistant", "parts": [{"type": "text", "content": "3 degrees."}]}]
            ),
        },
    )
    assert call.input == HISTORY
    assert call.output == ANSWER
    assert call.usage == Usage(input_tokens=7, cost=0.25)


def test_conventions_mix_within_one_trace(tmp_path: Path) -> None:
    trace = read(
        tmp_path,
        span(1, "run", {"traceloop.span.kind": "workflow"}, end=99),
        span(2, "ChatOpenAI", OPENINFERENCE, parent=1, scope="oi"),
        span(3, "tool", {"ai.operationId": "ai.toolCall", "ai.toolCall.name": "t"}, parent=1),
    )
    assert [type(s) for s in trace.steps[1:]] == [ToolCall, LLMCall, ToolCall]
    assert [c.flags[:1] for c in trace.tool_calls] == [("tool_rebuilt",), ("content_off",)]
