"""OTel GenAI, the new messages and the old events."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anonymize.trace import Usage
from tests.sources.builders import only_tool, read, span
from tests.sources.examples import (
    ANSWER,
    EVENTS,
    GENAI,
    HISTORY,
    PARTS,
    events,
    llm,
)


@pytest.mark.parametrize("field", ["result", "response"])
def test_new_genai_messages(field: str, tmp_path: Path) -> None:
    tool = {"type": "tool_call_response", "id": "c1", field: '{"c": 3}'}
    call = llm(
        tmp_path,
        {
            **GENAI,
            "gen_ai.provider.name": "openai",
            "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be kind."}]),
            "gen_ai.input.messages": json.dumps([*PARTS, {"role": "tool", "parts": [tool]}]),
            "gen_ai.output.messages": json.dumps(
                [{"role": "assistant", "parts": [{"type": "text", "content": "3 degrees."}]}]
            ),
            "gen_ai.usage.input_tokens": 7,
            "gen_ai.usage.output_tokens": "2",
            "gen_ai.response.finish_reasons": ["stop"],
        },
    )
    assert call.input == HISTORY
    assert call.output == ANSWER
    assert (call.model, call.provider, call.finish_reason) == ("m", "openai", "stop")
    assert call.usage == Usage(input_tokens=7, output_tokens=2)


def test_a_user_message_with_tool_answers_is_taken_apart(tmp_path: Path) -> None:
    parts = [
        {"type": "tool_call_response", "id": "c1", "name": "weather", "result": '{"c": 3}'},
        {"type": "text", "content": "and now?"},
    ]
    call = llm(
        tmp_path,
        {**GENAI, "gen_ai.input.messages": json.dumps([{"role": "user", "parts": parts}])},
    )
    assert [m.role for m in call.input] == ["tool", "user"]


def test_old_genai_events_on_the_span(tmp_path: Path) -> None:
    call = llm(tmp_path, GENAI, events=events(EVENTS))
    assert call.input == HISTORY
    assert call.output == ANSWER


def test_old_genai_events_with_their_content_as_one_json(tmp_path: Path) -> None:
    boxed = []
    for name, body in EVENTS:
        inner = dict(body)
        if "tool_calls" in inner:
            inner["tool_calls"] = json.loads(inner["tool_calls"])
        if name == "gen_ai.choice":
            inner["message"] = {"role": "Assistant", "content": "3 degrees."}
        boxed.append((name, {"gen_ai.event.content": json.dumps(inner)}))
    call = llm(tmp_path, GENAI, events=events(boxed))
    assert call.input == HISTORY
    assert call.output == ANSWER


def test_details_event_and_oldest_content_events(tmp_path: Path) -> None:
    details = {
        "gen_ai.input.messages": json.dumps(PARTS[:1]),
        "gen_ai.output.messages": json.dumps(PARTS[1:]),
    }
    name = "gen_ai.client.inference.operation.details"
    call = llm(tmp_path, GENAI, events=events([(name, details)]))
    assert call.input == HISTORY[1:2]
    assert call.output == HISTORY[2:3]
    old = [
        ("gen_ai.content.prompt", {"gen_ai.prompt": "user: Weather in Oslo?"}),
        ("gen_ai.content.completion", {"gen_ai.completion": "3 degrees."}),
    ]
    call = llm(tmp_path, GENAI, events=events(old))
    assert call.input == HISTORY[1:2]
    assert call.output == ANSWER


def test_prompt_and_completion_attributes(tmp_path: Path) -> None:
    prompt = [{"role": "user", "content": "Weather in Oslo?"}]
    given = {"gen_ai.prompt": json.dumps(prompt), "gen_ai.completion": "3 degrees."}
    call = llm(tmp_path, {**GENAI, **given})
    assert call.input == HISTORY[1:2]
    assert call.output == ANSWER


def test_a_tool_whose_arguments_and_result_are_events(tmp_path: Path) -> None:
    call = only_tool(
        read(
            tmp_path,
            span(
                1,
                "execute_tool weather",
                {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather"},
                events=events(
                    [
                        ("gen_ai.tool.message", {"content": '{"city": "Oslo"}', "id": "c1"}),
                        ("gen_ai.choice", {"message": '{"c": 3}', "id": "c1"}),
                    ]
                ),
            ),
        )
    )
    assert (call.arguments, call.result, call.call_id) == ({"city": "Oslo"}, {"c": 3}, "c1")
