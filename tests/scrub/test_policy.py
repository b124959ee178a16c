"""What a user says of fields, places and values goes before what the recognizers think."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anonymize.config import AnonymizeConfig
from anonymize.errors import UsageError
from anonymize.fields.paths import Target, TargetMap, parse_path
from anonymize.fields.rules import FieldRules
from anonymize.keys import PseudonymKey
from anonymize.policy import ExcludeRule, FieldRule, ScrubPolicy
from anonymize.scrub import Scrubber
from anonymize.surrogates import Surrogates
from anonymize.trace import Json, LLMCall, Message, ToolCall, ToolRequest, Trace

KEY = PseudonymKey(b"a key for tests, nothing is real")
HASH = re.compile(r"\[hash:[0-9a-f]{14}\]")


def make_policy(
    *fields: dict[str, Any], exclude: tuple[dict[str, Any], ...] = (), **more: Any
) -> ScrubPolicy:
    rules = tuple(FieldRule(**rule) for rule in fields)
    excluded = tuple(ExcludeRule(**rule) for rule in exclude)
    quick = {"model": "", "tagger": "", "audit": False}
    return ScrubPolicy(fields=rules, exclude=excluded, **{**quick, **more})


def scrub(policy: ScrubPolicy, **fields: Any) -> Trace:
    scrubber = Scrubber.create(policy, KEY)
    (result,) = scrubber.scrub_all([Trace(**{"trace_id": "t", "agent": "shop", **fields})])
    made = getattr(result, "trace", None)
    assert isinstance(made, Trace), getattr(result, "reason", "")
    (again,) = scrubber.scrub_all([made])
    assert again.trace == made, "scrubbing twice changes nothing"
    return made


def result(policy: ScrubPolicy, value: Json, **fields: Any) -> Json:
    call = ToolCall(step_id="1", name="get_customer", result=value)
    return scrub(policy, steps=(call,), **fields).tool_calls[0].result


# -- paths ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "keys", "fits"),
    [
        ("notes", ["customer", "notes"], True),
        ("customer.notes", ["customer", 0, "notes"], True),
        ("customer.notes", ["Customer", "Notes", "deeper"], True),
        ("customer.notes", ["customer", "history", "notes"], False),
        ("customer.**.notes", ["customer", "history", 3, "notes"], True),
        ("customer..notes", ["customer", "a", "b", "notes"], True),
        ("customer.*.notes", ["customer", "history", "notes"], True),
        ("customer.*.notes", ["customer", "notes"], False),
        ("items[0].name", ["items", 0, "name"], True),
        ("items[0].name", ["items", 1, "name"], False),
        ("items[*].name", ["items", 9, "name"], True),
        ("items[2]", ["items", 7], False),
        ("$.salary", ["salary"], True),
        ("$.salary", ["job", "salary"], False),
        ("$[1].id", [1, "id"], True),
        ('a."b.c"', ["a", "b.c"], True),
        ("a['b.c']", ["a", "b.c"], True),
        ("lastName", ["last_name"], True),
        ("carrier.*", ["carrier"], False),
        ("**", [], True),
    ],
)
def test_a_path_fits_the_end_of_the_real_one(path: str, keys: list[str | int], fits: bool) -> None:
    scope = TargetMap([Target(parse_path(path))]).start("result", "", "")
    for key in keys:
        scope = scope.item(key) if isinstance(key, int) else scope.key(key)
    assert bool(scope.fits) is fits


@pytest.mark.parametrize(
    "path", ["", ".", "a.", "a..", "a[", "a[-1]", "a]b", "@nowhere", 'a"b"c', "a['b"]
)
def test_a_path_that_is_none_is_refused_with_a_reason(path: str) -> None:
    with pytest.raises(UsageError, match="is not one") as error:
        FieldRule(path=path, action="drop")
    assert error.value.fix


@given(st.text(max_size=30))
def test_any_text_is_a_path_or_refused_as_one(text: str) -> None:
    try:
        pattern = parse_path(text)
    except ValueError:
        return
    TargetMap([Target(pattern)]).start("input", "", "").key("a").item(0)


def test_keys_that_no_rule_names_cost_no_memory() -> None:
    walker = TargetMap([Target(parse_path("a.b[3].c"))])
    scope = walker.start("result", "", "")
    for number in range(5_000):
        scope.key(f"key{number}").key("a").item(number)
    assert len(walker._scopes) < 10


# -- where a rule holds -----------------------------------------------------------------------


def test_the_first_rule_that_fits_decides() -> None:
    policy = make_policy(
        {"path": "customer.name", "action": "keep"}, {"path": "customer", "action": "drop"}
    )
    made = result(policy, {"customer": {"name": "Mei Kovacs", "zip": 78750, "vip": True}})
    assert made == {"customer": {"name": "Mei Kovacs", "zip": 0, "vip": None}}


def test_a_rule_reaches_json_in_text_in_json() -> None:
    policy = make_policy({"path": "customer.notes", "action": "drop"})
    inner = json.dumps({"customer": [{"notes": "calls at night", "n": 1}]})
    outer = json.dumps({"body": inner})
    made = result(policy, {"raw": outer})
    customer = json.loads(json.loads(made["raw"])["body"])["customer"]
    assert customer == [{"notes": "[dropped]", "n": 1}]


def test_a_rule_for_a_tool_holds_in_its_answers_in_the_history_too() -> None:
    policy = make_policy({"path": "plan", "action": "drop", "tool": "get_*"})
    answer = Message(role="tool", content='{"plan": "gold"}', tool_call_id="c1")
    other = Message(role="tool", content='{"plan": "gold"}', tool_call_id="c2")
    asked = (
        ToolRequest(name="get_customer", arguments={"plan": "gold"}, call_id="c1"),
        ToolRequest(name="list_plans", arguments={"plan": "gold"}, call_id="c2"),
    )
    steps = (
        LLMCall(step_id="1", output=(Message(role="assistant", tool_requests=asked),)),
        LLMCall(step_id="2", input=(answer, other)),
    )
    made = scrub(policy, steps=steps)
    assert [m.content for m in made.llm_calls[1].input] == [
        '{"plan": "[dropped]"}',
        '{"plan": "gold"}',
    ]
    arguments = [r.arguments for r in made.llm_calls[0].output[0].tool_requests]
    assert arguments == [{"plan": "[dropped]"}, {"plan": "gold"}]


def test_a_rule_for_an_agent_leaves_others_alone() -> None:
    policy = make_policy({"path": "plan", "action": "drop", "agent": "shop*"})
    assert result(policy, {"plan": "gold"}, agent="shop-fr") == {"plan": "[dropped]"}
    assert result(policy, {"plan": "gold"}, agent="bank") == {"plan": "gold"}


def test_a_rule_can_name_a_part_of_the_trace() -> None:
    policy = make_policy({"path": "@user", "action": "drop"})
    said = (Message(role="user", content="a long story"), Message(role="system", content="rules"))
    made = scrub(policy, steps=(LLMCall(step_id="1", input=said),), input="a long story")
    assert [m.content for m in made.llm_calls[0].input] == ["[dropped]", "rules"]
    assert made.input == "a long story"


def test_a_rule_reaches_what_is_left_of_json_that_was_cut_off() -> None:
    policy = make_policy({"path": "notes", "action": "drop"})
    made = scrub(policy, input='{"id": 7, "notes": "calls at nig')
    assert "nig" not in made.input


# -- actions ----------------------------------------------------------------------------------


def test_a_hash_is_stable_and_tells_values_apart() -> None:
    policy = make_policy({"path": "id", "action": "hash"})
    made = result(policy, [{"id": "A-1"}, {"id": "A-2"}, {"id": "A-1"}, {"id": 17}, {"id": 17}])
    texts = [item["id"] for item in made]
    assert HASH.fullmatch(texts[0])
    assert texts[0] == texts[2] != texts[1]
    assert isinstance(texts[3], int)
    assert texts[3] == texts[4] != 17


def test_a_hashed_id_is_hashed_wherever_the_trace_has_it() -> None:
    policy = make_policy({"path": "ref", "action": "hash"})
    said = "it is about CU-20931-X."
    made = scrub(
        policy, input=said, steps=(ToolCall(step_id="1", name="t", result={"ref": "CU-20931-X"}),)
    )
    (mark,) = HASH.findall(made.input)
    assert made.tool_calls[0].result["ref"] == mark


@pytest.mark.parametrize(
    ("rule", "value", "coarser"),
    [
        ({"step": 1000}, 52_300, 52_000),
        ({"step": 1000}, 52_300.5, 52_000.0),
        ({"step": 1000}, "52,300 EUR", "52000"),
        ({"step": 0.5}, 1.74, 1.5),
        ({"step": 10}, -3, -10),
        ({"step": 1000, "to": "range"}, "52300", "52000 to 53000"),
        ({"step": 1000, "to": "range"}, 52_300, 52_000),
        ({"to": "year"}, "17 May 1984", "1984"),
        ({"to": "year"}, "1984-05-17T10:00:00Z", "1984"),
        ({"to": "month"}, "1984-05-17", "1984-05"),
        ({"to": "year"}, 453_600_000, 441_763_200),
        ({"to": "year"}, 1984, 1984),
        ({"entity": "DATE_OF_BIRTH"}, "1984-05-17", "1984"),
        ({"entity": "IP_ADDRESS"}, "203.0.113.77", "203.0.113.0/24"),
        ({"to": "network"}, "2001:db8:1:2::3", "2001:db8:1::/48"),
        ({"to": "prefix", "digits": 2}, "78750", "78***"),
        ({"entity": "POSTAL_CODE"}, "SW1A 1AA", "SW1* ***"),
        ({"to": "prefix", "digits": 2}, 78_750, 78_000),
        ({"entity": "PERSON"}, "Mei Kovacs", "[PERSON]"),
        ({"entity": "PERSON"}, 12, 0),
        ({"to": "year", "entity": "DATE_OF_BIRTH"}, "some time in spring", "[DATE_OF_BIRTH]"),
        ({"step": 10}, "many", "[dropped]"),
        ({"step": 10}, True, None),
    ],
)
def test_generalising_leaves_less(rule: dict[str, Any], value: Json, coarser: Json) -> None:
    made = result(make_policy({"path": "it", "action": "generalise", **rule}), {"it": value})
    assert made == {"it": coarser}
    assert type(made["it"]) is type(coarser)


def test_what_a_rule_takes_out_is_not_left_elsewhere_in_the_trace() -> None:
    policy = make_policy({"path": "last_name", "action": "drop"})
    made = scrub(
        policy,
        input="Zwibbelkorn has called",
        steps=(ToolCall(step_id="1", name="t", result={"last_name": "Zwibbelkorn"}),),
    )
    assert made.tool_calls[0].result == {"last_name": "[dropped]"}
    assert "Zwibbelkorn" not in made.input


def test_a_surrogate_rule_holds_for_all_that_is_inside() -> None:
    policy = make_policy({"path": "holder", "entity": "PERSON"})
    made = result(policy, {"holder": {"a": "Zwibbelkorn", "b": ["Zwibbelkorn"]}, "c": "Oslo"})
    assert made["holder"]["a"] == made["holder"]["b"][0] != "Zwibbelkorn"
    assert made["c"] == "Oslo"


def test_what_rules_did_is_counted() -> None:
    policy = make_policy(
        {"path": "a", "action": "drop"},
        {"path": "b", "action": "hash"},
        {"path": "c", "action": "generalise", "step": 10},
    )
    call = ToolCall(step_id="1", name="t", result={"a": "x", "b": "y", "c": 12, "d": 1})
    (made,) = Scrubber.create(policy, KEY).scrub_all([Trace(trace_id="t", steps=(call,))])
    assert made.counts == {"DROPPED": 1, "HASHED": 1, "GENERALISED": 1}


_ACTIONS = [
    FieldRule(path="x", action="drop"),
    FieldRule(path="x", action="hash"),
    *(
        FieldRule(path="x", action="generalise", to=to, step=7.0, digits=2, entity=entity)
        for to in ("round", "range", "year", "month", "network", "prefix", "label")
        for entity in ("", "PERSON")
    ),
]
_TEXTS = st.one_of(
    st.text(max_size=30),
    st.dates().map(str),
    st.ip_addresses().map(str),
    st.floats(-1e9, 1e9).map(str),
    st.integers().map(str),
    st.from_regex(r"[0-9]{1,4}[-./ ][0-9A-Za-z]{1,9}[-./ ][0-9]{1,4}", fullmatch=True),
)


@given(st.sampled_from(range(len(_ACTIONS))), _TEXTS)
@settings(max_examples=400)
def test_every_action_done_twice_is_done_once(index: int, text: str) -> None:
    surrogates = Surrogates(KEY)
    rules = FieldRules(ScrubPolicy(fields=tuple(_ACTIONS)), surrogates)
    once = rules.apply(f"~act/{index}/", text, surrogates)
    assert rules.apply(f"~act/{index}/", once, surrogates) == once


@given(
    st.sampled_from(range(len(_ACTIONS))),
    st.one_of(st.integers(-(10**15), 10**15), st.floats(-1e12, 1e12)),
)
@example(6, 1e11)  # March of 1973 in milliseconds
@settings(max_examples=400)
def test_every_action_leaves_a_number_a_number_and_settles(index: int, value: float) -> None:
    surrogates = Surrogates(KEY)
    rules = FieldRules(ScrubPolicy(fields=tuple(_ACTIONS)), surrogates)
    once = rules.apply(f"~act/{index}/#", json.dumps(value), surrogates)
    assert type(json.loads(once)) is type(value)
    assert rules.apply(f"~act/{index}/#", once, surrogates) == once


# -- exclusions -------------------------------------------------------------------------------


def test_an_excluded_place_changes_nothing_and_teaches_nothing() -> None:
    policy = make_policy(exclude=({"path": "author", "entity": "PERSON"},))
    value = {"author": "Ursula Vernon", "mail": "u.vernon@corp.example", "title": "Ursula Vernon"}
    made = result(policy, value)
    assert made["author"] == "Ursula Vernon"
    assert made["mail"] != value["mail"]


def test_an_exclusion_is_of_its_entity_only() -> None:
    policy = make_policy(exclude=({"path": "memo", "entity": "PERSON"},))
    made = result(policy, {"memo": "Ursula Vernon, ursula@corp.example"})
    assert "Ursula Vernon" in made["memo"]
    assert "ursula@corp" not in made["memo"]


def test_an_exclusion_by_tool_and_agent() -> None:
    policy = make_policy(exclude=({"tool": "get_*", "agent": "shop"},))
    value = {"a": "ursula@corp.example"}
    assert result(policy, value) == value
    assert result(policy, value, agent="bank") != value


def test_values_of_the_allow_list_and_its_patterns_stay() -> None:
    policy = make_policy(
        allow_list=("Support@Corp.example",), allow_patterns=(r"(?i)[a-z]+-bot@corp\.example",)
    )
    made = result(policy, {"a": "support@corp.example, order-bot@corp.example, mei@corp.example"})
    assert made["a"].startswith("support@corp.example, order-bot@corp.example, ")
    assert "mei@" not in made["a"]


def test_a_threshold_of_its_own_for_one_entity() -> None:
    text = "zip 78750, mei@corp.example"
    strict = make_policy(thresholds={"POSTAL_CODE": 0.99})
    assert "78750" in result(strict, {"a": text})["a"]
    assert "mei@" not in result(strict, {"a": text})["a"]


# -- errors in the config ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"fields": [{"path": "a"}]}, "names no entity"),
        ({"fields": [{"path": "a", "action": "shred"}]}, "is not one of"),
        ({"fields": [{"path": "a", "action": "generalise"}]}, "does not say how"),
        ({"fields": [{"path": "a", "action": "generalise", "to": "range"}]}, "step above 0"),
        ({"fields": [{"path": "a", "action": "drop", "step": 3}]}, "only action"),
        ({"fields": [{"path": "a.", "action": "drop"}]}, "ends with a dot"),
        ({"exclude": [{}]}, "switch everything off"),
        ({"exclude": [{"path": "@there"}]}, "no part of a trace"),
        ({"exclude": [{"entitiy": "PERSON"}]}, "unknown key"),
        ({"thresholds": {"PERSON": 7}}, "from 0 to 1"),
        ({"threshold": -1.0}, "from 0 to 1"),
    ],
)
def test_a_wrong_rule_is_said_when_the_config_is_read(table: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        AnonymizeConfig.from_tables({"anonymize": table}, Path())


@pytest.mark.parametrize("name", ["allow_patterns", "recognizers", "nlp_engine"])
def test_what_only_shows_when_recognizers_load_is_no_traces_fault(name: str) -> None:
    wrong = {"allow_patterns": ("(",), "recognizers": ("no.yaml",), "nlp_engine": "no:Thing"}
    policy = make_policy(**{name: wrong[name]})
    with pytest.raises(UsageError):
        list(Scrubber.create(policy, KEY).scrub_all([Trace(trace_id="t", input="hello")]))
