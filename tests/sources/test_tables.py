"""Tables of ``[sources.NAME]`` that can't be meant: refused when the config is read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from anonymize.cli import cli
from anonymize.config import AnonymizeConfig
from anonymize.errors import SourceError, UsageError
from anonymize.sources import SourceSettings, open_source
from anonymize.sources.remote import open_platform
from anonymize.trace import Trace
from tests.sources.builders import chat, line, text


def refused(table: dict[str, Any]) -> UsageError:
    with pytest.raises(UsageError) as caught:
        AnonymizeConfig.from_tables({"sources": {"prod": table}}, Path())
    return caught.value


@pytest.mark.parametrize("key", ["agent", "version", "pair_key"])
@pytest.mark.parametrize("wrong", ["attributes[", "nope(name)", "length()"])
def test_a_wrong_expression_is_told_with_its_key_before_anything_is_read(
    key: str, wrong: str
) -> None:
    told = refused({key: wrong})
    assert wrong in told.what
    assert told.where == f"replay.toml: sources.prod.{key}"
    assert refused({"tags": {"x": wrong}}).where == "replay.toml: sources.prod.tags.x"


def test_a_receiver_does_not_start_with_an_expression_that_would_keep_it_from_writing(
    tmp_path: Path,
) -> None:
    config = tmp_path / "replay.toml"
    config.write_text('[sources.stream]\nversion = "attributes["\n')
    asked = ["receive", "--source", "stream", "--config", str(config), "--port", "0"]
    result = CliRunner().invoke(cli, [*asked, "--out", str(tmp_path / "traces")])
    assert isinstance(result.exception, UsageError)
    assert not (tmp_path / "traces").exists()


def test_a_version_written_without_its_second_quotes_is_answered_with_them() -> None:
    for key in ("version", "agent"):
        assert "\"'v1'\"" in refused({key: "v1"}).fix
        assert "\"'v1'\"" in refused({"kind": "phoenix", "url": "http://x", key: '"v1"'}).fix
    # Of a record anything may be a field.
    fine = {"kind": "transcripts", "path": "x.json", "version": "v1"}
    AnonymizeConfig.from_tables({"sources": {"prod": fine}}, Path())
    for good in ("name", "'v1'", "resource.v1", "attributes.v || name"):
        AnonymizeConfig.from_tables({"sources": {"prod": {"version": good}}}, Path())


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        ({"path": "x.json", "records": "runs[]"}, '"transcripts"'),
        ({"path": "x.json", "messages": "chat"}, '"transcripts"'),
        ({"url": "https://phoenix.corp.example"}, '"phoenix"'),
        ({"kind": "transcripts", "path": "x.json", "key_env": "K"}, '"phoenix"'),
        ({"target": "mine:Mine"}, '"python"'),
    ],
)
def test_a_key_of_another_kind_is_answered_with_that_kind(table: dict[str, Any], kind: str) -> None:
    told = refused(table)
    assert f"kind = {kind}" in told.fix


def test_an_expression_that_does_not_fit_one_trace_costs_that_trace_its_label_only(
    tmp_path: Path,
) -> None:
    path = tmp_path / "t.jsonl"
    said = [text("user", "hi")], [text("assistant", "ho")]
    path.write_bytes(
        line(chat(1, *said, attributes={"v": "v7"}, trace="a" * 32))
        + line(chat(2, *said, attributes={"v": 7}, trace="b" * 32))
    )
    settings = SourceSettings(path=str(path), version="join('-', [attributes.v])")
    found = {t.trace_id: t for t in open_source("x", {"x": settings}).read()}
    assert [getattr(t, "agent_version", None) for t in found.values()] == ["v7", ""]


def test_sessions_take_a_literal_with_or_without_its_quotes(tmp_path: Path) -> None:
    ids = {"sessionId": "s", "timestamp": "2026-03-02T10:00:00Z"}
    asked = {"type": "user", "uuid": "1", "message": {"role": "user", "content": "hi"}}
    told = {"role": "assistant", "model": "m", "content": [{"type": "text", "text": "ho"}]}
    made = {"type": "assistant", "uuid": "2", "parentUuid": "1", "message": told}
    path = tmp_path / "s.jsonl"
    path.write_text("".join(json.dumps({**ids, **entry}) + "\n" for entry in (asked, made)))
    for written in ("'v1'", "v1"):
        settings = SourceSettings(kind="claude-code", path=str(path), version=written)
        [trace] = open_source("s", {"s": settings}).read()
        assert isinstance(trace, Trace)
        assert trace.agent_version == "v1"


@pytest.mark.parametrize("kind", ["phoenix", "mlflow", "langfuse", "langsmith"])
@pytest.mark.parametrize(
    "url", ["127.0.0.1:9", "localhost:5000", "https://", "http://[::1", "http://u:hush@host"]
)
def test_an_address_that_is_none_is_refused_before_it_is_asked(kind: Any, url: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_platform("prod", SourceSettings(kind=kind, url=url))
    assert caught.value.where == "[sources.prod] url"
    assert "hush" not in str(caught.value)


def test_a_source_without_a_name_is_not_the_folder_here() -> None:
    with pytest.raises(SourceError, match="no source is named"):
        open_source("", {})


def test_a_device_is_not_said_to_be_missing() -> None:
    with pytest.raises(SourceError, match="no plain file"):
        list(open_source("/dev/null", {}).read())


def test_a_file_system_that_fails_in_its_own_way_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(scheme: str) -> None:
        raise TypeError("https://signed.example/?key=hush")

    monkeypatch.setattr("fsspec.filesystem", fails)
    with pytest.raises(SourceError, match="file system") as caught:
        list(open_source("ftp://host/x.json", {}).read())
    assert "hush" not in str(caught.value)


def test_a_class_that_needs_what_is_not_installed_is_told_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needs_more.py").write_text("import not_installed_here\n")
    monkeypatch.syspath_prepend(tmp_path)
    settings = SourceSettings(kind="python", target="needs_more:Mine")
    with pytest.raises(SourceError, match="not_installed_here"):
        list(open_source("mine", {"mine": settings}).read())


@pytest.mark.parametrize(
    ("content", "fix"),
    [
        (b"", "what writes it"),
        (gzip.compress(b'{"resourceSpans": []}' * 99)[:-9], "copy it again"),
        (b'{"messages": [{"role": "assistant", "content": "x"}]}', "replay init"),
        (b"<html>", "docs/sources/files.md"),
    ],
)
def test_what_mends_a_file_is_told_by_what_is_wrong_with_it(
    tmp_path: Path, content: bytes, fix: str
) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        list(open_source(str(path), {}).read())
    assert fix in caught.value.fix
    assert len(caught.value.fix) <= 80


def test_a_key_of_several_types_names_them_all() -> None:
    assert refused({"map": {"kind": 3}}).what == "expected a string or a list, got an integer"
