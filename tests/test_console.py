"""What both commands say on a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from anonymize import console
from anonymize.console import fitted
from anonymize.errors import UsageError
from tests.support import ROOT


def test_an_error_is_broken_between_words_and_where_it_was_stays_whole() -> None:
    place = "replay.toml: " + "sources.prod.map.kinds." * 5
    said = UsageError("it is not one of: " + "transcripts, " * 10, where=place, fix="add " * 30)
    lines = fitted(f"error: {said}", 80).split("\n")
    assert all(len(line) <= 80 or place in line for line in lines)
    assert "".join(lines).replace(" ", "") == f"error: {said}".replace(" ", "").replace("\n", "")
    assert sum(place in line for line in lines) == 1
    assert fitted("error: short\n  do:    this", 80) == "error: short\n  do:    this"


def ended(command: str, **env: str) -> tuple[int, str]:
    """Exit code and errors of ``command`` in bash; ``$CLI`` is the start of one of ours."""
    start = "from replay.cli import main; main()"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env={**os.environ, "CLI": start, "PY": sys.executable, **env},
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stderr


def test_a_reader_that_goes_away_does_not_make_a_pass_a_regression() -> None:
    code, errors = ended('set -o pipefail; "$PY" -c "$CLI" faults | head -1 > /dev/null')
    assert (code, errors) == (0, "")


def test_a_command_ends_as_it_would_where_nobody_listens() -> None:
    assert ended('"$PY" -c "$CLI" faults >&-') == (0, "")
    code, _ = ended('"$PY" -c "$CLI" faults no-such-fault 2>&- <&-')
    assert code == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_an_output_that_is_full_is_told_and_is_no_defect() -> None:
    code, errors = ended('"$PY" -c "$CLI" faults > /dev/full')
    assert code == 2
    assert errors == "error: the output can't be written: No space left on device\n"


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: int) -> None:
        raise KeyError

    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", nobody)
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # given back behind the test
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    console._surroundings()
    assert not Path("~/.config").expanduser().exists()
