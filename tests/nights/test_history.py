"""The nights before: what is kept of them, and what a report, the terminal and a command show."""

from __future__ import annotations

import io
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from rich.console import Console

from replay.cli import cli
from replay.compare.model import BehaviourGroup
from replay.nights.history import (
    Night,
    every_night,
    forget_run,
    missed,
    nights,
    read_night,
    write_night,
)
from replay.nights.section import known_before, night_section
from replay.report import render_html, render_terminal, to_json
from replay.report.model import load_schema
from replay.report.summary import render_summary
from tests.nights.test_nightly import night
from tests.report.builders import make_diff, make_pair, make_run

DAY = date(2026, 3, 9)


def earlier(number: int, **more: Any) -> list[Night]:
    """``number`` nights before ``DAY`` in which 1 of 100 traces got worse."""
    known: dict[str, Any] = {
        "verdict": "regressed",
        "exit_code": 1,
        "regressed": 1,
        "compared": 100,
        "share": 0.01,
        "low": 0.0,
        "high": 0.05,
        "candidate": "v2",
        "fingerprint": "f1",
        "groups": {"g-old": "refunds twice", "g-gone": "asks again"},
        **more,
    }
    return [Night(day=DAY - timedelta(days=n), **known) for n in range(number, 0, -1)]


def document_of(known: dict[str, Any], worse: int, *groups: str, whole: int = 60) -> dict[str, Any]:
    pairs = [make_pair(f"t{n}", "regressed" if n < worse else "same") for n in range(whole)]
    behaviours = [
        BehaviourGroup(
            id=g,
            title=f"behaviour {g}",
            code="EFFECT_ADDED",
            severity="regression",
            verdict="regressed",
            trace_ids=("t0",),
            example="t0",
            signature=g,
            why="why",
        )
        for g in groups
    ]
    diff = make_diff(*pairs, groups=tuple(behaviours))
    return to_json(diff, make_run(night=night_section(known, diff)))


def shown(document: dict[str, Any]) -> str:
    out = io.StringIO()
    render_terminal(document, Console(file=out, width=80))
    return " ".join(out.getvalue().split())


def test_a_report_tells_drift_of_inputs_from_drift_of_behaviour_and_new_from_old() -> None:
    known = known_before(
        DAY,
        earlier(3),
        inputs=["new subject: voucher in 31 of 400 questions, 0 of 2,800 before"],
        candidate="v2",
        fingerprint="f1",
    )
    document = document_of(known, 30, "g-old", "g-new")
    Draft202012Validator(load_schema()).validate(document)
    section = document["night"]
    assert [g["id"] for g in section["new"]] == ["g-new"]
    assert [(g["id"], g["nights"]) for g in section["stays"]] == [("g-old", 4)]
    assert [g["title"] for g in section["gone"]] == ["asks again"]
    assert (section["trend"], section["candidate_changed"]) == ("up", False)
    terminal, page = shown(document), render_html(document)
    assert "- new subject: voucher" in render_summary(document)
    for text in (terminal, page):
        assert "More traces got worse than in the 3 nights before, beyond chance." in text
        assert "new subject: voucher" in text
        assert "from the same code as the night before" in text
    assert "got worse: 1 of 100, 1 of 100, 1 of 100" in terminal
    assert "The candidate is the same code and config as the night before." in page
    assert page.count('<rect class="b-regressed"') >= 4


@pytest.mark.parametrize(("worse", "trend"), [(0, "level"), (30, "up")])
def test_a_trend_is_one_only_beyond_chance(worse: int, trend: str) -> None:
    known = known_before(DAY, earlier(7), candidate="v2", fingerprint="f2")
    section = document_of(known, worse)["night"]
    assert (section["trend"], section["candidate_changed"]) == (trend, True)
    high = known_before(DAY, earlier(7, regressed=50), candidate="v2")
    assert document_of(high, 0)["night"]["trend"] == "down"
    assert document_of(known_before(DAY, []), 30)["night"]["trend"] == ""


def test_another_candidate_has_no_part_in_the_trend() -> None:
    known = known_before(DAY, earlier(7, candidate="v1"), candidate="v2", fingerprint="f1")
    section = document_of(known, 30, "g-new")["night"]
    assert (section["compared_with"], section["new"], section["trend"]) == (0, [], "")
    assert len(section["before"]) == 7


def test_hostile_names_of_behaviours_stay_text() -> None:
    known = known_before(
        DAY, earlier(1, groups={"x": "<img src=x onerror=alert(1)>"}), candidate="v2"
    )
    assert "<img" not in render_html(document_of(known, 0))


def test_what_a_night_came_to_outlives_its_run_and_nothing_of_its_traces_does(
    tmp_path: Path,
) -> None:
    night(tmp_path, DAY, regressed=3)
    folder = tmp_path / DAY.isoformat()
    write_night(
        folder, titles={"g": "mei.kovacs@corp.example"}, drift=["kovacs"], content="c", compared=9
    )
    (folder / "traces").mkdir()
    (folder / "report.html").write_text("kovacs")
    for _ in range(2):  # it may be killed in the middle
        forget_run(folder)
    assert [p.name for p in folder.iterdir()] == ["night.json"]
    assert "kovacs" not in (folder / "night.json").read_text()
    (kept,) = nights(tmp_path)
    assert (kept.verdict, kept.regressed, kept.compared, kept.groups) == ("regressed", 3, 9, {})
    assert missed(tmp_path, DAY + timedelta(days=1), 7) == [DAY + timedelta(days=1)]


def test_holes_are_caught_up_and_what_is_too_old_is_given_up(tmp_path: Path) -> None:
    for n in (0, 2, 4):
        night(tmp_path, DAY + timedelta(days=n))
    last = DAY + timedelta(days=5)
    assert missed(tmp_path, last, 7) == [DAY + timedelta(days=n) for n in (1, 3, 5)]
    assert missed(tmp_path, last, 2) == [DAY + timedelta(days=n) for n in (3, 5)]


def test_a_first_night_that_failed_or_was_killed_is_caught_up_as_any_other(tmp_path: Path) -> None:
    for n, known in enumerate(({"failed": "down"}, {"begun": True})):
        write_night(tmp_path / (DAY + timedelta(days=n)).isoformat(), **known)
    last = DAY + timedelta(days=2)
    assert missed(tmp_path, last, 7) == [DAY, DAY + timedelta(days=1), last]
    killed = every_night(tmp_path)[1]
    assert (killed.complete, killed.why) == (False, "it was killed, or is going on")
    assert nights(tmp_path) == []


def test_a_damaged_file_of_a_night_is_no_night(tmp_path: Path) -> None:
    for n, text in enumerate(('{"schema": 1', '{"schema": 2}', "[]", '{"schema":1,"failed":7}')):
        folder = tmp_path / (DAY + timedelta(days=n)).isoformat()
        folder.mkdir()
        (folder / "night.json").write_text(text)
    assert nights(tmp_path) == []
    assert [n.why for n in every_night(tmp_path)] == ["7"]
    assert read_night(tmp_path / DAY.isoformat()) == {}


def test_the_nights_are_listed_for_people_and_for_scripts(tmp_path: Path) -> None:
    (tmp_path / "replay.toml").write_text("")
    config = ["--config", str(tmp_path / "replay.toml")]
    none = CliRunner().invoke(cli, ["nights", *config])
    assert "no night was done yet" in none.output
    night(tmp_path / "runs", DAY, regressed=3)
    folder = tmp_path / "runs" / DAY.isoformat()
    write_night(folder, compared=60, share=0.05, low=0.0104, high=0.139, left=40, drift=["x"])
    write_night(tmp_path / "runs" / "2026-03-10", failed="the server can't be reached")
    listed = CliRunner().invoke(cli, ["nights", *config])
    assert listed.exit_code == 0
    text = " ".join(listed.output.split())
    assert "2026-03-09 regressed 60 3 1.0 to 13.9 % 40 not replayed, inputs moved" in text
    assert "2026-03-10 could not run the server can't be reached" in text
    assert max(map(len, listed.output.splitlines())) <= 80
    lines = CliRunner().invoke(cli, ["nights", "--json", "--last", "1", *config]).output
    assert json.loads(lines)["why"] == "the server can't be reached"


def test_the_examples_for_schedulers_and_alerts_are_ones(tmp_path: Path) -> None:
    import re

    import yaml

    from replay.nights.metrics import write_failure, write_metrics
    from tests.support import ROOT

    page = (ROOT / "docs" / "nightly.md").read_text()
    alerts, job = (yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", page, re.S))
    known = known_before(DAY, earlier(1), candidate="v2")
    document = document_of(known, 1)
    document["budget"] = {"not_replayed": 3, "spent_usd": 1.5}
    write_metrics(tmp_path / "a.prom", document, finished=1.0, day=DAY, traffic=9)
    write_failure(tmp_path / "b.prom", "v2", last=1.0, failed=2.0)
    there = (tmp_path / "a.prom").read_text() + (tmp_path / "b.prom").read_text()
    rules = alerts["groups"][0]["rules"]
    asked = {name for rule in rules for name in re.findall(r"replay_\w+", rule["expr"])}
    assert len(asked) >= 6
    for name in asked:
        assert f"\n{name}{{" in there, name
    spec = job["spec"]["jobTemplate"]["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    assert container["args"] == ["replay", "nightly"]
    assert spec["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"] == [1, 3]
    (unit,) = re.findall(r"```ini\n(.*?)```", page, re.S)
    assert "ExecStart=/srv/replay/.venv/bin/replay nightly\nSuccessExitStatus=1 3" in unit
