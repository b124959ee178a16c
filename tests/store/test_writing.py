"""What a second write does, what the door refuses, and what is kept of what was not taken."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from anonymize.errors import StoreError
from anonymize.scrubbed import ScrubbedTrace
from anonymize.store import Store, StoreWriter, batches, merging
from anonymize.store.schema import TABLES
from anonymize.trace import LLMCall, Message, QuarantinedTrace, SkippedTrace, ToolCall, Trace, Usage
from tests.store.builders import DAY, contents, exact, make_trace, seal, write


def parquet_files(root: Path) -> list[Path]:
    return sorted(root.rglob("*.parquet"))


def many(count: int, **fields: Any) -> list[Trace]:
    return [make_trace(f"t{i:03}", **fields) for i in range(count)]


def test_the_same_ingest_twice_changes_no_file(tmp_path: Path) -> None:
    first = write(tmp_path, many(5))
    before = {path: path.read_bytes() for path in parquet_files(tmp_path)}
    second = write(tmp_path, many(5))
    assert (first.added, first.unchanged) == (5, 0)
    assert (second.added, second.unchanged, second.replaced) == (0, 5, 0)
    assert {path: path.read_bytes() for path in parquet_files(tmp_path)} == before


def test_the_same_trace_from_another_file_is_the_same_trace(tmp_path: Path) -> None:
    write(tmp_path, [make_trace(source="a.jsonl")])
    assert write(tmp_path, [make_trace(source="a.jsonl.gz")]).unchanged == 1


def test_other_content_under_the_same_id_replaces_the_trace(tmp_path: Path) -> None:
    write(tmp_path, many(5))
    changed = make_trace("t002", output="new")
    summary = write(tmp_path, [changed])
    assert (summary.added, summary.replaced) == (0, 1)
    assert contents(tmp_path) == exact([*many(5), changed])


def test_what_was_replaced_is_not_on_disk_any_more(tmp_path: Path) -> None:
    secret = "leaked before the policy was mended " * 40
    leaky = LLMCall(step_id="l", input=(Message(role="system", content=secret),))
    write(tmp_path, [make_trace("t1", steps=(leaky,)), make_trace("t2")])
    write(tmp_path, [make_trace("t1")])
    assert contents(tmp_path) == exact([make_trace("t1"), make_trace("t2")])
    texts = Store(tmp_path).scan("blobs").collect()["text_json"].to_list()
    assert not [text for text in texts if "leaked" in text]
    listed = {file for table in TABLES for file in Store(tmp_path).files(table)}
    assert set(parquet_files(tmp_path)) == listed


def test_a_trace_that_moves_to_another_day_and_agent_is_there_once(tmp_path: Path) -> None:
    write(tmp_path, [make_trace("t1"), make_trace("t2")])
    moved = make_trace("t1", started_at=DAY - timedelta(days=1), agent="other")
    assert write(tmp_path, [moved]).replaced == 1
    assert contents(tmp_path) == exact([moved, make_trace("t2")])
    assert [t.trace_id for t in Store(tmp_path).traces()] == ["t1", "t2"]
    last = make_trace("t2", started_at=DAY - timedelta(days=1), agent="other")
    write(tmp_path, [last])
    assert contents(tmp_path) == exact([moved, last]), "the first partition is empty now"
    assert write(tmp_path, [make_trace("t3")]).added == 1


def test_of_one_id_twice_in_a_write_the_last_one_stays(tmp_path: Path) -> None:
    first, last = make_trace(output="first"), make_trace(output="last")
    summary = write(tmp_path, [first, first, last])
    assert (summary.added, summary.unchanged, summary.replaced) == (1, 1, 1)
    assert contents(tmp_path) == exact([last])


def test_a_long_write_commits_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH_ROWS", 50)
    seen: list[int] = []

    def items() -> Iterator[ScrubbedTrace]:
        for trace in many(30):
            yield seal(trace)
            seen.append(len(contents(tmp_path)))

    assert StoreWriter(tmp_path).write(items(), source="x").added == 30
    assert seen[0] == 0
    assert 0 < seen[15] < 30, "the first batches can be read while the write goes on"
    assert contents(tmp_path) == exact(many(30))


def test_many_small_parts_are_merged(tmp_path: Path) -> None:
    traces = many(30)
    for trace in reversed(traces):
        write(tmp_path, [trace])
    assert len(Store(tmp_path).files("traces")) <= merging.MANY_PARTS
    assert contents(tmp_path) == exact(traces)
    assert [t.trace_id for t in Store(tmp_path).traces()] == [t.trace_id for t in traces]
    assert Store(tmp_path).scan("blobs").collect().height == 2


def test_when_the_source_fails_the_committed_batches_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_ROWS", 20)

    def items() -> Iterator[ScrubbedTrace | SkippedTrace]:
        yield SkippedTrace(reason="r", where="line 1")
        yield from map(seal, many(9))
        raise OSError("the source broke off")

    with pytest.raises(OSError, match="broke off"):
        StoreWriter(tmp_path).write(items(), source="x")
    assert 0 < len(contents(tmp_path)) < 9
    assert Store(tmp_path).skipped() == [], "the list belongs to a source that was read through"
    assert write(tmp_path, many(10)).added > 0
    assert contents(tmp_path) == exact(many(10))


@pytest.mark.parametrize("raw", [make_trace(), "text", None, {"trace": make_trace()}])
def test_only_what_was_scrubbed_gets_in(tmp_path: Path, raw: Any) -> None:
    with pytest.raises(TypeError, match="takes only what the scrubber made"):
        StoreWriter(tmp_path).write([seal(make_trace("ok")), raw], source="x")
    assert contents(tmp_path) == {}


def test_skipped_and_quarantined_are_listed_and_not_doubled(tmp_path: Path) -> None:
    skip = SkippedTrace(reason="not JSON", where="a.jsonl:7", trace_id="\ud800", size=3)
    hold = QuarantinedTrace(reason="unsure", trace_ref="ab12", size=9, where="a.jsonl:9")
    for _ in range(2):
        summary = StoreWriter(tmp_path).write([skip, seal(make_trace()), hold], source="a/b \udcff")
        assert (summary.skipped, summary.quarantined) == (1, 1)
    StoreWriter(tmp_path).write([skip], source="other")
    store = Store(tmp_path)
    assert store.skipped() == [skip, skip]
    assert store.quarantined() == [hold]
    # The source was mended: nothing of it is skipped any more.
    write(tmp_path, [make_trace()], source="a/b \udcff")
    assert Store(tmp_path).skipped() == [skip]
    assert Store(tmp_path).quarantined() == []


def test_a_source_that_comes_in_pieces_keeps_the_records_of_each(tmp_path: Path) -> None:
    skips = [SkippedTrace(reason="r", where=str(number)) for number in range(3)]
    for piece in ([skips[0]], [skips[1]], [], [skips[1], skips[2]]):
        StoreWriter(tmp_path).write(piece, source="s", complete=False)
    assert Store(tmp_path).skipped() == skips


@pytest.mark.parametrize(
    "trace",
    [
        make_trace("odd", started_at=datetime(2026, 3, 1)),
        make_trace("odd", input={1: "a number as key"}),
        make_trace("odd", input=object()),
        make_trace("odd", output="\ud800"),
        make_trace("odd", agent="\udfff"),
        make_trace("odd", source="\ud800"),
        make_trace("odd", session_id=7),
        make_trace("odd", duration_ms="fast"),
        make_trace("odd", steps=(LLMCall(step_id="a", usage=Usage(input_tokens=2**63)),)),
        make_trace("odd", steps=("not a step",)),
        make_trace("odd", steps=(ToolCall(step_id="a", name=b"bytes"),)),  # type: ignore[arg-type]
    ],
)
def test_a_trace_that_cannot_be_kept_exactly_is_skipped_and_told(
    tmp_path: Path, trace: Trace
) -> None:
    summary = write(tmp_path, [make_trace("t1"), trace, make_trace("t2")])
    assert (summary.added, summary.skipped) == (2, 1)
    assert contents(tmp_path) == exact([make_trace("t1"), make_trace("t2")])
    (skip,) = Store(tmp_path).skipped()
    assert skip.trace_id == "odd"


def test_flags_and_entities_are_counted(tmp_path: Path) -> None:
    flagged = make_trace("t1", lossy_flags=("partial", "truncated"))
    summary = write(tmp_path, [flagged, make_trace("t2", lossy_flags=("partial",))])
    assert summary.flags == {"partial": 2, "truncated": 1}
    assert summary.entities == {"PERSON": 2}


def test_two_writers_at_once_both_end_complete(tmp_path: Path) -> None:
    sets = [many(20), [replace(t, trace_id=f"u{t.trace_id}") for t in many(20)]]
    threads = [
        threading.Thread(target=write, args=(tmp_path, s, str(i))) for i, s in enumerate(sets)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert contents(tmp_path) == exact([*sets[0], *sets[1]])


def test_a_writer_that_waited_too_long_says_so(tmp_path: Path) -> None:
    write(tmp_path, [make_trace()])
    with FileLock(tmp_path / "_lock"), pytest.raises(StoreError) as caught:
        StoreWriter(tmp_path, lock_timeout=0.1).write([], source="x")
    assert "another process is writing" in caught.value.what
    assert caught.value.where == str(tmp_path)
    assert caught.value.fix


def test_a_reader_meets_a_whole_store_while_a_writer_replaces_it(tmp_path: Path) -> None:
    versions = [[replace(t, output=n) for t in many(6)] for n in range(8)]
    write(tmp_path, versions[0])
    store, stop = Store(tmp_path), threading.Event()

    def read() -> set[tuple[object, ...]]:
        seen: set[tuple[object, ...]] = set()
        while not stop.is_set():
            seen.add(tuple(t.output for t in store.traces()))
            seen.add((getattr(store.trace("t003"), "output", "gone"),) * 6)
        return seen

    with ThreadPoolExecutor() as pool:
        reader = pool.submit(read)
        for version in versions[1:]:
            write(tmp_path, version)
        stop.set()
    assert reader.result() <= {(n,) * 6 for n in range(8)}


def test_a_trace_that_comes_later_is_no_longer_listed_as_skipped(tmp_path: Path) -> None:
    """Under the name of another slice: a platform lists it one night and hands it out the next."""
    missed = [
        SkippedTrace(reason="not handed out", where="prod", trace_id=f"t{n}") for n in range(3)
    ]
    nameless = SkippedTrace(reason="not JSON", where="line 3")
    StoreWriter(tmp_path).write([*missed[:2], nameless], source="prod 18:00")
    StoreWriter(tmp_path).write([missed[2]], source="prod 20:00")
    late = SkippedTrace(reason="spans came later", where="prod", trace_id="t2")
    for _ in range(2):  # the second time t0 and t2 are there already
        items = [seal(make_trace("t0")), seal(make_trace("t2")), late]
        StoreWriter(tmp_path).write(items, source="prod 22:00")
        assert Store(tmp_path).skipped() == [missed[1], nameless, late]
