"""Whatever is wrong on disk is a StoreError that says what, where and what to do."""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from anonymize.errors import StoreError
from anonymize.store import SCHEMA_VERSION, Store, StoreWriter
from anonymize.store.schema import SCHEMAS, TABLES, Table
from anonymize.trace import SkippedTrace
from tests.store.builders import contents, exact, make_trace, write

TRACES = [make_trace("t1"), make_trace("t2")]
MANIFEST = "_manifests/date=2026-03-01/agent=shop.json"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    StoreWriter(folder).write([SkippedTrace(reason="r", where="w")], source="s")
    write(folder, TRACES)
    return folder


def told(action: Callable[[], object]) -> StoreError:
    with pytest.raises(StoreError) as caught:
        action()
    assert caught.value.what
    assert caught.value.where
    assert "order of t1" not in str(caught.value), "no content in a message"
    return caught.value


@pytest.mark.parametrize("kind", ["missing", "empty folder", "file", "folder of other things"])
def test_a_path_that_is_no_store_is_told(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "here"
    if kind == "file":
        path.write_text("text")
    elif kind != "missing":
        path.mkdir()
    if kind == "folder of other things":
        (path / "notes.txt").write_text("text")
    assert "anonymize ingest" in told(lambda: Store(path)).fix


def test_a_writer_does_not_write_over_a_file(tmp_path: Path) -> None:
    path = tmp_path / "here"
    path.write_text("text")
    assert "is a file" in told(lambda: write(path, TRACES)).what
    told(lambda: write(path / "deeper", TRACES))
    assert path.read_text() == "text"


@pytest.mark.parametrize(
    "text",
    [
        *["", "{", "[]", "null", "{}", '{"schema_version": 1}', '{"schema_version": "x"}'],
        *['{"schema_version": 1, "manifests": [{"date": "yesterday"}]}', "\udcff"],
    ],
)
def test_a_damaged_manifest_is_told(root: Path, text: str) -> None:
    (root / MANIFEST).write_bytes(text.encode("utf-8", "surrogateescape"))
    for action in (lambda: Store(root), lambda: write(root, TRACES)):
        error = told(action)
        assert "damaged" in error.what
        assert error.where.endswith("agent=shop.json")


@pytest.mark.parametrize("path", ["../mine.parquet", "traces/../../mine.parquet", "{root}/mine"])
def test_a_manifest_that_names_files_elsewhere_is_damaged(root: Path, path: str) -> None:
    """A store comes from other people too, and what is pruned is deleted unread."""
    mine = root.parent / "mine.parquet"
    mine.write_text("not yours")
    (manifest,) = root.rglob("agent=*.json")
    content = json.loads(manifest.read_text())
    content["manifests"][0]["parts"][0]["files"]["traces"]["path"] = path.format(root=root.parent)
    manifest.write_text(json.dumps(content))
    error = told(lambda: StoreWriter(root).prune(date(2100, 1, 1)))
    assert error.what == "a manifest is damaged"
    assert mine.exists()


def test_a_newer_store_is_refused_and_left_alone(root: Path) -> None:
    content = json.loads((root / MANIFEST).read_text())
    content["schema_version"] = SCHEMA_VERSION + 1
    (root / MANIFEST).write_text(json.dumps(content))
    before = {p: p.read_bytes() for p in root.rglob("*.parquet")}
    for action in (lambda: Store(root), lambda: write(root, [make_trace("t3")])):
        error = told(action)
        assert "newer version" in error.what
        assert "upgrade" in error.fix
    assert {p: p.read_bytes() for p in root.rglob("*.parquet")} == before


def test_a_newer_list_of_skipped_traces_is_refused(root: Path) -> None:
    (path,) = (root / "_skipped").iterdir()
    path.write_text(
        path.read_text().replace(f'"schema_version": {SCHEMA_VERSION}', '"schema_version": 9')
    )
    assert "newer version" in told(Store(root).skipped).what


@pytest.mark.parametrize("text", ["", "x", '{"schema_version": 1}\n{"kind": "other"}'])
def test_a_damaged_list_of_skipped_traces_is_told(root: Path, text: str) -> None:
    (path,) = (root / "_skipped").iterdir()
    path.write_text(text)
    assert "damaged" in told(Store(root).skipped).what
    assert "damaged" in told(lambda: Store(root).summary()).what


def readings(root: Path) -> list[Callable[[], object]]:
    store = Store(root)
    return [
        lambda: list(store.traces()),
        lambda: store.trace("t1"),
        lambda: write(root, [make_trace("t1", output="new")]),
    ]


@pytest.mark.parametrize("table", TABLES)
def test_a_missing_file_is_told(root: Path, table: Table) -> None:
    (path,) = Store(root).files(table)
    path.unlink()
    for action in [*readings(root), lambda: Store(root).files(table)]:
        error = told(action)
        assert "missing" in error.what
        assert "ingest" in error.fix


def test_a_file_that_a_writer_has_replaced_is_not_damage(root: Path) -> None:
    store = Store(root)
    before = store.manifests()
    write(root, [make_trace("t1", output="new")])
    for action in (
        lambda: store.scan_part(before[0].parts[0], "steps"),
        lambda: [None for _ in store.scan_parts("traces")],
    ):
        error = told(action)
        assert "changed while it was read" in error.what
        assert error.fix == "run the same again"
    assert store.policies() == {"policy-1"}, "what can be read again is"


def test_a_file_that_may_not_be_read_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a store that is another user's."""

    def refused(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied", str(args[0]))

    for name in ("pathlib.Path.read_bytes", "builtins.open", "os.stat"):
        store = Store(root)
        with pytest.MonkeyPatch.context() as one:
            one.setattr(name, refused)
            assert "Permission denied" in told(lambda: store.trace("t1")).what  # noqa: B023


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("left", [0, 3, 100, -1])
def test_a_truncated_file_is_told(root: Path, table: Table, left: int) -> None:
    (path,) = Store(root).files(table)
    path.write_bytes(path.read_bytes()[:left])
    for action in [*readings(root), lambda: Store(root).scan(table)]:
        error = told(action)
        assert "damaged" in error.what
        assert error.where == str(path)


@pytest.mark.parametrize("table", TABLES)
def test_flipped_bits_are_told(root: Path, table: Table) -> None:
    (path,) = Store(root).files(table)
    good, chance = path.read_bytes(), random.Random(7)
    for _ in range(5):
        bad = bytearray(good)
        bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
        path.write_bytes(bad)
        # `traces` reads everything; for one trace only what leads to it is looked at.
        assert "damaged" in told(lambda: list(Store(root).traces())).what
    path.write_bytes(good)
    assert contents(root) == exact(TRACES)


def test_a_stray_file_is_ignored_and_a_left_over_part_removed(root: Path) -> None:
    (path,) = Store(root).files("traces")
    stray = path.with_name("part-0000.parquet")
    stray.write_bytes(path.read_bytes())
    foreign = path.with_name("mine.parquet")
    foreign.write_bytes(b"not Parquet")
    assert contents(root) == exact(TRACES)
    assert Store(root).scan("traces").collect().height == 2
    write(root, TRACES)
    assert not stray.exists()
    assert foreign.exists(), "what the store didn't write is not its to delete"


def rewrite_as_older(root: Path) -> None:
    """Make the store one of version 0: without two columns that version 1 added."""
    content = json.loads((root / MANIFEST).read_text())
    content["schema_version"] = 0
    (part,) = content["manifests"][0]["parts"]
    part.pop("ids")
    gone = {"steps": ["fault", "text_ref", "parsed_ref"], "traces": ["pair_key"]}
    for table, names in gone.items():
        path = root / part["files"][table]["path"]
        with pq.ParquetFile(path) as parquet:
            rows = parquet.read()
        pq.write_table(rows.drop_columns(names), path)
        data = path.read_bytes()
        part["files"][table] |= {"bytes": len(data), "crc32": zlib.crc32(data)}
    (root / MANIFEST).write_text(json.dumps(content))


def test_an_older_store_is_read_and_written_to(root: Path) -> None:
    rewrite_as_older(root)
    assert contents(root) == exact(TRACES)
    assert repr(Store(root).trace("t2")) == repr(TRACES[1])
    assert "fault" in Store(root).scan("steps").collect().columns
    changed = make_trace("t1", output="new")
    assert write(root, [changed]).replaced == 1
    assert contents(root) == exact([changed, TRACES[1]])


def test_files_say_their_table_and_version(root: Path) -> None:
    for table in TABLES:
        (path,) = Store(root).files(table)
        metadata = pq.read_schema(path).metadata
        assert metadata[b"replay.table"] == table.encode()
        assert metadata[b"replay.schema_version"] == str(SCHEMA_VERSION).encode()
        assert pq.read_schema(path).remove_metadata().equals(SCHEMAS[table])


def test_rows_that_contradict_each_other_are_told(root: Path) -> None:
    content = json.loads((root / MANIFEST).read_text())
    file = content["manifests"][0]["parts"][0]["files"]["steps"]
    path = root / file["path"]
    with pq.ParquetFile(path) as parquet:
        rows = parquet.read()
    wrong = pa.array([[99]] * rows.num_rows, pa.list_(pa.int32()))
    pq.write_table(
        rows.set_column(rows.column_names.index("input_refs"), "input_refs", wrong), path
    )
    data = path.read_bytes()
    file |= {"bytes": len(data), "crc32": zlib.crc32(data)}
    (root / MANIFEST).write_text(json.dumps(content))
    assert "don't fit" in told(lambda: list(Store(root).traces())).what
    assert "don't fit" in told(lambda: Store(root).trace("t1")).what
