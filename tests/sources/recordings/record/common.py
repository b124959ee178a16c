"""What every recording has in common: the question, the tool, and where its spans go.

Spans are kept in memory and written when the process ends, as compressed OTLP protobuf, without
stack traces, process attributes and paths of the machine.
"""

from __future__ import annotations

import atexit
import base64
import gzip
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

MODEL = f"http://127.0.0.1:{os.environ.get('MODEL_PORT', '18931')}"
os.environ.update(
    OPENAI_API_KEY="none",
    OPENAI_BASE_URL=f"{MODEL}/v1",
    OPENAI_API_BASE=f"{MODEL}/v1",
    ANTHROPIC_API_KEY="none",
    ANTHROPIC_BASE_URL=MODEL,
)
BAD = "bad" in sys.argv
QUESTION = f"What is the weather in {'Atlantis' if BAD else 'Oslo and in Rome'}?"
SYSTEM = "You are a kind weather assistant."
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "description": "Weather of a city", "parameters": SCHEMA},
}
_LEFT_OUT = ("exception.stacktrace", "hidden_params", "logfire.json_schema", "model_settings")


def weather(city: str) -> str:
    if city == "Atlantis":
        raise ValueError("no such city")
    return {"Oslo": "3 degrees", "Rome": "20 degrees"}.get(city, "unknown")


class Recorder(SpanExporter):
    def __init__(self, path: Path) -> None:
        self.path = path
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans += spans
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        request = encode_spans(self.spans)
        for group in (g for r in request.resource_spans for g in r.scope_spans):
            for item in (i for s in group.spans for i in (s, *s.events)):
                for index in reversed(range(len(item.attributes))):
                    if item.attributes[index].key.startswith(_LEFT_OUT):
                        del item.attributes[index]
                for attribute in item.attributes:
                    if attribute.value.HasField("string_value"):
                        attribute.value.string_value = cleaned(attribute.value.string_value)
        if LOGS is None or not LOGS.records:
            self.path.write_bytes(gzip.compress(request.SerializeToString(), 9, mtime=0))
            return
        from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs

        lines = [as_json(request), as_json(encode_logs(LOGS.records))]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        path = self.path.with_name(self.path.name.replace(".pb.gz", ".json.gz"))
        path.write_bytes(gzip.compress(cleaned(text).encode(), 9, mtime=0))


def as_json(request: Any) -> Any:
    """A request as a collector's file exporter writes it: ids in hex."""

    def walk(value: Any) -> None:
        for item in value.values() if isinstance(value, dict) else value:
            if isinstance(item, dict | list):
                walk(item)
        for key in ("traceId", "spanId", "parentSpanId") if isinstance(value, dict) else ():
            if key in value:
                value[key] = base64.b64decode(value[key]).hex()

    document = MessageToDict(request)
    walk(document)
    return document


class Logs:
    """Keeps log records, which some instrumentation puts messages into."""

    def __init__(self) -> None:
        self.records: list[Any] = []

    def export(self, batch: Sequence[Any]) -> Any:
        from opentelemetry.sdk._logs.export import LogRecordExportResult

        self.records += batch
        return LogRecordExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 0) -> bool:
        return True

    def shutdown(self) -> None:
        """Nothing to close."""


LOGS: Logs | None = None


def start_logs() -> Any:
    """A provider of loggers; what they are told stands beside the spans."""
    global LOGS
    from opentelemetry import _logs
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor

    LOGS = Logs()
    provider = LoggerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_log_record_processor(SimpleLogRecordProcessor(LOGS))
    _logs.set_logger_provider(provider)
    return provider


def cleaned(text: str) -> str:
    """``text`` without the machine's paths and the stand-in's address."""
    text = re.sub(r"/[\w./-]*/site-packages/", "", text)
    text = text.replace(str(Path.cwd()), "app").replace(str(Path.home()), "home")
    return text.replace(MODEL.removeprefix("http://"), "llm.example")


def start(name: str) -> TracerProvider:
    """A provider of tracers that records into ``NAME.pb.gz`` in the working folder."""
    suffix = "_bad" if BAD else ""
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(Recorder(Path(f"{name}{suffix}.pb.gz"))))
    trace.set_tracer_provider(provider)
    atexit.register(provider.shutdown)
    return provider
