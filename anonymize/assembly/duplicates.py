"""One call, recorded twice: by the framework's instrumentation and by the SDK's beneath it.

A framework span of an LLM call (``ChatOpenAI``) often holds the SDK's span of the very same call
(``ChatCompletion``); where context is not passed on they stand side by side. Either way it was
one call. The richer record is kept (more of: history, answer, tool ids, tool definitions; the
outer one on a tie) and takes over what only the other knew. The other stays in the trace as an
``Other`` step of kind ``duplicate``, without content.

Retries are different: an LLM span around a failed and a successful attempt is one call whose
failed attempts become ``Other`` steps of kind ``attempt``. An LLM span around several successful
calls is no call itself but a wrapper.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from anonymize.assembly.nodes import Node
from anonymize.conventions import MISSING, join
from anonymize.conventions.message import FLAT, text_of
from anonymize.conventions.pydantic_ai import STREAMED
from anonymize.conventions.values import as_text
from anonymize.jsontools import canonical

_SLACK_NS = 50_000_000


def mark(nodes: list[Node]) -> None:
    """Set ``same_as`` on nodes whose step another node tells, and demote wrappers to chains."""
    _mark_streamed([n for n in nodes if n.kind == "llm"])
    for kind, richness in (("llm", _llm_richness), ("tool", _tool_richness)):
        own = [n for n in nodes if n.kind == kind and n.same_as is None]
        _mark_nested(own, richness)
        own = [n for n in own if n.same_as is None and n.kind == kind]
        _mark_beside(own, richness, _asked_ids(nodes) if kind == "tool" else frozenset())
    _mark_bare([n for n in nodes if n.kind == "tool" and n.same_as is None])
    for node in nodes:
        outer = _nearest(node) if node.kind == "retrieval" else None
        if outer is not None and _asks_the_same(node, outer):
            node.same_as = _root(outer)  # LlamaIndex: ``retrieve`` calls ``_retrieve``


def _mark_streamed(llms: list[Node]) -> None:
    """Logfire ends a call's span when the stream opens, and logs the answer when it has ended."""
    open_: dict[tuple[str, int, str], list[Node]] = {}
    for node in llms:
        given, scope = node.reading.input, node.span.scope.name
        asked = open_.setdefault((scope, len(given), text_of(given[-1]) if given else ""), [])
        if STREAMED not in node.reading.flags:
            if not node.reading.output:
                asked.append(node)
            continue
        request = next((n for n in reversed(asked) if n.reading.input == given), None)
        if request is not None:
            asked.remove(request)
            request.reading = join([node.reading, request.reading])
            node.same_as = request


def _asks_the_same(node: Node, outer: Node) -> bool:
    inner, asked = as_text(node.reading.query), as_text(outer.reading.query)
    return bool(asked) and asked in inner and bool(outer.reading.documents)


def _nearest(node: Node) -> Node | None:
    """The closest ancestor of the same kind with nothing of another kind of work between."""
    for ancestor in node.ancestors():
        if ancestor.kind == node.kind:
            return ancestor
        if ancestor.kind in ("llm", "tool", "agent"):
            return None
    return None


def _mark_nested(nodes: list[Node], richness: Callable[[Node], tuple[int, ...]]) -> None:
    inner: dict[int, list[Node]] = {}
    for node in nodes:
        outer = _nearest(node)
        if outer is not None and (node.kind == "llm" or _same_tool(node, outer)):
            inner.setdefault(id(outer), []).append(node)
    for outer in sorted(nodes, key=lambda n: -n.depth):  # innermost pairs first
        found = inner.get(id(outer), [])
        good = [n for n in found if n.error is None] or found[-1:]
        if len(good) > 1:
            outer.reading.kind = "chain"
            continue
        for node in found:
            if node not in good:
                node.same_as = outer
                node.flags.add("_attempt")
        for node in good:
            _merge(outer, _root(node), richness)


def _root(node: Node) -> Node:
    while node.same_as is not None:
        node = node.same_as
    return node


def _asked_ids(nodes: list[Node]) -> frozenset[str | None]:
    said = (n.reading.output for n in nodes if n.kind == "llm")
    return frozenset(r.call_id for messages in said for m in messages for r in m.tool_requests)


def _mark_beside(
    nodes: list[Node],
    richness: Callable[[Node], tuple[int, ...]],
    asked: Collection[str | None],
) -> None:
    seen: dict[str, list[Node]] = {}
    for node in nodes:
        keys = _fingerprints(node)
        twin = next(
            (
                other
                for key in keys
                for other in seen.get(key, [])
                if other.same_as is None
                and other.span.scope.name != node.span.scope.name
                and _overlap(node, other)
                and (key.startswith("id:") or not _apart(node, other, asked))
            ),
            None,
        )
        if twin is not None:
            _merge(twin, node, richness)
        for key in keys:
            seen.setdefault(key, []).append(node)


def _mark_bare(tools: list[Node]) -> None:
    """MCP's own span of a call names only the tool; beside one that says more it is the same."""
    known: dict[str, list[Node]] = {}
    for tool in tools:
        if not _is_bare(tool):
            known.setdefault(short_name(tool.reading.name), []).append(tool)
    for node in tools:
        if not _is_bare(node):
            continue
        name, scope = node.reading.name, node.span.scope.name
        told = known.get(short_name(name), [])
        fits = (t for t in told if t.span.scope.name != scope and same_name(t.reading.name, name))
        twin = next((t for t in fits if _overlap(t, node)), None)
        if twin is not None:
            told.remove(twin)
            node.same_as = twin


def _is_bare(tool: Node) -> bool:
    reading = tool.reading
    silent = reading.arguments is MISSING and reading.result is MISSING
    return silent and reading.call_id is None and tool.error is None


def _fingerprints(node: Node) -> list[str]:
    """What two records of one call have in common. Empty where nothing is certain enough."""
    reading = node.reading
    if node.kind == "tool":
        keys = [f"id:{reading.call_id}"] if reading.call_id else []
        if reading.arguments is not MISSING:
            keys.append(f"call:{reading.name}:{canonical(reading.arguments)}")
        return keys
    keys = [f"id:{reading.response_id}"] if reading.response_id else []
    said = [(text_of(m), [(r.name, r.arguments) for r in m.tool_requests]) for m in reading.output]
    if any(text or requests for text, requests in said):
        keys.append(f"said:{canonical(said)}")
    return keys


def _apart(one: Node, other: Node, asked: Collection[str | None]) -> bool:
    """Whether two steps at one time that look alike are two nevertheless.

    Two calls that a model ``asked`` for by different ids; model calls that said the same and were
    asked different things. Only users' words tell: tools' answers are written down in many ways.
    """
    if one.kind == "tool":
        ids = {one.reading.call_id, other.reading.call_id}
        return len(ids) == 2 and all(i is not None and i in asked for i in ids)
    last = [n.reading.input[-1] for n in (one, other) if n.reading.input]
    if len(last) < 2 or any(m.role != "user" for m in last):
        return False
    mine, theirs = (" ".join(text_of(m).split()) for m in last)
    return bool(mine and theirs) and mine not in theirs and theirs not in mine


def _overlap(one: Node, other: Node) -> bool:
    return one.start_ns <= other.end_ns + _SLACK_NS and other.start_ns <= one.end_ns + _SLACK_NS


def same_name(one: str, other: str) -> bool:
    """Tool names agree; a server's name may stand before one of them (``mcp__shop__refund``)."""
    if one == other:
        return True
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    return bool(shorter) and longer.endswith((f"__{shorter}", f".{shorter}", f"/{shorter}"))


def short_name(name: str) -> str:
    """A tool's name without the server's in front of it."""
    return re.split(r"__|[./]", name)[-1] or name


def _same_tool(node: Node, outer: Node) -> bool:
    return same_name(node.reading.name, outer.reading.name)


def _merge(outer: Node, inner: Node, richness: Callable[[Node], tuple[int, ...]]) -> None:
    kept, other = (inner, outer) if richness(inner) > richness(outer) else (outer, inner)
    kind, mine, theirs = kept.reading.kind, kept.reading, other.reading
    # Messages are taken whole from one of the two, never mixed.
    given, said = mine.input or theirs.input, mine.output or theirs.output
    # What the SDK itself counted beats an estimate made further out.
    usage = inner.reading.usage or outer.reading.usage
    kept.reading = join([mine, theirs])
    kept.reading.kind, kept.reading.usage = kind, usage or kept.reading.usage
    kept.reading.input, kept.reading.output = given, said
    if kept.reading.input and kept.reading.output:
        kept.flags.discard("content_off")
    kept.error = kept.error or (other.error if kept is outer else None)
    other.same_as = kept


def _llm_richness(node: Node) -> tuple[int, ...]:
    reading = node.reading
    requests = [r for m in (*reading.input, *reading.output) for r in m.tool_requests]
    return (
        bool(reading.output) + bool(reading.input),
        FLAT not in reading.flags,
        len(reading.input),
        sum(r.call_id is not None for r in requests),
        len(reading.tools),
    )


def _tool_richness(node: Node) -> tuple[int, ...]:
    reading = node.reading
    return (
        (reading.arguments is not MISSING) + (reading.result is not MISSING),
        isinstance(reading.arguments, dict),
        reading.call_id is not None,
    )
