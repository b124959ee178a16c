"""One tool call is recorded three times: asked by the model, run, told to the model. Any may lack.

Every combination of what is left, with and without ids, for one to three calls of one tool (two of
them alike): arguments and results must be right wherever any record has them, and flagged.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import Any

import pytest

from anonymize.assemble import assemble
from anonymize.spans import Span
from anonymize.trace import Trace

CALLS = (
    ("c1", {"city": "Oslo"}, "3 degrees"),
    ("c2", {"city": "Rome"}, "20 degrees"),
    ("c3", {"city": "Oslo"}, "still 3 degrees"),
)
QUESTION = [
    {"role": "system", "parts": [{"type": "text", "content": "Be kind."}]},
    {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]},
]
DONE = [{"role": "assistant", "parts": [{"type": "text", "content": "Cold."}]}]


@dataclass(frozen=True)
class Recording:
    """What was recorded of the calls, and by which of the three."""

    asked: bool
    ran: bool
    told: bool
    message_ids: bool
    span_ids: bool
    span_arguments: bool = True
    span_result: bool = True

    def __str__(self) -> str:
        return "-".join(name for name, kept in vars(self).items() if kept) or "nothing"


def span(number: int, start: int, operation: str, **attributes: Any) -> Span:
    named = {f"gen_ai.{key.replace('__', '.')}": value for key, value in attributes.items()}
    return Span(
        trace_id="t",
        span_id=f"{number:016x}",
        parent_id=None if number == 1 else f"{1:016x}",
        name=f"{operation} x",
        start_ns=10**18 + start * 10**6,
        end_ns=10**18 + (1000 if number == 1 else start + 4) * 10**6,
        attributes={
            "gen_ai.operation.name": operation,
            **{k: json.dumps(v) if isinstance(v, list | dict) else v for k, v in named.items()},
        },
    )


def run(kept: Recording, count: int) -> Trace:
    calls = CALLS[:count]

    def part(kind: str, identity: str, **fields: Any) -> dict[str, Any]:
        ids = {"id": identity} if kept.message_ids else {}
        return {"type": kind, **fields, **ids}

    requests = [part("tool_call", i, name="weather", arguments=a) for i, a, _ in calls]
    asks = {"role": "assistant", "parts": requests}
    answers = [
        {"role": "tool", "parts": [part("tool_call_response", i, response=r)]} for i, _, r in calls
    ]
    first = {"output__messages": [asks]} if kept.asked else {}
    history = [*QUESTION, asks, *answers] if kept.told else QUESTION
    spans = [
        span(1, 0, "invoke_agent", agent__name="a"),
        span(2, 10, "chat", request__model="m", input__messages=QUESTION, **first),
        span(3, 99, "chat", request__model="m", input__messages=history, output__messages=DONE),
    ]
    for index, (identity, arguments, result) in enumerate(calls if kept.ran else ()):
        own: dict[str, Any] = {"tool__name": "weather"}
        if kept.span_ids:
            own["tool__call__id"] = identity
        if kept.span_arguments:
            own["tool__call__arguments"] = arguments
        if kept.span_result:
            own["tool__call__result"] = result
        spans.append(span(10 + index, 30 + index * 5, "execute_tool", **own))
    trace = assemble(spans)
    assert isinstance(trace, Trace)
    return trace


RECORDINGS = [
    Recording(*three, *ids, *parts)
    for three in itertools.product((True, False), repeat=3)
    for ids in itertools.product((True, False), repeat=2)
    for parts in ((True, True), (True, False), (False, True))
    if any(three) and (three[1] or parts == (True, True))
]


@pytest.mark.parametrize("kept", RECORDINGS, ids=str)
def test_what_any_record_of_a_call_holds_is_known_and_flagged(kept: Recording) -> None:
    on_span = kept.ran and kept.span_arguments, kept.ran and kept.span_result
    arguments_known = on_span[0] or kept.asked or kept.told
    result_known = on_span[1] or kept.told
    for count in (1, 2, 3):
        calls = run(kept, count).tool_calls
        assert [(c.arguments, c.result) for c in calls] == [
            (a if arguments_known else None, r if result_known else None)
            for _, a, r in CALLS[:count]
        ]
        for call in calls:
            assert ("tool_rebuilt" in call.flags) == (not kept.ran)
            assert ("tool_result_missing" in call.flags) == (not result_known)
            rebuilt = kept.ran and not on_span[0] and arguments_known
            assert ("arguments_rebuilt" in call.flags) == rebuilt
            told = kept.ran and not on_span[1] and result_known
            assert ("result_rebuilt" in call.flags) == told


@pytest.mark.parametrize("kept", RECORDINGS, ids=str)
def test_an_answer_that_was_not_recorded_is_taken_from_the_next_history(kept: Recording) -> None:
    first = run(kept, 2).llm_calls[0]
    assert bool(first.output) == (kept.asked or kept.told)
    assert ("answer_rebuilt" in first.flags) == (kept.told and not kept.asked)
