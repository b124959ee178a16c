"""Real servers from environments of their own (``make servers``), started on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import ROOT

SERVERS = Path(os.environ.get("REPLAY_SERVERS", ROOT / ".servers"))


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def python_of(name: str) -> Path:
    """The interpreter of a server's environment; skips the test where it is not installed."""
    python = SERVERS / name / "bin" / "python"
    if not python.exists():
        pytest.skip(f"the server {name} is not installed (`make servers` does that)")
    return python


@contextmanager
def running(
    command: list[str], url: str, log: Path, env: Mapping[str, str], *, seconds: float = 300
) -> Iterator[str]:
    """The server at ``url`` until the block ends; its process is stopped by its own id."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **env}
        )
    try:
        _wait_for(process, url, log, seconds)
        yield url.rpartition("/")[0]
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


def _wait_for(process: subprocess.Popen[bytes], url: str, log: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the server ended: {log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"no answer from {url}: {log.read_text()[-2000:]}")
