"""The OTLP receiver, with the real exporters of the OpenTelemetry SDK as clients."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from anonymize.receive import Buffer, Full, Keeping, read_request
from anonymize.sources import Limits
from anonymize.spans import Span
from anonymize.store import Store

EMAIL = "mei.kovacs@corp.example"


@contextmanager
def receiving(
    folder: Path, *options: str
) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The command itself, and where it listens (``http``, ``grpc``)."""
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    (folder / "replay.toml").write_text(f'[anonymize]\nkey_file = "{folder}/k.key"\n')
    code = "from anonymize.cli import main; main()"
    command = [sys.executable, "-c", code, "receive", "--port", "0", "--out", "traces", *options]
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    where: dict[str, str] = {}
    wanted = 2 if "--grpc-port" in options else 1
    while len(where) < wanted:
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        if match := re.match(r"listening\s+(http|grpc)://(\S+)", line):
            where[match[1]] = match[2]
    try:
        yield process, where
    finally:
        process.kill()
        process.communicate()


def finish(process: subprocess.Popen[str]) -> str:
    """What the command says at its end, once asked to stop."""
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def provider_with(exporter: SpanExporter) -> TracerProvider:
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=50))
    return provider


def run_agent(provider: TracerProvider, number: int) -> None:
    """One trace: an agent and its tool, under OpenTelemetry's names."""
    tracer = provider.get_tracer("shop")
    session = {"gen_ai.operation.name": "invoke_agent", "gen_ai.conversation.id": f"s{number}"}
    with tracer.start_as_current_span("invoke_agent shop", attributes=session) as root:
        root.set_attribute(
            "gen_ai.input.messages",
            json.dumps([{"role": "user", "content": f"I am {EMAIL}, where is A-{number}?"}]),
        )
        arguments = json.dumps({"order_id": f"A-{number}", "email": EMAIL})
        tool = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "get_order",
            "gen_ai.tool.call.arguments": arguments,
            "gen_ai.tool.call.result": '{"status": "shipped"}',
        }
        with tracer.start_as_current_span("execute_tool get_order", attributes=tool):
            pass


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_what_the_exporter_sends_is_scrubbed_and_kept_when_it_is_stopped(
    tmp_path: Path, compression: Compression
) -> None:
    with receiving(tmp_path, "--quiet", "60") as (process, where):
        url = f"http://{where['http']}"
        provider = provider_with(OTLPSpanExporter(endpoint=url, compression=compression))
        for number in range(5):
            run_agent(provider, number)
        provider.shutdown()
        said = finish(process)
    assert "received 10 spans; 5 traces added" in said
    traces = list(Store(tmp_path / "traces").traces())
    assert len(traces) == 5
    assert all(len(t.tool_calls) == 1 for t in traces)
    for file in (tmp_path / "traces").rglob("*.parquet"):
        assert EMAIL.encode() not in file.read_bytes()
    assert EMAIL not in str(traces)


def test_grpc_is_taken_too(tmp_path: Path) -> None:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (
        OTLPSpanExporter as GrpcExporter,
    )

    with receiving(tmp_path, "--grpc-port", "0") as (process, where):
        provider = provider_with(GrpcExporter(endpoint=f"http://{where['grpc']}", insecure=True))
        run_agent(provider, 1)
        provider.shutdown()
        said = finish(process)
    assert "received 2 spans; 1 traces added" in said


def test_traces_are_written_while_it_runs_once_they_are_quiet(tmp_path: Path) -> None:
    with receiving(tmp_path, "--quiet", "0.2", "--every", "0.2") as (process, where):
        provider = provider_with(OTLPSpanExporter(endpoint=f"http://{where['http']}"))
        run_agent(provider, 1)
        provider.force_flush()
        health = f"http://{where['http'].partition('/')[0]}/healthz"
        for _ in range(300):
            with urllib.request.urlopen(health, timeout=5) as answer:
                known = json.loads(answer.read())
            if known["added"] == 1 and not known["waiting"]["spans"]:
                break
            time.sleep(0.1)
        assert known["status"] == "ok"
        assert known["waiting"] == {"traces": 0, "bytes": 0, "spans": 0, "since": None}
        assert known["added"] == 1
        provider.shutdown()
        finish(process)


def post(url: str, data: bytes, kind: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    request = urllib.request.Request(url, data, {"Content-Type": kind, **headers})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read(), dict(error.headers)


def span(trace: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "traceId": trace,
        "spanId": name * 8,
        "name": name,
        "startTimeUnixNano": "1772452800000000000",
        "endTimeUnixNano": "1772452801000000000",
        "attributes": [
            {"key": "gen_ai.operation.name", "value": {"stringValue": "execute_tool"}},
            {"key": "gen_ai.tool.name", "value": {"stringValue": "get_order"}},
        ],
        **more,
    }


def request_of(*spans: dict[str, Any]) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}).encode()


def test_bad_requests_are_told_and_change_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("RECEIVE_TOKEN", "hush")
    with receiving(tmp_path, "--token-env", "RECEIVE_TOKEN") as (process, where):
        url = f"http://{where['http']}"
        ok = {"Authorization": "Bearer hush"}
        good = request_of(span("a" * 32, "aa"))
        assert post(url, good, "application/json")[0] == 401
        assert post(url, good, "application/json", Authorization="Bearer x")[0] == 401
        assert post(url, b"{]", "application/json", **ok)[0] == 400
        assert post(url, b'{"a": 1}', "application/json", **ok)[0] == 400
        assert post(url, b"\xff\xff\xff", "application/x-protobuf", **ok)[0] == 400
        assert post(url, gzip.compress(good)[:-9], "application/json", **ok)[0] == 400
        assert post(url.replace("traces", "profiles"), good, "application/json", **ok)[0] == 404
        bomb = gzip.compress(b"[" * (200 * 2**20))
        assert post(url, bomb, "application/json", **ok)[0] == 400
        status, body, _ = post(
            url, request_of(span("a" * 32, "aa"), {"traceId": 7}), "application/json", **ok
        )
        assert status == 200
        assert json.loads(body)["partialSuccess"]["rejectedSpans"] == "1"
        said = finish(process)
    assert "received 1 spans; 1 traces added" in said


def test_full_means_come_again_and_nothing_is_lost(tmp_path: Path) -> None:
    """The exporter tries again by itself; what it was told to bring later arrives later."""
    with receiving(tmp_path, "--memory", "1", "--quiet", "3", "--every", "0.2") as (
        process,
        where,
    ):
        url = f"http://{where['http']}"
        note = [{"key": "note", "value": {"stringValue": "x" * 300_000}}]
        left = [
            request_of(span(f"{n + 1:032x}", "bb", attributes=[*span("", "")["attributes"], *note]))
            for n in range(8)
        ]
        turned_away = 0
        for _ in range(600):
            status, _, headers = post(url, left[0], "application/json")
            if status == 200:
                left.pop(0)
                if not left:
                    break
                continue
            assert status == 503
            assert headers["Retry-After"] == "5"
            turned_away += 1
            time.sleep(0.1)
        assert not left
        assert turned_away
        finish(process)
    assert Store(tmp_path / "traces").summary().traces == 8


def as_span(trace: str, name: str) -> Span:
    return Span(trace_id=trace, span_id=name, attributes={"a": "x" * 1000})


def test_a_span_that_comes_late_joins_its_trace() -> None:
    buffer = Buffer(clock=lambda: 0.0)
    buffer.put([as_span("t", "1")])
    assert [len(r.spans) for r in buffer.take(quiet_for=0)] == [1]
    buffer.put([as_span("t", "2")])
    assert [len(r.spans) for r in buffer.take(quiet_for=0)] == [2]


def test_the_rest_of_a_trace_that_was_forgotten_never_replaces_it(tmp_path: Path) -> None:
    buffer = Buffer(most=20_000, clock=lambda: 0.0)
    for number in range(12):
        buffer.put([as_span(f"t{number}", "1")])
        buffer.take(quiet_for=0)
    assert buffer.put([as_span("t0", "2")]) == 1
    assert buffer.put([as_span("t11", "2")]) == 0
    ready = {r.spans[0].trace_id: r for r in buffer.take(quiet_for=0)}
    assert ready["t0"].rest
    assert len(ready["t11"].spans) == 2


def test_a_buffer_takes_all_of_a_request_or_nothing() -> None:
    buffer = Buffer(most=5_000, clock=lambda: 0.0)
    buffer.put([as_span("t", "1")])
    with pytest.raises(Full):
        buffer.put([as_span("u", str(n)) for n in range(5)])
    assert buffer.traces == 1


def test_a_write_that_fails_is_tried_again(tmp_path: Path) -> None:
    from anonymize.errors import StoreError

    class Failing(Keeping):
        tries = 0

        def _write(self, groups: Any) -> None:
            self.tries += 1
            if self.tries == 1:
                raise StoreError("no space", where="x")
            self.written = len(groups)

    buffer = Buffer(clock=lambda: 0.0)
    buffer.put([as_span("t", "1")])
    keeping = Failing(buffer, tmp_path, None)  # type: ignore[arg-type]
    with pytest.raises(StoreError):
        keeping.flush(everything=True)
    assert keeping.flush(everything=True) == 1
    assert keeping.written == 1


def test_a_bomb_of_brackets_is_refused_before_it_is_parsed() -> None:
    limits = Limits(values=1_000_000)
    assert read_request(b"[" * 3_000_000, "application/json", limits).refused
