"""The examples of docs/http.md, run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from replay.cli import cli
from replay.config import ReplayConfig
from tests.support import ROOT

BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / "http.md").read_text(), re.S)


def test_the_examples_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", "7" * 64)
    for kind, text in BLOCKS:
        if kind == "yaml":
            Path("weather.yaml").write_text(text)
        elif kind == "toml":
            import tomllib

            ReplayConfig.from_tables(tomllib.loads(text), tmp_path)
        elif kind == "sh":
            for line in text.strip().splitlines():
                result = CliRunner().invoke(cli, shlex.split(line)[1:])
                assert result.exit_code == 0, (line, result.output, result.exception)
        elif kind == "python":
            exec(compile(text, "docs/http.md", "exec"), {})
    assert [kind for kind, _ in BLOCKS] == ["yaml", "sh", "toml", "python"]
    assert "Bearer" not in Path("again.yaml").read_text()
    assert "abc" not in Path("again.yaml").read_text()
