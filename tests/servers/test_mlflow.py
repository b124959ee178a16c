"""MLflow: the real server, its own client and tracing SDK, and OpenTelemetry beside it."""

from __future__ import annotations

import os
import time
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import SpanLimits, TracerProvider

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

from anonymize.errors import SourceError
from anonymize.sources import SourceSettings, open_remote
from anonymize.sources.remote import Window
from anonymize.trace import SkippedTrace, ToolCall, Trace
from tests.servers.running import free_port, python_of, running
from tests.servers.traffic import (
    ANSWER,
    QUESTION,
    ask,
    ask_openai,
    leave_open,
    provider_for,
    session_name,
    shop_agent,
)


@pytest.fixture(scope="module")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    command = [
        *(str(python_of("mlflow")), "-m", "mlflow", "server", "--host", "127.0.0.1"),
        *("--port", str(port), "--workers", "1"),
        *("--backend-store-uri", f"sqlite:///{folder}/db.sqlite"),
        *("--artifacts-destination", f"{folder}/artifacts"),
    ]
    url = f"http://127.0.0.1:{port}/health"
    env = {"MLFLOW_DISABLE_TELEMETRY": "true"}
    with running(command, url, folder / "server.log", env) as base:
        yield base


def read(base: str, project: str, **settings: int) -> list[Trace | SkippedTrace]:
    now = datetime.now(UTC)
    window = Window(since=now - timedelta(hours=1), until=now + timedelta(minutes=1))
    table = SourceSettings(kind="mlflow", url=base, project=project, **settings)  # type: ignore[arg-type]
    return list(open_remote("ml", table, window).read())


def run_once(number: int, *, fails: bool = False) -> None:
    """One run of an agent, traced by hand with MLflow's own SDK."""
    import mlflow
    from mlflow.entities import SpanType

    asked = [{"role": "user", "content": "Where is A-17?"}]
    with mlflow.start_span("shop", span_type=SpanType.AGENT) as root:
        root.set_inputs({"messages": asked})
        mlflow.update_current_trace(
            metadata={"mlflow.trace.session": f"s{number}", "mlflow.trace.user": "mei"},
            tags={"agent_version": "v1"},
        )
        with mlflow.start_span("get_order", span_type=SpanType.TOOL) as tool:
            tool.set_inputs({"order_id": "A-17"})
            tool.set_outputs(None if fails else {"status": "shipped"})
            if fails:
                tool.set_status("ERROR")
        root.set_outputs("It is shipped.")


@pytest.fixture(scope="module")
def experiment(mlflow_server: str) -> str:
    import mlflow

    mlflow.set_tracking_uri(mlflow_server)
    mlflow.set_experiment("shop")
    for number in range(3):
        run_once(number, fails=number == 2)
    mlflow.flush_trace_async_logging()
    found = mlflow.get_experiment_by_name("shop")
    assert found is not None
    provider = provider_for(
        f"{mlflow_server}/v1/traces", {"x-mlflow-experiment-id": found.experiment_id}
    )
    ask(shop_agent(provider), provider, session_name())
    return "shop"


def test_traces_of_its_own_sdk_and_of_opentelemetry_arrive(
    mlflow_server: str, experiment: str
) -> None:
    found = read(mlflow_server, experiment)
    traces = [t for t in found if isinstance(t, Trace)]
    assert len(found) == len(traces) == 4
    own = [t for t in traces if t.session_id and t.session_id.startswith("s")]
    assert [t.session_id for t in own] == ["s0", "s1", "s2"]
    assert {t.output for t in own} == {"It is shipped."}
    assert all(t.user_id == "mei" for t in own)
    (failed,) = [c for t in own for c in t.steps if isinstance(c, ToolCall) and c.error]
    assert failed.arguments == {"order_id": "A-17"}
    (other,) = [t for t in traces if t not in own]
    assert other.output == ANSWER


def test_pages_of_one_lose_nothing(mlflow_server: str, experiment: str) -> None:
    assert len(read(mlflow_server, experiment, page=1)) == 4


def test_an_unknown_experiment_is_named(mlflow_server: str) -> None:
    with pytest.raises(SourceError, match="there is no experiment 'nobody'"):
        read(mlflow_server, "nobody")


def otlp_of(base: str, name: str, limits: SpanLimits | None = None) -> TracerProvider:
    """A provider that sends OpenTelemetry to an experiment of its own."""
    import mlflow

    known = mlflow.get_experiment_by_name(name)
    identity = known.experiment_id if known is not None else mlflow.create_experiment(name)
    return provider_for(f"{base}/v1/traces", {"x-mlflow-experiment-id": identity}, limits)


def only(base: str, name: str, steps: int = 1) -> Trace:
    """The one trace of an experiment, once it is there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = [t for t in read(base, name) if isinstance(t, Trace)]
        if found and len(found[0].steps) >= steps:
            (trace,) = found
            return trace
        time.sleep(0.2)
    raise AssertionError("the trace did not arrive")


def test_what_the_sdks_limits_took_is_flagged(mlflow_server: str, experiment: str) -> None:
    ask_openai(otlp_of(mlflow_server, "dropped"), turns=70)
    trace = only(mlflow_server, "dropped", 2)
    assert (trace.input, trace.output) == (QUESTION, ANSWER)
    assert "attrs_dropped" in trace.lossy_flags
    cut = otlp_of(mlflow_server, "cut", SpanLimits(max_attribute_length=64))
    ask(shop_agent(cut), cut, session_name(), turns=3)
    assert "truncated" in only(mlflow_server, "cut", 3).lossy_flags


def test_content_that_was_not_recorded_is_told_as_such(mlflow_server: str, experiment: str) -> None:
    provider = otlp_of(mlflow_server, "silent")
    ask(shop_agent(provider, content=False), provider, session_name())
    trace = only(mlflow_server, "silent", 3)
    assert "content_off" in trace.lossy_flags
    assert QUESTION not in str(trace)


def test_a_failed_run_and_one_that_is_still_open_are_told(
    mlflow_server: str, experiment: str
) -> None:
    def fails(order_id: str) -> object:
        raise ValueError("no such order")

    provider = otlp_of(mlflow_server, "failed")
    with pytest.raises(ValueError, match="no such order"):
        ask(shop_agent(provider, tool=fails), provider, session_name())
    provider.force_flush()
    error = only(mlflow_server, "failed", 2).error
    assert error is not None
    assert error.kind == "ValueError"
    opened = otlp_of(mlflow_server, "open")
    root = leave_open(opened)
    trace = only(mlflow_server, "open")
    assert "orphan" in trace.lossy_flags
    root.end()
    opened.force_flush()
    whole = only(mlflow_server, "open", 2)
    assert (whole.trace_id, "orphan" in whole.lossy_flags) == (trace.trace_id, False)


def test_huge_values_arrive_whole(mlflow_server: str, experiment: str) -> None:
    text = "shipped " * 200_000
    provider = otlp_of(mlflow_server, "huge")
    agent = shop_agent(provider, tool=lambda order_id: {"order_id": order_id, "note": text})
    ask(agent, provider, session_name())
    trace = only(mlflow_server, "huge", 3)
    (call,) = trace.tool_calls
    assert call.result["note"] == text


def test_init_asks_the_server_what_it_is_and_what_it_holds(
    mlflow_server: str, experiment: str, tmp_path: Path
) -> None:
    from replay.init.flow import Asked, make

    made = make(Asked(source=mlflow_server, project="shop", path=tmp_path / "replay.toml"))
    tables = tomllib.loads((tmp_path / "replay.toml").read_text())
    assert tables["sources"]["prod"] == {
        "kind": "mlflow",
        "url": mlflow_server,
        "project": "shop",
    } | {k: v for k, v in tables["sources"]["prod"].items() if k == "version"}
    assert tables["tools"]["get_order"]["effect"] == "read"
    assert made.seen.traces == 4
    assert "mei.kovacs" not in made.text
