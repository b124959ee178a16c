"""Agents with the vendors' SDKs, replayed from the model calls of a trace: no HTTP was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anonymize.trace import (
    LLMCall,
    Message,
    StepError,
    ToolCall,
    ToolDefinition,
    ToolRequest,
    Trace,
    Usage,
    UserTurn,
)
from replay.results import ReplayResult
from replay.runner import run
from tests.engine.support import config_for

HERE = Path(__file__).parent
SYSTEM = Message(role="system", content="You are kind.")
OFFERED = (ToolDefinition(name="get_order", description="Gets an order."),)


def asks(*ids: int) -> Message:
    calls = (ToolRequest(name="get_order", arguments={"id": i}, call_id=f"c{i}") for i in ids)
    return Message(role="assistant", tool_requests=tuple(calls))


def user(text: str) -> Message:
    return Message(role="user", content=text)


def answer_of(number: int) -> Message:
    return Message(role="tool", tool_call_id=f"c{number}", content=f'{{"state": "sent {number}"}}')


def said(text: str) -> Message:
    return Message(role="assistant", content=text)


def called(number: int, step: str) -> ToolCall:
    return ToolCall(
        step_id=step, name="get_order", arguments={"id": number}, result={"state": f"sent {number}"}
    )


def model(step: str, asked: tuple[Message, ...], answer: Message, **more: Any) -> LLMCall:
    return LLMCall(
        step_id=step,
        model="gpt-5-2026-01-01",
        input=asked,
        output=(answer,),
        tools=OFFERED,
        usage=Usage(input_tokens=10, output_tokens=3),
        **more,
    )


def recording(trace_id: str = "t1", *, system: tuple[Message, ...] = (SYSTEM,)) -> Trace:
    """A question, two calls at once, an answer."""
    first = (*system, user("where are they?"))
    second = (*first, asks(7, 8), answer_of(7), answer_of(8))
    return Trace(
        trace_id=trace_id,
        agent="a",
        input="where are they?",
        output="Both are sent.",
        steps=(
            model("1", first, asks(7, 8), duration_ms=900.0),
            called(7, "2"),
            called(8, "3"),
            model("4", second, said("Both are sent.")),
        ),
    )


def replayed(function: str, *traces: Trace, **tables: Any) -> dict[str, ReplayResult]:
    agent = {
        "target": f"agents_for_wire:{function}",
        "path": [str(HERE)],
        **tables.pop("agent", {}),
    }
    tables["llm"] = {"mode": "recorded"} | tables.get("llm", {})
    results = run(traces, "x", config_for(function, agent=agent, **tables))
    return {r.trace.trace_id: r for r in results}


AGENTS = ("openai_chat", "openai_chat_stream", "azure", "openai_responses", "anthropic_messages")


@pytest.mark.parametrize("agent", AGENTS)
def test_an_sdk_is_answered_from_spans(agent: str) -> None:
    pytest.importorskip("anthropic" if agent.startswith("anthropic") else "openai")
    result = replayed(agent, recording())["t1"]
    assert (result.status, result.trace.error) == ("ok", None)
    assert result.trace.output == "Both are sent."
    assert [c.arguments for c in result.trace.tool_calls] == [{"id": 7}, {"id": 8}]
    assert [c.call_id for c in result.trace.tool_calls] == ["c7", "c8"]
    assert len(result.models) == 2
    assert set(result.models) <= {"exact", "normalized"}
    assert result.models_unconsumed == result.unconsumed == ()
    calls = result.trace.llm_calls
    assert [c.output for c in calls] == [c.output for c in recording().llm_calls]
    if agent != "openai_chat_stream":
        assert calls[0].usage == Usage(input_tokens=10, output_tokens=3)


def test_a_changed_prompt_ends_a_recorded_run_and_is_explained() -> None:
    result = replayed("changed_prompt", recording())["t1"]
    assert result.status == "stopped"
    assert "$.messages[0].content: 'You are kind.' != 'You are rude.'" in (
        result.broken_reason or ""
    )
    assert "model call 1 of 2" in result.misses[0]
    allowed = replayed("changed_prompt", recording(), llm={"ignore_instructions": True})["t1"]
    assert (allowed.status, set(allowed.models)) == ("ok", {"normalized"})


def test_a_span_without_instructions_does_not_say_that_there_were_none() -> None:
    result = replayed("openai_chat", recording(system=()))["t1"]
    assert (result.status, set(result.models)) == ("ok", {"normalized"})


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("openai.RateLimitError", ["RateLimitError", 429]),
        ("http_503", ["InternalServerError", 529]),
        ("BadRequestError", ["BadRequestError", 400]),
        ("APITimeoutError", ["APITimeoutError", None]),
    ],
)
def test_a_recorded_failure_is_what_the_sdk_raises(kind: str, outcome: list[Any]) -> None:
    """It is the outcome of all attempts: the SDK, which would retry, does not get further."""
    failed = LLMCall(
        step_id="1", model="gpt-5", input=(user("hi"),), error=StepError(kind=kind, message="no")
    )
    trace = Trace(trace_id="t1", agent="a", input="hi", steps=(failed,))
    assert replayed("tells_errors", trace)["t1"].trace.output == outcome


# --- several turns, and steps


def conversation() -> Trace:
    """Two turns of a user in one trace."""
    first = (SYSTEM, user("hi"))
    second = (*first, said("Hello!"), user("where is 7?"))
    third = (*second, asks(7), answer_of(7))
    return Trace(
        trace_id="t1",
        agent="a",
        input="hi",
        output="It is sent.",
        steps=(
            UserTurn(step_id="0", content="hi"),
            model("1", first, said("Hello!")),
            UserTurn(step_id="2", content="where is 7?"),
            model("3", second, asks(7)),
            called(7, "4"),
            model("5", third, said("It is sent.")),
        ),
    )


def test_each_turn_starts_from_the_recorded_history() -> None:
    result = replayed("openai_chat", conversation(), llm={"granularity": "turn"})["t1"]
    assert (result.status, result.trace.error) == ("ok", None)
    assert result.trace.output == "It is sent."
    kinds = [type(step).__name__ for step in result.trace.steps]
    assert kinds == ["LLMCall", "UserTurn", "LLMCall", "ToolCall", "LLMCall"]
    assert [step.step_id for step in result.trace.steps] == ["r1", "r2", "r3", "r4", "r5"]
    assert result.models == ("exact",) * 3
    assert result.unconsumed == ()


def test_a_session_is_one_run() -> None:
    result = replayed("openai_chat", conversation())["t1"]
    assert result.trace.output == "Hello!"
    assert result.unconsumed == ("1 get_order",)
    assert result.models_unconsumed == ("2 gpt-5-2026-01-01", "3 gpt-5-2026-01-01")


def test_each_step_is_taken_from_the_recorded_prefix() -> None:
    result = replayed("openai_chat", recording(), llm={"granularity": "step"})["t1"]
    assert (result.status, result.trace.error) == ("ok", None)
    assert result.trace.output == "Both are sent."
    kinds = [type(step).__name__ for step in result.trace.steps]
    assert kinds == ["LLMCall", "ToolCall", "ToolCall", "LLMCall"]
    assert result.models == ("exact", "exact")
    assert result.unconsumed == ()
