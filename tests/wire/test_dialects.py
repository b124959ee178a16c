"""Three provider APIs: what is read from requests, and the corners of what is written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.trace import LLMCall, Message, StepError, ToolRequest, Usage
from replay.wire import DIALECTS, Dialect, LlmAnswer, dialect_of
from replay.wire.failures import STATUS
from replay.wire.recorded import RecordedModel
from tests.wire.support import MODEL, PATHS, Transport, ask, values

NAMES = sorted(PATHS)


def dialect(name: str) -> Dialect:
    found = dialect_of("POST", PATHS[name])
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/v1/chat/completions", "openai_chat"),
        ("POST", "/openai/v1/chat/completions?api-version=1", "openai_chat"),
        ("POST", "/openai/deployments/mine/chat/completions", "openai_chat"),
        ("POST", "/s/t1/v1/responses", "openai_responses"),
        ("POST", "/api/v1/messages/", "anthropic_messages"),
        ("GET", "/v1/chat/completions", None),
        ("POST", "/v1/embeddings", None),
        ("POST", "/v1/messages/count_tokens", None),
        ("POST", "/v1/threads/abc/messages", None),
        ("POST", "", None),
    ],
)
def test_an_api_is_told_from_the_path_alone(method: str, path: str, name: str | None) -> None:
    found = dialect_of(method, path)
    assert (found.name if found else None) == name


def test_a_deployment_names_the_model_where_the_body_does_not() -> None:
    path = "/openai/deployments/my%20gpt/chat/completions"
    assert dialect("openai_chat").read({"messages": []}, path).model == "my gpt"


@pytest.mark.parametrize("name", NAMES)
@given(body=st.dictionaries(st.sampled_from("model messages input tools system x".split()), values))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_odd_requests_are_read_and_answered(name: str, body: dict[str, Any]) -> None:
    request = dialect(name).read(body)
    model = RecordedModel([LLMCall(step_id="1", input=(Message(role="user", content="hi"),))])
    assert model.answer(request) is None
    assert model.explain_miss(request)
    for stream in (False, True):
        made = dialect(name).write(LlmAnswer(), dialect(name).read({**body, "stream": stream}))
        assert made.streamed == stream


@pytest.mark.parametrize("name", NAMES)
@given(body=st.binary(max_size=80) | values.map(lambda v: json.dumps(v).encode()))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_odd_responses_are_read(name: str, body: bytes) -> None:
    for kind in ("application/json", "text/event-stream"):
        for status in (200, 500):
            found = dialect(name).read_response(body, status=status, content_type=kind)
            assert (found.error is not None) >= (status == 500)


@pytest.mark.parametrize("kind", [k for k in STATUS if k != "not_recorded"])
@pytest.mark.parametrize("name", NAMES)
def test_sdks_raise_what_they_raise_for_that_status(name: str, kind: Any) -> None:
    sdk = pytest.importorskip("anthropic" if name.startswith("anthropic") else "openai")
    answer = LlmAnswer(error=StepError(kind=f"http_{STATUS[kind]}", message="no such luck"))
    with pytest.raises(sdk.APIStatusError, match="no such luck") as caught:
        ask(Transport(answer).client(name), name, stream=False)
    assert caught.value.status_code == STATUS[kind]


@pytest.mark.parametrize("name", NAMES)
def test_an_error_that_is_the_outcome_is_not_retried(name: str) -> None:
    asked = []

    class Counting(Transport):
        def respond(self, request: Any, *, is_async: bool) -> Any:
            asked.append(request)
            return super().respond(request, is_async=is_async)

    http = Counting(LlmAnswer(error=StepError(kind="RateLimitError", message="slow down")))
    with pytest.raises(Exception, match="slow down"):
        ask(http.client(name, max_retries=5), name, stream=False)
    assert len(asked) == 1


def test_an_error_says_when_to_ask_again() -> None:
    for one in DIALECTS:
        made = one.error("rate_limit", "slow", retry_after=2.5, retry=True)
        assert (made.status, made.headers["retry-after"]) == (429, "2.5")
        assert made.headers["x-should-retry"] == "true"


def test_a_stream_that_hit_its_limit_says_so() -> None:
    """Through the plain streams: the helper of chat completions makes an exception of it."""
    answer = LlmAnswer(
        messages=(Message(role="assistant", content="and so"),), finish_reason="max_tokens"
    )
    client = Transport(answer).client("openai_chat")
    chat = client.chat.completions.create(
        model=MODEL, messages=[], stream=True, stream_options={"include_usage": True}
    )
    assert [c.choices[0].finish_reason for c in chat if c.choices][-1] == "length"
    client = Transport(answer).client("openai_responses")
    *_, last = client.responses.create(model=MODEL, input="hi", stream=True)
    assert (last.type, last.response.status) == ("response.incomplete", "incomplete")
    result = ask(Transport(answer).client("anthropic_messages"), "anthropic_messages", stream=True)
    assert result.stop_reason == "max_tokens"


def test_alternatives_are_choices_if_they_were_asked_for() -> None:
    texts = tuple(Message(role="assistant", content=f"answer {n}") for n in range(2))
    client = Transport(LlmAnswer(messages=texts)).client("openai_chat")
    both = client.chat.completions.create(model=MODEL, messages=[], n=2)
    assert [c.message.content for c in both.choices] == ["answer 0", "answer 1"]
    one = client.chat.completions.create(model=MODEL, messages=[])
    assert [c.message.content for c in one.choices] == ["answer 0answer 1"]


@pytest.mark.parametrize("name", NAMES)
def test_arguments_that_do_not_parse_reach_the_agent(name: str) -> None:
    """As they were recorded; an API that takes objects alone gets one around the text."""
    request = ToolRequest(name="get", arguments='{"id": ', call_id="c1")
    answer = LlmAnswer(messages=(Message(role="assistant", tool_requests=(request,)),))
    result = ask(Transport(answer).client(name), name, stream=False)
    if name == "openai_chat":
        assert result.choices[0].message.tool_calls[0].function.arguments == '{"id": '
    elif name == "openai_responses":
        assert result.output[0].arguments == '{"id": '
    else:
        assert result.content[0].input == {"input": '{"id": '}


@pytest.mark.parametrize("name", NAMES)
def test_what_can_not_be_written_is_replaced(name: str) -> None:
    answer = LlmAnswer(
        messages=(Message(role="assistant", content="a\ud800b\0"),), usage=Usage(input_tokens=1)
    )
    for stream in (False, True):
        found = ask(Transport(answer).client(name), name, stream=stream).model_dump_json()
        assert "a\ufffdb\ufffd" in found


# --- the recorded model


def call(*messages: Message, answer: str = "ok", **more: Any) -> LLMCall:
    output = (Message(role="assistant", content=answer),)
    return LLMCall(step_id="1", input=messages, output=output, **more)


def said_to(recorded: RecordedModel, *messages: dict[str, Any], **more: Any) -> str | None:
    request = dialect("openai_chat").read({"messages": list(messages), **more})
    found = recorded.answer(request)
    return None if found is None else f"{found.fidelity} {found.answer.messages[0].content}"


HI = Message(role="user", content="hi")


def test_equal_calls_are_answered_in_order_each_once() -> None:
    model = RecordedModel([call(HI, answer="one"), call(HI, answer="two")])
    asked = {"role": "user", "content": "hi"}
    found = [said_to(model, asked) for _ in range(3)]
    assert found == ["exact one", "exact two", None]
    request = dialect("openai_chat").read({"messages": [asked]})
    assert "already answered" in model.explain_miss(request)


def test_blanks_and_notation_make_it_normalized() -> None:
    result = Message(role="tool", tool_call_id="x", content='{"a": 1, "b": [2]}')
    model = RecordedModel([call(HI, result)])
    asked = {"role": "tool", "tool_call_id": "other", "content": '{"b":[2.0],"a":1}'}
    assert said_to(model, {"role": "user", "content": " hi\n"}, asked) == "normalized ok"


@pytest.mark.parametrize(
    ("recorded", "asked", "fits"),
    [
        ("gpt-5-2026-01-01", "gpt-5", True),
        ("gpt-5", "openai/gpt-5", True),
        ("claude-x@20260101", "claude-x", True),
        ("claude-x-20260101", "claude-x-latest", False),
        ("gpt-5", "gpt-5-mini", False),
        ("gpt-4", "gpt-4-32k", False),
        ("gpt-5", "gpt-5.1", False),
        ("gpt-5", "gpt-6", False),
        ("", "gpt-6", True),
    ],
)
def test_another_model_is_another_call(recorded: str, asked: str, fits: bool) -> None:
    model = RecordedModel([call(HI, model=recorded)])
    question = {"role": "user", "content": "hi"}
    assert (said_to(model, question, model=asked) is not None) == fits
    if not fits:
        request = dialect("openai_chat").read({"messages": [question], "model": asked})
        assert f"$.model: '{recorded}' != '{asked}'" in model.explain_miss(request)


def test_media_counts_as_being_there() -> None:
    """The bytes are not in a recording, so any picture fits where there was one."""
    seen = Message(role="user", content=[{"type": "text", "text": "what?"}, {"type": "image"}])
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
    text = {"type": "text", "text": "what?"}
    assert said_to(RecordedModel([call(seen)]), {"role": "user", "content": [text]}) is None
    found = said_to(RecordedModel([call(seen)]), {"role": "user", "content": [text, picture]})
    assert found == "normalized ok"
