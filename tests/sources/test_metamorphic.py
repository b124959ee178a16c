"""What must not change what is read: order, doubles, strange attributes and spans, ids, clocks.

Every recording is changed in a way that leaves the run what it was, and read again.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from anonymize.assemble import assemble
from anonymize.sources import SpanSource
from anonymize.spans import Scope, Span
from anonymize.trace import Other, Trace
from tests.sources.test_recorded_frameworks import FILES
from tests.support import SHARED

_SHARED = sorted((SHARED / "otlp_spans").glob("*.json"))
PATHS = {**FILES, **{f"shared_{p.stem}": p for p in _SHARED}}
HTTP = {"http.request.method": "POST", "url.full": "https://shop.example/x?a=1", "type": "web"}
DATABASE = {"db.system": "postgresql", "db.query.text": "SELECT 1", "session.id": "of-the-database"}
_LATER = 90_061 * 10**9


@cache
def recorded(name: str) -> tuple[list[Span], ...]:
    """The spans of each trace of a recording. None where it holds whole traces."""
    groups: list[list[Span]] = []
    list(SpanSource(name=name, path=str(PATHS[name]), watch=lambda g: groups.append([*g])).read())
    # Only OpenTelemetry has spans of others; the record of a platform's trace has the trace's id.
    return tuple(g for g in groups if all(s.span_id != s.trace_id for s in g))


SPANS = [name for name in PATHS if Path(PATHS[name]).exists()]


def seen(spans: list[Span]) -> Any:
    return assemble(spans)


def shuffled(spans: list[Span]) -> list[Span]:
    return random.Random(7).sample(spans, len(spans))


def doubled(spans: list[Span]) -> list[Span]:
    return [*spans, *shuffled(spans)[: len(spans) // 2 + 1]]


def with_attributes(spans: list[Span]) -> list[Span]:
    return [
        replace(
            s,
            attributes={"acme.first": {"input": "x"}, **s.attributes, "zzz": 3, "thread.id": 7},
            scope=replace(s.scope, resource={**s.scope.resource, "k8s.pod.name": "pod-7"}),
        )
        for s in spans
    ]


def with_values(spans: list[Span]) -> list[Span]:
    """JSON in text as the value that it stands for; what a message holds is text as it is."""
    return [
        replace(
            s,
            attributes={
                k: v if k.endswith("content") else _parsed(v) for k, v in s.attributes.items()
            },
        )
        for s in spans
    ]


def _parsed(value: Any) -> Any:
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def renamed(spans: list[Span]) -> list[Span]:
    return [
        replace(
            s,
            span_id=_other_id(s.span_id),
            parent_id=_other_id(s.parent_id) if s.parent_id else s.parent_id,
        )
        for s in spans
    ]


def _other_id(identity: str) -> str:
    return identity[::-1] + "_"


def later(spans: list[Span]) -> list[Span]:
    return [
        replace(
            s,
            start_ns=s.start_ns + _LATER if s.start_ns else s.start_ns,
            end_ns=s.end_ns + _LATER if s.end_ns else s.end_ns,
            events=tuple(
                replace(e, time_ns=e.time_ns + _LATER if e.time_ns else None) for e in s.events
            ),
        )
        for s in spans
    ]


def _stranger(span: Span, number: int, attributes: dict[str, Any], **more: Any) -> Span:
    return Span(
        trace_id=span.trace_id,
        span_id=f"feed{number:012x}",
        name="POST",
        kind="client",
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        attributes=attributes,
        scope=Scope("opentelemetry.instrumentation.httpx", "1", span.scope.resource),
        **more,
    )


def with_leaves(spans: list[Span]) -> list[Span]:
    """A request that failed and a query below each span."""
    failed: dict[str, Any] = {**HTTP, "error.type": "404", "http.response.status_code": 404}
    leaves = [
        _stranger(s, 2 * i + n, a, parent_id=s.span_id, status=status)
        for i, s in enumerate(spans)
        for n, (a, status) in enumerate([(failed, "error"), (DATABASE, "unset")])
    ]
    return [*spans, *leaves]


def with_some_between(spans: list[Span]) -> list[Span]:
    """A web server's span between each span and its parent: what crosses a process."""
    known = {s.span_id for s in spans}
    out = []
    for number, span in enumerate(spans):
        if span.parent_id in known:
            between = _stranger(span, number, HTTP, parent_id=span.parent_id)
            out.append(between)
            span = replace(span, parent_id=between.span_id)
        out.append(span)
    return out


def with_one_above(spans: list[Span]) -> list[Span]:
    """A web server's span around everything."""
    roots = [s for s in spans if not s.parent_id]
    ends = [s.end_ns or 0 for s in roots]
    above = _stranger(min(roots or spans, key=lambda s: s.start_ns or 0), 0, HTTP)
    above.end_ns = max(ends, default=0) if all(ends) else None
    return [above, *(s if s.parent_id else replace(s, parent_id=above.span_id) for s in spans)]


def steps_of_the_agent(found: Any) -> Any:
    """A trace without other steps, and without what names those of the agent and their scopes."""
    if not isinstance(found, Trace):
        return found.reason
    steps = [replace(s, step_id="", parent_id=None) for s in found.steps if type(s) is not Other]
    tags = {k: v for k, v in found.tags.items() if k != "instrumentation"}
    return replace(found, steps=tuple(steps), tags=tags)


def without_doubles(found: Any) -> Any:
    """What is flagged as delivered twice is otherwise as it was."""
    return _without_flag(found) if isinstance(found, Trace) else found.reason


def _without_flag(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_without_flag(v) for v in value if v != "duplicate_span")
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{f.name: _without_flag(getattr(value, f.name)) for f in fields(value)}
        )
    return value


def canonical(value: Any) -> Any:
    """JSON in text without its spaces, in no order: a value that was parsed has neither."""
    if isinstance(value, str):
        parsed = _parsed(value)
        return value if parsed is value else canonical(parsed)
    if isinstance(value, list | tuple):
        return [canonical(v) for v in value]
    if isinstance(value, dict):
        return {k: canonical(v) for k, v in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: canonical(getattr(value, f.name)) for f in fields(value)}
    return value


def with_another_root(found: Any) -> Any:
    """Frameworks whose outermost span alone has the agent's name are not the outermost any more."""
    view = steps_of_the_agent(found)
    return replace(view, agent="") if isinstance(view, Trace) else view


def same(found: Any) -> Any:
    return found


def timeless(found: Any) -> Any:
    if not isinstance(found, Trace):
        return found
    steps = tuple(replace(s, started_at=None) for s in found.steps)
    return replace(found, started_at=None, steps=steps)


CHANGES: dict[str, tuple[Callable[[list[Span]], list[Span]], Callable[[Any], Any]]] = {
    "in another order": (shuffled, same),
    "some delivered twice": (doubled, without_doubles),
    "with unknown attributes": (with_attributes, same),
    "with values instead of JSON": (with_values, canonical),
    "a day later": (later, timeless),
    "with requests and queries below": (with_leaves, steps_of_the_agent),
    "with requests between": (with_some_between, steps_of_the_agent),
    "with a request above": (with_one_above, with_another_root),
}


@pytest.mark.parametrize("name", SPANS)
def test_what_changes_nothing_is_read_as_nothing(name: str) -> None:
    for spans in recorded(name):
        before = seen(spans)
        for change, (alter, view) in CHANGES.items():
            if change == "with a request above" and _breaks_off(before):
                continue
            assert view(seen(alter(spans))) == view(before), change


def _breaks_off(found: Any) -> bool:
    """A model's request for a tool that is all there is: with a span around it, it is an end."""
    return isinstance(found, Trace) and "partial" in found.lossy_flags


@pytest.mark.parametrize("name", SPANS)
def test_ids_are_only_names(name: str) -> None:
    for spans in recorded(name):
        after = repr(seen(renamed(spans)))
        for span in sorted(spans, key=lambda s: -len(s.span_id)):
            after = after.replace(_other_id(span.span_id), span.span_id)
        assert after == repr(seen(spans))
