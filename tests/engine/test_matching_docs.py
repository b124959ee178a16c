"""The examples of docs/matching.md, run one after the other."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from anonymize.cli import cli as anonymize
from anonymize.trace import Fidelity
from replay.cli import cli as replay
from replay.compare import CompareSettings
from replay.config import ReplayConfig
from tests.engine.store_support import DAY, KEY, store_of
from tests.engine.support import called, make_trace
from tests.support import ROOT

TEXT = (ROOT / "docs" / "matching.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.S)
AGENT = """
def agent(case, env):
    order = env.tools.get_order(order_id="7")
    return [order, env.tools.cancel_order(order_id="7")]
"""


def test_the_examples_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", KEY)
    Path("shop_agent.py").write_text(AGENT)
    calls = (
        called("get_order", {"order_id": "7"}, {"order_id": "7", "state": "open", "total": 12.5}),
        called("search", {"q": "x", "session": {"ts": 1}}, []),
    )
    trace = make_trace(*calls, started_at=DAY)
    steps = tuple(dataclasses.replace(s, step_id=str(n)) for n, s in enumerate(trace.steps))
    store_of(Path("traces"), [dataclasses.replace(trace, steps=steps)])
    said: dict[str, str] = {}
    for kind, text in sorted(BLOCKS, key=lambda block: block[0] == "sh"):
        if kind == "toml":
            Path("replay.toml").write_text(text)
        elif kind == "python":
            Path("shop_sandbox.py").write_text(text)
        elif kind == "sh":
            for line in text.strip().splitlines():
                program, *words = shlex.split(line)
                command = replay if program == "replay" else anonymize
                done = CliRunner().invoke(command, words)
                assert done.exit_code == (1 if "verify" in words else 0), (line, done.output)
                said[words[0]] = done.output
    assert [kind for kind, _ in BLOCKS] == ["toml", "python", "sh", "sh"]
    assert "ready" in said["doctor"]
    assert "reads order:{order_id}" in said["tools"]
    # The price has become a text: the contract has drifted.
    (tool,) = json.loads(said["verify"])["tools"]
    assert [(d["kind"], d["path"]) for d in tool["differences"]] == [("type", "$.total")]
    database = sqlite3.connect(":memory:")
    database.executescript(Path("sandbox.sql").read_text())
    assert database.execute('SELECT * FROM "order"').fetchall() == [("7", "open", 12.5)]
    config = ReplayConfig.load(Path("replay.toml"))
    assert config.tools["cancel_order"].miss == "simulate"
    from replay.runner import run

    (result,) = run([dataclasses.replace(trace, steps=steps)], "v2", config, workers=1)
    assert result.trace.output[1] == {"order_id": "7", "state": "cancelled"}


def test_every_fidelity_and_setting_is_named() -> None:
    from typing import get_args

    for name in get_args(Fidelity):
        assert f"| `{name}` |" in TEXT
    assert "strict_tape" in {field.name for field in dataclasses.fields(CompareSettings)}
