"""The spans of one trace, in any order and of any convention, into a :class:`Trace`.

What is missing or odd is kept and flagged (:data:`anonymize.trace.LOSSY_FLAGS`); nothing raises
on strange content. The steps of the work are in :mod:`anonymize.assembly`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any

from anonymize.assembly import duplicates, summary
from anonymize.assembly.glued import take_apart
from anonymize.assembly.inherit import inherit, recover
from anonymize.assembly.nodes import Node, build
from anonymize.assembly.stand_ins import fill
from anonymize.assembly.steps import duration_ms, make_steps, ordered_flags
from anonymize.assembly.toolcalls import Call, join_calls
from anonymize.assembly.turns import as_asked
from anonymize.jsontools import clean_text
from anonymize.spans import Span, timestamp
from anonymize.trace import SkippedTrace, Step, Trace

#: Why a trace is skipped whose spans follow no convention, or are of no agent.
NOTHING_SAID = "no LLM, tool or agent span in the trace"


def assemble(spans: Iterable[Span], *, source: str = "") -> Trace | SkippedTrace:
    """Join the spans of one trace. Skipped if no span says anything about an agent's work.

    Args:
        spans: all spans with one trace id; the order does not matter.
        source: the file or connector, for ``Trace.source``.
    """
    given = list(spans)
    nodes = build(given)
    if not any(_says_something(node) for node in nodes):
        where = f"{source}: trace {given[0].trace_id}" if given else source
        return SkippedTrace(
            reason=NOTHING_SAID,
            where=where,
            trace_id=given[0].trace_id if given else None,
            size=len(given),
        )
    take_apart(nodes)
    duplicates.mark(nodes)
    inherit(nodes)
    recover(nodes)
    fill(nodes)
    calls = join_calls(nodes)
    nodes = as_asked(nodes, calls)
    steps = make_steps(nodes, calls)
    trace = _trace(nodes, calls, steps, source)
    return cleaned(trace) if any(s.maybe_dirty for s in given) else trace


def _says_something(node: Node) -> bool:
    reading = node.reading
    return (
        reading.kind is not None or reading.raw_input is not None or reading.raw_output is not None
    )


def _trace(nodes: Sequence[Node], calls: Sequence[Call], steps: list[Step], source: str) -> Trace:
    roots = summary.top(nodes)
    starts = [n.span.start_ns for n in nodes if n.span.start_ns]
    began = roots[0].span.start_ns if len(roots) == 1 else min(starts, default=None)
    ended = roots[0].span.end_ns if len(roots) == 1 else max(n.end_ns for n in nodes)
    if len(roots) == 1 and "_untimed" in roots[0].flags:  # its own record holds no times
        began, ended = roots[0].start_ns, max(n.end_ns for n in nodes)
    asked, output = summary.asked(nodes), summary.answered(nodes)
    flags = {flag for step in steps for flag in step.flags}
    if summary.is_partial(nodes, calls, output):
        flags.add("partial")
    silent = asked is None and output is None and "truncated" not in flags
    if silent and any(n.kind in ("llm", "agent") for n in nodes):
        flags.add("content_off")
    return Trace(
        trace_id=nodes[0].span.trace_id,
        agent=summary.agent_of(nodes),
        agent_version=summary.version_of(nodes),
        session_id=summary.first_of(nodes, lambda n: n.reading.session_id),
        user_id=summary.first_of(nodes, lambda n: n.reading.user_id),
        started_at=timestamp(began or min(starts, default=None)),
        duration_ms=duration_ms(began, ended),
        input=asked,
        output=output,
        error=summary.run_error(nodes),
        steps=tuple(steps),
        tags=summary.tags_of(nodes),
        lossy_flags=ordered_flags(flags),
        source=source,
    )


def cleaned(trace: Trace) -> Trace:
    """``trace`` with NUL and lone surrogates replaced in every text, and flagged if any was."""
    if not _is_dirty(trace):
        return trace
    clean: Trace = _clean(trace)
    return replace(clean, lossy_flags=ordered_flags({*clean.lossy_flags, "bad_text"}))


def _is_dirty(value: Any) -> bool:
    stack = [value]
    seen: set[int] = set()  # histories share their messages, and messages their texts
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            if "\x00" in item or (not item.isascii() and clean_text(item)[1]):
                return True
            continue
        if item is None or isinstance(item, int | float) or id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, dict):
            stack += item.keys()
            stack += item.values()
        elif isinstance(item, list | tuple):
            stack += item
        elif is_dataclass(item):
            stack += [getattr(item, name) for name in _names(item.__class__)]
    return False


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))


def _clean(value: Any) -> Any:
    # Recursion is bounded: JSON is at most MAX_DEPTH deep when it gets here.
    if isinstance(value, str):
        return clean_text(value)[0]
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_clean(item) for item in value)
    if isinstance(value, dict):
        return {_clean(k): _clean(v) for k, v in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _clean(getattr(value, f.name)) for f in fields(value)})
    return value
