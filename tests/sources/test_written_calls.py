"""Calls that a model wrote into its text: read where they were run, and never out of prose."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import pytest

from anonymize.assemble import assemble
from anonymize.assembly.textual import requests_in
from anonymize.spans import Span
from anonymize.trace import Trace

REACT = 'Thought: I have to look.\nAction: get_weather\nAction Input: {"city": "Oslo"}'
HERMES = (
    'I look.\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n</tool_call>'
)
LLAMA = '<function=get_weather>{"city": "Oslo"}</function>'
QWEN = (
    "<tool_call>\n<function=get_weather>\n<parameter=city>\nOslo\n</parameter>\n"
    "</function>\n</tool_call>"
)
NOTATIONS = {"react": REACT, "hermes": HERMES, "llama": LLAMA, "qwen": QWEN}
PROMPT = "You may use get_weather(city): weather of a city."
QUESTION = "What is the weather in Oslo?"
ANSWER = "It has 3 degrees."
Talk = Sequence[tuple[str, str]]


def llm(number: int, history: Talk, said: str) -> Span:
    def messages(talk: Talk) -> str:
        return json.dumps([{"role": role, "content": text} for role, text in talk])

    return Span(
        trace_id="t",
        span_id=f"{number:016x}",
        parent_id=None,
        name="chat m",
        start_ns=10**18 + number * 10**6,
        end_ns=10**18 + number * 10**6 + 10**5,
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "m",
            "gen_ai.input.messages": messages(history),
            "gen_ai.output.messages": messages([("assistant", said)]),
        },
    )


def run(*spans: Span) -> Trace:
    trace = assemble(spans)
    assert isinstance(trace, Trace)
    return trace


def two(said: str, *told: tuple[str, str], prompt: str = PROMPT) -> Trace:
    """A model that says something, is told something, and answers."""
    asked = [("system", prompt), ("user", QUESTION)]
    return run(llm(1, asked, said), llm(2, [*asked, ("assistant", said), *told], ANSWER))


@pytest.mark.parametrize("told", [("user", "Observation: 3 degrees"), ("tool", "3 degrees")])
@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_written_call_whose_result_was_told_is_a_call(
    notation: str, told: tuple[str, str]
) -> None:
    trace = two(NOTATIONS[notation], told)
    [call] = trace.tool_calls
    assert (call.name, call.arguments, call.result) == (
        "get_weather",
        {"city": "Oslo"},
        "3 degrees",
    )
    assert "tool_rebuilt" in call.flags
    asked = trace.llm_calls[0].output[0]
    assert (asked.content, asked.tool_requests) == (NOTATIONS[notation], ())  # as it was said


def test_several_calls_at_once_have_a_result_each() -> None:
    said = HERMES + HERMES.replace("Oslo", "Rome")
    boxed = "".join(f"<tool_response>\n{r}\n</tool_response>" for r in ("3 degrees", "20 degrees"))
    trace = two(said, ("user", boxed))
    assert [(c.arguments, c.result) for c in trace.tool_calls] == [
        ({"city": "Oslo"}, "3 degrees"),
        ({"city": "Rome"}, "20 degrees"),
    ]


def test_steps_that_all_stand_in_one_prompt_are_told_apart() -> None:
    prompt = f"{PROMPT}\nUse this form:\nAction: the tool\nAction Input: its input\n\n{QUESTION}\n"
    second = REACT.replace("Oslo", "Rome")
    after = f"{prompt}{REACT}\nObservation: 3 degrees\nThought: "
    last = f"{after}{second}\nObservation: 20\ndegrees\nThought: "
    spans = [llm(1, [("user", prompt)], REACT), llm(2, [("user", after)], second)]
    trace = run(*spans, llm(3, [("user", last)], ANSWER))
    assert [(c.arguments, c.result) for c in trace.tool_calls] == [
        ({"city": "Oslo"}, "3 degrees"),
        ({"city": "Rome"}, "20\ndegrees"),
    ]


def test_an_observation_that_the_model_made_up_is_no_result() -> None:
    said = f"{REACT}\nObservation: 99 degrees\nThought: done"
    asked = [("system", PROMPT), ("user", QUESTION)]
    history = [*asked, ("assistant", REACT), ("user", "Observation: 3 degrees")]
    [call] = run(llm(1, asked, said), llm(2, history, ANSWER)).tool_calls
    assert (call.arguments, call.result) == ({"city": "Oslo"}, "3 degrees")


@pytest.mark.parametrize("notation", NOTATIONS)
def test_what_nobody_ran_is_text(notation: str) -> None:
    said = NOTATIONS[notation]
    assert two(said, ("user", "Thanks! What does Action: mean there?")).tool_calls == ()
    assert two(said).tool_calls == ()
    assert run(llm(1, [("system", PROMPT), ("user", QUESTION)], said)).tool_calls == ()


@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_tool_that_the_trace_doesnt_know_is_text(notation: str) -> None:
    told = ("user", "Observation: 3 degrees")
    assert two(NOTATIONS[notation], told, prompt="You are kind.").tool_calls == ()


def test_a_tool_with_spans_is_not_looked_for_in_texts() -> None:
    tool = Span(
        trace_id="t",
        span_id="9" * 16,
        parent_id=None,
        name="execute_tool get_weather",
        start_ns=10**18 + 15 * 10**5,
        end_ns=10**18 + 16 * 10**5,
        attributes={
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.call.arguments": '{"city": "Oslo"}',
            "gen_ai.tool.call.result": "3 degrees",
        },
    )
    asked = [("system", PROMPT), ("user", QUESTION)]
    history = [*asked, ("assistant", REACT), ("user", "Observation: 3 degrees")]
    [call] = run(llm(1, asked, REACT), tool, llm(2, history, ANSWER)).tool_calls
    assert "tool_rebuilt" not in call.flags


def test_prose_about_actions_holds_no_call() -> None:
    for text in (
        "Action: we should look.\nThen more.",
        "The Action Input: is what you give it.",
        "Write <tool_call> and your JSON.",
        "Use <function=name> as in the manual.",
        '<tool_call>{"arguments": {}}</tool_call>',
    ):
        assert requests_in(text)[0] == []


def test_no_text_takes_long() -> None:
    began = time.process_time()
    for piece in ("<tool_call>", "<function=a>", "<parameter=", "Action: a\n", "Action Input:\n"):
        requests_in(piece * 15_000)
        requests_in("<function=a>" + piece * 15_000)
        requests_in("Action: a\nAction Input: " + piece * 15_000)
    assert time.process_time() - began < 5
