"""The files on disk: all three, whole, or what was there before."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from anonymize.errors import AnonymizeError
from replay.report import write_all, write_html
from replay.report.files import write_atomically
from tests.report.demo import demo_diff, demo_document, demo_run


def test_three_files_are_written_and_nothing_else(tmp_path: Path) -> None:
    written = write_all(demo_diff(), demo_run(), tmp_path / "runs" / "one")
    names = sorted(p.name for p in (tmp_path / "runs" / "one").iterdir())
    assert names == ["report.html", "report.json", "summary.md"]
    assert json.loads(written.json.read_bytes()) == written.document
    assert written.html.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_writing_again_replaces_and_gives_the_same_bytes(tmp_path: Path) -> None:
    first = {p.name: p.read_bytes() for p in _write(tmp_path)}
    assert {p.name: p.read_bytes() for p in _write(tmp_path)} == first


def _write(folder: Path) -> list[Path]:
    written = write_all(demo_diff(), demo_run(), folder)
    return [written.html, written.json, written.summary]


def test_a_saved_document_draws_the_same_page(tmp_path: Path) -> None:
    written = write_all(demo_diff(), demo_run(), tmp_path)
    write_html(json.loads(written.json.read_bytes()), tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == written.html.read_bytes()


def test_a_folder_that_is_a_file_is_named_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(AnonymizeError) as caught:
        write_html(demo_document(), tmp_path / "taken" / "report.html")
    assert "can't be written" in caught.value.what
    assert caught.value.fix
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_failure_halfway_leaves_every_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"old one")
    two.write_bytes(b"old two")
    calls = []

    def full(fd: int) -> None:
        calls.append(fd)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AnonymizeError, match="No space left"):
        write_atomically({one: b"new one", two: b"new two"})
    assert (one.read_bytes(), two.read_bytes()) == (b"old one", b"old two")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one", "two"]
