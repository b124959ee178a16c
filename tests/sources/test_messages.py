"""Messages out of whatever carries them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymize.conventions.definitions import read_tools, read_usage
from anonymize.conventions.messages import read_messages
from anonymize.conventions.reprs import python_literal
from anonymize.conventions.values import complete, parse, structured, unflatten
from anonymize.jsontools import JsonError
from anonymize.trace import ToolDefinition, Usage
from tests.sources.shapes import REQUEST, SAID, SHAPES


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_read(shape: str) -> None:
    value, messages = SHAPES[shape]
    role = "assistant" if messages[-1] == SAID and len(messages) == 1 else "user"
    assert list(read_messages(value, role, set())) == messages
    if not isinstance(value, str):
        assert list(read_messages(json.dumps(value), role, set())) == messages


@pytest.mark.parametrize(
    "value",
    [None, [], {}, 5, {"city": "Oslo"}, [1, 2], ["a", "b"], {"items": [{"text": "x"}]}],
)
def test_what_is_no_message_gives_none(value: Any) -> None:
    assert read_messages(value, "user", set()) == ()


def test_a_tools_own_json_stays_as_it_was() -> None:
    text = '[{"type": "text", "text": "x"}]'
    [message] = read_messages([{"role": "tool", "content": text}], "user", set())
    assert message.content == text


def test_requests_in_the_text_of_a_message_are_also_requests() -> None:
    text = '[{"function":{"name":"get","arguments":"{\\"n\\": 1}"},"id":"c1","type":"function"}]'
    for role in ("assistant", "tool"):
        [message] = read_messages([{"role": role, "content": text}], "user", set())
        assert message.content == text
        assert message.tool_requests == REQUEST.tool_requests


def test_arguments_that_are_no_json_stay_text_and_are_flagged() -> None:
    flags: set[str] = set()
    call = {"id": "c", "function": {"name": "get", "arguments": '{"n": 1]}'}}
    [message] = read_messages([{"role": "assistant", "tool_calls": [call]}], "user", flags)
    assert message.tool_requests[0].arguments == '{"n": 1]}'
    assert flags == {"bad_json"}


WORDS = sorted(
    {"role", "content", "parts", "type", "text", "tool_calls", "function", "name", "arguments"}
    | {"id", "message", "messages", "choices", "output", "input", "data", "kwargs", "candidates"}
    | {"contents", "generations", "tool_call_id", "functionCall", "toolResult", "config"}
    | {"message_content", "gen_ai.event.content", "system", "toolName", "result"}
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(WORDS) | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_no_json_value_makes_the_reader_raise(value: Any) -> None:
    for message in read_messages(value, "user", set()):
        assert isinstance(message.role, str)
    read_tools(value, set())
    read_usage(value)


@given(JSON.filter(lambda v: isinstance(v, dict | list)), st.integers(min_value=0))
def test_a_value_cut_anywhere_is_recovered_or_given_up_without_raising(
    value: Any, cut: int
) -> None:
    text = json.dumps(value)
    structured(text[: cut % (len(text) + 1)], set(), expected=True)


def test_what_stood_before_the_cut_is_recovered() -> None:
    assert complete('{"a": [1, {"b": "tex') == {"a": [1, {"b": "tex"}]}
    assert complete('[{"a": 1}, {"b":') == [{"a": 1}, {}]
    assert complete('{"a": 1, "b": tr') == {"a": 1}
    assert complete("]") is None


def test_python_text_is_read_only_where_it_is_plain_data() -> None:
    assert python_literal("{'a': (1, 2), 'b': None}") == {"a": [1, 2], "b": None}
    assert python_literal("{'a': open('x')}") is None
    assert python_literal("{1, 2}") is None
    assert python_literal("[" * 60 + "]" * 60) is None
    assert python_literal("{'a': 1}" * 10_000) is None


def test_flattened_indices_are_an_order_and_no_allocation() -> None:
    items, gap = unflatten({"m.999999999.x": 2, "m.0.x": 1, "m.y.x": 3}, "m.")
    assert items == [{"x": 1}, {"x": 2}]
    assert gap


def test_lone_surrogates_and_nan_are_tolerated_in_nested_json() -> None:
    assert parse('{"a": "\\ud83d", "b": NaN}') == {"a": "\ud83d", "b": None}
    with pytest.raises(JsonError):
        parse('{"a": "\\ud83d"')


@pytest.mark.parametrize(
    "value",
    [
        [{"type": "function", "function": {"name": "get", "parameters": {"type": "object"}}}],
        [{"name": "get", "input_schema": {"type": "object"}}],
        ['{"type":"function","name":"get","inputSchema":{"type":"object"}}'],
        [{"function_declarations": [{"name": "get", "parameters": {"type": "object"}}]}],
        {"tools": [{"toolSpec": {"name": "get", "inputSchema": {"json": {"type": "object"}}}}]},
        [{"tool": {"json_schema": '{"name": "get", "parameters": {"type": "object"}}'}}],
        [{"tool": {"name": "get", "json_schema": '{"type": "object"}'}}],
        {"get": {"parameters": {"type": "object"}}},
    ],
)
def test_tool_definitions_of_every_provider(value: Any) -> None:
    assert read_tools(value, set()) == (ToolDefinition(name="get", parameters={"type": "object"}),)


def test_token_counts_of_every_provider() -> None:
    for asked, made in (
        ("input_tokens", "output_tokens"),
        ("prompt_tokens", "completion_tokens"),
        ("promptTokens", "completionTokens"),
        ("prompt_token_count", "candidates_token_count"),
    ):
        assert read_usage({asked: "3", made: 4.0}) == Usage(input_tokens=3, output_tokens=4)
    assert read_usage({"input_tokens": True, "output_tokens": "many"}) is None
