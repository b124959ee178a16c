"""The examples of docs/llm.md, run."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from anonymize.cli import cli as anonymize
from replay.cli import cli as replay
from replay.config import ReplayConfig
from tests.support import ROOT

BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / "llm.md").read_text(), re.S)
COMMANDS = {"anonymize": anonymize, "replay": replay}


def block(kind: str, number: int = 0) -> str:
    return [text for name, text in BLOCKS if name == kind][number]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pytest.importorskip("openai")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", "7" * 64)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (tmp_path / "spans.json").write_text(block("json"))
    (tmp_path / "moon.py").write_text(block("python"))
    (tmp_path / "replay.toml").write_text(block("toml"))
    return tmp_path


def invoke(line: str, code: int = 0) -> str:
    name, *words = shlex.split(line)
    result = CliRunner().invoke(COMMANDS[name], words)
    assert result.exit_code == code, (line, result.output, result.exception)
    return result.output


def test_an_sdk_is_replayed_from_a_span(project: Path) -> None:
    assert [kind for kind, _ in BLOCKS] == ["json", "python", "toml", "sh", "toml"]
    ReplayConfig.from_tables(tomllib.loads(block("toml", 1)))
    for line in block("sh").strip().splitlines():
        invoke(line)
    moon = project / "moon.py"
    asked = '[{"role": "user", "content": case.input}]'
    moon.write_text(block("python").replace(asked, asked.replace("case.input", '"the sun?"')))
    config = ReplayConfig.load(Path("replay.toml"))
    from anonymize.store import Store
    from replay.runner import run

    (result,) = run(Store(Path("traces")).traces(), "v2", config, workers=1)
    assert result.status == "stopped"
    assert "$.messages[0].content: 'How far is the moon?' != 'the sun?'" in result.misses[0]
