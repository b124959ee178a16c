"""The same store in Azure's (Azurite) and Google's (a stand-in) object stores: what differs from S3
is how a condition is said and what tags look like."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from anonymize.errors import StoreError
from anonymize.store import Store, StoreWriter, Tombstone, open_place, read_tombstones
from anonymize.store.place import beside, change_beside
from anonymize.trace import QuarantinedTrace, SkippedTrace
from tests.clouds import azure, google
from tests.store.builders import DAY, contents, exact, make_trace, seal, write

pytest.importorskip("obstore", reason="a store in an object store needs the extra `objects`")

from anonymize.store.bucket import Bucket, Lost


@pytest.fixture(scope="module", params=["az", "gs"])
def cloud(request: pytest.FixtureRequest) -> Iterator[str]:
    serving = azure("traces-of-tests") if request.param == "az" else google()
    with serving:
        yield f"{request.param}://traces-of-tests"


@pytest.fixture
def root(cloud: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPLAY_CACHE", str(tmp_path / "here"))
    return Path(f"{cloud}/{tmp_path.name}/store")


def parts(root: Path) -> set[str]:
    found = Bucket(open_place(root).name).list("")
    return {key for key in found if key.endswith(".parquet")}


def named(root: Path) -> set[str]:
    snapshot = open_place(root).load()
    return {f.path for m in snapshot.values() for p in m.parts for f in p.files.values()}


def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str = "there") -> None:
    """From here on this process is another machine: it has another folder."""
    monkeypatch.setenv("REPLAY_CACHE", str(tmp_path / name))


def test_an_object_is_written_only_instead_of_the_one_that_was_read(root: Path) -> None:
    bucket = Bucket(open_place(root).name)
    assert bucket.get("x") is None
    assert bucket.tag("x") is None
    first = bucket.put("x", b"1", create=True)
    with pytest.raises(Lost):
        bucket.put("x", b"2", create=True)
    second = bucket.put("x", b"2", instead_of=first)
    with pytest.raises(Lost):
        bucket.put("x", b"3", instead_of=first)
    assert bucket.get("x") == (b"2", second)
    bucket.delete(["never was", "x", "nor this"])
    with pytest.raises(Lost):
        bucket.put("x", b"3", instead_of=second)
    assert bucket.list("") == {}


def test_of_many_that_write_at_once_one_wins(root: Path) -> None:
    bucket = Bucket(open_place(root).name)
    tag = bucket.put("head", b"0")
    won: list[int] = []

    def race(number: int) -> None:
        try:
            bucket.put("head", str(number).encode(), instead_of=tag)
        except Lost:
            return
        won.append(number)

    threads = [threading.Thread(target=race, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    found = bucket.get("head")
    assert found is not None
    assert [str(n).encode() for n in won] == [found[0]]


def test_what_is_written_on_one_machine_is_read_and_changed_on_another(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoreError, match="there is no store"):
        Store(root)
    traces = [make_trace(f"t{n}", started_at=DAY + timedelta(days=n % 3)) for n in range(6)]
    skip = SkippedTrace(reason="not JSON", where="line 3")
    bad = QuarantinedTrace(reason="not certain", trace_ref="ab12", size=3)
    assert StoreWriter(root).write([*map(seal, traces), skip, bad], source="x").added == 6
    elsewhere(monkeypatch, tmp_path)
    store = Store(root)
    assert contents(root) == exact(traces)
    assert repr(store.trace("t4")) == repr(traces[4])
    assert (store.skipped(), store.quarantined()) == ([skip], [bad])
    changed = [make_trace("t1", output="other", started_at=DAY), make_trace("new")]
    done = StoreWriter(root).write([*map(seal, changed), skip], source="x")
    assert (done.added, done.replaced) == (1, 1)
    assert contents(root) == exact([*(t for t in traces if t.trace_id != "t1"), *changed])
    assert parts(root) == named(root)
    assert Store(root).quarantined() == [], "the list is the new one, on both machines"
    elsewhere(monkeypatch, tmp_path, "here")
    assert (Store(root).skipped(), Store(root).quarantined()) == ([skip], [])


def test_the_loser_of_a_race_works_out_its_commit_again(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root, [make_trace("first"), make_trace("shared")])
    real, raced = Bucket.put, []

    def put(self: Bucket, path: str, data: bytes, **how: Any) -> Any:
        if how.get("instead_of") and path.endswith("head.json.gz") and not raced:
            raced.append(path)
            with pytest.MonkeyPatch.context() as other:
                elsewhere(other, tmp_path)
                write(root, [make_trace("winner"), make_trace("shared", output="other")])
        return real(self, path, data, **how)

    monkeypatch.setattr(Bucket, "put", put)
    done = write(root, [make_trace("loser"), make_trace("shared", output="other")])
    assert raced
    assert (done.added, done.unchanged, done.replaced) == (1, 1, 0)
    assert set(contents(root)) == {"first", "shared", "winner", "loser"}
    assert parts(root) == named(root)


def test_days_go_parts_merge_and_readers_end_what_they_began(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anonymize.store import objects

    traces = [make_trace(f"t{n}", started_at=DAY + timedelta(days=n % 2)) for n in range(8)]
    for start in range(0, 8, 2):
        write(root, traces[start : start + 2])
    reader = Store(root)
    assert StoreWriter(root).compact().parts == (8, 2)
    assert {t.trace_id for t in reader.traces()} == {t.trace_id for t in traces}
    assert named(root) < parts(root), "the merged parts wait"
    assert StoreWriter(root).prune((DAY + timedelta(days=1)).date()).traces == 4
    assert contents(root) == exact(traces[1::2])
    monkeypatch.setattr(objects, "GRACE", timedelta(0))
    StoreWriter(root).compact()
    assert parts(root) == named(root)


def test_who_is_forgotten_leaves_no_byte_there(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        write(root, [make_trace(f"t{n}")])
    StoreWriter(root).compact()
    elsewhere(monkeypatch, tmp_path)
    stone = Tombstone(kind="trace", digest="ab", date="2026-03-01", traces=1)
    assert StoreWriter(root).remove(["t1"], tombstones=[stone]).traces == 1
    assert parts(root) == named(root)
    bucket = Bucket(open_place(root).name)
    assert all(b"t1" not in (bucket.get(key) or (b"",))[0] for key in parts(root))
    elsewhere(monkeypatch, tmp_path, "here")
    assert read_tombstones(root) == [stone]
    assert set(contents(root)) == {"t0", "t2"}


def test_small_files_changed_on_two_machines_at_once_keep_both_changes(
    root: Path, tmp_path: Path
) -> None:
    write(root, [])
    met = []

    def add(line: str) -> Any:
        def action(folder: Path) -> None:
            path = folder / "_sources" / "x.json"
            path.parent.mkdir(exist_ok=True)
            old = path.read_text() if path.exists() else ""
            if line == "a" and not met:
                met.append(line)
                with pytest.MonkeyPatch.context() as other:
                    elsewhere(other, tmp_path)
                    change_beside(root, add("b"))
            path.write_text(old + line)

        return action

    change_beside(root, add("a"))
    change_beside(root, add("c"))
    assert (beside(root) / "_sources" / "x.json").read_text() == "bac"
