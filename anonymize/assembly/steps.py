"""Nodes into steps, in start order, with the calls that only messages tell of put in place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from anonymize.assembly.nodes import Node
from anonymize.assembly.toolcalls import Call, result_of
from anonymize.conventions import MISSING
from anonymize.conventions.message import as_object
from anonymize.conventions.values import as_dict, as_text
from anonymize.spans import timestamp
from anonymize.trace import (
    LOSSY_FLAGS,
    Json,
    LLMCall,
    Message,
    Other,
    Retrieval,
    Step,
    StepError,
    ToolCall,
    ToolDefinition,
    UserTurn,
)


@dataclass(frozen=True, slots=True)
class _Offered:
    """The tools that the models of a trace were offered, by name."""

    tools: Mapping[str, ToolDefinition]
    effects: Mapping[str, Literal["read", "write"]]


def make_steps(nodes: list[Node], calls: list[Call]) -> list[Step]:
    """All steps of a trace. Rebuilt tool calls follow the LLM call that asked for them."""
    by_node = {id(c.node): c for c in calls if c.node is not None}
    rebuilt: dict[int, list[Call]] = {}
    for call in calls:
        if call.node is None:
            rebuilt.setdefault(id(call.llm), []).append(call)
    offered = _Offered(
        tools={t.name: t for n in nodes for t in n.reading.tools},
        effects={name: e for n in nodes for name, e in n.reading.effects.items()},
    )
    turns = _user_turns(nodes)
    first = next((n for n in nodes if n.kind == "llm" and n.same_as is None), None)
    for kind in ("agent", "chain"):
        first = first or next((n for n in nodes if n.kind == kind), None)
    steps: list[Step] = []
    for node in nodes:
        if node is first:
            steps += _rebuild(rebuilt.get(id(None), []), None, first, offered)
        steps += turns.get(id(node), [])
        steps.append(_step(node, by_node.get(id(node)), offered))
        steps += _rebuild(rebuilt.get(id(node), []), node, first, offered)
    return steps


def ordered_flags(flags: Iterable[str]) -> tuple[str, ...]:
    """Flags in the order of :data:`LOSSY_FLAGS`, without notes that are only ours."""
    given = set(flags)
    if not given:
        return ()
    return tuple(flag for flag in LOSSY_FLAGS if flag in given)


def duration_ms(start_ns: int | None, end_ns: int | None) -> float | None:
    """Milliseconds between two times, ``None`` if one is missing or they run backwards."""
    if not start_ns or not end_ns or end_ns < start_ns:
        return None
    return (end_ns - start_ns) / 1e6


def _common(node: Node) -> dict[str, Any]:
    return {
        "step_id": node.step_id,
        "parent_id": node.parent.step_id if node.parent else None,
        "started_at": timestamp(node.span.start_ns),
        "duration_ms": duration_ms(node.span.start_ns, node.span.end_ns),
        "error": node.error,
        "flags": ordered_flags(node.flags | node.reading.flags),
    }


def _step(node: Node, call: Call | None, offered: _Offered) -> Step:
    reading = node.reading
    if node.same_as is not None:
        kind = "attempt" if "_attempt" in node.flags else "duplicate"
        return Other(**_common(node), name=node.span.name, kind=kind)
    if reading.kind == "llm":
        if not reading.input and not reading.output and node.error is None:
            node.flags.add("content_off")
        return LLMCall(
            **_common(node),
            model=reading.model,
            provider=reading.provider,
            input=reading.input,
            output=reading.output,
            tools=reading.tools,
            usage=reading.usage,
            finish_reason=reading.finish_reason,
        )
    if reading.kind == "tool" and call is not None:
        return _tool_step(node, call, offered)
    if reading.kind == "retrieval":
        return Retrieval(
            **_common(node),
            name=reading.name or node.span.name,
            query=reading.query,
            documents=reading.documents,
        )
    output = reading.raw_output
    if output is None and reading.output:
        output = [as_object(message) for message in reading.output]
    return Other(
        **_common(node),
        name=reading.name or node.span.name,
        kind=reading.kind or "",
        input=reading.raw_input,
        output=output,
    )


def _tool_step(node: Node, call: Call, offered: _Offered) -> ToolCall:
    reading, request = node.reading, call.request
    result: Json = None if reading.result is MISSING else reading.result
    error = node.error
    # Some instrumentation records an empty answer where the model was told a full one.
    if result in (None, "", {}, []) and call.answer is not None and error is None:
        result, error = result_of(call.answer), _told(call)
        if reading.result is MISSING:
            node.flags.add("result_rebuilt")
    elif error is not None and not error.message and call.answer is not None:
        error = replace(error, message=as_text(call.answer.content))  # what the model was told
    elif reading.result is MISSING and error is None and call.answer is None:
        node.flags.add("tool_result_missing")
    arguments = _arguments(reading.arguments, call, offered)
    if arguments is None and not reading.arguments:
        node.flags.add("content_off")
    elif reading.arguments is MISSING:
        node.flags.add("arguments_rebuilt")
    asked_id = request.call_id if request is not None else None
    told_id = call.answer.tool_call_id if call.answer is not None else None
    identity = asked_id or reading.call_id or told_id
    if identity is None:
        node.flags.add("tool_call_id_synth")
    return ToolCall(
        **{**_common(node), "error": error},
        name=call.name,
        arguments=arguments,
        result=result,
        call_id=identity or f"made-up-{node.step_id}",
        effect=reading.effect or offered.effects.get(call.name),
    )


def _told(call: Call) -> StepError | None:
    """The error that a tool answered with instead of raising it."""
    if not call.failed or call.answer is None:
        return None
    return StepError(kind="ToolError", message=as_text(call.answer.content))


def _arguments(recorded: Json, call: Call, offered: _Offered) -> Json:
    """What the tool was called with.

    The span knows best, unless it lost the argument's name, boxed what was asked, or is empty.
    """
    asked = call.request.arguments if call.request is not None else MISSING
    if isinstance(asked, dict):
        if not isinstance(recorded, dict) or not recorded:
            return asked
        if len(recorded) == 1 and next(iter(recorded.values())) == asked:
            return asked
        if len(asked) == 1 and next(iter(asked.values())) == recorded:
            return asked
    if recorded is MISSING:
        return None if asked is MISSING else asked
    if not isinstance(recorded, dict | list) and call.name in offered.tools:
        schema = as_dict(offered.tools[call.name].parameters)
        names = list(as_dict(schema.get("properties")))
        if len(names) == 1:
            return {names[0]: recorded}
    return recorded


def _rebuild(
    calls: list[Call], llm: Node | None, first: Node | None, offered: _Offered
) -> list[Step]:
    """Tool calls that have no span. They are placed when the model had asked for them."""
    anchor = llm or first
    steps: list[Step] = []
    for index, call in enumerate(calls):
        assert call.request is not None
        assert anchor is not None
        flags = {"tool_rebuilt"}
        result: Json = None
        error: StepError | None = None
        if call.answer is None:
            flags.add("tool_result_missing")
        else:
            result = result_of(call.answer)
            error = _told(call)
        identity = call.request.call_id or (call.answer.tool_call_id if call.answer else None)
        if identity is None:
            flags.add("tool_call_id_synth")
        moment = llm.end_ns if llm is not None else anchor.start_ns
        place = f"{anchor.step_id}.{'call' if llm is not None else 'earlier'}{index + 1}"
        steps.append(
            ToolCall(
                step_id=place,
                parent_id=anchor.parent.step_id if anchor.parent else None,
                started_at=timestamp(moment),
                error=error,
                flags=ordered_flags(flags),
                name=call.request.name,
                arguments=call.request.arguments,
                result=result,
                call_id=identity or f"made-up-{place}",
                effect=offered.effects.get(call.request.name),
            )
        )
    return steps


def _user_turns(nodes: list[Node]) -> dict[int, list[Step]]:
    """What the user said between two LLM calls of one agent, keyed by the later call's node.

    Only where the later history goes on from the earlier answer, and that answer asked for no
    tool: else the words are the framework's, not the user's.
    """
    turns: dict[int, list[Step]] = {}
    before: dict[int, Node] = {}
    for node in nodes:
        if node.kind != "llm" or node.same_as is not None:
            continue
        run = id(node.run)
        said = _new_words(before.get(run), node)
        if said:
            turns[id(node)] = [
                UserTurn(
                    step_id=f"{node.step_id}.user{index + 1}",
                    parent_id=node.parent.step_id if node.parent else None,
                    started_at=timestamp(node.span.start_ns),
                    content=message.content,
                )
                for index, message in enumerate(said)
            ]
        before[run] = node
    return turns


def _new_words(earlier: Node | None, node: Node) -> list[Message]:
    if earlier is None or not earlier.reading.output:
        return []
    known = _talk(earlier.reading.input)
    history = _talk(node.reading.input)
    if len(history) <= len(known) or history[: len(known)] != known:
        return []
    if any(m.tool_requests for m in earlier.reading.output):
        return []
    new = history[len(known) :]
    return [m for m in new if m.role == "user"] if new[0].role == "assistant" else []


def _talk(messages: Iterable[Message]) -> list[Message]:
    return [m for m in messages if m.role not in ("system", "developer")]
