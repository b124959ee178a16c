"""Erasing one person: found in every spelling, gone at once, and not brought back."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from filelock import FileLock

from anonymize import pipeline
from anonymize.cli import cli
from anonymize.errors import StoreError, UsageError
from anonymize.holder import forget
from anonymize.holder.lookup import Lookup
from anonymize.keys import PseudonymKey
from anonymize.policy import ScrubPolicy
from anonymize.scrub import Scrubber
from anonymize.store import Store, StoreWriter, read_tombstones
from anonymize.store.schema import TABLES
from anonymize.trace import LLMCall, Message, QuarantinedTrace, SkippedTrace, ToolCall, Trace
from tests.store.builders import PROMPT
from tests.support import ROOT

SECRET = "a key for tests, nothing is real"
KEY = PseudonymKey(SECRET.encode())
POLICY = ScrubPolicy(model="", tagger="", workers=0)
DAY = datetime(2026, 3, 1, tzinfo=UTC)
MEI = {"first_name": "Mei", "last_name": "Kovacs", "email": "mei.kovacs@corp.internal",
       "user_id": "mei_kovacs_8020", "phone": "+44 7700 900123"}  # fmt: skip
OTHER = {"first_name": "Mei", "last_name": "Lindqvist", "email": "mei.l@corp.internal",
         "user_id": "mei_lindqvist_17", "phone": "+44 7700 900999"}  # fmt: skip


def make_trace(trace_id: str, content: Any, **fields: Any) -> Trace:
    prompt = Message(role="system", content=PROMPT + trace_id)
    steps = (
        LLMCall(step_id="1", input=(prompt, Message(role="user", content="hello"))),
        ToolCall(step_id="2", name="get_user", arguments={}, result=content),
    )
    return Trace(trace_id=trace_id, agent="shop", steps=steps, **{"started_at": DAY, **fields})


def hers() -> list[Trace]:
    """One trace for each way in which a person's data stands in a trace, over several days."""
    code = base64.b64encode(json.dumps(MEI).encode()).decode()
    forms = {
        "object": MEI,
        "text": "My name is Mei Kovacs, hello",
        "shout": "From: KOVACS, MEI (customer)",
        "handle": {"user_id": MEI["user_id"]},
        "email": "write to mei.kovacs@corp.internal",
        "quoted": "https://shop.test/u?m=mei.kovacs%40corp.internal",
        "nested": json.dumps({"data": json.dumps(MEI)}),
        "base64": code,
        "phone": "call me at 07700 900123",
    }
    return [
        make_trace(name, content, started_at=DAY + timedelta(days=number % 3))
        for number, (name, content) in enumerate(forms.items())
    ]


def others() -> list[Trace]:
    return [make_trace(f"other-{i}", OTHER, started_at=DAY + timedelta(days=i)) for i in range(3)]


class Listed:
    """A source that is a list."""

    name = "export"

    def __init__(self, items: Iterable[Trace]) -> None:
        self._items = list(items)

    def read(self) -> Iterator[Trace | SkippedTrace]:
        yield from self._items


def ingest(root: Path, items: Iterable[Trace], policy: ScrubPolicy = POLICY) -> pipeline.Tally:
    _, tally = pipeline.ingest(Listed(items), root, Scrubber.create(policy, KEY))
    return tally


def erase(root: Path, *values: str, entity: str = "", policy: ScrubPolicy = POLICY) -> set[str]:
    person = forget.Person(values, policy, KEY, entity=entity)
    found = forget.find(Store(root), person)
    forget.erase(root, found, person, KEY)
    return set(found.ids)


@pytest.fixture(scope="module")
def _filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("filled") / "store"
    ingest(root, [*hers(), *others()])
    return root


@pytest.fixture
def store(_filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(_filled, tmp_path / "store"))


NAMED = {"object", "text", "shout", "handle", "email", "quoted", "nested", "base64"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Mei Kovacs", NAMED),
        ("kovacs, mei", NAMED),
        ("mei.kovacs@corp.internal", {"object", "email", "quoted", "nested", "base64"}),
        ("MEI.KOVACS@corp.internal", {"object", "email", "quoted", "nested", "base64"}),
        ("mei_kovacs_8020", {"object", "handle", "nested", "base64"}),
        ("+44 7700 900123", {"object", "phone", "nested", "base64"}),
        ("07700900123", {"object", "phone", "nested", "base64"}),
    ],
)
def test_a_person_is_found_in_every_spelling_and_nobody_else_is(
    store: Path, value: str, expected: set[str]
) -> None:
    assert erase(store, value) == expected
    left = set(Store(store).ids())
    assert left == {t.trace_id for t in (*hers(), *others())} - expected
    assert erase(store, value) == set()


def test_a_surrogate_finds_what_its_value_finds(store: Path) -> None:
    made = [surrogate for _, surrogate in Lookup(POLICY, KEY).find("Mei Kovacs", entity="PERSON")]
    assert erase(store, *made) == NAMED


def test_several_values_are_one_person(store: Path) -> None:
    assert erase(store, "Mei Kovacs", "07700 900123") == {t.trace_id for t in hers()}


def test_a_value_that_was_not_scrubbed_is_found_too(tmp_path: Path) -> None:
    policy = ScrubPolicy(model="", tagger="", workers=0, allow_list=("mei.kovacs@corp.internal",))
    ingest(tmp_path, [make_trace("t", "write to mei.kovacs@corp.internal")], policy)
    assert "mei.kovacs" in repr(Store(tmp_path).trace("t"))
    assert erase(tmp_path, "mei.kovacs@corp.internal", policy=policy) == {"t"}


@pytest.mark.parametrize("value", ["Mei", "Kovacs", "42", "Austin", "1990-04-05"])
def test_what_is_many_peoples_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="can't tell a person"):
        forget.Person([value], POLICY, KEY)


def test_a_single_name_is_everybody_of_that_name_if_one_says_so(store: Path) -> None:
    found = erase(store, "Mei", entity="PERSON")
    assert {"other-0", "text"} <= found


def test_nothing_of_the_removed_traces_stays_on_disk(store: Path) -> None:
    blobs = set(Store(store).scan("blobs").collect()["text_json"])
    erase(store, "Mei Kovacs", "07700 900123")
    left = set(Store(store).scan("blobs").collect()["text_json"])
    assert len(blobs) - len(left) == len(hers()), "prompts that only they used"
    files = {path for table in TABLES for path in Store(store).files(table)}
    assert set(store.rglob("*.parquet")) == files
    name = Lookup(POLICY, KEY).find("Kovacs", entity="PERSON")[0][1]
    for path in store.rglob("*"):
        assert path.is_dir() or name.lower().encode() not in path.read_bytes().lower()


def test_a_later_ingest_of_the_same_export_does_not_bring_the_person_back(store: Path) -> None:
    removed = erase(store, "Mei Kovacs")
    again = make_trace("new", "a new day for Mei Kovacs <mei.kovacs@corp.internal>")
    tally = ingest(store, [*hers(), *others(), again])
    assert tally.forgotten == len(removed) + 1
    assert not (removed | {"new"}) & set(Store(store).ids())
    assert {"other-0", "phone"} <= set(Store(store).ids())


def test_tombstones_hold_no_personal_data(store: Path) -> None:
    erase(store, "Mei Kovacs", "mei.kovacs@corp.internal")
    stones = read_tombstones(store)
    assert {stone.kind for stone in stones} == {"value", "trace"}
    assert all(set(stone.digest) <= set("0123456789abcdef") for stone in stones)
    text = (store / "_forgotten" / "tombstones.json").read_text().casefold()
    name = Lookup(POLICY, KEY).find("Kovacs", entity="PERSON")[0][1].casefold()
    assert "kovacs" not in text
    assert name not in text
    assert "object" not in text


def test_records_of_what_was_not_taken_go_too(tmp_path: Path) -> None:
    reference = forget.trace_ref(KEY, "text")
    records: list[SkippedTrace | QuarantinedTrace] = [
        SkippedTrace(reason="not JSON", where="exports/Mei Kovacs.json"),
        SkippedTrace(reason="not JSON", where="exports/anna.json"),
        QuarantinedTrace(reason="took too long", trace_ref=reference, size=3),
        QuarantinedTrace(reason="took too long", trace_ref="0" * 16, size=3),
    ]
    ingest(tmp_path, hers())
    StoreWriter(tmp_path).write(records, source="by hand")
    erase(tmp_path, "Mei Kovacs")
    assert [r.where for r in Store(tmp_path).skipped()] == ["exports/anna.json"]
    assert [r.trace_ref for r in Store(tmp_path).quarantined()] == ["0" * 16]


@pytest.mark.parametrize("scope", ["tenant", "session"])
def test_a_person_is_found_in_every_scope(tmp_path: Path, scope: Any) -> None:
    policy = ScrubPolicy(model="", tagger="", workers=0, scope=scope)
    traces = [
        make_trace(f"t{i}", MEI, session_id=f"s{i}", tags={"tenant": f"{i % 2}"}) for i in range(4)
    ]
    bystanders = [make_trace("o", OTHER, session_id="s0", tags={"tenant": "0"})]
    ingest(tmp_path, [*traces, *bystanders], policy)
    assert erase(tmp_path, "mei_kovacs_8020", policy=policy) == {"t0", "t1", "t2", "t3"}
    tally = ingest(tmp_path, [*traces, *bystanders], policy)
    assert tally.forgotten == 4
    assert Store(tmp_path).ids() == ["o"]


# A fresh interpreter, which forks for each point: no thread of polars runs before the fork.
CHILD = """
import os, shutil, signal, sys
from pathlib import Path
from tests.scrub.test_forget import POLICY, die_at, erase

start, folder = Path(sys.argv[1]), Path(sys.argv[2])
for point in range(1, 500, 2):
    root = folder / f"{point:03}"
    shutil.copytree(start, root)
    child = os.fork()
    if child == 0:
        die_at(point)
        erase(root, "Mei Kovacs")
        os._exit(0)
    if os.waitpid(child, 0)[1] != signal.SIGKILL:
        break
"""


def test_killed_at_any_rename_or_flush_an_erasure_is_done_or_not_and_can_be_run_again(
    store: Path, tmp_path: Path
) -> None:
    before, wanted = set(Store(store).ids()), {t.trace_id for t in others()} | {"phone"}
    skip = SkippedTrace(reason="not JSON", where="Mei Kovacs.json")
    StoreWriter(store).write([skip], source="other")
    killed = tmp_path / "killed"
    command = [sys.executable, "-c", CHILD, str(store), str(killed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    outcomes = []
    for number, root in enumerate(sorted(killed.iterdir())):
        found = set(Store(root).ids())
        assert found in (before, wanted), f"neither before nor after: {root.name}"
        assert len(list(Store(root).traces())) == len(found), "and whole for readers"
        outcomes.append(found == wanted)
        if number % 4:
            continue  # again after each would only take longer
        erase(root, "Mei Kovacs")
        assert set(Store(root).ids()) == wanted
        assert Store(root).skipped() == []
        assert set(root.rglob("traces/**/*.parquet")) == set(Store(root).files("traces"))
        assert not (root / "_staging").exists()
    assert outcomes[0] is False
    assert outcomes[-1] is True
    assert outcomes == sorted(outcomes), "one point in time separates before from after"
    assert ingest(sorted(killed.iterdir())[-1], hers()).forgotten == len(NAMED)
    assert len(outcomes) > 10


def die_at(point: int) -> None:
    """Kill this process at its ``point``-th rename, flush or removal."""
    calls = [0]

    def dies(real: Any, quiet: bool) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            calls[0] += 1
            if calls[0] == point:
                os.kill(os.getpid(), signal.SIGKILL)
            return None if quiet else real(*args, **kwargs)

        return call

    for name in ("replace", "rename", "fsync", "unlink"):
        setattr(os, name, dies(getattr(os, name), name == "fsync"))


def test_an_ingest_that_waits_for_an_erasure_does_not_bring_the_person_back(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = StoreWriter.write

    def late(self: StoreWriter, *args: Any, **kwargs: Any) -> Any:
        monkeypatch.undo()
        erase(store, "Mei Kovacs")
        return write(self, *args, **kwargs)

    monkeypatch.setattr(StoreWriter, "write", late)
    assert ingest(store, hers()).forgotten == len(NAMED)
    assert not NAMED & set(Store(store).ids())


def test_what_comes_while_a_person_is_asked_goes_too(store: Path) -> None:
    """A receiver writes on while somebody reads the question, and so does a night."""
    person = forget.Person(["Mei Kovacs"], POLICY, KEY)
    found = forget.find(Store(store), person)
    late = [
        make_trace("late", MEI),
        make_trace("undated", MEI, started_at=None),
        make_trace("other-0", MEI),
        make_trace("other-9", OTHER),
    ]
    ingest(store, late)
    assert forget.erase(store, found, person, KEY)[0] == len(NAMED) + 3
    assert set(Store(store).ids()) == {"phone", "other-1", "other-2", "other-9"}
    assert ingest(store, late).forgotten == 3, "and has tombstones"


@pytest.mark.parametrize("folder", [".", "past"])
def test_a_run_that_is_going_on_is_not_deleted(tmp_path: Path, folder: str) -> None:
    """A night replays earlier days first, under a lock of their own."""
    run = tmp_path / "2026-03-01"
    (run / "past").mkdir(parents=True)
    with FileLock(run / folder / ".lock"), pytest.raises(StoreError, match="is going on"):
        forget.delete_runs(tmp_path, [run])
    assert run.is_dir()
    assert forget.delete_runs(tmp_path, [run]) == 1


def test_runs_with_the_persons_traces_are_deleted_whole(store: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    ingest(runs / "a" / "traces", hers()[:1])
    ingest(runs / "b" / "traces", others())
    ingest(runs / "c" / "traces", [make_trace("text", "the same trace, replayed")])
    (runs / "d").mkdir()
    ingest(runs / "e" / "traces", others())
    ingest(runs / "e" / "past" / "traces", hers()[:1])  # a night's replays of earlier days
    person = forget.Person(["Mei Kovacs"], POLICY, KEY)
    found = forget.find(Store(store), person)
    assert [run.name for run in forget.runs_with(runs, found, person)] == ["a", "c", "e"]
    assert forget.delete_runs(runs, forget.runs_with(runs, found, person)) == 3
    assert sorted(path.name for path in runs.iterdir()) == ["b", "d"]


def command(*arguments: str, given: str = "") -> Any:
    return CliRunner().invoke(
        cli, arguments, input=given, env={"REPLAY_ANONYMIZE_KEY": SECRET}, catch_exceptions=True
    )


def test_the_command_asks_and_a_dry_run_removes_nothing(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = Store(store).ids()
    dry = command("forget", "Mei Kovacs", "--store", str(store), "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert f"{len(NAMED)} traces" in dry.output
    assert "Kovacs" not in dry.output
    refused = command("forget", "Mei Kovacs", "--store", str(store), given="n\n")
    assert refused.exit_code != 0
    assert Store(store).ids() == before
    done = command("forget", "-", "--store", str(store), "--yes", given="Mei Kovacs\n")
    assert done.exit_code == 0, done.output
    assert len(Store(store).ids()) == len(before) - len(NAMED)


def test_another_key_is_refused_before_it_finds_nobody(store: Path) -> None:
    with pytest.raises(UsageError, match="another key"):
        forget.check_key(Store(store), PseudonymKey(b"another key, quite as long as it"), store)
