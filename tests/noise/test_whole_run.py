"""``replay run`` with worker processes: further replays, what is kept of them, what is reused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anonymize.errors import UsageError
from tests.engine.store_support import KEY
from tests.noise.builders import recordings, run


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", KEY)


def test_one_regression_of_an_agent_without_chance_fails_and_is_replayed_again(
    tmp_path: Path,
) -> None:
    outcome = run(tmp_path, "steady_broken", recordings(10), folder=tmp_path / "out")
    assert outcome.exit_code == 1
    noise = outcome.document["noise"]
    assert noise["replayed_again"] == 1
    (found,) = (b for b in noise["behaviours"] if b["gates"])
    assert (found["decision"], found["back"]) == ("real", 1)
    assert (tmp_path / "out" / "again" / "traces").exists()
    assert (tmp_path / "out" / "again-aa" / "traces").exists()  # v1 made the recordings


def test_code_that_changed_under_the_name_of_the_recordings_is_no_measure_of_its_noise(
    tmp_path: Path,
) -> None:
    outcome = run(tmp_path, "steady_broken", recordings(10, version="steady_broken"))
    assert outcome.exit_code == 1
    (found,) = (b for b in outcome.document["noise"]["behaviours"] if b["gates"])
    assert found["decision"] == "real"


def test_noise_that_a_run_learnt_is_reused_until_the_agent_changes(tmp_path: Path) -> None:
    env = {"DICE_LOST": "0.4"}
    first = run(tmp_path, "v1", recordings(20, lost=0.4), env=env, aa=1.0)
    assert first.exit_code != 1, first.document["verdict"]
    told = first.document["noise"]
    assert (told["agent"], told["pairs"], told["known_pairs"]) == ("v1", 20, 0)
    assert {"add_note"} == {r["tools"] for r in told["rates"] if r["code"].startswith("EFFECT")}
    assert json.loads((first.folder / "noise.json").read_text())["runs"][0]["pairs"] == 20

    again = run(tmp_path, "v1", env=env, replay={"confirm": 0})
    assert again.document["noise"]["known_pairs"] == 20
    assert again.exit_code != 1, again.document["verdict"]
    off = run(tmp_path, "v1", env=env, replay={"confirm": 0}, compare={"noise": "off"})
    assert off.document["noise"]["known_pairs"] == 0
    assert off.exit_code == 1
    changed = run(tmp_path, "v1", env={"DICE_LOST": "0.39"}, replay={"confirm": 0})
    assert changed.document["noise"]["known_pairs"] == 0


def test_repeats_are_stores_of_their_own_and_an_early_stop_says_so(tmp_path: Path) -> None:
    outcome = run(tmp_path, "steady_broken", recordings(6), repeat=2, folder=tmp_path / "out")
    assert outcome.document["noise"]["repeats"] == 2
    assert (tmp_path / "out" / "repeat" / "2" / "traces").exists()
    assert outcome.exit_code == 0  # six orders, and the bug is in the eighth


def test_a_run_that_may_stop_early_stops_once_the_candidate_is_surely_worse(
    tmp_path: Path,
) -> None:
    outcome = run(
        tmp_path,
        "never_refunds",
        recordings(70),
        agents=("v1", "never_refunds"),
        stop_early=True,
        replay={"confirm": 0},
    )
    assert (outcome.exit_code, outcome.document["counts"]["compared"]) == (1, 50)
    assert outcome.document["noise"]["stopped"] == "worse"


def test_an_unknown_agent_for_the_noise_is_refused_before_anything_is_decided(
    tmp_path: Path,
) -> None:
    with pytest.raises(UsageError, match="there is no agent 'v9'"):
        run(tmp_path, "v1", recordings(2), aa_agent="v9")
