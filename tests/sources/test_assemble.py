"""Spans into a trace: order, parents, joined tool calls, errors, duplicates, input and output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anonymize.trace import StepError, ToolCall, Trace, UserTurn
from tests.sources.builders import (
    agent,
    answers,
    asks,
    chat,
    exception,
    only_tool,
    read,
    span,
    text,
    tool,
)

ASKED = text("user", "Where is A-1?")
DONE = text("assistant", "It was sent.")
REQUEST = asks("lookup", {"id": "A-1"})


def asks_many(*calls: tuple[str, Any, str | None]) -> dict[str, Any]:
    parts = [{"type": "tool_call", "id": i, "name": n, "arguments": a} for n, a, i in calls]
    return {"role": "assistant", "parts": parts}


def test_a_run_is_asked_acts_and_answers_in_start_order(tmp_path: Path) -> None:
    trace = read(
        tmp_path,
        chat(4, [ASKED, REQUEST, answers("sent")], [DONE], parent=1),
        tool(3, "lookup", {"id": "A-1"}, "sent", parent=1),
        agent(1),
        chat(2, [ASKED], [REQUEST], parent=1),
    )
    assert [type(s).__name__ for s in trace.steps] == ["Other", "LLMCall", "ToolCall", "LLMCall"]
    assert {s.parent_id for s in trace.steps[1:]} == {trace.steps[0].step_id}
    assert (trace.input, trace.output, trace.agent) == ("Where is A-1?", "It was sent.", "shop")
    assert trace.duration_ms == 1000.0
    assert trace.steps[1].duration_ms == 5.0
    assert trace.lossy_flags == ()


def test_a_result_comes_from_the_next_history_if_the_span_has_none(tmp_path: Path) -> None:
    trace = read(
        tmp_path,
        chat(2, [ASKED], [REQUEST]),
        tool(3, "lookup", {"id": "A-1"}, None),
        chat(4, [ASKED, REQUEST, answers({"state": "sent"})], [DONE]),
    )
    assert only_tool(trace).result == {"state": "sent"}
    assert only_tool(trace).flags == ("result_rebuilt",)


def test_a_call_without_a_span_is_rebuilt_and_flagged(tmp_path: Path) -> None:
    trace = read(
        tmp_path,
        agent(1),
        chat(2, [ASKED], [REQUEST], parent=1),
        chat(4, [ASKED, REQUEST, answers({"state": "sent"})], [DONE], parent=1),
    )
    call = only_tool(trace)
    assert (call.name, call.arguments, call.call_id) == ("lookup", {"id": "A-1"}, "c1")
    assert call.result == {"state": "sent"}
    assert call.flags == ("tool_rebuilt",)
    assert trace.steps.index(call) == 2
    assert call.parent_id == trace.steps[0].step_id


def test_a_call_that_nobody_answered_has_no_result_and_the_run_is_partial(tmp_path: Path) -> None:
    trace = read(tmp_path, chat(2, [ASKED], [REQUEST]))
    assert only_tool(trace).flags == ("tool_result_missing", "tool_rebuilt")
    assert "partial" in trace.lossy_flags


def test_calls_before_the_first_recorded_llm_call_are_rebuilt_too(tmp_path: Path) -> None:
    before = [text("user", "earlier"), asks("old", {}, "c0"), answers("x", "c0")]
    trace = read(tmp_path, chat(2, [*before, ASKED, REQUEST, answers({"state": "sent"})], [DONE]))
    assert [c.name for c in trace.tool_calls] == ["lookup"]
    assert only_tool(trace).result == {"state": "sent"}
    assert trace.steps[0] is only_tool(trace)


def test_calls_known_only_from_the_agents_own_history_are_rebuilt(tmp_path: Path) -> None:
    own = agent(1)
    own["attributes"] += chat(1, [ASKED, REQUEST, answers("sent")], [DONE])["attributes"][2:]
    trace = read(tmp_path, own)
    assert only_tool(trace).result == "sent"
    assert only_tool(trace).flags == ("tool_rebuilt",)
    assert trace.output == "It was sent."


def test_spans_without_ids_are_matched_by_name_and_arguments(tmp_path: Path) -> None:
    many = asks_many(("get", {"n": 1}, "a"), ("get", {"n": 2}, "b"), ("get", {"n": 1}, "c"))
    trace = read(
        tmp_path,
        chat(2, [ASKED], [many]),
        tool(3, "get", {"n": 2}, "two", call_id=None),
        tool(4, "get", {"n": 1}, "one", call_id=None),
        tool(5, "get", {"n": 1}, "uno", call_id=None),
    )
    assert [(c.call_id, c.result) for c in trace.tool_calls] == [
        ("b", "two"),
        ("a", "one"),
        ("c", "uno"),
    ]


def test_ids_that_are_used_again_belong_to_the_latest_request(tmp_path: Path) -> None:
    one, two = asks("get", {"n": 1}, "0"), asks("get", {"n": 2}, "0")
    history = [ASKED, one, answers("first", "0")]
    trace = read(
        tmp_path,
        chat(2, [ASKED], [one]),
        tool(3, "get", {"n": 1}, None, call_id="0"),
        chat(4, history, [two]),
        tool(5, "get", {"n": 2}, None, call_id="0"),
        chat(6, [*history, two, answers("second", "0")], [DONE]),
    )
    assert [(c.arguments, c.result) for c in trace.tool_calls] == [
        ({"n": 1}, "first"),
        ({"n": 2}, "second"),
    ]


def test_calls_without_any_id_are_joined_by_order_and_get_a_flagged_one(tmp_path: Path) -> None:
    one = asks("now", {}, None)
    history = [ASKED, one, answers("10:00", None)]
    trace = read(
        tmp_path,
        chat(2, [ASKED], [one]),
        chat(4, history, [one]),
        chat(6, [*history, one, answers("10:05", None)], [DONE]),
    )
    assert [c.result for c in trace.tool_calls] == ["10:00", "10:05"]
    assert all("tool_call_id_synth" in c.flags for c in trace.tool_calls)
    assert len({c.call_id for c in trace.tool_calls}) == 2


def openinference_tool(number: int, name: str, value: str, **more: Any) -> dict[str, Any]:
    given = {"openinference.span.kind": "TOOL", "tool.name": name, "input.value": value}
    return span(number, name, given, **more)


def test_the_lost_name_of_a_single_argument_comes_from_the_request(tmp_path: Path) -> None:
    trace = read(
        tmp_path, chat(2, [ASKED], [REQUEST]), openinference_tool(3, "lookup", "A-1", parent=None)
    )
    assert only_tool(trace).arguments == {"id": "A-1"}
    assert only_tool(trace).call_id == "c1"


def test_the_lost_name_comes_from_the_tool_node_or_the_definition(tmp_path: Path) -> None:
    box = {"__type": "x", "tool_call": {"name": "lookup", "args": {"id": "A-1"}, "id": "c7"}}
    node = span(
        1,
        "tools",
        {
            "openinference.span.kind": "CHAIN",
            "input.value": json.dumps(box),
            "input.mime_type": "application/json",
        },
    )
    trace = read(tmp_path, node, openinference_tool(2, "lookup", "A-1", parent=1))
    assert (only_tool(trace).arguments, only_tool(trace).call_id) == ({"id": "A-1"}, "c7")
    schema = {"name": "lookup", "parameters": {"properties": {"id": {"type": "string"}}}}
    offered = chat(1, [ASKED], [DONE], attributes={"gen_ai.tool.definitions": json.dumps([schema])})
    trace = read(tmp_path, offered, openinference_tool(2, "lookup", "A-1"))
    assert only_tool(trace).arguments == {"id": "A-1"}


def test_hints_of_the_offered_tools_reach_the_calls(tmp_path: Path) -> None:
    offered = [
        {"name": "lookup", "annotations": {"readOnlyHint": True}},
        {"name": "refund", "annotations": {"destructiveHint": True}},
        {"name": "other"},
    ]
    trace = read(
        tmp_path,
        chat(
            2,
            [ASKED],
            [asks_many(("lookup", {}, "a"), ("refund", {}, "b"), ("other", {}, "c"))],
            attributes={"gen_ai.tool.definitions": json.dumps(offered)},
        ),
        tool(3, "lookup", {}, call_id="a"),
    )
    assert {c.name: c.effect for c in trace.tool_calls} == {
        "lookup": "read",
        "refund": "write",
        "other": None,
    }


def test_a_raised_error_has_no_result_and_a_returned_one_has(tmp_path: Path) -> None:
    raised = tool(3, "lookup", {}, None, **exception("TimeoutError", "too slow"))
    returned = tool(4, "lookup", {}, "Error: too slow", call_id="c2", status={"code": 2})
    told = answers({"x": 1}, "c3")
    told["parts"][0] |= {"is_error": True, "response": "no such order"}
    trace = read(
        tmp_path,
        chat(2, [ASKED], [asks_many(("lookup", {}, "c1"), ("lookup", {}, "c2"))]),
        raised,
        returned,
        chat(5, [ASKED], [asks("find", {}, "c3")]),
        chat(6, [ASKED, asks("find", {}, "c3"), told], [DONE]),
    )
    first, second, third = trace.tool_calls
    assert (first.result, first.error) == (None, StepError(kind="TimeoutError", message="too slow"))
    assert "tool_result_missing" not in first.flags
    assert second.result == "Error: too slow"
    assert second.error is not None
    assert third.result == "no such order"
    assert third.error == StepError(kind="ToolError", message="no such order")
    assert trace.error is None


def test_the_error_of_the_run_is_the_error_of_its_root(tmp_path: Path) -> None:
    trace = read(
        tmp_path,
        agent(1, **exception("Boom", "it broke")),
        chat(2, [ASKED], [REQUEST], parent=1),
    )
    assert trace.error == StepError(kind="Boom", message="it broke")
    assert trace.output is None


def test_stack_traces_are_not_kept(tmp_path: Path) -> None:
    status = {"code": 2, "message": "E('x')Traceback (most recent call last):\n  File secret.py"}
    trace = read(tmp_path, chat(2, [ASKED], [], status=status))
    assert trace.error == StepError(kind="Error", message="E('x')")


# --- turns, input, output ----------------------------------------------------------------------


def test_what_the_user_says_between_two_calls_is_a_turn(tmp_path: Path) -> None:
    more = text("user", "And A-2?")
    trace = read(
        tmp_path,
        agent(1),
        chat(2, [ASKED], [DONE], parent=1),
        chat(3, [ASKED, DONE, more], [text("assistant", "Lost.")], parent=1),
    )
    [turn] = [s for s in trace.steps if isinstance(s, UserTurn)]
    assert turn.content == "And A-2?"
    assert trace.steps.index(turn) == 2
    assert (trace.input, trace.output) == ("Where is A-1?", "Lost.")


def test_words_that_a_framework_puts_into_the_history_are_no_turn(tmp_path: Path) -> None:
    retry = text("user", "Fix the errors and try again.")
    trace = read(
        tmp_path,
        chat(2, [ASKED], [REQUEST]),
        chat(3, [ASKED, REQUEST, answers("bad"), retry], [DONE]),
    )
    assert not [s for s in trace.steps if isinstance(s, UserTurn)]


def root(given: Any, made: Any, mime: str = "application/json") -> dict[str, Any]:
    attributes = {
        "openinference.span.kind": "CHAIN",
        "input.value": given if isinstance(given, str) else json.dumps(given),
        "output.value": made if isinstance(made, str) else json.dumps(made),
        "input.mime_type": mime,
        "output.mime_type": mime,
    }
    return span(1, "run", attributes, start=0, end=99)


@pytest.mark.parametrize(
    ("given", "made", "asked", "answered"),
    [
        ({"messages": [["user", "hello?"]]}, {"messages": []}, "hello?", "It was sent."),
        ("hello?", "plain words", "hello?", "plain words"),
        ({"city": "Oslo", "days": 2}, {"c": 3}, "Where is A-1?", {"c": 3}),
        ({"x": 1}, {"output": "final", "steps": 2}, "Where is A-1?", "final"),
        ({"x": 1}, {"answer": "It was sent.", "text": "y"}, "Where is A-1?", "It was sent."),
    ],
)
def test_input_and_output_come_from_the_outside_in(
    given: Any, made: Any, asked: Any, answered: Any, tmp_path: Path
) -> None:
    trace = read(tmp_path, root(given, made), chat(2, [ASKED], [DONE], parent=1))
    assert (trace.input, trace.output) == (asked, answered)


def test_a_run_without_any_llm_call_keeps_its_json_input(tmp_path: Path) -> None:
    given = {"city": "Oslo", "days": 2}
    trace = read(tmp_path, root(given, [1, 2]), tool(2, "weather", given, parent=1))
    assert (trace.input, trace.output) == (given, [1, 2])


def test_an_open_root_makes_a_partial_trace(tmp_path: Path) -> None:
    trace = read(
        tmp_path,
        {**agent(1), "endTimeUnixNano": "0"},
        chat(2, [ASKED], [REQUEST], parent=1),
    )
    assert "partial" in trace.lossy_flags
    assert trace.duration_ms is None


def test_steps_have_unique_ids_and_parents_in_the_trace(tmp_path: Path) -> None:
    trace = read(
        tmp_path,
        agent(1),
        chat(2, [ASKED], [asks_many(("a", {}, None), ("b", {}, None))], parent=1),
        chat(3, [ASKED, DONE, text("user", "x"), text("user", "y")], [DONE], parent=1),
    )
    ids = [s.step_id for s in trace.steps]
    assert len(ids) == len(set(ids))
    assert {s.parent_id for s in trace.steps} <= {None, *ids}
    assert isinstance(trace, Trace)
    assert all(isinstance(s.name, str) for s in trace.steps if isinstance(s, ToolCall))
