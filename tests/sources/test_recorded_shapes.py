"""Runs that are more than one agent with one question: hand-overs, turns, documents, forms.

Recorded like those in ``recordings``; what is expected was written down from what was run.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from anonymize.sources import open_source
from anonymize.trace import Retrieval, ToolCall, Trace

FOLDER = Path(__file__).parent / "recordings" / "shapes"
FILES = {p.name.partition(".")[0]: p for p in sorted(FOLDER.glob("*.gz"))}
QUESTION = "What is the weather in Oslo and in Rome?"
ANSWER = "Oslo has 3 degrees, Rome has 20 degrees."


def read(name: str) -> list[Trace]:
    return [t for t in open_source(str(FILES[name]), {}).read() if isinstance(t, Trace)]


def named(kind: str) -> list[str]:
    found = [name for name in FILES if f"_{kind}" in name]
    assert found
    return found


def weather(trace: Trace) -> dict[str, ToolCall]:
    calls = [c for c in trace.tool_calls if c.name == "get_weather"]
    cities = {c.arguments["city"]: c for c in calls}
    assert len(cities) == len(calls), "each call once"
    return cities


@pytest.mark.parametrize("name", [*named("handover"), *named("swarm")])
def test_a_hand_over_is_a_call_that_is_answered_and_each_agent_keeps_its_own_prompt(
    name: str,
) -> None:
    [trace] = read(name)
    assert (trace.input, trace.output) == (QUESTION, ANSWER)
    [handed] = [c for c in trace.tool_calls if c.name == "transfer_to_weatherman"]
    assert handed.arguments == {}
    # LangGraph's tool returns a command; what it told the model is in there.
    expected = {"assistant": "weatherman"} if name.startswith("agents") else None
    assert handed.result == (expected or "Successfully transferred to weatherman")
    assert {k: c.result for k, c in weather(trace).items()} == {
        "Oslo": "3 degrees",
        "Rome": "20 degrees",
    }
    first, asking, *_ = trace.llm_calls
    assert "Hand over" in str(first.input[0].content)
    assert "kind weather assistant" in str(asking.input[0].content)
    assert [[t.name for t in llm.tools] for llm in (first, asking)] == [
        ["transfer_to_weatherman"],
        ["get_weather"],
    ]


@pytest.mark.parametrize("name", named("rag"))
def test_a_retriever_is_a_retrieval_with_its_query_and_documents(name: str) -> None:
    [trace] = read(name)
    assert (trace.input, trace.output) == (QUESTION, ANSWER)
    [found] = [s for s in trace.steps if isinstance(s, Retrieval)]
    assert found.query == QUESTION
    assert isinstance(found.documents, list)
    assert len(found.documents) == 2
    assert "Oslo has 3 degrees." in str(found.documents[0])


@pytest.mark.parametrize("name", [*named("turns"), *named("more")])
def test_two_turns_of_a_session_are_two_traces_with_a_question_each(name: str) -> None:
    earlier, later = sorted(read(name), key=lambda t: str(t.started_at))
    assert [earlier.input, later.input] == [QUESTION, "And in Rome alone?"]
    assert earlier.session_id == later.session_id
    assert (earlier.session_id == "s-1") == ("turns" in name)
    # What the earlier turn did stands in the later one's history and was not done again.
    assert all(len(trace.tool_calls) == 2 for trace in (earlier, later))
    ids = [{c.call_id for c in trace.tool_calls} for trace in (earlier, later)]
    assert not ids[0] & ids[1]


@pytest.mark.parametrize("name", named("structured"))
def test_an_answer_in_a_given_form_is_the_answer(name: str) -> None:
    [trace] = read(name)
    assert trace.output == f'{{"answer": "{ANSWER}"}}'
    assert len(weather(trace)) == 2


def test_a_form_that_the_model_had_to_fill_in_is_no_tool_that_anyone_ran() -> None:
    [trace] = read("instructor_oi")
    assert trace.tool_calls == ()
    assert trace.output == ANSWER
    assert [r.name for m in trace.llm_calls[0].output for r in m.tool_requests] == ["Told"]


def test_an_image_beside_a_question_is_left_out_and_the_question_kept() -> None:
    [trace] = read("lg_parts_oi")
    assert trace.input == QUESTION
    assert trace.lossy_flags == ("binary_dropped",)
    assert "iVBOR" not in str(trace.llm_calls)


def test_tools_that_googles_sdk_called_itself_are_calls_with_results() -> None:
    [trace] = read("gemini_auto_oi")
    assert {k: c.result for k, c in weather(trace).items()} == {
        "Oslo": {"result": "3 degrees"},
        "Rome": {"result": "20 degrees"},
    }
    [llm] = trace.llm_calls
    assert [m.role for m in llm.input] == ["system", "user", "assistant", "tool", "tool"]


def test_an_agent_that_runs_elsewhere_is_a_run_with_question_and_answer() -> None:
    [trace] = read("bedrock_agent_oi")
    assert (trace.input, trace.output) == (QUESTION, ANSWER)
    assert trace.tool_calls == ()
