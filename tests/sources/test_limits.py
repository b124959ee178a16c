"""Input that is larger than memory: read in parts, or skipped with a reason; never half read."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard

from anonymize.errors import SourceError
from anonymize.sources import Limits, SourceSettings, SpanSource, TranscriptSource, catalog
from anonymize.sources.budget import parsed_size
from anonymize.sources.catalog import Catalog
from anonymize.trace import SkippedTrace, Trace
from tests.sources.builders import chat, line, proto, request, text

SMALL = Limits(held=20_000)


def spans(traces: int, turns: int = 3) -> Iterator[dict[str, Any]]:
    """Spans of many traces, interleaved: each trace's are far apart."""
    for turn in range(turns):
        for number in range(traces):
            said = f"question {turn} of {number}"
            span = chat(turn + 1, [text("user", said)], [text("assistant", said.upper())])
            start = str(int(span["startTimeUnixNano"]) + number * 1_000_000)
            identity = f"{(number * 7919) % 100_003 + 1:032x}"
            yield {**span, "traceId": identity, "startTimeUnixNano": start}


def framed(messages: list[bytes]) -> bytes:
    return b"".join(len(m).to_bytes(4, "big") + m for m in messages)


def shapes() -> list[tuple[str, bytes]]:
    mine = list(spans(40))
    groups = [mine[i : i + 7] for i in range(0, len(mine), 7)]
    return [
        ("lines.jsonl", b"".join(map(line, mine))),
        ("groups.jsonl", b"".join(json.dumps(request(g)).encode() + b"\n" for g in groups)),
        ("packed.zst", zstandard.compress(b"".join(map(line, mine)))),
        ("traces.pb", b"".join(proto(request(g)) for g in groups)),
        (
            "framed.otlp",
            framed([zstandard.compress(json.dumps(request(g)).encode()) for g in groups]),
        ),
    ]


def read(path: Path, limits: Limits) -> list[Trace | SkippedTrace]:
    return list(SpanSource(name="s", path=str(path), limits=limits).read())


@pytest.mark.parametrize(("name", "data"), shapes())
@pytest.mark.parametrize("coarse", [False, True])
def test_reading_in_parts_gives_the_same_traces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: bytes, coarse: bool
) -> None:
    (tmp_path / name).write_bytes(data)
    whole = read(tmp_path, Limits())
    if coarse:
        monkeypatch.setattr(catalog, "_MOST_TRACES", 10)
    parts = read(tmp_path, SMALL)
    assert len(whole) == 40
    if coarse:  # by hash, so in another order
        whole, parts = ([*sorted(t, key=str)] for t in (whole, parts))
    assert parts == whole


def test_bad_lines_are_listed_once_however_often_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(b"".join([*map(line, spans(40)), b"{bad\n"]))
    items = read(tmp_path, SMALL)
    assert [i.reason for i in items if isinstance(i, SkippedTrace)] == ["not JSON"]


def test_documents_that_a_part_does_not_need_are_not_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered = sorted(spans(60), key=lambda s: s["traceId"])
    (tmp_path / "x.jsonl").write_bytes(b"".join(map(line, ordered)))
    answers: list[bool] = []
    whole = Catalog.document

    def counted(self: Catalog) -> bool:
        answers.append(whole(self))
        return answers[-1]

    monkeypatch.setattr(Catalog, "document", counted)
    read(tmp_path, SMALL)
    passes = len(answers) // len(ordered)
    assert passes > 4
    assert sum(answers) < 3 * len(ordered)  # read to see, and once or so to take


def test_a_trace_that_is_too_large_is_skipped_and_named(tmp_path: Path) -> None:
    big = [{**chat(n, [text("user", "y" * 1000)], [])} for n in range(200)]
    (tmp_path / "x.jsonl").write_bytes(b"".join(map(line, [*spans(10), *big])))
    for limits in (Limits(trace=50_000), Limits(trace=50_000, held=60_000)):
        *good, skipped = sorted(read(tmp_path, limits), key=lambda i: isinstance(i, SkippedTrace))
        assert len(good) == 10
        assert isinstance(skipped, SkippedTrace)
        assert skipped.reason == "a trace is too large"
        assert skipped.trace_id == big[0]["traceId"]
        assert skipped.size is not None
        assert skipped.size > 200_000


def test_a_source_that_shrinks_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"".join(map(line, spans(60))))
    stream = SpanSource(name="s", path=str(path), limits=SMALL).read()
    next(stream)
    path.write_bytes(line(next(spans(1))))
    with pytest.raises(SourceError, match="changed while it was read"):
        list(stream)


def test_a_source_that_grows_while_it_is_read_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"".join(map(line, spans(60))))
    stream = SpanSource(name="s", path=str(path), limits=SMALL).read()
    first = next(stream)
    with path.open("ab") as file:
        file.write(line({**chat(9, [text("user", "late")], []), "traceId": "ee" * 16}))
    assert len([first, *stream]) == 60


@pytest.mark.parametrize(
    "bomb",
    [
        b"[" + b",".join([b"[]"] * 4_000_000) + b"]",
        b"[" + b",".join([b"{}"] * 3_000_000) + b"]",
        b"[" + b",".join([b'{"a":1}'] * 2_000_000) + b"]",
        b"[" + b",".join([b'"ab"'] * 5_000_000) + b"]",
        b"[" + b"1234567," * 6_000_000 + b"1]",
    ],
    ids=["lists", "objects", "pairs", "texts", "numbers"],
)
def test_a_document_that_grows_when_parsed_is_skipped_before(tmp_path: Path, bomb: bytes) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(line(next(spans(1))) + bomb + b"\n")
    good, skipped = read(path, Limits(values=100 << 20))
    assert isinstance(good, Trace)
    assert isinstance(skipped, SkippedTrace)
    assert skipped.reason == "a document has too many values"
    assert skipped.size == len(bomb) + 1


def test_a_protobuf_message_that_grows_when_parsed_is_skipped_before(tmp_path: Path) -> None:
    def field(number: int, body: bytes) -> bytes:
        size, rest = b"", len(body)
        while rest > 127:
            size += bytes([rest & 127 | 128])
            rest >>= 7
        return bytes([number << 3 | 2]) + size + bytes([rest]) + body

    empty_spans = field(1, field(2, b"\x12\x00" * 1_500_000))
    values = field(5, b"\x0a\x00" * 1_500_000)
    empty_values = field(1, field(2, field(2, field(9, field(2, values)))))
    good = proto(request(spans(1)))
    path = tmp_path / "x.pb"
    path.write_bytes(good + empty_spans + empty_values)
    items = read(path, Limits())
    assert isinstance(items[0], Trace)
    assert [getattr(i, "reason", None) for i in items[1:]] == ["a message has too many parts"] * 2
    path.write_bytes(proto(request(spans(5000))))
    assert path.stat().st_size > 1 << 20
    assert len(read(path, Limits())) == 5000


def test_a_million_bad_lines_take_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(line(next(spans(1))) + b"{\n" * 100_000)
    tracemalloc.start()
    items = read(path, Limits())
    assert tracemalloc.get_traced_memory()[1] < 30 << 20
    tracemalloc.stop()
    reasons = [i.reason for i in items if isinstance(i, SkippedTrace)]
    assert len(reasons) < 30_000
    assert "more that could not be read" in reasons


def test_transcripts_a_line_each_are_read_one_by_one(tmp_path: Path) -> None:
    record = {
        "messages": [
            {"role": "user", "content": "x" * 1000},
            {"role": "assistant", "content": "y"},
        ]
    }
    row = json.dumps(record).encode() + b"\n"
    path = tmp_path / "x.jsonl"
    path.write_bytes(row * 50 + b'{"messages": "' + b"z" * 5000 + b'"}\n' + b"{bad\n" + row)
    limits = Limits(document=3000)
    source = TranscriptSource(name="c", settings=SourceSettings(path=str(path)), limits=limits)
    items = list(source.read())
    assert [type(i) for i in items] == [Trace] * 51 + [SkippedTrace] * 2
    assert {i.reason: i.where[-3:] for i in items if isinstance(i, SkippedTrace)} == {
        "a document is too large": ":51",
        "not JSON": ":52",
    }
    assert len({i.trace_id for i in items if isinstance(i, Trace)}) == 51


def test_the_estimate_covers_what_parsing_takes() -> None:
    rows: list[bytes] = [
        orjson.dumps([{"key": "k", "value": {"stringValue": f"v {i}"}} for i in range(30_000)]),
        orjson.dumps([[] for _ in range(500_000)]),
        orjson.dumps([{"a": i} for i in range(150_000)]),
        orjson.dumps([f"text {i}" for i in range(150_000)]),
        orjson.dumps(list(range(1000, 300_000))),
        orjson.dumps(["\U0001f600" + "x" * 2_000_000]),
    ]  # fmt: skip
    for raw in rows:
        tracemalloc.start()
        value = orjson.loads(raw)
        taken = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert 0.9 * taken <= parsed_size(raw, 0) <= 3 * taken + (1 << 20), raw[:40]
        del value
