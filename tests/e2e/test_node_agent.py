"""A whole run over an agent in Node, by the command that a user types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anonymize.scrubbed import _seal
from anonymize.store import StoreWriter
from replay.config import ReplayConfig
from replay.keeper import make_scrubber
from tests.e2e.conftest import KEY, Ran, command
from tests.engine.node_support import node_folder
from tests.engine.test_command_node import recorded

CONFIG = """
[agents.v1]
command = ["node", "agent.mjs", "v1"]

[agents.v2]
command = ["node", "agent.mjs", "v2"]

[llm]
mode = "recorded"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = node_folder(tmp_path, "openai", "@modelcontextprotocol/sdk")
    (found / "replay.toml").write_text(CONFIG)
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", KEY)
    key_id = make_scrubber(ReplayConfig.from_tables({})).key_id
    StoreWriter(found / "traces").write([_seal(recorded(), f"test-{key_id}", {})], source="test")
    return found


def run(folder: Path, version: str) -> tuple[Ran, dict[str, Any]]:
    ran = command("replay", "run", version, "--out", version, "--workers", "1", cwd=folder)
    assert (folder / version / "report.json").exists(), ran.all
    document: dict[str, Any] = json.loads((folder / version / "report.json").read_text())
    return ran, document


def test_an_unchanged_node_agent_passes(folder: Path) -> None:
    ran, _ = run(folder, "v1")
    assert ran.code == 0, ran.all


def test_what_a_changed_node_agent_does_is_in_the_report(folder: Path) -> None:
    ran, document = run(folder, "v2")
    assert ran.code == 1, ran.all
    assert "issue_refund" in ran.out
    assert "issue_refund" in json.dumps(document["groups"])
