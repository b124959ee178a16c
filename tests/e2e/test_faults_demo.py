"""The demo on a bad day: weaknesses that only faults bring out, found, made small, reproduced."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fixtures.demo.planted import PLANTED_UNDER_FAULTS, PlantedUnderFaults
from tests.e2e.conftest import Demo, Ran, command
from tests.support import ROOT

SCENARIOS: dict[str, str] = json.loads((ROOT / "fixtures" / "planted.json").read_text())["v1"]
PLAN = ROOT / "fixtures" / "faults" / "demo.toml"


def trace_of(planted: PlantedUnderFaults) -> str:
    """The first recorded conversation of the kind in which the weakness shows."""
    return min(i for i, scenario in SCENARIOS.items() if scenario == planted.scenario)


@dataclass(frozen=True)
class BadDay:
    """Both versions under the demo's faults, on one trace for each weakness."""

    ran: Ran
    folder: Path

    def outcomes(self, side: str) -> dict[str, dict[str, Any]]:
        lines = (self.folder / "outcomes.jsonl").read_text().splitlines()
        rows = [json.loads(line) for line in lines]
        return {row["trace_id"]: row for row in rows if row["side"] == side}


@pytest.fixture(scope="module")
def bad_day(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> BadDay:
    folder = tmp_path_factory.mktemp("faults") / "bad-day"
    picked = [word for p in PLANTED_UNDER_FAULTS for word in ("--trace", trace_of(p))]
    ran = command(
        "replay", "run", "v2", "--traces", demo.store, "--baseline", "v1", "--against", "v1",
        "--faults", PLAN, "--out", folder, *picked,
    )  # fmt: skip
    return BadDay(ran, folder)


@pytest.fixture(scope="module")
def shrunk(bad_day: BadDay) -> Callable[[PlantedUnderFaults], Ran]:
    """``replay minimize`` for a weakness, run when it is first asked for."""

    @cache
    def minimized(planted: PlantedUnderFaults) -> Ran:
        return command("replay", "minimize", bad_day.folder, trace_of(planted))

    return minimized


weaknesses = pytest.mark.parametrize("planted", PLANTED_UNDER_FAULTS, ids=lambda p: p.name)


@weaknesses
def test_version_2_shows_its_weakness_and_version_1_survives(
    bad_day: BadDay, planted: PlantedUnderFaults
) -> None:
    assert bad_day.ran.code == 1, bad_day.ran.all
    ours = bad_day.outcomes("candidate")[trace_of(planted)]
    assert ours["kind"] == planted.kind
    assert planted.fault in {landed["rule"].partition(":")[0] for landed in ours["landed"]}
    theirs = bad_day.outcomes("baseline")[trace_of(planted)]
    assert theirs["kind"] in ("recovered", "degraded"), theirs
    # Nobody survives what never came.
    assert theirs["landed"]


def test_without_faults_nothing_of_it_shows(demo: Demo) -> None:
    verdicts = {t["trace_id"]: t["verdict"] for t in demo.report("v2")["traces"]}
    assert {verdicts[trace_of(p)] for p in PLANTED_UNDER_FAULTS} == {"same"}


@weaknesses
def test_each_weakness_is_shrunk_to_a_file_that_tells_the_versions_apart(
    bad_day: BadDay, shrunk: Callable[[PlantedUnderFaults], Ran], planted: PlantedUnderFaults
) -> None:
    trace_id = trace_of(planted)
    ran = shrunk(planted)
    assert ran.code == 0, ran.all
    assert "nothing more can be left out" in ran.out
    path = bad_day.folder / "reproducers" / f"{trace_id}.json"
    document = json.loads(path.read_text())
    assert document["failure"]["kind"] == planted.kind
    (rule,) = document["plan"]["rules"]
    assert (rule["fault"], rule["tool"]) == (planted.fault, planted.tool)
    assert document["minimal"] is True
    assert document["after"]["steps"] < document["before"]["steps"]
    again = command("replay", "reproduce", path)
    assert again.code == 1, again.all
    assert again.out.startswith("REPRODUCED: ")
    other = command("replay", "reproduce", path, "--agent", "v1")
    assert other.code == 0, other.all
    assert other.out.startswith("NOT REPRODUCED: ")
    lines = (ran.all + again.all + other.all).splitlines()
    assert max(len(line) for line in lines if str(bad_day.folder) not in line) <= 80


def test_a_reproducer_that_was_changed_is_invalid(
    bad_day: BadDay, shrunk: Callable[[PlantedUnderFaults], Ran], tmp_path: Path
) -> None:
    planted = PLANTED_UNDER_FAULTS[0]
    assert shrunk(planted).code == 0
    text = (bad_day.folder / "reproducers" / f"{trace_of(planted)}.json").read_text()
    changed = text.replace('"amount":', '"amount ":', 1)
    assert changed != text
    made = tmp_path / "made.json"
    made.write_text(changed)
    ran = command("replay", "reproduce", made)
    assert ran.code == 2, ran.all
    assert ran.out.startswith("INVALID: ")


def test_make_takes_the_faults_by_name() -> None:
    def said(*words: str) -> str:
        done = subprocess.run(
            ["make", "-n", "replay", *words], cwd=ROOT, capture_output=True, text=True, check=True
        )
        return done.stdout

    assert "--faults fixtures/faults/demo.toml --against v1" in said("AGENT=v2", "FAULTS=demo")
    assert "--faults slow_world" in said("AGENT=v2", "FAULTS=slow_world")
    assert "--against" not in said("AGENT=v1", "FAULTS=demo")
    assert "--faults" not in said("AGENT=v2")
