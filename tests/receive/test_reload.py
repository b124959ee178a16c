"""SIGHUP: another config while spans come in, and none is lost over it."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from anonymize.store import Store
from tests.receive.test_receive import post, receiving, request_of, span


def said_by(process: object, text: str) -> str:
    """What the receiver says on its error stream, up to a line with ``text``."""
    stream = process.stderr  # type: ignore[attr-defined]
    lines = ""
    until = time.monotonic() + 60
    while text not in lines and time.monotonic() < until:
        lines += stream.readline()
    assert text in lines
    return lines


def test_a_new_config_is_used_and_a_broken_one_is_told(tmp_path: Path) -> None:
    config = tmp_path / "replay.toml"
    with receiving(tmp_path, "--quiet", "60", "--every", "0.2") as (process, where):
        url = f"http://{where['http']}"
        assert post(url, request_of(span("a" * 32, "aa")), "application/json")[0] == 200
        good = config.read_text()
        config.write_text(good + "no_such_key = 1\n")
        process.send_signal(signal.SIGHUP)
        said_by(process, "going on with the one before")
        config.write_text(good + "workers = 1\n")
        process.send_signal(signal.SIGHUP)
        said_by(process, "the config was read again")
        assert post(url, request_of(span("b" * 32, "bb")), "application/json")[0] == 200
        process.terminate()
        out, _ = process.communicate(timeout=60)
    assert "received 2 spans; 2 traces added" in out
    assert Store(tmp_path / "traces").summary().traces == 2
