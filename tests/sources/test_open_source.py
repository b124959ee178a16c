"""What a person may name as a source, and what is said when it is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anonymize.errors import SourceError
from anonymize.sources import SourceSettings, open_source
from anonymize.trace import Trace
from tests.sources.builders import chat, line, text

LINE = line(
    chat(
        1,
        [text("user", "hi")],
        [text("assistant", "ho")],
        attributes={"git.sha": "abc", "case": 7, "team": "x"},
    )
)


def test_a_named_source_is_found_and_labelled_by_its_settings(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(LINE)
    settings = SourceSettings(
        path=str(path),
        agent="'shop'",
        version='attributes."git.sha"',
        pair_key="attributes.case",
        tags={"team": "attributes.team", "service": 'resource."service.name"', "x": "nothing"},
    )
    source = open_source("prod", {"prod": settings})
    [trace] = source.read()
    assert isinstance(trace, Trace)
    assert source.name == trace.source == "prod"
    assert (trace.agent, trace.agent_version, trace.pair_key) == ("shop", "abc", "7")
    assert (trace.tags["team"], trace.tags["service"]) == ("x", "shop")
    assert "x" not in trace.tags


def test_what_the_caller_says_beats_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(LINE)
    settings = SourceSettings(path=str(path), agent="'a'")
    [trace] = open_source("prod", {"prod": settings}, agent="b", version="v").read()
    assert isinstance(trace, Trace)
    assert (trace.agent, trace.agent_version) == ("b", "v")


def test_a_misspelt_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    sources = {"production": SourceSettings(path="x"), "staging": SourceSettings(path="y")}
    with pytest.raises(SourceError) as caught:
        open_source("prodution", sources)
    assert "production" in caught.value.fix
    with pytest.raises(SourceError) as caught:
        open_source("zzz", sources)
    assert "production, staging" in caught.value.fix


def test_a_path_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        open_source(str(tmp_path / "none.jsonl"), {})
    with pytest.raises(SourceError, match="no file matches"):
        list(open_source(str(tmp_path / "*.jsonl"), {}).read())


def test_a_table_without_a_path_is_said() -> None:
    with pytest.raises(SourceError, match="has no path") as caught:
        open_source("x", {"x": SourceSettings()})
    assert caught.value.where == "[sources.x]"


def test_transcripts_without_a_table_are_told_about_it(tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    path.write_text(json.dumps({"messages": [{"role": "assistant", "content": "x"}]}))
    with pytest.raises(SourceError) as caught:
        list(open_source(str(path), {}).read())
    assert "chat transcripts" in caught.value.what
    assert "[sources.NAME]" in caught.value.fix


def test_langfuse_pages_lists_and_lines_of_observations_are_read(tmp_path: Path) -> None:
    observation = {
        "id": "o1",
        "traceId": "t1",
        "type": "GENERATION",
        "name": "chat",
        "startTime": "2026-01-02T03:04:05Z",
        "endTime": "2026-01-02T03:04:06Z",
        "input": [{"role": "user", "content": "hi"}],
        "output": {"role": "assistant", "content": "ho"},
        "model": "m",
        "usageDetails": {"input": 1, "output": 2},
        "level": "DEFAULT",
    }
    trace = {"id": "t1", "name": "shop", "userId": "u", "timestamp": "2026-01-02T03:04:05Z"}
    for data in (
        {"data": [observation]},
        [observation],
        observation,
        {**trace, "observations": [observation]},
        {"data": [{**trace, "observations": [observation]}]},
        {"trace": json.dumps(trace), "observations": [observation]},
    ):
        path = tmp_path / "export.json"
        path.write_text(json.dumps(data))
        [found] = open_source(str(path), {}).read()
        assert isinstance(found, Trace)
        assert (found.trace_id, found.input, found.output) == ("t1", "hi", "ho")
        assert found.duration_ms == 1000.0


def test_a_failed_observation_has_its_error(tmp_path: Path) -> None:
    observation = {
        "id": "o1",
        "traceId": "t1",
        "type": "TOOL",
        "name": "lookup",
        "startTime": "2026-01-02T03:04:05Z",
        "input": {"id": 1},
        "level": "ERROR",
        "statusMessage": "no such order",
    }
    path = tmp_path / "export.json"
    path.write_text(json.dumps([observation]))
    [found] = open_source(str(path), {}).read()
    assert isinstance(found, Trace)
    [call] = found.tool_calls
    assert call.error is not None
    assert call.error.message == "no such order"
    assert call.arguments == {"id": 1}
