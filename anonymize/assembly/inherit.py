"""What a model call's own span leaves out, and another span of the trace tells of it.

:func:`inherit`: what a run says of all its calls, the system prompt and the tools offered. Strands
records the prompt with the agent, the Microsoft Agent Framework the tools. Where none of a run's
own calls records such a thing, each is given what its run says; where one does, it is the calls'
own matter (a run may ask several models different things) and none is given anything.

:func:`recover`: an answer that was not recorded, out of the next call's history. Streams that
nobody closed and instrumentation that records requests only leave such calls.
"""

from __future__ import annotations

from collections.abc import Sequence

from anonymize.assembly.nodes import Node
from anonymize.trace import Message


def inherit(nodes: Sequence[Node]) -> None:
    """Complete the readings of model calls by what their runs say."""
    calls: dict[int, list[Node]] = {}
    for node in nodes:
        if node.kind == "llm" and node.same_as is None and node.run is not None:
            calls.setdefault(id(node.run), []).append(node)
    for run in nodes:
        own = calls.get(id(run), [])
        if not own:
            continue
        tools, prompt = run.reading.tools, _prompt(run.reading.input)
        if tools and not any(n.reading.tools for n in own):
            for node in own:
                node.reading.tools = tools
        if prompt is not None and not any(_prompt(n.reading.input) for n in own):
            for node in own:
                if node.reading.input:
                    node.reading.input = (prompt, *node.reading.input)


def _prompt(messages: Sequence[Message]) -> Message | None:
    return next((m for m in messages if m.role in ("system", "developer")), None)


#: A history goes on in one of the next calls; calls in between are asked of something else.
_AHEAD = 16


def recover(nodes: Sequence[Node]) -> None:
    """Give calls without an answer the one that a later history has in its place, and flag them."""
    runs: dict[int, list[tuple[Node, list[Message]]]] = {}
    for node in nodes:
        if node.kind == "llm" and node.same_as is None and node.reading.input:
            runs.setdefault(id(node.run), []).append((node, _talk(node.reading.input)))
    for calls in runs.values():
        for index, (node, known) in enumerate(calls):
            if _says_something(node.reading.output) or node.error is not None:
                continue
            for _, history in calls[index + 1 : index + 1 + _AHEAD]:
                said = _answer(history[len(known) :]) if history[: len(known)] == known else ()
                if _says_something(said):
                    node.reading.output = said
                    node.flags.add("answer_rebuilt")
                    break


def _says_something(messages: Sequence[Message]) -> bool:
    return any(m.content or m.tool_requests or m.reasoning for m in messages)


def _answer(messages: Sequence[Message]) -> tuple[Message, ...]:
    for index, message in enumerate(messages):
        if message.role != "assistant":
            return tuple(messages[:index])
    return tuple(messages)


def _talk(messages: Sequence[Message]) -> list[Message]:
    return [m for m in messages if m.role not in ("system", "developer")]
