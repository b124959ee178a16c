"""Which trace belongs to which."""

from __future__ import annotations

from replay.compare import CompareSettings
from replay.compare.pairing import pair_traces
from tests.compare.builders import call, diff_all, make_trace, replayed

CALL = call("get", x=1)


def pairs(baseline, candidate, **settings):
    found = pair_traces(baseline, candidate, CompareSettings(**settings))
    return [(b.trace_id, c.trace_id) for b, c in found.pairs]


def test_a_replay_belongs_to_the_recording_whose_id_it_has():
    baseline = [make_trace(id="a", input="x"), make_trace(id="b", input="x")]
    candidate = [replayed(id="b", input="x"), replayed(id="a", input="x")]
    assert pairs(baseline, candidate) == [("a", "a"), ("b", "b")]


def test_recordings_are_paired_by_their_key_whatever_was_asked():
    baseline = [make_trace(id="a", pair_key="7", input="x"), make_trace(id="b", pair_key="8")]
    candidate = [make_trace(id="c", pair_key="8", input="x"), make_trace(id="d", pair_key="7")]
    assert pairs(baseline, candidate) == [("a", "d"), ("b", "c")]


def test_recordings_without_a_key_are_paired_by_what_was_asked():
    baseline = [make_trace(id="a", input="one"), make_trace(id="b", input="two")]
    candidate = [make_trace(id="c", input=" two"), make_trace(id="d", input="one\n")]
    assert pairs(baseline, candidate) == [("a", "d"), ("b", "c")]


def test_equal_questions_are_paired_in_the_order_of_their_time():
    baseline = [make_trace(id="b", minute=2), make_trace(id="a", minute=1)]
    candidate = [make_trace(id="c", minute=1), make_trace(id="d", minute=2)]
    assert pairs(baseline, candidate) == [("b", "d"), ("a", "c")]


def test_turns_of_a_session_belong_to_the_same_conversation():
    def session(name, first, start):
        return [
            make_trace(id=f"{name}1", session_id=name, input=first, minute=start),
            make_trace(id=f"{name}2", session_id=name, input="yes", minute=start + 1),
        ]

    baseline = session("p", "refund?", 0) + session("q", "cancel?", 10)
    candidate = session("r", "cancel?", 0) + session("s", "refund?", 10)
    assert pairs(baseline, candidate) == [("p1", "s1"), ("p2", "s2"), ("q1", "r1"), ("q2", "r2")]


def test_what_has_no_partner_is_listed():
    found = diff_all(
        [make_trace(CALL, id="a", input="x"), make_trace(CALL, id="b", input="y")],
        [make_trace(CALL, id="c", input="x"), make_trace(CALL, id="d", input="z")],
    )
    assert found.unpaired_baseline == ("b",)
    assert found.unpaired_candidate == ("d",)
    assert found.counts["pairs"] == 1


def test_what_could_not_be_replayed_is_listed_with_its_reason_and_is_not_unpaired():
    found = diff_all([make_trace(CALL, id="a")], [replayed(CALL, id="a")])
    assert found.not_replayable == ()
    from replay.compare import compare_datasets

    found = compare_datasets(
        [make_trace(CALL, id="a"), make_trace(CALL, id="b")],
        [replayed(CALL, id="a")],
        not_replayable=[("b", "the recording has no input")],
    )
    assert found.unpaired_baseline == ()
    assert found.not_replayable == (("b", "the recording has no input"),)


def test_traces_without_a_question_are_never_paired_by_it():
    baseline, candidate = [make_trace(id="a", input=None)], [make_trace(id="b", input=None)]
    assert pairs(baseline, candidate) == []
    assert pairs(baseline, baseline) == [("a", "a")]


def test_a_dataset_compared_with_itself_has_no_difference():
    traces = [make_trace(CALL, id=f"t{i}", input=f"q{i % 3}", minute=None) for i in range(9)]
    found = diff_all(traces, traces)
    assert found.verdict == "pass"
    assert (found.counts["same"], found.counts["divergences"]) == (9, 0)
    assert found.groups == ()


def test_the_config_can_choose_the_way():
    baseline = [make_trace(id="a", input="x"), make_trace(id="b", input="y")]
    candidate = [make_trace(id="b", input="x"), make_trace(id="a", input="y")]
    assert pairs(baseline, candidate, pairing="input") == [("a", "b"), ("b", "a")]
    assert pairs(baseline, candidate, pairing="trace_id") == [("a", "a"), ("b", "b")]
