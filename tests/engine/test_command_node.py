"""An agent in Node, unchanged: its model calls and tool calls are answered, and seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anonymize.trace import LLMCall, Message, ToolCall, ToolDefinition, ToolRequest, Trace
from replay.compare import ToolCatalog, compare_traces
from replay.config import ReplayConfig
from replay.results import ReplayResult
from replay.runner import run
from tests.engine.node_support import node_folder

ORDER = {"order_id": "A-17"}
SCHEMA = {"type": "object", "properties": {"order_id": {"type": "string"}}}
OFFERED = (ToolDefinition(name="get_order", description="Looks up an order", parameters=SCHEMA),)


def recorded() -> Trace:
    """A customer asks for an order, as production's instrumentation wrote it down."""
    start = (
        Message(role="system", content="You help customers."),
        Message(role="user", content="Where is A-17?"),
    )
    asks = Message(
        role="assistant",
        tool_requests=(ToolRequest(name="get_order", arguments=ORDER, call_id="c1"),),
    )
    told = Message(role="tool", content='{"status":"sent"}', tool_call_id="c1")
    says = Message(role="assistant", content="Your order is sent.")
    model = {"model": "gpt-4o-mini", "provider": "openai", "tools": OFFERED}
    return Trace(
        trace_id="node/1",
        agent="support",
        input="Where is A-17?",
        output="Your order is sent.",
        steps=(
            LLMCall(step_id="1", input=start, output=(asks,), **model),
            ToolCall(
                step_id="2",
                name="get_order",
                arguments=ORDER,
                result={"status": "sent"},
                call_id="c1",
                duration_ms=3.0,
            ),
            LLMCall(step_id="3", input=(*start, asks, told), output=(says,), **model),
        ),
    )


def replayed(folder: Path, version: str = "v1", **tables: Any) -> ReplayResult:
    config = ReplayConfig.from_tables(
        {
            "agents": {"x": {"command": ["node", "agent.mjs", version]}},
            "llm": {"mode": "recorded"},
            "replay": {"workers": 1},
            **tables,
        },
        folder,
    )
    (result,) = run([recorded()], "x", config)
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return node_folder(tmp_path, "openai", "@modelcontextprotocol/sdk")


def test_an_unchanged_agent_gets_its_models_and_tools_from_the_recording(folder: Path) -> None:
    result = replayed(folder)
    assert result.status == "ok", (result.broken_reason, result.printed)
    assert result.trace.output == "Your order is sent."
    assert result.fidelity == 1.0
    assert not result.unconsumed
    kinds = [type(step).__name__ for step in result.trace.steps]
    assert kinds == ["LLMCall", "ToolCall", "LLMCall"]
    (call,) = result.trace.tool_calls
    assert (call.name, call.arguments, call.result) == ("get_order", ORDER, {"status": "sent"})
    assert call.call_id == result.trace.llm_calls[0].output[0].tool_requests[0].call_id == "c1"
    assert result.trace.llm_calls[0].tools[0].parameters == SCHEMA
    assert "node agent is done" in result.printed


def test_the_same_agent_compares_as_the_same(folder: Path) -> None:
    found = compare_traces(recorded(), replayed(folder).trace, tools=ToolCatalog({}))
    assert found.verdict == "same"


def test_a_changed_agent_shows_what_it_does_differently(folder: Path) -> None:
    result = replayed(folder, "verbose")
    (call,) = result.trace.tool_calls
    assert call.arguments == {**ORDER, "verbose": True}
    assert call.error is not None
    assert "$.verbose" in result.misses[0]
    assert result.unconsumed == ("1 get_order",)
    assert result.status == "stopped"  # what it told the model next was never recorded either
