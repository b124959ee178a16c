"""The pseudonym key: safe at rest, never shown."""

from __future__ import annotations

import os
import pickle
import stat
from pathlib import Path

import pytest

from anonymize.errors import KeyMaterialError
from anonymize.keys import PseudonymKey, load_key
from anonymize.policy import ScrubPolicy

SECRET = "0123456789abcdef0123456789abcdef"


def test_a_missing_key_file_is_made_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "key"
    first = PseudonymKey.from_file(path, create=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path], "no draft is left behind"
    again = PseudonymKey.from_file(path, create=True)
    assert first.digest("a", "b") == again.digest("a", "b")


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(SECRET)
    path.chmod(0o640)
    with pytest.raises(KeyMaterialError, match="read by others") as caught:
        PseudonymKey.from_file(path)
    assert SECRET not in str(caught.value)


def test_a_link_in_place_of_the_key_file_is_refused(tmp_path: Path) -> None:
    real = tmp_path / "real"
    PseudonymKey.from_file(real, create=True)
    link = tmp_path / "link"
    link.symlink_to(real)
    with pytest.raises(KeyMaterialError):
        PseudonymKey.from_file(link)


def test_a_short_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "short")
    with pytest.raises(KeyMaterialError, match="at least 16"):
        PseudonymKey.from_environment("SOME_KEY")


def test_the_environment_goes_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = ScrubPolicy(key_env="SOME_KEY", key_file="key")
    monkeypatch.setenv("SOME_KEY", SECRET)
    key = load_key(policy, tmp_path)
    assert key.digest("a", "b") == PseudonymKey(SECRET.encode()).digest("a", "b")
    assert not (tmp_path / "key").exists()
    monkeypatch.delenv("SOME_KEY")
    load_key(policy, tmp_path)
    assert (tmp_path / "key").exists()


def test_a_key_is_never_shown_and_never_pickled() -> None:
    key = PseudonymKey(SECRET.encode())
    assert SECRET not in repr(key) + str(key) + f"{key}"
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_domains_are_independent() -> None:
    key = PseudonymKey(os.urandom(32))
    assert key.digest("a", "b") != key.digest("a", "c") != key.digest("b", "b")
