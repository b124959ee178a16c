"""Order, filters, names that are hostile to file systems, and other tools' view of the files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from anonymize.store import PartitionSummary, Store, StoreWriter, parts, scan
from anonymize.store.decode import decode
from anonymize.store.manifest import path_name
from anonymize.store.schema import TABLES, polars_schema
from anonymize.trace import LLMCall, Other, QuarantinedTrace, SkippedTrace, Trace, UserTurn
from tests.store.builders import DAY, contents, exact, make_trace, seal, write

NEXT = DAY + timedelta(days=1)
MIXED = [
    make_trace("d", agent="b", started_at=DAY, agent_version="1"),
    make_trace("c", agent="a", started_at=NEXT, agent_version="1"),
    make_trace("b", agent="b", started_at=DAY, agent_version="2"),
    make_trace("a", agent="b", started_at=NEXT, agent_version="2"),
    make_trace("e", agent="a", started_at=None, lossy_flags=("no_time",)),
]


@pytest.fixture
def mixed(tmp_path: Path) -> Store:
    # Two writes, so that a partition has two parts whose ids interleave.
    write(tmp_path, MIXED[:2])
    write(tmp_path, MIXED)
    return Store(tmp_path)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "ebdca"),
        ({"agent": "b"}, "bda"),
        ({"agent": "none such"}, ""),
        ({"agent_version": "2"}, "ba"),
        ({"dates": (DAY.date(), DAY.date())}, "bd"),
        ({"dates": (DAY.date(), NEXT.date())}, "bdca"),
        ({"dates": (date(1970, 1, 1),) * 2}, "e"),
        ({"ids": {"a", "e", "zzz", "\ud800"}}, "ea"),
        ({"ids": []}, ""),
        ({"ids": ["a", "b", "c"], "agent": "b", "agent_version": "2"}, "ba"),
    ],
)
def test_traces_come_by_date_agent_and_id(
    mixed: Store, filters: Mapping[str, Any], expected: str
) -> None:
    assert [t.trace_id for t in mixed.traces(**filters)] == list(expected)
    assert mixed.ids(**filters) == list(expected)


def test_a_trace_that_is_not_there_is_none(mixed: Store) -> None:
    assert mixed.trace("zzz") is None
    assert mixed.trace("") is None
    assert mixed.trace("\ud800") is None


def test_an_empty_store_reads_as_empty_everywhere(tmp_path: Path) -> None:
    write(tmp_path, [])
    store = Store(tmp_path)
    assert list(store.traces()) == []
    assert store.trace("t1") is None
    assert store.ids() == []
    assert store.summary().traces == 0
    for table in TABLES:
        frame = store.scan(table).collect()
        assert frame.height == 0
        assert dict(frame.schema) == polars_schema(table)


def test_a_large_part_is_read_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "CHUNK_ROWS", 20)
    traces = [make_trace(f"t{i:02}", turns=i % 7) for i in range(40)]
    huge = make_trace("t99", turns=30)
    empty = [make_trace(f"u{i}", steps=()) for i in range(25)]
    write(tmp_path, [*traces, huge, *empty])
    store = Store(tmp_path)
    (file,) = store.files("steps")
    groups = pq.ParquetFile(file).metadata
    sizes = [groups.row_group(i).num_rows for i in range(groups.num_row_groups)]
    assert len(sizes) > 10
    assert all(size <= 20 or size == 60 for size in sizes), "a trace is never cut in two"
    assert contents(tmp_path) == exact([*traces, huge, *empty])
    assert [t.trace_id for t in store.traces(ids=["t05", "t99", "u3"])] == ["t05", "t99", "u3"]


def test_reading_is_lazy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "CHUNK_ROWS", 20)
    write(tmp_path, [make_trace(f"t{i:02}") for i in range(40)])
    decoded: list[str] = []

    def spy(row: Mapping[str, Any], *rest: Any) -> Trace:
        decoded.append(row["trace_id"])
        return decode(row, *rest)

    monkeypatch.setattr(scan, "decode", spy)
    assert next(Store(tmp_path).traces()).trace_id == "t00"
    assert len(decoded) == 1


HOSTILE = ["", ".", "..", "../../up", "/etc/passwd", "a\\b", "a*?[b]", "a=b", "%2F", "~", "CON"]
LONG = ["x" * 300, "é" * 300, "y" * 299 + "/", "😀" * 100, "line\nbreak", " lead", "nul\x00", "123"]


@pytest.mark.parametrize("name", [*HOSTILE, *LONG], ids=lambda name: ascii(name[:10]))
def test_a_hostile_agent_name_or_id_stays_inside_of_the_store(tmp_path: Path, name: str) -> None:
    root = tmp_path / "store"
    trace = make_trace(name, agent=name)
    write(root, [trace])
    assert [p.name for p in tmp_path.iterdir()] == ["store"]
    store = Store(root)
    assert repr(store.trace(name)) == repr(trace)
    assert [t.agent for t in store.traces(agent=name)] == [name]
    assert store.summary().partitions[0].agent == name
    (file,) = store.files("traces")
    assert file.parent.parent.parent == root / "traces"
    assert pl.read_parquet(file)["agent"].to_list() == [name]
    query = "select agent from read_parquet(?, hive_partitioning=false)"
    assert duckdb.execute(query, [str(file)]).fetchall() == [(name,)]


def test_no_two_names_share_a_folder() -> None:
    long = "x" * 300
    names = [*HOSTILE, *LONG, long + "y", path_name(long), path_name("é" * 300), "a%2Fb", "a/b"]
    assert len({path_name(name) for name in names}) == len(set(names))
    assert all(len(path_name(name)) < 200 and path_name(name).isascii() for name in names)


def test_polars_and_duckdb_read_the_listed_files_with_types(tmp_path: Path) -> None:
    micro = datetime(2026, 3, 1, 1, 2, 3, 456789, UTC)
    steps = (
        LLMCall(step_id="l", started_at=micro, input=make_trace().llm_calls[0].input),
        UserTurn(step_id="u", content={"text": "hello"}),
    )
    write(tmp_path, [make_trace("t1", agent="a/b", steps=steps), make_trace("t2", agent="123")])
    store = Store(tmp_path)
    frame = pl.scan_parquet(store.files("steps")).collect()
    assert dict(frame.schema) == polars_schema("steps")
    assert frame.schema["started_at"] == pl.Datetime("us", "UTC")
    assert frame.schema["input_refs"] == pl.List(pl.Int32)
    assert store.scan("steps").collect().equals(frame)

    files = [str(file) for file in store.files("steps")]
    rows = duckdb.execute(
        "select agent, date, epoch_us(started_at), content_json->>'$.text' "
        "from read_parquet(?) where trace_id = 't1' order by seq",
        [files],
    ).fetchall()
    assert rows == [
        ("a/b", DAY.date(), int(micro.timestamp()) * 1_000_000 + 456789, None),
        ("a/b", DAY.date(), None, "hello"),
    ]
    seen = duckdb.execute(
        "select m.role, coalesce(m.content_json, b.text_json) from read_parquet(?) m "
        "left join (select distinct blob, text_json from read_parquet(?)) b "
        "on b.blob = m.content_blob where m.trace_id = 't1' order by m.seq",
        [[str(f) for f in store.files("messages")], [str(f) for f in store.files("blobs")]],
    ).fetchall()
    assert [role for role, _ in seen] == ["system", "user"]
    assert seen[0][1].startswith('"You help customers')


def test_rows_are_sorted_and_compressed_as_documented(mixed: Store) -> None:
    for table in ("steps", "messages"):
        for file in mixed.files(table):
            with pq.ParquetFile(file) as parquet:
                rows = parquet.read(["trace_id", "seq"]).to_pylist()
                assert parquet.metadata.row_group(0).column(0).compression == "ZSTD"
            keys = [(row["trace_id"], row["seq"]) for row in rows]
            assert keys == sorted(keys)


def test_the_summary_counts_what_is_there(mixed: Store, tmp_path: Path) -> None:
    hold = QuarantinedTrace(reason="unsure", trace_ref="ab", size=1)
    skips = [SkippedTrace(reason="r", where=str(i)) for i in range(3)]
    other = make_trace("f", agent="a", started_at=NEXT, steps=(Other(step_id="o"),))
    other_flags = make_trace("g", agent="a", started_at=NEXT, lossy_flags=("no_time",) * 2)
    StoreWriter(tmp_path).write([*skips, hold, seal(other), seal(other_flags)], source="more")
    found = Store(tmp_path).summary()
    assert found.traces == 7
    assert [(p.date, p.agent, p.version, p.traces) for p in found.partitions] == [
        (date(1970, 1, 1), "a", "", 1),
        (DAY.date(), "b", "1", 1),
        (DAY.date(), "b", "2", 1),
        (NEXT.date(), "a", "", 2),
        (NEXT.date(), "a", "1", 1),
        (NEXT.date(), "b", "2", 1),
    ]
    assert isinstance(found.partitions[0], PartitionSummary)
    assert found.steps == {"llm": 12, "other": 1, "tool": 12}
    assert found.flags == {"no_time": 2}
    assert found.entities == {"PERSON": 7}
    assert (found.skipped, found.quarantined) == (3, 1)
    assert found.bytes == sum(p.stat().st_size for p in tmp_path.rglob("*.parquet"))


def test_one_trace_after_the_other_is_found_whatever_a_writer_does(tmp_path: Path) -> None:
    """From the third on an index answers; a part that is replaced makes a new one."""
    traces = [make_trace(f"t{n}", started_at=DAY + timedelta(days=n % 3)) for n in range(12)]
    for start in range(0, 12, 4):
        write(tmp_path, traces[start : start + 4])
    store = Store(tmp_path)
    for number, trace in enumerate(traces):
        assert repr(store.trace(trace.trace_id)) == repr(trace)
        assert store.trace("not there") is None
        if number == 5:
            write(tmp_path, [make_trace("t7", output="changed", started_at=DAY)])
            traces[7] = make_trace("t7", output="changed", started_at=DAY)
        if number == 8:
            StoreWriter(tmp_path).compact()


def test_a_trace_that_moves_to_a_later_day_while_it_is_read_comes_once(tmp_path: Path) -> None:
    days = [DAY + timedelta(days=n) for n in range(3)]
    write(tmp_path, [make_trace(f"t{n}", started_at=day) for n, day in enumerate(days)])
    reading = Store(tmp_path).traces()
    read = [next(reading)]
    write(
        tmp_path,
        [
            make_trace("t0", started_at=days[2]),
            make_trace("t1", started_at=days[1], output="other"),
            make_trace("t2", started_at=days[2], output="other"),
        ],
    )
    read += reading
    assert [(t.trace_id, t.output) for t in read] == [
        ("t0", None),
        ("t1", "other"),
        ("t2", "other"),
    ]


def test_an_id_that_looks_like_another_one_in_the_file_is_not_that_one(tmp_path: Path) -> None:
    """Ids are looked for as the bytes that a file has, which one id can hold of another."""
    within = "a\x02\x00\x00\x00t1b"
    write(tmp_path, [make_trace(within), make_trace("t11"), make_trace("xt1")])
    assert Store(tmp_path).trace("t1") is None
    write(tmp_path, [make_trace("t1")])
    for trace_id in ("t1", "t11", "xt1", within):
        found = Store(tmp_path).trace(trace_id)
        assert found is not None
        assert found.trace_id == trace_id


def test_one_trace_is_found_in_each_row_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anonymize.store.parts.CHUNK_ROWS", 10)
    write(tmp_path, [make_trace(f"t{n}") for n in range(12)])
    (manifest,) = Store(tmp_path).manifests()
    assert len(manifest.parts[0].ids) > 2
    for n in range(12):
        assert repr(Store(tmp_path).trace(f"t{n}")) == repr(make_trace(f"t{n}"))
