"""Spans as producers might write them that nobody recorded: what each holds was noted first.

None of these comes from a library here. They are written by hand, after documentation or as
variants of what is recorded, and most of them were once read wrongly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from anonymize.assemble import assemble
from anonymize.spans import Scope, Span, SpanEvent
from anonymize.trace import Json, Trace

T0 = 10**18
Call = tuple[str, Json, Json]
Event = tuple[str, dict[str, Json]]
SYSTEM = {"role": "system", "content": "You may use get_weather(city), lookup(id) and calc(x)."}
USER = {"role": "user", "content": "Weather in Oslo?"}
CITY = {"city": "Oslo"}
CITY_TEXT = json.dumps(CITY)
WEATHER: Call = ("get_weather", CITY, "3 degrees")
REACT = f"Thought: look.\nAction: get_weather\nAction Input: {CITY_TEXT}"
HERMES = '<tool_call>{"name": "get_weather", "arguments": {"city": "Oslo"}}</tool_call>'


def span(
    number: int,
    name: str,
    attributes: dict[str, Json],
    *events: Event,
    parent: int | None = None,
    scope: str = "some.package",
    at: int | None = None,
    lasts: int = 5,
) -> Span:
    start = T0 + (number * 10 if at is None else at) * 10**6
    return Span(
        trace_id="t",
        span_id=f"{number:016x}",
        parent_id=None if parent is None else f"{parent:016x}",
        name=name,
        start_ns=start,
        end_ns=start + lasts * 10**6,
        attributes=attributes,
        events=tuple(SpanEvent(name=e, attributes=a) for e, a in events),
        scope=Scope(name=scope),
    )


def says(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def told(text: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": text}


def asks(name: str, arguments: Json, identity: str | None) -> dict[str, Any]:
    part = {"type": "tool_call", "id": identity, "name": name, "arguments": arguments}
    return {"role": "assistant", "parts": [part]}


def answers(identity: str, result: Json) -> dict[str, Any]:
    part = {"type": "tool_call_response", "id": identity, "response": result}
    return {"role": "tool", "parts": [part]}


def llm(number: int, given: Sequence[Json], said: Json, *, tools: Json = None, **more: Any) -> Span:
    attributes: dict[str, Json] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.input.messages": json.dumps(given),
        "gen_ai.output.messages": json.dumps([said]),
    }
    if tools is not None:
        attributes["gen_ai.tool.definitions"] = json.dumps(tools)
    return span(number, "chat m", attributes, **more)


def tool(number: int, name: str, given: Json, made: str, identity: str = "", **more: Any) -> Span:
    attributes: dict[str, Json] = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.arguments": json.dumps(given),
        "gen_ai.tool.call.result": made,
        **({"gen_ai.tool.call.id": identity} if identity else {}),
    }
    return span(number, f"execute_tool {name}", attributes, **more)


def evented(number: int, *events: Event) -> Span:
    return span(
        number, "chat m", {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}, *events
    )


def calls_text(*given: tuple[str | None, str, Json]) -> str:
    return json.dumps(
        [
            {"id": i, "type": "function", "function": {"name": n, "arguments": json.dumps(a)}}
            for i, n, a in given
        ]
    )


def chosen(body: dict[str, Any]) -> Event:
    return "gen_ai.choice", {"index": 0, "message": json.dumps({"role": "assistant", **body})}


def react_looks_twice() -> tuple[list[Span], list[Call]]:
    first = [SYSTEM, USER]
    second = [*first, says(REACT), told("Observation: pending")]
    third = [*second, says(REACT), told("Observation: 3 degrees")]
    spans = [llm(1, first, says(REACT)), llm(2, second, says(REACT)), llm(3, third, says("3"))]
    return spans, [("get_weather", CITY, "pending"), WEATHER]


def react_asked_again() -> tuple[list[Span], list[Call]]:
    first = [SYSTEM, USER]
    then = [*first, says(REACT), told("Observation: 3 degrees")]
    return [llm(1, first, says(REACT)), llm(2, first, says(REACT)), llm(3, then, says("3"))], [
        WEATHER
    ]


def result_under_a_heading() -> tuple[list[Span], list[Call]]:
    then = [SYSTEM, USER, says(REACT), told("Tool result for `get_weather` (call_1): 3 degrees")]
    return [llm(1, [SYSTEM, USER], says(REACT)), llm(2, then, says("3"))], [WEATHER]


def teacher_of_react() -> tuple[list[Span], list[Call]]:
    words = "Observation about your example: it is the wrong city."
    then = [SYSTEM, USER, says(REACT), told(words)]
    return [llm(1, [SYSTEM, USER], says(REACT)), llm(2, then, says("Sorry."))], []


def teacher_of_hermes() -> tuple[list[Span], list[Call]]:
    words = "Tool results for get_weather look different to me: why is that?"
    then = [SYSTEM, USER, says(HERMES), told(words)]
    return [llm(1, [SYSTEM, USER], says(HERMES)), llm(2, then, says("They vary."))], []


def written_beside_recorded() -> tuple[list[Span], list[Call]]:
    then = [SYSTEM, USER, says(HERMES), told("<tool_response>3 degrees</tool_response>")]
    spans = [llm(1, [SYSTEM, USER], says(HERMES)), tool(2, "lookup", {}, "5", "k")]
    return [*spans, llm(3, then, says("3"))], [WEATHER, ("lookup", {}, "5")]


def lines_of_json_as_text() -> tuple[list[Span], list[Call]]:
    lines = '{"a": 1}\n{"b": 2}\n'
    tools = [{"type": "custom", "name": "write", "description": "Takes any text."}]
    then = [USER, asks("write", lines, "c1"), answers("c1", "saved")]
    spans = [llm(1, [USER], asks("write", lines, "c1"), tools=tools), llm(2, then, says("ok"))]
    return spans, [("write", lines, "saved")]


def equal_answers_in_events() -> tuple[list[Span], list[Call]]:
    two = calls_text((None, "set", {"k": 1}), (None, "set", {"k": 2}))
    asked: Event = ("gen_ai.user.message", {"content": "Set both."})
    ok: Event = ("gen_ai.tool.message", {"content": "ok"})
    history = (asked, ("gen_ai.assistant.message", {"tool_calls": two}), ok, ok)
    first = evented(1, asked, chosen({"tool_calls": json.loads(two)}))
    return [first, evented(2, *history, chosen({"content": "Both."}))], [
        ("set", {"k": 1}, "ok"),
        ("set", {"k": 2}, "ok"),
    ]


def one_id_for_every_turn() -> tuple[list[Span], list[Call]]:
    poll = calls_text(("0", "poll", {}))
    ask = chosen({"tool_calls": json.loads(poll)})
    user: Event = ("gen_ai.user.message", {"content": "Wait for it."})
    round_: list[Event] = [
        ("gen_ai.assistant.message", {"tool_calls": poll}),
        ("gen_ai.tool.message", {"id": "0", "content": "pending"}),
    ]
    spans = [evented(1, user, ask), evented(2, user, *round_, ask)]
    last = evented(3, user, *round_, *round_, chosen({"content": "No."}))
    return [*spans, last], [("poll", {}, "pending")] * 2


def parts_without_ids_and_calls_with() -> tuple[list[Span], list[Call]]:
    said = {
        "role": "model",
        "parts": [{"functionCall": {"name": "get_weather", "args": CITY}}],
        "tool_calls": [
            {"id": "x1", "name": "get_weather", "args": CITY},
            {"id": "x2", "name": "lookup", "args": {}},
        ],
    }
    told_ = [answers("x1", "3 degrees"), answers("x2", "5")]
    spans = [llm(1, [USER], said), llm(2, [USER, said, *told_], says("3"))]
    return spans, [WEATHER, ("lookup", {}, "5")]


def shortened_history_of_items() -> tuple[list[Span], list[Call]]:
    items = [
        {"type": "function_call_output", "call_id": "call_9", "output": "20 degrees"},
        {"role": "user", "content": "And Oslo?"},
        {"type": "function_call", "id": "fc_1", "name": "get_weather", "arguments": CITY_TEXT},
    ]
    return [llm(1, items, says("Wait."))], [("get_weather", CITY, None)]


def spring_ai() -> tuple[list[Span], list[Call]]:
    own: dict[str, Json] = {"gen_ai.operation.name": "framework", "gen_ai.system": "spring_ai"}
    call: dict[str, Json] = {
        "spring.ai.kind": "tool_call",
        "spring.ai.tool.definition.name": "get_weather",
        "spring.ai.tool.call.arguments": CITY_TEXT,
        "spring.ai.tool.call.result": '"3 degrees"',
    }
    said: Event = ("gen_ai.content.completion", {"gen_ai.completion": ["3 degrees"]})
    model: dict[str, Json] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    return [
        span(1, "chat_client", {**own, "spring.ai.kind": "chat_client"}, lasts=90),
        span(2, "chat m", model, said, parent=1, lasts=30),
        span(3, "tool_call get_weather", {**own, **call}, parent=2),
    ], [WEATHER]


def two_recorders_of_one_call() -> tuple[list[Span], list[Call]]:
    own = tool(2, "lookup", {"id": 1}, "r", "c1", scope="framework", lasts=40)
    client: dict[str, Json] = {"mcp.method.name": "tools/call", "gen_ai.tool.name": "lookup"}
    bare = span(3, "tools/call lookup", client, parent=2, scope="client", at=25, lasts=30)
    boxed = json.dumps({"content": [{"type": "text", "text": "r"}], "isError": False})
    server = tool(4, "lookup", {"id": 1}, boxed, parent=3, scope="server", at=27, lasts=20)
    return [own, bare, server], [("lookup", {"id": 1}, "r")]


def equal_calls_by_two_libraries() -> tuple[list[Span], list[Call]]:
    parts = [part for n in (1, 2) for part in asks("ping", {}, f"c{n}")["parts"]]
    model = llm(1, [USER], {"role": "assistant", "parts": parts})
    ran = [tool(n + 2, "ping", {}, "ok", f"c{n}", scope=f"s{n}", at=20 + n) for n in (1, 2)]
    return [model, *ran], [("ping", {}, "ok")] * 2


SHAPES: tuple[Callable[[], tuple[list[Span], list[Call]]], ...] = (
    react_looks_twice,
    react_asked_again,
    result_under_a_heading,
    teacher_of_react,
    teacher_of_hermes,
    written_beside_recorded,
    lines_of_json_as_text,
    equal_answers_in_events,
    one_id_for_every_turn,
    parts_without_ids_and_calls_with,
    shortened_history_of_items,
    spring_ai,
    two_recorders_of_one_call,
    equal_calls_by_two_libraries,
)


def read(spans: Sequence[Span]) -> Trace:
    trace = assemble(spans)
    assert isinstance(trace, Trace)
    return trace


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_each_call_is_read_once_with_what_it_was_answered(
    shape: Callable[[], tuple[list[Span], list[Call]]],
) -> None:
    spans, calls = shape()
    trace = read(spans)
    assert [(c.name, c.arguments, c.result) for c in trace.tool_calls] == calls
    models = [s for s in spans if s.attributes.get("gen_ai.operation.name") == "chat"]
    assert len(trace.llm_calls) == len(models)


def test_models_that_said_the_same_to_different_questions_are_two() -> None:
    spans = [
        llm(2, [told("Is it safe?")], says("yes"), at=20, lasts=30, scope="guard"),
        llm(3, [told("Is it in stock?")], says("yes"), at=21, lasts=30, scope="framework"),
    ]
    assert len(read(spans).llm_calls) == 2


def openinference(made: Json) -> Trace:
    given = json.dumps({"messages": [told("Judge.")]})
    attributes: dict[str, Json] = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "m",
        "input.value": given,
        "output.value": json.dumps(made),
        "output.mime_type": "application/json",
    }
    return read([span(1, "llm", attributes)])


@pytest.mark.parametrize(
    ("made", "answer"),
    [
        ({"type": "refund", "id": "A-1"}, '{"type":"refund","id":"A-1"}'),
        ({"replies": ["Fine."], "meta": [{"model": "m"}]}, "Fine."),
        ({"id": "1", "model": "m", "created": 17, "finish_reason": "stop"}, None),
    ],
)
def test_a_bare_answer_is_told_from_what_only_accompanies_one(made: Json, answer: Json) -> None:
    [call] = openinference(made).llm_calls
    assert (call.output[0].content if call.output else None) == answer


@pytest.mark.parametrize(
    "attributes",
    [
        {"openinference.span.kind": "TOOL", "tool.name": "run", "input.value": '{"args": ["ls"]}'},
        {"mlflow.spanType": "TOOL", "mlflow.spanInputs": '{"args": ["ls"]}'},
    ],
)
def test_args_may_be_the_name_of_an_argument(attributes: dict[str, Json]) -> None:
    [call] = read([span(1, "run", attributes)]).tool_calls
    assert (call.name, call.arguments) == ("run", {"args": ["ls"]})


def test_a_graph_that_waits_for_a_person_has_not_answered() -> None:
    asked = [{"type": "human", "content": "Refund A-1"}]
    call = {"name": "refund", "args": {"id": "A-1"}, "id": "c1", "type": "tool_call"}
    state = {"messages": [*asked, {"type": "ai", "content": "", "tool_calls": [call]}]}
    graph: dict[str, Json] = {
        "openinference.span.kind": "CHAIN",
        "input.value": json.dumps({"messages": asked}),
        "output.value": json.dumps({**state, "__interrupt__": [{"value": "Approve?"}]}),
    }
    trace = read([span(1, "LangGraph", graph)])
    assert (trace.input, trace.output) == ("Refund A-1", None)
    assert [(c.name, c.arguments) for c in trace.tool_calls] == [("refund", {"id": "A-1"})]
