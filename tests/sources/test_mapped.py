"""Spans without a convention: read by a map of their names, and `anonymize doctor` proposes one."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from anonymize.cli import cli
from anonymize.config import AnonymizeConfig
from anonymize.errors import UsageError
from anonymize.settings import parse_table
from anonymize.sources import open_source
from anonymize.sources.mapped import SpanMap
from anonymize.trace import LLMCall, ToolCall, Trace
from tests.sources.builders import T0, key_values, request, span
from tests.support import ROOT

ASKED, ANSWER = "What is the weather in Oslo?", "3 degrees"
_CALL = {"id": "c1", "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}
_HISTORY = [{"role": "user", "content": ASKED}]
_TOLD = [
    *_HISTORY,
    {"role": "assistant", "tool_calls": [_CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": ANSWER},
]
_ASKS = {"role": "assistant", "tool_calls": [_CALL]}


def event(name: str, **attributes: Any) -> dict[str, Any]:
    return {"name": name, "timeUnixNano": str(T0), "attributes": key_values(attributes)}


def own_attributes() -> list[dict[str, Any]]:
    """Everything under names of their own, with an attribute for the kind."""
    model = {"acme.step": "model", "acme.model": "m", "acme.tokens_in": 11}
    return [
        span(
            1, "handle", {"acme.conversation": "s-1", "acme.prompt": ASKED, "acme.answer": ANSWER}
        ),
        span(
            2,
            "think",
            {**model, "acme.prompt": json.dumps(_HISTORY), "acme.answer": json.dumps(_ASKS)},
            parent=1,
        ),
        span(
            3,
            "weather",
            {
                "acme.step": "function",
                "acme.fn": "get_weather",
                "acme.args": '{"city": "Oslo"}',
                "acme.return": ANSWER,
            },
            parent=1,
        ),
        span(4, "think", {**model, "acme.prompt": _TOLD, "acme.answer": ANSWER}, parent=1),
    ]


def names_of_spans() -> list[dict[str, Any]]:
    """`input` and `output`, and only a span's name says what it is."""
    return [
        span(1, "agent.run", {"input": ASKED, "output": ANSWER, "thread_id": "s-1"}),
        span(2, "llm.call", {"model": "m", "input": _HISTORY, "output": _ASKS}, parent=1),
        span(3, "tool.get_weather", {"input": {"city": "Oslo"}, "output": ANSWER}, parent=1),
        span(4, "llm.call", {"model": "m", "input": json.dumps(_TOLD), "output": ANSWER}, parent=1),
    ]


def events_only() -> list[dict[str, Any]]:
    """Spans without attributes but the model's; what was said is in events."""
    said = {"text": json.dumps(_TOLD)}
    return [
        span(1, "chat", {"session_id": "s-1"}, events=[event("user_message", text=ASKED)]),
        span(
            2,
            "call",
            {"model": "m"},
            parent=1,
            events=[event("prompt", text=json.dumps(_HISTORY)), event("reply", text=dumps(_ASKS))],
        ),
        span(
            3,
            "get_weather",
            parent=1,
            events=[event("start", args='{"city": "Oslo"}'), event("end", return_value=ANSWER)],
        ),
        span(
            4,
            "call",
            {"model": "m"},
            parent=1,
            events=[event("prompt", **said), event("reply", text=ANSWER)],
        ),
    ]


def numbered() -> list[dict[str, Any]]:
    """Messages in numbered attributes, and a conversation's id on the web server's span."""
    history = {f"in.{i}.{k}": v for i, m in enumerate(_HISTORY) for k, v in m.items()}
    told = {f"in.{i}.{k}": v for i, m in enumerate(_TOLD) for k, v in m.items()}
    return [
        span(1, "POST /chat", {"http.method": "POST", "chatId": "s-1"}),
        span(2, "x", {"engine": "m", **history, "reply": json.dumps(_ASKS)}, parent=1),
        span(3, "y", {"fn": "get_weather", "params": '{"city":"Oslo"}', "ret": ANSWER}, parent=1),
        span(4, "x", {"engine": "m", **told, "reply": ANSWER}, parent=1),
    ]


dumps = json.dumps
FRAMEWORKS: dict[str, tuple[Any, str]] = {
    "own_attributes": (
        own_attributes,
        """
        kind = "acme.step"
        input = "acme.prompt"
        output = "acme.answer"
        model = "acme.model"
        input_tokens = "acme.tokens_in"
        tool = "acme.fn"
        arguments = "acme.args"
        result = "acme.return"
        session = "acme.conversation"
        """,
    ),
    "names_of_spans": (
        names_of_spans,
        """
        input = "input"
        output = "output"
        model = "model"
        session = "thread_id"
        [sources.own.map.kinds]
        "agent.*" = "agent"
        "llm.*" = "llm"
        "tool.*" = "tool"
        """,
    ),
    "events_only": (
        events_only,
        """
        input = ["user_message/text", "prompt/text"]
        output = "reply/text"
        model = "model"
        arguments = "start/args"
        result = "end/return_value"
        session = "session_id"
        """,
    ),
    "numbered": (
        numbered,
        """
        input = "in.*"
        output = "reply"
        model = "engine"
        tool = "fn"
        arguments = "params"
        result = "ret"
        session = "chatId"
        """,
    ),
}


def configured(folder: Path, name: str, table: str | None = None) -> Path:
    make, lines = FRAMEWORKS[name]
    (folder / "spans.json").write_text(json.dumps(request(make())))
    config = folder / "replay.toml"
    config.write_text(
        '[anonymize]\nkey_file = "k.key"\n[sources.own]\npath = "spans.json"\n[sources.own.map]\n'
        + (lines if table is None else table)
    )
    return config


def doctor(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["doctor", *arguments])
    assert result.exit_code == 0, result.output
    return result


def read(config: Path) -> Trace:
    (trace,) = open_source("own", AnonymizeConfig.load(config).sources).read()
    assert isinstance(trace, Trace)
    return trace


def check(trace: Trace) -> None:
    assert (trace.input, trace.output, trace.session_id) == (ASKED, ANSWER, "s-1")
    asks, call, answers = [s for s in trace.steps if isinstance(s, LLMCall | ToolCall)]
    assert isinstance(asks, LLMCall)
    assert isinstance(call, ToolCall)
    assert isinstance(answers, LLMCall)
    assert [r.arguments for m in asks.output for r in m.tool_requests] == [{"city": "Oslo"}]
    assert (call.name, call.arguments, call.result) == ("get_weather", {"city": "Oslo"}, ANSWER)
    assert (call.call_id, call.flags) == ("c1", ())
    assert [m.role for m in answers.input] == ["user", "assistant", "tool"]
    assert [m.content for m in answers.output] == [ANSWER]
    assert asks.model == answers.model == "m"
    assert trace.lossy_flags == ()


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_map_makes_strange_spans_a_whole_trace(name: str, tmp_path: Path) -> None:
    check(read(configured(tmp_path, name)))


@pytest.mark.parametrize("name", ["own_attributes", "names_of_spans"])
def test_the_map_that_doctor_proposes_reads_the_trace(name: str, tmp_path: Path) -> None:
    make, _ = FRAMEWORKS[name]
    (tmp_path / "spans.json").write_text(json.dumps(request(make())))
    said = doctor(str(tmp_path / "spans.json")).output
    start = said.index("[sources.NAME.map]")
    table = [line.strip() for line in said[start:].splitlines()]
    table = [line for line in table if line.startswith("[sources") or " = " in line]
    proposed = tomllib.loads("\n".join(table))["sources"]["NAME"]["map"]
    assert parse_table(SpanMap, proposed, "map")
    config = configured(tmp_path, name, "\n".join(table[1:]).replace("NAME", "own"))
    check(read(config))


def test_spans_that_can_not_be_guessed_are_listed_by_name_and_never_by_value(
    tmp_path: Path,
) -> None:
    made = [
        span(1, "x", {"zeta.first": "mei.kovacs@corp.example", "mei.kovacs@corp.example": "a"}),
        span(2, "Mei Kovacs", {"zeta.second7": "b", "http.route": "/x"}, parent=1),
    ]
    (tmp_path / "a.json").write_text(json.dumps(request(made)))
    said = doctor(str(tmp_path / "a.json")).output
    assert "zeta.first" in said
    assert "[sources.NAME.map]" in said
    for hidden in ("kovacs", "Kovacs", "http.route", "second7"):
        assert hidden not in said
    told = json.loads(doctor(str(tmp_path / "a.json"), "--json").output)
    assert told["unread_names"] == ["zeta.first"]


@pytest.mark.usefixtures("guarded")
def test_ingest_says_where_to_look_when_spans_say_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(tmp_path, "events_only")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["ingest", "spans.json", "--out", "traces"])
    assert result.exit_code == 0, result.output
    assert "`anonymize doctor SOURCE` says what to map" in result.output


def test_a_trace_without_calls_is_told_of_and_so_is_what_of_a_map_is_on_no_span(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configured(tmp_path, "names_of_spans", 'input = "inptu"\noutput = "output"')
    monkeypatch.chdir(tmp_path)
    said = doctor("own", "--config", str(config)).output
    assert "show no model call and no tool call" in said
    assert 'input = "inptu"' in said.partition("in the map, but on no span")[2]
    assert "on no span" not in doctor("spans.json").output
    configured(tmp_path, "names_of_spans")
    said = doctor("own", "--config", str(config)).output
    assert "on no span" not in said
    assert "map" not in said


def test_spans_that_follow_a_convention_are_read_as_before_beside_a_map(tmp_path: Path) -> None:
    kind = {"openinference.span.kind": "TOOL", "tool.name": "get_weather", "input.value": "{}"}
    made = [span(1, "agent", {"openinference.span.kind": "AGENT"}), span(2, "t", kind, parent=1)]
    config = configured(tmp_path, "own_attributes")
    (tmp_path / "spans.json").write_text(json.dumps(request(made)))
    (plain,) = open_source(str(tmp_path / "spans.json"), {}).read()
    assert isinstance(plain, Trace)
    trace = read(config)
    assert trace.steps == plain.steps
    assert trace.tool_calls


def test_ignored_spans_say_nothing_and_errors_and_prompts_are_read(tmp_path: Path) -> None:
    made = [
        span(1, "agent", {"q": ASKED, "a": ANSWER, "who": "weatherman", "u": "u-1"}),
        span(2, "audit log", {"q": "nothing", "engine": "m"}, parent=1),
        span(3, "think", {"q": ASKED, "sys": "Be kind.", "engine": "m", "a": {"x": 1}}, parent=1),
        span(4, "lookup", {"fn": "lookup", "why": "no such city"}, parent=1),
    ]
    table = """
        input = "q"
        output = "a"
        model = "engine"
        system = "sys"
        tool = "fn"
        agent = "who"
        user = "u"
        error = "why"
        [sources.own.map.kinds]
        "audit*" = "ignore"
    """
    config = configured(tmp_path, "own_attributes", table)
    (tmp_path / "spans.json").write_text(json.dumps(request(made)))
    trace = read(config)
    assert (trace.agent, trace.user_id, trace.input) == ("weatherman", "u-1", ASKED)
    (llm,) = trace.llm_calls
    assert [(m.role, m.content) for m in llm.input] == [("system", "Be kind."), ("user", ASKED)]
    assert [m.content for m in llm.output] == ['{"x":1}']
    (call,) = trace.tool_calls
    assert call.error is not None
    assert call.error.message == "no such city"


@pytest.mark.parametrize(
    ("table", "word"),
    [
        ('inptu = "x"', "input"),
        ("input = 3\n", "input"),
        ('[sources.own.map.kinds]\n"x" = "tol"', "tool"),
    ],
)
def test_a_wrong_map_is_answered_with_the_nearest(table: str, word: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        AnonymizeConfig.load(configured(tmp_path, "own_attributes", table))
    assert word in str(caught.value)


def test_the_guide_tells_each_key_of_the_map_and_no_other() -> None:
    page = (ROOT / "docs" / "sources" / "custom.md").read_text()
    rows = page.partition("| key | what |")[2].partition("\n\n")[0].splitlines()
    cells = [row.split("|")[1] for row in rows if row.startswith("| `")]
    told = {word.strip(" `") for cell in cells for word in cell.split(",")}
    assert told == set(SpanMap.__dataclass_fields__)
