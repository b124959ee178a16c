"""Real recordings of one agent under many instrumentations: an agent on a vendor's SDK is led
through each of them again. No HTTP was recorded, and most were made through another framework.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from anonymize.trace import Json, LLMCall, Trace
from replay.matching import exact_key
from replay.wire.recorded import RecordedModel
from tests.sources.builders import read_path
from tests.support import SHARED, shared
from tests.wire.support import PATHS, Transport

#: Without content there is nothing to answer, and a failed tool ended the others after one call.
LEFT_OUT = ("nocontent", "toolerr", "genai_openai_agents")
FILES = [
    f.stem
    for f in sorted((SHARED / "otlp_spans").glob("*.json"))
    if not any(word in f.stem for word in LEFT_OUT)
] or ["absent"]
ANSWER = "It is 21C and sunny in Paris. Your order A-17 has shipped."


class Replaying(Transport):
    """Answers an SDK from the model calls of recorded traces."""

    def __init__(self, traces: list[Trace]) -> None:
        self.calls = [c for t in traces for c in t.llm_calls]
        self.model = RecordedModel(self.calls, "t")
        self.missed = ""
        self.grades: list[str] = []

    def respond(self, request: Any, *, is_async: bool) -> Any:
        from replay.wire import dialect_of

        dialect = dialect_of(request.method, request.url.path)
        assert dialect is not None
        asked = dialect.read(json.loads(request.content))
        found = self.model.answer(asked)
        assert found is not None, self.model.explain_miss(asked)
        self.grades.append(found.fidelity)
        self.answer = found.answer
        return super().respond(request, is_async=is_async)


def results_of(traces: list[Trace]) -> dict[tuple[str, str], Json]:
    return {
        (c.name, exact_key(c.arguments)): c.result
        for t in traces
        for c in t.tool_calls
        if c.result is not None
    }


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", sorted(PATHS))
@pytest.mark.parametrize("file", FILES)
def test_an_sdk_is_led_through_a_recording(file: str, name: str, stream: bool) -> None:
    traces = [t for t in read_path(shared(f"otlp_spans/{file}.json")) if isinstance(t, Trace)]
    http = Replaying(traces)
    tools = results_of(traces)
    loop = {"openai_chat": chat, "openai_responses": responses, "anthropic_messages": anthropic}
    first = http.calls[0]
    said = loop[name](http.client(name), first, tools, stream)
    assert said.strip() == ANSWER
    assert said == http.calls[-1].output[0].content
    assert len(http.grades) == 2
    assert set(http.grades) <= {"exact", "normalized"}
    assert http.model.unconsumed() == ()


def system_of(call: LLMCall) -> str:
    return "".join(str(m.content) for m in call.input if m.role == "system")


def question_of(call: LLMCall) -> Json:
    return next(m.content for m in call.input if m.role == "user")


def result_of(tools: dict[tuple[str, str], Json], name: str, arguments: Json) -> str:
    given = json.loads(arguments) if isinstance(arguments, str) else arguments
    result = tools[name, exact_key(given)]
    return result if isinstance(result, str) else json.dumps(result)


SCHEMA = {"type": "object", "properties": {}, "additionalProperties": True}


def chat(client: Any, first: LLMCall, tools: Any, stream: bool) -> str:
    messages: list[Any] = [{"role": "user", "content": question_of(first)}]
    if system_of(first):
        messages.insert(0, {"role": "system", "content": system_of(first)})
    given: dict[str, Any] = {"model": first.model}
    if first.tools:
        offered = [{"name": t.name, "parameters": SCHEMA} for t in first.tools]
        given["tools"] = [{"type": "function", "function": f} for f in offered]
    while True:
        if stream:
            with client.chat.completions.stream(messages=messages, **given) as events:
                said = events.get_final_completion().choices[0].message
        else:
            said = client.chat.completions.create(messages=messages, **given).choices[0].message
        if not said.tool_calls:
            return str(said.content)
        messages.append(said.model_dump(include={"role", "content", "tool_calls"}))
        for call in said.tool_calls:
            result = result_of(tools, call.function.name, call.function.arguments)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


def responses(client: Any, first: LLMCall, tools: Any, stream: bool) -> str:
    given: dict[str, Any] = {"model": first.model, "instructions": system_of(first) or None}
    if first.tools:
        given["tools"] = [
            {"type": "function", "name": t.name, "parameters": SCHEMA, "strict": False}
            for t in first.tools
        ]
    asked: list[Any] = [{"role": "user", "content": question_of(first)}]
    while True:
        if stream:
            with client.responses.stream(input=asked, **given) as events:
                answer = events.get_final_response()
        else:
            answer = client.responses.create(input=asked, **given)
        calls = [item for item in answer.output if item.type == "function_call"]
        if not calls:
            return str(answer.output_text)
        asked += [item.model_dump(exclude_none=True) for item in answer.output]
        for call in calls:
            result = result_of(tools, call.name, call.arguments)
            asked.append(
                {"type": "function_call_output", "call_id": call.call_id, "output": result}
            )


def anthropic(client: Any, first: LLMCall, tools: Any, stream: bool) -> str:
    given: dict[str, Any] = {"model": first.model, "max_tokens": 99}
    if system_of(first):
        given["system"] = system_of(first)
    if first.tools:
        given["tools"] = [{"name": t.name, "input_schema": SCHEMA} for t in first.tools]
    messages: list[Any] = [{"role": "user", "content": question_of(first)}]
    while True:
        if stream:
            with client.messages.stream(messages=messages, **given) as events:
                said = events.get_final_message()
        else:
            said = client.messages.create(messages=messages, **given)
        calls = [block for block in said.content if block.type == "tool_use"]
        if not calls:
            return "".join(block.text for block in said.content)
        messages.append({"role": "assistant", "content": said.content})
        results = [
            {
                "type": "tool_result",
                "tool_use_id": call.id,
                "content": result_of(tools, call.name, call.input),
            }
            for call in calls
        ]
        messages.append({"role": "user", "content": results})
