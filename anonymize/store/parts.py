"""Parts: the Parquet files of rows that were written together.

A part is sorted by (trace_id, seq) in every table and cut into chunks of whole traces: a chunk
is one row group of traces, one of steps and one of messages, and can be read by itself.
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from anonymize.store.disk import write_file
from anonymize.store.encode import EncodedTrace, Row
from anonymize.store.manifest import Part, PartFile, Partition, content_of, folder_of
from anonymize.store.place import Place
from anonymize.store.scan import damaged, missing, read_checked
from anonymize.store.schema import COLUMNS, SCHEMAS, TABLES, Table, conform, version_of

#: Rows of steps or messages in a row group, and the text that it may hold. Row groups of
#: 5-20k rows read one trace fastest; long texts make fewer of them a group.
CHUNK_ROWS = 10_000
CHUNK_BYTES = 8 << 20
#: A sixth smaller than 3, for half a millisecond a trace; 19 would be a quarter, for five.
_LEVEL = 12
#: Columns by which readers leave out row groups. Of others the footer holds no least and largest
#: value: of long texts that would be a fifth of a small part.
_SOUGHT = ["date", "agent", "trace_id", "seq", "started_at", "kind", "name", "role", "blob"]

Tables = Mapping[Table, pa.Table]
Chunk = tuple[int, int, int]


class PartWriter:
    """Writes parts into ``staging``; ``moves`` says where they go with the commit.

    Nothing is visible before a manifest names it, so a part that was moved and not committed is
    only a stray file.
    """

    def __init__(self, place: Place, staging: Path) -> None:
        self._place = place
        self._staging = staging
        self.moves: list[tuple[Path, str]] = []

    def add(self, partition: Partition, traces: Sequence[EncodedTrace]) -> Part:
        """A part of these traces, each id once, in any order."""
        ordered = sorted(traces, key=lambda t: t.trace_id)
        return self._write(partition, to_tables(partition, ordered), _chunks_of(ordered))

    def rewrite(
        self, partition: Partition, parts: Iterable[Part], without: Collection[str]
    ) -> Part | None:
        """One part of what ``parts`` hold, but for some traces; ``None`` if nothing is left."""
        read = [self._read(part) for part in parts]
        tables: dict[Table, pa.Table] = {
            table: pa.concat_tables(tables[table] for tables in read) for table in TABLES
        }
        gone = pa.array(list(without), pa.string())
        for table in ("traces", "steps", "messages"):
            rows = tables[table]
            rows = rows.filter(pc.invert(pc.is_in(rows["trace_id"], gone)))
            keys = [k for k in ("trace_id", "seq") if k in rows.column_names]
            tables[table] = rows.sort_by([(key, "ascending") for key in keys])
        if not tables["traces"].num_rows:
            return None
        tables["blobs"] = _used_blobs(tables)
        sizes = tables["traces"].select(["n_steps", "n_messages", "n_bytes"]).to_pylist()
        return self._write(
            partition,
            tables,
            _chunks((s["n_steps"], s["n_messages"], s["n_bytes"] or 0) for s in sizes),
        )

    def _read(self, part: Part) -> Tables:
        found: dict[Table, pa.Table] = {}
        try:
            self._place.fetch(part.files.values())
        except FileNotFoundError as error:
            raise missing(Path(error.filename)) from None
        for table in TABLES:
            file = part.files.get(table)
            if file is None:
                found[table] = SCHEMAS[table].empty_table()
                continue
            path = self._place.folder / file.path
            try:
                data = read_checked(path, file)
            except FileNotFoundError:
                raise missing(path) from None
            try:
                # Not read_table: it would take partition columns from the path.
                with pq.ParquetFile(pa.BufferReader(data)) as parquet:
                    found[table] = conform(parquet.read(), table)
            except pa.ArrowException as error:
                raise damaged(path, "it is not Parquet of this store") from error
        return found

    def _write(self, partition: Partition, tables: Tables, chunks: list[Chunk]) -> Part:
        name = f"part-{uuid.uuid4().hex[:16]}"
        files: dict[Table, PartFile] = {}
        ids: tuple[tuple[int, int, int], ...] = ()
        for table, data in tables.items():
            if not data.num_rows:
                continue
            groups = _groups(table, data.num_rows, chunks)
            raw = _parquet(table, data, groups)
            path = f"{table}/{folder_of(partition)}/{name}.parquet"
            staged = self._staging / f"{table}-{name}.parquet"
            write_file(staged, raw)
            self.moves.append((staged, path))
            files[table] = PartFile(path=path, bytes=len(raw), crc32=zlib.crc32(raw))
            if table == "traces":
                ids = _ids(raw)
        traces = tables["traces"].select(["trace_id", "digest"]).to_pydict()
        content = content_of(zip(traces["trace_id"], traces["digest"], strict=True))
        text = (pc.sum(tables["traces"]["n_bytes"]).as_py() or 0) + tables["blobs"].nbytes
        return Part(
            name=name, chunks=tuple(chunks), files=files, content=content, ids=ids, text=text
        )


def content(place: Place, part: Part) -> str:
    """The part's ``content``; of a part that an older version wrote it is worked out."""
    if part.content:
        return part.content
    rows = _traces(place, part, "trace_id", "digest")
    return content_of(zip(rows["trace_id"], rows["digest"], strict=True))


def text(place: Place, part: Part) -> int:
    """The part's ``text``; of a part that an older version wrote it is worked out."""
    if part.text:
        return part.text
    blobs = part.files["blobs"].bytes if "blobs" in part.files else 0
    # What traces share is there once, so that it is no more than some ten times as long as packed.
    return sum(n or 0 for n in _traces(place, part, "n_bytes")["n_bytes"]) + 16 * blobs


def _traces(place: Place, part: Part, *columns: str) -> dict[str, list[Any]]:
    path = place.folder / part.files["traces"].path
    try:
        place.fetch([part.files["traces"]])
        data = pa.BufferReader(read_checked(path, part.files["traces"]))
        with pq.ParquetFile(data) as parquet:
            rows: dict[str, list[Any]] = parquet.read([*columns]).to_pydict()
    except FileNotFoundError:
        raise missing(path) from None
    except pa.ArrowException as error:
        raise damaged(path, "it is not Parquet of this store") from error
    return rows


def to_tables(partition: Partition, traces: Sequence[EncodedTrace]) -> Tables:
    """The four tables of traces that are sorted by id.

    Raises ``pyarrow.ArrowException``, ``TypeError``, ``ValueError`` or ``OverflowError`` where
    a value doesn't fit its column.
    """
    blobs: dict[str, str] = {}
    for trace in traces:
        blobs.update(trace.blobs)
    return {
        "traces": _table("traces", partition, [t.trace for t in traces]),
        "steps": _table("steps", partition, [row for t in traces for row in t.steps]),
        "messages": _table("messages", partition, [row for t in traces for row in t.messages]),
        "blobs": _table("blobs", partition, list(blobs.items())),
    }


def _table(table: Table, partition: Partition, rows: Sequence[Row]) -> pa.Table:
    schema = SCHEMAS[table]
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * len(COLUMNS[table])
    own = [
        pa.array(values, schema.field(name).type)
        for name, values in zip(COLUMNS[table], columns, strict=True)
    ]
    same = [
        pa.repeat(pa.scalar(v, schema.field(i).type), len(rows)) for i, v in enumerate(partition)
    ]
    return pa.table([*same, *own], schema=schema)


def _chunks_of(traces: Iterable[EncodedTrace]) -> list[Chunk]:
    return _chunks((len(t.steps), len(t.messages), t.size) for t in traces)


def _chunks(sizes: Iterable[tuple[int, int, int]]) -> list[Chunk]:
    """Cut traces of (steps, messages, bytes) into chunks; a huge trace gets its own."""
    chunks: list[Chunk] = []
    traces = steps = messages = size = 0
    for more_steps, more_messages, more_size in sizes:
        too_many = max(steps + more_steps, messages + more_messages) > CHUNK_ROWS
        if traces and (too_many or size + more_size > CHUNK_BYTES or traces >= CHUNK_ROWS):
            chunks.append((traces, steps, messages))
            traces = steps = messages = size = 0
        traces += 1
        steps += more_steps
        messages += more_messages
        size += more_size
    return [*chunks, (traces, steps, messages)] if traces else chunks


def _groups(table: Table, rows: int, chunks: Sequence[Chunk]) -> Iterator[tuple[int, int]]:
    """The (offset, length) of each row group."""
    if table == "blobs":
        ends = [*range(0, rows, CHUNK_ROWS), rows]
    else:
        column = TABLES.index(table)
        ends = list(accumulate((chunk[column] for chunk in chunks), initial=0))
    return ((start, end - start) for start, end in pairwise(ends) if end > start)


def _parquet(table: Table, data: pa.Table, groups: Iterable[tuple[int, int]]) -> bytes:
    sink = pa.BufferOutputStream()
    schema = SCHEMAS[table]
    plain = {"trace_id"} if table == "traces" else set()  # see Part.ids
    leaves = {f.name + ".list.element" * pa.types.is_list(f.type) for f in schema}
    with pq.ParquetWriter(
        sink,
        schema,
        compression=dict.fromkeys(leaves, "zstd") | dict.fromkeys(plain, "none"),
        compression_level=dict.fromkeys(leaves - plain, _LEVEL),
        use_dictionary=False,  # what repeats, zstd finds: a page more a column costs more than that
        data_page_size=CHUNK_BYTES,
        write_statistics=[name for name in _SOUGHT if name in schema.names],
        store_schema=False,  # arrow's own copy of what Parquet's says already
    ) as writer:
        for offset, length in groups:
            writer.write_table(data.slice(offset, length).cast(schema), row_group_size=length)
        writer.add_key_value_metadata(version_of(table))
    return bytes(sink.getvalue())


def _ids(raw: bytes) -> tuple[tuple[int, int, int], ...]:
    """Where the ids stand in a file of traces: they are neither compressed nor in a dictionary."""
    with pq.ParquetFile(pa.BufferReader(raw)) as parquet:
        groups = parquet.metadata
        column = groups.schema.names.index("trace_id")
        found = [groups.row_group(n).column(column) for n in range(groups.num_row_groups)]
    spans = [(c.data_page_offset, c.total_compressed_size) for c in found]
    return tuple((start, size, zlib.crc32(raw[start : start + size])) for start, size in spans)


def _used_blobs(tables: Tables) -> pa.Table:
    """Each blob that a row names, once: what no trace uses any more must not stay on disk."""
    used = pa.chunked_array(
        [
            *tables["messages"]["content_blob"].chunks,
            *tables["steps"]["tools_blob"].chunks,
        ],
        pa.string(),
    ).drop_null()
    blobs = tables["blobs"]
    first: dict[str, int] = {}
    for index, name in enumerate(blobs["blob"].to_pylist()):
        first.setdefault(name, index)
    keep = set(used.unique().to_pylist())
    return blobs.take(pa.array([i for name, i in first.items() if name in keep], pa.int64()))
