"""docs/sources.md is true: its example runs, its keys exist, its kinds are known."""

from __future__ import annotations

import dataclasses
import re
import sys
import tomllib
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from click.testing import CliRunner

from anonymize.cli import cli
from anonymize.settings import parse_table
from anonymize.sources import SourceSettings
from anonymize.sources.remote import KINDS
from anonymize.store import Store
from tests.support import ROOT

PAGE = (ROOT / "docs" / "sources.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


@pytest.mark.usefixtures("guarded")
def test_the_source_of_ones_own_is_read_scrubbed_and_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (code,) = blocks("python")
    assert len(code.splitlines()) <= 30
    Path("my_source.py").write_text(code)
    Path("desk.csv").write_text(
        "id,time,question,tool,answer\n"
        "7,2026-03-02T12:00:00+00:00,I am mei.kovacs@corp.example.,get_order,Shipped.\n"
    )
    table = next(t for t in blocks("toml") if "python" in t)
    Path("replay.toml").write_text(f'[anonymize]\nkey_file = "k.key"\n{table}')
    result = CliRunner().invoke(cli, ["ingest", "desk", "--out", "traces"])
    assert result.exit_code == 0, result.output
    (trace,) = Store(Path("traces")).traces()
    assert (trace.agent, trace.output, trace.tool_calls[0].name) == (
        "helpdesk",
        "Shipped.",
        "get_order",
    )
    assert "kovacs" not in str(trace.input)


@pytest.mark.parametrize("table", blocks("toml"))
def test_each_table_is_one(table: str) -> None:
    for name, value in tomllib.loads(table)["sources"].items():
        parse_table(SourceSettings, value, name)


def test_each_key_is_told_and_no_other() -> None:
    rows = PAGE.partition("## All keys")[2]
    told = {
        k for row in re.findall(r"^\| (`.*?) \|", rows, re.M) for k in re.findall("`(.*?)`", row)
    }
    assert told == {f.name for f in dataclasses.fields(SourceSettings)}


def test_each_platform_is_told_with_its_package() -> None:
    for kind in KINDS:
        assert f"replay-harness[{kind}]" in PAGE
    kinds = get_args(get_type_hints(SourceSettings)["kind"])
    assert set(KINDS) <= set(kinds)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('target = "nothing"', "is named as 'module:Class'"),
        ('target = "no_such_module:X"', "can't be loaded"),
        ('target = "json:NoSuchThing"', "can't be loaded"),
        ('target = "json:JSONDecoder"\noptions = { nonsense = 1 }', "can't be made"),
        ('target = "json:JSONDecoder"', "has no method read"),
        ('target = "broken_source:Broken"', "it failed with RuntimeError"),
    ],
)
def test_a_class_that_does_not_do_is_told_without_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, said: str
) -> None:
    from anonymize.errors import SourceError
    from anonymize.sources import open_source

    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "broken_source.py").write_text(
        "class Broken:\n"
        "    def read(self):\n"
        "        raise RuntimeError('mei.kovacs@corp.example')\n"
        "        yield\n"
    )
    settings = parse_table(
        SourceSettings, {"kind": "python", **tomllib.loads(table)}, "sources.own"
    )
    with pytest.raises(SourceError, match=said) as told:
        list(open_source("own", {"own": settings}).read())
    assert "kovacs" not in str(told.value)
