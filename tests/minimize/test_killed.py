"""The command itself, killed in the middle and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.engine.store_support import KEY
from tests.minimize.support import HERE, PLAN, run_of
from tests.support import ROOT

CONFIG = """
[agents.x]
target = "agents_for_minimize:careless"
path = ["{here}"]

[tools.pay]
effect = "write"
[tools.get_order]
effect = "read"
[tools.get_weather]
effect = "read"
[tools.get_payment]
effect = "read"
"""


def started(run: Path, out: Path) -> subprocess.Popen[str]:
    code = "from replay.cli import main; main()"
    config = run.parent / "replay.toml"
    words = ["minimize", str(run), "t1", "--config", str(config), "--out", str(out)]
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        env={**os.environ, "REPLAY_ANONYMIZE_KEY": KEY},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def answers(run: Path) -> list[str]:
    """The questions that are answered on disk, without the line that says what they are about."""
    found = [*(run / "minimize").glob("*.jsonl")]
    return found[0].read_text().splitlines()[1:] if found else []


def test_a_process_that_was_killed_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", KEY)
    run = run_of(tmp_path, *PLAN)
    (tmp_path / "replay.toml").write_text(CONFIG.format(here=HERE))
    first = started(run, tmp_path / "killed.json")
    end = time.monotonic() + 120
    while len(answers(run)) < 4 and first.poll() is None and time.monotonic() < end:
        time.sleep(0.005)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not (tmp_path / "killed.json").exists()
    known = answers(run)
    assert len(known) >= 4
    again = started(run, tmp_path / "again.json")
    said, _ = again.communicate(timeout=300)
    assert again.returncode == 0, said
    assert not answers(run)
    whole = started(run, tmp_path / "whole.json")
    said, _ = whole.communicate(timeout=300)
    assert whole.returncode == 0, said
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
