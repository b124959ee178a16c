"""The whole of ``replay init``, as a person runs it: the config is tried on real traces."""

from __future__ import annotations

import io
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard
from click.testing import CliRunner

from replay.cli import cli
from replay.config import ReplayConfig
from replay.doctor import Check
from replay.init.flow import Asked, make
from replay.init.trial import checked, replayed, trial
from tests.support import ROOT

MAIN = "from replay.cli import main; main()"
AGENT = '''
def answer(case, env):
    """An agent that only looks: its tools come from the recording."""
    return env.tools.search_policy(query="returns")
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with an agent in ``src`` and an export of some traces."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "src" / "shop").mkdir(parents=True)
    (folder / "src" / "shop" / "agent.py").write_text(AGENT)
    data = (ROOT / "fixtures" / "traffic" / "2026-03-02.otlp.jsonl.zst").read_bytes()
    lines = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).readall().splitlines()
    (folder / "spans.jsonl").write_bytes(b"\n".join(lines[:6]) + b"\n")
    return folder


def init(project: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", MAIN, "init", "spans.jsonl", *more],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=600,
        stdin=subprocess.DEVNULL,
    )


def test_the_config_is_tried_and_nothing_but_it_is_left(project: Path) -> None:
    done = init(project)
    assert done.returncode == 0, done.stdout + done.stderr
    text = (project / "replay.toml").read_text()
    assert 'target = "shop.agent:answer"  # a function of a case and its environment' in text
    assert 'path = ["src"]' in text
    for said in ("traces read through the config", "scrubbed; replaced: ", "traces replayed: "):
        assert said in done.stdout, done.stdout
    assert "anonymize ingest prod" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert sorted(p.name for p in project.iterdir()) == ["replay.toml", "spans.jsonl", "src"]
    assert "already" in init(project).stderr


def test_a_source_that_is_gone_is_told_before_anything_is_scrubbed(project: Path) -> None:
    path = project / "gone.toml"
    made = make(Asked(source=str(project / "spans.jsonl"), path=path, print_only=True))
    tables = tomllib.loads(made.text)
    tables["sources"]["prod"]["path"] = str(project / "nothing.jsonl")
    checks = [*trial(checked(tables, path), made.place, "candidate", made.seen)]
    assert [(c.area, c.state) for c in checks] == [("config", "ok"), ("source", "fail")]
    assert "does not exist" in checks[-1].what


def test_a_config_with_which_no_run_could_start_is_written_and_ends_with_2(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = Check(area="agent", state="fail", what="it can't be imported", fix="mend it")
    monkeypatch.setattr("replay.init.trial.trial", lambda *_: iter([bad]))
    path = project / "bad.toml"
    told = CliRunner().invoke(cli, ["init", str(project / "spans.jsonl"), "--config", str(path)])
    assert told.exit_code == 2
    assert "FAIL agent   it can't be imported" in told.output
    assert path.exists()
    path.unlink()


def test_a_file_with_more_than_is_looked_at_is_read_in_part_and_said_so(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replay.init.sample._MOST_FILE", 1_500_000)
    path = project / "part.toml"
    made = make(Asked(source=str(project / "spans.jsonl"), path=path, print_only=True))
    assert made.seen.about == "the beginning of a large file"
    assert "(the beginning of a large file)" in made.text


def counted(**verdicts: int) -> SimpleNamespace:
    trace = {
        "verdict": "broken" if "broken" in verdicts else "inconclusive",
        "reason": "the run failed",
        "divergences": [{"code": "ERROR_NEW", "replayed": "stopped: $.model: 'a' != 'b'"}],
    }
    return SimpleNamespace(document={"counts": verdicts, "traces": [trace]})


@pytest.mark.parametrize(
    ("first", "second", "state", "fix"),
    [
        ({"same": 2, "changed": 1}, {}, "ok", ""),
        ({"inconclusive": 3}, {"same": 2, "inconclusive": 1}, "warn", "allow_list"),
        ({"inconclusive": 3}, {"inconclusive": 3}, "warn", "is not on the record"),
        ({"same": 1, "broken": 1}, {}, "warn", "first failure"),
        ({"broken": 3}, {}, "fail", "first failure"),
        ({}, {}, "warn", ""),
    ],
)
def test_what_came_of_the_few_replays_is_told_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    first: dict[str, int],
    second: dict[str, int],
    state: str,
    fix: str,
) -> None:
    outcomes = iter([counted(**first), counted(**second)])
    loose: list[bool] = []

    def execute(_: object, config: ReplayConfig) -> SimpleNamespace:
        loose.append(config.llm.ignore_instructions)
        return next(outcomes)

    monkeypatch.setattr("replay.runs.execute", execute)
    monkeypatch.setattr("replay.init.trial.diagnose", lambda *_: SimpleNamespace(checks=()))
    config = ReplayConfig.from_tables({"llm": {"mode": "recorded"}})
    (check,) = replayed(config, "candidate", tmp_path)
    assert check.state == state
    assert fix in check.fix
    assert ("; the first: stopped: $.model: 'a' != 'b'" in check.what) is bool(fix)
    assert loose == ([False, True] if second else [False])
    live = ReplayConfig.from_tables({"llm": {"mode": "live"}})
    (untried,) = replayed(live, "candidate", tmp_path)
    assert "a live model would be asked" in untried.what
