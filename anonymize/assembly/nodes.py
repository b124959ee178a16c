"""The tree of a trace: spans with their readings, in start order, with honest parent links.

The order of the spans in the file never matters: everything is sorted by time and id first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from anonymize.conventions import Kind, Reading, read_span
from anonymize.conventions.values import as_text, first_text
from anonymize.spans import Span
from anonymize.trace import StepError

#: Clocks of two processes differ, and some exporters round to a millisecond.
_SKEW_NS = 5_000_000


@dataclass(slots=True, eq=False)
class Node:
    """One span on its way to a step.

    ``run`` is the closest agent span above; ``same_as`` the node that tells the same step better.
    """

    span: Span
    reading: Reading
    step_id: str
    parent: Node | None = None
    depth: int = 0
    start_ns: int = 0
    flags: set[str] = field(default_factory=set)
    run: Node | None = None
    error: StepError | None = None
    same_as: Node | None = None

    @property
    def kind(self) -> Kind | None:
        return self.reading.kind

    @property
    def end_ns(self) -> int:
        """When the span ended; its start where no end was recorded."""
        return max(self.span.end_ns or 0, self.start_ns)

    def ancestors(self) -> Iterator[Node]:
        """From the parent upwards. Finite: the tree holds no cycles."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent


def build(spans: Iterable[Span]) -> list[Node]:
    """Nodes in start order (parents before children that start at the same time)."""
    nodes: list[Node] = []
    above: dict[str, str | None] = {}
    for span, step_id, flags in _unique(spans):
        reading = read_span(span)
        if reading.hidden:
            above[span.span_id] = span.parent_id
        else:
            nodes.append(
                Node(span=span, reading=reading, step_id=step_id, flags=flags | reading.flags)
            )
    by_id: dict[str, Node] = {}
    for node in nodes:
        by_id.setdefault(node.span.span_id, node)
    for node in nodes:
        _link(node, by_id, above)
    _cut_cycles(nodes)
    _set_starts(nodes)
    for node in nodes:
        node.error = span_error(node.span) or node.reading.error
        _check_clock(node)
    nodes.sort(key=lambda n: (n.start_ns, n.depth, n.step_id))
    return nodes


def _sort_key(span: Span) -> tuple[object, ...]:
    return (
        span.start_ns or 0,
        span.span_id,
        span.name,
        span.parent_id or "",
        -len(span.attributes),
        -(span.end_ns or 0),
    )


def _unique(spans: Iterable[Span]) -> Iterator[tuple[Span, str, set[str]]]:
    """Spans with a step id each. A span sent twice counts once: the fuller copy is kept.

    Two different spans under one id are both kept, and both flagged.
    """
    given = list(spans)
    ids = {span.span_id for span in given}
    if len(ids) == len(given) and "" not in ids:
        for span in sorted(given, key=lambda s: (s.start_ns or 0, s.span_id)):
            yield span, span.span_id, set()
        return
    groups: dict[str, list[Span]] = {}
    for index, span in enumerate(sorted(given, key=_sort_key)):
        groups.setdefault(span.span_id or f"no-id-{index}", []).append(span)
    for span_id, group in groups.items():
        kept: dict[tuple[str, int | None], Span] = {}
        for span in group:
            key = (span.name, span.start_ns)
            other = kept.get(key)
            if other is None or _fullness(span) > _fullness(other):
                kept[key] = span
        flags = {"duplicate_span"} if len(group) > 1 else set()
        if not group[0].span_id:
            flags.add("orphan")
        for number, span in enumerate(kept.values()):
            yield span, span_id if number == 0 else f"{span_id}~{number + 1}", set(flags)


def _fullness(span: Span) -> tuple[bool, int, int]:
    return bool(span.end_ns), len(span.attributes), len(span.events)


def _link(node: Node, by_id: dict[str, Node], above: dict[str, str | None]) -> None:
    """Set a node's parent. ``above``: the parents of hidden spans, whose place they take."""
    parent_id = node.span.parent_id
    for _ in range(64):  # deeper ones are made up
        if parent_id not in above or parent_id in by_id:
            break
        parent_id = above[parent_id]
    if not parent_id:
        return
    parent = by_id.get(parent_id)
    if parent is None or parent is node:
        # A parent in another process may be recorded elsewhere on purpose: no loss of ours.
        if parent is node or not node.span.remote_parent:
            node.flags.add("orphan")
        return
    node.parent = parent


def _cut_cycles(nodes: list[Node]) -> None:
    """Break each cycle of parents at its earliest span, and set depths."""
    done: set[int] = set()
    for node in nodes:
        path: list[Node] = []
        seen: set[int] = set()
        current: Node | None = node
        while current is not None and id(current) not in done:
            if id(current) in seen:
                cycle = path[path.index(current) :]
                first = min(cycle, key=lambda n: (n.span.start_ns or 0, n.step_id))
                first.parent = None
                first.flags.add("orphan")
                break
            seen.add(id(current))
            path.append(current)
            current = current.parent
        done |= seen
    for node in nodes:
        chain = [node]
        while chain[-1].parent is not None and chain[-1].depth == 0:
            chain.append(chain[-1].parent)
        for inner in reversed(chain[:-1]):
            assert inner.parent is not None
            inner.depth = inner.parent.depth + 1


def _set_starts(nodes: list[Node]) -> None:
    """Spans without a start are placed with their parent, or first."""
    known = [n.span.start_ns for n in nodes if n.span.start_ns]
    earliest = min(known, default=0)
    for node in sorted(nodes, key=lambda n: n.depth):
        if node.span.start_ns:
            node.start_ns = node.span.start_ns
        elif known and node.parent is None and node.span.span_id == node.span.trace_id:
            node.flags.add("_untimed")  # the trace's own record: the platform keeps no times in it
            node.start_ns = earliest
        else:
            node.flags.add("no_time")
            node.start_ns = node.parent.start_ns if node.parent else earliest
        if node.parent is not None:
            node.run = node.parent if node.parent.kind == "agent" else node.parent.run


def _check_clock(node: Node) -> None:
    start, end = node.span.start_ns, node.span.end_ns
    if start and end and end < start:
        node.flags.add("clock_skew")
    parent = node.parent.span.start_ns if node.parent else None
    if start and parent and start < parent - _SKEW_NS:
        node.flags.add("clock_skew")


def span_error(span: Span) -> StepError | None:
    """Why a span failed: its exception event, else ``error.type`` and the status message."""
    raised = [e.attributes for e in span.events if e.name == "exception"]
    kind = first_text(span.attributes, "error.type", "exception.type")
    message = first_text(span.attributes, "exception.message", "error.message")
    if span.status == "error":
        if raised:
            kind = first_text(raised[-1], "exception.type") or kind
            message = first_text(raised[-1], "exception.message") or message
            message = _short(message) if _FRAMES in message else message
        return StepError(kind=kind or "Error", message=message or _short(span.status_message))
    if kind and span.status == "unset":
        return StepError(kind=kind, message=message or _short(span.status_message))
    return None


#: How the frames of JavaScript's stack traces begin.
_FRAMES = "\n    at "


def _short(message: str) -> str:
    """A message without the stack trace that some instrumentation appends to it."""
    text = as_text(message).partition("Traceback (most recent call last)")[0]
    frames = text.find(_FRAMES)  # after the message once more
    if frames > 0:
        text, _, again = text[:frames].rstrip().rpartition("\n")
        if not again.endswith(text.strip()):
            text = f"{text}\n{again}"
    return text.strip()
