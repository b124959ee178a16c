"""The spans of one trace into a trace, or into a note that they can't be: never into an error."""

from __future__ import annotations

from anonymize.assemble import assemble
from anonymize.sources.mapped import SpanMap, mapped
from anonymize.spans import Span
from anonymize.trace import SkippedTrace, Trace

#: Why a trace is skipped that we fail at. The error's kind is told; its text may be personal.
UNREADABLE = "its spans can't be put together"


def joined(spans: list[Span], names: SpanMap | None, source: str) -> Trace | SkippedTrace:
    """The trace that these spans are, read by the map of the source if it has one.

    A fault of ours with one trace must not keep the others from being read, night after night.
    """
    try:
        return assemble(mapped(spans, names), source=source)
    except Exception as error:
        return SkippedTrace(
            reason=f"{UNREADABLE} ({type(error).__name__})",
            where=source,
            trace_id=spans[0].trace_id if spans else None,
            size=len(spans),
        )
