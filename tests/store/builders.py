"""Small traces, sealed without a scrubber, and strategies that make every kind of trace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from anonymize.scrubbed import ScrubbedTrace, _seal
from anonymize.store import Store, StoreWriter, WriteSummary
from anonymize.trace import (
    LOSSY_FLAGS,
    LLMCall,
    Message,
    Other,
    Retrieval,
    StepError,
    ToolCall,
    ToolDefinition,
    ToolRequest,
    Trace,
    Usage,
    UserTurn,
)

DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROMPT = "You help customers of a shop. " * 60


def seal(trace: Trace) -> ScrubbedTrace:
    return _seal(trace, "policy-1", {"PERSON": 1})


def make_trace(trace_id: str = "t1", *, turns: int = 2, **fields: Any) -> Trace:
    """A run of ``turns`` tool calls whose LLM calls repeat the whole history."""
    history = [
        Message(role="system", content=PROMPT),
        Message(role="user", content=f"Where is the order of {trace_id}?"),
    ]
    tools = (ToolDefinition(name="get_order", parameters={"type": "object"}),)
    steps: list[LLMCall | ToolCall] = []
    for turn in range(turns):
        request = ToolRequest(name="get_order", arguments={"n": turn}, call_id=f"c{turn}")
        answer = Message(role="assistant", tool_requests=(request,))
        steps.append(
            LLMCall(step_id=f"l{turn}", input=tuple(history), output=(answer,), tools=tools)
        )
        call = ToolCall(step_id=f"c{turn}", name="get_order", arguments={"n": turn}, result="on it")
        steps.append(call)
        history += [answer, Message(role="tool", content="on it", tool_call_id=f"c{turn}")]
    base = Trace(trace_id=trace_id, agent="shop", started_at=DAY, steps=tuple(steps))
    return replace(base, **fields)


def write(root: Path, traces: Iterable[Trace], source: str = "test") -> WriteSummary:
    return StoreWriter(root).write(map(seal, traces), source=source)


def contents(root: Path) -> dict[str, str]:
    """What the store holds by trace id, as exact text (1, 1.0 and True differ; NaN is NaN)."""
    found = list(Store(root).traces())
    assert len({t.trace_id for t in found}) == len(found), "a trace is there twice"
    return {t.trace_id: repr(t) for t in found}


def exact(traces: Iterable[Trace]) -> dict[str, str]:
    return {t.trace_id: repr(t) for t in traces}


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
some_texts = st.none() | texts
numbers = st.none() | st.floats()
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(2**63, 2**70) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
# `fold` means nothing in UTC, and equality ignores it.
times = st.none() | st.datetimes(timezones=st.just(UTC)).map(lambda time: time.replace(fold=0))
errors = st.none() | st.builds(StepError, kind=texts, message=texts)
flags = st.lists(st.sampled_from(sorted(LOSSY_FLAGS)), max_size=3).map(tuple)
roles = st.sampled_from(["system", "developer", "user", "assistant", "tool"])
requests = st.builds(ToolRequest, name=texts, arguments=json_values, call_id=some_texts)
messages = st.builds(
    Message,
    role=roles,
    # Long texts too, so that system prompts become blobs.
    content=json_values | texts.map(lambda text: text + PROMPT),
    tool_requests=st.lists(requests, max_size=2).map(tuple),
    tool_call_id=some_texts,
    name=some_texts,
    reasoning=some_texts,
)
histories = st.lists(messages, max_size=4).map(tuple)
tools = st.lists(
    st.builds(ToolDefinition, name=texts, description=texts, parameters=json_values), max_size=2
).map(tuple)
usages = st.none() | st.builds(
    Usage,
    input_tokens=st.none() | st.integers(-(2**63), 2**63 - 1),
    output_tokens=st.none() | st.integers(0, 10),
    cost=numbers,
)
_common: dict[str, Any] = {
    "step_id": texts,
    "parent_id": some_texts,
    "started_at": times,
    "duration_ms": numbers,
    "error": errors,
    "flags": flags,
}
steps = st.one_of(
    st.builds(UserTurn, **_common, content=json_values),
    st.builds(
        LLMCall,
        **_common,
        model=texts,
        provider=texts,
        # The same message twice, in one call and across calls, is the normal case.
        input=histories.map(lambda history: history + history[:1]),
        output=histories,
        tools=tools,
        usage=usages,
        finish_reason=some_texts,
    ),
    st.builds(
        ToolCall,
        **_common,
        name=texts,
        arguments=json_values,
        result=json_values,
        call_id=some_texts,
        effect=st.sampled_from([None, "read", "write"]),
        fidelity=st.sampled_from([None, "exact", "nearest", "missing"]),
        fault=some_texts,
    ),
    st.builds(Retrieval, **_common, name=texts, query=json_values, documents=json_values),
    st.builds(Other, **_common, name=texts, kind=texts, input=json_values, output=json_values),
)
names = texts | st.sampled_from(["", ".", "..", "../../etc/passwd", "a/b", "e" * 300, "é" * 300])
traces = st.builds(
    Trace,
    trace_id=names,
    agent=names,
    agent_version=texts,
    session_id=some_texts,
    user_id=some_texts,
    started_at=times,
    duration_ms=numbers,
    input=json_values,
    output=json_values,
    error=errors,
    steps=st.lists(steps, max_size=4).map(tuple),
    pair_key=some_texts,
    tags=st.dictionaries(texts, texts, max_size=3),
    lossy_flags=flags,
    origin=st.sampled_from(["recorded", "replayed"]),
    source=texts,
)
