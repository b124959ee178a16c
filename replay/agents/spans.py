"""What an agent says of itself in OpenTelemetry, read the way ingest reads production's spans.

Calls that the replay answered are in the trace already, and better known. Spans add what passes
no interception: searches of a document store, sub-agents and guardrails, models inside of the
process. Nothing is asked of the agent: a processor is put beside those that it has.
"""

from __future__ import annotations

import dataclasses
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from anonymize.trace import Json, LLMCall, Other, Retrieval, Step, ToolCall, Trace
from replay.capture import Capture
from replay.intercept.scope import CURRENT, Scope

if TYPE_CHECKING:
    from anonymize.spans import Span

_SDK = "opentelemetry.sdk.trace"
_MOST = 2_000
#: Written down by an adapter where there is one.
_BY_ADAPTERS = frozenset(("node", "agent", "handoff"))


class SpanWatch:
    """The spans of each replay in this process. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._providers: set[int] = set()
        self._captures: WeakKeyDictionary[Scope, Capture] = WeakKeyDictionary()
        self._spans: WeakKeyDictionary[Scope, list[tuple[int, Any]]] = WeakKeyDictionary()
        self._places: dict[int, int] = {}

    def begin(self, scope: Scope, capture: Capture) -> None:
        """A replay begins. If the agent has set up OpenTelemetry by now, its spans are seen."""
        with self._lock:
            self._captures[scope] = capture
            self._spans[scope] = []
        self._attach()

    def end(self, scope: Scope, steps: Sequence[Step]) -> tuple[Step, ...]:
        """The replay's steps with those that only spans told of, where they began."""
        with self._lock:
            found = self._spans.pop(scope, [])
            self._captures.pop(scope, None)
            if not self._captures:
                self._places.clear()  # of spans that were never ended
        return merged(steps, found) if found else tuple(steps)

    def _attach(self) -> None:
        if _SDK not in sys.modules:
            return
        from opentelemetry import trace

        provider: Any = trace.get_tracer_provider()
        add = getattr(provider, "add_span_processor", None)
        if add is None or id(provider) in self._providers:
            return
        self._providers.add(id(provider))
        add(_processor(self))

    def started(self, span: Any) -> None:
        scope = CURRENT.get()
        with self._lock:
            capture = self._captures.get(scope) if scope is not None else None
            if capture is not None and len(self._places) < _MOST:
                self._places[span.get_span_context().span_id] = len(capture)

    def ended(self, span: Any) -> None:
        scope = CURRENT.get()
        with self._lock:
            place = self._places.pop(span.get_span_context().span_id, None)
            spans = self._spans.get(scope) if scope is not None else None
            if place is not None and spans is not None:
                spans.append((place, span))


def _processor(watch: SpanWatch) -> Any:
    base: Any = sys.modules[_SDK].SpanProcessor

    class Watching(base):  # type: ignore[misc]  # the SDK is the agent's
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            watch.started(span)

        def on_end(self, span: Any) -> None:
            watch.ended(span)

    return Watching()


def merged(steps: Sequence[Step], spans: Sequence[tuple[int, Any]]) -> tuple[Step, ...]:
    """``steps`` and what these spans add; each span comes with the place where it began."""
    from anonymize.assemble import assemble

    read = [span_of(span) for _, span in spans]
    places = {span.span_id: place for span, (place, _) in zip(read, spans, strict=True)}
    added: list[tuple[int, Step]] = []
    for trace_id in dict.fromkeys(span.trace_id for span in read):
        trace = assemble([s for s in read if s.trace_id == trace_id], source="replay")
        if isinstance(trace, Trace):
            new = (s for s in trace.steps if _is_news(s, steps))
            added += [(places.get(s.step_id, len(steps)), s) for s in new]
    found: list[Step] = []
    moment = None
    todo = sorted(added, key=lambda item: item[0])
    for place in range(len(steps) + 1):
        while todo and (todo[0][0] <= place or place == len(steps)):
            step = todo.pop(0)[1]
            # Spans have the time of this machine, the replay that of the recorded world.
            found.append(
                dataclasses.replace(
                    step,
                    step_id=f"o{len(found) + 1}",
                    parent_id=None,
                    started_at=moment,
                    duration_ms=None,
                )
            )
        if place < len(steps):
            found.append(steps[place])
            moment = steps[place].started_at or moment
    return tuple(found)


def _is_news(step: Step, seen: Sequence[Step]) -> bool:
    if isinstance(step, LLMCall | ToolCall | Retrieval):
        return not any(type(s) is type(step) for s in seen)
    adapted = any(isinstance(s, Other) and s.kind in _BY_ADAPTERS for s in seen)
    return isinstance(step, Other) and bool(step.kind) and not adapted


def span_of(span: Any) -> Span:
    """A span of OpenTelemetry's SDK in the form that all sources are read into."""
    from anonymize.spans import Scope as SpanScope
    from anonymize.spans import Span, SpanEvent

    context, parent = span.get_span_context(), span.parent
    library, resource = span.instrumentation_scope, span.resource
    return Span(
        trace_id=f"{context.trace_id:032x}",
        span_id=f"{context.span_id:016x}",
        parent_id=f"{parent.span_id:016x}" if parent is not None else None,
        name=span.name,
        kind=span.kind.name.lower(),
        start_ns=span.start_time,
        end_ns=span.end_time,
        attributes=_plain(span.attributes),
        events=tuple(
            SpanEvent(name=e.name, time_ns=e.timestamp, attributes=_plain(e.attributes))
            for e in span.events
        ),
        status=span.status.status_code.name.lower(),
        status_message=span.status.description or "",
        scope=SpanScope(
            name=library.name if library else "",
            version=(library.version or "") if library else "",
            resource=_plain(resource.attributes) if resource else {},
        ),
        dropped=getattr(span, "dropped_attributes", 0),
        maybe_dirty=True,
    )


def _plain(attributes: Mapping[str, Any] | None) -> dict[str, Json]:
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in (attributes or {}).items()
    }
