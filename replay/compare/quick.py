"""The quick way: most pairs of a nightly run are equal, and that is told in microseconds."""

from __future__ import annotations

import orjson

from anonymize.trace import Json, Retrieval, ToolCall, Trace
from replay.compare.model import ActionView
from replay.compare.record import STATUS
from replay.compare.tools import ToolCatalog


def identical(baseline: Trace, candidate: Trace) -> bool:
    """Whether both runs did and said exactly the same; ``False`` where in doubt."""
    ours, theirs = _essence(baseline), _essence(candidate)
    if ours is None or theirs is None or len(ours) != len(theirs):
        return False
    try:
        # Python's own equality rules most out and is cheap, but it takes 1 for True.
        return ours == theirs and orjson.dumps(ours) == orjson.dumps(theirs)
    except (TypeError, RecursionError):
        return False  # values that are too deep or too odd for this way


def _essence(trace: Trace) -> list[Json] | None:
    """What counts of a trace; ``None`` if it is more than the recorded run again."""
    if trace.tags.get(STATUS) == "stopped":
        return None
    error = trace.error
    found: list[Json] = [trace.output, error and [error.kind, error.message]]
    for step in trace.steps:
        if isinstance(step, ToolCall):
            if step.fault is not None or step.fidelity not in (None, "exact", "normalized"):
                return None
            failed = step.error and [step.error.kind, step.error.message]
            found.append([step.name, step.arguments, step.result, failed])
        elif isinstance(step, Retrieval):
            found.append([step.name, step.query, step.documents])
    return found


def views(trace: Trace, tools: ToolCatalog, *, matched: bool) -> tuple[ActionView, ...]:
    """The actions of a trace, each the same as the one at its place on the other side or none."""
    found: list[ActionView] = []
    for step in trace.steps:
        at = len(found)
        partner = at if matched else None
        if isinstance(step, ToolCall):
            found.append(
                ActionView(
                    at,
                    "tool",
                    step.name,
                    step.arguments,
                    step.result,
                    step.error,
                    tools.effect_of(step.name, step.effect).effect,
                    step.fidelity,
                    partner,
                    matched,
                    step.fault,
                )
            )
        elif isinstance(step, Retrieval):
            found.append(
                ActionView(
                    at,
                    "retrieval",
                    step.name or "retrieval",
                    {"query": step.query},
                    step.documents,
                    step.error,
                    "read",
                    None,
                    partner,
                    matched,
                    None,
                )
            )
    return tuple(found)
