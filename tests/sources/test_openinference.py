"""OpenInference: flattened messages, and what goes missing from them."""

from __future__ import annotations

import json
from pathlib import Path

from anonymize.trace import Retrieval, Usage
from tests.sources.builders import only_tool, read, span
from tests.sources.examples import (
    ANSWER,
    HISTORY,
    OPENINFERENCE,
    TEMPLATE,
    llm,
)


def test_openinference_messages(tmp_path: Path) -> None:
    call = llm(tmp_path, OPENINFERENCE)
    assert call.input == HISTORY
    assert call.output == ANSWER
    assert call.usage == Usage(input_tokens=7, output_tokens=2, cost=0.25)
    assert [t.name for t in call.tools] == ["weather"]
    assert call.tools[0].parameters == TEMPLATE
    assert call.flags == ()


def test_a_part_whose_type_is_no_text_is_read(tmp_path: Path) -> None:
    parts = "llm.input_messages.0.message.contents.0.message_content."
    odd = {f"{parts}type": {"x": 1}, f"{parts}text": "Hi."}
    plain = {"llm.input_messages.0.message.content": "Hi."}
    call = llm(tmp_path, {"openinference.span.kind": "LLM", **odd, **plain})
    assert "Hi." in json.dumps([m.content for m in call.input])


def test_a_gap_in_flattened_messages_is_flagged(tmp_path: Path) -> None:
    lost = {k: v for k, v in OPENINFERENCE.items() if "input_messages.0" not in k}
    call = llm(tmp_path, lost)
    assert call.input == HISTORY[1:]
    assert call.flags == ("attrs_dropped",)


def test_a_dropped_kind_is_inferred_and_flagged(tmp_path: Path) -> None:
    lost = {k: v for k, v in OPENINFERENCE.items() if k != "openinference.span.kind"}
    call = llm(tmp_path, lost, droppedAttributesCount=1)
    assert call.output == ANSWER
    assert call.flags == ("attrs_dropped", "kind_unknown")


def test_a_span_at_the_attribute_limit_is_flagged(tmp_path: Path) -> None:
    full = dict(OPENINFERENCE)
    full.update({f"own.{n}": n for n in range(128 - len(full))})
    assert llm(tmp_path, full).flags == ("attrs_dropped",)


def test_openinference_falls_back_to_the_raw_request(tmp_path: Path) -> None:
    body = {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Weather in Oslo?"},
        ],
    }
    response = {
        "id": "r1",
        "choices": [{"message": {"role": "assistant", "content": "3 degrees."}}],
    }
    call = llm(
        tmp_path,
        {
            "openinference.span.kind": "LLM",
            "input.value": json.dumps(body),
            "input.mime_type": "application/json",
            "output.value": json.dumps(response),
            "output.mime_type": "application/json",
        },
    )
    assert call.input == HISTORY[:2]
    assert call.output == ANSWER


def test_openinference_retrieval(tmp_path: Path) -> None:
    [step] = read(
        tmp_path,
        span(
            1,
            "search",
            {
                "openinference.span.kind": "RETRIEVER",
                "input.value": "shoes",
                "retrieval.documents.0.document.content": "red shoes",
                "retrieval.documents.0.document.score": 0.5,
                "retrieval.documents.1.document.metadata": '{"page": 2}',
            },
        ),
    ).steps
    assert isinstance(step, Retrieval)
    assert step.query == "shoes"
    assert step.documents == [{"content": "red shoes", "score": 0.5}, {"metadata": {"page": 2}}]


def test_openinference_tags_session_and_user(tmp_path: Path) -> None:
    trace = read(
        tmp_path,
        span(
            1,
            "x",
            {
                **OPENINFERENCE,
                "session.id": "s",
                "user.id": "u",
                "tag.tags": ["a", "b"],
                "metadata": '{"channel": "web", "langgraph_step": 2}',
            },
        ),
    )
    assert (trace.session_id, trace.user_id) == ("s", "u")
    assert trace.tags["tags"] == "a,b"
    assert trace.tags["channel"] == "web"
    assert "langgraph_step" not in trace.tags


def test_langchain_tool_input_as_python_text_is_read(tmp_path: Path) -> None:
    message = {"content": "sunny", "tool_call_id": "c9", "status": "success"}
    call = only_tool(
        read(
            tmp_path,
            span(
                1,
                "weather",
                {
                    "openinference.span.kind": "TOOL",
                    "tool.name": "weather",
                    "input.value": "{'city': 'Oslo', 'days': 2, 'x': None}",
                    "output.value": json.dumps({"type": "tool", "data": message}),
                    "output.mime_type": "application/json",
                },
            ),
        )
    )
    assert call.arguments == {"city": "Oslo", "days": 2, "x": None}
    assert (call.result, call.call_id) == ("sunny", "c9")
