"""Whoever a run was for, however their system calls them: replaced, and not kept from the store."""

from __future__ import annotations

import pytest

from anonymize.policy import ScrubPolicy
from anonymize.scrub import Scrubber
from anonymize.scrubbed import ScrubbedTrace
from anonymize.trace import Trace
from tests.scrub.test_scrubber import KEY

PERSON = ("mei", "kovacs", "corp")
NAMED = (
    "mei.kovacs@corp.example.org",
    "MEI.KOVACS@CORP.EXAMPLE.ORG",
    "mei+kovacs@corp.co.uk",
    "auth0|mei.kovacs@corp.example.org",
    "mailto:mei.kovacs@corp.example.org",
    "urn:user:mei.kovacs@corp.example.org",
    "Mei Kovacs <mei.kovacs@corp.example.org>",
    "Mei Kovacs",
    "CORP\\mkovacs",
)


@pytest.fixture(scope="module")
def scrubber() -> Scrubber:
    return Scrubber.create(ScrubPolicy(), KEY)


def scrubbed(scrubber: Scrubber, trace: Trace) -> Trace:
    (result,) = scrubber.scrub_all([trace])
    assert isinstance(result, ScrubbedTrace), result
    return result.trace


@pytest.mark.parametrize("name", NAMED)
def test_a_user_is_kept_under_a_name_of_no_one(name: str, scrubber: Scrubber) -> None:
    for made in (
        Trace(trace_id="t", input="hello", user_id=name),
        Trace(trace_id="t", input={"user_id": name, "customer_id": name}),
    ):
        text = repr(scrubbed(scrubber, made)).lower()
        assert not [word for word in PERSON if word in text]


def test_an_address_is_one_person_wherever_it_stands(scrubber: Scrubber) -> None:
    address = "mei.kovacs@corp.example.org"
    trace = scrubbed(
        scrubber,
        Trace(
            trace_id="t",
            user_id=address,
            session_id=f"auth0|{address}",
            input={"login": address, "text": f"I am {address}."},
        ),
    )
    assert trace.user_id is not None
    assert trace.user_id.endswith(".example")
    assert trace.session_id == f"auth0|{trace.user_id}"
    assert trace.input == {"login": trace.user_id, "text": f"I am {trace.user_id}."}


@pytest.mark.parametrize("name", ["chat with Mei Kovacs", "Mei Kovacs <mk@corp.example.org>"])
def test_words_that_name_a_session_or_a_file_are_searched_like_words(
    name: str, scrubber: Scrubber
) -> None:
    trace = scrubbed(scrubber, Trace(trace_id=name, session_id=name, source=name, input="hello"))
    for text in (trace.trace_id, trace.session_id, trace.source):
        assert text
        assert not [word for word in PERSON if word in text.lower()]
    assert trace.session_id == trace.trace_id


@pytest.mark.parametrize("name", ["user_17", "a1b2c3d4-1111-2222-3333-444455556666"])
def test_codes_are_no_addresses(name: str, scrubber: Scrubber) -> None:
    made = scrubbed(scrubber, Trace(trace_id="t", user_id=name, input="hello")).user_id
    assert made
    assert "@" not in made


def test_text_in_hexadecimal_is_read_and_hashes_and_numbers_are_not(scrubber: Scrubber) -> None:
    address = "mei.kovacs@corp.example.org"
    codes = {
        "a": "6c8349cc7260ae62e3b1396831a8398f",
        "b": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        "c": "303132333435363738393031",
    }
    made = {"data": address.encode().hex(), "note": f"is 0 {address.encode().hex()} ", **codes}
    (result,) = scrubber.scrub_all([Trace(trace_id="t", input=made)])
    assert isinstance(result, ScrubbedTrace), result
    found = result.trace.input
    assert {k: v for k, v in found.items() if k in codes} == codes
    for value in (found["data"], found["note"].split()[2]):
        inner = bytes.fromhex(value).decode()
        assert inner.endswith(".example")
        assert not [word for word in PERSON if word in inner]
