"""What a map says of spans that follow a convention as well."""

from __future__ import annotations

import json
from typing import Any

import pytest

from anonymize.assemble import assemble
from anonymize.sources.mapped import SpanMap, mapped
from anonymize.spans import Span
from anonymize.trace import Trace

OWN = {"my.kind": "model", "my.in": "Mine?", "my.out": "Yes.", "my.model": "own"}
NAMES = SpanMap(
    kind="my.kind",
    input="my.in",
    output="my.out",
    model="my.model",
    agent="my.agent",
    session="my.chat",
)
MESSAGES = json.dumps([{"role": "user", "content": text} for text in ("a", "b", "theirs")])
THEIRS: dict[str, dict[str, Any]] = {
    "openinference": {
        "openinference.span.kind": "CHAIN",
        "llm.model_name": "theirs",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "theirs",
    },
    "genai": {"gen_ai.operation.name": "chat", "gen_ai.input.messages": MESSAGES},
    "vercel": {"ai.operationId": "ai.generateText.doGenerate", "ai.prompt.messages": MESSAGES},
    "langsmith": {"langsmith.span.kind": "chain", "gen_ai.prompt": '{"input": "theirs"}'},
}


def mapped_trace(attributes: dict[str, Any]) -> Trace:
    made = [Span(trace_id="t", span_id="1", start_ns=1, end_ns=2, attributes=attributes)]
    trace = assemble(mapped(made, NAMES))
    assert isinstance(trace, Trace)
    return trace


@pytest.mark.parametrize("convention", THEIRS)
def test_what_the_map_says_is_believed_before_a_convention(convention: str) -> None:
    trace = mapped_trace({**THEIRS[convention], **OWN})
    assert (trace.input, trace.output) == ("Mine?", "Yes.")
    (call,) = trace.llm_calls
    assert (call.model, [m.content for m in call.input]) == ("own", ["Mine?"])


def test_a_name_that_any_span_may_have_makes_no_run_out_of_a_model_call() -> None:
    own = {"my.agent": "bot", "my.chat": "c-1", "gen_ai.conversation.id": "theirs"}
    trace = mapped_trace({**THEIRS["genai"], **own})
    assert (trace.agent, trace.session_id, trace.input) == ("bot", "c-1", "theirs")
    assert len(trace.llm_calls) == 1


def test_what_the_map_adds_is_not_counted_against_the_limit_of_attributes() -> None:
    for count, lossy in ((123, False), (124, True)):
        trace = mapped_trace({**OWN, **{f"x.k{n}": n for n in range(count)}})
        assert ("attrs_dropped" in trace.lossy_flags) == lossy
