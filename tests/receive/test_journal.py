"""What a killed receiver had not written: how much that was is known, and told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from anonymize.cli import cli
from anonymize.errors import StoreError
from anonymize.receive import Buffer, Keeping
from anonymize.receive.buffer import Waiting
from anonymize.receive.journal import Journal, Losses, losses_of, received, settle
from anonymize.store import Store
from tests.buckets import serving
from tests.receive.test_receive import as_span, post, receiving, request_of, span

#: Keeps a journal until it is killed.
_HOLDS = """
import sys, time
from pathlib import Path
from anonymize.receive.buffer import Waiting
from anonymize.receive.journal import Journal
journal = Journal(Path(sys.argv[1]))
journal.note(Waiting(7, 2, 1000.5, 1010.25))
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process with seven spans that wait."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDS, str(tmp_path / "traces")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()


def test_what_waits_is_counted_from_the_first_span_to_the_written_trace() -> None:
    now, told = [100.0], list[Waiting]()
    buffer = Buffer(clock=lambda: now[0], wall=lambda: now[0], watch=told.append)
    buffer.put([as_span("t", "1"), as_span("t", "2")])
    now[0] = 130.0
    buffer.put([as_span("u", "1")])
    assert told[-1] == Waiting(3, 2, 100.0, 130.0)
    ready = buffer.take(quiet_for=20)
    assert buffer.waiting == told[-1]  # handed out is not written
    buffer.done(ready)
    assert told[-1] == Waiting(1, 1, 130.0, 130.0)
    buffer.put([as_span("t", "3")])
    assert told[-1].spans == 2  # of the trace that was written only what came since
    buffer.done(buffer.take(quiet_for=0))
    assert told[-1] == buffer.waiting == Waiting()


def test_a_failed_write_keeps_waiting(tmp_path: Path) -> None:
    class Failing(Keeping):
        def _write(self, groups: Any) -> None:
            raise StoreError("no space", where="x")

    buffer = Buffer(clock=lambda: 0.0)
    buffer.put([as_span("t", "1")])
    with pytest.raises(StoreError):
        Failing(buffer, tmp_path, None).flush(everything=True)  # type: ignore[arg-type]
    assert buffer.waiting.spans == 1


def test_who_lives_waits_and_who_was_killed_has_lost(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    store = tmp_path / "traces"
    assert received(store).live == (Waiting(7, 2, 1000.5, 1010.25),)
    assert settle(store) == ()
    holder.kill()
    holder.wait()
    before = received(store)
    assert before.live == ()
    assert [loss.spans for loss in before.unlisted] == [7]
    assert losses_of(store) == Losses()
    (loss,) = settle(store, now=lambda: 2000.0)
    assert (loss.spans, loss.traces, loss.first, loss.last) == (7, 2, 1000.5, 1010.25)
    assert settle(store) == ()
    assert losses_of(store).latest == (loss,)
    assert received(store).lost.spans == 7


def test_a_list_that_was_made_and_not_tidied_up_counts_once(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    store = tmp_path / "traces"
    (path,) = (store / "_receiving").glob("*.json")
    holder.kill()
    holder.wait()
    data = path.read_bytes()
    settle(store)
    path.write_bytes(data)  # as if it had been killed between the two
    settle(store)
    assert (losses_of(store).times, losses_of(store).spans) == (1, 7)


@pytest.mark.parametrize("left", [b"", b"{", b"[]\n", b"\0" * 512, b'{"spans": "x"}'])
def test_a_journal_that_says_nothing_is_no_loss(tmp_path: Path, left: bytes) -> None:
    folder = tmp_path / "_receiving"
    folder.mkdir()
    (folder / "a.json").write_bytes(left)
    assert settle(tmp_path) == ()
    assert not list(folder.glob("*.json"))


def test_a_journal_goes_when_nothing_waits_and_stays_when_something_does(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.note(Waiting(3, 1, 5.0, 6.0))
    journal.close(Waiting())
    assert settle(tmp_path) == ()
    journal = Journal(tmp_path)
    journal.note(Waiting(3, 1, 5.0, 6.0))
    journal.close(Waiting(3, 1, 5.0, 6.0))  # the end, with a store that can't be written
    assert [loss.spans for loss in settle(tmp_path)] == [3]


def test_it_holds_counts_and_times_and_nothing_else(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.note(Waiting(10**9, 10**8, 1_795_434_671.943, 1_795_434_999.1))
    (path,) = (tmp_path / "_receiving").glob("*.json")
    data = path.read_bytes()
    journal.close(Waiting())
    assert len(data) == 512
    assert set(json.loads(data)) == {"schema", "pid", "spans", "traces", "first", "last"}


def test_a_killed_receiver_is_told_of_by_the_next_one_and_by_stats(tmp_path: Path) -> None:
    options = ("--quiet", "60", "--settle", "60")
    with receiving(tmp_path, *options) as (process, where):
        url = f"http://{where['http']}"
        for number in range(3):
            body = request_of(span(f"{number + 1:032x}", "aa"), span(f"{number + 1:032x}", "bb"))
            assert post(url, body, "application/json")[0] == 200
        told = CliRunner().invoke(cli, ["stats", str(tmp_path / "traces")])
        assert "waiting in a receiver: 6 spans of 3 traces, since 20" in told.output
        process.kill()
        process.wait()
    with receiving(tmp_path, "--settle", "0", "--quiet", "0", "--every", "0.1") as (process, where):
        url = f"http://{where['http']}"
        assert post(url, request_of(span("a" * 32, "aa")), "application/json")[0] == 200
        process.terminate()
        _, said = process.communicate(timeout=60)
    assert "killed before it had written 6 spans of 3 traces" in said
    assert Store(tmp_path / "traces").summary().traces == 1
    told = CliRunner().invoke(cli, ["stats", str(tmp_path / "traces")])
    assert "lost in killed receivers: 6 spans of 3 traces" in told.output
    plain = CliRunner().invoke(cli, ["stats", str(tmp_path / "traces"), "--json"])
    assert json.loads(plain.output)["receivers"]["lost"]["spans"] == 6
    assert json.loads(plain.output)["receivers"]["waiting"] == []


def test_what_was_lost_on_one_machine_is_known_on_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal is where the receiver is; the list goes with the store."""
    pytest.importorskip("moto.server")
    with serving("lost", "eu-west-1") as (_, where):
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{where}")
        monkeypatch.setenv("REPLAY_CACHE", str(tmp_path / "here"))
        store = Path("s3://lost/store")
        journal = Journal(store)
        journal.note(Waiting(3, 1, 5.0, 6.0))
        monkeypatch.setenv("REPLAY_CACHE", str(tmp_path / "there"))
        assert settle(store) == ()  # of another machine's receiver nothing is known
        monkeypatch.setenv("REPLAY_CACHE", str(tmp_path / "here"))
        journal.close(Waiting(3, 1, 5.0, 6.0))
        assert [loss.spans for loss in settle(store)] == [3]
        monkeypatch.setenv("REPLAY_CACHE", str(tmp_path / "there"))
        assert losses_of(store).spans == received(store).lost.spans == 3
