"""Whole runs of agents with chance in them: what fails, what is noise, what can't be told."""

from __future__ import annotations

import pytest

from replay.compare import CompareSettings
from replay.noise.floor import NoiseFloor
from replay.report import RunInfo, load_schema, to_json
from tests.noise.agents import desk
from tests.noise.in_memory import Agent, compared

TENTH = frozenset(range(0, 200, 10))
NOISE = [
    {},
    {"words": 0.3},
    {"lost": 0.02},
    {"lost": 0.3},
    {"other": 0.1, "words": 0.3},
    {"twice": 0.1, "lost": 0.1},
    {"free": 0.3},
]


@pytest.mark.parametrize("noise", NOISE)
def test_an_unchanged_agent_does_not_fail_wherever_its_noise_sits(noise: dict[str, float]) -> None:
    agent = desk(**noise)  # type: ignore[arg-type]
    verdicts = [
        compared(agent, agent, traces=80, seed=s, unchanged=agent)[0].verdict for s in range(3)
    ]
    assert "regressed" not in verdicts


@pytest.mark.parametrize("noise", NOISE)
def test_a_drop_of_ten_points_fails_wherever_the_noise_sits(noise: dict[str, float]) -> None:
    agent = desk(**noise)  # type: ignore[arg-type]
    worse = desk(**noise, broken=TENTH)  # type: ignore[arg-type]
    diff, _ = compared(agent, worse, unchanged=agent)
    assert diff.verdict == "regressed"
    assert compared(agent, worse)[0].verdict == "regressed"


def test_a_drop_in_the_very_place_of_the_noise_fails() -> None:
    diff, run = compared(
        desk(lost=0.1), desk(lost=0.1, broken_note=TENTH), unchanged=desk(lost=0.1)
    )
    assert diff.verdict == "regressed"
    assert run.studied is not None
    assert any("by chance" in w.why for w in run.studied.weighing.behaviours.values())


def test_an_agent_that_became_less_reliable_everywhere_fails() -> None:
    diff, _ = compared(desk(lost=0.1), desk(lost=0.2), unchanged=desk(lost=0.1), aa=1, repeat=3)
    assert diff.verdict == "regressed"


@pytest.mark.parametrize("known", [True, False])
def test_of_an_agent_without_chance_one_regression_is_enough(known: bool) -> None:
    diff, run = compared(desk(), desk(broken={7}), unchanged=desk() if known else None)
    assert (diff.verdict, diff.reason) == ("regressed", "1 of 200 traces regressed")
    assert run.replays <= 12
    assert compared(desk(), desk(broken={7}), confirm=0)[0].verdict == "regressed"


def test_where_nothing_differs_nothing_is_replayed_again() -> None:
    diff, run = compared(desk(words=0.5), desk(words=0.5), unchanged=desk(words=0.5))
    assert diff.verdict == "pass"
    assert run.replays == 0


def test_noise_of_one_kind_says_nothing_about_another() -> None:
    diff, _ = compared(desk(lost=0.3), desk(lost=0.3, broken={7}), unchanged=desk(lost=0.3))
    assert diff.verdict == "regressed"
    regressed = [p for p in diff.pairs if p.verdict == "regressed"]
    assert [p.trace_id for p in regressed] == ["t7"]
    quiet = {d.signature for p in diff.pairs for d in p.divergences if d.quiet}
    assert quiet
    assert not any("issue_refund" in s for s in quiet)
    assert any(p.flaky for p in diff.pairs)


def test_what_the_recording_alone_did_is_no_regression() -> None:
    odd = desk(lost=1.0, only={7})
    diff, _ = compared(odd, desk(), unchanged=desk())
    assert diff.verdict == "pass"


def test_a_run_that_can_not_be_told_from_chance_says_what_would_settle_it() -> None:
    # An agent that varies elsewhere, and nobody knows which agent made the recordings.
    diff, _ = compared(desk(words=1.0), desk(words=1.0, broken={7}))
    assert diff.verdict == "inconclusive"
    assert "would settle it" in diff.reason or "--aa 1" in diff.reason
    assert "aa_agent" in diff.reason
    pair = next(p for p in diff.pairs if p.trace_id == "t7")
    assert pair.verdict == "inconclusive"
    assert pair.reason.startswith("may be chance")


def test_what_earlier_runs_learnt_is_noise_in_this_one() -> None:
    learnt = NoiseFloor(
        agent="v1",
        pairs=1000,
        hits={"EFFECT_MISSING|add_note||missing": 90, "EFFECT_ADDED|add_note||added": 90},
        runs=5,
    )
    agent = desk(lost=0.1)
    assert compared(agent, agent, confirm=0)[0].verdict == "regressed"
    diff, _ = compared(agent, agent, confirm=0, floor=learnt)
    assert diff.verdict == "pass"
    worse, _ = compared(agent, desk(lost=0.35), confirm=0, floor=learnt)
    assert worse.verdict == "regressed"
    other, _ = compared(agent, desk(lost=0.1, broken={7}), confirm=0, floor=learnt)
    assert other.verdict == "regressed"


def test_wordings_that_the_agent_changes_anyway_are_not_reported() -> None:
    agent = desk(words=0.5)
    diff, run = compared(agent, agent, unchanged=agent, aa=1.0)
    assert {p.verdict for p in diff.pairs} == {"same"}
    assert run.studied is not None
    assert run.studied.learnt.pairs == 200
    assert run.studied.learnt.rate("OUTPUT_CHANGED|||different").low > 0.2


def test_the_same_run_twice_decides_the_same() -> None:
    one, two = (compared(desk(lost=0.2), desk(lost=0.2), unchanged=desk(lost=0.2)) for _ in "ab")
    assert one[0] == two[0]


def test_thresholds_per_code_tolerate_and_forbid() -> None:
    lenient = CompareSettings(gate={"EFFECT_MISSING": 0.3, "EFFECT_ADDED": 0.3})
    worse = desk(broken=TENTH)
    assert compared(desk(), worse, compare=lenient)[0].verdict == "pass"
    strict = CompareSettings(gate={"EFFECT_MISSING": 0.02})
    diff, _ = compared(desk(), worse, compare=strict)
    assert diff.verdict == "regressed"
    assert "EFFECT_MISSING in 20 of 200 traces, 2.0% are allowed" in diff.reason
    near = CompareSettings(gate={"EFFECT_MISSING": 0.09})
    assert compared(desk(), worse, compare=near)[0].verdict == "inconclusive"
    wording = CompareSettings(gate={"OUTPUT_CHANGED": 0.1})
    assert compared(desk(), desk(words=1.0), compare=wording)[0].verdict == "regressed"


def test_the_report_holds_the_noise_and_follows_its_schema() -> None:
    import jsonschema

    from replay.noise.section import section

    agent = desk(lost=0.2)
    diff, run = compared(agent, agent, traces=40, unchanged=agent, aa=0.5)
    assert run.studied is not None
    told = section(run.studied)
    info = RunInfo(run_id="r", candidate="v2", baseline="v1", exit_code=0, noise=told)
    document = to_json(diff, info)
    jsonschema.validate(document, load_schema())
    rates = {(r["code"], r["tools"]) for r in document["noise"]["rates"]}
    assert rates & {("EFFECT_MISSING", "add_note"), ("EFFECT_ADDED", "add_note")}
    assert document["noise"]["pairs"] == 20
    assert all(r["low"] <= r["hits"] / r["pairs"] <= r["high"] for r in document["noise"]["rates"])


@pytest.mark.parametrize("seed", range(3))
def test_traces_that_were_picked_fail_only_beside_runs_of_the_agent_that_made_them(
    seed: int,
) -> None:
    """A trace is picked where its recording went well and a run did not: such traces vary more
    than the traffic, of which the noise is known."""
    varies, recorded = desk(lost=0.5), desk()
    (mark,) = {
        d.signature
        for p in compared(recorded, varies, traces=20, confirm=0)[0].pairs
        for d in p.divergences
    }
    floor = NoiseFloor(pairs=250, hits={mark: 6})

    def verdict(candidate: Agent, *, picked: bool = True, known: bool = False) -> str:
        agent = varies if known else None
        diff, _ = compared(
            recorded, candidate, traces=20, seed=seed, unchanged=agent, floor=floor, picked=picked
        )
        return diff.verdict

    assert verdict(varies, picked=False) == "regressed"  # held against a rate of other traces
    assert verdict(varies) != "regressed"
    assert verdict(varies, known=True) != "regressed"
    worse = desk(lost=0.5, broken_note=range(12))
    assert verdict(worse, known=True) == "regressed"
    assert verdict(worse) == "inconclusive"
    # Where nothing varies, one regression is enough.
    assert verdict(desk(broken={3})) == "regressed"
