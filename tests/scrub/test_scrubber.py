"""Scrubbing whole traces: nothing personal survives, nothing else changes, doubt is quarantined."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.errors import UsageError
from anonymize.keys import PseudonymKey
from anonymize.policy import FieldRule, ScrubPolicy
from anonymize.scrub import Scrubber
from anonymize.scrubbed import ScrubbedTrace
from anonymize.trace import (
    Json,
    LLMCall,
    Message,
    QuarantinedTrace,
    ToolCall,
    ToolDefinition,
    ToolRequest,
    Trace,
    UserTurn,
)
from tests.timing import at_most

pytestmark = pytest.mark.xdist_group("ner")
KEY = PseudonymKey(b"a key for tests, nothing is real")
PROFILE = {
    "user_id": "mei_kovacs_8020",
    "name": {"first_name": "Mei", "last_name": "Kovacs"},
    "email": "mei.kovacs@corp.internal",
    "dob": "1990-04-05",
    "phone": "(415) 555-0143",
    "address": {"address1": "975 Sunset Drive", "city": "Austin", "zip": "78750"},
    "payment_methods": {"credit_card_1955700": {"brand": "visa", "id": "credit_card_1955700"}},
    "orders": ["#W2611340", "#W4817420"],
}
SECRETS = (
    "mei",
    "kovacs",
    "8020",
    "1990-04-05",
    "555-0143",
    "sunset",
    "78750",
    "1955700",
    "internal",
)


@pytest.fixture(scope="module")
def scrubber() -> Scrubber:
    return Scrubber.create(ScrubPolicy(), KEY)


def make_trace(**fields: Any) -> Trace:
    return Trace(**{"trace_id": "t-1", "agent": "support", **fields})


def scrub(scrubber: Scrubber, trace: Trace) -> Trace:
    (result,) = scrubber.scrub_all([trace])
    assert isinstance(result, ScrubbedTrace), getattr(result, "reason", "")
    return result.trace


def make_conversation() -> Trace:
    ask = Message(role="user", content="hi, mei here. MKovacs is my login, born April 5, 1990")
    request = ToolRequest(name="get_user", arguments={"user_id": "mei_kovacs_8020"}, call_id="c1")
    answer = Message(role="tool", content=json.dumps(PROFILE), tool_call_id="c1")
    final = Message(
        role="assistant",
        content="Thanks, Ms. KOVACS! Shipping #W2611340 to 975 sunset drive (Austin), call +1 415 "
        "555 0143. Link: https://shop.test/u?m=mei.kovacs%40corp.internal",
    )
    tools = (ToolDefinition(name="get_user", description="For example John Smith", parameters={
        "type": "object", "properties": {"email": {"type": "string"}}}),)  # fmt: skip
    return make_trace(
        input=ask.content,
        output=final.content,
        user_id="mei_kovacs_8020",
        tags={"customer": "mei.kovacs@corp.internal", "region": "us-east-1"},
        steps=(
            LLMCall(step_id="1", input=(ask,), output=(Message(role="assistant",
                    tool_requests=(request,)),), tools=tools, model="gpt-4.1"),
            ToolCall(step_id="2", name="get_user", arguments=request.arguments,
                     result=json.dumps({"status": "ok", "data": json.dumps(PROFILE)}),
                     call_id="c1"),
            LLMCall(step_id="3", input=(ask, answer), output=(final,)),
            UserTurn(step_id="4", content=[{"type": "text", "text": "Kovacs, Mei. mkovacs82"}]),
        ),
    )  # fmt: skip


def test_nothing_personal_survives_anywhere(scrubber: Scrubber) -> None:
    made = scrub(scrubber, make_conversation())
    text = repr(made).lower()
    assert [value for value in SECRETS if value in text] == []


def test_what_is_not_personal_stays(scrubber: Scrubber) -> None:
    raw, made = make_conversation(), scrub(scrubber, make_conversation())
    for kept in ("#W2611340", "Austin", "visa", "credit_card_", "status", "https://shop.test/u?m="):
        assert kept in repr(made)
    assert made.llm_calls[0].tools == raw.llm_calls[0].tools
    assert made.tool_calls[0].name == "get_user"
    assert made.tool_calls[0].call_id == "c1"
    assert made.tags["region"] == "us-east-1"


def test_arguments_results_and_prose_agree_after_scrubbing(scrubber: Scrubber) -> None:
    made = scrub(scrubber, make_conversation())
    call = made.tool_calls[0]
    user = call.arguments["user_id"]
    profile = json.loads(json.loads(call.result)["data"])
    assert profile["user_id"] == user == made.user_id
    assert list(profile["payment_methods"]) == [profile["payment_methods"][k]["id"]
                                                for k in profile["payment_methods"]]  # fmt: skip
    assert profile["email"] == made.tags["customer"]
    assert profile["name"]["last_name"].upper() in made.output
    first, last, _ = user.split("_")
    assert (first, last) == (
        profile["name"]["first_name"].lower(),
        profile["name"]["last_name"].lower(),
    )


def test_scrubbing_twice_changes_nothing(scrubber: Scrubber) -> None:
    once = scrub(scrubber, make_conversation())
    assert scrub(scrubber, once) == once
    other = Scrubber.create(ScrubPolicy(), KEY)
    assert scrub(other, once) == once, "another process, another night"


def test_the_result_does_not_depend_on_the_batch(scrubber: Scrubber) -> None:
    others = [
        make_trace(trace_id=f"t{i}", input=f"Hello from Anja Lindqvist {i}") for i in range(5)
    ]
    alone = scrub(Scrubber.create(ScrubPolicy(), KEY), make_conversation())
    together = list(scrubber.scrub_all([*others, make_conversation(), *others]))
    assert isinstance(together[5], ScrubbedTrace)
    assert together[5].trace == alone
    assert [r.trace.trace_id for r in together if isinstance(r, ScrubbedTrace)] == (
        ["t0", "t1", "t2", "t3", "t4", "t-1", "t0", "t1", "t2", "t3", "t4"]
    )


_PLANTED = {
    "e-mail": "zofia.brandt@corp.internal",
    "card": "4532 2766 4457 7020",
    "phone": "+44 7700 900123",
    "ssn": "531-21-7351",
    "key": "sk-proj-Xy12abCD34efGH56ijKL",
    "iban": "DE44 5001 0517 5407 3249 31",
    "street": "12 Willow Creek Road",
    "payment": "gift_card_7091239",
}
_noise = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="{}"), max_size=30)
    | st.sampled_from(["order #W123", "(123) ", "a.a.a.@", "%40", '{"a": 1}', "\x00", "1 2 3 "]),
    max_size=5,
)


def _wrapped(text: str, how: int) -> Json:
    return (
        text,
        {"note": text},
        [{"type": "text", "text": text}],
        json.dumps({"outer": json.dumps({"inner": [text]})}),
        {"a": {text: 1}},
    )[how]


@settings(max_examples=40, deadline=None)
@given(before=_noise, after=_noise, name=st.sampled_from(sorted(_PLANTED)), how=st.integers(0, 4))
def test_a_planted_value_never_survives(
    scrubber: Scrubber, before: list[str], after: list[str], name: str, how: int
) -> None:
    value = _PLANTED[name]
    text = " ".join((*before, f"| {value} |", *after))
    trace = make_trace(input=_wrapped(text, how))
    once = scrub(scrubber, trace)
    assert value not in json.dumps(once.input, ensure_ascii=False)
    assert scrub(scrubber, once).input == once.input


@settings(max_examples=40, deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "name", "email", "zip", "user_id", "phone", "x", "dob"]), inner,
        max_size=4),
    max_leaves=8,
))  # fmt: skip
def test_any_json_keeps_its_shape_and_settles(scrubber: Scrubber, value: Json) -> None:
    once = scrub(scrubber, make_trace(input=value)).input
    assert _shape(once) == _shape(value)
    assert scrub(scrubber, make_trace(input=once)).input == once


def _shape(value: Json) -> Json:
    if isinstance(value, dict):
        return {k: _shape(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_shape(v) for v in value]
    return type(value).__name__


def test_untouched_json_text_keeps_every_byte(scrubber: Scrubber) -> None:
    text = '{ "b" : [1.50, 1e3 ,"\\u00e9\\/"],\n\t"a":{"zip":"78750"} , "c": null }'
    made = scrub(scrubber, make_trace(input=text)).input
    assert made != text
    assert made.replace(json.loads(made)["a"]["zip"], "78750") == text


@pytest.mark.parametrize(
    "text",
    [
        ("a." * 5000) + "@" + "b." * 50, "(123) " * 1700, "@" * 10_000, "1" * 10_000,
        '{"a":' * 2000, "[" * 10_000, '{"' * 5000, "\\" * 10_000, "a:" * 5000, "-----BEGIN " * 900,
    ],
)  # fmt: skip
def test_text_after_an_adversarial_block_is_found_in_bounded_time(
    scrubber: Scrubber, text: str
) -> None:
    with at_most(1):  # about 0.1 s, with room for a busy machine
        made = scrubber.scrub_text(text + " write to mei.kovacs@corp.internal")
        assert "kovacs@corp" not in made


def test_hostile_values_are_quarantined_and_the_rest_goes_on(scrubber: Scrubber) -> None:
    deep: Json = "mei@corp.internal"
    for _ in range(10_000):
        deep = {"a": deep}
    bad = [deep, "x" * 21_000_000, {"a": object()}, {1: 2}]
    traces = [make_trace(trace_id=f"mei-{i}", input=value) for i, value in enumerate(bad)]
    results = list(scrubber.scrub_all([*traces, make_trace(input="Hello, I'm Mei Kovacs.")]))
    for result in results[:-1]:
        assert isinstance(result, QuarantinedTrace)
        assert "mei" not in repr(result).lower()
    assert isinstance(results[-1], ScrubbedTrace)


def test_broken_characters_are_mended_and_flagged(scrubber: Scrubber) -> None:
    made = scrub(scrubber, make_trace(input="NUL \x00 and \ud800 mei@corp.internal 😀😀"))
    assert "mei@" not in made.input
    assert "\x00" not in made.input
    assert "bad_text" in made.lossy_flags


def test_trusted_values_are_surrogates_already(scrubber: Scrubber) -> None:
    # As in a replay: the agent writes a new sentence around values of a scrubbed recording.
    (result,) = scrubber.scrub_all(
        [make_trace(input="Sent 4532 2766 4457 7020 to Wiktor Zabielski, cc zoe@corp.internal")],
        trusted=["4532 2766 4457 7020", "Wiktor Zabielski"],
    )
    assert isinstance(result, ScrubbedTrace)
    assert "4532 2766 4457 7020 to Wiktor Zabielski" in result.trace.input
    assert "zoe@" not in result.trace.input


def test_presidios_own_email_recognizer_stays_off_the_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a network request")

    monkeypatch.setattr("requests.Session.request", refuse)
    spec = "presidio_analyzer.predefined_recognizers:EmailRecognizer"
    policy = ScrubPolicy(model="", recognizers=(spec,))
    made = Scrubber.create(policy, KEY).scrub_text("write to mei@some-company.co.uk")
    assert "some-company" not in made


def test_a_recognizer_of_ones_own_takes_part() -> None:
    policy = ScrubPolicy(
        model="", recognizers=("tests.scrub.recognizers_for_tests:BadgeRecognizer",)
    )
    made = Scrubber.create(policy, KEY).scrub_text("badge BDG/4821/K was used, order 12")
    assert "BDG/4821/K" not in made
    assert made.endswith("was used, order 12")


@pytest.mark.parametrize(
    ("name", "text"),
    [("RaisingRecognizer", "please explode"), ("HangingRecognizer", "a" * 40 + "!")],
)
def test_a_recognizer_that_fails_quarantines_its_trace_alone(name: str, text: str) -> None:
    policy = ScrubPolicy(
        model="",
        recognizers=(f"tests.scrub.recognizers_for_tests:{name}",),
        recognizer_seconds=0.5,
    )
    scrubber = Scrubber.create(policy, KEY)
    bad, good = scrubber.scrub_all([make_trace(input=text), make_trace(input="fine")])
    assert isinstance(bad, QuarantinedTrace)
    assert text not in repr(bad)
    assert isinstance(good, ScrubbedTrace)


def test_a_recognizer_that_does_not_exist_is_a_usage_error() -> None:
    policy = ScrubPolicy(model="", recognizers=("no.such:Thing",))
    with pytest.raises(UsageError, match=r"no\.such:Thing"):
        Scrubber.create(policy, KEY).scrub_text("x")


def test_field_rules_and_allow_list_are_obeyed() -> None:
    policy = ScrubPolicy(
        model="",
        allow_list=("help@shop.test",),
        fields=(
            FieldRule(path="notes", action="drop"),
            FieldRule(path="owner.email", action="keep"),
            FieldRule(path="badge", entity="ACCOUNT_ID"),
        ),
    )
    value = {
        "notes": "anything", "owner": {"email": "a@corp.internal"}, "email": "b@corp.internal",
        "badge": "4821", "help": "help@shop.test",
    }  # fmt: skip
    made = scrub(Scrubber.create(policy, KEY), make_trace(input=value)).input
    assert made["notes"] == "[dropped]"
    assert made["owner"]["email"] == "a@corp.internal"
    assert made["email"] != "b@corp.internal"
    assert made["badge"] != "4821"
    assert made["help"] == "help@shop.test"


def test_explain_says_what_by_whom_and_what_becomes_of_it(scrubber: Scrubber) -> None:
    text = "I am Mei Kovacs, mei@corp.internal"
    found = [f for f in scrubber.explain(text) if f.score >= 0.5]
    assert {(f.entity, text[f.start : f.end]) for f in found} == {
        ("PERSON", "Mei Kovacs"),
        ("EMAIL_ADDRESS", "mei@corp.internal"),
    }
    assert all(f.surrogate not in text and f.recognizer for f in found)


def test_counts_and_policy_go_with_the_trace(scrubber: Scrubber) -> None:
    (result,) = scrubber.scrub_all([make_trace(input="mei@corp.internal and mei@corp.internal")])
    assert isinstance(result, ScrubbedTrace)
    assert result.counts == {"EMAIL_ADDRESS": 2}
    assert result.policy == scrubber.policy_digest
    assert replace(ScrubPolicy(), threshold=0.9).digest() != ScrubPolicy().digest()


@pytest.mark.parametrize(
    "text",
    [
        "order #W2611340 shipped at 1749650492 (2024-05-16T10:00:00Z)", "SKU 8264921047 x3, $12.50",
        "os.path.join(a, b)", "https://docs.python.org/3/library/re.html", "JFK to LAX on HAT030",
        "New York, San Francisco and Paris in May", '{"id": "call_fLxcMYQFvKcOdQNYvY2sKVRr"}',
        "v2026.2.9 of 127.0.0.1", "ISBN 978-3-16-148410-0", "{'price': 1299.99, 'qty': 100200}",
    ],
)  # fmt: skip
def test_what_is_nobodys_stays_byte_for_byte(scrubber: Scrubber, text: str) -> None:
    assert scrubber.scrub_text(text) == text
