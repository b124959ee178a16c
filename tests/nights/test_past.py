"""What regressed or was reviewed on earlier days stays in: replayed beside the day's traffic."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from anonymize.store import Store
from replay.nightly import run_night
from replay.nights.history import nights, read_night
from replay.nights.past import _sentence, _spread, section
from replay.nights.section import row
from replay.report import load_schema
from replay.report.nights import remark
from replay.review.model import review_of
from replay.review.store import ReviewFile
from replay.suites.past import earlier
from tests.nights.conftest import dated, write_day
from tests.resilience.runs import under

DAYS = [date(2026, 3, 2) + timedelta(days=n) for n in range(3)]
#: Fails where it is asked for number 3, which is asked on the first day only.
CRASHES = (
    "def run(case, env):\n"
    "    if '3' in str(case.input):\n"
    "        raise RuntimeError('no threes')\n"
    "    return case.input\n"
)


def night(folder: Path, day: date, **more: Any) -> dict[str, Any]:
    outcome = run_night(dated(folder, aa=0, **more), day)
    assert outcome.exit_code == outcome.document["verdict"]["exit_code"]
    Draft202012Validator(load_schema()).validate(outcome.document)
    return dict(outcome.document)


def test_a_regression_of_an_earlier_day_fails_a_night_until_it_is_mended_and_no_share_counts_it(
    parrot: Path,
) -> None:
    write_day(parrot, DAYS[0], 5)
    for day in DAYS[1:3]:
        write_day(parrot, day, 3)
    (parrot / "parrot.py").write_text(CRASHES)
    first = night(parrot, DAYS[0])
    assert (first["verdict"]["status"], first["night"]["past"]) == ("regressed", None)

    second = night(parrot, DAYS[1])
    past = second["night"]["past"]
    assert (past["replayed"], past["regressed"], past["since"]) == (1, 1, "2026-03-02")
    assert second["verdict"]["status"] == "regressed"
    assert second["verdict"]["sentence"].startswith(
        "Of 1 trace of earlier days that had regressed or were reviewed, it is worse. Otherwise: "
    )
    # The day's own traffic did well, and is all that its shares and its history know of.
    assert (second["counts"]["compared"], second["counts"]["same"]) == (3, 3)
    known = read_night(parrot / "runs" / "2026-03-03")
    assert (known["regressed"], known["share"], known["past_since"]) == (0, 0.0, "2026-03-02")
    assert [night_row["past"] for night_row in map(row, nights(parrot / "runs"))] == [0, 1]
    assert remark(row(nights(parrot / "runs")[1])) == "1 of earlier days worse"
    page = (parrot / "runs" / "2026-03-03" / "report.html").read_text()
    assert 'href="past/report.html"' in page
    own = json.loads((parrot / "runs" / "2026-03-03" / "past" / "report.json").read_text())
    assert [t["trace_id"] for t in own["traces"]] == [
        t["trace_id"] for t in first["traces"] if t["verdict"] == "regressed"
    ]
    # Done again, it is the same night.
    assert night(parrot, DAYS[1])["night"]["past"] == past

    (parrot / "parrot.py").write_text("def run(case, env):\n    return case.input\n")
    third = night(parrot, DAYS[2])
    assert third["night"]["past"]["sentence"].endswith("reviewed, none is worse.")
    assert (third["verdict"]["status"], third["verdict"]["exit_code"]) == ("pass", 0)


def test_retention_takes_the_past_with_its_days_and_the_store_decides_what_is_in(
    parrot: Path,
) -> None:
    for day in DAYS[:2]:
        write_day(parrot, day, 5 if day == DAYS[0] else 2)
    (parrot / "parrot.py").write_text(CRASHES)
    night(parrot, DAYS[0])
    assert night(parrot, DAYS[1])["night"]["past"]["replayed"] == 1
    folder = parrot / "runs" / "2026-03-03"
    # From today, everything but the night itself is too old.
    write_day(parrot, DAYS[2], 2)
    third = night(parrot, DAYS[2], keep_days=1)
    assert third["night"]["past"]["replayed"] == 1  # it was still there
    assert not (folder / "past").exists()
    assert not (parrot / "runs" / "2026-03-04" / "past").exists()
    assert "past_since" not in read_night(parrot / "runs" / "2026-03-04")
    assert len(Store(parrot / "traces").ids()) == 2


def test_what_was_reviewed_is_in_and_of_each_behaviour_some(tmp_path: Path) -> None:
    groups = [
        {"id": g, "title": f"behaviour {g}", "signature": f"TOOL_ADDED|{g}||", "count": 30,
         "trace_ids": [f"{g}{n}" for n in range(30)], "example": f"{g}0"}
        for g in "ab"
    ]  # fmt: skip
    traces = [{"trace_id": i, "verdict": "regressed"} for i in groups[0]["trace_ids"]]
    (tmp_path / "runs" / "one").mkdir(parents=True)
    document = {"groups": groups[:1], "quiet_groups": groups[1:], "traces": traces}
    (tmp_path / "runs" / "one" / "report.json").write_text(json.dumps(document))
    review = review_of(groups[1], "accept", owner="me", reason="right so", at=DAYS[0], of=60)
    groups[1]["id"] = review.id
    (tmp_path / "runs" / "one" / "report.json").write_text(json.dumps(document))
    file = ReviewFile(tmp_path / "review.toml", tmp_path / "lock")
    file.put(review, seen=None)
    known = earlier(tmp_path / "runs", file.read())
    assert sum(why.startswith("reviewed: accept") for why, _ in known.values()) == 3
    chosen = _spread(known, 4)
    assert sorted(chosen) == ["a0", "a1", "b0", "b1"]  # both behaviours, in turn


def test_under_faults_only_what_the_judge_found_worse_counts_as_a_regression(
    tmp_path: Path,
) -> None:
    traces = [{"trace_id": i, "verdict": "regressed"} for i in ("x", "y")]
    document = {"groups": [], "traces": traces, "resilience": {"verdict": {"worse": ["y"]}}}
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "report.json").write_text(json.dumps(document))
    assert earlier(tmp_path, {}) == {"y": ("regressed in one", "")}


def test_under_faults_a_past_run_is_told_by_the_judge(tmp_path: Path) -> None:
    ran = under(tmp_path, "eager", "timeout:tool=issue_refund,call=1", number=2)
    told = section(ran, DAYS[0])
    worse = len(ran.document["resilience"]["verdict"]["worse"])
    assert (told["replayed"], told["regressed"], told["unclear"]) == (2, worse, 0)
    assert told["groups"] == []  # what differs from recordings without faults is no behaviour


def test_a_past_of_which_nothing_was_replayed_blames_no_budget_that_had_room() -> None:
    assert _sentence(0, 0, 0, 3).endswith("the budget had no room for 3.")
    assert _sentence(0, 0, 0, 0).endswith("none of them can be replayed.")


def test_what_was_picked_teaches_later_runs_no_noise(parrot: Path) -> None:
    for day, number in zip(DAYS, (5, 3), strict=False):
        write_day(parrot, day, number)
    (parrot / "parrot.py").write_text(CRASHES)
    for day in DAYS[:2]:
        config = dated(parrot, aa=0)
        outcome = run_night(replace(config, replay=replace(config.replay, repeat=2)), day)
    assert outcome.document["night"]["past"]["replayed"] == 1
    known = json.loads((parrot / "runs" / "noise.json").read_text())["runs"]
    assert [one["run_id"] for one in known] == [day.isoformat() for day in DAYS[:2]]
