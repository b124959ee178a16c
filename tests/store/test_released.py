"""Stores of every schema that was released are read by the code of today."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from anonymize.scrubbed import _seal
from anonymize.store import Store, StoreWriter
from anonymize.store.schema import SCHEMA_VERSION
from tests.store.released import make

RELEASED = sorted(int(p.name) for p in make.HERE.iterdir() if p.name.isdecimal())


def test_the_schema_of_today_has_a_store() -> None:
    """Whoever raises the version runs ``python -m tests.store.released.make`` and commits it."""
    assert SCHEMA_VERSION in RELEASED
    assert list(range(1, SCHEMA_VERSION + 1)) == RELEASED


@pytest.fixture(params=RELEASED, ids=lambda v: f"schema {v}")
def schema(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def released(schema: int, tmp_path: Path) -> Path:
    return Path(shutil.copytree(make.HERE / str(schema), tmp_path / "store"))


def test_its_traces_are_what_was_written(released: Path, schema: int) -> None:
    known = {t.trace_id: t for t in Store(released).traces()}
    assert known == {t.trace_id: t for t in make.traces(schema)}


def test_the_same_traces_are_the_same_to_the_writer_of_today(released: Path, schema: int) -> None:
    """Nothing is written again, and receipts over the store hold on."""
    same = [_seal(t, "policy-7777", {"PERSON": 2}) for t in make.traces(schema)]
    before = Store(released).manifests()
    done = StoreWriter(released).write(same, source="made", complete=False)
    assert (done.added, done.replaced, done.unchanged) == (0, 0, len(same))
    assert Store(released).manifests() == before


def test_its_tables_can_be_asked(released: Path, schema: int) -> None:
    store, traces = Store(released), make.traces(schema)
    assert store.scan("traces").collect().height == len(traces)
    calls = store.scan_filled().filter(kind="tool").sort("trace_id", "seq").collect()
    known = [c for t in sorted(traces, key=lambda t: t.trace_id) for c in t.tool_calls]
    assert calls["name"].to_list() == [c.name for c in known]
    assert [json.loads(text) for text in calls["result_json"]] == [c.result for c in known]
    assert store.summary().entities == {"PERSON": 2 * len(traces)}


def test_what_was_skipped_and_quarantined_is_listed(released: Path) -> None:
    store = Store(released)
    assert [s.reason for s in store.skipped()] == ["not JSON"]
    assert [q.reason for q in store.quarantined()] == ["took too long"]


def test_it_can_be_written_to_pruned_and_compacted(released: Path, schema: int) -> None:
    known = {t.trace_id: t for t in make.traces(schema)}
    more = replace(known["whole"], trace_id="new", input="And B-2?")
    writer = StoreWriter(released)
    assert writer.write([_seal(more, "policy-7777", {})], source="made").added == 1
    writer.compact()
    assert {t.trace_id: t for t in Store(released).traces()} == {**known, "new": more}
    writer.prune(make.DAY.date().replace(day=3))
    assert {t.trace_id for t in Store(released).traces()} == {"next day", "undated"}


def test_one_trace_is_found_among_parts_of_both_ages(released: Path, schema: int) -> None:
    more = replace(make.traces(schema)[0], trace_id="whole and more")
    StoreWriter(released).write([_seal(more, "policy-7777", {})], source="more")
    for trace in [*make.traces(schema), more]:
        assert Store(released).trace(trace.trace_id) == trace
    for absent in ("whole and", "hole", ""):
        assert Store(released).trace(absent) is None
