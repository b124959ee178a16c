"""Exchanges as rows of a table: what a cassette's Parquet file and its journal hold.

A row is an exchange:

| column | type | |
|---|---|---|
| key | binary(16) | :func:`replay.intercept.keys.match_key` under the rules in the metadata |
| trace_id | string | empty: answers any trace |
| number | int64 | the order of recording |
| method, scheme, host, path, query | string | of the address, without credentials |
| port | int32 | null where the address names none |
| content_type, request_headers | string | of the request; the headers as JSON |
| request, response | binary | bodies as on the wire |
| status | int16 | 0: there was no response |
| reason, headers | string | of the response; the headers as JSON, lists of values |
| latency_ms | float32 | from the request to the response's headers |
| chunk_offsets, chunk_ms | list | where a chunk of the body starts, and when it came |
| failure | string | how it failed, see :mod:`replay.intercept.failures` |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc

from replay.intercept.cassette import Interaction

ROW_GROUP = 10_000

SCHEMA = pa.schema(
    [
        ("key", pa.binary(16)),
        ("trace_id", pa.string()),
        ("number", pa.int64()),
        ("method", pa.string()),
        ("scheme", pa.string()),
        ("host", pa.string()),
        ("port", pa.int32()),
        ("path", pa.string()),
        ("query", pa.string()),
        ("content_type", pa.string()),
        ("request_headers", pa.string()),
        ("request", pa.large_binary()),
        ("status", pa.int16()),
        ("reason", pa.string()),
        ("headers", pa.string()),
        ("response", pa.large_binary()),
        ("latency_ms", pa.float32()),
        ("chunk_offsets", pa.list_(pa.int64())),
        ("chunk_ms", pa.list_(pa.float32())),
        ("failure", pa.string()),
    ]
)
_SAME = (
    "trace_id method content_type request_headers request status reason headers response "
    "latency_ms failure"
).split()


class Rows:
    """Exchanges that stay in Arrow until one is asked for."""

    def __init__(self, table: pa.Table, keys: Sequence[str]) -> None:
        self._columns: dict[str, Any] = {name: table.column(name) for name in SCHEMA.names}
        self._keys = keys
        self.index: dict[tuple[str, str], list[int]] = {}
        for row, place in enumerate(zip(table.column("trace_id").to_pylist(), keys, strict=True)):
            self.index.setdefault(place, []).append(row)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Interaction]:
        numbers = self._columns["number"].to_pylist()
        for row in sorted(range(len(numbers)), key=numbers.__getitem__):
            yield self.interaction(row)

    def interaction(self, row: int) -> Interaction:
        """The exchange in that row."""
        columns = self._columns
        return Interaction(
            key=self._keys[row],
            uri=self._uri(row),
            offsets=tuple(columns["chunk_offsets"][row].as_py()),
            times_ms=tuple(columns["chunk_ms"][row].as_py()),
            **{name: columns[name][row].as_py() for name in _SAME},
        )

    def where(self, method: str, host: str, path: str) -> Iterator[Interaction]:
        """Exchanges with that method, host and path."""
        mask = pc.equal(self._columns["path"], path)
        for name, value in (("method", method), ("host", host)):
            mask = pc.and_(mask, pc.equal(self._columns[name], value))
        for row in pc.indices_nonzero(mask).to_pylist():
            yield self.interaction(row)

    def _uri(self, row: int) -> str:
        scheme, host, port, path, query = (
            self._columns[name][row].as_py() for name in ("scheme", "host", "port", "path", "query")
        )
        netloc = host if port is None else f"{host}:{port}"
        return f"{scheme}://{netloc}{path}{'?' if query else ''}{query}"


def table_of(items: Iterable[Interaction]) -> pa.Table:
    """These exchanges in their order, which ``number`` keeps."""
    batches = []
    source = iter(enumerate(items))
    while chunk := list(islice(source, ROW_GROUP)):
        columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
        for number, item in chunk:
            for name, value in _row(number, item).items():
                columns[name].append(value)
        batches.append(pa.table(columns, schema=SCHEMA))
    return pa.concat_tables(batches) if batches else SCHEMA.empty_table()


def _row(number: int, item: Interaction) -> dict[str, Any]:
    parts = urlsplit(item.uri)
    host, port = parts.netloc, None
    name, colon, digits = parts.netloc.rpartition(":")
    if colon and digits.isdigit() and int(digits) < 65_536:
        host, port = name, int(digits)
    return {
        "key": bytes.fromhex(item.key),
        "number": number,
        "scheme": parts.scheme,
        "host": host,
        "port": port,
        "path": parts.path,
        "query": parts.query,
        "chunk_offsets": list(item.offsets),
        "chunk_ms": list(item.times_ms),
        **{name: getattr(item, name) for name in _SAME},
    }
