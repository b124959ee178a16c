"""The tool answers with nothing in it."""

from __future__ import annotations

import pytest

from tests.engine.support import called, make_tools, make_world, plan_of


@pytest.mark.parametrize(
    ("recorded", "empty"), [({"a": 1}, {}), ([1], []), ("text", ""), (7, None), (True, None)]
)
def test_the_answer_keeps_its_type(recorded: object, empty: object) -> None:
    tools = make_tools(called("get", {}, recorded), plan=plan_of("empty_result"))
    assert tools.get() == empty


def test_an_answer_that_was_empty_anyway_is_no_landing() -> None:
    world = make_world(called("get", {}, []), plan=plan_of("empty_result"))
    assert world.answer("get", {}) == []
    (proof,) = world.proofs
    assert (proof.offered, proof.landed) == (True, False)
    assert world.capture.steps()[0].fault is None
