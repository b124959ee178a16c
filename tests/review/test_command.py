"""``replay review`` as people and scripts call it."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from anonymize.errors import UsageError
from replay.cli import cli
from replay.compare import CompareSettings, DatasetDiff, ToolCatalog, compare_datasets
from replay.report.write import write_all
from replay.review import Memory, read_reviews
from tests.compare.builders import call, make_trace
from tests.report.builders import make_run

VERIFY = call("verify_identity", customer="c1")


def order(method="mail"):
    return call("create_return", order_id="A1", method=method)


def diff(quieteners=()) -> DatasetDiff:
    pairs = [
        (make_trace(VERIFY, order(), id=f"g{n}"), make_trace(order(), id=f"g{n}")) for n in range(4)
    ]
    pairs += [
        (make_trace(order(), id=f"m{n}"), make_trace(order("dropoff"), id=f"m{n}"))
        for n in range(3)
    ]
    pairs += [(make_trace(VERIFY, id=f"s{n}"), make_trace(VERIFY, id=f"s{n}")) for n in range(5)]
    ours, theirs = [p[0] for p in pairs], [p[1] for p in pairs]
    return compare_datasets(
        ours, theirs, CompareSettings(pairing="trace_id"), ToolCatalog(), quieteners=quieteners
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a complete run in it, as ``replay run`` leaves it."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("REPLAY_"):
            monkeypatch.delenv(name)
    folder = tmp_path / "runs" / "one"
    write_all(diff(), make_run(reproduce="replay run v2 --trace {trace_id}"), folder)
    (tmp_path / "runs" / ".latest").write_text(str(folder), encoding="utf-8")
    return tmp_path


def run(*words: str):
    return CliRunner().invoke(cli, ["review", *words], catch_exceptions=True)


def ids() -> list[str]:
    return [g.id for g in diff().groups]


def test_the_list_names_what_is_open_with_ids(here):
    result = run("list")
    assert result.exit_code == 0
    assert "2\n" in result.output.splitlines()[0] + "\n"
    for group in diff().groups:
        assert group.id[:6] in result.output
        assert group.title in result.output
    assert all(len(line) <= 80 for line in result.output.splitlines())


def test_without_a_terminal_the_command_alone_lists(here):
    assert run().output == run("list").output


def test_a_decision_by_id_is_written_and_holds_in_the_next_run(here):
    first, second = ids()
    result = run("accept", first[:6], "--owner", "ana", "--reason", "agreed")
    assert result.exit_code == 0
    assert "replay run v2 --reuse" in result.output
    assert (
        run("mute", second, "--owner", "bo", "--reason", "later", "--until", "30d").exit_code == 0
    )
    reviews = read_reviews(here / "review.toml")
    assert [r.decision for r in reviews.values()] == ["accept", "mute"]
    from datetime import UTC, datetime

    again = diff((Memory(tuple(reviews.values()), datetime.now(UTC).date()),))
    assert again.verdict == "pass"
    assert len(again.quiet_groups) == 2
    assert run("list").output.startswith("Open in 2026-03-04-v2-7c1e: 0")


def test_values_that_are_the_same_everywhere_are_what_is_accepted(here):
    valued = next(g for g in diff().groups if g.values is not None)
    run("accept", valued.id, "--owner", "ana", "--reason", "agreed")
    assert read_reviews(here / "review.toml")[valued.id].now == '"dropoff"'
    assert "only 'mail' -> 'dropoff'" in run("list").output
    run("accept", valued.id, "--owner", "ana", "--reason", "agreed", "--any-value")
    assert read_reviews(here / "review.toml")[valued.id].now is None


def test_reopening_forgets_and_says_what_it_was(here):
    first = ids()[0]
    run("reject", first, "--owner", "ana", "--reason", "never")
    result = run("reopen", first[:5])
    assert result.exit_code == 0
    assert "open again; it was rejected by ana" in result.output
    assert read_reviews(here / "review.toml") == {}


def test_changing_ones_mind_says_what_was_decided_before(here):
    first = ids()[0]
    run("reject", first, "--owner", "ana", "--reason", "never")
    result = run("accept", first, "--owner", "bo", "--reason", "after all")
    assert "it was rejected by ana" in result.output


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("accept", "ffffff", "--owner", "a", "--reason", "b"), "there is no behaviour 'ffffff'"),
        (("accept", "--owner", "a", "--reason", "b"), "name the behaviours by their ids"),
        (("accept", "ID", "--reason", "b"), "a review needs an owner and a reason"),
        (("accept", "ID", "--owner", "a", "--reason", " "), "a review needs an owner and a reason"),
        (("mute", "ID", "--owner", "a", "--reason", "b"), "a mute needs a date"),
        (("mute", "ID", "--owner", "a", "--reason", "b", "--until", "2020-01-01"), "over already"),
        (("accept", "ID", "--owner", "a", "--reason", "b", "--until", "3d"), "holds for good"),
        (("reopen", "ID"), "there is no behaviour"),
        (("list", "--run", "nowhere"), "there is no report to review"),
    ],
)
def test_what_can_not_be_done_is_told_and_nothing_is_written(here, words, what):
    result = run(*(ids()[0] if w == "ID" else w for w in words))
    assert isinstance(result.exception, UsageError)
    assert what in str(result.exception)
    assert not (here / "review.toml").exists()


def test_a_report_of_another_program_is_told(here):
    (here / "x").mkdir()
    (here / "x" / "report.json").write_text(json.dumps(["no"]), encoding="utf-8")
    assert "there is no report" in str(run("list", "--run", "x").exception)


def test_a_broken_file_of_reviews_stops_everything_before_it_is_judged(here):
    (here / "review.toml").write_text("[reviews", encoding="utf-8")
    assert "not valid TOML" in str(run("list").exception)


def test_in_a_real_terminal_one_key_decides(here):
    main, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from replay.cli import main; main()", "review"],
        stdin=side, stdout=side, stderr=side, cwd=here, env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(side)
    screen = _Screen(main)
    try:
        screen.until("q quit")
        screen.press(b"a", "Who are you?")
        os.write(main, b"\x15ana\n")  # what was pressed too often goes
        screen.until("Why accept?")
        os.write(main, b"agreed with support\n")
        screen.until("2 of 2")
        screen.until("q quit")
        screen.press(b"q", "1 accepted, 1 left open.")
        assert process.wait(timeout=120) == 0
    finally:
        process.kill()
        os.close(main)
    (review,) = read_reviews(here / "review.toml").values()
    assert (review.owner, review.reason) == ("ana", "agreed with support")


class _Screen:
    """What a terminal has shown so far."""

    def __init__(self, handle: int) -> None:
        self.handle, self.text, self.read = handle, "", 0

    def press(self, key: bytes, wanted: str) -> None:
        """Press a key until it shows: one that comes before a terminal listens is lost."""
        end = time.monotonic() + 60
        while wanted not in self.text[self.read :]:
            assert time.monotonic() < end, f"no {wanted!r} in {self.text!r}"
            os.write(self.handle, key)
            if select.select([self.handle], [], [], 0.5)[0]:
                self.text += os.read(self.handle, 65_536).decode("utf-8", "replace")
        self.until(wanted)

    def until(self, wanted: str, seconds: float = 60) -> None:
        """Read on until ``wanted`` comes after what was waited for before."""
        end = time.monotonic() + seconds
        while wanted not in self.text[self.read :]:
            assert time.monotonic() < end, f"no {wanted!r} in {self.text!r}"
            if select.select([self.handle], [], [], 0.2)[0]:
                self.text += os.read(self.handle, 65_536).decode("utf-8", "replace")
        self.read = self.text.index(wanted, self.read) + len(wanted)
