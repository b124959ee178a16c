"""The recorded world answers what was recorded, each answer once, and explains what it can't."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymize.trace import LLMCall, Message, Trace, UserTurn
from replay.matching import parse_path
from replay.recording import Recording, case_from, replayable
from tests.engine.support import called, make_tools, make_trace, make_world, user

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
argument_values = st.dictionaries(
    st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=5),
    st.integers(-5, 5) | st.sampled_from(["3", "Oslo", " Oslo", None]),
    max_size=2,
)
recorded = st.lists(
    st.builds(
        called,
        st.sampled_from(["get", "list", "refund"]),
        argument_values,
        json_values,
    ),
    max_size=8,
)


@given(recorded)
def test_repeating_the_recorded_calls_gives_byte_identical_answers_in_order(calls: list) -> None:
    world = make_world(*calls)
    served = [world.answer(c.name, c.arguments) for c in calls]
    assert [json.dumps(s) for s in served] == [json.dumps(c.result) for c in calls]
    assert set(world.fidelities) <= {"exact"}
    assert world.fidelity == 1.0
    assert world.first_counterfactual is None
    assert world.unconsumed() == ()


@given(recorded, st.randoms(use_true_random=False))
def test_in_any_order_every_answer_is_one_of_the_same_call(calls: list, random: object) -> None:
    world = make_world(*calls)
    shuffled = list(calls)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for call in shuffled:
        served = world.answer(call.name, call.arguments)
        same = [c.result for c in calls if (c.name, c.arguments) == (call.name, call.arguments)]
        assert any(json.dumps(served) == json.dumps(result) for result in same)
    assert world.fidelity == 1.0
    assert world.unconsumed() == ()


def test_equal_calls_are_answered_in_the_order_of_the_recording() -> None:
    tools = make_tools(
        *(called("poll", {"job": 1}, state) for state in ("queued", "running", "done"))
    )
    assert [tools.poll(job=1) for _ in range(3)] == ["queued", "running", "done"]


def test_an_exact_call_is_preferred_to_a_normalised_one() -> None:
    world = make_world(called("get", {"n": "3"}, "text"), called("get", {"n": 3}, "number"))
    assert world.answer("get", {"n": 3}) == "number"
    assert world.answer("get", {"n": 3}) == "text"
    assert world.fidelities == ["exact", "normalized"]
    assert world.fidelity == 1.0


def test_an_agent_may_change_what_it_gets_without_changing_the_recording() -> None:
    trace = make_trace(called("get", {}, {"list": [1]}), called("get", {}, {"list": [1]}))
    tools = make_tools(*trace.steps)  # type: ignore[arg-type]
    tools.get()["list"].append(2)
    assert tools.get() == {"list": [1]}
    assert trace.tool_calls[0].result == {"list": [1]}


def test_arguments_recorded_as_json_text_or_not_at_all_still_match() -> None:
    world = make_world(called("get", '{"b": 1, "a": 2}', "x"), called("ping", "", "y"))
    assert world.answer("get", {"a": 2, "b": 1}) == "x"
    assert world.answer("ping", {}) == "y"
    assert world.fidelities == ["exact", "exact"]


def test_ignored_arguments_match_as_normalised() -> None:
    calls = make_trace(called("log", {"ts": 1, "m": "x"}, "ok"))
    recording = Recording.of(calls, {"log": [parse_path("$.ts", "")]})
    found = recording.find("log", {"ts": 2, "m": "x"})
    assert found is not None
    assert found.fidelity == "normalized"


def test_a_miss_names_the_nearest_call_and_what_is_different() -> None:
    recording = Recording.of(
        make_trace(
            called("get_weather", {"city": "Rome", "days": 9}, 1),
            called("get_weather", {"city": "Oslo", "days": 2}, 2),
        )
    )
    said = str(recording.explain_miss("get_weather", {"city": "Paris", "days": 2}))
    assert "tool call 2 of 2" in said
    assert "$.arguments.city: 'Oslo' != 'Paris'" in said
    assert "never called in the recording (it has: get_weather)" in str(
        recording.explain_miss("x", {})
    )


def test_a_call_whose_result_was_not_recorded_is_not_answered() -> None:
    recording = Recording.of(make_trace(called("get", {}, None, flags=("tool_result_missing",))))
    assert recording.find("get", {}) is None
    assert "its result is not recorded" in str(recording.explain_miss("get", {}))


def test_a_call_that_was_answered_already_is_said_to_be() -> None:
    recording = Recording.of(make_trace(called("refund", {"order": 1}, "ok")))
    found = recording.find("refund", {"order": 1})
    assert found is not None
    recording.use(found)
    assert recording.find("refund", {"order": 1}) is None
    assert "already answered" in str(recording.explain_miss("refund", {"order": 1}))


# --- the case


def llm(*messages: Message) -> LLMCall:
    return LLMCall(step_id="l", input=messages)


SYSTEM = Message(role="system", content="be kind")


def test_the_case_has_input_and_history_as_the_recorded_model_saw_them() -> None:
    earlier = (SYSTEM, user("hi"), Message(role="assistant", content="hello"))
    trace = make_trace(llm(*earlier, user("and now?")), input=None)  # type: ignore[arg-type]
    case = case_from(trace)
    assert case.input == "and now?"
    assert case.history == earlier


def test_the_recorded_input_is_not_replaced_by_the_prompt_it_was_rendered_into() -> None:
    trace = make_trace(llm(SYSTEM, user("Question: where is it?")), input="where is it?")  # type: ignore[arg-type]
    assert case_from(trace).input == "where is it?"
    assert case_from(trace).history == (SYSTEM,)


def test_a_guardrail_that_asks_a_model_first_is_passed_over() -> None:
    guard = llm(Message(role="system", content="is this safe?"), user("check"))
    trace = make_trace(guard, llm(SYSTEM, user("where is it?")), input="where is it?")  # type: ignore[arg-type]
    assert case_from(trace).history == (SYSTEM,)


def test_parts_that_are_all_text_become_one_text() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    trace = make_trace(llm(Message(role="user", content=parts)), input=None)  # type: ignore[arg-type]
    assert case_from(trace).input == "a\nb"


def test_later_turns_of_the_user_are_kept_in_order() -> None:
    steps = (
        UserTurn(step_id="1", content="first"),
        called("get"),
        UserTurn(step_id="2", content="second"),
        UserTurn(step_id="3", content="third"),
    )
    case = case_from(Trace(trace_id="t", steps=steps))
    assert case.input == "first"
    assert case.turns == ("second", "third")


def test_a_json_input_without_any_model_call_is_given_as_it_is() -> None:
    assert case_from(make_trace(input={"ticket": 7})).input == {"ticket": 7}


def test_a_good_recording_is_replayable() -> None:
    assert replayable(make_trace(started_at=datetime(2026, 1, 1, tzinfo=UTC))) is None


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"lossy_flags": ("partial",)}, "partial"),
        ({"lossy_flags": ("content_off",)}, "no content"),
        ({"input": None}, "no input"),
        ({"input": ""}, "no input"),
    ],
)
def test_a_recording_that_lacks_what_a_replay_needs_says_what(more: dict, reason: str) -> None:
    assert reason in (replayable(make_trace(**more)) or "")
