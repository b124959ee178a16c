"""Chat transcripts, found by jmespath inside whatever document holds them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from anonymize.config import AnonymizeConfig
from anonymize.errors import SourceError
from anonymize.jsontools import canonical
from anonymize.sources import Limits, SourceSettings, TranscriptSource, open_source
from anonymize.trace import LLMCall, SkippedTrace, StepError, ToolCall, Trace, UserTurn
from tests.support import shared

MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "content": "Be kind."},
    {"role": "assistant", "content": "Hello!"},
    {"role": "user", "content": "Where is A-1?", "timestamp": "2026-01-02T03:04:05Z"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "get", "arguments": '{"n": 1}'}},
            {"id": "b", "name": "get", "arguments": {"n": 2}},
        ],
        "usage": {"prompt_tokens": 5, "completion_tokens": 6},
        "cost": 0.5,
    },
    {"role": "tool", "tool_call_id": "b", "content": "Error: no", "error": True},
    {"role": "tool", "id": "a", "content": '{"state": "sent"}'},
    {"role": "assistant", "content": "Sent."},
    {"role": "user", "content": "Thanks", "timestamp": "2026-01-02T03:04:09Z"},
    {"role": "assistant", "content": "Bye."},
]


def settings(path: Path, **more: Any) -> SourceSettings:
    return SourceSettings(kind="transcripts", path=str(path), **more)


def read(path: Path, **more: Any) -> list[Trace | SkippedTrace]:
    return list(open_source("chats", {"chats": settings(path, **more)}).read())


def one(tmp_path: Path, messages: Any) -> Trace:
    path = tmp_path / "chat.json"
    path.write_text(json.dumps({"id": "t1", "messages": messages}))
    [trace] = read(path)
    assert isinstance(trace, Trace)
    return trace


def test_a_conversation_becomes_llm_calls_tool_calls_and_user_turns(tmp_path: Path) -> None:
    trace = one(tmp_path, MESSAGES)
    assert [type(s) for s in trace.steps] == [
        LLMCall,
        LLMCall,
        ToolCall,
        ToolCall,
        LLMCall,
        UserTurn,
        LLMCall,
    ]
    assert (trace.input, trace.output) == ("Where is A-1?", "Bye.")
    assert [len(c.input) for c in trace.llm_calls] == [1, 3, 6, 8]
    assert trace.duration_ms == 4000.0
    assert trace.lossy_flags == ()


def test_histories_share_their_messages(tmp_path: Path) -> None:
    first, second, *_ = one(tmp_path, MESSAGES).llm_calls
    assert first.input[0] is second.input[0]


def test_calls_are_joined_with_their_answers_in_any_order(tmp_path: Path) -> None:
    first, second = one(tmp_path, MESSAGES).tool_calls
    assert (first.arguments, first.result, first.error) == ({"n": 1}, {"state": "sent"}, None)
    assert (second.arguments, second.result) == ({"n": 2}, "Error: no")
    assert second.error == StepError(kind="ToolError", message="Error: no")


def test_usage_and_cost_are_kept(tmp_path: Path) -> None:
    usage = one(tmp_path, MESSAGES).llm_calls[1].usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.cost) == (5, 6, 0.5)


def test_a_call_without_answer_or_id_is_flagged(tmp_path: Path) -> None:
    asks = {"role": "assistant", "tool_calls": [{"name": "get", "arguments": {}}]}
    trace = one(tmp_path, [{"role": "user", "content": "x"}, asks])
    assert trace.lossy_flags == ("tool_result_missing", "tool_call_id_synth")


def test_answers_without_ids_go_to_the_first_open_request_of_that_name(tmp_path: Path) -> None:
    asks = {
        "role": "assistant",
        "tool_calls": [{"name": "a", "arguments": {}}, {"name": "b", "arguments": {}}],
    }
    told = [
        {"role": "tool", "name": "b", "content": "B"},
        {"role": "tool", "name": "a", "content": "A"},
    ]
    trace = one(tmp_path, [{"role": "user", "content": "x"}, asks, *told])
    assert [c.result for c in trace.tool_calls] == ["A", "B"]


def test_everything_is_found_by_expressions(tmp_path: Path) -> None:
    record = {
        "key": {"uuid": "r1", "case": 7},
        "log": [{"m": m} for m in MESSAGES],
        "meta": {"bot": "helper", "at": "2026-02-03T00:00:00Z", "score": 0.5, "none": None},
    }
    path = tmp_path / "export.json"
    path.write_text(json.dumps({"pages": [{"items": [record]}]}))
    [trace] = read(
        path,
        records="pages[].items[]",
        id="key.uuid",
        messages="log[].m",
        pair_key="key.case",
        agent="meta.bot",
        version="'v9'",
        started_at="meta.at",
        tags={"score": "meta.score", "none": "meta.none"},
    )
    assert isinstance(trace, Trace)
    assert (trace.trace_id, trace.pair_key, trace.agent) == ("r1", "7", "helper")
    assert (trace.agent_version, trace.tags) == ("v9", {"score": "0.5"})
    assert str(trace.started_at) == "2026-02-03 00:00:00+00:00"


def test_what_the_caller_says_beats_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(MESSAGES))
    sources = {"chats": settings(path, agent="'x'", version="'v1'")}
    [trace] = open_source("chats", sources, agent="mine", version="v2").read()
    assert isinstance(trace, Trace)
    assert (trace.agent, trace.agent_version) == ("mine", "v2")


def test_json_lines_survive_bad_lines_and_records(tmp_path: Path) -> None:
    path = tmp_path / "chats.jsonl"
    good, other = (json.dumps({"id": i, "messages": MESSAGES}) for i in "gh")
    lines = [good, "{broken", '{"messages": 5}', '{"messages": []}', "7", other]
    path.write_text("\n".join(lines))
    items = read(path)
    assert [i.trace_id for i in items if isinstance(i, Trace)] == ["g", "h"]
    assert Counter(i.reason for i in items if isinstance(i, SkippedTrace)) == {
        "not JSON": 1,
        "no list of messages in the record": 2,
        "no assistant message in the record": 1,
    }


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "empty"), (b"{", "not JSON"), (b"[]", "no trace"), (b'{"x": 1}', "no list of messages")],
)
def test_nothing_readable_is_an_error(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=message):
        read(path)


def test_a_wrong_expression_is_an_error_that_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"messages": MESSAGES}))
    with pytest.raises(SourceError, match="jmespath") as caught:
        read(path, id="messages[")
    assert caught.value.where == "messages["


def test_a_file_over_the_limit_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"messages": MESSAGES}))
    source = TranscriptSource(name="c", settings=settings(path), limits=Limits(document=100))
    with pytest.raises(SourceError, match="too large"):
        list(source.read())


def test_odd_text_is_cleaned_and_flagged(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"messages": MESSAGES}).replace("A-1", "A\\u0000\\ud83d"))
    [trace] = read(path)
    assert isinstance(trace, Trace)
    assert trace.input == "Where is A\ufffd\ufffd?"
    assert "bad_text" in trace.lossy_flags


CONFIG = """
[sources.{name}]
kind = "transcripts"
path = "{path}"
records = "simulations"
messages = "messages"
pair_key = "task_id"
agent = "'airline'"
version = "'{name}'"
started_at = "start_time"
tags = {{ reward = "reward_info.reward", ended = "termination_reason" }}
"""


def airline(tmp_path: Path, name: str) -> dict[str, Trace]:
    path = shared(f"tau2_airline/{name}.json")
    config = tmp_path / "replay.toml"
    config.write_text(CONFIG.format(name=name.replace(".", "-"), path=path))
    sources = AnonymizeConfig.load(config).sources
    traces = list(open_source(name.replace(".", "-"), sources).read())
    assert all(isinstance(t, Trace) for t in traces)
    return {str(t.pair_key): t for t in traces if isinstance(t, Trace)}


def test_the_airline_transcripts_give_the_known_truths(tmp_path: Path) -> None:
    old, new = airline(tmp_path, "gpt-4.1"), airline(tmp_path, "gpt-4.1-sft")

    def calls(trace: Trace) -> list[tuple[str, str]]:
        return [(c.name, canonical(c.arguments)) for c in trace.tool_calls]

    def found(key: str) -> int:
        return sum((Counter(calls(old[key])) & Counter(calls(new[key]))).values())

    assert old.keys() == new.keys()
    assert len(old) == 20
    assert sum(calls(old[k]) == calls(new[k]) for k in old) == 4
    assert sum(len(t.tool_calls) for t in new.values()) == 147
    assert sum(found(k) for k in old) == 112
    assert sum(found(k) == len(new[k].tool_calls) for k in old) == 7
    rewards = Counter(
        (float(old[k].tags["reward"]) == 1, float(new[k].tags["reward"]) == 1) for k in old
    )
    assert rewards == {
        (True, True): 7,
        (False, True): 6,
        (True, False): 3,
        (False, False): 4,
    }
    assert all(t.lossy_flags == () for t in (*old.values(), *new.values()))
    assert all(c.result is not None for t in new.values() for c in t.tool_calls)
