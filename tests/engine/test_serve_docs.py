"""The examples of docs/serve.md, run."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import tomllib
from pathlib import Path

import pytest

from anonymize.scrubbed import _seal
from anonymize.store import StoreWriter
from anonymize.trace import LLMCall, Message, Trace
from replay.config import ReplayConfig
from replay.keeper import make_scrubber
from replay.runner import run
from tests.engine.node_support import node_folder
from tests.engine.support import called, make_trace
from tests.engine.test_serve_command import KEY, REPLAY, ask
from tests.support import ROOT

BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "docs" / "serve.md").read_text(), re.S)


def block(kind: str, number: int = 0) -> str:
    return [text for name, text in BLOCKS if name == kind][number]


def trace() -> Trace:
    model = LLMCall(
        step_id="m",
        model="gpt-4o-mini",
        input=(Message(role="user", content="Where is A-17?"),),
        output=(Message(role="assistant", content="It is sent."),),
    )
    order = called("get_order", {"order_id": "A-17"}, {"status": "sent"})
    said = "It is sent."
    return make_trace(order, model, input="Where is A-17?", output=said)  # type: ignore[arg-type]


def test_there_are_as_many_examples_as_are_tested() -> None:
    assert [kind for kind, _ in BLOCKS] == ["toml", "python", "js", "toml", "toml", "sh"]
    for kind, text in BLOCKS:
        if kind == "toml":
            ReplayConfig.from_tables(tomllib.loads(text))


def test_the_program_in_python(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(block("python"))
    config = ReplayConfig.from_tables(tomllib.loads(block("toml")), tmp_path)
    (result,) = run([trace()], "shop", config, workers=1)
    assert result.trace.output == "Your order is sent.", result.printed


def test_the_program_in_node(tmp_path: Path) -> None:
    folder = node_folder(tmp_path, "openai", "@modelcontextprotocol/sdk")
    (folder / "agent.mjs").write_text(block("js"))
    tables = tomllib.loads(block("toml"))
    tables["agents"]["shop"]["command"] = ["node", "agent.mjs"]
    (result,) = run([trace()], "shop", ReplayConfig.from_tables(tables, folder), workers=1)
    assert result.trace.output == "It is sent.", result.printed


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", KEY)
    key_id = make_scrubber(ReplayConfig.from_tables({})).key_id
    StoreWriter(tmp_path / "traces").write([_seal(trace(), f"x-{key_id}", {})], source="test")
    serve, diff = (shlex.split(line)[1:] for line in block("sh").strip().splitlines())
    server = subprocess.Popen([*REPLAY, *serve], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        found = re.search(r"http://(\S+?)/s/", server.stdout.readline())
        assert found
        assert ask(found[1], "/s/t1", {"output": "It is lost."})[0] == 200
        server.send_signal(signal.SIGTERM)
        assert server.wait(600) == 0
    finally:
        server.kill()
        server.wait()
    env = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run(
        [*REPLAY, *diff], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "read left out: get_order" in done.stdout
