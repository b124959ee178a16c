"""The candidate's steps: in the order in which they began, with the ids that join them."""

from __future__ import annotations

from anonymize.trace import LLMCall, Message, Other, ToolCall, ToolRequest
from replay.capture import Capture, linked


def test_steps_stand_in_the_order_in_which_they_began() -> None:
    capture = Capture(None)
    first, second, third = (capture.open() for _ in range(3))
    capture.close(second, ToolCall(step_id=capture.id_at(second), name="b"))
    capture.close(first, ToolCall(step_id=capture.id_at(first), name="a"))
    steps = capture.steps()
    assert [s.step_id for s in steps] == ["r1", "r2", "r3"]
    assert [s.name for s in steps if isinstance(s, ToolCall)] == ["a", "b"]
    cut = steps[third]
    assert isinstance(cut, Other)
    assert cut.error is not None
    assert cut.error.kind == "unfinished"


def test_tool_calls_carry_the_ids_under_which_the_model_asked_for_them() -> None:
    def asks(*ids: str) -> LLMCall:
        requests = tuple(ToolRequest(name="get", arguments='{"n": 1}', call_id=i) for i in ids)
        return LLMCall(step_id="", output=(Message(role="assistant", tool_requests=requests),))

    def call(n: int, call_id: str | None = None) -> ToolCall:
        return ToolCall(step_id="", name="get", arguments={"n": n}, call_id=call_id)

    steps = (call(1), asks("a", "b"), call(1), call(2), call(1), call(1), asks("c"), call(1, "own"))
    ids = [s.call_id for s in linked(steps) if isinstance(s, ToolCall)]
    assert ids == [None, "a", None, "b", None, "own"]
