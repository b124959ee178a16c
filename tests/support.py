"""Small builders and paths that the tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("REPLAY_SHARED_DATA", str(ROOT.parent / "shared" / "data")))


def shared(relative: str) -> Path:
    """A file of the development data, which is not part of the project; skips where absent."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"development data is not on this machine: {relative}")
    return path
