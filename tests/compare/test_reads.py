"""Calls that only look, and answers that differ."""

from __future__ import annotations

import pytest

from tests.compare.builders import call, codes, diff, make_trace, missing, replayed, retrieval, the

ORDER = call("get_order", order_id="A1", result={"total": 40})
SHIPMENT = call("get_shipment", order_id="A1", result={"carrier": "x"})


@pytest.mark.parametrize(
    ("baseline", "candidate", "expected"),
    [
        ([ORDER], [ORDER, SHIPMENT], ["TOOL_ADDED"]),
        ([ORDER, SHIPMENT], [ORDER], ["TOOL_MISSING"]),
        ([ORDER, SHIPMENT], [SHIPMENT, ORDER], ["ORDER_CHANGED"]),
        ([ORDER], [call("get_order", order_id="B2", result={"total": 40})], ["ARGS_CHANGED"]),
        ([ORDER], [ORDER, ORDER], ["TOOL_ADDED"]),
        ([ORDER], [call("get_order", order_id="A1", result={"total": 41})], ["RESULT_CHANGED"]),
    ],
)
def test_each_difference_of_reads_has_its_code_and_is_no_regression(baseline, candidate, expected):
    found = diff(make_trace(*baseline), make_trace(*candidate))
    assert codes(found) == expected
    assert found.verdict == "changed"


def test_an_args_change_names_path_and_both_values():
    found = diff(
        make_trace(call("search", q="red shoes", opts={"limit": 10})),
        make_trace(call("search", q="red shoes", opts={"limit": 20})),
    )
    d = the(found, "ARGS_CHANGED")
    assert (d.path, d.recorded, d.replayed) == ("$.arguments.opts.limit", 10, 20)


def test_a_repeated_read_is_only_worth_a_note():
    d = the(diff(make_trace(ORDER), make_trace(ORDER, ORDER)), "TOOL_ADDED")
    assert (d.kind, d.severity) == ("repeat", "info")


def test_an_answer_that_differs_names_the_place():
    found = diff(
        make_trace(ORDER), make_trace(call("get_order", order_id="A1", result={"total": 4}))
    )
    d = the(found, "RESULT_CHANGED")
    assert (d.path, d.recorded, d.replayed) == ("$.result.total", 40, 4)


def test_results_that_the_config_ignores_do_not_count():
    one, two = (call("get_order", result={"etag": e, "n": 1}) for e in "ab")
    assert diff(make_trace(one), make_trace(two), ignore=("$.result.etag",)).verdict == "same"


def test_an_answer_that_is_not_on_the_record_is_not_held_against_the_world():
    found = diff(
        make_trace(ORDER),
        replayed(call("get_order", order_id="A1", result="?", fidelity="simulated")),
    )
    assert codes(found) == []


def test_retrievals_count_only_where_both_sides_recorded_them():
    one = make_trace(retrieval("returns", "doc 1"), ORDER)
    assert diff(one, make_trace(ORDER)).verdict == "same"
    other = diff(one, make_trace(retrieval("refunds", "doc 1"), ORDER))
    assert codes(other) == ["ARGS_CHANGED"]


def test_a_read_without_a_recorded_answer_is_an_added_read():
    found = diff(make_trace(ORDER), replayed(ORDER, missing("get_history", id=1)))
    assert codes(found) == ["TOOL_ADDED"]
    assert found.verdict == "changed"
