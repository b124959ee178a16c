"""Small builders and paths that the tests share."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from filelock import FileLock

Made = TypeVar("Made")

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("REPLAY_SHARED_DATA", str(ROOT.parent / "shared" / "data")))


def shared(relative: str) -> Path:
    """A file of the development data, which is not part of the project; skips where absent."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"development data is not on this machine: {relative}")
    return path


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Made]) -> Made:
    """What ``make`` makes of a new folder, made once for all processes of a run of the suite.

    It is pickled for the others; what it says of the folder holds in each of them.
    """
    # Workers of xdist have folders of their own in the one of the run.
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    done = shared / f"{name}.pickle"
    with FileLock(shared / f"{name}.lock"):
        if not done.exists():
            done.write_bytes(pickle.dumps(make(factory.mktemp(name))))
        made: Made = pickle.loads(done.read_bytes())
        return made
