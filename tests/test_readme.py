"""What the README says can be typed, exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest

from tests.support import ROOT

README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
FENCES = re.findall(r"```(\w*)\n(.*?)```", README, re.S)


def commands(program: str) -> set[str]:
    """Sub-commands of ``program`` that the README's shell blocks and code spans name."""
    shell = "\n".join(text for kind, text in FENCES if kind == "sh")
    spans = "\n".join(re.findall(r"`([^`\n]+)`", README))
    return set(re.findall(rf"(?:^|[/ ]){program} ([a-z]+)\b", shell + "\n" + spans, re.M))


@pytest.mark.parametrize("program", ["replay", "anonymize"])
def test_every_command_in_the_readme_exists(program: str) -> None:
    module = __import__(f"{program}.cli", fromlist=["cli"])
    group: click.Group = module.cli
    assert commands(program)
    assert commands(program) <= set(group.commands)


def test_every_option_in_the_readmes_shell_blocks_exists() -> None:
    known: set[str] = set()
    for program in ("replay", "anonymize"):
        group: click.Group = __import__(f"{program}.cli", fromlist=["cli"]).cli
        for command in group.commands.values():
            known |= {o for p in command.params for o in p.opts}
    shell = "\n".join(text for kind, text in FENCES if kind == "sh")
    assert set(re.findall(r" (--[a-z-]+)", shell)) <= known


def test_every_make_target_in_the_readme_exists_and_is_in_the_help() -> None:
    named = set(re.findall(r"`make ([a-z-]+)", README)) | set(
        re.findall(r"^make ([a-z-]+)", README, re.M)
    )
    targets = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.M))
    assert named
    assert named <= targets


def test_the_toml_in_the_readme_is_understood(tmp_path: Path) -> None:
    from anonymize.config import AnonymizeConfig
    from replay.config import ReplayConfig

    blocks = [text for kind, text in FENCES if kind == "toml"]
    assert blocks
    for text in blocks:
        tables = tomllib.loads(text)
        ReplayConfig.from_tables(tables)
        AnonymizeConfig.from_tables(tables, tmp_path)


def test_every_file_that_the_readme_links_to_exists() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
