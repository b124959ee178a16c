"""docs/store.md is true: its commands exist, its code runs, its files are called so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from anonymize.cli import cli
from anonymize.store import leases, objects
from tests.store.builders import make_trace, write
from tests.support import ROOT

PAGE = (ROOT / "docs" / "store.md").read_text()
COMMANDS = re.findall(r"^    (anonymize .*)$", PAGE, re.M)


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_is_one_with_these_options(line: str) -> None:
    _, name, *arguments = shlex.split(line)
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    command.make_parser(click.Context(command)).parse_args(arguments)


def test_the_code_runs_on_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "traces", [make_trace()])
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    found: dict[str, object] = {}
    exec(compile(code, "docs/store.md", "exec"), found)
    assert "get_order" in str(found["calls"])


def test_files_times_and_extras_are_called_as_the_page_says() -> None:
    for name in (leases.RETIRED, objects.HEAD, "REPLAY_CACHE"):
        assert f"`{name}`" in PAGE
    assert leases.LONGEST.days == 1
    assert objects.GRACE.seconds == 3600
    assert "objects = [" in (ROOT / "pyproject.toml").read_text()
