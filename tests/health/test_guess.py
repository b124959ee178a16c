"""The map that doctor proposes, for names as programmers write them."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from anonymize.assemble import assemble
from anonymize.health.guess import Unread
from anonymize.settings import parse_table
from anonymize.sources.mapped import SpanMap, mapped
from anonymize.spans import Span
from anonymize.trace import Trace

ASKED, ANSWER = "What is the weather in Oslo?", "3 degrees"
#: A run, a model call and a tool call: the spans' names and their attributes.
STYLES: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "camel": (
        ("run", {"stepType": "run", "userQuery": ASKED, "finalAnswer": ANSWER}),
        ("a", {"stepType": "model", "llmPrompt": ASKED, "llmResponse": ANSWER, "modelName": "m"}),
        ("b", {"stepType": "tool", "toolName": "w", "toolArgs": "{}", "toolOutput": ANSWER}),
    ),
    "snake": (
        ("handle", {"app_question": ASKED, "app_answer": ANSWER, "app_user_id": "u"}),
        ("llm.run", {"app_prompt": ASKED, "app_response": ANSWER, "app_model": "m"}),
        ("tool.w", {"app_tool_name": "w", "app_tool_args": "{}", "app_tool_result": ANSWER}),
    ),
    "names of spans": (
        ("handle", {"shop_input": ASKED, "shop_output": ANSWER, "content_type": "text"}),
        ("llm:m", {"shop_input": ASKED, "shop_output": ANSWER, "model": "m"}),
        ("tool:w", {"shop_input": "{}", "shop_output": ANSWER, "created_by_user": "yes"}),
    ),
}


@pytest.mark.parametrize("style", STYLES)
def test_the_proposed_map_reads_the_whole_trace(style: str) -> None:
    spans = [
        Span(
            trace_id="t",
            span_id=f"{number}",
            parent_id="1" if number > 1 else None,
            name=name,
            start_ns=10**18 + number,
            end_ns=10**18 + 9,
            attributes=attributes,
        )
        for number, (name, attributes) in enumerate(STYLES[style], start=1)
    ]
    unread = Unread()
    unread.note(spans)
    table = tomllib.loads("\n".join(unread.table("own")))["sources"]["own"]["map"]
    assert "user" not in table or table["user"] == "app_user_id"
    trace = assemble(mapped(spans, parse_table(SpanMap, table, "map")))
    assert isinstance(trace, Trace)
    assert (trace.input, trace.output) == (ASKED, ANSWER)
    [llm], [call] = trace.llm_calls, trace.tool_calls
    assert (llm.model, [m.content for m in llm.input]) == ("m", [ASKED])
    assert (call.name, call.arguments, call.result) == ("w", {}, ANSWER)
