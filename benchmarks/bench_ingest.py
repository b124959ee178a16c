"""What it takes to read traffic, to keep it and to ingest a day of it.

    python -m benchmarks.bench_ingest [parse] [store] [day] [--traces N] [--conversations N]

**parse**: OTLP protobuf into traces, on one core, with nothing behind it. The loads are described
in ``benchmarks/ingest_load.py``; beside it, in the same run and of the same bytes, what protobuf's
own JSON reader takes only to parse them (``json_format.Parse``, no traces made), and protobuf's
messages walked to plain dictionaries.

**store**: the size of a trace and the time to find one by its id, beside JSON lines of spans and
spans as plain Parquet rows (zstd, sorted by trace), as one would write them without a schema.

**day**: ``anonymize ingest`` of a day's files in processes of its own, and the most memory that
all of them took together. ``--conversations 20000`` is the day that the project speaks of; it
takes as long as scrubbing takes.

Figures of two machines can't be compared, nor two runs on a busy one; ratios within a run can.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import zstandard
from google.protobuf import json_format  # type: ignore[import-untyped]
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from anonymize.scrubbed import _seal
from anonymize.sources import SpanSource
from anonymize.sources.documents import read_file
from anonymize.sources.interface import Limits
from anonymize.spans import Span
from anonymize.store import Store, StoreWriter
from anonymize.trace import Trace
from benchmarks.__main__ import machine
from benchmarks.bench_memory import peak_of
from benchmarks.bench_store import best, conversations
from benchmarks.ingest_conventions import CONVENTIONS
from benchmarks.ingest_load import full_spans, messages

_COMMAND = [sys.executable, "-c", "from anonymize.cli import main; main()", "ingest"]
#: A file of the day holds so many conversations, as a collector rotates them.
_A_FILE = 500
#: So many bytes of a load are given to protobuf's JSON reader, which would take minutes for all.
_SLOW = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """Spans a second of one core: read, made into traces, and the two alternatives."""

    load: str
    spans: int
    size: int
    attributes: float
    read: float
    traces: float
    walked: float
    json_format: float


def cpu(action: Callable[[], Any], times: int = 3) -> float:
    """The shortest CPU time of some runs, in seconds."""

    def once() -> float:
        gc.collect()
        began = time.process_time()
        action()
        return time.process_time() - began

    return min(once() for _ in range(times))


def parse(name: str, requests: Sequence[bytes], folder: Path) -> Parsed:
    """Measure one load. Each request is a message of ``TracesData``."""
    path = folder / f"{name}.pb"
    path.write_bytes(b"".join(requests))
    spans = [s for s in read_file(path, Limits()) if isinstance(s, Span)]
    few = requests[: max(1, len(requests) * _SLOW // path.stat().st_size)]
    texts = [json_format.MessageToJson(TracesData.FromString(data)) for data in few]
    counted = sum(text.count('"spanId"') for text in texts)
    source = SpanSource(name="bench", path=str(path))
    made = [t for t in source.read() if isinstance(t, Trace)]
    assert len(made) == len(requests), f"{len(made)} traces of {len(requests)}"
    del made
    return Parsed(
        load=name,
        spans=len(spans),
        size=path.stat().st_size,
        attributes=sum(len(s.attributes) for s in spans) / len(spans),
        read=len(spans) / cpu(lambda: list(read_file(path, Limits()))),
        traces=len(spans) / cpu(lambda: list(source.read())),
        walked=len(spans) / cpu(lambda: [_walk(TracesData.FromString(d)) for d in requests], 2),
        json_format=counted / cpu(lambda: [json_format.Parse(t, TracesData()) for t in texts], 1),
    )


def _walk(data: Any) -> list[Any]:
    """A message's spans as dictionaries: the least that anything does with them."""
    return [
        (span.trace_id.hex(), span.name, {a.key: _plain(a.value) for a in span.attributes})
        for resource in data.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return None if kind is None else getattr(value, kind)


def show_parse(traces: int) -> None:
    """Print the table of all loads."""
    loads: dict[str, Callable[[], Iterator[bytes]]] = {
        "a service's traffic, mixed": lambda: messages(traces),
        **{
            f"  all {name}": (lambda name=name: messages(traces // 2, name))  # type: ignore[misc]
            for name in CONVENTIONS
        },
        "only the agents' own spans": lambda: messages(traces // 2, around=False),
        "128 attributes a span": lambda: full_spans(max(1, traces // 40)),
    }
    print(f"{'spans a second, one core':<29}{'bytes':>7}{'attrs':>6}{'into':>9}", end="")
    print(f"{'only':>9}{'protobuf':>10}{'json_':>8}{'times':>7}")
    print(f"{'':<29}{'a span':>7}{'':>6}{'traces':>9}{'read':>9}{'walked':>10}{'format':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name, make in loads.items():
            p = parse(name.strip().replace("'", "").replace(" ", "-"), list(make()), Path(folder))
            print(
                f"{name:<29}{p.size / p.spans:>7,.0f}{p.attributes:>6.0f}{p.traces:>9,.0f}"
                f"{p.read:>9,.0f}{p.walked:>10,.0f}{p.json_format:>8,.0f}"
                f"{p.traces / p.json_format:>7.1f}",
                flush=True,
            )


# -- the store ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Bytes a trace, and seconds to find one by its id (the worst of some, opened anew)."""

    layout: str
    size: float
    by_id: float


def store(traces: int, folder: Path) -> list[Kept]:
    """The same traces in the store and, up to 20,000 of them, in the two other layouts."""
    root = folder / "store"
    StoreWriter(root).write((_seal(t, "none", {}) for t in conversations(traces)), source="bench")
    ids = Store(root).ids()
    asked = ids[:: max(1, len(ids) // 9)]
    found = [best(lambda i=i: Store(root).trace(i), 1) for i in asked]  # type: ignore[misc]
    kept = [Kept(layout="the store", size=_size(root) / traces, by_id=max(found))]
    few = min(traces, 20_000)
    rows = folder / "rows.parquet"
    frame = pl.DataFrame(
        [
            {"trace_id": t.trace_id, "seq": n, "span": orjson.dumps(asdict(s)).decode()}
            for t in conversations(few)
            for n, s in enumerate(t.steps)
        ]
    ).sort("trace_id", "seq")
    frame.write_parquet(rows, compression="zstd", compression_level=3, row_group_size=10_000)
    wanted = frame["trace_id"][len(frame) // 2]
    lines = folder / "spans.jsonl"
    with lines.open("wb") as file:
        for trace_id, span in frame.select("trace_id", "span").iter_rows():
            file.write(b'{"trace_id":"' + trace_id.encode() + b'","span":' + span.encode() + b"}\n")
    del frame

    def by_row() -> Any:
        return pl.scan_parquet(rows).filter(pl.col("trace_id") == wanted).collect()

    def by_line() -> Any:
        with lines.open("rb") as file:
            return [orjson.loads(row) for row in file if wanted.encode() in row]

    for layout, path, find in (
        (f"spans as Parquet rows ({few:,})", rows, by_row),
        (f"JSON lines of spans ({few:,})", lines, by_line),
    ):
        kept.append(Kept(layout=layout, size=path.stat().st_size / few, by_id=best(find)))
    return kept


def _size(root: Path) -> int:
    return sum(path.stat().st_size for path in root.rglob("*.parquet"))


def show_store(traces: int) -> None:
    """Print the table of layouts."""
    print(f"{f'{traces:,} traces, 7 days, 3 agents':<40}{'bytes a trace':>15}{'by id':>12}")
    with tempfile.TemporaryDirectory() as folder:
        for k in store(traces, Path(folder)):
            print(f"{k.layout:<40}{k.size:>15,.0f}{k.by_id * 1e3:>9.1f} ms")


# -- a day ----------------------------------------------------------------------------------------


def show_day(count: int) -> None:
    """Ingest ``count`` conversations as a collector's files, and say what it took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = _write_day(folder / "day", count)
        (folder / "replay.toml").write_text("", encoding="utf-8")
        env = {**os.environ, "XDG_CONFIG_HOME": name, "PYTHONPATH": str(Path.cwd())}
        began = time.monotonic()
        process = subprocess.Popen(
            [*_COMMAND, str(folder / "day"), "--out", str(folder / "store")],
            cwd=folder,
            env=env,
            stdout=subprocess.DEVNULL,
        )
        peak = peak_of(process, every=0.5)
        took = time.monotonic() - began
        if process.returncode:
            raise SystemExit(f"anonymize ingest ended with {process.returncode}")
        held = len(Store(folder / "store").ids())
        kept = _size(folder / "store") / max(1, held)
    print(f"{held:,} of {count:,} conversations ({size / 1e6:,.0f} MB of OTLP) in {took:,.0f} s")
    print(f"the most memory of all processes: {peak:,.0f} MB; in the store {kept:,.0f} B a trace")


def _write_day(folder: Path, count: int) -> int:
    folder.mkdir()
    size = 0
    file: Any = None
    for number, data in enumerate(messages(count)):
        if number % _A_FILE == 0:
            if file is not None:
                file.close()
            raw = (folder / f"traces-{number // _A_FILE:04}.pb.zst").open("wb")
            file = zstandard.ZstdCompressor().stream_writer(raw)
        file.write(data)
        size += len(data)
    if file is not None:
        file.close()
    return size


def main(words: Sequence[str]) -> int:
    """Run the parts that are named, or all."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0], allow_abbrev=False
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="parse, store, day")
    parser.add_argument("--traces", type=int, default=1_000, help="parse: traces of the mixed load")
    parser.add_argument("--stored", type=int, default=20_000, help="store: how many traces")
    parser.add_argument("--conversations", type=int, default=20_000, help="day: how many")
    given = parser.parse_args(words)
    shows: dict[str, Callable[[], None]] = {
        "parse": lambda: show_parse(given.traces),
        "store": lambda: show_store(given.stored),
        "day": lambda: show_day(given.conversations),
    }
    unknown = [part for part in given.parts if part not in shows]
    if unknown:
        parser.error(f"there is no part '{unknown[0]}'; there are: {', '.join(shows)}")
    print(machine())
    for part in given.parts or shows:
        print()
        shows[part]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
