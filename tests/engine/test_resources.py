"""A read after a write is answered with what was true after it, or says that it is stale."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymize.errors import UsageError
from anonymize.trace import Json, ToolCall
from replay.errors import StopReplay, ToolNotRecorded
from replay.resources import ResourceKey
from tests.engine.support import called, make_world

TOOLS: dict[str, dict[str, Any]] = {
    "get_order": {"effect": "read", "reads": "order:{order_id}"},
    "list_orders": {"effect": "read", "reads": "order"},
    "update_order": {"effect": "write", "writes": "order:{order_id}"},
}
READ = {"order_id": "7"}


def update(state: str, order: str = "7") -> ToolCall:
    return called("update_order", {"order_id": order, "state": state}, "ok")


def got(state: str, order: str = "7") -> ToolCall:
    return called("get_order", {"order_id": order}, {"state": state})


def world_of(*calls: ToolCall, **more: dict[str, Any]) -> Any:
    tools = {name: {**TOOLS[name], **more.get(name, {})} for name in TOOLS}
    return make_world(*calls, **tools)


def test_a_read_after_the_write_gets_the_answer_from_after_it_even_if_it_comes_first() -> None:
    world = world_of(got("open"), update("sent"), got("sent"))
    world.answer("update_order", {"order_id": "7", "state": "sent"})
    assert world.answer("get_order", READ) == {"state": "sent"}
    assert world.fidelities == ["exact", "exact"]
    assert [f.code for f in world.findings()] == ["unconsumed"]


def test_a_read_before_any_write_is_not_told_what_was_true_after_one() -> None:
    world = world_of(update("sent"), got("sent"))
    assert world.answer("get_order", READ) == {"state": "sent"}
    assert world.fidelities == ["stale"]
    assert world.fidelity == 0.0
    assert world.first_counterfactual == 0
    stale = world.findings()[0]
    assert (stale.code, stale.tool, stale.call, stale.nearest) == ("stale", "get_order", 1, 2)
    assert "after the writes [1 update_order] to order:7" in stale.why
    assert "this replay made no write" in stale.why


def test_after_a_write_with_other_arguments_recorded_reads_are_stale() -> None:
    world = world_of(
        got("open"),
        update("sent"),
        got("sent"),
        update_order={"miss": "simulate", "simulate": "m:f"},
    )
    world.rules.hooks["update_order"] = lambda *_: "ok"
    world.answer("get_order", READ)
    world.answer("update_order", {"order_id": "7", "state": "cancelled"})
    world.answer("get_order", READ)
    assert world.fidelities == ["exact", "simulated", "stale"]
    assert "update_order (never recorded so)" in world.findings()[1].why


def test_writes_to_other_resources_make_nothing_stale() -> None:
    world = world_of(update("sent", "8"), got("open"), got("sent", "8"))
    assert world.answer("get_order", READ) == {"state": "open"}
    assert world.fidelities == ["exact"]


def test_a_read_of_all_of_a_kind_sees_every_write_of_it() -> None:
    world = world_of(update("sent"), called("list_orders", {}, ["sent"]))
    world.answer("list_orders", {})
    assert world.fidelities == ["stale"]


def test_two_writes_in_another_order_make_the_read_after_them_stale() -> None:
    calls = (update("a"), update("b"), got("b"))
    world = world_of(*calls)
    for state in ("b", "a"):
        world.answer("update_order", {"order_id": "7", "state": state})
    world.answer("get_order", READ)
    assert world.fidelities == ["exact", "exact", "stale"]


def test_the_same_read_again_is_answered_again_while_nothing_was_written() -> None:
    world = world_of(got("open"), update("sent"))
    assert [world.answer("get_order", READ) for _ in range(2)] == [{"state": "open"}] * 2
    assert world.fidelities == ["exact", "normalized"]
    world.answer("update_order", {"order_id": "7", "state": "sent"})
    with pytest.raises(ToolNotRecorded):
        world.answer("get_order", READ)


def test_what_changes_by_itself_is_not_answered_again() -> None:
    world = world_of(got("queued"), got("done"))
    assert [world.answer("get_order", READ)["state"] for _ in range(2)] == ["queued", "done"]
    with pytest.raises(ToolNotRecorded):
        world.answer("get_order", READ)


def test_a_write_that_failed_by_a_fault_changed_nothing() -> None:
    from tests.engine.support import plan_of

    tools = {name: dict(TOOLS[name]) for name in TOOLS}
    world = make_world(
        got("open"), update("sent"), plan=plan_of("timeout:tool=update_order"), **tools
    )
    with pytest.raises(TimeoutError):
        world.answer("update_order", {"order_id": "7", "state": "sent"})
    assert world.answer("get_order", READ) == {"state": "open"}
    assert world.fidelities[-1] == "exact"


def test_a_stale_read_is_simulated_where_there_is_a_simulation() -> None:
    def order(name: str, arguments: Json, recorded: Any) -> Json:
        writes = [c for c in recorded.made if c.name == "update_order"]
        before = recorded.latest(name, **arguments)
        return {**before, "state": writes[-1].arguments["state"]}

    world = world_of(got("open"), update("sent"), get_order={"miss": "simulate", "simulate": "m:f"})
    world.rules.hooks["get_order"] = order
    with pytest.raises(ToolNotRecorded):
        world.answer("update_order", {"order_id": "7", "state": "lost"})
    assert world.answer("get_order", READ) == {"state": "lost"}
    assert world.fidelities == ["missing", "simulated"]


def test_policy_stop_ends_the_run_at_a_stale_read() -> None:
    world = world_of(update("sent"), got("sent"), get_order={"miss": "stop"})
    with pytest.raises(StopReplay, match="stale"):
        world.answer("get_order", READ)


def test_calls_that_ran_at_the_same_time_may_come_in_any_order() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)

    def at(call: ToolCall, ms: float) -> ToolCall:
        return replace(call, started_at=start + timedelta(milliseconds=ms), duration_ms=100.0)

    calls = [at(update("a"), 0), at(update("b"), 10), at(got("x"), 20), at(got("y"), 500)]
    for order in ((0, 1, 2, 3), (2, 1, 0, 3), (1, 2, 0, 3)):
        world = world_of(*calls)
        answers = [world.answer(calls[i].name, calls[i].arguments) for i in order]
        assert answers == [calls[i].result for i in order]
        assert set(world.fidelities) == {"exact"}


calls = st.lists(
    st.one_of(
        st.builds(got, st.sampled_from("abc"), st.sampled_from("78")),
        st.builds(update, st.sampled_from("abc"), st.sampled_from("78")),
        st.builds(lambda n: called("list_orders", {}, n), st.integers(0, 3)),
    ),
    max_size=10,
)


@given(calls)
def test_a_recorded_run_replayed_is_exact_whatever_it_reads_and_writes(made: list) -> None:
    world = world_of(*made)
    assert [world.answer(c.name, c.arguments) for c in made] == [c.result for c in made]
    assert set(world.fidelities) <= {"exact"}
    assert world.findings() == ()


@given(calls, calls)
def test_calls_on_one_resource_are_answered_alike_wherever_those_on_another_stand(
    made: list, others: list
) -> None:
    """A permutation of independent calls changes no answer."""
    one = [c for c in made if (c.arguments or {}).get("order_id") == "7"]
    two = [c for c in others if (c.arguments or {}).get("order_id") == "8"]
    world = world_of(*one, *two)
    mixed = [c for pair in zip(two, one, strict=False) for c in pair]
    mixed += two[len(one) :] + one[len(two) :]
    assert [world.answer(c.name, c.arguments) for c in mixed] == [c.result for c in mixed]
    assert set(world.fidelities) <= {"exact"}


@pytest.mark.parametrize("text", ["", "order:", "order:{", "order:{}", "a b", "order:{a}}", ":{a}"])
def test_what_names_no_resource_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="does not name a resource"):
        ResourceKey.parse(text)


def test_a_resource_is_named_by_its_arguments_in_whatever_notation() -> None:
    key = ResourceKey.parse("line:{order.id}/{line}")
    assert key.of({"order": {"id": 7}, "line": "2"}) == ("line", "7/2")
    assert key.of({"order": {"id": "7"}, "line": 2.0}) == ("line", "7/2")
    assert key.of({"order": {}}) == ("line", None)
    assert ResourceKey.parse("order").of({"x": 1}) == ("order", None)
