"""What started at the same time, in the order in which it must have happened."""

from __future__ import annotations

from itertools import groupby

from anonymize.assembly.nodes import Node
from anonymize.assembly.toolcalls import Call


def as_asked(nodes: list[Node], calls: list[Call]) -> list[Node]:
    """``nodes`` with what started at the same time in the order in which it was asked for.

    Clocks of milliseconds can't tell parallel calls apart, nor a tool's end from the model call
    that reads its answer, and the ids of spans are random.
    """
    moved = [n for n in nodes if n.kind in ("llm", "tool", "retrieval")]
    if len({(n.start_ns, n.depth) for n in moved}) == len(moved):
        return nodes
    askers = {id(call.node): id(call.llm) for call in calls if call.node is not None}
    rank = {id(call.node): index for index, call in enumerate(calls) if call.node is not None}
    out: list[Node] = []
    for _, group in groupby(nodes, key=lambda n: (n.start_ns, n.depth)):
        own = list(group)
        tools = sorted((n for n in own if id(n) in rank), key=lambda n: rank[id(n)])
        asked = {askers[id(tool)] for tool in tools}
        llms = [n for n in own if n.kind == "llm" and tools]
        turns = iter(
            [
                *(n for n in llms if id(n) in asked),
                *tools,
                *(n for n in llms if id(n) not in asked),
            ]
        )
        out += [next(turns) if id(n) in rank or (n.kind == "llm" and tools) else n for n in own]
    return out
