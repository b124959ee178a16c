"""Exports in object stores and in Parquet. The object store is a real S3 server (moto's)."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from anonymize.errors import SourceError
from anonymize.sources import SourceSettings, open_source
from anonymize.trace import SkippedTrace, ToolCall, Trace
from tests.buckets import serving
from tests.clouds import azure
from tests.sources.platforms import standin
from tests.support import ROOT

BUCKET = "traces"


def split(spec: str) -> tuple[list[Trace], list[SkippedTrace]]:
    found = list(open_source(spec, {}).read())
    traces = [t for t in found if isinstance(t, Trace)]
    return traces, [s for s in found if isinstance(s, SkippedTrace)]


def parquet(rows: list[dict[str, Any]]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file.getvalue()


def langsmith_rows(traces: int) -> list[dict[str, Any]]:
    """As the bulk export has them: nested values are JSON text, times are times."""
    found = []
    for run in standin.runs(traces):
        row = {k: v for k, v in run.items() if k not in ("parent_run_ids", "thread_id")}
        row["inputs"], row["outputs"] = json.dumps(run["inputs"]), json.dumps(run["outputs"])
        row["extra"] = json.dumps({"metadata": {"thread_id": run["thread_id"]}})
        row["start_time"] = datetime.fromisoformat(run["start_time"])
        row["end_time"] = datetime.fromisoformat(run["end_time"])
        row["parent_run_id"] = (run["parent_run_ids"] or [None])[-1]
        row["run_type"] = run["run_type"].lower()
        found.append(row)
    return found


def langfuse_rows(traces: int) -> list[dict[str, Any]]:
    """As the blob export has them: snake case, inputs and outputs as text."""
    found = []
    for one in standin.observations(traces):
        row = {
            "id": one.id,
            "trace_id": one.trace_id,
            "start_time": one.start_time,
            "end_time": one.end_time,
            "parent_observation_id": one.parent_observation_id,
            "type": one.type,
            "name": one.name,
            "session_id": one.session_id,
            "user_id": one.user_id,
            "input": json.dumps(one.input),
            "output": json.dumps(one.output),
            "metadata": "{}",
        }
        found.append(row)
    return found


def phoenix_rows(traces: int) -> list[dict[str, Any]]:
    """As its data frames have them: a column for each attribute."""
    found = []
    for one in standin.observations(traces):
        kind = {"AGENT": "AGENT", "TOOL": "TOOL", "GENERATION": "LLM"}[one.type]
        row = {
            "name": one.name,
            "span_kind": kind,
            "parent_id": one.parent_observation_id,
            "start_time": one.start_time,
            "end_time": one.end_time,
            "status_code": "OK",
            "context.span_id": one.id,
            "context.trace_id": one.trace_id,
            "attributes.input.value": json.dumps(one.input),
            "attributes.output.value": json.dumps(one.output),
            "attributes.session.id": one.session_id,
        }
        found.append(row)
    return found


def otel_rows(traces: int) -> list[dict[str, Any]]:
    """As a warehouse of OpenTelemetry has them: attributes in one column."""
    found = []
    for one in standin.observations(traces):
        operation = {"AGENT": "invoke_agent", "TOOL": "execute_tool", "GENERATION": "chat"}
        attributes = {
            "gen_ai.operation.name": operation[one.type],
            "gen_ai.conversation.id": one.session_id,
        }
        if one.type == "TOOL":
            attributes["gen_ai.tool.call.arguments"] = json.dumps(one.input)
            attributes["gen_ai.tool.call.result"] = json.dumps(one.output)
            attributes["gen_ai.tool.name"] = one.name
        row = {
            "TraceId": one.trace_id,
            "SpanId": one.id,
            "ParentSpanId": one.parent_observation_id,
            "SpanName": one.name,
            "Timestamp": one.start_time,
            "SpanAttributes": json.dumps(attributes),
            "StatusCode": "STATUS_CODE_OK",
        }
        found.append(row)
    return found


ROWS = {
    "langsmith": langsmith_rows,
    "langfuse": langfuse_rows,
    "phoenix": phoenix_rows,
    "opentelemetry": otel_rows,
}


@pytest.mark.parametrize("kind", ROWS)
def test_spans_in_parquet_become_traces(kind: str, tmp_path: Path) -> None:
    (tmp_path / "part-0.parquet").write_bytes(parquet(ROWS[kind](4)[:6]))
    (tmp_path / "part-1.parquet").write_bytes(parquet(ROWS[kind](4)[6:]))
    traces, skipped = split(str(tmp_path))
    assert not skipped
    assert [t.session_id for t in traces] == ["s0", "s1", "s2", "s3"]
    for trace in traces:
        (call,) = [s for s in trace.steps if isinstance(s, ToolCall)]
        assert (call.name, call.arguments) == ("get_order", {"order_id": "A-17"})
        assert call.result == {"status": "shipped"}


def test_a_damaged_parquet_file_costs_only_itself(tmp_path: Path) -> None:
    whole = parquet(langsmith_rows(3))
    (tmp_path / "a.parquet").write_bytes(whole)
    (tmp_path / "b.parquet").write_bytes(whole[: len(whole) // 2])
    traces, skipped = split(str(tmp_path))
    assert len(traces) == 3
    assert [s.reason for s in skipped] == ["the Parquet file is damaged"]


def test_rows_of_something_else_are_skipped_one_by_one(tmp_path: Path) -> None:
    rows = [{"city": "Ghent", "n": i} for i in range(3)]
    (tmp_path / "a.parquet").write_bytes(parquet(rows))
    with pytest.raises(SourceError, match="a row that is no span"):
        split(str(tmp_path))


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with serving(BUCKET, "eu-west-1") as (client, where):
        client.where = f"?endpoint_override={where}&scheme=http&region=eu-west-1"
        yield client


def put(s3: Any, key: str, data: bytes) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=data)


def test_parquet_in_an_object_store(s3: Any) -> None:
    put(s3, "ls/runs/year=2026/part-0.parquet", parquet(langsmith_rows(5)))
    traces, skipped = split(f"s3://{BUCKET}/ls{s3.where}")
    assert len(traces) == 5
    assert not skipped


def test_compressed_otlp_in_an_object_store_by_a_glob(s3: Any) -> None:
    data = (ROOT / "fixtures" / "traffic" / "2026-03-02.otlp.jsonl.zst").read_bytes()
    lines = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).readall().splitlines()
    put(s3, "otlp/one.jsonl.zst", zstandard.compress(b"\n".join(lines[:20])))
    put(s3, "otlp/notes.txt", b"not for us")
    traces, _ = split(f"s3://{BUCKET}/otlp/*.zst{s3.where}")
    assert traces


def test_only_files_that_a_manifest_names_are_read(s3: Any) -> None:
    """Manifests are written last: what none names may not be whole."""
    put(s3, "lf/observations/0.parquet", parquet(langfuse_rows(2)))
    put(s3, "lf/observations/1.parquet", b"PAR1 half of a file")
    keys = [{"key": "lf/observations/0.parquet", "rows": 6}]
    put(s3, "lf/manifests/2026-03-02.json", json.dumps({"files": keys}).encode())
    traces, skipped = split(f"s3://{BUCKET}/lf{s3.where}")
    assert len(traces) == 2
    assert not skipped


def test_transcripts_in_an_object_store(s3: Any) -> None:
    record = {
        "id": "c1",
        "messages": [
            {"role": "user", "content": "Hello?"},
            {"role": "assistant", "content": "Yes."},
        ],
    }
    put(s3, "chats/a.jsonl", json.dumps(record).encode())
    table = SourceSettings(
        kind="transcripts", path=f"s3://{BUCKET}/chats{s3.where}", id="id", messages="messages"
    )
    (trace,) = open_source("chats", {"chats": table}).read()
    assert isinstance(trace, Trace)
    assert trace.output == "Yes."


def test_what_is_not_there_is_told_without_the_query(s3: Any) -> None:
    with pytest.raises(SourceError) as told:
        split(f"s3://{BUCKET}/nothing/*.json{s3.where}")
    assert "no file matches the pattern" in str(told.value)
    assert "endpoint_override" not in str(told.value)


def test_an_unknown_file_system_is_named() -> None:
    with pytest.raises(SourceError, match="no file system is known for nonsense://"):
        split("nonsense://bucket/x.json")


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("https://x.example/a.parquet?sig=SECRET", "https://x.example/a.parquet"),
        ("s3://key:SECRET@bucket/a*.json", "s3://bucket/a*.json"),
        ("s3://bucket/*.zst?region=eu-west-1&token=SECRET", "s3://bucket/*.zst"),
        ("s3://bucket/part-?.json", "s3://bucket/part-?.json"),
        ("exports/what?.json", "exports/what?.json"),
    ],
)
def test_what_may_be_secret_in_a_url_is_never_shown(spec: str, told: str) -> None:
    from anonymize.sources.places import RemoteFile, shown

    assert shown(spec) == told
    file = RemoteFile(path="x.example/a.parquet?sig=SECRET", scheme="https", system=None)
    assert "SECRET" not in f"{file} {file.name} {file.stem}"
    assert file.suffix == ".parquet"


def test_a_password_in_a_url_is_refused_without_it() -> None:
    with pytest.raises(SourceError, match="a user or a password") as told:
        split("s3://key:SECRET@bucket/a.json")
    assert "SECRET" not in str(told.value)


def test_a_container_of_azure_is_no_user(monkeypatch: pytest.MonkeyPatch) -> None:
    from anonymize.sources import places

    def opened(spec: str, *rest: str) -> Any:
        raise SourceError("asked for", where=places.shown(spec))

    monkeypatch.setattr(places, "_opened", opened)
    url = "abfss://exports@shop.dfs.core.windows.net/team"
    with pytest.raises(SourceError, match="asked for") as told:
        split(url)
    assert url in str(told.value)


class Serving(BaseHTTPRequestHandler):
    """Refuses, breaks off, or answers."""

    def do_GET(self) -> None:
        data = json.dumps({"id": "c1", "messages": [{"role": "user", "content": "Hi"}]}).encode()
        refused = "refused" in self.path
        self.send_response(403 if refused else 200)
        more = 1_000_000 if "cut" in self.path else 0
        self.send_header("Content-Length", "0" if refused else str(len(data) + more))
        self.end_headers()
        if not refused and self.command == "GET":
            self.wfile.write(data)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    pytest.importorskip("aiohttp", reason="fsspec reads http with it")
    with ThreadingHTTPServer(("127.0.0.1", 0), Serving) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_what_a_plug_in_of_fsspec_raises_is_told_without_the_query(web: str) -> None:
    """aiohttp's errors are no OSError, and their words hold the whole URL."""
    with pytest.raises(SourceError, match="ClientResponseError 403") as refused:
        split(f"{web}/refused.jsonl?sig=SECRET")
    assert f"where: {web}/refused.jsonl\n" in str(refused.value)
    with pytest.raises(SourceError, match="reading failed") as cut:
        split(f"{web}/cut.jsonl?sig=SECRET")
    with pytest.raises(SourceError, match="the file system can't be read"):
        split("ftp://127.0.0.1:9/x.jsonl")
    assert "SECRET" not in f"{refused.value} {cut.value}"


def test_a_google_bucket_without_credentials_is_told_soon() -> None:
    """By itself the library asks for them for fifteen minutes."""
    from anonymize.sources import places

    assert places._patient("gs://b/x") == "gs://b/x?retry_limit_seconds=60"
    own = "gs://b/x?retry_limit_seconds=5"
    assert places._patient(own) == own


def test_the_query_of_a_url_is_in_no_trace_that_is_kept(s3: Any) -> None:
    put(s3, "named/part.parquet", parquet(langsmith_rows(1)))
    ((trace,), _) = split(f"s3://{BUCKET}/named/part.parquet{s3.where}")
    assert trace.source == "part.parquet"


def test_files_in_azure_are_read_under_the_account_of_the_environment() -> None:
    """By the URL that a store there has too."""
    bucket = pytest.importorskip("anonymize.store.bucket")
    pytest.importorskip("obstore", reason="writes the test's files")
    with azure("exports") as where:
        files = bucket.Bucket("az://exports/team")
        rows = langsmith_rows(3)
        each = len(rows) // 3
        for n in range(3):
            path = f"runs/year=2026/month=03/day={n + 1:02}/runs.parquet"
            files.put(path, parquet(rows[n * each : (n + 1) * each]))
        for scheme in ("az", "abfs", "azure"):
            traces, skipped = split(f"{scheme}://exports/team/runs")
            assert (len(traces), skipped) == (3, [])
        assert len(split("az://exports/team/runs/*/*/day=0[12]/*.parquet")[0]) == 2
        with pytest.raises(SourceError, match="there is no such file, or folder"):
            split("az://exports/team/other")
        assert where not in repr(traces)


def test_azure_without_an_account_says_which_variable_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(SourceError, match="without an account") as told:
        split("az://exports/team?sig=secret")
    assert "AZURE_STORAGE_ACCOUNT_NAME" in str(told.value)
    assert "secret" not in str(told.value)
