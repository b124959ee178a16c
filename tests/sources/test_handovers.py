"""Runs of two agents: one hands over, the other asks its tool. Recorded, and labelled by hand."""

from __future__ import annotations

from pathlib import Path

from anonymize.sources import open_source
from anonymize.trace import Trace

FOLDER = Path(__file__).parent / "recordings" / "handovers"
QUESTION = "What is the weather in Oslo and in Rome?"
ANSWER = "Oslo has 3 degrees, Rome has 20 degrees."


def load(name: str) -> Trace:
    [trace] = open_source(str(FOLDER / f"{name}.pb.gz"), {}).read()
    assert isinstance(trace, Trace)
    assert (trace.input, trace.output) == (QUESTION, ANSWER)
    return trace


def test_a_handover_of_the_openai_agents_sdk_is_a_call_like_others() -> None:
    trace = load("js_openai_agents_handoff_oi")
    made = [(c.name, c.arguments, c.call_id) for c in trace.tool_calls]
    assert made == [
        ("transfer_to_weatherman", {}, "call_1_0"),
        ("get_weather", {"city": "Oslo"}, "call_3_0"),
        ("get_weather", {"city": "Rome"}, "call_3_1"),
    ]
    handed, *told = [c.result for c in trace.tool_calls]
    assert handed == {"assistant": "weatherman"}
    assert told == ["3 degrees", "20 degrees"]
    offered = [[t.name for t in llm.tools] for llm in trace.llm_calls]
    assert offered == [["transfer_to_weatherman"], ["get_weather"], ["get_weather"]]


def test_a_langgraph_supervisor_hands_over_and_hears_the_answer() -> None:
    trace = load("js_supervisor_oi")
    assert (trace.session_id, trace.user_id) == ("s-1", "u-1")
    [call] = trace.tool_calls
    assert (call.name, call.call_id) == ("transfer_to_weatherman", "call_2_0")
    assert call.result == "Successfully transferred to weatherman"
    asked, answered, closed = trace.llm_calls
    assert [r.call_id for m in asked.output for r in m.tool_requests] == ["call_2_0"]
    assert [m.content for m in (*answered.output, *closed.output)] == [ANSWER, ANSWER]
    roles = [m.role for m in closed.input]
    assert roles == ["system", "user", "assistant", "tool", "assistant", "assistant", "tool"]
    assert all(m.tool_call_id for m in closed.input if m.role == "tool")
    assert "tool_call_id_synth" not in trace.lossy_flags
