"""Ten frameworks as Langfuse stores them, against the messages expected from each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anonymize.conventions.messages import read_messages
from anonymize.sources import open_source
from anonymize.trace import LLMCall, Other, ToolCall, Trace
from tests.sources.chatml import actual, expected
from tests.support import SHARED, shared

FILES = sorted((SHARED / "langfuse").glob("*.trace.json"))
NAMES = [f.name.removesuffix(".trace.json") for f in FILES] or ["absent"]


def load(name: str) -> tuple[Trace, dict[str, Any]]:
    path: Path = shared(f"langfuse/{name}.trace.json")
    [trace] = open_source(str(path), {}).read()
    assert isinstance(trace, Trace)
    oracle = json.loads(path.with_name(f"{name}.chatml.json").read_text())
    return trace, oracle


@pytest.mark.parametrize("name", NAMES)
def test_messages_of_llm_calls_equal_the_oracle(name: str) -> None:
    trace, oracle = load(name)
    compared = 0
    for step in trace.llm_calls:
        for side, messages in (("input", step.input), ("output", step.output)):
            result = oracle[step.step_id].get(side) or {"success": False}
            if result["success"]:
                entries = expected(result["data"])
                if entries:
                    assert actual(messages, entries) == entries, (name, step.step_id, side)
                    compared += 1
    successes = sum(
        bool(side and side["success"] and expected(side["data"]))
        for sides in oracle.values()
        for side in sides.values()
    )
    assert compared > 0 or successes == 0


@pytest.mark.parametrize("name", NAMES)
def test_conversations_on_other_spans_equal_the_oracle(name: str) -> None:
    trace, oracle = load(name)
    for step in trace.steps:
        if not isinstance(step, Other) or step.step_id not in oracle:
            continue
        for side, value in (("input", step.input), ("output", step.output)):
            result = oracle[step.step_id].get(side) or {"success": False}
            entries = expected(result["data"]) if result["success"] else []
            if entries and value is not None:
                role = "user" if side == "input" else "assistant"
                ours = actual(read_messages(value, role, set()), entries)
                assert ours == entries, (name, step.step_id, side)


@pytest.mark.parametrize("name", NAMES)
def test_results_of_tools_equal_the_oracle(name: str) -> None:
    trace, oracle = load(name)
    for call in trace.tool_calls:
        result = oracle.get(call.step_id, {}).get("output") or {"success": False}
        [entry] = result["data"] if result["success"] and len(result["data"]) == 1 else [{}]
        if "content" in entry:
            boxed = call.result["content"] if isinstance(call.result, dict) else call.result
            assert boxed == entry["content"]
        elif "json" in entry:
            assert call.result == entry["json"]


@pytest.mark.parametrize("name", NAMES)
def test_every_tool_call_has_name_arguments_and_result(name: str) -> None:
    trace, _ = load(name)
    for call in trace.tool_calls:
        assert call.name
        assert isinstance(call.arguments, dict)
        assert call.result is not None
        assert call.error is None
        assert not {"tool_result_missing", "tool_rebuilt"} & set(call.flags)


@pytest.mark.parametrize("name", NAMES)
def test_every_observation_is_one_step_and_parents_are_kept(name: str) -> None:
    trace, _ = load(name)
    document = json.loads(shared(f"langfuse/{name}.trace.json").read_text())
    ids = {o["id"]: o.get("parentObservationId") for o in document["observations"]}
    assert {s.step_id: s.parent_id for s in trace.steps} == ids
    assert isinstance(trace.input, str)


def test_one_llm_call_recorded_by_two_instrumentations_is_one_llm_call() -> None:
    trace, _ = load("agno-2025-06-11")
    kinds = [s.kind for s in trace.steps if isinstance(s, Other)]
    assert [type(s) for s in trace.steps].count(LLMCall) == 2
    assert [type(s) for s in trace.steps].count(ToolCall) == 1
    assert kinds.count("duplicate") == 2
