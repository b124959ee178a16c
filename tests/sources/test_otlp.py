"""OTLP files: every encoding of the same spans gives the same traces."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard

from anonymize.errors import SourceError
from anonymize.sources import open_source
from anonymize.trace import SkippedTrace, Trace
from tests.sources.builders import (
    agent,
    answers,
    asks,
    chat,
    line,
    only_llm,
    only_tool,
    proto,
    read,
    read_path,
    request,
    span,
    text,
    tool,
)
from tests.support import shared

ASKED = text("user", "Where is my order?")
SPANS = [
    agent(1),
    chat(2, [ASKED], [asks("lookup", {"id": "A-1"})], parent=1),
    tool(3, "lookup", {"id": "A-1"}, '{"state":"sent"}', parent=1),
    chat(
        4,
        [ASKED, asks("lookup", {"id": "A-1"}), answers({"state": "sent"})],
        [text("assistant", "It was sent.")],
        parent=1,
    ),
]
DOCUMENT = request(SPANS)


def same(*traces: Trace | SkippedTrace) -> bool:
    return len({repr(replace(t, source="")) for t in traces if isinstance(t, Trace)}) == 1


def delimited(message: bytes) -> bytes:
    size, out = len(message), b""
    while size > 0x7F:
        out += bytes([size & 0x7F | 0x80])
        size >>= 7
    return out + bytes([size]) + message


def framed(message: bytes) -> bytes:
    return len(message).to_bytes(4, "big") + message


ENCODINGS: dict[str, Callable[[], bytes]] = {
    "json lines": lambda: line(*SPANS[:2]) + line(*SPANS[2:]),
    "one json": lambda: json.dumps(DOCUMENT).encode(),
    "pretty json": lambda: json.dumps(DOCUMENT, indent=2).encode(),
    "json with a byte order mark": lambda: b"\xef\xbb\xbf" + json.dumps(DOCUMENT).encode(),
    "a json list": lambda: json.dumps([request(SPANS[:1]), request(SPANS[1:])]).encode(),
    "tempo's batches": lambda: json.dumps({"batches": DOCUMENT["resourceSpans"]}).encode(),
    "blank lines between": lambda: b"\n\n" + line(*SPANS[:2]) + b"\r\n\n" + line(*SPANS[2:]),
    "protobuf": lambda: proto(DOCUMENT),
    "protobuf, two messages": lambda: proto(request(SPANS[:1])) + proto(request(SPANS[1:])),
    "protobuf with lengths": lambda: (
        delimited(proto(request(SPANS[:3]))) + delimited(proto(request(SPANS[3:])))
    ),
    "the collector's sized messages": lambda: framed(proto(DOCUMENT)),
    "the collector's zstd messages": lambda: (
        framed(zstandard.compress(proto(request(SPANS[:2]))))
        + framed(zstandard.compress(json.dumps(request(SPANS[2:])).encode()))
    ),
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_gives_the_same_trace(
    encoding: str, pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    (tmp_path / "plain.jsonl").write_bytes(line(*SPANS))
    (tmp_path / "file.bin").write_bytes(pack(ENCODINGS[encoding]()))
    [plain] = read_path(tmp_path / "plain.jsonl")
    [other] = read_path(tmp_path / "file.bin")
    assert isinstance(other, Trace)
    assert len(other.steps) == 4
    assert same(plain, other)


def test_a_trace_spread_over_lines_and_files_is_one_trace(tmp_path: Path) -> None:
    folder = tmp_path / "night" / "deep"
    folder.mkdir(parents=True)
    (folder / "b.jsonl").write_bytes(line(SPANS[3]) + line(SPANS[0]))
    (tmp_path / "night" / "a.pb.gz").write_bytes(gzip.compress(proto(request([SPANS[2]]))))
    (tmp_path / "night" / "c.json").write_bytes(json.dumps(request([SPANS[1]])).encode())
    (tmp_path / "night" / ".hidden.json").write_text("{}")
    (tmp_path / "night" / "README.md").write_text("# not data")
    (tmp_path / "all.jsonl").write_bytes(line(*SPANS))
    [whole] = read_path(tmp_path / "all.jsonl")
    [joined] = read_path(tmp_path / "night")
    assert same(whole, joined)
    globbed = next(iter(open_source(str(tmp_path / "night" / "**" / "*.*"), {}).read()))
    assert same(whole, globbed)


def test_traces_come_in_the_order_in_which_they_started(tmp_path: Path) -> None:
    spans = [chat(n, [ASKED], [text("assistant", "x")], trace=f"{n:032x}") for n in (3, 1, 2)]
    path = tmp_path / "t.jsonl"
    path.write_bytes(line(*spans))
    traces = [t.trace_id for t in read_path(path)]
    assert traces == [f"{n:032x}" for n in (1, 2, 3)]


def test_ids_in_base64_and_names_of_enums_are_read(tmp_path: Path) -> None:
    import base64

    own = chat(1, [ASKED], [text("assistant", "hi")], trace="aa" * 16)
    own["traceId"] = base64.b64encode(bytes.fromhex("aa" * 16)).decode()
    own["spanId"] = base64.b64encode(bytes.fromhex(own["spanId"])).decode()
    own["kind"] = "SPAN_KIND_CLIENT"
    own["status"] = {"code": "STATUS_CODE_ERROR", "message": "no"}
    trace = read(tmp_path, own)
    assert trace.trace_id == "aa" * 16
    assert trace.steps[0].step_id == f"{1:016x}"
    assert trace.error is not None
    assert trace.error.message == "no"


def test_snake_case_and_the_older_library_spans_are_read(tmp_path: Path) -> None:
    own = chat(1, [ASKED], [text("assistant", "hi")])
    snake = {
        "trace_id": own["traceId"],
        "span_id": own["spanId"],
        "name": "chat",
        "start_time_unix_nano": own["startTimeUnixNano"],
        "end_time_unix_nano": own["endTimeUnixNano"],
        "attributes": [
            {"key": a["key"], "value": {"string_value": a["value"]["stringValue"]}}
            for a in own["attributes"]
        ],
    }
    path = tmp_path / "snake.json"
    spans = {"instrumentationLibrary": {"name": "x"}, "spans": [snake]}
    path.write_text(json.dumps({"resource_spans": [{"instrumentationLibrarySpans": [spans]}]}))
    [trace] = read_path(path)
    assert isinstance(trace, Trace)
    assert trace.output == "hi"


def test_bare_spans_are_read(tmp_path: Path) -> None:
    path = tmp_path / "spans.json"
    path.write_text(json.dumps(SPANS))
    [trace] = read_path(path)
    assert isinstance(trace, Trace)
    assert len(trace.steps) == 4


def test_structured_values_are_as_good_as_json_text(tmp_path: Path) -> None:
    as_text = chat(1, [ASKED], [asks("lookup", {"id": 7, "deep": [1, None, {"x": True}]})])
    made = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.input.messages": [ASKED],
        "gen_ai.output.messages": [asks("lookup", {"id": 7, "deep": [1, None, {"x": True}]})],
    }
    first = read(tmp_path, as_text)
    second = read(tmp_path, span(1, "chat m", made))
    assert only_llm(first) == only_llm(second)


def test_bytes_become_a_placeholder_and_are_flagged(tmp_path: Path) -> None:
    own = tool(1, "scan", {"page": 1})
    own["attributes"].append(
        {"key": "gen_ai.tool.call.result", "value": {"bytesValue": "aGVsbG8="}}
    )
    trace = read(tmp_path, own)
    assert str(only_tool(trace).result).startswith("[binary application/octet-stream 5 B ")
    assert "binary_dropped" in trace.lossy_flags


def test_message_events_sent_as_log_records_join_their_span(tmp_path: Path) -> None:
    own = span(1, "chat m", {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"})
    log = {
        "eventName": "gen_ai.user.message",
        "timeUnixNano": "2",
        "traceId": own["traceId"],
        "spanId": own["spanId"],
        "body": {"kvlistValue": {"values": [{"key": "content", "value": {"stringValue": "hi"}}]}},
    }
    ordinary = {"timeUnixNano": "1", "body": {"stringValue": "started"}}
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [log, ordinary]}]}]}
    path = tmp_path / "both.jsonl"
    path.write_bytes(line(own) + json.dumps(logs).encode() + b"\n")
    [trace] = read_path(path)
    assert isinstance(trace, Trace)
    assert trace.input == "hi"


def test_a_trace_without_any_agent_work_is_skipped_with_its_id(tmp_path: Path) -> None:
    web = span(9, "GET /", {"http.request.method": "GET"}, trace="bb" * 16)
    path = tmp_path / "t.jsonl"
    path.write_bytes(line(*SPANS, web))
    trace, skipped = read_path(path)
    assert isinstance(trace, Trace)
    assert isinstance(skipped, SkippedTrace)
    assert skipped.trace_id == "bb" * 16
    assert skipped.reason == "no LLM, tool or agent span in the trace"


def test_the_json_lines_and_the_protobuf_of_the_shared_data_agree() -> None:
    lines = {t.trace_id: t for t in read_path(shared("sources/otlp_genai_semconv.jsonl"))}
    binary = read_path(shared("sources/otlp_genai_semconv.pb"))
    assert binary
    for trace in binary:
        assert same(trace, lines[trace.trace_id])
        assert isinstance(trace, Trace)
        assert trace.lossy_flags == ()


def test_metrics_alone_are_an_error_that_says_so(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text('{"resourceMetrics": []}')
    with pytest.raises(SourceError, match="metrics"):
        read_path(path)
