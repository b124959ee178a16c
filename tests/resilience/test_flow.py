"""``replay run`` under faults, end to end, with small agents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anonymize.store import Store
from replay.nights import budget as budgets
from replay.nights.budget import Budget
from replay.replaying import place
from replay.resilience.flow import _known
from replay.resilience.model import FaultOutcome, OutcomeKind
from replay.resilience.rows import OutcomeRow, Side, read_rows
from replay.runs import RunOutcome
from tests.resilience.runs import under

LOST = "timeout:tool=issue_refund,call=1"
SIDES: tuple[Side, ...] = ("candidate", "baseline")


def kinds(outcome: RunOutcome) -> list[str]:
    return [row.outcome.kind for row in rows(outcome)]


def rows(outcome: RunOutcome) -> list[OutcomeRow]:
    return list(read_rows(outcome.folder / "outcomes.jsonl"))


def resilience(outcome: RunOutcome) -> Any:
    return outcome.document["resilience"]


@pytest.mark.parametrize(
    ("agent", "fault", "kind", "code"),
    [
        ("careful", LOST, "degraded", 0),
        ("careful", "http_429:tool=get_order,call=1", "recovered", 0),
        ("eager", LOST, "duplicated_effect", 1),
        ("eager", "http_429:tool=issue_refund,call=1", "recovered", 0),
        ("brazen", LOST, "silent_failure", 1),
        ("fragile", LOST, "crashed", 1),
        ("stubborn", "http_429:tool=get_order", "looped", 1),
        ("reader", LOST, "not_landed", 3),
    ],
)
def test_each_agent_shows_what_it_is_made_of(
    tmp_path: Path, agent: str, fault: str, kind: str, code: int
) -> None:
    ran = under(tmp_path, agent, fault)
    assert kinds(ran) == [kind] * 3
    assert ran.exit_code == code
    assert ran.document["verdict"]["exit_code"] == code


def test_a_run_without_faults_is_judged_as_ever(tmp_path: Path) -> None:
    ran = under(tmp_path, "eager")
    assert ran.exit_code == 0
    assert "resilience" not in ran.document
    assert not (ran.folder / "outcomes.jsonl").exists()
    assert not (ran.folder / "control").exists()


def test_faults_that_never_land_are_no_pass(tmp_path: Path) -> None:
    ran = under(tmp_path, "careful", "timeout:tool=no_such_tool")
    assert ran.exit_code == 3
    assert ran.document["verdict"]["status"] == "inconclusive"
    assert "nothing was shown" in ran.document["verdict"]["sentence"]
    assert not (ran.folder / "control").exists(), "nothing landed, so nothing was replayed for it"


def test_only_traces_that_a_fault_landed_on_are_replayed_without_it(tmp_path: Path) -> None:
    ran = under(tmp_path, "careful", LOST + ",args=order_id=A2")
    assert kinds(ran) == ["not_landed", "degraded", "not_landed"]
    assert list(Store(ran.folder / "control" / "traces").ids()) == ["t2"]
    assert ran.exit_code == 0


def test_a_baseline_that_survives_what_the_candidate_does_not_makes_it_a_regression(
    tmp_path: Path,
) -> None:
    ran = under(tmp_path, "eager", LOST, against="careful")
    assert ran.exit_code == 1
    told = resilience(ran)
    assert told["counts"] == {
        "candidate": {"duplicated_effect": 3},
        "baseline": {"degraded": 3},
    }
    assert told["verdict"]["worse"] == ["t1", "t2", "t3"]
    (line,) = told["tools"]
    assert (line["what"], line["fault"]) == ("issue_refund", "timeout")
    assert line["candidate"]["failed"] == 3
    assert line["baseline"]["survived"] == 3


def test_a_failure_that_the_baseline_shares_is_not_the_candidates(tmp_path: Path) -> None:
    ran = under(tmp_path, "eager", LOST, against="brazen")
    assert ran.exit_code == 0
    assert resilience(ran)["verdict"]["both"] == ["t1", "t2", "t3"]


def test_a_baseline_that_the_fault_could_not_hit_got_by(tmp_path: Path) -> None:
    assert under(tmp_path, "eager", LOST, against="reader").exit_code == 1


def test_a_run_that_was_done_is_judged_again_without_a_replay(tmp_path: Path) -> None:
    first = under(tmp_path, "eager", LOST, against="careful")
    again = under(tmp_path, "eager", LOST, against="careful", reuse=True)
    assert again.document["counts"]["replayed"] == 0
    assert rows(again) == rows(first)


def test_a_killed_run_keeps_what_its_control_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from replay.resilience import flow

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(flow, "write_rows", killed)
        with pytest.raises(KeyboardInterrupt):
            under(tmp_path, "eager", LOST)
    held = tmp_path / "run-eager" / "control" / "traces"
    before = {p: p.stat().st_mtime_ns for p in held.rglob("*.parquet")}
    assert before
    ran = under(tmp_path, "eager", LOST)
    assert {p: p.stat().st_mtime_ns for p in held.rglob("*.parquet")} == before
    assert kinds(ran) == ["duplicated_effect"] * 3


def test_a_control_of_other_settings_is_made_anew(tmp_path: Path) -> None:
    under(tmp_path, "careful", LOST)
    mark = tmp_path / "run-careful" / "control" / "replay.json"
    before = mark.read_bytes()
    under(tmp_path, "careful", LOST, tables={"replay": {"max_tool_calls": 99}})
    assert mark.read_bytes() != before


def test_the_proofs_tell_what_was_offered_landed_and_tried_again(tmp_path: Path) -> None:
    ran = under(tmp_path, "eager", LOST)
    (proof,) = resilience(ran)["proofs"]
    assert (proof["landed"], proof["traces"], proof["seen"]) == (3, 3, 3)
    assert (proof["retried"], proof["masked"]) == (3, 0)


def test_outcomes_are_grouped_with_an_example_and_how_to_do_it_again(tmp_path: Path) -> None:
    (group,) = resilience(under(tmp_path, "eager", LOST))["outcomes"]
    assert (group["kind"], group["count"], group["faults"]) == ("duplicated_effect", 3, ["timeout"])
    assert group["trace_ids"] == ["t1", "t2", "t3"]
    assert "no_duplicate_effect" in group["contracts"]
    assert "--trace t1" in group["reproduce"]
    assert "plan.json" in group["reproduce"]


def test_a_broken_contract_of_the_user_fails_a_run_that_would_pass(tmp_path: Path) -> None:
    contracts = {"keeps_its_word": {"function": "agents_for_resilience:honest"}}
    import sys

    sys.path.insert(0, str(Path(__file__).parent))
    try:
        ran = under(tmp_path, "careful", LOST, tables={"contracts": contracts})
    finally:
        sys.path.remove(str(Path(__file__).parent))
    assert kinds(ran) == ["degraded"] * 3
    assert ran.exit_code == 1
    assert rows(ran)[0].own_contracts == ("keeps_its_word",)
    assert "broke a contract" in ran.document["verdict"]["sentence"]


def test_an_agent_for_comparison_has_to_be_in_the_config(tmp_path: Path) -> None:
    from anonymize.errors import UsageError

    with pytest.raises(UsageError, match="no agent"):
        under(tmp_path, "careful", LOST, against="carefull")
    with pytest.raises(UsageError, match="under faults"):  # not passed over
        under(tmp_path, "careful", against="eager")


def test_the_report_fits_its_schema_and_is_drawn(tmp_path: Path) -> None:
    import jsonschema

    from replay.report import load_schema

    ran = under(tmp_path, "eager", LOST, against="careful")
    jsonschema.validate(ran.document, load_schema())
    page = (ran.folder / "report.html").read_text()
    assert "issue_refund" in page


def test_a_budget_limits_the_replays_without_faults_as_well_and_says_what_it_had_no_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "cost_of", lambda *_: (1.0, 0))
    budget = Budget(usd=12)
    ran = under(tmp_path, "careful", LOST, number=30, budget=budget)
    assert budget.spent_usd <= 16  # four under way at most: two a worker, in each part
    told = ran.document["budget"]
    judged = rows(ran)
    assert 0 < len(judged) < 30
    assert told["not_replayed"] == 30 - len(judged)
    assert {row.outcome.kind for row in judged} == {"degraded"}
    # Nothing failed, but too little was seen for a pass.
    assert (ran.document["verdict"]["status"], ran.exit_code) == ("inconclusive", 3)
    assert (
        f"Nothing failed in {len(judged)} of 30 traces, but the budget of 12 dollars"
        in (ran.document["verdict"]["sentence"])
    )
    again = under(tmp_path, "careful", LOST, number=30, budget=Budget(usd=500), reuse=True)
    assert len(rows(again)) == 30
    assert (again.document["budget"]["not_replayed"], again.exit_code) == (0, 0)
    assert len(list(Store(again.folder / "control" / "traces").ids())) == 30


def test_a_failure_fails_however_little_a_budget_had_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "cost_of", lambda *_: (1.0, 0))
    ran = under(tmp_path, "eager", LOST, number=20, budget=Budget(usd=12), against="careful")
    assert (ran.document["verdict"]["status"], ran.exit_code) == ("regressed", 1)
    assert ran.document["budget"]["not_replayed"] > 0
    sides = {side: {r.trace_id for r in rows(ran) if r.side == side} for side in SIDES}
    assert sides["candidate"]


def test_what_nothing_landed_on_counts_only_as_far_as_the_others_came() -> None:
    ids = sorted((f"t{n}" for n in range(10)), key=lambda i: place(i, ()))
    made = [row_of(i, "degraded" if n == 0 else "not_landed") for n, i in enumerate(ids) if n != 4]
    assert set(_known(made, {ids[4]}, ())) == set(ids[:4])
    assert set(_known(made, (), ())) == set(ids) - {ids[4]}


def row_of(trace_id: str, kind: OutcomeKind) -> OutcomeRow:
    return OutcomeRow(trace_id=trace_id, agent="a", outcome=FaultOutcome(kind=kind, why=""))
