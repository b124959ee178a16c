"""The suite's file, and the command that makes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from anonymize.errors import UsageError
from replay.cli import cli
from replay.review.model import Review
from replay.suites import Entry, Suite, read_suite, write_suite
from replay.suites.past import always_in, regressed
from tests.engine.store_support import store_of
from tests.engine.support import called, make_trace


def test_a_suite_is_read_as_it_was_written(tmp_path: Path) -> None:
    entries = (Entry(trace_id="a", weight=2.5, why="covers ü"), Entry(trace_id='b"', why=""))
    write_suite(tmp_path / "s.json", Suite(entries=entries, made={"size": 2}))
    assert read_suite(tmp_path / "s.json") == Suite(entries=entries, made={"size": 2})
    assert len((tmp_path / "s.json").read_text().splitlines()) == 10


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("[]", "no list"),
        ('{"schema": 2, "traces": []}', "schema 2"),
        ('{"schema": 1, "traces": []}', "names no trace"),
        ('{"schema": 1, "traces": [["a", 1]]}', r"\$.traces\[0\]"),
        ('{"schema": 1, "traces": [["a", 0, ""]]}', r"\$.traces\[0\]"),
        ('{"schema": 1, "traces": [["a", 1, ""], ["a", 1, ""]]}', r"\$.traces\[1\]"),
        ('{"schema": 1, "traces": [["a", true, ""]]}', r"\$.traces\[0\]"),
        ('{"schema": 1, "traces": [["a", 1e400, ""]]}', r"\$.traces\[0\]"),
        ("[" * 100_000, "not JSON"),
        ('{"schema": 1, "traces": [["\\ud800", 1, ""]]}', r"\$.traces\[0\]"),
        ('{"schema": 1, "traces": [["a", NaN, ""]]}', r"\$.traces\[0\]"),
        ('{"schema": 1, "traces": [["a", 1' + "0" * 5_000 + ', ""]]}', "not JSON"),
        ('{"schema": 1, "traces": [[{"a": 1}, 1, ""]]}', r"\$.traces\[0\]"),
        ('{"schema": 1, "traces": {"a": 1}}', "no list"),
        ('{"schema": "1", "traces": []}', "schema '1'"),
        ("\x00" * 1_000, "not JSON"),
    ],
)
def test_a_file_that_is_none_says_where(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(UsageError, match=said):
        read_suite(tmp_path / "s.json")


def test_what_is_no_file_or_far_too_large_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file"):
        read_suite(Path("/dev/zero"))
    with pytest.raises(UsageError, match="no file"):
        read_suite(tmp_path)
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(100 * 2**20)
    with pytest.raises(UsageError, match="too large"):
        read_suite(tmp_path / "large.json")


def test_a_suite_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(UsageError, match="can't be written"):
        write_suite(tmp_path / "there", Suite(entries=(Entry(trace_id="a"),)))
    with pytest.raises(UsageError, match="no Unicode"):
        write_suite(tmp_path / "s.json", Suite(entries=(), made={"where": "\udce4"}))
    assert [p.name for p in tmp_path.iterdir()] == ["there"]


def report(folder: Path, **verdicts: str) -> None:
    folder.mkdir(parents=True)
    traces = [{"trace_id": k, "verdict": v} for k, v in verdicts.items()]
    (folder / "report.json").write_text(json.dumps({"traces": traces}))


def test_past_regressions_are_found_and_odd_files_are_passed(tmp_path: Path) -> None:
    report(tmp_path / "one", a="regressed", b="same")
    report(tmp_path / "two", c="regressed")
    (tmp_path / "three").mkdir()
    (tmp_path / "three" / "report.json").write_text("{")
    assert regressed(tmp_path) == {"a": "regressed in one", "c": "regressed in two"}
    assert regressed(tmp_path / "nothing") == {}


def test_examples_of_what_was_reviewed_are_found(tmp_path: Path) -> None:
    review = Review(
        signature="ERROR_NEW|a|b|c", decision="accept", owner="ana", reason="x", title="fails now"
    )
    (tmp_path / "one").mkdir()
    group = {"id": review.id, "example": "e", "trace_ids": ["a", "b", "c", "d", 7, None]}
    others = [{"id": "x", "trace_ids": ["z"]}, {"id": review.id, "trace_ids": "no"}, 5]
    document = {"traces": [], "groups": [group, *others], "quiet_groups": None}
    (tmp_path / "one" / "report.json").write_text(json.dumps(document))
    found = always_in(tmp_path, {review.id: review})
    assert list(found) == ["e", "a", "b"]
    assert found["e"] == f"reviewed: accept {review.id[:6]} fails now"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    traces = [make_trace(called("get_order", {"id": n}, {}), trace_id=f"t{n}") for n in range(6)]
    store_of(tmp_path / "traces", traces)
    (tmp_path / "replay.toml").write_text('[replay]\ntraces = "traces"\nruns = "runs"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Any:
    return CliRunner().invoke(cli, ["select", *words])


def test_the_command_writes_a_suite_and_says_what_it_covers(project: Path) -> None:
    result = run("--size", "3")
    assert result.exit_code == 0, result.output
    assert "covered:" in result.output
    assert read_suite(project / "suite.json").entries
    assert max(map(len, result.output.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--where", "calls >>> 3"], "the condition can't be used"),
        (["--where", "nothing = 1"], "the condition can't be used"),
        (["--where", "agent = 'nobody'"], "there is nothing to choose from"),
        (["--by", "nothing"], "there is no column 'nothing'"),
        (["--by", "tools"], "can't go by 'tools'"),
        (["--by", "user_id"], "can't go by 'user_id'"),
        (["--with", "nobody"], "no trace 'nobody'"),
    ],
)
def test_bad_input_is_told_and_writes_nothing(project: Path, words: list[str], said: str) -> None:
    from anonymize.errors import AnonymizeError

    result = run(*words)
    assert isinstance(result.exception, AnonymizeError)
    assert said in str(result.exception)
    assert not (project / "suite.json").exists()


def test_an_update_keeps_what_it_can_and_tells_what_changed(project: Path) -> None:
    report(project / "runs" / "2026-03-02", t4="regressed")
    words = ["--size", "4", "--seed", "3", "--where", "calls >= 1", "--with", "t1"]
    assert run(*words).exit_code == 0
    first = read_suite(project / "suite.json")
    assert {e.trace_id: e.why for e in first.entries}["t4"] == "regressed in 2026-03-02"
    again = run("--update")
    assert "4 kept, 0 new, 0 no longer chosen" in again.output
    assert read_suite(project / "suite.json") == first
    # Traffic goes on: t1 is forgotten, and a tool is new. The report that made t4 stay is gone.
    import shutil

    shutil.rmtree(project / "traces")
    shutil.rmtree(project / "runs")
    traces = [make_trace(called("get_order", {"id": n}, {}), trace_id=f"t{n}") for n in (0, 2, 4)]
    traces += [make_trace(called("refund", {"id": n}, {}), trace_id=f"n{n}") for n in range(9)]
    store_of(project / "traces", traces)
    later = run("--update")
    assert later.exit_code == 0, later.output
    assert "no longer in the store" in later.output
    entries = {e.trace_id: e for e in read_suite(project / "suite.json").entries}
    assert "t1" not in entries
    assert entries["t4"].why == "regressed in 2026-03-02"
    assert any(i.startswith("n") for i in entries)
    assert sum(e.weight for e in entries.values()) == pytest.approx(12, abs=0.01)
    made = read_suite(project / "suite.json").made
    assert (made["size"], made["seed"], made["where"]) == (4, 3, "calls >= 1")
    assert "the condition" not in run("--update", "--where", "", "--size", "6").output
    assert read_suite(project / "suite.json").made["size"] == 6


@pytest.mark.parametrize(
    "made",
    [
        {"size": "4"},
        {"size": 0},
        {"size": 10**30},
        {"size": True},
        {"where": ["x"]},
        {"by": "path"},
        {"favour": [1]},
        {"turns": "yes"},
    ],
)
def test_an_update_of_a_file_that_says_what_cannot_be_is_told(
    project: Path, made: dict[str, Any]
) -> None:
    write_suite(project / "suite.json", Suite(entries=(Entry(trace_id="t1"),), made=made))
    before = (project / "suite.json").read_bytes()
    result = run("--update")
    assert isinstance(result.exception, UsageError)
    assert f"$.made.{next(iter(made))}" in str(result.exception)
    assert (project / "suite.json").read_bytes() == before


def test_each_trace_is_explained_where_that_is_asked_for(project: Path) -> None:
    result = run("--size", "3", "--explain", "--favour", "pl.col('trace_id') == 't2'")
    assert result.exit_code == 0, result.output
    entries = read_suite(project / "suite.json").entries
    assert all(e.why.startswith(("covers ", "drawn: ")) for e in entries)
    assert all(f"{e.trace_id}  {e.why}" in result.output for e in entries)


def test_a_suite_outlives_a_person_who_was_forgotten(project: Path) -> None:
    """What it says of a trace is its id and what tools it used: nothing that has to be erased."""
    assert run("--size", "4", "--by", "agent").exit_code == 0
    text = (project / "suite.json").read_text()
    kept = [make_trace(called("get_order", {"id": n}, {}), trace_id=f"t{n}") for n in range(1)]
    assert "hello" not in text
    store_of(project / "other", kept)
    told = run("--update", "--traces", str(project / "other"))
    assert told.exit_code == 0, told.output
    assert {e.trace_id for e in read_suite(project / "suite.json").entries} == {"t0"}
