"""Answers as the protocol has them, log records, metrics, and a receiver's own figures."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from prometheus_client.parser import text_string_to_metric_families

from anonymize.assemble import assemble
from anonymize.receive import Buffer, Keeping, answers, read_request
from anonymize.receive.grpc import serve_grpc
from anonymize.receive.keeping import _Batch
from anonymize.sources import Limits, SourceSettings, open_source
from anonymize.spans import Span
from anonymize.trace import LLMCall, SkippedTrace, Trace
from tests.receive.senders import GOOD, JSON, PROTO, ask, head, listening, nested, raw, varint
from tests.receive.test_receive import request_of, span

TRACE, SPAN = "ab" * 16, "cd" * 8


def logs_of(*events: tuple[str, str, Any], trace: str = TRACE, when: int = 5) -> bytes:
    """A request with log records: the event's name, the span's id, the body."""
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add().scope_logs.add()
    for number, (name, span_id, body) in enumerate(events):
        record = group.log_records.add(time_unix_nano=when + number, event_name=name)
        record.trace_id, record.span_id = bytes.fromhex(trace), bytes.fromhex(span_id)
        for key, value in body.items():
            record.body.kvlist_value.values.add(key=key).value.string_value = value
    data: bytes = request.SerializeToString()
    return data


SAID = logs_of(
    ("gen_ai.user.message", SPAN, {"content": "Where is A-1?"}),
    ("gen_ai.choice", SPAN, {"content": "On its way."}),
)


def chat() -> Span:
    given = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    return Span(trace_id=TRACE, span_id=SPAN, name="chat m", start_ns=1, end_ns=9, attributes=given)


def test_errors_are_a_status_in_the_encoding_of_the_request() -> None:
    with listening(token="hush") as (server, _):
        for path, headers, status in (
            ("/v1/traces", {}, 401),
            ("/v1/other", {"Authorization": "Bearer hush"}, 404),
            ("/v1/traces", {"Authorization": "Bearer hush"}, 400),
        ):
            code, body = ask(server, b"\xff\xff", PROTO | headers, path)
            assert (code, bool(Status.FromString(body).message)) == (status, True)
            code, body = ask(server, b"\xff\xff", JSON | headers, path)
            assert code == status
            assert json.loads(body)["message"]


def test_a_request_without_anything_is_no_mistake() -> None:
    with listening() as (server, buffer):
        for body, headers in (
            (b"", PROTO),
            (b"{}", JSON),
            (b'{"resourceSpans": []}', JSON),
            (b'{"resourceLogs": []}', JSON),
        ):
            for path in ("/v1/traces", "/v1/logs"):
                assert ask(server, body, headers, path)[0] == 200
        assert not buffer.traces


@pytest.mark.parametrize("logs", [False, True])
def test_what_could_not_be_read_is_told_in_both_encodings(logs: bool) -> None:
    assert answers.taken(answers.PROTOBUF, 0, "") == b""
    kind = ExportLogsServiceResponse if logs else ExportTraceServiceResponse
    told: Any = kind.FromString(answers.taken(answers.PROTOBUF, 300, "x" * 200, logs=logs))
    partial = told.partial_success
    number = partial.rejected_log_records if logs else partial.rejected_spans
    assert (number, partial.error_message) == (300, "x" * 200)
    plain = json.loads(answers.taken(answers.JSON, 300, "why", logs=logs))["partialSuccess"]
    name = "rejectedLogRecords" if logs else "rejectedSpans"
    assert plain == {name: "300", "errorMessage": "why"}


def test_full_is_a_code_and_a_moment_with_which_senders_come_again() -> None:
    """Without the moment, some senders take it for final and drop what they have."""
    buffer = Buffer()
    buffer.close()
    keeping = Keeping(buffer, Path("nowhere"), None)  # type: ignore[arg-type]
    server, port = serve_grpc("127.0.0.1:0", buffer, keeping)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = channel.unary_unary(
                "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
            )
            with pytest.raises(grpc.RpcError) as error:
                call(nested(1), timeout=20)
    finally:
        server.stop(0).wait()
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    details = dict(error.value.trailing_metadata())["grpc-status-details-bin"]
    status, retry = Status.FromString(details), RetryInfo()
    assert status.code == grpc.StatusCode.UNAVAILABLE.value[0]
    assert status.details[0].Unpack(retry)
    assert retry.retry_delay.seconds == answers.COME_AGAIN
    with listening() as (http, full):
        full.close()
        body = b"Content-Length: %d" % len(GOOD)
        told = raw(http, head(body.decode(), "Connection: close") + GOOD)
        assert told.startswith(b"HTTP/1.1 503")
        assert b"Retry-After: 5" in told


@pytest.mark.parametrize("first", ["logs", "spans"])
def test_what_was_said_in_log_records_joins_its_span_whichever_comes_first(first: str) -> None:
    with listening() as (server, buffer):
        if first == "spans":
            buffer.put([chat()])
        for _ in range(2):  # delivered twice
            assert ask(server, SAID, PROTO, "/v1/logs")[0] == 200
        if first == "logs":
            buffer.put([chat()])
        assert server.keeping.counts.logs == 4
        (ready,) = buffer.take(quiet_for=0)
    trace = assemble(ready.spans)
    assert isinstance(trace, Trace)
    (call,) = (step for step in trace.steps if isinstance(step, LLMCall))
    assert [m.content for m in call.input] == ["Where is A-1?"]
    assert [m.content for m in call.output] == ["On its way."]


def test_ordinary_log_lines_are_passed_over_and_damaged_ones_refused() -> None:
    with listening() as (server, buffer):
        lines = logs_of(("", SPAN, {"message": "started"}), ("http.request", SPAN, {"a": "b"}))
        assert ask(server, lines, PROTO, "/v1/logs")[0] == 200
        outside = logs_of(("gen_ai.choice", "", {"content": "x"}), trace="")
        assert ask(server, outside, PROTO, "/v1/logs")[0] == 200
        assert not buffer.traces
        assert ask(server, SAID[:-3], PROTO, "/v1/logs")[0] == 400
        assert ask(server, b"\x0a\xff\xff", PROTO, "/v1/logs")[0] == 400
        assert ask(server, b"\x00" * 50_000, PROTO, "/v1/logs")[0] in (200, 400)


def test_a_log_record_that_can_t_be_read_costs_itself() -> None:
    deep = LogRecord(time_unix_nano=5, event_name="gen_ai.choice")
    value = deep.body
    for _ in range(101):
        value = value.array_value.values.add()
    said = ExportLogsServiceRequest.FromString(SAID).resource_logs[0].scope_logs[0].log_records
    records = [one.SerializeToString() for one in (said[0], deep, said[1])]
    body = b"".join(b"\x12" + varint(len(one)) + one for one in records)
    for field in (b"\x12", b"\x0a"):
        body = field + varint(len(body)) + body
    received = read_request(body, "application/x-protobuf", Limits(), logs=True)
    assert (received.logs, received.rejected) == (2, 1)


def test_log_records_without_any_span_are_listed() -> None:
    with listening() as (server, buffer):
        assert ask(server, SAID, PROTO, "/v1/logs")[0] == 200
        ready = buffer.take(quiet_for=0)
    (skip,) = _Batch("receive", ready, SourceSettings(), {}).read()
    assert isinstance(skip, SkippedTrace)
    assert skip.reason == "log records of a trace came, but none of its spans"
    assert skip.trace_id == TRACE


def test_a_span_without_an_id_is_told_and_not_taken_for_a_log_record() -> None:
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    data = TracesData()
    data.resource_spans.add().scope_spans.add().spans.add(name="gen_ai. chat")
    with listening() as (server, buffer):
        status, body = ask(server, data.SerializeToString(), PROTO)
        assert (status, Status.FromString(body).message) == (400, "a span without a trace id")
        assert ask(server, SAID, PROTO)[0] == 200  # log records at the wrong address
        assert buffer.traces == 1


def test_files_of_log_records_are_read_as_protobuf_too(tmp_path: Path) -> None:
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    spans = TracesData()
    one = spans.resource_spans.add().scope_spans.add().spans.add(name="chat m")
    one.trace_id, one.span_id = bytes.fromhex(TRACE), bytes.fromhex(SPAN)
    one.attributes.add(key="gen_ai.operation.name").value.string_value = "chat"
    (tmp_path / "logs.pb").write_bytes(SAID)
    (tmp_path / "spans.pb").write_bytes(spans.SerializeToString())
    (trace,) = open_source(str(tmp_path), {}).read()
    assert isinstance(trace, Trace)
    assert trace.output == "On its way."


def test_the_sdk_s_own_log_exporter_is_understood() -> None:
    from opentelemetry._logs import LogRecord, SeverityNumber
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    with listening() as (server, buffer):
        base = "http://{}:{}".format(*server.server_address[:2])
        logs, tracing = LoggerProvider(), TracerProvider()
        exporter = OTLPLogExporter(endpoint=f"{base}/v1/logs")
        logs.add_log_record_processor(SimpleLogRecordProcessor(exporter))
        tracing.add_span_processor(
            SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{base}/v1/traces"))
        )
        tracer, logger = tracing.get_tracer("t"), logs.get_logger("t")
        with tracer.start_as_current_span("chat m") as current:
            current.set_attribute("gen_ai.operation.name", "chat")
            for name, text in (
                ("gen_ai.user.message", "Where is A-1?"),
                ("gen_ai.choice", "On its way."),
            ):
                record = LogRecord(
                    timestamp=5,
                    event_name=name,
                    severity_number=SeverityNumber.INFO,
                    body={"content": text},
                )
                logger.emit(record)
        logs.shutdown()
        tracing.shutdown()
        counts = server.keeping.counts
        assert (counts.spans, counts.logs) == (1, 2)
        (ready,) = buffer.take(quiet_for=0)
    trace = assemble(ready.spans)
    assert isinstance(trace, Trace)
    assert trace.output == "On its way."


def test_metrics_are_dropped_and_counted_so_that_senders_do_not_complain() -> None:
    with listening() as (server, buffer):
        assert ask(server, b"anything", PROTO, "/v1/metrics") == (200, b"")
        assert ask(server, b"{}", JSON, "/v1/metrics") == (200, b"{}")
        assert server.keeping.counts.metrics == 2
        assert not buffer.traces


def test_the_figures_are_prometheus_text_and_say_what_waits() -> None:
    with listening() as (server, _):
        assert ask(server, request_of(span("a" * 32, "aa")), JSON)[0] == 200
        host, port = server.server_address[:2]
        with urllib.request.urlopen(f"http://{host!s}:{port}/metrics", timeout=20) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=")
            text = answer.read().decode()
    found = {s.name: s.value for f in text_string_to_metric_families(text) for s in f.samples}
    assert found["anonymize_receive_spans_total"] == 1
    assert found["anonymize_receive_waiting_spans"] == 1
    assert 0 <= found["anonymize_receive_waiting_seconds"] < 600
    assert found["anonymize_receive_failing"] == 0
