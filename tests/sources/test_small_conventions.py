"""Frameworks that follow a convention almost: by names, in log records, with words of their own."""

from __future__ import annotations

import json
from pathlib import Path

from anonymize.sources import open_source
from anonymize.trace import Retrieval, SkippedTrace, Trace, Usage
from tests.sources.builders import only_llm, only_tool, read, read_path, request, span
from tests.sources.examples import EVENTS, HISTORY


def test_claude_code_spans_with_details_on(tmp_path: Path) -> None:
    scope = "com.anthropic.claude_code.tracing"
    llm = {
        "span.type": "llm_request",
        "model": "claude-x",
        "gen_ai.request.model": "claude-x",
        "input_tokens": 2,
        "output_tokens": 12,
        "cache_read_tokens": 900,
        "stop_reason": "tool_use",
        "response.model_output": "I look.",
        "success": True,
    }
    tool = {
        "span.type": "tool",
        "tool_name": "Bash",
        "tool_use_id": "toolu_1",
        "gen_ai.tool.call.id": "toolu_1",
        "full_command": "ls",
    }
    told = {"name": "tool.output", "timeUnixNano": "1", "attributes": []}
    told["attributes"] = [{"key": "output", "value": {"stringValue": "shop.py"}}]
    asked = {"span.type": "interaction", "user_prompt": "Which files?", "session.id": "s"}
    trace = read(
        tmp_path,
        span(1, "claude_code.interaction", asked, end=99, scope=scope),
        span(2, "claude_code.llm_request", llm, parent=1, scope=scope),
        span(3, "claude_code.tool", tool, parent=1, scope=scope, events=[told]),
        span(4, "claude_code.tool.execution", {"success": True}, parent=3, scope=scope),
    )
    assert (trace.agent, trace.session_id, trace.input) == ("claude-code", "s", "Which files?")
    assert (only_llm(trace).model, only_llm(trace).usage) == (
        "claude-x",
        Usage(input_tokens=2, output_tokens=12),
    )
    call = only_tool(trace)
    assert (call.name, call.call_id) == ("Bash", "toolu_1")
    assert (call.arguments, call.result) == ({"command": "ls"}, "shop.py")


def test_claude_code_redacts_by_default(tmp_path: Path) -> None:
    asked = {"span.type": "interaction", "user_prompt": "<REDACTED>", "user_prompt_length": 12}
    trace = read(tmp_path, span(1, "claude_code.interaction", asked), span(2, "chat m", {}))
    assert trace.input is None
    assert "redacted" in trace.lossy_flags


def test_semantic_kernel_logs_each_message_as_the_text_of_an_event(tmp_path: Path) -> None:
    events = [
        {
            "name": name,
            "timeUnixNano": "1",
            "attributes": [
                {
                    "key": "content",
                    "value": {"stringValue": json.dumps({"role": name.split(".")[1], **body})},
                }
            ],
        }
        for name, body in EVENTS[:2]
    ]
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.response.finish_reason": "FinishReason.STOP",
    }
    call = only_llm(read(tmp_path, span(1, "chat m", attributes, events=events)))
    assert call.input == HISTORY[:2]
    assert call.finish_reason == "stop"


def test_spans_that_say_what_they_are_only_by_their_names(tmp_path: Path) -> None:
    """AG2 in Langfuse: no operation, input and output as values of the observation."""
    asked = [{"role": "user", "content": "Weather?"}]
    function = {"name": "weather", "arguments": '{"city": "Oslo"}'}
    asks = [{"role": "assistant", "content": "", "tool_calls": [{"id": "c", "function": function}]}]
    document = {
        "trace": {"id": "t", "name": "conversation proxy", "userId": "u", "sessionId": "s"},
        "observations": [
            {
                "id": name,
                "traceId": "t",
                "type": kind,
                "parentObservationId": parent,
                "startTime": f"2026-03-09T10:15:0{index}Z",
                "endTime": "2026-03-09T10:15:09Z",
                "name": name,
                "metadata": {"attributes": attributes},
                "input": given,
                "output": made,
            }
            for index, (name, kind, parent, attributes, given, made) in enumerate(
                [
                    ("conversation proxy", "SPAN", None, {}, asked, None),
                    ("invoke_agent helper", "SPAN", "conversation proxy", {}, asked, asks),
                    (
                        "chat m",
                        "GENERATION",
                        "invoke_agent helper",
                        {"gen_ai.request.model": "m"},
                        asked,
                        asks,
                    ),
                    (
                        "execute_tool weather",
                        "SPAN",
                        "conversation proxy",
                        {"gen_ai.tool.name": "weather", "gen_ai.tool.call.id": "c"},
                        '{"city": "Oslo"}',
                        "3 degrees",
                    ),
                ]
            )
        ],
    }
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document))
    [trace] = read_path(path)
    assert isinstance(trace, Trace)
    assert (trace.agent, trace.session_id, trace.user_id) == ("helper", "s", "u")
    call = only_tool(trace)
    assert (call.name, call.arguments, call.result) == ("weather", {"city": "Oslo"}, "3 degrees")
    assert call.flags == ()


def test_a_name_that_is_an_id_names_no_agent(tmp_path: Path) -> None:
    agent = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "99981f6a-abd1-4d09-9fba-00e2ab172193",
    }
    assert read(tmp_path, span(1, "invoke_agent x", agent)).agent == "shop"


def test_an_id_may_be_a_list_or_the_json_of_one(tmp_path: Path) -> None:
    """The Microsoft Agent Framework over OpenAI's assistants: the run's id, then the call's."""
    asks = {"type": "tool_call", "name": "t", "arguments": {}, "id": '["run_1", "call_1"]'}
    told = {"type": "tool_call_response", "response": "3", "id": ["run_1", "call_1"]}
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": json.dumps(
            [
                {"role": "user", "parts": [{"type": "text", "content": "?"}]},
                {"role": "assistant", "parts": [asks]},
                {"role": "tool", "parts": [told]},
            ]
        ),
    }
    call = only_tool(read(tmp_path, span(1, "chat m", attributes)))
    assert (call.call_id, call.result) == ("call_1", "3")


def test_arguments_as_python_prints_them_are_values_in_every_convention(tmp_path: Path) -> None:
    given = "{'city': 'Oslo', 'days': None}"
    for attributes in (
        {"langsmith.span.kind": "tool", "gen_ai.prompt": json.dumps({"input": given})},
        {"mlflow.spanType": "TOOL", "mlflow.spanInputs": json.dumps(given)},
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": given},
        {"openinference.span.kind": "TOOL", "input.value": given},
        {"ai.operationId": "ai.toolCall", "ai.toolCall.args": given},
        {"traceloop.span.kind": "tool", "traceloop.entity.input": given},
        {"span.type": "tool", "input": given, "output": "3"},
    ):
        call = only_tool(read(tmp_path, span(1, "t", attributes)))
        assert call.arguments == {"city": "Oslo", "days": None}, attributes


def test_what_a_decorated_function_was_called_with_is_what_was_asked(tmp_path: Path) -> None:
    for given in (
        {"args": ["Weather?"], "kwargs": {}},
        {"args": [], "kwargs": {"messages": [{"role": "user", "content": "Weather?"}]}},
        {"args": ["Weather?"]},
    ):
        asked = {"langfuse.observation.type": "agent", "langfuse.observation.input": given}
        attributes = {k: v if isinstance(v, str) else json.dumps(v) for k, v in asked.items()}
        assert read(tmp_path, span(1, "run", attributes)).input == "Weather?", given


def test_the_creation_of_an_agent_is_no_run(tmp_path: Path) -> None:
    made = {"gen_ai.operation.name": "create_agent", "gen_ai.agent.name": "helper"}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(request([span(1, "create_agent helper", made)])))
    [skipped] = open_source(str(path), {}).read()
    assert isinstance(skipped, SkippedTrace)
    assert skipped.reason == "no LLM, tool or agent span in the trace"


def test_a_hand_over_is_one_call_of_the_tool_that_hands_over(tmp_path: Path) -> None:
    asks = {"id": "c", "type": "function", "function": {"name": "transfer_to_refund_desk"}}
    llm = {
        "openinference.span.kind": "LLM",
        "input.value": json.dumps({"messages": [{"role": "user", "content": "Refund it."}]}),
        "output.value": json.dumps({"role": "assistant", "content": None, "tool_calls": [asks]}),
    }
    over = {"openinference.span.kind": "TOOL", "input.value": "triage", "output.value": "desk"}
    trace = read(tmp_path, span(1, "chat", llm), span(2, "handoff to Refund desk", over))
    call = only_tool(trace)
    assert (call.name, call.arguments, call.call_id) == ("transfer_to_refund_desk", {}, "c")


def test_a_search_inside_the_same_search_is_one_search(tmp_path: Path) -> None:
    outer = {
        "openinference.span.kind": "RETRIEVER",
        "input.value": "How is Oslo?",
        "retrieval.documents.0.document.content": "Oslo is cold",
    }
    inner = {
        "openinference.span.kind": "RETRIEVER",
        "input.value": json.dumps({"query_bundle": {"query_str": "How is Oslo?"}}),
        "input.mime_type": "application/json",
    }
    other = {"openinference.span.kind": "RETRIEVER", "input.value": "How is Rome?"}
    trace = read(
        tmp_path,
        span(1, "retrieve", outer, end=99),
        span(2, "_retrieve", inner, parent=1),
        span(3, "retrieve", other, parent=1),
    )
    assert [s.query for s in trace.steps if isinstance(s, Retrieval)] == [
        "How is Oslo?",
        "How is Rome?",
    ]
