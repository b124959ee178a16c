"""What the world of a replay noted of its tape becomes divergences."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from anonymize.trace import ToolCall, Trace
from replay.compare import CompareSettings, ToolCatalog, compare_traces

STALE = {
    "code": "stale",
    "tool": "get_order",
    "call": 2,
    "nearest": 2,
    "why": "order:7 was written",
}
EXTRA = {"code": "unexpected", "tool": "get_order", "call": 2, "nearest": None, "why": "never so"}


def trace(*names: str, **more: Any) -> Trace:
    steps = tuple(
        ToolCall(step_id=str(n), name=name, arguments={"id": "7"}, result=1)
        for n, name in enumerate(names)
    )
    return Trace(trace_id="t", input="hi", output="ok", steps=steps, **more)


def codes(candidate: Trace, strict: bool = False) -> dict[str, Any]:
    settings = CompareSettings(strict_tape=strict)
    found = compare_traces(trace("get_order", "get_order"), candidate, settings, ToolCatalog())
    return {d.code: d for d in found.divergences}


def replayed(*names: str, tape: object = None, unconsumed: object = None) -> Trace:
    tags = {"replay.status": "ok", "replay.fidelity": "1.0000"}
    if tape is not None:
        tags["replay.tape"] = tape if isinstance(tape, str) else json.dumps(tape)
    if unconsumed is not None:
        tags["replay.unconsumed"] = json.dumps(unconsumed)
    made = trace(*names, tags=tags, origin="replayed")
    graded = [dataclasses.replace(s, fidelity="exact") for s in made.tool_calls]
    if tape is not None and graded[1:]:
        graded[1] = dataclasses.replace(graded[1], fidelity="stale")
    return dataclasses.replace(made, steps=tuple(graded))


def test_a_stale_read_is_told() -> None:
    found = codes(replayed("get_order", "get_order", tape=[STALE]))["STALE_READ"]
    assert (found.step, found.severity, found.why) == (1, "minor", "order:7 was written")


def test_a_strict_tape_reports_calls_on_one_side() -> None:
    candidate = replayed("get_order", "get_order", tape=[EXTRA], unconsumed=["2 get_order"])
    assert "OFF_TAPE" not in codes(candidate)
    found = codes(candidate, strict=True)["OFF_TAPE"]
    assert found.severity == "regression"


@pytest.mark.parametrize("tape", ["nonsense", "{}", '["x", 1, {}]', '[{"code": "stale"}]'])
def test_a_tag_that_somebody_else_wrote_does_no_harm(tape: str) -> None:
    found = codes(replayed("get_order", "get_order", tape=tape), strict=True)
    assert set(found) <= {"STALE_READ"}
