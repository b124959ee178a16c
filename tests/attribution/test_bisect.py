"""`git bisect run replay bisect` on a repository of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from anonymize.errors import UsageError
from replay.attribution.question import Question
from tests.attribution.shop import TOOLS, recorded
from tests.support import ROOT

pytestmark = [
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
    pytest.mark.timeout(600),  # several whole runs, each in a process of its own
]

GOOD = """
def run(case, env):
    order = env.tools.get_order(order_id=case.input)
    env.tools.pay(order_id=case.input, amount=order["total"])
    env.tools.send_mail(order_id=case.input)
    return "It is paid."
"""
BAD = GOOD.replace('order["total"]', 'order["total"] * 100')
HISTORY: tuple[tuple[str, str], ...] = (
    ("first", GOOD),
    ("tidy", GOOD.replace("order =", "found =").replace('order["', 'found["')),
    ("broken", "def run(case, env:\n"),
    ("words", GOOD + "# nothing\n"),
    ("culprit", BAD),
    ("last", BAD + "# more\n"),
)


def git(repo: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    quiet = {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": "x@y.example" for who in ("AUTHOR", "COMMITTER")
           for what in ("NAME", "EMAIL")},
    }  # fmt: skip
    return subprocess.run(
        ["git", *args],
        cwd=repo,
        env={**os.environ, **quiet, **env},
        capture_output=True,
        text=True,
        timeout=800,
    )


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """An agent in six commits, one of which does not even parse; the store lies beside it."""
    recorded(tmp_path / "traces")
    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init", "-q", "-b", "main")
    (repo / ".gitignore").write_text("runs/\n")
    (repo / "replay.toml").write_text(
        f'[replay]\nworkers = 1\n[agents.shop]\ntarget = "my_shop:run"\n{TOOLS}'
    )
    for name, source in HISTORY:
        (repo / "my_shop.py").write_text(source)
        git(repo, "add", "-A")
        done = git(repo, "commit", "-q", "-m", name)
        assert done.returncode == 0, done.stderr
    return repo


def command(*args: str | Path) -> list[str]:
    code = "from replay.cli import main; main()"
    return [sys.executable, "-c", code, "bisect", *map(str, args)]


def subject(repo: Path, ref: str) -> str:
    return git(repo, "log", "-1", "--format=%s", ref).stdout.strip()


def test_git_finds_the_commit_and_skips_what_cannot_be_tested(repo: Path) -> None:
    git(repo, "bisect", "start", "HEAD", "HEAD~5")
    asked = command("shop", "--traces", repo.parent / "traces", "--code", "EFFECT_CHANGED")
    done = git(repo, "bisect", "run", *asked, PYTHONPATH=str(ROOT))
    assert "is the first bad commit" in done.stdout, done.stdout + done.stderr
    assert subject(repo, "refs/bisect/bad") == "culprit"
    left = list((repo / "runs").glob("bisect-*/report.html"))
    assert left, "each tested commit leaves its report"


def test_each_answer_has_the_exit_code_that_git_expects(repo: Path) -> None:
    traces = repo.parent / "traces"

    def ask(ref: str, *more: str) -> tuple[int, str]:
        git(repo, "checkout", "-q", ref)
        done = subprocess.run(
            command("shop", "--traces", traces, *more),
            cwd=repo,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.returncode, done.stdout + done.stderr

    code, said = ask("main~3")  # does not parse
    assert code == 125, said
    assert "can't be tested" in said
    code, said = ask("main")
    assert code == 1, said
    report = json.loads(next((repo / "runs").glob("bisect-*/report.json")).read_text())
    (group,) = report["groups"]
    assert Question(group=group["id"][:6]).ask(report).why.startswith(group["title"])
    assert ask("main~5", "--code", "EFECT_CHANGED")[0] == 128
    assert ask("main~5", "--grup", "x")[0] == 128


def document(**more: Any) -> dict[str, Any]:
    return {
        "verdict": {"status": "pass", "sentence": "fine"},
        "groups": [],
        "traces": [{"trace_id": "t", "verdict": "same", "divergences": []}],
        **more,
    }


def divergence(code: str, *, off: bool = False) -> dict[str, Any]:
    return {"code": code, "counterfactual": off}


def test_what_broke_or_failed_early_hides_the_behaviour_and_is_not_good() -> None:
    broken = [{"trace_id": "t", "verdict": "broken", "divergences": []}]
    assert Question(group="abcdef").ask(document(traces=broken)).answer == "unknown"
    failed = [{"trace_id": "t", "verdict": "regressed", "divergences": [divergence("ERROR_NEW")]}]
    assert Question(group="abcdef").ask(document(traces=failed)).answer == "unknown"
    assert Question(code="ERROR_NEW").ask(document(traces=failed)).answer == "bad"
    assert Question(code="LOOP").ask(document()).answer == "good"


def test_the_gate_is_asked_where_nothing_is_named() -> None:
    for status, answer in (
        ("pass", "good"), ("regressed", "bad"), ("inconclusive", "unknown"),
        ("could not run", "unknown"),
    ):  # fmt: skip
        said = {"status": status, "sentence": "s"}
        assert Question().ask(document(verdict=said)).answer == answer


def test_what_is_off_the_record_or_accepted_by_a_review() -> None:
    off = [{"trace_id": "t", "verdict": "changed", "divergences": [divergence("LOOP", off=True)]}]
    assert Question(code="LOOP").ask(document(traces=off)).answer == "good"
    group = {"id": "abcdef012345", "title": "x", "count": 1, "counterfactual": False}
    assert Question(group="abcdef").ask(document(quiet_groups=[group])).answer == "bad"


def test_a_question_that_can_not_be_asked() -> None:
    for wrong in ({"group": "refund"}, {"code": "NOPE"}, {"group": "abcdef", "code": "LOOP"}):
        with pytest.raises(UsageError):
            Question(**wrong)
