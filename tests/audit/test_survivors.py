"""The search for raw values, in the trace that held them and in those of others."""

from __future__ import annotations

from typing import Any

import pytest

from anonymize.audit.gate import Gate, check_trace
from anonymize.audit.leaves import leaves
from anonymize.audit.model import RawValue
from anonymize.audit.survivors import Survivors
from anonymize.keys import PseudonymKey
from anonymize.policy import FieldRule, ScrubPolicy
from anonymize.surrogates import Surrogates
from anonymize.trace import ToolCall, Trace

SURROGATES = Surrogates(PseudonymKey(b"a key for tests, nothing is real"))


def found(text: Any, *values: RawValue, survivors: Survivors | None = None) -> set[str]:
    trace = Trace(trace_id="t", input=text)
    return {f.entity for f in (survivors or Survivors()).check(leaves(trace), values)}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("see MEI.KOVACS@corp.internal", RawValue("EMAIL_ADDRESS", "mei.kovacs@corp.internal")),
        ("u?m=mei.kovacs%2540corp.internal", RawValue("EMAIL_ADDRESS", "mei.kovacs@corp.internal")),
        ("&#109;ei.kovacs@corp.internal", RawValue("EMAIL_ADDRESS", "mei.kovacs@corp.internal")),
        ("dial 0014155552671", RawValue("PHONE_NUMBER", "(415) 555-2671")),
        ("415.555.2671", RawValue("PHONE_NUMBER", "415 555 2671")),
        ("for José Brandão-Lima", RawValue("PERSON", "Jose Brandao-Lima")),
        ("for Zwibbelmann alone", RawValue("PERSON", "Otto Zwibbelmann")),
        ("at HAUPTSTRASSE 12b", RawValue("STREET_ADDRESS", "Hauptstraße 12b")),
        ({"k": {"4532276644577020": 1}}, RawValue("CREDIT_CARD", "4532 2766 4457 7020")),
        ({"n": 4155552671}, RawValue("PHONE_NUMBER", "415-555-2671")),
        ('{"a": "{\\"b\\": \\"mei_kovacs_8020\\"}"}', RawValue("USERNAME", "mei_kovacs_8020")),
    ],
)  # fmt: skip
def test_a_raw_value_is_found_in_any_spelling(text: Any, value: RawValue) -> None:
    assert found(text, value) == {value.entity}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("in May we meet", RawValue("PERSON", "May")),
        ("the austin office", RawValue("PERSON", "Austin")),
        ("San Zwibbelmann is a town", RawValue("PERSON", "Zwibbelmann")),
        ("the price is 78750 EUR", RawValue("POSTAL_CODE", "78750")),
        ("amount 1234567.89", RawValue("ACCOUNT_ID", "1234567")),
        ("id XX4155552671YY", RawValue("ACCOUNT_ID", "4155552671")),
        ("on September 2", RawValue("DATE_OF_BIRTH", "September 2")),
        ("Sunset Drive", RawValue("STREET_ADDRESS", "Sunset Drive")),
    ],
)  # fmt: skip
def test_what_stands_there_by_chance_is_not(text: Any, value: RawValue) -> None:
    assert found(text, value) == set()


def test_what_one_trace_held_must_be_in_no_other() -> None:
    survivors = Survivors()
    survivors.learn(
        [
            RawValue("EMAIL_ADDRESS", "mei.kovacs@corp.internal"),
            RawValue("PERSON", "Xochitl Bhattacharya", sure=True),
            RawValue("PERSON", "Delta Airwrap"),  # a guess: not searched elsewhere
            RawValue("DATE_OF_BIRTH", "1990-04-05"),
        ]
    )
    assert found("mei.kovacs@corp.internal", survivors=survivors) == {"EMAIL_ADDRESS"}
    assert found("Xochitl Bhattacharya called", survivors=survivors) == {"PERSON"}
    assert found("Xochitl called, Delta Airwrap, 1990-04-05", survivors=survivors) == set()


def test_thousands_of_values_are_found_too_and_memory_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("anonymize.audit.survivors._MOST", 500)
    survivors = Survivors()
    survivors.learn(RawValue("EMAIL_ADDRESS", f"person{n}@corp{n}.internal") for n in range(2000))
    assert found("x person1999@corp1999.internal y", survivors=survivors) == {"EMAIL_ADDRESS"}
    assert found("x person1@corp1.internal y", survivors=survivors) == set()


def test_kept_fields_allowed_values_and_trusted_texts_may_hold_anything() -> None:
    policy = ScrubPolicy(fields=(FieldRule(path="owner", action="keep"),))
    value = RawValue("EMAIL_ADDRESS", "mei.kovacs@corp.internal")
    trace = Trace(trace_id="t", input={"owner": value.surface})
    assert check_trace([value], trace, SURROGATES, policy) == []
    assert check_trace([value], trace, SURROGATES) != []
    gate = Gate(ScrubPolicy())
    assert gate.check([value], trace, SURROGATES, trusted=[f"I am {value.surface}."]) == []


def test_a_surrogate_that_a_later_round_replaced_is_no_raw_value() -> None:
    value = RawValue("ACCOUNT_ID", "QX-5519273")
    trace = Trace(trace_id="t", input="ref QX-5519273")
    gate = Gate(ScrubPolicy())
    assert gate.check([value], trace, SURROGATES, raw=Trace(trace_id="t", input="ref 1")) == []
    assert gate.check([value], trace, SURROGATES, raw=trace) != []


def test_names_of_tools_and_steps_are_not_searched_for_single_names() -> None:
    trace = Trace(trace_id="t", steps=(ToolCall(step_id="zwibbelmann", name="ask_zwibbelmann"),))
    survivors = Survivors()
    assert survivors.check(leaves(trace), [RawValue("PERSON", "Zwibbelmann")]) == []
