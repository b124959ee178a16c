"""The second detector: what is real is objected to, what was invented or is nobody's is not."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from anonymize.audit import patterns, stock
from anonymize.audit.detector import SecondDetector
from anonymize.audit.known import BLIND, Known
from anonymize.audit.labels import entity_of, plausible
from anonymize.audit.leaves import leaves
from anonymize.audit.model import UNAUDITED
from anonymize.audit.spared import Spared
from anonymize.keys import PseudonymKey
from anonymize.policy import ExcludeRule, FieldRule, ScrubPolicy
from anonymize.scrub import Scrubber
from anonymize.scrubbed import ScrubbedTrace
from anonymize.surrogates import Surrogates
from anonymize.trace import LLMCall, Message, ToolCall, ToolDefinition, Trace
from tests.timing import at_most

pytestmark = pytest.mark.xdist_group("ner")
KEY = PseudonymKey(b"a key for tests, nothing is real")
SURROGATES = Surrogates(KEY)
WITH_KEY = Known(SURROGATES)


def make_trace(**fields: Any) -> Trace:
    return Trace(**{"trace_id": "t-1", "agent": "support", **fields})


def entities(trace: Trace, known: Known = WITH_KEY, policy: ScrubPolicy | None = None) -> set[str]:
    policy = policy or ScrubPolicy()
    seen = leaves(trace, Spared(policy))
    return {f.entity for f in SecondDetector(policy).check(seen, known)}


PROSE = {
    "EMAIL_ADDRESS": "write to mei.kovacs@corp.internal please",
    "CREDIT_CARD": "my card is 4532 2766 4457 7020.",
    "US_SSN": "SSN 531-21-7351.",
    "PHONE_NUMBER": "call +44 20 7946 0018 or (415) 555-2671",
    "IBAN_CODE": "IBAN DE44 5001 0517 5407 3249 31",
    "IP_ADDRESS": "from 81.104.22.19 today",
    "MAC_ADDRESS": "device 3c:22:fb:4a:91:07",
    "CRYPTO": "send to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "SECRET": "key sk-proj-Xy12abCD34efGH56ijKL78mn",
    "DATE_OF_BIRTH": "I was born on April 5, 1990.",
    "STREET_ADDRESS": "I live at 975 Sunset Drive",
    "GOVERNMENT_ID": "my passport number is X1234567",
    "PAYMENT_ID": "refund gift_card_7091239",
    "POSTAL_CODE": "Austin, TX 78750",
    "PERSON": "please ask Mrs. Kovacs",
}
KEYED = {
    "PERSON": ("lastName", "Kovacs"),
    "PHONE_NUMBER": ("contact_phone", "4155552671"),
    "DATE_OF_BIRTH": ("customer.dob", "1990-04-05"),
    "US_SSN": ("ssn", "531217351"),
    "STREET_ADDRESS": ("shippingAddress", "975 Sunset Drive, Austin"),
    "POSTAL_CODE": ("zip", "78750"),
    "CREDIT_CARD": ("card_number", "4532276644577020"),
    "IBAN_CODE": ("iban", "DE44500105175407324931"),
    "GOVERNMENT_ID": ("passport_number", "X1234567"),
    "USERNAME": ("user_id", "mei_kovacs_8020"),
    "ACCOUNT_ID": ("customer_id", "CU-884213"),
    "PAYMENT_ID": ("payment_id", "credit_card_1955700"),
    "SECRET": ("api_key", "Xy12abCD34efGH56"),
}


@pytest.mark.parametrize("entity", sorted(PROSE))
def test_a_real_value_in_prose_is_objected_to(entity: str) -> None:
    assert entity in entities(make_trace(input=PROSE[entity]))


OWN = {
    "address": PROSE["EMAIL_ADDRESS"], "card": PROSE["CREDIT_CARD"], "ssn": PROSE["US_SSN"],
    "dialable": PROSE["PHONE_NUMBER"], "mac": PROSE["MAC_ADDRESS"], "format": PROSE["SECRET"],
    "wallet": "0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe", "born": PROSE["DATE_OF_BIRTH"],
    "passport": PROSE["GOVERNMENT_ID"], "street": PROSE["STREET_ADDRESS"],
    "handle": PROSE["PAYMENT_ID"], "state": PROSE["POSTAL_CODE"], "title": PROSE["PERSON"],
    "greeting": "Hello Mei Kovacs, how can I help?", "signature": "Many thanks, Mei Kovacs",
}  # fmt: skip


@pytest.mark.parametrize("check", [check for _, check, _, _ in patterns._CHECKS])
def test_each_own_check_objects_by_itself(check: str) -> None:
    assert check in {by for _, by in patterns.objections(OWN[check], WITH_KEY, label=False)}


@pytest.mark.parametrize("name", [name for name, *_ in stock._STOCK])
def test_each_stock_recognizer_is_asked(name: str) -> None:
    text = " ".join([*PROSE.values(), "mei@some-company.com"])
    assert name in {by for _, _, by in stock.hits(text)}


@pytest.mark.parametrize(
    "text",
    ["the sister is my friend Mei Kovacs", "Thanks, Mei Kovacs\n", "Merci, Zofia O'Brien-Lima."],
)
def test_relatives_and_signatures_are_names_word_by_word(text: str) -> None:
    assert entities(make_trace(input=text)) == {"PERSON"}
    half = text.replace("Mei", SURROGATES.make("PERSON", "Mei"))
    assert entities(make_trace(input=half)) == {"PERSON"}


@pytest.mark.parametrize("text", ["Thanks, Support Team", "Thank you! Best Regards and more"])
def test_other_words_after_thanks_are_not(text: str) -> None:
    assert entities(make_trace(input=text)) == set()


@pytest.mark.parametrize("entity", sorted(PROSE))
def test_its_surrogate_is_not(entity: str) -> None:
    (made,) = Scrubber.create(ScrubPolicy(audit=False), KEY).scrub_all(
        [make_trace(input=PROSE[entity])]
    )
    assert isinstance(made, ScrubbedTrace)
    assert entities(made.trace) == set()
    assert entities(made.trace, Known(None)) == set(), "nor by an auditor without the key"


@pytest.mark.parametrize("entity", sorted(KEYED))
@pytest.mark.parametrize("how", ["object", "text", "cut off", "base64"])
def test_a_real_value_under_its_key_is_objected_to(entity: str, how: str) -> None:
    key, value = KEYED[entity]
    text = json.dumps({"data": {key: value}})
    result = {
        "object": {"data": {key: value}},
        "text": json.dumps({"body": text}),
        "cut off": f"the tool said {text[:-1]}, and then",
        "base64": base64.b64encode(f"{text:<60}".encode()).decode(),
    }[how]
    trace = make_trace(steps=(ToolCall(step_id="1", name="get", result=result),))
    assert entity in entities(trace)
    surrogate = SURROGATES.make(entity, value)
    assert surrogate != value
    clean = ToolCall(step_id="1", name="get", result={key: surrogate})
    assert entities(make_trace(steps=(clean,))) == set()


@pytest.mark.parametrize(
    ("value", "entity"),
    [
        ({"phone": 4155552671}, "PHONE_NUMBER"),
        ({"ssn": 531217351}, "US_SSN"),
        ({"lat": 52.520008}, "COORDINATES"),
    ],
)
def test_a_number_under_its_key_is_objected_to(value: Any, entity: str) -> None:
    assert entities(make_trace(input=value)) == {entity}
    (made,) = Scrubber.create(ScrubPolicy(audit=False), KEY).scrub_all([make_trace(input=value)])
    assert isinstance(made, ScrubbedTrace)
    assert entities(made.trace) == set()
    assert entities(make_trace(input={"price": 52.520008, "count": 531217351})) == set()


@pytest.mark.parametrize("entity", sorted(KEYED))
def test_without_the_key_what_cannot_be_told_is_not_judged(entity: str) -> None:
    key, value = KEYED[entity]
    objected = entities(make_trace(input={key: value}), Known(None))
    assert (entity in objected) != (entity in BLIND)


@pytest.mark.parametrize(
    "value",
    [
        "order #W2611340 at 1749650492 (2024-05-16T10:00:00Z), 1749650492123", "SKU 8264921047",
        "lodash@4.17.21 and @types/node, git@github.com:org/repo.git", "v2026.2.9.1 of 127.0.0.1",
        "https://docs.python.org/3/library/re.html?page=2&name=re", "Hi Team, hello there!",
        "123 Oak Dr. Apt 4 is no name", "Mr. President", "born in 1990", "7 Day Street Fair",
        "3782 8224 6310 006", "999-99-9999", "ISBN 978-3-16-148410-0", "part 555-123-4567-A",
        {"email": "string", "first_name": "First name of the user", "phone": "n/a", "zip": ""},
        {"first_name": {"type": "string"}, "required": ["email", "last_name"]},
        {"address": "0x7ffe12", "password": "[dropped]", "user_id": "guest", "lat": 48.1},
        '{"first_name": "John"', "x" * 5000, {"dob": "***", "ssn": "***-**-****"},
    ],
)  # fmt: skip
def test_what_is_nobodys_is_left_in_peace(value: Any) -> None:
    expected = {"PERSON"} if value == '{"first_name": "John"' else set()
    assert entities(make_trace(input=value)) == expected


def test_names_that_programs_need_are_searched_for_little() -> None:
    tool = ToolDefinition(
        name="get_user",
        description="Call +44 20 7946 0018, for example Mrs. Kovacs",
        parameters={"properties": {"first_name": {"default": "John"}}},
    )
    trace = make_trace(steps=(LLMCall(step_id="1", tools=(tool,)),))
    assert entities(trace) == set()
    tool = ToolDefinition(name="get_user", description="ask mei@corp.internal")
    assert entities(make_trace(steps=(LLMCall(step_id="1", tools=(tool,)),))) == {"EMAIL_ADDRESS"}


def test_who_says_my_name_is_matters() -> None:
    def said(role: str) -> set[str]:
        message = Message(role=role, content="My name is Nova Prime Support")
        return entities(make_trace(steps=(LLMCall(step_id="1", input=(message,)),)))

    assert said("user") == {"PERSON"}
    assert said("system") == said("assistant") == set()


def test_the_policy_is_followed() -> None:
    trace = make_trace(
        input={
            "owner": {"email": "a@corp.internal"},
            "notes": "b@corp.internal",
            "help": "+44 20 7946 0018",
        }
    )
    assert entities(trace) == {"EMAIL_ADDRESS", "PHONE_NUMBER"}
    spared = ScrubPolicy(
        fields=(FieldRule(path="owner", action="keep"),),
        exclude=(ExcludeRule(path="help", entity="PHONE_NUMBER"),),
        allow_list=("B@corp.internal",),
    )
    assert entities(trace, Known(SURROGATES, policy=spared), spared) == set()
    off = ScrubPolicy(ignore_entities=("EMAIL_ADDRESS", "PHONE_NUMBER"))
    assert entities(trace, WITH_KEY, off) == set()


def test_a_path_says_where_and_never_what() -> None:
    trace = make_trace(input={"Mei Kovacs": [{"email": "x"}, {"phone": "+44 20 7946 0018"}]})
    (finding,) = SecondDetector(ScrubPolicy()).check(leaves(trace), WITH_KEY)
    assert finding.path == "$.input.*[1].phone"
    assert "Mei" not in repr(finding)
    assert "7946" not in repr(finding)


def test_a_search_that_takes_too_long_is_a_finding() -> None:
    ticks = iter(range(0, 10_000_000, 100))
    detector = SecondDetector(ScrubPolicy(), clock=lambda: float(next(ticks)))
    found = detector.check(leaves(make_trace(input="a@b " * 20_000)), WITH_KEY)
    assert UNAUDITED in {f.entity for f in found}


@pytest.mark.parametrize(
    "text",
    ["a." * 5000 + "@" + "b." * 50, "(123) " * 1700, "@" * 10_000, "1" * 10_000, "1.1.1." * 1700,
     "DE44 5001 " * 1000, "4532 2766 " * 1000, "my name is " * 900, '"a":"' * 2000],
)  # fmt: skip
def test_hostile_text_takes_bounded_time_and_hides_nothing(text: str) -> None:
    trace = make_trace(input=text + " write to mei@corp.internal now")
    entities(make_trace(input="mei@corp.internal 1.2.3.4 4532 2766 4457 7020"))  # loads Presidio
    with at_most(2):  # mostly below 0.2 s
        assert "EMAIL_ADDRESS" in entities(trace)


def test_a_huge_field_is_searched_to_its_end() -> None:
    trace = make_trace(input="word " * 600_000 + "mei@corp.internal")
    assert entities(trace) == {"EMAIL_ADDRESS"}


@pytest.mark.parametrize(
    ("key", "entity"),
    [
        ("customerLastName", "PERSON"), ("last-name", "PERSON"), ("LAST_NAME", "PERSON"),
        ("homePhone", "PHONE_NUMBER"), ("dateOfBirth", "DATE_OF_BIRTH"), ("lat", "COORDINATES"),
        ("file_name", ""), ("phone_type", ""), ("flat", ""), ("last_name_count", ""), ("x_lat", ""),
    ],
)  # fmt: skip
def test_keys_are_read_by_their_last_words(key: str, entity: str) -> None:
    assert entity_of(key) == entity


def test_a_value_must_be_what_its_key_says() -> None:
    assert plausible("PERSON", "Mei Kovacs-Brandt")
    assert not plausible("PERSON", "the name of the user")
    assert not plausible("PHONE_NUMBER", "ring twice")
    assert not plausible("STREET_ADDRESS", "https://shop.test/12 ,")
