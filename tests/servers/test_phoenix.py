"""Arize Phoenix: the real server, its own client, traffic of real instrumentation."""

from __future__ import annotations

import time
import tomllib
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from opentelemetry.sdk.trace import SpanLimits

from anonymize.errors import UsageError
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
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("phoenix"), free_port()
    env = {
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
        "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
        "PHOENIX_WORKING_DIR": str(folder),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()),
    }
    command = [str(python_of("phoenix")), "-m", "phoenix.server.main", "serve"]
    url = f"http://127.0.0.1:{port}/healthz"
    with running(command, url, folder / "server.log", env) as base:
        yield base


def last_hour() -> Window:
    now = datetime.now(UTC)
    return Window(since=now - timedelta(hours=1), until=now + timedelta(minutes=1))


def read(base: str, project: str, **settings: float) -> tuple[list[Trace], list[SkippedTrace]]:
    table = SourceSettings(kind="phoenix", url=base, project=project, **settings)  # type: ignore[arg-type]
    found = list(open_remote("px", table, last_hour()).read())
    return (
        [t for t in found if isinstance(t, Trace)],
        [t for t in found if isinstance(t, SkippedTrace)],
    )


def wait_for(base: str, project: str, spans: int) -> None:
    """Phoenix takes spans into its database some time after it has them."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if spans_of(base, project) >= spans:
            return
        time.sleep(0.1)
    raise AssertionError("the spans did not arrive")


def spans_of(base: str, project: str) -> int:
    """How many spans the server has of a project; 0 where it does not know it yet."""
    asked = f"{base}/v1/projects/{project}/spans?limit=1000"
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return len(orjson.loads(answer.read())["data"])
    except OSError:
        return 0


def send(base: str, project: str, runs: int) -> None:
    before = spans_of(base, project)
    provider = provider_for(f"{base}/v1/traces", {"x-project-name": project})
    agent = shop_agent(provider)
    for _ in range(runs):
        ask(agent, provider, session_name())
    wait_for(base, project, before + runs * 4)


def test_what_an_agent_sent_comes_back_as_whole_traces(phoenix: str) -> None:
    send(phoenix, "whole", 3)
    traces, skipped = read(phoenix, "whole")
    assert len(traces) == 3
    assert not skipped
    for trace in traces:
        assert (trace.agent, trace.input, trace.output) == ("shop", QUESTION, ANSWER)
        (call,) = (s for s in trace.steps if isinstance(s, ToolCall))
        assert call.arguments == {"order_id": "A-17"}
        assert call.result["status"] == "shipped"


def test_a_failed_tool_keeps_its_error(phoenix: str) -> None:
    provider = provider_for(f"{phoenix}/v1/traces", {"x-project-name": "failed"})

    def fails(order_id: str) -> object:
        raise ValueError("no such order")

    with pytest.raises(ValueError, match="no such order"):
        ask(shop_agent(provider, tool=fails), provider, session_name())
    wait_for(phoenix, "failed", 3)
    (trace,), _ = read(phoenix, "failed")
    assert trace.error is not None
    assert trace.error.kind == "ValueError"


def test_a_trace_whose_root_is_still_open_is_flagged(phoenix: str) -> None:
    provider = provider_for(f"{phoenix}/v1/traces", {"x-project-name": "open"})
    root = leave_open(provider)
    wait_for(phoenix, "open", 1)
    (trace,), _ = read(phoenix, "open")
    assert "orphan" in trace.lossy_flags
    root.end()
    provider.force_flush()
    wait_for(phoenix, "open", 2)
    (whole,), _ = read(phoenix, "open")
    assert (whole.trace_id, "orphan" in whole.lossy_flags) == (trace.trace_id, False)


def test_what_the_sdks_limits_took_is_flagged(phoenix: str) -> None:
    provider = provider_for(f"{phoenix}/v1/traces", {"x-project-name": "dropped"})
    ask_openai(provider, turns=70)
    wait_for(phoenix, "dropped", 2)
    (trace,), _ = read(phoenix, "dropped")
    assert (trace.input, trace.output) == (QUESTION, ANSWER)
    assert "attrs_dropped" in trace.lossy_flags
    short = SpanLimits(max_attribute_length=64)
    cut = provider_for(f"{phoenix}/v1/traces", {"x-project-name": "cut"}, short)
    ask(shop_agent(cut), cut, session_name(), turns=3)
    wait_for(phoenix, "cut", 4)
    (trace,), _ = read(phoenix, "cut")
    assert "truncated" in trace.lossy_flags


def test_content_that_was_not_recorded_is_told_as_such(phoenix: str) -> None:
    provider = provider_for(f"{phoenix}/v1/traces", {"x-project-name": "silent"})
    ask(shop_agent(provider, content=False), provider, session_name())
    wait_for(phoenix, "silent", 4)
    (trace,), _ = read(phoenix, "silent")
    assert "content_off" in trace.lossy_flags
    assert QUESTION not in str(trace)


def test_a_window_with_more_than_fits_is_halved_and_loses_nothing(phoenix: str) -> None:
    send(phoenix, "many", 12)
    traces, skipped = read(phoenix, "many", page=5)
    assert len({t.trace_id for t in traces}) == 12
    assert not skipped


def test_spans_with_huge_values_arrive_whole(phoenix: str) -> None:
    provider = provider_for(f"{phoenix}/v1/traces", {"x-project-name": "huge"})
    text = "shipped " * 200_000

    def huge(order_id: str) -> object:
        return {"order_id": order_id, "note": text}

    ask(shop_agent(provider, tool=huge), provider, session_name())
    wait_for(phoenix, "huge", 4)
    (trace,), _ = read(phoenix, "huge")
    (call,) = (s for s in trace.steps if isinstance(s, ToolCall))
    assert call.result["note"] == text


def test_an_unknown_project_is_named(phoenix: str) -> None:
    from anonymize.errors import SourceError

    with pytest.raises(SourceError, match="does not know this project"):
        read(phoenix, "nobody-made-this")


def test_ingest_goes_on_where_it_was_and_adds_nothing_twice(phoenix: str, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from anonymize.cli import cli
    from anonymize.store import Store

    send(phoenix, "nightly", 2)
    config = tmp_path / "replay.toml"
    config.write_text(
        f'[anonymize]\nkey_file = "{tmp_path}/k.key"\n'
        f'[sources.px]\nkind = "phoenix"\nurl = "{phoenix}"\nproject = "nightly"\n'
    )
    until = (datetime.now(UTC) + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S")
    base = ["ingest", "px", "--config", str(config), "--out", str(tmp_path / "traces")]
    first = CliRunner().invoke(cli, [*base, "--until", until])
    assert first.exit_code == 0, first.output
    assert "the source lists 2 traces, 2 arrived, 0 missing" in first.output
    send(phoenix, "nightly", 1)
    until = (datetime.now(UTC) + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S")
    second = CliRunner().invoke(cli, [*base, "--until", until])
    assert second.exit_code == 0, second.output
    store = Store(tmp_path / "traces")
    assert store.summary().traces == 3
    assert "mei.kovacs" not in str([t.input for t in store.traces()])


def test_init_asks_the_server_what_it_is_and_what_it_holds(phoenix: str, tmp_path: Path) -> None:
    from replay.init.flow import Asked, make

    send(phoenix, "asked", 2)
    made = make(Asked(source=phoenix, project="asked", path=tmp_path / "replay.toml"))
    tables = tomllib.loads((tmp_path / "replay.toml").read_text())
    assert tables["sources"]["prod"] == {"kind": "phoenix", "url": phoenix, "project": "asked"}
    assert tables["tools"]["get_order"]["effect"] == "read"
    assert made.seen.traces == 2
    assert "mei.kovacs" not in made.text
    with pytest.raises(UsageError, match=r"the platform has \d+ projects") as told:
        make(Asked(source=phoenix, path=tmp_path / "other.toml"))
    assert "asked" in told.value.where
