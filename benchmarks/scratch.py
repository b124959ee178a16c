"""A folder for a measurement that is gone when it ends, also when ``timeout`` ends it."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch(where: Path | None = None) -> Iterator[str]:
    """The name of a new folder (in ``where``), removed at the end and at SIGTERM.

    For the main thread: only there can a signal be turned into an exit.
    """
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with tempfile.TemporaryDirectory(dir=where) as name:
            yield name
    finally:
        signal.signal(signal.SIGTERM, before)
