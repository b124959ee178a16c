"""Small builders: a comparison reads like the two runs that it compares."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from anonymize.trace import (
    Fidelity,
    Json,
    LLMCall,
    Message,
    Retrieval,
    Step,
    StepError,
    ToolCall,
    Trace,
    Usage,
)
from replay.compare import (
    CompareSettings,
    DatasetDiff,
    Divergence,
    ToolCatalog,
    TraceDiff,
    compare_datasets,
    compare_traces,
)

START = datetime(2025, 3, 1, tzinfo=UTC)
_numbers = itertools.count(1)
TIMEOUT = StepError(kind="TimeoutError", message="timed out after 30 s")
REJECTED = StepError(kind="ValidationError", message="amount is invalid")
ASKED = "Please refund order A1."
DONE = "Your refund has been issued."


def call(
    name: str,
    arguments: Json = None,
    result: Json = "ok",
    *,
    error: StepError | None = None,
    fidelity: Fidelity | None = None,
    fault: str | None = None,
    effect: Any = None,
    **named: Json,
) -> ToolCall:
    """A tool call; keyword arguments are the tool's own."""
    return ToolCall(
        step_id=f"s{next(_numbers)}",
        call_id=f"c{next(_numbers)}",
        name=name,
        arguments=named if arguments is None else arguments,
        result=None if error is not None else result,
        error=error,
        fidelity=fidelity,
        fault=fault,
        effect=effect,
    )


def missing(name: str, **named: Json) -> ToolCall:
    """A call that the recording has no answer for."""
    error = StepError(kind="ToolNotRecorded", message="never called")
    return call(name, error=error, fidelity="missing", **named)


def llm(
    *, tokens: int | None = None, cost: float | None = None, system: str = "", user: str = ""
) -> LLMCall:
    """A model call with its usage, half of the tokens going in."""
    usage = None
    if tokens is not None or cost is not None:
        half = (tokens or 0) // 2
        usage = Usage(input_tokens=half, output_tokens=(tokens or 0) - half, cost=cost)
    messages = [Message(role="system", content=system)] if system else []
    messages += [Message(role="user", content=user)] if user else []
    return LLMCall(step_id=f"s{next(_numbers)}", model="m", input=tuple(messages), usage=usage)


def retrieval(query: str, *documents: Json) -> Retrieval:
    """A search in a document store."""
    return Retrieval(
        step_id=f"s{next(_numbers)}", name="docs", query=query, documents=list(documents)
    )


def make_trace(
    *steps: Step,
    id: str = "t1",
    input: Json = ASKED,
    output: Json = DONE,
    error: StepError | None = None,
    tags: Mapping[str, str] | None = None,
    minute: int | None = 0,
    **fields: Any,
) -> Trace:
    """A recorded trace that did ``steps``."""
    return Trace(
        trace_id=id,
        agent="support",
        input=input,
        output=output,
        error=error,
        steps=steps,
        tags=dict(tags or {}),
        started_at=None if minute is None else START + timedelta(minutes=minute),
        **fields,
    )


def replayed(*steps: Step, **fields: Any) -> Trace:
    """A replay's trace; calls without a grade were answered exactly."""
    import dataclasses

    graded = [
        dataclasses.replace(s, fidelity=s.fidelity or "exact") if isinstance(s, ToolCall) else s
        for s in steps
    ]
    return make_trace(*graded, origin="replayed", **fields)


def diff(
    baseline: Trace, candidate: Trace, *, tools: Mapping[str, Any] | None = None, **settings: Any
) -> TraceDiff:
    """Compare two traces with these settings and declared tools."""
    return compare_traces(baseline, candidate, CompareSettings(**settings), ToolCatalog(tools))


def diff_all(
    baseline: list[Trace],
    candidate: list[Trace],
    *,
    tools: Mapping[str, Any] | None = None,
    **settings: Any,
) -> DatasetDiff:
    """Compare two datasets."""
    return compare_datasets(baseline, candidate, CompareSettings(**settings), ToolCatalog(tools))


def codes(found: TraceDiff) -> list[str]:
    """The codes of all divergences, worst first."""
    return [d.code for d in found.divergences]


def main_codes(found: TraceDiff) -> list[str]:
    """The codes of the divergences that follow from no other one."""
    return [d.code for d in found.main_divergences]


def the(found: TraceDiff, code: str) -> Divergence:
    """The one divergence of this code."""
    matching = [d for d in found.divergences if d.code == code]
    assert len(matching) == 1, f"{code}: {codes(found)}"
    return matching[0]
