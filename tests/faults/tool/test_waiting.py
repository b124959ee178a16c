"""Agents that give up on a late tool: their own time-outs fire, in virtual time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from anonymize.trace import Retrieval
from tests.adapters.support import ORDER, WEATHER, Run, run_here, trace_of
from tests.clock.test_virtual_time import patched
from tests.engine.support import make_trace, plan_of

for module in ("langgraph", "agents", "pydantic_ai", "mcp"):
    pytest.importorskip(module, reason=f"{module} is not installed")
pytestmark = pytest.mark.usefixtures("model", "patched")
__all__ = ["patched"]

HERE = "tests.faults.tool.agents_waiting"
#: Real seconds that thirty virtual ones may cost on a busy machine.
CHEAP = 25.0


def run(name: str, trace: Any, *specs: str, **tables: Any) -> Run:
    began = time.perf_counter()
    found = run_here(f"{HERE}:{name}", trace, plan_of(*specs), virtual=True, **tables)
    assert time.perf_counter() - began < CHEAP
    return found


@pytest.mark.parametrize("name", ["by_hand", "in_a_thread"])
def test_plain_code_gives_up_and_the_call_is_written_down(name: str) -> None:
    found = run(name, trace_of("weather", WEATHER), "latency:seconds=30")
    assert (found.raised, found.output) == (None, "gave up")
    (call,) = found.tool_calls
    assert (call.error and call.error.kind, call.fault) == ("Cancelled", "latency")
    assert found.world.proofs[0].seen == "gave up on an answer after 30 s"


def test_who_waits_long_enough_gets_the_answer() -> None:
    found = run("by_hand", trace_of("weather", WEATHER), "latency:seconds=3")
    assert found.output == {"city": "Paris", "temp_c": 21}
    assert found.world.now == 3.0
    assert found.tool_calls[0].duration_ms == 3000.0


def test_a_late_answer_holds_up_nobody_else() -> None:
    found = run("at_once", trace_of("x", WEATHER, ORDER), "latency:tool=get_weather,seconds=30")
    assert found.output == ["order", "shipped", 21]
    assert found.world.now == 30.0


@pytest.mark.parametrize("name", ["langgraph", "openai_agents", "pydantic_ai"])
def test_a_time_out_around_a_framework_fires_while_its_tool_is_late(name: str) -> None:
    asked = trace_of("order", ORDER)
    agent = {"adapter": name.replace("_", "-")}
    live = run_here(f"{HERE}:{name}", asked, agent=agent)
    assert live.raised is None
    assert live.output != "gave up"
    # Its model is recorded now: nothing real is left that could hold up the clock.
    recorded = make_trace(*live.steps, input="order")
    spec = "latency:tool=lookup_order,seconds=30"
    found = run(name, recorded, spec, llm={"mode": "recorded"}, agent=agent)
    assert (found.raised, found.output) == (None, "gave up")
    (call,) = found.tool_calls
    assert (call.error and call.error.kind, call.fault) == ("Cancelled", "latency")


def test_an_mcp_client_gives_up_and_its_session_goes_on() -> None:
    trace = make_trace(WEATHER, ORDER, input="x")
    spec = "latency:tool=get_weather,seconds=30"
    found = run("mcp", trace, spec, agent={"adapter": "mcp"})
    assert found.raised is None
    said, order = found.output
    assert "Timed out" in said or "timed out" in said
    assert "shipped" in order
    late, _ = found.tool_calls
    assert (late.error and late.error.kind, late.fault) == ("Cancelled", "latency")


# --- searches

SEARCH = Retrieval(
    step_id="s1",
    name="docs",
    query="shoes",
    documents=[{"id": "d1", "content": "first"}, {"id": "d2", "content": "second"}],
)


@pytest.mark.parametrize("name", ["searching", "asearching"])
@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("reordered_items:order=reversed", "d2: second"),
        ("truncated:keep=0.5", "d1: first"),
        ("null_fields:field=id", "None: first"),
        ("latency:seconds=30", "d1: first"),
        ("renamed_field:field=content,to=body", "d1: "),
    ],
)
def test_a_search_gets_what_a_fault_leaves_of_it(name: str, spec: str, said: str) -> None:
    trace = make_trace(SEARCH, input="shoes")  # type: ignore[arg-type]
    found = run_here(f"agents_langgraph:{name}", trace, plan_of(f"{spec}"), virtual=True)
    assert (found.raised, found.output) == (None, said)
    (proof,) = found.world.proofs
    assert (proof.tool, proof.landed, proof.call_index) == ("docs", True, -1)
    (step,) = [s for s in found.steps if isinstance(s, Retrieval)]
    assert step.name == "docs"


@pytest.mark.parametrize("name", ["searching", "asearching"])
def test_a_search_can_fail(name: str) -> None:
    trace = make_trace(SEARCH, input="shoes")  # type: ignore[arg-type]
    found = run_here(f"agents_langgraph:{name}", trace, plan_of("timeout:tool=docs"))
    assert isinstance(found.raised, TimeoutError)
    (step,) = [s for s in found.steps if isinstance(s, Retrieval)]
    assert step.error is not None
    assert step.error.kind == "TimeoutError"
