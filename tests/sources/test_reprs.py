"""What Python prints of its objects, read back as values without running anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymize.conventions.message import text_of
from anonymize.conventions.messages import read_messages
from anonymize.conventions.reprs import is_cut_repr, python_literal, python_object
from anonymize.trace import ToolRequest
from tests.timing import at_most

HAYSTACK = (
    "ChatMessage(_role=<ChatRole.ASSISTANT: 'assistant'>, "
    "_content=[TextContent(text='It\\'s <b>'), "
    "ToolCall(tool_name='weather', arguments={'city': 'Oslo'}, id='c1', extra=None)], _name=None)"
)
LLAMA_INDEX = (
    "ChatMessage(role=<MessageRole.USER: 'user'>, additional_kwargs={}, "
    "blocks=[TextBlock(block_type='text', text='Weather?')])"
)
AUTOGEN = "[TextMessage(source='user', created_at=datetime.datetime(2026, 3, 1), content='Hi')]"
PYDANTIC = "id='3' source='user' metadata={} content='a=1 \"b\" c=2' type='TextMessage'"
OPENAI = (
    "ChatCompletion(id='x', choices=[Choice(finish_reason='tool_calls', index=0, "
    "message=ChatCompletionMessage(content=None, role='assistant', tool_calls=["
    "ChatCompletionMessageToolCall(id='c1', function=Function(arguments='{\"city\": \"Oslo\"}', "
    "name='weather'), type='function')]))])"
)
CALL = ToolRequest(name="weather", arguments={"city": "Oslo"}, call_id="c1")


@pytest.mark.parametrize(
    ("text", "role", "said", "requests"),
    [
        (HAYSTACK, "assistant", "It's <b>", (CALL,)),
        (LLAMA_INDEX, "user", "Weather?", ()),
        (AUTOGEN, "user", "Hi", ()),
        (PYDANTIC, "user", 'a=1 "b" c=2', ()),
        (OPENAI, "assistant", "", (CALL,)),
        ("HumanMessage(content='Hi', additional_kwargs={})", "user", "Hi", ()),
        ("[SystemMessage(content='Be kind.')]", "system", "Be kind.", ()),
    ],
)
def test_messages_are_read_as_their_classes_print_them(
    text: str, role: str, said: str, requests: tuple[ToolRequest, ...]
) -> None:
    [message] = read_messages(text, "user", set())
    assert (message.role, text_of(message), message.tool_requests) == (role, said, requests)


@pytest.mark.parametrize(
    "text",
    ["Note(s): buy milk", "Paris (France)", "f(x) = 1", "a='x' and so on", "open('x')", "F(", ""],
)
def test_prose_stays_prose(text: str) -> None:
    assert python_object(text) is None
    assert python_literal(text) is None
    assert [m.content for m in read_messages(text, "user", set())] == ([text] if text else [])


def test_nothing_is_run_and_what_is_no_value_is_none() -> None:
    for text in ("A(x=open('f'))", "A(x=[i for i in y])", "A(x=1 if y else 2)", "A(**k, x=y.z())"):
        assert python_object(text) is None
    assert python_literal("{'f': <function g at 0x7f>}") == {"f": "<function g at 0x7f>"}


def test_a_repr_that_was_cut_off_is_known_as_one() -> None:
    assert is_cut_repr("StopEvent(result=AgentOutput(response=ChatMessage(role=<Mes...")
    assert not is_cut_repr("StopEvent(result='x')")
    assert not is_cut_repr("It's cold (3 degrees...")


@given(
    st.text(alphabet="A(x=')\"\\<>{[ ,:.1", max_size=60), st.sampled_from(["", "A(x=", "a='b' "])
)
def test_no_text_makes_the_reader_raise(text: str, start: str) -> None:
    for read in (python_object, python_literal, is_cut_repr):
        read(start + text)


@pytest.mark.parametrize(
    "tail", ['\\"', "\\'", "<a", "<A.b: ", "(", "A(x=", "-", ".a", "c ", "'", " ", "1+", "<a.b '"]
)
def test_no_text_takes_more_than_linear_time(tail: str) -> None:
    with at_most(2):  # quadratic: 20 s and more
        for start in ("A(x=", "a='b' c=1 "):
            read_messages(start + tail * (60_000 // len(tail)), "user", set())
