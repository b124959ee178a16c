"""docs/sources/*.md are true: their config loads, their commands exist, their programs run."""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest

from anonymize.config import AnonymizeConfig
from anonymize.sources import Source, SourceSettings, open_source
from anonymize.sources.remote import KINDS
from anonymize.trace import Trace
from replay.config import ReplayConfig
from replay.nights.settings import settings_of
from tests.sources import builders
from tests.support import ROOT

FOLDER = ROOT / "docs" / "sources"
GUIDES = sorted(FOLDER.glob("*.md"))
PAGE = (ROOT / "docs" / "sources.md").read_text()


def fences(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.S | re.M)


def each(language: str) -> list[Any]:
    return [
        pytest.param(block, id=f"{path.stem}-{number}")
        for path in GUIDES
        for number, block in enumerate(fences(path.read_text(), language), start=1)
    ]


@pytest.mark.parametrize("text", each("toml"))
def test_the_config_of_each_guide_is_one(text: str, tmp_path: Path) -> None:
    tables = tomllib.loads(text)
    config = ReplayConfig.from_tables(tables)
    sources = AnonymizeConfig.from_tables(tables, tmp_path).sources
    if config.nightly:
        settings, _ = settings_of(config)
        assert settings.agent in config.agents
        assert "/" in settings.source or settings.source in ("", *sources)
    for source in sources.values():
        for variable in (source.key_env, source.public_key_env):
            assert re.fullmatch(r"[A-Z_]*", variable)


def commands_of(text: str) -> list[list[str]]:
    found = []
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] in (["replay"], ["anonymize"]):
            found.append(words)
    return found


@pytest.mark.parametrize("text", each("sh"))
def test_each_command_of_a_guide_can_be_typed(text: str) -> None:
    for program, name, *arguments in commands_of(text):
        group: click.Group = __import__(f"{program}.cli", fromlist=["cli"]).cli
        command = group.get_command(click.Context(group), name)
        assert command is not None, f"{program} {name}"
        command.make_context(name, arguments)  # raises where an option or an argument is wrong


@pytest.mark.parametrize("path", GUIDES, ids=lambda p: p.stem)
def test_what_a_guide_links_to_and_installs_exists(path: Path) -> None:
    text = path.read_text()
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert [link for link in links if not (path.parent / link).exists()] == []
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    known = set(extras["optional-dependencies"])
    assert set(re.findall(r"replay-harness\[([\w-]+)\]", text)) <= known
    assert f"(sources/{path.name})" in PAGE


def test_each_kind_of_source_has_its_guide() -> None:
    told = " ".join(path.read_text() for path in GUIDES)
    kinds = {**KINDS, **dict.fromkeys(("claude-code", "codex", "atif", "inspect", "transcripts"))}
    assert [kind for kind in (*kinds, "python") if f'"{kind}"' not in told] == []
    keys = {key for block in fences(told, "toml") for key in re.findall(r"^(\w+) =", block, re.M)}
    assert keys & set(SourceSettings.__dataclass_fields__) >= {"kind", "path", "url", "key_env"}


def test_variables_that_a_guide_names_are_read_by_the_packages_that_it_names() -> None:
    site = Path(sys.prefix) / f"lib/python3.{sys.version_info[1]}/site-packages"
    named = {
        "LANGFUSE_RELEASE": "langfuse/_client/environment_variables.py",
        "LANGFUSE_SAMPLE_RATE": "langfuse/_client/environment_variables.py",
        "LANGSMITH_REVISION_ID": "langsmith/env/_runtime_env.py",
        "LANGCHAIN_REVISION_ID": "langsmith/env/_runtime_env.py",
        "LANGSMITH_TRACING_SAMPLING_RATE": "langsmith/client.py",
        "OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA": "agents/run_config.py",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "opentelemetry/sdk/environment_variables/__init__.py",
    }
    told = " ".join(path.read_text() for path in GUIDES)
    for variable, file in named.items():
        assert variable in told
        assert variable in (site / file).read_text()


def run_block(guide: str, number: int, folder: Path, name: str) -> None:
    block = fences((FOLDER / guide).read_text(), "python")[number]
    (folder / name).write_text(block)


def read(source: Source) -> list[Trace]:
    return [t for t in source.read() if isinstance(t, Trace)]


def test_the_class_of_ones_own_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    run_block("custom.md", 0, tmp_path, "warehouse.py")
    spans = [builders.agent(1), builders.tool(2, "get_order", {"id": 1}, {"ok": True}, parent=1)]
    with sqlite3.connect(tmp_path / "spans.db") as rows:
        rows.execute("CREATE TABLE spans (request TEXT)")
        for span in spans:  # one after the other: they still become one trace
            rows.execute("INSERT INTO spans VALUES (?)", (json.dumps(builders.request([span])),))
    rows.close()
    monkeypatch.chdir(tmp_path)
    *_, table = fences((FOLDER / "custom.md").read_text(), "toml")
    sources = AnonymizeConfig.from_tables(tomllib.loads(table), tmp_path).sources
    (trace,) = read(open_source("warehouse", sources))
    assert [c.name for c in trace.tool_calls] == ["get_order"]


def test_the_file_of_the_openai_agents_sdk_holds_whole_traces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agents import tracing
    from agents.tracing import agent_span, function_span, response_span, trace
    from agents.tracing.provider import DefaultTraceProvider
    from openai.types.responses import Response

    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    run_block("openai-agents.md", 1, tmp_path, "trace_file.py")
    import trace_file  # type: ignore[import-not-found]

    said: dict[str, Any] = {
        "id": "r1",
        "created_at": 1.0,
        "model": "gpt-4o",
        "object": "response",
        "output": [
            {
                "type": "message",
                "id": "m1",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "Shipped.", "annotations": []}],
            }
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }
    # One of its own: that of the process remembers what the environment said when another module
    # first used it, and is of no use to the next one once it was shut down.
    before = tracing.get_trace_provider()
    tracing.set_trace_provider(DefaultTraceProvider())  # without processors: nothing to OpenAI
    monkeypatch.delenv("OPENAI_AGENTS_DISABLE_TRACING", raising=False)
    try:
        trace_file.install(str(tmp_path / "out.jsonl"))
        with trace("shop", group_id="s-1"), agent_span("shop"):
            with function_span("get_order", input='{"id": 1}') as tool:
                tool.span_data.output = '{"status": "shipped"}'
            with response_span() as model:
                model.span_data.input = [{"role": "user", "content": "Where is A-17?"}]
                model.span_data.response = Response.model_validate(said)
        tracing.get_trace_provider().shutdown()
    finally:
        tracing.set_trace_provider(before)
    (found,) = read(open_source(str(tmp_path / "out.jsonl"), {}))
    assert (found.input, found.output, found.session_id) == ("Where is A-17?", "Shipped.", "s-1")
    assert [(c.name, c.arguments) for c in found.tool_calls] == [("get_order", {"id": 1})]
    assert "content_off" not in found.lossy_flags
