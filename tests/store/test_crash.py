"""A writer that is killed, or meets a full disk, leaves the last good state.

The writer is killed for real (SIGKILL in a process of its own) before each rename and each
flush that it makes, one after the other, until it gets through.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from anonymize.errors import StoreError
from anonymize.store import Store, StoreWriter
from anonymize.store.schema import TABLES
from anonymize.trace import SkippedTrace, Trace, UserTurn
from tests.store.builders import DAY, contents, exact, make_trace, seal, write
from tests.support import ROOT


def small(trace_id: str, **fields: Any) -> Trace:
    """A trace without messages: fewer files, so fewer points to be killed at."""
    return make_trace(trace_id, steps=(UserTurn(step_id="u", content="hello"),), **fields)


NEXT = DAY + timedelta(days=1)
BEFORE = [small("stays"), small("changes"), small("moves"), small("next day", started_at=NEXT)]
AFTER = [
    small("stays"),
    small("changes", output="changed"),
    small("moves", started_at=NEXT),
    small("next day", started_at=NEXT),
    small("is new"),
]
SKIP = SkippedTrace(reason="not JSON", where="line 3")


def ingest(root: Path) -> None:
    StoreWriter(root).write([*map(seal, AFTER), SKIP], source="x")


# A fresh interpreter, which forks for each point: importing once keeps the test fast, and no
# thread of polars or pyarrow runs before the fork.
CHILD = """
import os, signal, shutil, sys
from pathlib import Path
from tests.store.test_crash import ingest

start, folder, step = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
calls = 0

def dies_at(name, point):
    real = getattr(os, name)
    def call(*args, **kwargs):
        global calls
        calls += 1
        if calls == point:
            os.kill(os.getpid(), signal.SIGKILL)
        # What was written outlives its process flushed or not, so flushing only takes time.
        return None if name == "fsync" else real(*args, **kwargs)
    setattr(os, name, call)

for point in range(1, 1000, step):
    root = folder / f"{point:03}"
    shutil.copytree(start, root)
    child = os.fork()
    if child == 0:
        for name in ("replace", "rename", "fsync", "unlink"):
            dies_at(name, point)
        ingest(root)
        os._exit(0)
    if os.waitpid(child, 0)[1] != signal.SIGKILL:
        break
"""


def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_killed_at_any_rename_or_flush_a_writer_leaves_the_last_good_state(tmp_path: Path) -> None:
    start, folder = tmp_path / "start", tmp_path / "killed"
    write(start, BEFORE, source="x")
    done = run(CHILD, start, folder, 1)
    assert done.returncode == 0, done.stderr
    roots = sorted(folder.iterdir())
    assert len(roots) > 20, "each point was tried"

    outcomes = []
    for number, root in enumerate(roots):
        found = contents(root)
        assert found in (exact(BEFORE), exact(AFTER)), f"neither old nor new: {root.name}"
        outcomes.append(found == exact(AFTER))
        plain = Store(root).scan("steps").group_by("trace_id").len().collect()
        assert set(plain["len"]) == {1}, "plain readers see nothing twice either"
        if number % 3 and number != len(roots) - 1:
            continue  # a retry after each would only take longer

        ingest(root)
        assert contents(root) == exact(AFTER), f"the retry is not complete: {root.name}"
        assert Store(root).skipped() == [SKIP]
        listed = {file for table in TABLES for file in Store(root).files(table)}
        assert set(root.rglob("*.parquet")) == listed, "leftovers are gone after the retry"
        assert not (root / "_staging").exists()
        assert not (root / "_manifests" / "commit.json").exists()
    assert outcomes[0] is False
    assert outcomes[-1] is True
    assert outcomes == sorted(outcomes), "one point in time separates old from new"


def test_a_first_write_that_is_killed_leaves_no_store_or_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "start").mkdir()
    done = run(CHILD, tmp_path / "start", tmp_path / "killed", 13)
    assert done.returncode == 0, done.stderr
    for root in sorted((tmp_path / "killed").iterdir()):
        if (root / "_manifests").exists():
            assert contents(root) in ({}, exact(AFTER))
        ingest(root)
        assert contents(root) == exact(AFTER)


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Flushing fails with 'no space left' from the n-th time on; set n in the list."""
    room = [10**9]
    real = os.fsync

    def fsync(handle: int) -> None:
        room[0] -= 1
        if room[0] < 0:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    yield room
    room[0] = 10**9


@pytest.mark.parametrize("flushes", range(0, 20, 3))
def test_a_full_disk_is_told_and_changes_nothing(
    tmp_path: Path, full_disk: list[int], flushes: int
) -> None:
    write(tmp_path, BEFORE, source="x")
    full_disk[0] = flushes
    with pytest.raises(StoreError) as caught:
        ingest(tmp_path)
    full_disk[0] = 10**9
    assert "no space left" in caught.value.what
    assert caught.value.where
    assert "free some space" in caught.value.fix
    assert not (tmp_path / "_staging").exists()
    assert contents(tmp_path) in (exact(BEFORE), exact(AFTER))
    ingest(tmp_path)
    assert contents(tmp_path) == exact(AFTER)


LIMITED = """
import resource, sys
from pathlib import Path
from anonymize.errors import StoreError
from tests.store.test_crash import ingest

resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    ingest(Path(sys.argv[1]))
except StoreError as error:
    print(error)
"""


def test_a_disk_that_refuses_to_write_more_is_told_and_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, BEFORE, source="x")
    files = sorted(p for p in tmp_path.rglob("*") if p.is_file())
    done = run(LIMITED, tmp_path)
    assert done.stderr == ""
    assert done.stdout.startswith("no space left to write the batch\n  where: ")
    assert sorted(p for p in tmp_path.rglob("*") if p.is_file()) == files
    assert contents(tmp_path) == exact(BEFORE)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="not allowed"):
            write(tmp_path / "store", BEFORE)
    finally:
        tmp_path.chmod(0o700)
