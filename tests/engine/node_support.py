"""Node, and the packages of tests/node, where they are installed; tests skip where not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT

SCRIPTS = ROOT / "tests" / "node"


def node() -> str:
    """The program; skips where there is none."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed")
    return found


def node_folder(tmp_path: Path, *packages: str) -> Path:
    """A folder with the scripts of tests/node, which can import ``packages``; skips without."""
    node()
    installed = Path(os.environ.get("REPLAY_NODE_MODULES", SCRIPTS / "node_modules"))
    for package in packages:
        if not (installed / package).is_dir():
            pytest.skip(f"{package} is not installed: npm install in tests/node")
    folder = tmp_path / "node"
    folder.mkdir()
    for script in SCRIPTS.glob("*.mjs"):
        shutil.copy(script, folder)
    (folder / "node_modules").symlink_to(installed.resolve())
    return folder


def run_node(
    folder: Path, script: str, *args: str, given: Any = None, env: Mapping[str, str] | None = None
) -> Any:
    """The JSON that a script of the folder prints."""
    done = subprocess.run(
        [node(), str(folder / script), *args],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **(env or {})},
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
