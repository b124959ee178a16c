"""A small reader of the tau2 transcripts, for tests that must not depend on the sources."""

from __future__ import annotations

import json
from pathlib import Path

from anonymize.trace import Step, ToolCall, Trace, UserTurn


def read_tau2(path: Path, version: str) -> list[Trace]:
    """One trace for each simulation: tool calls with their results, user turns between them."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return [_trace(simulation, version) for simulation in document["simulations"]]


def _trace(simulation: dict, version: str) -> Trace:
    messages = simulation["messages"]
    results = {m["id"]: m for m in messages if m["role"] == "tool"}
    steps: list[Step] = []
    said: list[str] = []
    output = None
    for number, message in enumerate(messages):
        if message["role"] == "user":
            said.append(message["content"] or "")
            steps.append(UserTurn(step_id=f"u{number}", content=message["content"]))
        elif message["role"] == "assistant":
            output = message["content"] or output
            for wanted in message["tool_calls"] or ():
                answer = results[wanted["id"]]
                steps.append(
                    ToolCall(
                        step_id=wanted["id"],
                        call_id=wanted["id"],
                        name=wanted["name"],
                        arguments=wanted["arguments"],
                        result=answer["content"],
                    )
                )
    return Trace(
        trace_id=simulation["id"],
        agent="airline",
        agent_version=version,
        pair_key=str(simulation["task_id"]),
        input=said[0] if said else None,
        output=output,
        steps=tuple(steps),
        tags={"reward": str(simulation["reward_info"]["reward"])},
    )
