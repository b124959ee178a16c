"""Whatever a user gets wrong or an attacker sends: a clear error, exit 2, nothing half-done."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e.conftest import KEY, Ran, command
from tests.sources.builders import T0, request, span
from tests.support import ROOT

AGENTS = """
[agents.{name}]
target = "agents_here:{name}"
"""


def trace(number: int, text: str = "where is A-17?") -> list[dict[str, object]]:
    """One run of an agent: it asks the model, calls a tool, answers."""
    root = number * 10
    ask = json.dumps([{"role": "user", "parts": [{"type": "text", "content": text}]}])
    answer = json.dumps(
        [{"role": "assistant", "parts": [{"type": "text", "content": "Your order is shipped."}]}]
    )
    tid = f"{number:032x}"
    return [
        span(root, "invoke_agent a", {"gen_ai.operation.name": "invoke_agent",
             "gen_ai.agent.name": "a", "gen_ai.input.messages": ask,
             "gen_ai.output.messages": answer}, trace=tid, end=root * 10 + 90),
        span(root + 1, "execute_tool get_order", {"gen_ai.operation.name": "execute_tool",
             "gen_ai.tool.name": "get_order", "gen_ai.tool.call.id": "c1",
             "gen_ai.tool.call.arguments": '{"order_id": "A-17"}',
             "gen_ai.tool.call.result": '{"status": "shipped"}'}, parent=root, trace=tid),
        span(root + 2, "chat m", {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m",
             "gen_ai.input.messages": ask, "gen_ai.output.messages": answer},
             parent=root, trace=tid),
    ]  # fmt: skip


def good(path: Path, count: int = 2) -> Path:
    lines = [json.dumps(request(trace(n + 1))) for n in range(count)]
    path.write_text("\n".join(lines) + "\n")
    return path


def clear(ran: Ran, *says: str) -> None:
    """The error a person can act on: exit code 2, no traceback, what and where and what to do."""
    assert ran.code == 2, ran.all
    assert "Traceback" not in ran.all
    assert ran.err.startswith(("error: ", "Usage: ")), ran.err
    for word in says:
        assert word in ran.err, ran.err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.jsonl", b""),
        ("blank.jsonl", b"\n\n  \n"),
        ("truncated.json", b'{"resourceSpans":[{"resource":{"attr'),
        ("words.txt", b"this is not a trace\n"),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8),
        ("list.json", b"[1, 2, 3]"),
        ("other.json", b'{"hello": "world"}'),
        ("cut.jsonl.gz", gzip.compress(b'{"resourceSpans": []}' * 100, mtime=0)[:40]),
        ("cut.jsonl.zst", b"\x28\xb5\x2f\xfd\x04\x00"),
        ("deep.json", b"[" * 10_000 + b"]" * 10_000),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_holds_no_traces_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    ran = command("anonymize", "ingest", path, "--out", tmp_path / "traces", cwd=tmp_path)
    clear(ran, name)
    assert not (tmp_path / "traces").exists()


def test_a_source_that_does_not_exist_is_named(tmp_path: Path) -> None:
    ran = command("anonymize", "ingest", "nowhere", "--out", tmp_path / "traces", cwd=tmp_path)
    clear(ran, "nowhere")


def test_good_lines_survive_bad_neighbours(tmp_path: Path) -> None:
    path = good(tmp_path / "mixed.jsonl")
    nested = '{"resourceSpans": ' + "[" * 10_000 + "]" * 10_000 + "}"
    path.write_text("{broken\n" + path.read_text() + nested + "\n\x00\n")
    ran = command("anonymize", "ingest", path, "--out", tmp_path / "traces", cwd=tmp_path)
    assert ran.code == 0, ran.all
    assert "added" in ran.out
    shown = command("anonymize", "show", tmp_path / "traces")
    assert "2 traces" in shown.out
    assert "mixed.jsonl:1" in shown.out
    assert "mixed.jsonl:4" in shown.out


def test_nul_characters_and_lone_surrogates_are_replaced_and_flagged(tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    text = json.dumps(request(trace(1, "NUL here")))
    path.write_text(text.replace("NUL", r"\\u0000 \\ud83d"))
    ran = command("anonymize", "ingest", path, "--out", tmp_path / "traces", cwd=tmp_path)
    assert ran.code == 0, ran.all
    assert "bad_text" in ran.out


def test_fifty_megabytes_in_one_field_end_in_bounded_time(tmp_path: Path) -> None:
    path = tmp_path / "big.jsonl"
    big = json.dumps(request(trace(2, "mei.kovacs@corp.internal " * 2_000_000)))
    path.write_text(json.dumps(request(trace(1))) + "\n" + big + "\n")
    ran = command("anonymize", "ingest", path, "--out", tmp_path / "traces", cwd=tmp_path)
    assert ran.code == 0, ran.all
    shown = command("anonymize", "show", tmp_path / "traces")
    assert "skipped 1" in shown.out or "quarantined 1" in shown.out or "2 traces" in shown.out


def test_a_clock_going_backwards_and_twin_spans_are_kept_and_flagged(tmp_path: Path) -> None:
    spans = trace(1)
    twin = dict(spans[1])
    backwards = span(13, "late", {"gen_ai.operation.name": "chat"}, parent=99, trace=f"{1:032x}",
                     start=5_000, end=10)  # fmt: skip
    path = tmp_path / "odd.jsonl"
    path.write_text(json.dumps(request([*spans, twin, backwards])))
    ran = command("anonymize", "ingest", path, "--out", tmp_path / "traces", cwd=tmp_path)
    assert ran.code == 0, ran.all
    for flag in ("clock_skew", "duplicate_span", "orphan"):
        assert flag in ran.out


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two ingested traces and an agent for everything that can go wrong."""
    project = tmp_path_factory.mktemp("ingested")
    shutil.copy(ROOT / "tests" / "e2e" / "agents_here.py", project / "agents_here.py")
    names = ("repeats", "raises", "hangs", "prints", "exits", "sys_exits", "dials_out")
    config = "[replay]\ntimeout = 3.0\nworkers = 1\n" + "".join(
        AGENTS.format(name=n) for n in names
    )
    (project / "replay.toml").write_text(config)
    ran = command("anonymize", "ingest", good(project / "t.jsonl"), "--out", "traces", cwd=project)
    assert ran.code == 0, ran.all
    return project


@pytest.fixture
def ready(ingested: Path, tmp_path: Path) -> Path:
    """A copy of that project, to do with what a test wants."""
    return Path(shutil.copytree(ingested, tmp_path, dirs_exist_ok=True))


def run(project: Path, agent: str, *more: str) -> Ran:
    return command("replay", "run", agent, "--out", f"out-{agent}", *more, cwd=project)


def verdicts(project: Path, agent: str) -> dict[str, int]:
    counts = json.loads((project / f"out-{agent}" / "report.json").read_text())["counts"]
    names = ("same", "changed", "regressed", "improved", "inconclusive", "broken")
    return {name: counts[name] for name in names if counts[name]}


def test_an_agent_that_repeats_what_was_recorded_passes(ready: Path) -> None:
    ran = run(ready, "repeats")
    assert ran.code == 0, ran.all
    assert verdicts(ready, "repeats") == {"same": 2}


def test_an_agent_that_prints_terminal_codes_is_not_disturbed_nor_shown(ready: Path) -> None:
    ran = run(ready, "prints")
    assert ran.code == 0, ran.all
    assert verdicts(ready, "prints") == {"same": 2}
    assert "noise" not in ran.all


def test_an_agent_that_raises_has_regressed_and_is_not_broken(ready: Path) -> None:
    ran = run(ready, "raises")
    assert ran.code == 1, ran.all
    assert verdicts(ready, "raises") == {"regressed": 2}


@pytest.mark.parametrize("agent", ["hangs", "exits", "dials_out"])
def test_a_harness_failure_is_broken_and_never_a_regression(ready: Path, agent: str) -> None:
    ran = run(ready, agent)
    assert ran.code in (2, 3), ran.all
    assert verdicts(ready, agent) == {"broken": 2}
    assert "Traceback" not in ran.all


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["run", "repaets"], "did you mean 'repeats'"),
        (["run", "repeats", "--traces", "nothing-here"], "nothing-here"),
        (["run", "repeats", "--trace", "no-such-id"], "no-such-id"),
        (["run", "repeats", "--baseline", "v9"], "v9"),
        (["run", "repeats", "--date", "2001-01-01"], "2001-01-01"),
        (["run", "repeats", "--fault", "tiemout:tool=x"], "timeout"),
        (["run", "repeats", "--fault", "timeout:p=2"], "p"),
        (["run", "repeats", "--plan", "none.json"], "none.json"),
        (["run", "repeats", "--config", "none.toml"], "none.toml"),
        (["diff", "traces", "nowhere"], "nowhere"),
        (["diff", "traces", "traces", "--baseline-version", "v9"], "v9"),
        (["report", "nowhere"], "nowhere"),
        (["nightly"], "nightly"),
    ],
)
def test_wrong_words_on_the_command_line_are_answered(
    ready: Path, args: list[str], says: str
) -> None:
    clear(command("replay", *args, cwd=ready), says)


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ('[agents.x]\ntarget = "missing_module:f"', "missing_module"),
        ('[agents.x]\ntarget = "agents_here:missing"', "missing"),
        ('[agents.x]\ntarget = "agents_here"', "module:function"),
        ('[agents.x]\ntraget = "agents_here:repeats"', "did you mean 'target'"),
        ("[agents.x]\n", "target"),
        ('[tools.t]\nmiss = "nearest"\n[agents.x]\ntarget = "agents_here:repeats"', "effect"),
        ("[compare]\nfail_on = 'evrything'\n[agents.x]\ntarget = 'agents_here:repeats'", "fail_on"),
        ("[agentz.x]\n", "did you mean 'agents'"),
        ("not toml", "TOML"),
    ],
)
def test_a_wrong_config_is_answered_before_anything_runs(ready: Path, toml: str, says: str) -> None:
    (ready / "replay.toml").write_text(toml)
    ran = command("replay", "run", "x", "--traces", "traces", cwd=ready)
    clear(ran, says)
    assert not list(ready.glob("runs/*/report.html"))


def test_a_truncated_parquet_file_is_a_clear_error(ready: Path) -> None:
    victim = next((ready / "traces").rglob("part-*.parquet"))
    victim.write_bytes(victim.read_bytes()[:100])
    for args in (["run", "repeats"], ["diff", "traces", "traces"], ["tools"]):
        clear(command("replay", *args, cwd=ready), "traces")


def test_a_killed_run_goes_on_where_it_was(ready: Path) -> None:
    config = (ready / "replay.toml").read_text()
    # Longer than another process takes to start, however busy the machine is.
    (ready / "replay.toml").write_text(config.replace("timeout = 3.0", "timeout = 200.0"))
    slow = subprocess.Popen(
        [sys.executable, "-c", "from replay.cli import main; main()", "run", "hangs", "--out", "o"],
        cwd=ready,
        env={**os.environ, "REPLAY_ANONYMIZE_KEY": KEY},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(1_000):
            if (ready / "o" / "run.json").exists():
                break
            with pytest.raises(subprocess.TimeoutExpired):
                slow.wait(0.1)
        busy = command("replay", "run", "hangs", "--out", "o", cwd=ready)
        clear(busy, "going on in another process")
    finally:
        slow.kill()
        slow.wait()
    assert json.loads((ready / "o" / "run.json").read_text())["state"] == "running"
    (ready / "replay.toml").write_text(config)
    ran = command("replay", "run", "hangs", "--out", "o", cwd=ready)
    assert ran.code in (2, 3), ran.all
    assert json.loads((ready / "o" / "run.json").read_text())["state"] == "complete"


def test_an_unfinished_run_is_only_gone_on_with_for_the_same_traces(ready: Path) -> None:
    first = command("replay", "run", "repeats", cwd=ready)
    assert first.code == 0, first.all
    (folder,) = ready.glob("runs/repeats-*")
    header = json.loads((folder / "run.json").read_text()) | {"state": "running"}
    (folder / "run.json").write_text(json.dumps(header))
    one = command("replay", "run", "repeats", "--trace", f"{1:032x}", cwd=ready)
    assert one.code == 0, one.all
    assert json.loads((folder / "run.json").read_text())["state"] == "running"
    again = command("replay", "run", "repeats", cwd=ready)
    assert again.code == 0, again.all
    assert json.loads((folder / "run.json").read_text())["state"] == "complete"
    assert json.loads((folder / "report.json").read_text())["counts"]["reused"] == 2


def test_a_dated_ingest_counts_its_day_and_keeps_the_records_of_other_days(ready: Path) -> None:
    day = str(datetime.fromtimestamp(T0 / 1e9, UTC).date())
    (ready / "mixed.jsonl").write_text("{broken\n" + (ready / "t.jsonl").read_text())
    for date, count in ((day, "ingested 3"), ("2001-01-01", "ingested 1")):
        ran = command(
            "anonymize", "ingest", "mixed.jsonl", "--date", date, "--out", "dated", cwd=ready
        )
        assert ran.code == 0, ran.all
        assert count in ran.out
    assert "skipped 2" in command("anonymize", "show", "dated", cwd=ready).out


def test_a_closed_pipe_is_not_an_error(ready: Path) -> None:
    code = f"{sys.executable} -c 'from replay.cli import main; main()' tools | true"
    done = subprocess.run(code, shell=True, cwd=ready, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert "error" not in done.stderr.lower()
