"""Steps of a history that were recorded as stand-ins, told by the spans of those steps.

Mastra records a run's own calls as ``[tool: get_weather]`` in what its next step was given, and
their answers as ``[tool-result: get_weather]``. What the model had asked for is in the answer of
the step before, and what it was told with the tools. Where all of that is known it takes the
place of the stand-ins; otherwise they stay, flagged ``redacted``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anonymize.assembly.nodes import Node
from anonymize.conventions.interface import MISSING
from anonymize.conventions.mastra import is_stand_in
from anonymize.conventions.values import as_text
from anonymize.trace import Message


def fill(nodes: Sequence[Node]) -> None:
    """Put into the inputs of model calls what stand-ins stand for. In place."""
    runs: dict[int, list[Node]] = {}
    for node in nodes:
        if node.kind == "llm" and node.same_as is None:
            runs.setdefault(id(node.run), []).append(node)
    if not any(is_stand_in(m) for n in nodes for m in n.reading.input[-2:]):
        return
    tools = {n.reading.call_id: n for n in nodes if n.kind == "tool" and n.same_as is None}
    for calls in runs.values():
        before: tuple[Node, tuple[Message, ...]] | None = None
        for node in calls:
            given = node.reading.input
            if before is not None:
                _fill(node, *before, tools)
            before = node, given


def _fill(
    node: Node, earlier: Node, given: tuple[Message, ...], tools: Mapping[str | None, Node]
) -> None:
    """``given`` is what the ``earlier`` step was given as it was recorded."""
    mine = node.reading.input
    added = mine[len(given) :]
    if mine[: len(given)] != given or [m.role for m in added] != ["assistant", "tool"]:
        return
    if not all(is_stand_in(message) for message in added):
        return
    told = [_answer(r.call_id, tools) for m in earlier.reading.output for r in m.tool_requests]
    known = [message for message in told if message is not None]
    if not told or len(known) != len(told):
        return
    node.reading.input = (*earlier.reading.input, *earlier.reading.output, *known)
    if not any(is_stand_in(message) for message in node.reading.input):
        node.flags.discard("redacted")
        node.reading.flags.discard("redacted")


def _answer(identity: str | None, tools: Mapping[str | None, Node]) -> Message | None:
    tool = tools.get(identity) if identity is not None else None
    if tool is None or tool.reading.result is MISSING or tool.error is not None:
        return None
    text = as_text(tool.reading.result)
    return Message(role="tool", content=text, tool_call_id=identity, name=tool.reading.name)
