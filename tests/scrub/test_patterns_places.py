"""Addresses, codes, positions, accounts, encodings: the forms beside the common ones."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from anonymize.keys import PseudonymKey
from anonymize.policy import ScrubPolicy
from anonymize.scrub import Scrubber
from anonymize.scrubbed import ScrubbedTrace
from anonymize.trace import Trace

pytestmark = pytest.mark.xdist_group("ner")
KEY = PseudonymKey(b"a key for tests, nothing is real")


@pytest.fixture(scope="module")
def scrubber() -> Scrubber:
    return Scrubber.create(ScrubPolicy(model=""), KEY)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("the crew was dispatched to Vondelkade 31c", "Vondelkade 31c"),
        ("a parcel left outside Tessellum 14 again", "Tessellum 14"),
        ("Heather Barn, 4 Quarry Lane", "Heather Barn"),
        ("we meet at King Saud Road 7714", "King Saud Road 7714"),
        ("her office: Brīvības iela 42", "Brīvības iela"),
        ("addr=Rozenpad 13c crew=3", "Rozenpad 13c"),
        ("the postcode (PLZ) 3011", "3011"),
        ("Do you deliver to 75008?", "75008"),
        ("the postcode on the card is 5146EM", "5146EM"),
        ("waypoint N 48° 51.400 E 002° 21.050", "51.400"),
        ("her location was POINT(13.4050 52.5200)", "13.4050"),
        ("the national identification number - 61080722488", "61080722488"),
        ("You'll need my customer number I guess - it's 45143687.", "45143687"),
        ("pay 200 into 60-16-13 31926819 please", "31926819"),
        ("my pix key is lars-holm-77", "lars-holm-77"),
        ("/form?next=%2Fu%3Fphone%3D%252B44%25207700%2520900123", "900123"),
        ("q=%2B44+7700+900123", "900123"),
        ("<p>call (415)&nbsp;555-0132</p>", "0132"),
        ("Set-Cookie: sessionid=p@U6IdbfSwv; Path=/", "U6IdbfSwv"),
    ],
)
def test_rarer_forms_are_found_too(scrubber: Scrubber, text: str, value: str) -> None:
    assert value in text
    assert value not in scrubber.scrub_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "Boarding gate 12 closes at 9", "Launch Pad 39 is ready", '{"location": "Warehouse 12"}',
        "We deliver to 300 people", "prices at 35.69, 139.69", "hero@2x.png",
        "[[3.141593, 2.718282], [1.1, 2.2]]", "payment method tag: visa-gold",
        "x = 2345+67", "total=price+tax", '{"center": [0.5, 0.25]}',
    ],
)  # fmt: skip
def test_what_looks_like_them_stays(scrubber: Scrubber, text: str) -> None:
    assert scrubber.scrub_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "https://deploy:ZBnNlMEQM840uBEh@git.acme.io/ops.git",
        "redis://:GAsu31E8iPP1NU1z6@cache.acme.net:6379/0",
        '{"database_url": "ftp://backup:hFyrvzgE1FHCgDmNJJf6Eb@files.acme.org/dump"}',
    ],
)
def test_a_password_in_a_url_is_replaced_and_the_audit_agrees(
    scrubber: Scrubber, text: str
) -> None:
    (made,) = scrubber.scrub_all([Trace(trace_id="t", input=text)])
    assert isinstance(made, ScrubbedTrace)
    assert made.trace.input != text
    assert "acme" in str(made.trace.input)


def test_the_first_field_of_a_connection_string_is_no_secret(scrubber: Scrubber) -> None:
    text = "credential: DefaultEndpointsProtocol=https;AccountName=x"
    assert scrubber.scrub_text(text) == text


@pytest.mark.parametrize("value", ["+44 7700 900123", "mei@corp.internal", "078-05-1120"])
def test_short_values_in_base64_are_opened(scrubber: Scrubber, value: str) -> None:
    inner = base64.b64encode(value.encode()).decode()
    for text in (f"payload={inner}", f"state={quote(inner)}&n=1"):
        assert inner not in scrubber.scrub_text(text)
