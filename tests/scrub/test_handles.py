"""Handles wherever one is due, names beside them, and accounts that belong to nobody."""

from __future__ import annotations

import json

import pytest

from anonymize.keys import PseudonymKey
from anonymize.policy import ScrubPolicy
from anonymize.recognizers.built import borne, halves
from anonymize.scrub import Scrubber
from anonymize.scrubbed import ScrubbedTrace
from anonymize.surrogates import Surrogates
from anonymize.trace import Trace
from tests.timing import at_most

pytestmark = pytest.mark.xdist_group("ner")
KEY = PseudonymKey(b"a key for tests, nothing is real")


@pytest.fixture(scope="module")
def scrubber() -> Scrubber:
    return Scrubber.create(ScrubPolicy(), KEY)


def scrub(scrubber: Scrubber, value: object) -> str:
    (result,) = scrubber.scrub_all([Trace(trace_id="t", input=value)])  # type: ignore[arg-type]
    assert isinstance(result, ScrubbedTrace), getattr(result, "reason", "")
    made = result.trace.input
    return made if isinstance(made, str) else json.dumps(made)


ALONE = [
    ("git log --author=zgelashvili", "gelashvili"),
    ("scp report.txt keala.g@build01:/srv/in", "keala"),
    ("Failed password for invalid user kgelashvili from 10 port 22", "gelashvili"),
    ("please sign me in as sibusisiwe_52", "sibusisiwe"),
    ("cc @kgelashvili could you look", "gelashvili"),
    ("https://social.example/bkowalczyk/posts", "kowalczyk"),
    ("[10:41] priyav_27: label printed", "priyav"),
    ("cat /home/zorvikat/.bashrc", "zorvikat"),
    ('{"account": "derek_54", "tier": "gold"}', "derek"),
    ('{"nickname": "laura_46", "level": 12}', "laura"),
    ('{"messages": [{"from": "mammen82", "text": "hello"}]}', "mammen"),
]


@pytest.mark.parametrize(("text", "gone"), ALONE, ids=[text for text, _ in ALONE])
def test_a_handle_is_found_where_one_is_due(scrubber: Scrubber, text: str, gone: str) -> None:
    assert gone not in scrub(scrubber, text)


@pytest.mark.parametrize(
    "value", ["deploy-bot", "ci-runner", "postgres", "github-actions", "billing-team", "worker-01"]
)
def test_accounts_of_programs_and_teams_are_nobodys(value: str) -> None:
    assert not borne(value, unknown=True)


@pytest.mark.parametrize(
    "text",
    [
        "errors are silently ignored",
        "the main religious and historical event",
        "npm i @types/node, see github.com/pytest-dev/pytest",
        "file_size = st.st_size",
        '{"from": "JFK", "to": "Lisbon", "passengers": 2}',
        '{"product": {"name": "Chuck Taylor All Star", "sku": "SKU-399291"}}',
        "| item | qty | price |\n|---|---|---|\n| Stan Smith trainers | 1 | $49.99 |",
        "Do you still have the Billy bookcase in stock?",
        "wss://stream.example.com/v1/prices?symbols=AAPL,MSFT",
        "Please give me your name, phone and email address.\nI use Slack, Zoom and Teams at work.",
    ],
)
def test_what_is_no_handle_and_no_name_stays(scrubber: Scrubber, text: str) -> None:
    assert scrub(scrubber, text) == text


BESIDE = {
    "initial and name": (
        {"driver": {"given": "Wambui", "family": "Esa"}, "x": "wesa42-tab"},
        "wesa",
    ),
    "both glued": ({"first": "Keala", "last": "Zorvik", "home": "/mnt/zorvikkeala"}, "zorvik"),
    "a word with a number": ("I'm Kristen Prince, my old id prince18 fails", "prince18"),
    "name and initial": ({"firstName": "Yoga", "lastName": "Usada", "pic": "yoga_u.png"}, "yoga"),
}


@pytest.mark.parametrize(("value", "gone"), BESIDE.values(), ids=list(BESIDE))
def test_a_handle_is_found_by_the_name_beside_it(
    scrubber: Scrubber, value: object, gone: str
) -> None:
    assert gone not in scrub(scrubber, value).lower()


HALVES = [
    {"name": {"first": "Else", "last": "Good"}},
    {"nom": "Cross", "prenom": "Odd"},
    {"columns": ["first_name", "last_name"], "data": [["Else", "Good"], ["Odd", "Cross"]]},
    {"rows": [["id", "surname"], [1, "Good"], [2, "Cross"]]},
    {"filter": {"last_name": {"eq": "Good"}}},
]


@pytest.mark.parametrize("value", HALVES, ids=str)
@pytest.mark.parametrize("as_text", [False, True])
def test_names_that_are_words_go_by_their_fields(
    scrubber: Scrubber, value: object, as_text: bool
) -> None:
    made = scrub(scrubber, json.dumps(value) if as_text else value)
    assert not {word for word in ("Else", "Good", "Odd", "Cross") if f'"{word}"' in made}


@pytest.mark.parametrize("spelling", ["mkovacs", "meikovacs", "kovacsmei", "MeiKovacs", "kovacsm"])
def test_the_surrogate_of_a_glued_handle_is_made_of_the_names(spelling: str) -> None:
    surrogates = Surrogates(KEY)
    first, last = surrogates.make("PERSON", "mei kovacs").split()
    made = surrogates.make("USERNAME", spelling)
    whole = made.lower()
    assert last in whole
    assert whole.replace(last, "") in (first, first[0])
    assert surrogates.make("USERNAME", made) == made
    assert surrogates.make("EMAIL_ADDRESS", f"{spelling}@a.b").startswith(f"{made}@")


def test_a_word_that_is_one_name_is_not_taken_apart() -> None:
    assert [halves(word) for word in ("kovacs", "johnson", "anderson", "marketing")] == [None] * 4


def test_long_runs_of_handles_take_little_time(scrubber: Scrubber) -> None:
    scrub(scrubber, "warm up, please")
    for piece in ("mkovacs82 ", "@a_b ", "user=", "/users/", "login as a. "):
        with at_most(3):
            scrub(scrubber, piece * (10_000 // len(piece)))
