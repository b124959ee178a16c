"""What `anonymize doctor` says of traffic whose loss has a known cause, and whether it mends it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk import environment_variables

from anonymize.health import Health, Watch, examine, mend
from anonymize.health.clues import Clues
from anonymize.health.mend import _CONTENT, _OTHERS, cut_at
from anonymize.sources import SpanSource, open_source
from tests.health.lossy import GENAI, called, chat, recording, run
from tests.support import ROOT, shared

LONG = "It is on its way, and will be with you in the afternoon of the day after. " * 8


def look(path: Path) -> Health:
    from dataclasses import replace

    watch = Watch()
    source = open_source(str(path), {})
    assert isinstance(source, SpanSource)
    return examine(replace(source, watch=watch).read(), watch)


def fixes(health: Health) -> dict[str, str]:
    return {loss.flag: loss.fix for loss in health.losses()}


def test_nothing_is_said_of_traffic_that_is_whole(tmp_path: Path) -> None:
    with recording(tmp_path / "a.pb") as provider:
        run(provider, answer=LONG, turns=3)
    health = look(tmp_path / "a.pb")
    assert health.grades == {"whole": 6}
    assert not {"truncated", "attrs_dropped", "redacted"} & fixes(health).keys()


@pytest.mark.parametrize("limit", [None, "40"])
def test_the_count_limit_that_it_names_keeps_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str | None
) -> None:
    if limit:
        monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", limit)
    with recording(tmp_path / "a.pb") as provider:
        run(provider, turns=100)
    fix = fixes(look(tmp_path / "a.pb"))["attrs_dropped"]
    named = re.match(r"(OTEL_\w+)=(\d+) \((\d+) were kept", fix)
    assert named is not None, fix
    assert named[3] == (limit or "128")
    monkeypatch.setenv(named[1], named[2])
    with recording(tmp_path / "b.pb") as provider:
        run(provider, turns=100)
    assert "attrs_dropped" not in fixes(look(tmp_path / "b.pb"))


@pytest.mark.parametrize(
    "name", ["OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"]
)
def test_a_limit_of_lengths_is_told_with_its_length_and_unset_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "60")
    with recording(tmp_path / "a.pb") as provider:
        run(provider, answer=LONG)
    fix = fixes(look(tmp_path / "a.pb"))["truncated"]
    assert fix == cut_at(60)
    assert name in fix
    monkeypatch.delenv(name)
    with recording(tmp_path / "b.pb") as provider:
        run(provider, answer=LONG)
    assert "truncated" not in fixes(look(tmp_path / "b.pb"))


def test_one_long_prompt_that_all_share_is_no_limit(tmp_path: Path) -> None:
    prompt = {"llm.input_messages.0.message.role": "system"}
    prompt["llm.input_messages.0.message.content"] = LONG * 5
    with recording(tmp_path / "a.pb") as provider:
        run(provider, model=chat("Where?", "There.", 3) | prompt)
    assert "truncated" not in fixes(look(tmp_path / "a.pb"))


@pytest.mark.parametrize(
    ("variable", "named"),
    [
        ("OPENINFERENCE_HIDE_INPUTS", "OPENINFERENCE_HIDE_INPUTS"),
        ("OPENINFERENCE_HIDE_OUTPUTS", "OPENINFERENCE_HIDE_OUTPUTS"),
        ("OPENINFERENCE_HIDE_INPUT_TEXT", "OPENINFERENCE_HIDE_INPUT_TEXT"),
        ("OPENINFERENCE_HIDE_OUTPUT_TEXT", "OPENINFERENCE_HIDE_OUTPUT_TEXT"),
    ],
)
def test_what_openinference_hides_is_told_by_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, named: str
) -> None:
    from openinference.instrumentation import OITracer, TraceConfig

    def record(path: Path) -> dict[str, str]:
        with recording(path) as provider:
            get = provider.get_tracer
            wrapped = lambda scope: OITracer(get(scope), config=TraceConfig())  # noqa: E731
            monkeypatch.setattr(provider, "get_tracer", wrapped)
            run(provider)
        return fixes(look(path))

    monkeypatch.setenv(variable, "true")
    assert record(tmp_path / "a.pb")["redacted"] == f"leave {named} unset"
    monkeypatch.delenv(variable)
    assert "redacted" not in record(tmp_path / "b.pb")


@pytest.mark.parametrize("content", [True, False])
def test_pydantic_ai_without_content_is_told_its_own_setting(tmp_path: Path, content: bool) -> None:
    from pydantic_ai import Agent, InstrumentationSettings
    from pydantic_ai.models.test import TestModel

    with recording(tmp_path / "a.pb") as provider:
        settings = InstrumentationSettings(tracer_provider=provider, include_content=content)
        agent = Agent(TestModel())
        agent.instrument = settings

        @agent.tool_plain
        def get_order(order: int) -> str:
            return "on its way"

        agent.run_sync("Where is it?")
    health = look(tmp_path / "a.pb")
    assert health.playable == int(content)
    if not content:
        assert fixes(health)["content_off"] == "InstrumentationSettings(include_content=True)"


def test_a_missing_parent_in_another_process_is_told_from_one_that_was_dropped(
    tmp_path: Path,
) -> None:
    with recording(tmp_path / "far.pb") as provider:
        run(provider, parent=True)
    with recording(tmp_path / "near.pb", keep=lambda s: s.name != "agent") as provider:
        run(provider)
    far, near = fixes(look(tmp_path / "far.pb")), fixes(look(tmp_path / "near.pb"))
    assert not far.keys() & {"orphan", "partial"}
    assert "OTEL_TRACES_SAMPLER" in near["orphan"]
    assert "of another service" in mend("orphan", "", Clues(remote=True))


def test_a_tool_without_a_result_is_told(tmp_path: Path) -> None:
    silent = {k: v for k, v in called(1, "x").items() if not k.startswith("output")}
    with recording(tmp_path / "a.pb") as provider:
        run(provider, tool=silent)
    health = look(tmp_path / "a.pb")
    assert health.grades == {"gaps": 6}
    assert "framework that runs the tools" in fixes(health)["tool_result_missing"]


def test_whose_content_is_off_goes_by_who_records_the_model_not_by_who_records_most(
    tmp_path: Path,
) -> None:
    with recording(tmp_path / "a.pb") as provider:
        for n in range(3):
            with provider.get_tracer("opentelemetry.instrumentation.fastapi").start_span(
                f"GET {n}"
            ):
                web = provider.get_tracer("opentelemetry.instrumentation.fastapi")
            with web.start_as_current_span("POST /ask"):
                for m in range(4):
                    web.start_span(f"http send {m}", attributes={"http.method": "GET"}).end()
                quiet: dict[str, Any] = {"gen_ai.operation.name": "chat"}
                quiet["gen_ai.request.model"] = "m"
                provider.get_tracer(GENAI).start_span("chat m", attributes=quiet).end()
    fix = fixes(look(tmp_path / "a.pb"))["content_off"]
    assert "CAPTURE_MESSAGE_CONTENT=SPAN_AND_EVENT" in fix


def test_each_variable_of_the_sdk_that_it_names_exists() -> None:
    said = " ".join([*(fix for _, fix in _CONTENT), *_OTHERS.values(), cut_at(1)])
    own = set(re.findall(r"\bOTEL_(?:SPAN|ATTRIBUTE|BSP|TRACES)_[A-Z_]+", said))
    assert own
    assert all(hasattr(environment_variables, name) for name in own), own


def test_each_variable_of_openinference_that_it_names_exists() -> None:
    from openinference.instrumentation import config

    from anonymize.health.clues import _HIDES

    assert all(name in vars(config) for _, name in _HIDES)


def test_model_calls_without_a_run_around_them_are_told_to_get_one(tmp_path: Path) -> None:
    asks = chat("Where?", "")
    start = "llm.output_messages.0.message.tool_calls.0.tool_call"
    asks |= {f"{start}.function.name": "get_order", f"{start}.function.arguments": '{"id": 1}'}
    with recording(tmp_path / "a.pb") as provider:
        for _ in range(3):
            provider.get_tracer("openinference.instrumentation.openai").start_span(
                "ChatCompletion", attributes=asks
            ).end()
    found = fixes(look(tmp_path / "a.pb"))
    assert "open a span around the whole run" in found["partial"]
    assert found["partial"] == found["tool_result_missing"]


@pytest.mark.parametrize(
    ("file", "flag", "word"),
    [
        ("openai_v2_nocontent.json", "content_off", "CAPTURE_MESSAGE_CONTENT=true"),
        ("genai_openai.json", "partial", "open a span around"),
        ("openai_openinference.json", "partial", "open a span around"),
        ("openai_v2.json", "tool_result_missing", "open a span around"),
        ("langgraph_openinference.json", "", ""),
        ("genai_langchain.json", "", ""),
        ("pydantic_ai_native.json", "", ""),
    ],
)
def test_recorded_traffic_of_real_instrumentation_is_told_right(
    file: str, flag: str, word: str
) -> None:
    found = {f: fix for f, fix in fixes(look(shared(f"otlp_spans/{file}"))).items() if fix}
    assert word in found.get(flag, "")
    assert bool(found) == bool(flag)


def test_the_guide_names_each_setting() -> None:
    guide = (ROOT / "docs" / "doctor.md").read_text()
    said = " ".join([*(fix for _, fix in _CONTENT), *_OTHERS.values(), cut_at(1)])
    names = set(re.findall(r"\b[A-Z][A-Z]+(?:_[A-Z]+)+(?:=\w+)?|\w+\([\w=.]+\)|record\w+", said))
    assert len(names) > 15
    assert not {n for n in names if n not in guide}
