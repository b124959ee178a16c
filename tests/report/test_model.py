"""The JSON document keeps to its schema and says what the comparison said."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from replay.report import load_schema, to_json
from tests.report.builders import make_diff, make_divergence, make_document, make_pair, make_run
from tests.report.demo import demo_diff, demo_document
from tests.report.hostile import hostile_document


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without room for fields that it does not describe."""
    schema = copy.deepcopy(schema)
    stack: list[Any] = [schema]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if "properties" in node and node.get("type") in ("object", ["object", "null"]):
                node.setdefault("additionalProperties", False)
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
    return schema


def check(document: dict[str, Any]) -> None:
    schema = strict(load_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(document)))


@pytest.mark.parametrize(
    "document",
    [
        demo_document(),
        make_document(),
        make_document(make_pair()),
        make_document(make_pair(fidelity=None), started_at=None, duration_s=None, seed=None),
        hostile_document(),
    ],
    ids=["demo", "nothing compared", "one same", "little known", "hostile"],
)
def test_every_document_keeps_to_the_published_schema(document: dict[str, Any]) -> None:
    check(document)


def test_every_object_of_the_schema_says_what_it_requires() -> None:
    for name, node in load_schema()["$defs"].items():
        if "properties" in node:
            assert node.get("required"), name


def test_the_counts_are_those_of_the_pairs() -> None:
    counts = demo_document()["counts"]
    verdicts = ("same", "changed", "regressed", "improved", "inconclusive", "broken")
    assert counts["compared"] == sum(counts[v] for v in verdicts) == 212
    assert (counts["regressed"], counts["not_replayable"], counts["skipped"]) == (39, 6, 2)


def test_groups_come_in_the_order_of_the_comparison_with_share_and_command() -> None:
    first = demo_document()["groups"][0]
    assert first["title"] == "Refund without an identity check"
    assert first["share"] == 14 / 212
    assert first["reproduce"] == "replay run v2 --trace tr-000f"
    assert first["tools"] == ["issue_refund", "verify_identity"]


def test_a_trace_names_the_groups_that_it_is_in() -> None:
    document = demo_document()
    trace = next(t for t in document["traces"] if t["trace_id"] == "tr-000f")
    assert trace["groups"] == [document["groups"][0]["id"]]


def test_only_traces_with_a_difference_carry_their_steps() -> None:
    divergence = make_divergence("RESULT_CHANGED", "info", "another answer")
    document = make_document(
        make_pair("a"), make_pair("b", divergences=(divergence,)), make_pair("c", "broken")
    )
    assert ["baseline" in t for t in document["traces"]] == [False, True, True]


def test_the_fidelity_distribution_counts_every_trace_once() -> None:
    values = (1.0, 0.999, 0.9, 0.5, 0.0, None)
    pairs = [make_pair(f"t{i}", fidelity=v) for i, v in enumerate(values)]
    bins = make_document(*pairs)["trust"]["fidelity"]
    assert sum(b["count"] for b in bins) == len(values)
    assert bins[0] == {"from": 1.0, "to": 1.0, "count": 1}
    assert bins[-1] == {"from": None, "to": None, "count": 1}
    assert make_document(make_pair(fidelity=None))["trust"]["fidelity"] == []


def test_a_hostile_trace_id_is_quoted_in_the_command() -> None:
    pair = make_pair("x; rm -rf ~", "changed", divergences=(make_divergence("A", "minor", "w"),))
    assert make_document(pair)["groups"][0]["reproduce"].endswith("--trace 'x; rm -rf ~'")


def test_a_command_without_a_place_for_the_trace_is_refused() -> None:
    with pytest.raises(ValueError, match="trace_id"):
        make_run(reproduce="replay run v2")


@pytest.mark.parametrize("value", ["lone \ud800", 2**80, float("nan"), {"a\udfff": 1}, object()])
def test_values_that_json_cannot_hold_are_replaced(value: Any) -> None:
    document = make_document(make_pair("t", "changed", input=value))
    check(document)
    json.dumps(document).encode("utf-8")


def test_nesting_beyond_any_reader_is_cut_off() -> None:
    value: Any = "bottom"
    for _ in range(10_000):
        value = [value]
    document = make_document(make_pair("t", "changed", candidate_output=value))
    assert "nested deeper than 200 levels" in json.dumps(document)


def test_the_sentence_says_how_many_in_how_many_ways_and_the_worst() -> None:
    assert demo_document()["verdict"]["sentence"] == (
        "v2 does worse than v1 in 39 of 212 traces, in 5 ways. "
        "The worst: “Refund without an identity check” (14 traces)."
    )


def test_the_sentence_of_a_run_without_difference_says_so() -> None:
    sentence = make_document(make_pair("a"), make_pair("b"))["verdict"]["sentence"]
    assert sentence == "v2 does the same as v1 in all 2 traces: no difference."


def test_the_sentence_of_a_passed_run_counts_what_changed() -> None:
    sentence = make_document(make_pair("a", "changed"), make_pair("b"))["verdict"]["sentence"]
    assert sentence == "Nothing got worse in 2 traces of v2 against v1: 1 changed."


def test_a_run_without_a_verdict_gives_the_reason() -> None:
    for verdict in ("inconclusive", "could not run"):
        diff = replace(make_diff(make_pair("a", "broken")), verdict=verdict, reason="Too few.")  # type: ignore[arg-type]
        assert to_json(diff, make_run())["verdict"]["sentence"] == "Too few."
    assert make_document()["verdict"]["sentence"]


def test_making_the_document_twice_gives_the_same() -> None:
    assert to_json(demo_diff(), make_run()) == to_json(demo_diff(), make_run())
