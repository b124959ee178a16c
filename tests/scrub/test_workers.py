"""Scrubbing in processes of its own: whatever happens there costs one trace, and says nothing."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from anonymize.errors import UsageError
from anonymize.keys import PseudonymKey
from anonymize.policy import ScrubPolicy
from anonymize.scrub import Scrubber
from anonymize.scrubbed import ScrubbedTrace
from anonymize.trace import QuarantinedTrace, ToolCall, Trace
from anonymize.workers import ScrubWorkers, open_scrubber

SECRET = b"an-open-secret-an-open-secret-12"
KEY = PseudonymKey(SECRET)
HERE = "tests.scrub.hostile_recognizers"
#: No models: what is tested here are processes.
BARE = {"model": "", "tagger": "", "audit": False}
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and prctl")


def hostile(*names: str, **settings: object) -> ScrubPolicy:
    return ScrubPolicy(
        **{**BARE, "recognizers": tuple(f"{HERE}:{n}Recognizer" for n in names), **settings}  # type: ignore[arg-type]
    )


def traces(count: int, **inputs: str) -> list[Trace]:
    """Ordinary traces; ``t3="..."`` gives the fourth another input."""
    return [
        Trace(
            trace_id=f"{i:032x}",
            input=inputs.get(f"t{i}", f"Ms Mei Kovacs wrote from mei.kovacs{i}@corp.example"),
            steps=(ToolCall(step_id="s", name="find", arguments={"email": f"a{i}@corp.example"}),),
        )
        for i in range(count)
    ]


@pytest.fixture(scope="module")
def pool() -> Iterator[ScrubWorkers]:
    policy = hostile(
        "Catastrophic", "Sleeping", "Hungry", "HungryInC", "Exiting", "Leaving", "Crashing",
        "Talking", "Forking", "Slow",
        trace_seconds=2.0, recognizer_seconds=30.0, worker_memory_mb=300,
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch, ScrubWorkers(policy, KEY, workers=2) as workers:
        patch.setenv(policy.key_env, SECRET.decode())  # where it comes from, as a rule
        workers.start()
        yield workers


@pytest.fixture(scope="module")
def alone() -> Scrubber:
    return Scrubber.create(hostile(), KEY)


def test_workers_give_what_a_scrubber_gives_in_the_same_order(
    pool: ScrubWorkers, alone: Scrubber
) -> None:
    given = traces(150)
    made = list(pool.scrub_all(given))
    assert [getattr(m, "trace", m) for m in made] == [
        getattr(m, "trace", m) for m in alone.scrub_all(given)
    ]
    assert all(isinstance(m, ScrubbedTrace) for m in made)
    assert pool.key_id == alone.key_id
    assert {m.policy for m in made if isinstance(m, ScrubbedTrace)} == {pool.policy_digest}


def test_trusted_values_reach_the_workers(pool: ScrubWorkers) -> None:
    (kept,) = pool.scrub_all(traces(1), trusted=["mei.kovacs0@corp.example", "a0@corp.example"])
    (made,) = pool.scrub_all(traces(1))
    assert isinstance(kept, ScrubbedTrace)
    assert isinstance(made, ScrubbedTrace)
    assert "mei.kovacs0@corp.example" in str(kept.trace.input)
    assert "mei.kovacs0@corp.example" not in str(made.trace.input)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("BACKTRACK " + "a" * 60 + "  b c", "longer than trace_seconds (2 s)"),
        ("SLEEP", "longer than trace_seconds (2 s)"),
        ("EAT", "more than worker_memory_mb"),
        ("GOBBLE", "died (SIG"),
        ("EXIT3", "died (exit 3)"),
        ("LEAVE", "scrubbing failed (SystemExit)"),
        ("CRASH", "died (SIGSEGV)"),
        ("TALK", "a recognizer failed (RuntimeError)"),
    ],
)
def test_the_guilty_trace_is_quarantined_and_the_rest_goes_on(
    pool: ScrubWorkers, capfd: pytest.CaptureFixture[str], text: str, reason: str
) -> None:
    secret = "secret-4711@corp.example"
    given = traces(5, t2=f"{text} {secret}")
    results = list(pool.scrub_all(given))
    assert [type(r) for r in results[:2] + results[3:]] == [ScrubbedTrace] * 4
    assert [r.trace.trace_id for r in results if isinstance(r, ScrubbedTrace)] == [
        t.trace_id for i, t in enumerate(given) if i != 2
    ]
    guilty = results[2]
    assert isinstance(guilty, QuarantinedTrace)
    assert any(part in guilty.reason for part in reason.split("|"))
    assert guilty.size > 0
    assert guilty.trace_ref
    captured = capfd.readouterr()
    assert secret not in captured.out + captured.err + repr(guilty)


def test_a_forked_child_of_a_recognizer_answers_nothing(pool: ScrubWorkers) -> None:
    results = list(pool.scrub_all(traces(3, t1="FORK here")))
    assert len(results) == 3
    assert isinstance(results[2], ScrubbedTrace)


def test_what_cannot_be_sent_is_quarantined(pool: ScrubWorkers) -> None:
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    odd = [
        Trace(trace_id="1", input=deep),  # type: ignore[arg-type]
        Trace(trace_id="2", input=lambda: None),  # type: ignore[arg-type]
        Trace(trace_id="3", input="x" * 40_000_000),
        *traces(1),
    ]
    made = list(pool.scrub_all(odd))
    assert [type(m) for m in made] == [QuarantinedTrace] * 3 + [ScrubbedTrace]
    assert "nested" in made[0].reason  # type: ignore[union-attr]
    assert "max_trace_chars" in made[2].reason  # type: ignore[union-attr]


def test_many_guilty_traces_end(pool: ScrubWorkers) -> None:
    results = list(pool.scrub_all(traces(12, t1="EXIT3", t4="CRASH", t5="LEAVE", t11="EXIT3")))
    assert [i for i, r in enumerate(results) if isinstance(r, QuarantinedTrace)] == [1, 4, 5, 11]


def test_a_caller_that_goes_away_leaves_nothing_behind(pool: ScrubWorkers) -> None:
    stream = pool.scrub_all(traces(300, t250="SLEEP"))
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert [type(r) for r in pool.scrub_all(traces(2))] == [ScrubbedTrace] * 2


def test_scrubbing_goes_on_inside_of_another_scrubbing(pool: ScrubWorkers) -> None:
    seen = 0
    for outer in pool.scrub_all(traces(130)):
        assert isinstance(outer, ScrubbedTrace)
        if seen % 50 == 0:
            (inner,) = pool.scrub_all([Trace(trace_id="inner", input="from ann@corp.example")])
            assert isinstance(inner, ScrubbedTrace)
            assert "ann@" not in str(inner.trace.input)
        seen += 1
    assert seen == 130


@linux
def test_a_worker_that_is_killed_costs_nothing(pool: ScrubWorkers) -> None:
    list(pool.scrub_all(traces(1)))
    (pid, *_) = [w.handle.pid for w in pool._pool.workers]
    timer = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
    timer.start()
    results = list(pool.scrub_all(traces(4, t1="SLOW")))
    timer.join()
    assert [type(r) for r in results] == [ScrubbedTrace] * 4


@linux
def test_the_process_that_forks_workers_may_be_killed(pool: ScrubWorkers) -> None:
    list(pool.scrub_all(traces(1)))
    before = {w.handle.pid for w in pool._pool.workers}
    assert pool._pool.nursery._main is not None
    nursery = pool._pool.nursery._main.pid
    timer = threading.Timer(0.3, os.kill, (nursery, signal.SIGKILL))
    timer.start()
    results = list(pool.scrub_all(traces(4, t1="SLOW")))
    timer.join()
    assert [type(r) for r in results] == [ScrubbedTrace] * 4
    assert gone(before)


def test_counts_come_back_once(pool: ScrubWorkers) -> None:
    pool.stats.clear()
    list(pool.scrub_all(traces(6, t1="EXIT3")))
    assert all(isinstance(n, int) for n in pool.stats.values())


@linux
def test_workers_hold_the_key_and_the_text_in_memory_alone(pool: ScrubWorkers) -> None:
    list(pool.scrub_all(traces(1)))
    assert pool._pool.nursery._main is not None
    for pid in [pool._pool.nursery._main.pid, *(w.handle.pid for w in pool._pool.workers)]:
        process = Path("/proc") / str(pid)
        assert SECRET not in (process / "cmdline").read_bytes()
        assert SECRET not in (process / "environ").read_bytes()
        limits = (process / "limits").read_text().splitlines()
        (core,) = [line for line in limits if line.startswith("Max core file size")]
        assert core.split()[4] == "0"
        files = [str(fd.readlink()) for fd in (process / "fd").iterdir()]
        assert not [file for file in files if file.startswith(("/tmp", "/dev/shm"))]


@linux
def test_the_process_that_reads_leaves_no_core_dump() -> None:
    open_scrubber(ScrubPolicy(), KEY)
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0
    assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0  # PR_GET_DUMPABLE


def test_no_workers_means_this_process() -> None:
    assert isinstance(open_scrubber(ScrubPolicy(workers=0), KEY), Scrubber)
    assert isinstance(open_scrubber(ScrubPolicy(), KEY), ScrubWorkers)


def test_how_it_is_done_is_not_part_of_the_policys_name() -> None:
    digests = {ScrubPolicy(workers=n, trace_seconds=n + 1.0).digest() for n in (0, 1, 2)}
    assert len(digests) == 1


def test_a_library_with_threads_gets_workers_that_are_not_forked() -> None:
    with ScrubWorkers(hostile("Threaded"), KEY, workers=1) as workers:
        results = list(workers.scrub_all(traces(3)))
        assert not workers._pool.nursery.shared
    assert [type(r) for r in results] == [ScrubbedTrace] * 3


def test_a_worker_that_dies_at_its_start_is_an_error_and_not_a_loop() -> None:
    with (
        ScrubWorkers(hostile("Stillborn"), KEY) as workers,
        pytest.raises(UsageError, match=r"can't start: it died \(exit 3\)"),
    ):
        list(workers.scrub_all(traces(2)))


# -- from outside -----------------------------------------------------------------------------


def gone(pids: set[int], seconds: float = 10.0) -> bool:
    """Whether these processes have ended (a zombie has)."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not {pid for pid in pids if _runs(pid)}:
            return True
        time.sleep(0.05)
    return False


def _runs(pid: int) -> bool:
    try:
        state = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def family(pid: int) -> set[int]:
    """The processes that ``pid`` started, and those that they started."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(folder.name)] = int(fields[1])
    found, todo = set(), [pid]
    while todo:
        top = todo.pop()
        children = {child for child, parent in parents.items() if parent == top}
        found |= children
        todo += children
    return found


def _ingest(folder: Path, word: str) -> subprocess.Popen[str]:
    """``anonymize ingest`` of transcripts of which the last one holds ``word``."""
    lines = [
        f'{{"id": "t{i}", "messages": [{{"role": "user", "content": "{said}"}},'
        '{"role": "assistant", "content": "from ann@corp.example"}]}\n'
        for i, said in enumerate([*["hi"] * 99, word])
    ]
    recognizer = "StillbornRecognizer" if word == "STILLBORN" else "SleepingRecognizer"
    (folder / "chats.jsonl").write_text("".join(lines))
    (folder / "replay.toml").write_text(
        '[anonymize]\nmodel = ""\ntagger = ""\naudit = false\n'
        f'recognizers = ["{HERE}:{recognizer}"]\n'
        '[sources.chats]\nkind = "transcripts"\npath = "chats.jsonl"\n'
    )
    env = {**os.environ, "PYTHONPATH": str(Path.cwd()), "XDG_CONFIG_HOME": str(folder / "home")}
    return subprocess.Popen(
        [sys.executable, "-c", "from anonymize.cli import main; main()", "ingest", "chats"],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _busy(process: subprocess.Popen[str]) -> set[int]:
    """Waits until a worker is at work (the nursery has a child); the whole family."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        found = family(process.pid)
        if len(found) >= 2:
            time.sleep(0.5)
            return found
        time.sleep(0.05)
    pytest.fail("no worker was started")


@linux
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_the_command(tmp_path: Path, end: signal.Signals) -> None:
    process = _ingest(tmp_path, "SLEEP")
    children = _busy(process)
    process.send_signal(end)
    out, err = process.communicate(timeout=120)
    assert gone(children)
    assert process.returncode == (130 if end == signal.SIGINT else -end)
    assert "Traceback" not in out + err
    assert not list(tmp_path.glob("traces/**/*.parquet"))  # nothing was committed yet


def test_a_worker_that_cannot_start_ends_the_command_with_2(tmp_path: Path) -> None:
    process = _ingest(tmp_path, "STILLBORN")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "the scrubbing process can't start" in err
    assert "Traceback" not in err
