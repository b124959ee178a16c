"""Agents with an MCP client of their own: the official package, and no server anywhere."""

from __future__ import annotations

import pytest

from tests.adapters.support import ORDER, WEATHER, run_here
from tests.engine.support import called, make_trace, plan_of

pytest.importorskip("mcp", reason="the extra 'mcp' is not installed")
pytestmark = pytest.mark.usefixtures("model")

CALLS = [["get_weather", {"city": "Paris"}], ["lookup_order", {"order_id": "A-17"}]]


@pytest.mark.parametrize("name", ["over_stdio", "over_http", "over_sse", "with_client"])
def test_a_session_is_answered_from_the_recording(name: str) -> None:
    trace = make_trace(WEATHER, ORDER, input=CALLS)
    result = run_here(f"agents_mcp:{name}", trace, agent={"adapter": "mcp"})
    assert result.raised is None
    assert result.output["tools"] == ["get_weather", "lookup_order"]
    assert [failed for _, failed in result.output["results"]] == [False, False]
    assert "shipped" in result.output["results"][1][0]
    assert [c[2] for c in result.calls] == ["exact", "exact"]


def test_a_failed_tool_and_a_fault_are_results_of_an_error() -> None:
    failed = called("get_weather", {"city": "Paris"}, raised=("ValueError", "no such city"))
    trace = make_trace(failed, ORDER, input=CALLS)
    plan = plan_of("timeout:tool=lookup_order")
    result = run_here("agents_mcp:over_stdio", trace, plan, agent={"adapter": "mcp"})
    texts = result.output["results"]
    assert texts[0] == ["no such city", True]
    assert texts[1][1] is True


def test_a_call_that_was_not_recorded_says_so_to_the_agent_and_to_the_run() -> None:
    trace = make_trace(WEATHER, input=[["get_weather", {"city": "Oslo"}]])
    result = run_here("agents_mcp:over_stdio", trace, agent={"adapter": "mcp"})
    assert result.output["results"][0][0].startswith("not recorded")
    assert result.world.misses
