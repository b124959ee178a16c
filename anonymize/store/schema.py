"""The four tables on disk: columns, types and the version that names them.

Columns that end in ``_json`` hold JSON text, exactly as it was (``null`` stands for ``None``).
Text with a leading space is outside of what fast parsers keep exact: integers beyond 64 bit,
NaN and infinities. It needs a reader such as Python's ``json``.

Rows of one trace are joined by ``trace_id``. ``seq`` counts a trace's steps or messages from 0;
``input_refs`` and ``output_refs`` of an LLM step are ``seq`` numbers of messages. So are
``text_ref`` and ``parsed_ref``: the step's text (a tool's result, a user's turn, documents, another
span's output) is null then, and the message's ``content_json``, or what the text in that parses to
(:mod:`anonymize.store.shared`).
``content_blob`` and ``tools_blob`` name a text in ``blobs``.

A new column that may be null needs no new version: readers fill it in. Raise
:data:`SCHEMA_VERSION` when an older reader would read the new files wrongly.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, TypeAlias, get_args

import polars as pl
import pyarrow as pa

Table: TypeAlias = Literal["traces", "steps", "messages", "blobs"]
TABLES: tuple[Table, ...] = get_args(Table)

#: 2: ``text_ref`` and ``parsed_ref``, without which a result would be read as none.
SCHEMA_VERSION = 2

_TIME = pa.timestamp("us", tz="UTC")
_TEXTS = pa.list_(pa.string())
_REFS = pa.list_(pa.int32())
#: In every table, so that a file says by itself where it belongs.
_PARTITION = [("date", pa.date32()), ("agent", pa.string())]

SCHEMAS: dict[Table, pa.Schema] = {
    "traces": pa.schema(
        [
            *_PARTITION,
            ("trace_id", pa.string()),
            ("agent_version", pa.string()),
            ("session_id", pa.string()),
            ("user_id", pa.string()),
            ("started_at", _TIME),
            ("duration_ms", pa.float64()),
            ("input_json", pa.string()),
            ("output_json", pa.string()),
            ("error_kind", pa.string()),
            ("error_message", pa.string()),
            ("pair_key", pa.string()),
            ("tags_json", pa.string()),
            ("lossy_flags", _TEXTS),
            ("origin", pa.string()),
            ("source", pa.string()),
            ("n_steps", pa.int32()),
            ("n_messages", pa.int32()),
            ("n_bytes", pa.int64()),  # about what the rows take, without blobs
            # Of the scrubbed content, without `source`: the same trace read from another file
            # is the same trace.
            ("digest", pa.string()),
            ("policy", pa.string()),
            ("entities_json", pa.string()),
        ]
    ),
    "steps": pa.schema(
        [
            *_PARTITION,
            ("trace_id", pa.string()),
            ("seq", pa.int32()),
            ("kind", pa.string()),
            ("step_id", pa.string()),
            ("parent_id", pa.string()),
            ("started_at", _TIME),
            ("duration_ms", pa.float64()),
            ("error_kind", pa.string()),
            ("error_message", pa.string()),
            ("flags", _TEXTS),
            # llm
            ("model", pa.string()),
            ("provider", pa.string()),
            ("input_refs", _REFS),
            ("output_refs", _REFS),
            ("tools_blob", pa.string()),
            ("has_usage", pa.bool_()),
            ("input_tokens", pa.int64()),
            ("output_tokens", pa.int64()),
            ("cost", pa.float64()),
            ("finish_reason", pa.string()),
            # tool; `name` also of retrieval and other
            ("name", pa.string()),
            ("arguments_json", pa.string()),
            ("result_json", pa.string()),
            ("call_id", pa.string()),
            ("effect", pa.string()),
            ("fidelity", pa.string()),
            ("fault", pa.string()),
            # user
            ("content_json", pa.string()),
            # retrieval
            ("query_json", pa.string()),
            ("documents_json", pa.string()),
            # other
            ("span_kind", pa.string()),
            ("input_json", pa.string()),
            ("output_json", pa.string()),
            # Not in the digest, so that it is the same as before they were: keep them last.
            ("text_ref", pa.int32()),
            ("parsed_ref", pa.int32()),
        ]
    ),
    "messages": pa.schema(
        [
            *_PARTITION,
            ("trace_id", pa.string()),
            ("seq", pa.int32()),
            ("role", pa.string()),
            ("content_json", pa.string()),
            ("content_blob", pa.string()),
            ("tool_requests_json", pa.string()),
            ("tool_call_id", pa.string()),
            ("name", pa.string()),
            ("reasoning", pa.string()),
        ]
    ),
    "blobs": pa.schema([*_PARTITION, ("blob", pa.string()), ("text_json", pa.string())]),
}

#: Column names after the partition's, in the order that row tuples have.
COLUMNS: dict[Table, tuple[str, ...]] = {
    table: tuple(schema.names[len(_PARTITION) :]) for table, schema in SCHEMAS.items()
}


def version_of(table: Table) -> dict[str, str]:
    """The table's name and version, for its files' Parquet metadata."""
    return {"replay.table": table, "replay.schema_version": str(SCHEMA_VERSION)}


def conform(data: pa.Table, table: Table) -> pa.Table:
    """``data`` of this or an older version in today's columns; what is missing is null."""
    schema = SCHEMAS[table]
    columns = [
        data.column(f.name).cast(f.type)
        if f.name in data.column_names
        else pa.nulls(data.num_rows, f.type)
        for f in schema
    ]
    return pa.table(columns, schema=schema)


@cache
def polars_schema(table: Table) -> dict[str, pl.DataType]:
    """The table's columns and types as polars names them."""
    frame = pl.from_arrow(SCHEMAS[table].empty_table())
    assert isinstance(frame, pl.DataFrame)
    return dict(frame.schema)
