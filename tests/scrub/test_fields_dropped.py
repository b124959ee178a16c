"""Field rules of the policy hold for numbers and for whole objects, not only for texts."""

from __future__ import annotations

import pytest

from anonymize.keys import PseudonymKey
from anonymize.policy import FieldRule, ScrubPolicy
from anonymize.scrub import Scrubber
from anonymize.trace import Json, SkippedTrace, ToolCall, Trace


def scrubbed(action: str, value: Json) -> Json:
    policy = ScrubPolicy(fields=(FieldRule(path="$.salary", action=action),))
    call = ToolCall(step_id="1", name="get", result={"salary": value, "other": 123456})
    (result,) = Scrubber.create(policy, PseudonymKey(b"k" * 32)).scrub_all(
        [Trace(trace_id="t", steps=(call,))]
    )
    result_value = result.trace.tool_calls[0].result
    assert result_value["other"] == 123456
    return result_value["salary"]


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("lots", "[dropped]"),
        (123456, 0),
        (12.5, 0.0),
        ({"gross": 5000, "note": "Mei"}, {"gross": 0, "note": "[dropped]"}),
        ([1234, "x"], [0, "[dropped]"]),
    ],
)
def test_a_dropped_field_is_dropped_whatever_it_holds(value: Json, left: Json) -> None:
    assert scrubbed("drop", value) == left


def test_a_kept_field_keeps_all_that_is_in_it() -> None:
    assert scrubbed("keep", {"name": "Mei Kovacs"}) == {"name": "Mei Kovacs"}


def test_a_skipped_trace_keeps_no_id_that_a_person_may_have_chosen() -> None:
    from anonymize.pipeline import Tally
    from anonymize.pipeline import scrubbed as pipeline

    scrubber = Scrubber.create(ScrubPolicy(), PseudonymKey(b"k" * 32))
    skips = [
        SkippedTrace(reason="r", where="f:1", trace_id="mei.kovacs@corp.internal"),
        SkippedTrace(reason="r", where="f:2", trace_id="0af7651916cd43dd8448eb211c80319c"),
    ]
    ids = [item.trace_id for item in pipeline(skips, scrubber, Tally())]
    assert ids == [None, "0af7651916cd43dd8448eb211c80319c"]
