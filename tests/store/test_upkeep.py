"""Old days go all at once and for good; small parts become one; the rest stays as it was."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.cli import cli
from anonymize.errors import StoreError
from anonymize.store import Store, StoreWriter, merging
from anonymize.trace import ToolCall, Trace
from tests.store.builders import DAY, contents, exact, make_trace, write
from tests.support import ROOT


def on(day: int, trace_id: str = "", **fields: object) -> Trace:
    return make_trace(
        trace_id or f"day {day}",
        started_at=DAY + timedelta(days=day),
        **fields,  # type: ignore[arg-type]
    )


def parquet(root: Path) -> set[Path]:
    return set(root.rglob("*.parquet"))


def listed(root: Path) -> set[Path]:
    store = Store(root)
    return {p for t in ("traces", "steps", "messages", "blobs") for p in store.files(t)}  # type: ignore[arg-type]


# --- prune


def test_days_before_go_and_the_others_stay(tmp_path: Path) -> None:
    traces = [on(n, agent=agent, trace_id=f"{agent} {n}") for n in range(5) for agent in ("a", "b")]
    write(tmp_path, traces)
    done = StoreWriter(tmp_path).prune((DAY + timedelta(days=3)).date())
    assert (done.traces, done.days) == (6, 3)
    assert done.bytes > 0
    assert contents(tmp_path) == exact(traces[6:])
    assert parquet(tmp_path) == listed(tmp_path)


def test_nothing_of_an_old_day_is_left_on_disk(tmp_path: Path) -> None:
    write(tmp_path, [on(0), on(9)])
    StoreWriter(tmp_path).prune((DAY + timedelta(days=1)).date())
    day = DAY.date().isoformat()
    assert not [p for p in tmp_path.rglob("*") if day in str(p)]


def test_traces_without_a_time_are_never_old(tmp_path: Path) -> None:
    undated = make_trace("no time", started_at=None)
    write(tmp_path, [undated, on(0)])
    assert StoreWriter(tmp_path).prune(date(2100, 1, 1)).traces == 1
    assert contents(tmp_path) == exact([undated])


def test_with_nothing_old_no_file_changes(tmp_path: Path) -> None:
    write(tmp_path, [on(0)])
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.*") if p.is_file()}
    assert StoreWriter(tmp_path).prune(DAY.date()).traces == 0
    assert {p: p.stat().st_mtime_ns for p in before} == before


def test_a_pruned_day_can_be_ingested_again(tmp_path: Path) -> None:
    write(tmp_path, [on(0), on(5)])
    StoreWriter(tmp_path).prune((DAY + timedelta(days=2)).date())
    assert write(tmp_path, [on(0)]).added == 1
    assert contents(tmp_path) == exact([on(0), on(5)])


def test_a_reader_that_was_open_says_so_and_does_not_crash(tmp_path: Path) -> None:
    write(tmp_path, [on(0), on(5)])
    reader = Store(tmp_path)
    StoreWriter(tmp_path).prune((DAY + timedelta(days=2)).date())
    assert [t.trace_id for t in reader.traces()] == ["day 5"]


def test_there_is_no_store_to_prune_or_compact(tmp_path: Path) -> None:
    for job in (lambda w: w.prune(DAY.date()), lambda w: w.compact()):
        with pytest.raises(StoreError, match="there is no store"):
            job(StoreWriter(tmp_path / "none"))
    assert not (tmp_path / "none").exists()


# --- compact


def scattered(root: Path, writes: int = 6) -> list[Trace]:
    traces = [on(n % 2, f"t{n}") for n in range(writes * 2)]
    for n in range(0, len(traces), 2):
        write(root, traces[n : n + 2])
    return traces


def test_small_parts_become_one_a_day_and_agent(tmp_path: Path) -> None:
    traces = scattered(tmp_path)
    done = StoreWriter(tmp_path).compact()
    assert done.parts == (12, 2)
    assert done.bytes[1] < done.bytes[0]
    assert contents(tmp_path) == exact(traces)
    assert parquet(tmp_path) == listed(tmp_path)
    assert StoreWriter(tmp_path).compact().parts == (2, 2)


def test_what_memory_can_not_hold_together_stays_in_several_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traces = scattered(tmp_path)
    monkeypatch.setattr(merging, "AT_ONCE", (40, *merging.AT_ONCE[1:]))
    done = StoreWriter(tmp_path).compact()
    assert 2 < done.parts[1] < 12
    assert contents(tmp_path) == exact(traces)


@pytest.mark.parametrize("older", [True, False], ids=["of an older version", "of today"])
def test_what_repeats_is_small_on_disk_and_not_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, older: bool
) -> None:
    log = "2026-03-01 12:00 INFO the service is ready\n" * 1_000
    traces = [
        make_trace(f"t{n}", steps=(ToolCall(step_id="1", name="logs", result=f"{n} {log}"),))
        for n in range(10)
    ]

    def limit(texts: int) -> None:
        monkeypatch.setattr(merging, "AT_ONCE", (*merging.AT_ONCE[:2], texts * len(log)))

    limit(7)  # of which an eighth is small
    for trace in traces:
        write(tmp_path, [trace])
        for path in tmp_path.rglob("agent=*.json") if older else ():
            path.write_text(re.sub(r'"text": \d+', '"text": 0', path.read_text()))
    assert len(Store(tmp_path).files("steps")) == 10
    limit(5)
    assert StoreWriter(tmp_path).compact().parts == (10, 3)
    assert contents(tmp_path) == exact(traces)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.integers(0, 8), max_size=4), max_size=6), st.integers(0, 9))
def test_pruning_and_compacting_keep_exactly_the_traces_that_are_not_old(
    tmp_path_factory: pytest.TempPathFactory, writes: list[list[int]], day: int
) -> None:
    root = tmp_path_factory.mktemp("store")
    write(root, [])
    for number, days in enumerate(writes):
        write(root, [on(d, f"{number}.{i}") for i, d in enumerate(days)])
    expected = {
        t: text
        for t, text in contents(root).items()
        if DAY + timedelta(days=day) <= (Store(root).trace(t) or on(0)).started_at  # type: ignore[operator]
    }
    StoreWriter(root).compact()
    StoreWriter(root).prune((DAY + timedelta(days=day)).date())
    StoreWriter(root).compact()
    assert contents(root) == expected


# One interpreter that forks for each point: importing once keeps the test fast.
KILLED = """
import os, shutil, signal, sys
from datetime import date
from pathlib import Path
from anonymize.store import StoreWriter

job, start, folder, day = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
calls = 0

def dies(name, point):
    real = getattr(os, name)
    def call(*args, **kwargs):
        global calls
        calls += 1
        if calls == point:
            os.kill(os.getpid(), signal.SIGKILL)
        return None if name == "fsync" else real(*args, **kwargs)
    setattr(os, name, call)

killed = 0
for point in (1, 2, 3, 5, 7, 9, 12, 15, 18, 22, 27, 33, 40, 48, 200):
    root = folder / f"{point:03}"
    shutil.copytree(start, root)
    child = os.fork()
    if child == 0:
        for name in ("replace", "rename", "fsync", "unlink", "rmdir"):
            dies(name, point)
        writer = StoreWriter(root)
        writer.compact() if job == "compact" else writer.prune(date.fromisoformat(day))
        os._exit(0)
    killed += os.waitpid(child, 0)[1] == signal.SIGKILL
print(killed)
"""


@pytest.mark.parametrize("job", ["prune", "compact"])
def test_killed_at_any_point_all_or_nothing_is_gone_and_a_second_try_ends_it(
    tmp_path: Path, job: str
) -> None:
    day = (DAY + timedelta(days=1)).date()
    old = [on(0, f"a{n}") for n in range(3)]
    new = [on(1, f"b{n}") for n in range(3)]
    start, folder = tmp_path / "start", tmp_path / "killed"
    for pair in zip(old, new, strict=True):
        write(start, pair)
    command = [sys.executable, "-c", KILLED, job, str(start), str(folder), day.isoformat()]
    done = subprocess.run(
        command, cwd=ROOT, check=False, timeout=120, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5
    for root in sorted(folder.iterdir()):
        found = contents(root)
        allowed = [exact([*old, *new])]
        if job == "prune":
            allowed.append(exact(new))
        assert found in allowed, root.name
        if job == "prune":
            StoreWriter(root).prune(day)
            assert contents(root) == exact(new)
        else:
            StoreWriter(root).compact()
            assert contents(root) == exact([*old, *new])
        assert parquet(root) == listed(root)


# --- as a person uses them


def test_the_command_keeps_the_last_days(tmp_path: Path) -> None:
    today = datetime.now(UTC)
    traces = [make_trace(f"t{n}", started_at=today - timedelta(days=n)) for n in range(5)]
    write(tmp_path, traces)
    run = CliRunner()
    arguments = ["prune", "--store", str(tmp_path), "--keep", "2"]
    assert "would remove 3 traces of 3 days" in run.invoke(cli, [*arguments, "--dry-run"]).output
    assert len(contents(tmp_path)) == 5
    assert "removed 3 traces of 3 days" in run.invoke(cli, arguments).output
    assert contents(tmp_path) == exact(traces[:2])


def test_the_command_says_how_many_parts_are_left(tmp_path: Path) -> None:
    scattered(tmp_path)
    result = CliRunner().invoke(cli, ["compact", "--store", str(tmp_path)])
    assert "12 parts are now 2" in result.output


def test_more_days_than_there_ever_were_can_be_kept(tmp_path: Path) -> None:
    write(tmp_path, [on(0)])
    result = CliRunner().invoke(cli, ["prune", "--store", str(tmp_path), "--keep", "1000000"])
    assert "removed 0 traces" in result.output


def test_keeping_no_day_at_all_is_a_usage_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["prune", "--store", str(tmp_path), "--keep", "0"])
    assert result.exit_code == 2
