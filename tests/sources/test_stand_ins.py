"""Mastra's histories: "[tool: get_weather]" stands for a call that its own spans tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from anonymize.sources import open_source
from anonymize.trace import LLMCall, Trace

FOLDER = Path(__file__).parent / "recordings"


def last_call(name: str) -> LLMCall:
    [trace] = open_source(str(FOLDER / f"{name}.pb.gz"), {}).read()
    assert isinstance(trace, Trace)
    assert ("redacted" in trace.lossy_flags) == name.endswith("_bad")
    return trace.llm_calls[-1]


@pytest.mark.parametrize("name", ["js_mastra_otel", "js_mastra_arize", "js_mastra_otel_stream"])
def test_what_a_step_was_given_is_known_from_the_step_before_and_its_tools(name: str) -> None:
    asked, *told = last_call(name).input[-3:]
    assert [r.arguments for r in asked.tool_requests] == [{"city": "Oslo"}, {"city": "Rome"}]
    assert [m.content for m in told] == ["3 degrees", "20 degrees"]
    assert [m.tool_call_id for m in told] == [r.call_id for r in asked.tool_requests]


@pytest.mark.parametrize("name", ["js_mastra_otel_bad", "js_mastra_arize_bad"])
def test_what_is_not_known_stays_a_stand_in_and_is_flagged(name: str) -> None:
    call = last_call(name)
    assert call.input[-1].content == "[tool-result: get_weather]"
    assert "redacted" in call.flags
