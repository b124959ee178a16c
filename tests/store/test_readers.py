"""A reader in a process of its own ends what it began, whatever a writer does meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from anonymize.audit.receipt import is_state_of, state_of
from anonymize.errors import StoreError
from anonymize.store import Store, StoreWriter
from anonymize.store.leases import RETIRED, is_read_by_others, readers_of_own
from tests.store.builders import DAY, contents, exact, make_trace, write
from tests.support import ROOT

#: Opens the store, says so, waits to be told, and reads what it has not read yet.
READER = """
import json, sys
from pathlib import Path
from anonymize.store import Store

store = Store(Path(sys.argv[1]))
frame = store.scan("steps").select("trace_id")
some = store.traces()
first = next(some).trace_id
print("open", flush=True)
sys.stdin.readline()
found = [first, *(trace.trace_id for trace in some)]
print(json.dumps([found, sorted(set(frame.collect()["trace_id"]))]), flush=True)
sys.stdin.readline()
"""


class Reader:
    def __init__(self, root: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", READER, str(root)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "open\n"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def read(self) -> list[list[str]]:
        """By traces, and by a frame that was made before."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        found: list[list[str]] = json.loads(self._line())
        return found

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def reader() -> Iterator[Callable[[Path], Reader]]:
    made: list[Reader] = []

    def make(root: Path) -> Reader:
        made.append(Reader(root))
        return made[-1]

    yield make
    for one in made:
        one.end()


def parquet(root: Path) -> set[Path]:
    return set(root.rglob("*.parquet"))


def listed(root: Path) -> set[Path]:
    store = Store(root)
    return {p for t in ("traces", "steps", "messages", "blobs") for p in store.files(t)}  # type: ignore[arg-type]


def scattered(root: Path) -> list[str]:
    """Three days, in parts of one trace."""
    for n in range(9):
        write(root, [make_trace(f"t{n}", started_at=DAY + timedelta(days=n % 3))])
    return [t.trace_id for t in Store(root).traces()]


def test_merged_and_old_parts_stay_until_the_last_reader_ends(
    tmp_path: Path, reader: Callable[[Path], Reader]
) -> None:
    ids = scattered(tmp_path)
    one, two = reader(tmp_path), reader(tmp_path)
    assert StoreWriter(tmp_path).compact().waiting
    gone = StoreWriter(tmp_path).prune((DAY + timedelta(days=1)).date())
    assert (gone.traces, gone.days) == (3, 1)
    assert gone.waiting
    write(tmp_path, [make_trace("new", started_at=DAY + timedelta(days=2))])
    assert set(contents(tmp_path)) == {*ids[3:], "new"}, "who opens it now sees what is there now"

    assert one.read() == [ids, sorted(ids)]
    one.end()
    write(tmp_path, [])
    assert two.read() == [ids, sorted(ids)], "the other one still reads"
    two.process.kill()  # not even a goodbye
    two.process.wait()
    assert listed(tmp_path) < parquet(tmp_path)
    write(tmp_path, [])
    assert parquet(tmp_path) == listed(tmp_path)
    assert not (tmp_path / RETIRED).exists()


def test_who_is_forgotten_goes_at_once_whoever_reads(
    tmp_path: Path, reader: Callable[[Path], Reader]
) -> None:
    scattered(tmp_path)
    reader(tmp_path)
    StoreWriter(tmp_path).compact()
    StoreWriter(tmp_path).prune((DAY + timedelta(days=1)).date())
    assert listed(tmp_path) < parquet(tmp_path)
    assert StoreWriter(tmp_path).remove(["t4"]).traces == 1
    assert parquet(tmp_path) == listed(tmp_path), "the merged and the old copies too"


def test_what_was_scrubbed_again_goes_at_once_and_so_do_its_earlier_copies(
    tmp_path: Path, reader: Callable[[Path], Reader]
) -> None:
    scattered(tmp_path)
    reader(tmp_path)
    StoreWriter(tmp_path).compact()
    write(tmp_path, [make_trace("t0", output="scrubbed again", started_at=DAY)])
    day = DAY.date().isoformat()
    assert {p for p in parquet(tmp_path) if day in str(p)} == {
        p for p in listed(tmp_path) if day in str(p)
    }
    assert listed(tmp_path) < parquet(tmp_path), "other days' copies hold nothing of it"


def test_no_reader_keeps_a_file_for_longer_than_a_day(
    tmp_path: Path, reader: Callable[[Path], Reader]
) -> None:
    scattered(tmp_path)
    reader(tmp_path)
    StoreWriter(tmp_path).compact()
    path = tmp_path / RETIRED
    known = json.loads(path.read_text())
    yesterday = (datetime.now(UTC) - timedelta(hours=25)).isoformat()
    path.write_text(json.dumps({"files": dict.fromkeys(known["files"], yesterday)}))
    write(tmp_path, [])
    assert parquet(tmp_path) == listed(tmp_path)


@pytest.mark.parametrize("damage", ["", "[]", '{"files": {"traces/x": 3}}', '{"files": []}'])
def test_a_list_of_waiting_files_that_is_damaged_costs_nothing(tmp_path: Path, damage: str) -> None:
    scattered(tmp_path)
    before = contents(tmp_path)
    (tmp_path / RETIRED).write_text(damage)
    StoreWriter(tmp_path).compact()
    assert contents(tmp_path) == before
    assert parquet(tmp_path) == listed(tmp_path)


def test_a_list_that_names_files_in_use_or_elsewhere_deletes_neither(tmp_path: Path) -> None:
    """A writer that is killed between the list and the commit leaves such a list."""
    root = tmp_path / "store"
    scattered(root)
    before = contents(root)
    mine = tmp_path / "mine.parquet"
    mine.write_text("not yours")
    old = datetime(2020, 1, 1, tzinfo=UTC).isoformat()
    named = [*(p.relative_to(root).as_posix() for p in listed(root)), "../mine.parquet", str(mine)]
    (root / RETIRED).write_text(json.dumps({"files": dict.fromkeys(named, old)}))
    write(root, [])
    assert contents(root) == before
    assert mine.exists()


def test_readers_of_this_process_are_counted_and_let_go(tmp_path: Path) -> None:
    scattered(tmp_path)
    stores = [Store(tmp_path), Store(tmp_path)]
    assert readers_of_own(tmp_path) == 2
    assert not is_read_by_others(tmp_path), "a process knows what it does itself"
    stores.clear()
    assert readers_of_own(tmp_path) == 0
    handles = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0  # noqa: PTH208
    for _ in range(50):
        Store(tmp_path)
    if handles:
        assert len(os.listdir("/proc/self/fd")) == handles  # noqa: PTH208


def test_a_store_that_is_only_readable_is_read(tmp_path: Path) -> None:
    write(tmp_path, [make_trace("t")])
    (tmp_path / "_readers").unlink()  # as an older version wrote it
    assert contents(tmp_path) == exact([make_trace("t")])
    assert not (tmp_path / "_readers").exists(), "reading writes nothing"


def test_merging_changes_no_receipt(tmp_path: Path) -> None:
    scattered(tmp_path)
    digest, traces = state_of(tmp_path)
    StoreWriter(tmp_path).compact()
    assert state_of(tmp_path) == (digest, traces)
    assert is_state_of(tmp_path, {"store_digest": digest})
    write(tmp_path, [make_trace("t0", output="other", started_at=DAY)])
    assert not is_state_of(tmp_path, {"store_digest": digest})


def test_a_store_of_an_older_version_has_the_same_state_once_it_is_merged(tmp_path: Path) -> None:
    scattered(tmp_path)
    before = state_of(tmp_path)
    for path in (tmp_path / "_manifests").rglob("*.json"):
        told = json.loads(path.read_text())
        for manifest in told["manifests"]:
            for part in manifest["parts"]:
                del part["content"]
        path.write_text(json.dumps(told))
    assert state_of(tmp_path) == before
    StoreWriter(tmp_path).compact()
    assert state_of(tmp_path) == before


@pytest.mark.parametrize("url", ["s3://key:SECRET@bucket/x", "abfss://c:SECRET@a.example/x"])
def test_a_password_in_the_url_of_a_store_is_refused_without_it(url: str) -> None:
    with pytest.raises(StoreError, match="a user or a password") as told:
        StoreWriter(Path(url))
    assert "SECRET" not in str(told.value)


def test_a_url_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(StoreError, match="needs obstore") as told:
        Store(Path("s3://bucket/traces"))
    assert "replay-harness[objects]" in told.value.fix
