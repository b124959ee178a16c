"""Makes ``tests/store/released/SCHEMA``: a small store as the code of today writes it.

    python -m tests.store.released.make

Run it once, when a schema is released, and commit what it makes. It never writes over a store that
is there: those are what users have on their disks.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from anonymize.scrubbed import _seal
from anonymize.store import StoreWriter
from anonymize.store.schema import SCHEMA_VERSION
from anonymize.trace import (
    LLMCall,
    Message,
    Other,
    QuarantinedTrace,
    Retrieval,
    SkippedTrace,
    StepError,
    ToolCall,
    ToolDefinition,
    ToolRequest,
    Trace,
    Usage,
    UserTurn,
)

HERE = Path(__file__).parent
DAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


def traces(schema: int) -> list[Trace]:
    """One of each kind of step, every field filled in; then an empty one and an undated one, and
    what came with later schemas."""
    asked = Message(role="user", content="Where is A-17?")
    request = ToolRequest(name="get_order", arguments={"order_id": "A-17"}, call_id="c1")
    definition = ToolDefinition(
        name="get_order", description="Look up an order. " * 100, parameters={"type": "object"}
    )
    steps = (
        UserTurn(step_id="u1", content="Where is A-17?", started_at=DAY),
        LLMCall(
            step_id="m1",
            model="m",
            provider="p",
            input=(Message(role="system", content="Be kind. " * 300), asked),
            output=(Message(role="assistant", tool_requests=(request,), reasoning="Look."),),
            tools=(definition,),
            usage=Usage(input_tokens=12, output_tokens=3, cost=0.001),
            finish_reason="tool_calls",
        ),
        ToolCall(
            step_id="t1",
            name="get_order",
            arguments={"order_id": "A-17", "big": 2**70, "none": None},
            result={"status": "shipped", "weight": 1.5},
            call_id="c1",
            effect="read",
            error=StepError(kind="Timeout", message="after 2 s"),
            flags=("truncated",),
        ),
        Retrieval(step_id="r1", name="policy", query="returns", documents=[{"text": "30 days"}]),
        Other(step_id="o1", name="shop", kind="agent", input={"a": 1}, output=[1, 2]),
    )
    whole = Trace(
        trace_id="whole",
        agent="shop",
        agent_version="v1",
        session_id="s1",
        user_id="u-1",
        started_at=DAY,
        duration_ms=1250.5,
        input="Where is A-17?",
        output={"text": "Shipped.", "order": "A-17"},
        error=StepError(kind="LimitExceeded", message="3 calls"),
        steps=steps,
        pair_key="p1",
        tags={"reward": "1.0"},
        lossy_flags=("truncated",),
        source="made",
    )
    made = [
        whole,
        replace(whole, trace_id="next day", started_at=DAY + timedelta(days=1), steps=()),
        Trace(trace_id="undated", input="Hello?", output="Yes."),
    ]
    return made if schema == 1 else [*made, _shared()]


def _shared() -> Trace:
    """From schema 2 on: texts that steps have in common with messages."""
    found = {"order": "A-17", "notes": ["Left the house at noon."] * 4, "weight": 1.5}
    question = "Where is the order A-17 that I was told would be here by yesterday at the latest?"
    parts = [{"type": "text", "text": question}]
    history = (
        Message(role="user", content=question),
        Message(role="tool", content=json.dumps(found), tool_call_id="c1"),
        Message(role="user", content=parts),
    )
    steps = (
        UserTurn(step_id="u1", content=question),
        ToolCall(step_id="t1", name="get_order", result=found, call_id="c1"),
        ToolCall(step_id="t2", name="get_order", result=json.dumps(found), call_id="c1"),
        UserTurn(step_id="u2", content=parts),
        LLMCall(step_id="m1", input=history),
        Other(step_id="o1", name="shop", output=question),
    )
    return Trace(trace_id="shared", agent="shop", started_at=DAY, steps=steps)


def main() -> None:
    """Make the store of today's schema, unless it is there."""
    folder = HERE / str(SCHEMA_VERSION)
    if folder.exists():
        sys.exit(f"{folder.name} is there already: it is what was released")
    skips = [
        SkippedTrace(reason="not JSON", where="a.json:3", size=12),
        QuarantinedTrace(reason="took too long", trace_ref="0123456789abcdef", size=99),
    ]
    sealed = [_seal(t, "policy-7777", {"PERSON": 2}) for t in traces(SCHEMA_VERSION)]
    StoreWriter(folder).write([*sealed, *skips], source="made")
    for leftover in (folder / "_lock", folder / "_staging"):
        if leftover.is_file():
            leftover.unlink()
    print(json.dumps({"made": folder.name, "traces": len(sealed)}))


if __name__ == "__main__":
    main()
