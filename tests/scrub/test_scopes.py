"""Scopes of consistency: one person is one other person inside a scope, and nobody outside."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Literal

import pytest

from anonymize.keys import PseudonymKey
from anonymize.policy import FieldRule, ScrubPolicy
from anonymize.scopes import SCOPE_TAG, Scopes
from anonymize.scrub import Scrubber
from anonymize.scrubbed import ScrubbedTrace
from anonymize.surrogates import Surrogates
from anonymize.trace import Trace
from tests.scrub.test_surrogates import EVERY

KEY = PseudonymKey(b"a key for tests, nothing is real")
OTHER = PseudonymKey(b"another key, quite as long as it")
MEI = {
    "first_name": "Mei",
    "last_name": "Kovacs",
    "dob": "1990-04-05",
    "email": "mei.kovacs@corp.internal",
    "user_id": "mei_kovacs_8020",
}
Scope = Literal["dataset", "tenant", "session"]


def scrubber(scope: Scope, **settings: Any) -> Scrubber:
    return Scrubber.create(ScrubPolicy(model="", tagger="", scope=scope, **settings), KEY)


def make_trace(trace_id: str, **fields: Any) -> Trace:
    return Trace(trace_id=trace_id, input=json.dumps(MEI), **fields)


def scrub(scrubber: Scrubber, trace: Trace, trusted: tuple[str, ...] = ()) -> Trace:
    (result,) = scrubber.scrub_all([trace], trusted=trusted)
    assert isinstance(result, ScrubbedTrace), getattr(result, "reason", "")
    return result.trace


def person(trace: Trace) -> dict[str, str]:
    return dict(json.loads(trace.input))


def test_in_the_scope_of_the_data_set_everybody_is_the_same_everywhere() -> None:
    traces = [make_trace(f"t{i}", session_id=f"s{i}", tags={"tenant": f"{i}"}) for i in range(3)]
    found = [person(scrub(scrubber("dataset"), trace)) for trace in traces]
    assert found[0] == found[1] == found[2]


def test_in_a_tenants_scope_a_person_is_the_same_in_this_tenants_traces_only() -> None:
    mine = scrubber("tenant", tenant_tag="org")
    one, two, other = (
        person(scrub(mine, make_trace(f"t{i}", tags={"org": org}, session_id=f"s{i}")))
        for i, org in enumerate(("acme", "acme", "globex"))
    )
    assert one == two
    assert not set(one.values()) & set(other.values())


def test_in_a_sessions_scope_turns_of_one_conversation_agree_and_others_do_not() -> None:
    mine = scrubber("session")
    one, two, other = (
        person(scrub(mine, make_trace(f"t{i}", session_id=session)))
        for i, session in enumerate(("s-1", "s-1", "s-2"))
    )
    assert one == two
    assert not set(one.values()) & set(other.values())


@pytest.mark.parametrize("scope", ["tenant", "session"])
def test_a_trace_that_names_no_scope_is_linked_with_nothing(scope: Scope) -> None:
    mine = scrubber(scope)
    left, right = (person(scrub(mine, make_trace(f"t{i}"))) for i in range(2))
    assert not set(left.values()) & set(right.values())


@pytest.mark.parametrize("scope", ["tenant", "session"])
def test_scrubbing_twice_changes_nothing_in_any_scope(scope: Scope) -> None:
    for raw in (make_trace("t1"), make_trace("t2", session_id="s", tags={"tenant": "acme"})):
        once = scrub(scrubber(scope), raw)
        assert scrub(scrubber(scope), once) == once, "another process, another night"
        assert scrub(scrubber("dataset"), once) == once, "another policy"


@pytest.mark.parametrize("scope", ["dataset", "tenant", "session"])
def test_a_replayed_trace_is_in_the_scope_of_its_recording(scope: Scope) -> None:
    # The ids that name the scope are personal here, so the recording has other ones.
    tags = {"tenant": "mei.kovacs@corp.internal"}
    raw = make_trace("mei_kovacs_8020", session_id="chat-mei_kovacs_8020", tags=tags)
    recording = scrub(scrubber(scope), raw)
    assert "mei" not in repr(recording).casefold()
    candidate = replace(
        recording, origin="replayed", output="Dear Mei Kovacs, born 1990-04-05, is it"
    )
    replayed = scrub(scrubber(scope), candidate, trusted=(recording.input,))
    known = person(recording)
    expected = f"Dear {known['first_name']} {known['last_name']}, born {known['dob']}, is it"
    assert replayed.output == expected


def test_the_result_does_not_depend_on_the_other_scopes_of_a_batch() -> None:
    traces = [make_trace(f"t{i}", session_id=f"s{i % 3}") for i in range(200)]
    results = scrubber("session").scrub_all(traces)
    together = [result.trace for result in results if isinstance(result, ScrubbedTrace)]
    for i in (0, 1, 2, 130, 199):
        assert scrub(scrubber("session"), traces[i]) == together[i]


def test_hashes_of_a_field_rule_do_not_link_tenants() -> None:
    rules = (FieldRule(path="user_id", action="hash"),)
    mine = scrubber("tenant", fields=rules)
    hashes = {
        person(scrub(mine, make_trace("t", tags={"tenant": tenant})))["user_id"]
        for tenant in ("a", "b")
    }
    assert len(hashes) == 2


@pytest.mark.parametrize(("entity", "value"), EVERY)
def test_every_scope_recognises_the_surrogates_of_the_others(entity: str, value: str) -> None:
    root = Surrogates(KEY)
    scopes = [root, root.scoped("a"), root.scoped("b"), Surrogates(KEY).scoped("c")]
    made = [scope.make(entity, value) for scope in scopes]
    for surrogate in made:
        assert {scope.make(entity, surrogate) for scope in scopes} == {surrogate}
    assert len(set(made)) > 1, "one in some thousand postal codes may agree"


def test_only_who_has_the_key_can_make_a_token_that_counts() -> None:
    policy = ScrubPolicy(scope="session")
    mine, theirs = (Scopes(policy, key, Surrogates(key)) for key in (KEY, OTHER))
    token = mine.named("s-1")
    assert mine.is_token(token)
    assert not theirs.is_token(token)
    assert mine.token(Trace(trace_id="t", tags={SCOPE_TAG: token})) == token
    forged = Trace(trace_id="t", session_id="s-1", tags={SCOPE_TAG: theirs.named("s-1")})
    assert mine.token(forged) == token


def test_an_unknown_scope_is_answered_with_the_known_ones() -> None:
    from anonymize.config import AnonymizeConfig
    from anonymize.errors import UsageError
    from tests.support import ROOT

    with pytest.raises(UsageError, match="dataset, tenant, session"):
        AnonymizeConfig.from_tables({"anonymize": {"scope": "sesion"}}, ROOT)
