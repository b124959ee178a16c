"""Real values in an agent's calls match the surrogates in the store; the key stays outside."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from anonymize.config import AnonymizeConfig
from anonymize.holder.lookup import Lookup
from anonymize.keys import PseudonymKey, load_key
from replay.config import ReplayConfig
from replay.pseudonyms import PseudonymClient, PseudonymServer
from tests.engine.support import called, config_for, replay_all, script_trace

KEY = "7" * 64
EMAIL = "mei.kovacs@corp.com"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", KEY)


def surrogate(value: str, entity: str, config: ReplayConfig | None = None) -> str:
    policy = AnonymizeConfig.from_tables({}, Path()).policy
    ((_, made),) = Lookup(policy, load_key(policy)).find(value, entity=entity)
    return made


def test_real_values_of_the_agents_own_match_what_was_recorded() -> None:
    email, name = surrogate(EMAIL, "EMAIL_ADDRESS"), surrogate("Mei Kovacs", "PERSON")
    calls = (
        called("find", {"email": email, "n": 1}, "found"),
        called("greet", {"who": name}, "hello"),
        called("send", {"text": f"please write to {email} today"}, "sent"),
    )
    asks = [
        ["find", {"email": EMAIL, "n": 1}],
        ["greet", {"who": "Mei Kovacs"}],
        ["send", {"text": f"please write to {EMAIL} today"}],
    ]
    result = replay_all("script", [script_trace("t", *calls, asks=asks)])["t"]
    assert result.trace.output == ["found", "hello", "sent"]
    assert [c.fidelity for c in result.trace.tool_calls] == ["normalized"] * 3
    assert result.findings == ()


def test_another_real_value_does_not_match() -> None:
    recorded = called("find", {"email": surrogate(EMAIL, "EMAIL_ADDRESS")}, "found")
    asks = [["find", {"email": "somebody@else.com"}]]
    result = replay_all("script", [script_trace("t", recorded, asks=asks)])["t"]
    assert result.status == "stopped"
    assert [f.code for f in result.findings] == ["unexpected", "unconsumed"]


def test_without_a_key_nothing_is_served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("REPLAY_ANONYMIZE_KEY")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert PseudonymServer.open(config_for("script", tmp_path)) is None
    assert PseudonymClient(str(tmp_path / "gone"))("", ("a@b.com",)) == {"a@b.com": ()}


def test_the_server_takes_nonsense_and_leaves_nothing_behind() -> None:
    import socket

    server = PseudonymServer.open(config_for("script"))
    assert server is not None
    folder = Path(server.address).parent
    assert folder.stat().st_mode & 0o077 == 0
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(server.address)
        connection.sendall(b"{nonsense\n[1]\n")
        with connection.makefile("rb") as file:
            assert [file.readline() for _ in range(2)] == [b"{}\n"] * 2
    found = PseudonymClient(server.address)("", (EMAIL, "7", "x" * 9_999))
    assert surrogate(EMAIL, "EMAIL_ADDRESS") in found[EMAIL]
    server.close()
    assert not folder.exists()


def test_scopes_have_surrogates_of_their_own() -> None:
    config = ReplayConfig.from_tables({"anonymize": {"scope": "session"}})
    server = PseudonymServer.open(config)
    assert server is not None
    try:
        client = PseudonymClient(server.address)
        one, two = (client(scope, (EMAIL,))[EMAIL] for scope in ("session-1", "session-2"))
        assert one
        assert two
        assert one != two
        assert client("", (EMAIL,))[EMAIL] == ()
    finally:
        server.close()


def test_what_a_killed_run_left_behind_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    lookup = Lookup(AnonymizeConfig.from_tables({}, Path()).policy, PseudonymKey(b"k" * 32))

    def left(name: str, *, age: float = 600.0) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as own:
            own.bind(str(folder / "s"))  # the file stays when its process ends
        os.utime(folder / "s", (time.time() - age,) * 2)
        return folder

    dead, young, others = left("replay-dead"), left("replay-new", age=1.0), left("replay-more")
    (others / "mine.txt").write_text("not ours to remove")
    with closing(PseudonymServer(lookup)) as alive:
        os.utime(alive.address, (time.time() - 600.0,) * 2)
        with closing(PseudonymServer(lookup)) as second:
            assert Path(second.address).exists()
            assert Path(alive.address).exists(), "somebody listens to it"
    assert not dead.exists()
    assert young.exists(), "it may not listen yet"
    assert (others / "mine.txt").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["replay-more", "replay-new"]


def test_a_server_that_nobody_closes_leaves_nothing_behind(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from replay.config import ReplayConfig\n"
        "from replay.pseudonyms import PseudonymServer\n"
        "server = PseudonymServer.open(ReplayConfig.from_tables({}))\n"
        "print(Path(server.address).exists())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True\n"
    assert list(tmp_path.iterdir()) == []
