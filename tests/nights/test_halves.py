"""What a run's folder looks like in the middle of a step, and that the next run copes with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from anonymize.errors import StoreError
from anonymize.store import Store
from replay import folder as folders
from replay.faults import FaultPlan
from replay.keeper import held
from replay.nights.drift import drift_of
from replay.nights.quiet import held_of
from replay.run_request import RunRequest
from replay.selection import select
from tests.engine.store_support import DAY as STORED
from tests.engine.store_support import store_of
from tests.engine.support import make_trace


def test_a_folder_of_which_only_a_part_was_cleared_is_cleared_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "2026-03-02"
    (run / "traces" / "_manifests").mkdir(parents=True)
    header = {"schema": 1, "state": "running", "fingerprint": "print", "traces": "t"}
    folders.write_header(run / "run.json", header)
    request = RunRequest(
        agent="v2", traces=Path("t"), runs=tmp_path, folder=run, reuse=True, plan=FaultPlan()
    )
    assert folders.choose(request, "print", "s") == (run, False)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            folders.clear(run)
    # The same run, asked for again, must not go on with what is left.
    assert folders.choose(request, "print", "s") == (run, True)
    folders.clear(run)
    assert folders.choose(request, "print", "s") == (run, False)
    assert not (run / "traces").exists()


def test_a_folder_without_anything_committed_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "traces" / "_staging" / "x").mkdir(parents=True)
    assert held(tmp_path / "traces") == {}
    assert held(tmp_path / "nothing") == {}


def _selected(store: Path, day: date) -> object:
    request = RunRequest(agent="v2", traces=store, runs=store, plan=FaultPlan(), day=day)
    return select(Store(store), request)


@pytest.mark.parametrize("look", [held_of, drift_of, _selected], ids=["held", "drift", "select"])
def test_a_file_of_the_store_that_is_no_longer_one_is_told_and_no_crash(
    look: Callable[[Path, date], object], tmp_path: Path
) -> None:
    store = store_of(tmp_path / "s", [make_trace(trace_id="x", started_at=STORED)])
    for file in store.rglob("*.parquet"):  # as long as ever
        file.write_bytes(b"\0" * file.stat().st_size)
    with pytest.raises(StoreError, match="damaged"):
        look(store, STORED.date())
