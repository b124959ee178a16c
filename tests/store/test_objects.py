"""A store in an object store: the same store, on a real S3 server (moto's), against its races."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from anonymize.cli import cli
from anonymize.errors import StoreError
from anonymize.store import Store, StoreWriter, Tombstone, bucket, open_place, read_tombstones
from anonymize.store.place import beside, change_beside, url_of
from anonymize.trace import QuarantinedTrace, SkippedTrace, Trace
from tests.buckets import serving
from tests.store.builders import DAY, contents, exact, make_trace, seal, write
from tests.support import ROOT

pytest.importorskip("obstore", reason="a store in an object store needs the extra `objects`")

BUCKET = "traces-of-tests"


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with serving(BUCKET, "eu-west-1") as (client, where), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_REGION", "eu-west-1")
        patch.setenv("AWS_ENDPOINT_URL", f"http://{where}")
        yield client


@pytest.fixture
def root(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPLAY_CACHE", str(tmp_path / "here"))
    return Path(f"s3://{BUCKET}/{tmp_path.name}/store")


def keys(s3: Any, root: Path) -> set[str]:
    prefix = f"{root.parts[-2]}/store/"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return {item["Key"].removeprefix(prefix) for page in pages for item in page.get("Contents", ())}


def parts(s3: Any, root: Path) -> set[str]:
    return {key for key in keys(s3, root) if key.endswith(".parquet")}


def named(root: Path) -> set[str]:
    snapshot = open_place(root).load()
    return {f.path for m in snapshot.values() for p in m.parts for f in p.files.values()}


def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str = "there") -> None:
    """From here on this process is another machine: it has another folder."""
    monkeypatch.setenv("REPLAY_CACHE", str(tmp_path / name))


def test_a_url_survives_being_a_path() -> None:
    assert url_of(Path("s3://bucket/a/b")) == "s3://bucket/a/b"
    assert url_of(Path("/home/me/project") / Path("gs://bucket/a")) == "gs://bucket/a"
    assert url_of(Path("S3://bucket")) == "s3://bucket"
    for folder in ("traces", "/data/s3/traces", "s3:", "runs/2026-03-01"):
        assert url_of(Path(folder)) is None


def test_what_is_written_on_one_machine_is_read_on_another(
    s3: Any, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoreError, match="there is no store"):
        Store(root)
    traces = [make_trace(f"t{n}", started_at=DAY + timedelta(days=n % 3)) for n in range(6)]
    skip = SkippedTrace(reason="not JSON", where="line 3")
    bad = QuarantinedTrace(reason="not certain", trace_ref="ab12", size=3)
    done = StoreWriter(root).write([*map(seal, traces), skip, bad], source="x")
    assert (done.added, done.skipped, done.quarantined) == (6, 1, 1)
    assert parts(s3, root) == named(root)

    elsewhere(monkeypatch, tmp_path)
    assert contents(root) == exact(traces)
    store = Store(root)
    assert repr(store.trace("t4")) == repr(traces[4])
    assert store.scan("steps").collect().height == 24
    assert (store.skipped(), store.quarantined()) == ([skip], [bad])
    assert write(root, traces).unchanged == 6
    changed = [make_trace("t1", output="other", started_at=DAY), make_trace("new")]
    done = write(root, changed)
    assert (done.added, done.replaced) == (1, 1)
    assert contents(root) == exact([*(t for t in traces if t.trace_id != "t1"), *changed])
    assert parts(s3, root) == named(root), "what was replaced is not in the bucket any more"


def test_days_go_and_parts_merge_there_too(
    s3: Any, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anonymize.store import objects

    traces = [make_trace(f"t{n}", started_at=DAY + timedelta(days=n % 2)) for n in range(8)]
    for start in range(0, 8, 2):
        write(root, traces[start : start + 2])
    reader = Store(root)
    merged = StoreWriter(root).compact()
    assert merged.parts == (8, 2)
    assert merged.waiting, "somebody may be reading"
    assert {t.trace_id for t in reader.traces()} == {t.trace_id for t in traces}
    assert named(root) < parts(s3, root)
    gone = StoreWriter(root).prune((DAY + timedelta(days=1)).date())
    assert (gone.traces, gone.days) == (4, 1)
    assert contents(root) == exact(traces[1::2])
    monkeypatch.setattr(objects, "GRACE", timedelta(0))
    StoreWriter(root).compact()
    assert parts(s3, root) == named(root), "the hour is over"


def test_who_is_forgotten_leaves_no_byte_and_does_not_come_back(
    s3: Any, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        write(root, [make_trace(f"t{n}")])
    StoreWriter(root).compact()
    assert named(root) < parts(s3, root), "the merged parts wait, and hold the person too"
    elsewhere(monkeypatch, tmp_path)
    stone = Tombstone(kind="trace", digest="ab", date="2026-03-01", traces=1)
    assert StoreWriter(root).remove(["t1"], tombstones=[stone]).traces == 1
    assert parts(s3, root) == named(root)
    for key in parts(s3, root):
        body = s3.get_object(Bucket=BUCKET, Key=f"{root.parts[-2]}/store/{key}")["Body"].read()
        assert b"t1" not in body
    elsewhere(monkeypatch, tmp_path, "here")
    assert read_tombstones(root) == [stone]
    assert set(contents(root)) == {"t0", "t2"}
    kept = {p.relative_to(open_place(root).folder) for p in tmp_path.rglob("here/**/*.parquet")}
    assert {p.as_posix() for p in kept} <= named(root), "nor in the first machine's folder"


def test_who_is_forgotten_during_a_long_write_does_not_come_back_with_it(
    s3: Any, root: Path, tmp_path: Path
) -> None:
    """What scrubs knows whom to refuse from the tombstones that it read when it began."""
    write(root, [make_trace("t1")])

    def items() -> Iterator[Any]:
        yield seal(make_trace("t2"))
        with pytest.MonkeyPatch.context() as other:
            elsewhere(other, tmp_path)
            StoreWriter(root).remove(["t1"])
        yield seal(make_trace("t1", output="from an old export"))

    with pytest.raises(StoreError, match="forgotten on another machine"):
        StoreWriter(root).write(items(), source="x")
    assert contents(root) == {}
    assert write(root, [make_trace("t2")]).added == 1


WRITER = """
import sys
from pathlib import Path
from anonymize.store import StoreWriter
from anonymize.trace import SkippedTrace
from tests.store.builders import make_trace, seal

root, name = Path(sys.argv[1]), sys.argv[2]
for n in range(3):
    items = [seal(make_trace(f"{name}{n}")), seal(make_trace("shared", output=f"{name}{n}"))]
    skip = SkippedTrace(reason=f"{name}{n}", where="x")
    StoreWriter(root).write([*items, skip], source="one", complete=False)
    if n == 1:
        StoreWriter(root).compact()
"""


def test_writers_on_three_machines_lose_nothing_to_each_other(
    s3: Any, root: Path, tmp_path: Path
) -> None:
    import os

    running = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(root), name],
            cwd=ROOT,
            env={**os.environ, "REPLAY_CACHE": str(tmp_path / name)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in "abc"
    ]
    for process in running:
        _, told = process.communicate(timeout=120)
        assert process.returncode == 0, told
    found = contents(root)
    assert set(found) == {"shared", *(f"{name}{n}" for name in "abc" for n in range(3))}
    reasons = [s.reason for s in Store(root).skipped()]
    assert sorted(reasons) == sorted(f"{name}{n}" for name in "abc" for n in range(3))


def test_the_loser_of_a_race_works_out_its_commit_again(
    s3: Any, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anonymize.store.bucket import Bucket

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
    assert parts(s3, root) == named(root), "the loser's first try is not left behind"


def test_an_answer_that_is_lost_after_the_commit_is_no_lost_race(
    s3: Any, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anonymize.store.bucket import Bucket, Lost

    write(root, [make_trace("first")])
    real = Bucket.put

    def put(self: Bucket, path: str, data: bytes, **how: Any) -> Any:
        done = real(self, path, data, **how)
        if how.get("instead_of") and path.endswith("head.json.gz"):
            raise Lost  # the client's own retry met what it had written
        return done

    monkeypatch.setattr(Bucket, "put", put)
    assert write(root, [make_trace("second")]).added == 1
    assert set(contents(root)) == {"first", "second"}
    assert parts(s3, root) == named(root)


KILLED = """
import os, signal, sys
from pathlib import Path
from anonymize.store.bucket import Bucket
from tests.store.test_objects import AFTER, write

calls = 0
def dies(name, point):
    real = getattr(Bucket, name)
    def call(self, *args, **kwargs):
        global calls
        calls += 1
        if calls == point:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, *args, **kwargs)
    setattr(Bucket, name, call)

for root in map(Path, sys.argv[1:]):
    child = os.fork()
    if child == 0:
        for name in ("put", "delete"):
            dies(name, int(root.name))
        write(root, AFTER)
        os._exit(0)
    print(os.waitpid(child, 0)[1])
"""
BEFORE = [make_trace("stays"), make_trace("changes")]
AFTER = [make_trace("stays"), make_trace("changes", output="other"), make_trace("new")]


def test_killed_before_any_request_a_writer_leaves_the_old_or_the_new(
    s3: Any, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anonymize.store import objects

    outcomes = []
    roots = [root / str(point) for point in (1, 6, 9, 99)]
    for one in roots:
        write(one, BEFORE)
    command = [sys.executable, "-c", KILLED, *map(str, roots)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["9", "9", "9", "0"], done.stderr
    for one in roots:
        found = contents(one)
        assert found in (exact(BEFORE), exact(AFTER))
        outcomes.append(found == exact(AFTER))
        write(one, AFTER)
        assert contents(one) == exact(AFTER)
    assert outcomes[0] is False
    assert outcomes[-1] is True
    monkeypatch.setattr(objects, "_STRAY", timedelta(0))
    monkeypatch.setattr(objects, "GRACE", timedelta(0))
    StoreWriter(root / "9").compact()
    prefix = f"{root.parts[-2]}/store/9/"
    left = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
    left = {o["Key"].removeprefix(prefix) for o in left if o["Key"].endswith(".parquet")}
    assert left == named(root / "9"), "strays go with the next compaction, when they are old"


def test_small_files_changed_on_two_machines_at_once_keep_both_changes(
    s3: Any, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    assert (beside(root) / "_sources" / "x.json").read_text() == "ba"


def test_two_threads_read_while_one_writes(s3: Any, root: Path) -> None:
    first = [make_trace(f"t{n}") for n in range(4)]
    write(root, first)
    seen: list[set[str]] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.append(set(contents(root)))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for n in range(4):
        write(root, [make_trace(f"t{n}", output="again"), make_trace(f"n{n}")])
    stop.set()
    for reader in readers:
        reader.join(30)
    assert seen
    assert all({t.trace_id for t in first} <= found for found in seen)


def test_what_is_damaged_or_out_of_reach_is_told_without_a_traceback(
    s3: Any, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root, [make_trace("t")])
    (path,) = [key for key in parts(s3, root) if key.startswith("traces/")]
    key = f"{root.parts[-2]}/store/{path}"
    whole = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    s3.put_object(Bucket=BUCKET, Key=key, Body=whole[:-9] + b"x" * 9)
    elsewhere(monkeypatch, tmp_path)
    with pytest.raises(StoreError, match="damaged"):
        list(Store(root).traces())
    s3.put_object(Bucket=BUCKET, Key=f"{root.parts[-2]}/store/_manifests/head.json.gz", Body=b"{}")
    told = CliRunner().invoke(cli, ["stats", str(root)])
    assert told.exit_code != 0
    with pytest.raises(StoreError, match="a manifest is damaged"):
        Store(root)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setitem(bucket._RETRIES, "max_retries", 0)
    with pytest.raises(StoreError, match="can't read the store"):
        Store(root)


def test_the_commands_take_a_url(s3: Any, root: Path) -> None:
    today = datetime.now(UTC)
    traces: list[Trace] = [
        make_trace(f"t{n}", started_at=today - timedelta(days=n)) for n in range(3)
    ]
    for trace in traces:
        write(root, [trace])
    run = CliRunner()
    url = f"s3://{BUCKET}/{root.parts[-2]}/store"
    shown = run.invoke(cli, ["show", url], catch_exceptions=False)
    assert "3 traces" in shown.output
    merged = run.invoke(cli, ["compact", "--store", url], catch_exceptions=False)
    assert "3 parts are now 3" in merged.output
    pruned = run.invoke(cli, ["prune", "--store", url, "--keep", "1"], catch_exceptions=False)
    assert "removed 2 traces of 2 days" in pruned.output
    assert contents(root) == exact(traces[:1])


def test_a_list_of_waiting_files_can_not_name_what_is_no_part(s3: Any, root: Path) -> None:
    import gzip
    import json

    write(root, [make_trace("t")])
    key = f"{root.parts[-2]}/store/_manifests/head.json.gz"
    head = json.loads(gzip.decompress(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()))
    part = "traces/date=2026-03-01/agent=a/part-00.parquet"
    head["retired"] = {"../../else": "2020-01-01", "_receipts/x.json": "2020-01-01", part: 7}
    body = gzip.compress(json.dumps(head).encode())
    s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    s3.put_object(Bucket=BUCKET, Key=f"{root.parts[-2]}/else", Body=b"mine")
    write(root, [make_trace("u")])
    assert set(contents(root)) == {"t", "u"}
    assert s3.get_object(Bucket=BUCKET, Key=f"{root.parts[-2]}/else")["Body"].read() == b"mine"
