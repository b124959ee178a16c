"""What recordings lack, and what stands in for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anonymize.trace import Trace
from tests.sources.builders import only_llm, only_tool, read, span
from tests.sources.examples import (
    GENAI,
    HISTORY,
    OPENINFERENCE,
    PARTS,
    llm,
)


@pytest.mark.parametrize("mark", ["__REDACTED__", "<REDACTED>", "[REDACTED]"])
def test_redaction_marks_are_flagged(mark: str, tmp_path: Path) -> None:
    hidden = {**OPENINFERENCE, "llm.input_messages.0.message.content": mark}
    assert llm(tmp_path, hidden).flags == ("redacted",)


def test_json_that_was_cut_off_is_recovered_and_flagged(tmp_path: Path) -> None:
    whole = json.dumps([*PARTS, {"role": "user", "parts": [{"type": "text", "content": "x" * 99}]}])
    call = llm(tmp_path, {**GENAI, "gen_ai.input.messages": whole[:-60]})
    assert call.input[:2] == HISTORY[1:3]
    assert call.input[2].content.startswith("xxx")
    assert call.flags == ("truncated", "bad_json")


def test_a_sign_of_truncation_in_a_text_is_flagged(tmp_path: Path) -> None:
    cut = {**OPENINFERENCE, "llm.output_messages.0.message.content": "long ... [truncated]"}
    assert llm(tmp_path, cut).flags == ("truncated",)


def test_content_that_was_never_recorded_is_flagged(tmp_path: Path) -> None:
    trace = read(tmp_path, span(1, "chat m", GENAI))
    assert trace.lossy_flags == ("content_off",)


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ({"gen_ai.operation.name": "chat"}, "gen_ai.input.messages"),
        ({"langfuse.observation.type": "generation"}, "langfuse.observation.input"),
        ({"mlflow.spanType": "LLM"}, "mlflow.spanInputs"),
        ({"openinference.span.kind": "LLM"}, "input.value"),
        ({"span.type": "llm"}, "input"),
    ],
)
def test_the_question_is_unknown_where_the_end_of_what_was_asked_is_missing(
    kind: dict[str, str], asked: str, tmp_path: Path
) -> None:
    turns = [("user", "Where is A-1?"), ("assistant", "It was sent."), ("user", "Refund it.")]
    whole = json.dumps([{"role": role, "content": text} for role, text in turns])
    assert read(tmp_path, span(1, "x", {**kind, asked: whole})).input == "Refund it."
    for length in (30, 60, len(whole) - 5):
        trace = read(tmp_path, span(1, "x", {**kind, asked: whole[:length]}))
        assert trace.input is None
        assert "truncated" in trace.lossy_flags


def test_a_result_that_begins_as_json_and_breaks_off_is_flagged(tmp_path: Path) -> None:
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t"}
    for text, cut in (
        ('{"order_id":"A-17","status":"shipped","email":"a@b.e', True),
        ('[{"id": 1}, {"id"', True),
        ('{"id": 1} was found', False),
        ("[note] nothing found", False),
        ('{"id": 1}', False),
    ):
        call = only_tool(read(tmp_path, span(1, "t", {**tool, "gen_ai.tool.call.result": text})))
        assert ("truncated" in call.flags) == cut, text


def test_images_lose_their_bytes_and_keep_their_place(tmp_path: Path) -> None:
    data = "A" * 4000
    parts = [
        {"type": "text", "content": "what is this?"},
        {"type": "blob", "mime_type": "image/png", "data": data},
        {"type": "uri", "uri": "https://x.test/a.png"},
    ]
    trace = read(
        tmp_path,
        span(
            1,
            "x",
            {**GENAI, "gen_ai.input.messages": json.dumps([{"role": "user", "parts": parts}])},
        ),
    )
    content = only_llm(trace).input[0].content
    assert [p["type"] for p in content] == ["text", "blob", "uri"]
    assert data not in str(content)
    assert trace.input == "what is this?"
    assert "binary_dropped" in trace.lossy_flags


def test_the_service_stands_in_for_agent_and_version(tmp_path: Path) -> None:
    resource = {
        "service.name": "shop-agent",
        "service.version": "1.4.2",
        "deployment.environment.name": "prod",
    }
    trace = read(tmp_path, span(1, "chat m", GENAI), resource=resource)
    assert isinstance(trace, Trace)
    assert (trace.agent, trace.agent_version) == ("shop-agent", "1.4.2")
    assert trace.tags["environment"] == "prod"
    named = {**GENAI, "gen_ai.agent.name": "billing", "gen_ai.agent.version": "7"}
    trace = read(tmp_path, span(1, "chat m", named), resource=resource)
    assert (trace.agent, trace.agent_version) == ("billing", "7")
