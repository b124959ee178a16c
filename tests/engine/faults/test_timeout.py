"""The tool does not answer in time."""

from __future__ import annotations

import pytest

from replay.errors import ToolError
from tests.engine.support import called, make_tools, make_world, plan_of


def test_raised_it_is_a_timeout_error_and_a_tool_error() -> None:
    tools = make_tools(called("refund", {}, "ok"), plan=plan_of("timeout:tool=refund,seconds=5"))
    with pytest.raises(TimeoutError, match="timed out after 5 s") as caught:
        tools.refund()
    assert isinstance(caught.value, ToolError)
    assert caught.value.kind == "TimeoutError"


def test_returned_it_is_an_error_object() -> None:
    world = make_world(called("refund", {}, "ok"), plan=plan_of("timeout:mode=return"))
    assert world.answer("refund", {})["error"]["type"] == "TimeoutError"
    (step,) = world.capture.steps()
    assert step.fault == "timeout"
    assert step.error.kind == "TimeoutError"


def test_a_retry_gets_the_recorded_answer() -> None:
    world = make_world(called("refund", {}, "ok"), plan=plan_of("timeout:call=1"))
    with pytest.raises(TimeoutError):
        world.answer("refund", {})
    assert world.answer("refund", {}) == "ok"
    assert world.fidelities == ["exact", "exact"]
    assert world.unconsumed() == ()


def test_a_call_that_only_ever_timed_out_was_made_all_the_same() -> None:
    world = make_world(called("refund", {}, "ok"), plan=plan_of("timeout"))
    with pytest.raises(TimeoutError):
        world.answer("refund", {})
    assert world.unconsumed() == ()


def test_it_answers_a_call_that_was_never_recorded_too() -> None:
    world = make_world(plan=plan_of("timeout"))
    with pytest.raises(TimeoutError):
        world.answer("new", {})
    assert world.fidelities == ["simulated"]
