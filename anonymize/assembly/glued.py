"""Parallel calls of a stream that were put together as if they were one, taken apart again.

Pieces of a streamed answer say by number which call they belong to. Instrumentation that ignores
the number (OpenInference's and Langfuse's for JavaScript) adds all of them to one call, so that
its arguments are several objects one after the other: ``{"city": "Oslo"}{"city": "Rome"}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from anonymize.assembly.nodes import Node
from anonymize.conventions.values import as_text
from anonymize.jsontools import JsonError, loads
from anonymize.trace import Json, Message, ToolRequest

_DECODER = json.JSONDecoder()
_SEAM = re.compile(r"\}\s*\{")
#: More calls at once are made up.
_MOST = 64


def take_apart(nodes: Sequence[Node]) -> None:
    """Give model calls the requests that their answers hold glued together. In place."""
    for node in nodes:
        said = node.reading.output if node.kind == "llm" else ()
        if any(_is_glued(request) for m in said for request in m.tool_requests):
            known = {tool.name for tool in node.reading.tools}
            # What has no parameters takes any text, maybe objects line by line.
            free = {tool.name for tool in node.reading.tools if tool.parameters is None}
            node.reading.output = tuple(_apart(m, known, free) for m in said)


def _is_glued(request: ToolRequest) -> bool:
    return isinstance(request.arguments, str) and _SEAM.search(request.arguments) is not None


def _apart(message: Message, known: Collection[str], free: Collection[str]) -> Message:
    requests: list[ToolRequest] = []
    for request in message.tool_requests:
        lines = request.name in free and "\n" in as_text(request.arguments)
        given = _objects(request.arguments) if _is_glued(request) and not lines else []
        names = _names(request.name, len(given), known)
        if len(given) < 2 or not names:
            requests.append(request)
            continue
        ids = _equal(request.call_id or "", len(given)) or [None] * len(given)
        requests += [
            ToolRequest(name=name, arguments=arguments, call_id=identity)
            for name, arguments, identity in zip(names, given, ids, strict=True)
        ]
    return replace(message, tool_requests=tuple(requests))


def _objects(text: Json) -> list[Json]:
    """The objects that a text is made of, ``[]`` if it is made of anything else."""
    found: list[Json] = []
    if not isinstance(text, str):
        return found
    start = 0
    while start < len(text) and len(found) < _MOST:
        try:
            _, end = _DECODER.raw_decode(text, start)
            value = loads(text[start:end])
        except (ValueError, RecursionError, JsonError):
            return []
        if not isinstance(value, dict):
            return []
        found.append(value)
        start = end
        while start < len(text) and text[start].isspace():
            start += 1
    return found if start >= len(text) else []


def _names(glued: str, count: int, known: Collection[str]) -> list[str]:
    """The names of ``count`` tools out of a name that is all of them, or the only one of them."""
    if glued in known:
        return [glued] * count
    if count < 2:
        return []
    names: list[str] = []
    rest = glued
    while rest and len(names) <= count:  # the longest name first: one may begin like another
        name = max((n for n in known if n and rest.startswith(n)), key=len, default="")
        if not name:
            break
        names.append(name)
        rest = rest[len(name) :]
    if not rest and len(names) == count:
        return names
    same = _equal(glued, count)
    return [str(n) for n in same] if same and len(set(same)) == 1 else []


def _equal(text: str, count: int) -> list[str | None]:
    """``text`` cut into ``count`` pieces of one length that begin alike, ``[]`` if it can't be."""
    size, rest = divmod(len(text), count) if count else (0, 1)
    if rest or size < 2:
        return []
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    return [*pieces] if len({piece[:3] for piece in pieces}) == 1 else []
