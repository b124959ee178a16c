"""Parallel calls of a stream in one, as instrumentation for JavaScript adds their pieces up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from anonymize.assemble import assemble
from anonymize.spans import Span
from anonymize.trace import Json, LLMCall, Trace

TOOLS = [{"name": name, "parameters": {"type": "object"}} for name in ("find", "find_all", "buy")]


def asked(name: str, arguments: str, identity: str | None = None) -> list[tuple[str, Json, Any]]:
    """The calls read from an answer that holds one call with these parts."""
    call = {"type": "tool_call", "id": identity, "name": name, "arguments": arguments}
    span = Span(
        trace_id="t",
        span_id="1" * 16,
        parent_id=None,
        name="chat m",
        start_ns=10**18,
        end_ns=10**18 + 10**6,
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.tool.definitions": json.dumps(TOOLS),
            "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [call]}]),
        },
    )
    trace = assemble([span])
    assert isinstance(trace, Trace)
    [llm] = trace.llm_calls
    assert isinstance(llm, LLMCall)
    return [(r.name, r.arguments, r.call_id) for m in llm.output for r in m.tool_requests]


A: Json = {"a": 1}
B: Json = {"b": "}{"}
C: Json = {"c": {}}
TWO = json.dumps(A) + json.dumps(B)


@pytest.mark.parametrize(
    ("name", "arguments", "identity", "calls"),
    [
        ("findfind", TWO, "call_1call_2", [("find", A, "call_1"), ("find", B, "call_2")]),
        ("find_allbuy", TWO, None, [("find_all", A, None), ("buy", B, None)]),
        (
            "find",
            f"{json.dumps(A)}\n {json.dumps(C)}",
            None,
            [("find", A, None), ("find", C, None)],
        ),
        ("unknownunknown", TWO, "c1c22", [("unknown", A, None), ("unknown", B, None)]),
    ],
)
def test_calls_in_one_are_taken_apart(
    name: str, arguments: str, identity: str | None, calls: list[tuple[str, Json, str | None]]
) -> None:
    assert asked(name, arguments, identity) == calls


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("find", json.dumps(B)), ("strange", TWO), ("findbuyfind", TWO), ("find", '{"a": 1}{"b":')],
)
def test_what_is_one_call_or_cant_be_told_apart_stays_one(name: str, arguments: str) -> None:
    [(kept, _, _)] = asked(name, arguments)
    assert kept == name
