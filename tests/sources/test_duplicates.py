"""One call recorded twice is one call; two calls stay two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from anonymize.trace import Other
from tests.sources.builders import (
    agent,
    answers,
    asks,
    chat,
    exception,
    only_llm,
    only_tool,
    read,
    span,
    text,
    tool,
)

ASKED = text("user", "Where is A-1?")
DONE = text("assistant", "It was sent.")
REQUEST = asks("lookup", {"id": "A-1"})


def thin(number: int, **more: Any) -> dict[str, Any]:
    given = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "m-2024",
        "llm.token_count.prompt": 11,
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "It was sent.",
    }
    return span(number, "ChatCompletion", given, scope="sdk", **more)


def test_the_sdks_span_inside_the_frameworks_is_the_same_call(tmp_path: Path) -> None:
    outer = chat(2, [ASKED], [DONE], parent=1)
    trace = read(tmp_path, agent(1), outer, thin(3, parent=2, start=21, end=24))
    call = only_llm(trace)
    assert call.step_id == outer["spanId"]
    assert call.usage is not None
    assert call.usage.input_tokens == 11
    [duplicate] = [s for s in trace.steps if isinstance(s, Other) and s.kind == "duplicate"]
    assert (duplicate.input, duplicate.output) == (None, None)


def test_the_richer_of_two_records_is_kept_wherever_it_is(tmp_path: Path) -> None:
    inner = chat(3, [ASKED], [DONE], parent=2, start=21, end=24, scope="sdk")
    trace = read(tmp_path, agent(1), thin(2, parent=1), inner)
    assert only_llm(trace).step_id == inner["spanId"]
    assert only_llm(trace).input


def test_records_side_by_side_are_one_call_if_they_say_the_same(tmp_path: Path) -> None:
    trace = read(tmp_path, chat(2, [ASKED], [DONE]), thin(3, start=21, end=24))
    assert len(trace.llm_calls) == 1
    again = chat(4, [ASKED], [DONE], start=900)
    trace = read(tmp_path, chat(2, [ASKED], [DONE]), again)
    assert len(trace.llm_calls) == 2


def test_three_layers_of_instrumentation_are_one_call(tmp_path: Path) -> None:
    trace = read(
        tmp_path,
        thin(2),
        chat(3, [ASKED], [DONE], parent=2, start=21, end=24, scope="b"),
        thin(4, parent=3, start=22, end=23),
    )
    assert len(trace.llm_calls) == 1


def test_a_retry_inside_one_call_is_an_attempt(tmp_path: Path) -> None:
    failed = thin(3, parent=2, start=21, end=22, **exception("RateLimitError", "429"))
    trace = read(tmp_path, chat(2, [ASKED], [DONE]), failed, thin(4, parent=2, start=23, end=24))
    assert len(trace.llm_calls) == 1
    kinds = {s.step_id: s.kind for s in trace.steps if isinstance(s, Other)}
    assert kinds == {f"{3:016x}": "attempt", f"{4:016x}": "duplicate"}
    assert only_llm(trace).error is None


def test_a_span_around_several_calls_is_no_call(tmp_path: Path) -> None:
    wrapper = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    trace = read(
        tmp_path,
        span(1, "run", wrapper, start=0, end=99),
        chat(2, [ASKED], [REQUEST], parent=1),
        chat(3, [ASKED, REQUEST, answers("sent")], [DONE], parent=1),
    )
    assert len(trace.llm_calls) == 2
    assert len(trace.tool_calls) == 1


def test_a_tool_recorded_by_framework_and_protocol_is_one_call(tmp_path: Path) -> None:
    inner = span(
        4,
        "tools/call lookup",
        {"gen_ai.tool.name": "lookup", "mcp.method.name": "tools/call"},
        parent=3,
        scope="mcp",
        start=31,
        end=33,
    )
    trace = read(
        tmp_path,
        chat(2, [ASKED], [asks("mcp__shop__lookup", {"id": "A-1"})]),
        tool(3, "mcp__shop__lookup", {"id": "A-1"}, "sent"),
        inner,
    )
    assert only_tool(trace).result == "sent"


def test_an_agent_used_as_a_tool_keeps_its_own_calls(tmp_path: Path) -> None:
    trace = read(
        tmp_path,
        agent(1),
        chat(2, [ASKED], [asks("helper", {"q": "x"})], parent=1),
        tool(3, "helper", {"q": "x"}, "sent", parent=1, end=400),
        {**agent(4, "helper", parent=3), "endTimeUnixNano": agent(4)["endTimeUnixNano"]},
        chat(5, [text("user", "x")], [asks("lookup", {}, "c9")], parent=4),
        tool(6, "lookup", {}, "sent", call_id="c9", parent=4),
        chat(7, [ASKED, asks("helper", {"q": "x"}), answers("sent")], [DONE], parent=1),
    )
    assert [c.name for c in trace.tool_calls] == ["helper", "lookup"]
    assert len(trace.llm_calls) == 3
    assert (trace.agent, trace.input) == ("shop", "Where is A-1?")
