"""Arguments that are made up for each call are learnt, shown, and do not count."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymize.trace import Json, LLMCall, Trace
from replay.config import ToolSettings
from replay.matching import exact_key, normal_key, parse_path
from replay.volatile import Volatile, learn, with_learnt
from tests.engine.support import called, make_trace, make_world, user

START = datetime(2026, 3, 1, tzinfo=UTC)
CHANCE = random.Random(7)


def made_up() -> str:
    return str(uuid.UUID(int=CHANCE.getrandbits(128)))


def traces_of(argument: str, make: Any, number: int = 6, **more: Any) -> list[Trace]:
    """Each with one call of ``search`` with this argument, and one order that the user names."""
    found = []
    for n in range(number):
        at = START + timedelta(hours=n)
        arguments = {argument: make(n, at), "order_id": f"o-{n}"}
        call = called("search", arguments, more.get("result", {"found": n}), started_at=at)
        found.append(make_trace(call, input=f"where is o-{n}?", trace_id=f"t{n}"))
    return found


def learnt(traces: list[Trace], *, reads: bool = True) -> dict[str, Volatile]:
    return {v.path: v for v in learn(traces, {"search": not reads})}


@pytest.mark.parametrize(
    ("argument", "make"),
    [
        ("request_id", lambda n, at: made_up()),
        ("requestId", lambda n, at: f"req {n}"),
        ("idempotency_key", lambda n, at: n),
        ("ref", lambda n, at: made_up()),
        ("called", lambda n, at: (at + timedelta(seconds=2)).isoformat()),
        ("called", lambda n, at: int(at.timestamp())),
        ("called", lambda n, at: int(at.timestamp() * 1000) + 40),
        ("page", lambda n, at: f"eyJvZmZzZXQiOjEwM{CHANCE.getrandbits(60):x}=="),
    ],
)
def test_ids_clocks_and_keys_made_up_for_a_call_are_learnt(argument: str, make: Any) -> None:
    found = learnt(traces_of(argument, make))
    assert list(found) == [f"$.{argument}"]
    assert found[f"$.{argument}"].applied
    assert found[f"$.{argument}"].calls == 6


@pytest.mark.parametrize(
    ("argument", "make"),
    [
        ("query", lambda n, at: f"where is my parcel number {n}"),
        ("city", lambda n, at: f"Oslo{n}"),
        ("ref", lambda n, at: "3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
        ("starts_at", lambda n, at: (at + timedelta(days=1)).isoformat()),
        ("amount", lambda n, at: 17.5 + n),
        ("account", lambda n, at: f"{1_000_000_000_000 + n}"),
        ("flag", lambda n, at: n % 2 == 0),
    ],
)
def test_what_may_decide_the_answer_is_not(argument: str, make: Any) -> None:
    assert learnt(traces_of(argument, make)) == {}


def test_an_id_that_the_run_had_been_told_is_a_key_and_not_volatile() -> None:
    ids = [made_up() for _ in range(8)]
    told = [
        make_trace(
            called("list", {}, {"orders": [i]}), called("search", {"ref": i}, 1), trace_id=f"t{n}"
        )
        for n, i in enumerate(ids)
    ]
    assert learnt(told) == {}
    prompt = [
        Trace(
            trace_id=f"t{n}",
            input="hi",
            steps=(
                LLMCall(step_id="1", input=(user(f"look at {i}"),)),
                called("search", {"ref": i}),
            ),
        )
        for n, i in enumerate(ids)
    ]
    assert learnt(prompt) == {}


def test_an_id_that_the_answer_repeats_or_a_write_gets_is_only_suspected() -> None:
    traces = []
    for n in range(6):
        i = made_up()
        traces.append(make_trace(called("search", {"ref": i}, {"ref": i}), trace_id=f"t{n}"))
    assert not learnt(traces)["$.ref"].applied
    written = learnt(traces_of("ref", lambda n, at: made_up()), reads=False)["$.ref"]
    assert not written.applied
    assert "may write" in written.why
    assert with_learnt({}, [written]) == {}


def test_a_value_that_two_tools_get_is_not_volatile() -> None:
    traces = []
    for n in range(6):
        i = made_up()
        calls = (called("search", {"ref": i}), called("other", {"ref": i}))
        traces.append(make_trace(*calls, trace_id=f"t{n}"))
    assert learn(traces, {"search": False, "other": False}) == ()


def test_few_calls_prove_nothing() -> None:
    assert learnt(traces_of("ref", lambda n, at: made_up(), 4)) == {}
    assert learnt(traces_of("request_id", lambda n, at: made_up(), 2)) == {}


def test_items_of_a_list_share_a_path() -> None:
    traces = [
        make_trace(called("search", {"rows": [{"request_id": made_up()}] * 1}), trace_id=f"t{n}")
        for n in range(6)
    ]
    assert list(learnt(traces)) == ["$.rows[*].request_id"]


def test_what_was_learnt_joins_what_the_config_says() -> None:
    tools = {"search": ToolSettings(effect="read", ignore_arguments=("$.x",))}
    (item,) = learnt(traces_of("ref", lambda n, at: made_up())).values()
    found = with_learnt(tools, [item])["search"]
    assert found.ignore_arguments == ("$.x", "$.ref")
    assert found.effect == "read"
    assert with_learnt({"search": found}, [item])["search"] == found


# --- ids that are used again


def test_an_id_that_the_agent_makes_up_and_uses_again_stands_for_the_recorded_one() -> None:
    world = make_world(
        called("open", {"request_id": "recorded-0001"}, {"ticket": "recorded-0001"}),
        called("status", {"ticket": "recorded-0001"}, {"ticket": "recorded-0001", "ok": True}),
        open={"ignore_arguments": ("$.request_id",)},
    )
    first = world.answer("open", {"request_id": "mine-9999"})
    again = world.answer("status", {"ticket": "mine-9999"})
    assert again == {"ticket": "mine-9999", "ok": True}
    assert first == {"ticket": "mine-9999"}
    assert world.fidelities == ["normalized", "normalized"]


# --- real values


def test_a_real_value_is_matched_as_the_surrogate_that_the_store_has() -> None:
    from dataclasses import replace

    world = make_world(called("find", {"email": "zor@keq.example", "n": 1}, {"id": 5}))
    world._tape._pseudonyms = lambda scope, texts: {
        t: ("zor@keq.example",) for t in texts if t == "mei@corp.com"
    }
    assert world.answer("find", {"email": "mei@corp.com", "n": 1}) == {"id": 5}
    assert world.fidelities == ["normalized"]
    assert replace(world.case).trace_id == "t1"


# --- laws

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(json_values, st.sampled_from([(), ("$.a",), ("$.*.b",), ("$[*]",)]))
def test_normalising_twice_changes_nothing(value: Json, paths: tuple[str, ...]) -> None:
    from replay.matching import _normal

    ignored = tuple(parse_path(p, "") for p in paths)
    once = _normal(value, ignored)
    assert exact_key(_normal(once, ())) == exact_key(once)
    assert normal_key(once, ()) == normal_key(value, ignored)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2)), max_size=12))
def test_equal_calls_are_answered_in_the_order_of_the_recording(pairs: list) -> None:
    calls = [called(name, {"n": n}, place) for place, (name, n) in enumerate(pairs)]
    world = make_world(*calls)
    # Grouped by what is asked: the order between different calls does not matter.
    for call in sorted(calls, key=lambda c: (c.name, str(c.arguments))):
        assert world.answer(call.name, call.arguments) == call.result
    assert world.findings() == ()


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2)), max_size=12))
def test_each_call_too_many_and_each_call_too_few_is_one_finding(pairs: list) -> None:
    from replay.errors import ToolNotRecorded

    calls = [called(name, {"n": n}, 0) for name, n in pairs]
    world = make_world(*calls)
    unexpected = 0
    for call in (*calls[::2], called("new", {"n": 1})):
        try:
            world.answer(call.name, call.arguments)
        except ToolNotRecorded:
            unexpected += 1
    codes = [f.code for f in world.findings()]
    assert codes.count("unexpected") == unexpected == 1
    assert codes.count("unconsumed") == len(calls) - len(calls[::2])
