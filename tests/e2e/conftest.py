"""The demo's two days, ingested and replayed once, by the commands that a user types."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, once

#: Not a secret: tests need the same surrogates each time.
KEY = "0123456789abcdef" * 4


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


def command(program: str, *args: str | Path, cwd: Path = ROOT, **env: str) -> Ran:
    """Run ``anonymize`` or ``replay`` as a user does, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", f"from {program}.cli import main; main()", *map(str, args)],
        cwd=cwd,
        env={**os.environ, "REPLAY_ANONYMIZE_KEY": KEY, "COLUMNS": "80", **env},
        capture_output=True,
        text=True,
        timeout=600,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Demo:
    """The demo, done: its store, and for each version what the command said and reported.

    Several processes may share it: only tests of ``test_demo.py`` write below ``root``.
    """

    root: Path
    store: Path
    ingest: Ran
    runs: dict[str, tuple[Ran, Path]]

    def report(self, version: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.runs[version][1] / "report.json").read_text())
        return document


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return once(tmp_path_factory, "demo", _done)


def _done(root: Path) -> Demo:
    store = root / "traces"
    ingest = command("anonymize", "ingest", "demo", "--out", store)
    assert ingest.code == 0, ingest.all
    runs = {}
    for version in ("v1", "v2"):
        folder = root / version
        ran = command(
            "replay", "run", version, "--traces", store, "--baseline", "v1", "--out", folder
        )
        assert (folder / "report.json").exists(), ran.all
        runs[version] = (ran, folder)
    return Demo(root=root, store=store, ingest=ingest, runs=runs)
