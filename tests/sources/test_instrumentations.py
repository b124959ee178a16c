"""Recordings of one agent under many instrumentations, and the page that compares them."""

from __future__ import annotations

from pathlib import Path

import pytest

from anonymize.trace import Trace
from benchmarks.instrumentations import PAGE, page
from tests.sources.builders import read_path
from tests.support import ROOT, SHARED, shared

FILES = sorted((SHARED / "otlp_spans").glob("*.json"))
NAMES = [f.stem for f in FILES] or ["absent"]
QUESTION = "What is the weather in Paris and where is my order A-17?"
ARGUMENTS = {"get_weather": {"city": "Paris"}, "lookup_order": {"order_id": "A-17"}}


def load(name: str) -> list[Trace]:
    traces = read_path(shared(f"otlp_spans/{name}.json"))
    assert all(isinstance(t, Trace) for t in traces)
    return [t for t in traces if isinstance(t, Trace)]


def test_the_page_is_up_to_date() -> None:
    folder: Path = shared("otlp_spans")
    assert PAGE.read_text(encoding="utf-8") == page(folder), "run: benchmarks.instrumentations"


@pytest.mark.parametrize("name", NAMES)
def test_every_recording_is_a_faithful_trace(name: str) -> None:
    traces = load(name)
    calls = [c for t in traces for c in t.tool_calls]
    if name == "openai_v2_nocontent":
        assert all(t.lossy_flags == ("content_off",) for t in traces)
        assert not calls
        return
    assert {c.name: c.arguments for c in calls} == ARGUMENTS
    for trace in traces:
        assert trace.agent_version == "1.4.2"
        assert trace.tags["environment"] == "prod"
        if "content_off" not in trace.lossy_flags:
            assert trace.input == QUESTION
    last = traces[-1]
    if name.endswith("_toolerr"):
        [failed] = [c for c in last.tool_calls if c.error is not None]
        assert failed.name == "lookup_order"
        raised = failed.result is None
        assert raised == (last.error is not None)
    else:
        assert [c.error for c in calls] == [None] * len(calls)
        for call in last.tool_calls:
            assert isinstance(call.result, dict)
        if "content_off" not in last.lossy_flags:
            assert str(last.output).strip() == (
                "It is 21C and sunny in Paris. Your order A-17 has shipped."
            )


@pytest.mark.parametrize("name", NAMES)
def test_no_recording_doubles_its_calls(name: str) -> None:
    traces = load(name)
    assert sum(len(t.llm_calls) for t in traces) <= 2
    for trace in traces:
        assert len(trace.tool_calls) in (0, 2)


def test_the_demos_traffic_loses_nothing_but_the_run_that_was_killed() -> None:
    traces = [t for t in read_path(ROOT / "fixtures" / "traffic") if isinstance(t, Trace)]
    assert len(traces) > 200
    lossy = [t.lossy_flags for t in traces if t.lossy_flags]
    assert lossy == [("orphan", "partial")]
    for trace in traces:
        assert trace.input
        assert trace.session_id
        assert (trace.agent, trace.agent_version) == ("shop-support", "v1")
        assert trace.output or trace.error or trace.lossy_flags
        assert all(isinstance(c.arguments, dict) for c in trace.tool_calls)
        assert all(c.result is not None or c.error is not None for c in trace.tool_calls)
    offered = {tuple(sorted(t.name for t in c.tools)) for t in traces for c in t.llm_calls}
    assert len(offered) == 1
