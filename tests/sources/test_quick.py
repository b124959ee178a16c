"""Traces that were made to take long: the time grows with their size, not with its square."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from anonymize.assemble import assemble
from anonymize.conventions.values import complete
from anonymize.spans import Scope, Span
from anonymize.trace import Json, Trace
from tests.timing import at_most

COUNT = 4_000


def span(number: int, scope: str, attributes: dict[str, Json], *, lasts: int = 10**9) -> Span:
    return Span(
        trace_id="t",
        span_id=f"{number:016x}",
        name="x",
        start_ns=10**18 + number,
        end_ns=10**18 + number + lasts,
        attributes=attributes,
        scope=Scope(name=scope),
    )


def bare_tools() -> list[Span]:
    """Calls that only name their tool, beside as many of another tool."""
    bare: dict[str, Json] = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "f"}
    told = {**bare, "gen_ai.tool.name": "g", "gen_ai.tool.call.result": "r"}
    return [
        span(2 * n + own, "fw" if own else "mcp", told if own else bare)
        for n in range(COUNT)
        for own in (0, 1)
    ]


def streams() -> list[Span]:
    """Answers that were streamed, and as many requests that none of them answers."""

    def messages(word: str) -> Json:
        return json.dumps([{"role": "user", "content": word}])

    asked: list[dict[str, Json]] = [
        {"gen_ai.operation.name": "chat", "gen_ai.input.messages": messages(f"{n}")}
        for n in range(COUNT)
    ]
    ended: list[dict[str, Json]] = [
        {
            "gen_ai.operation.name": "chat",
            "logfire.msg_template": "streaming response from x",
            "gen_ai.input.messages": messages(f"other {n}"),
        }
        for n in range(COUNT)
    ]
    return [span(n, "logfire.openai", a) for n, a in enumerate([*asked, *ended])]


def answers_to_nobody() -> list[Span]:
    """A history of requests that nobody answered, and of answers that nobody asked for."""
    calls = [{"id": f"a{n}", "function": {"name": "f", "arguments": "{}"}} for n in range(COUNT)]
    told = [{"role": "tool", "tool_call_id": f"b{n}", "content": "x"} for n in range(2 * COUNT)]
    asked = [{"role": "user", "content": "Go."}, {"role": "assistant", "tool_calls": calls}]
    history = json.dumps([*asked, *told])
    return [span(1, "x", {"gen_ai.operation.name": "chat", "gen_ai.input.messages": history})]


@pytest.mark.parametrize("make", [bare_tools, streams, answers_to_nobody])
def test_a_trace_of_thousands_is_put_together_in_seconds(make: Callable[[], list[Span]]) -> None:
    made = make()
    with at_most(2.5):
        assert isinstance(assemble(made), Trace)


def test_what_was_cut_in_the_depth_of_it_is_seen_at_once() -> None:
    with at_most(2.5):
        assert complete('[{"a":' * 30_000) is None
    assert complete('[{"a":' * 50 + '{"b": 1, "c') is not None
