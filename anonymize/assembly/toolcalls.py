"""Tool calls: what the model asked for, what was executed, what the model was told.

Three records of one call are joined: the request in an LLM's answer, the tool's own span, and the
tool message in a later LLM's history. By call id; else by name, arguments and order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from anonymize.assembly.duplicates import same_name, short_name
from anonymize.assembly.nodes import Node
from anonymize.assembly.pairs import pairs
from anonymize.assembly.textual import written_calls
from anonymize.conventions import MISSING
from anonymize.conventions.messages import read_messages
from anonymize.conventions.parts import FAILED, FORCED
from anonymize.conventions.values import as_dict, as_text
from anonymize.jsontools import canonical, loads_or_text
from anonymize.trace import Json, Message, ToolRequest


@dataclass(slots=True, eq=False)
class Call:
    """One tool call as pieced together. ``llm`` asked for it, ``node`` is its span.

    ``answer`` is the tool message that the model saw, ``None`` if none was recorded, and
    ``failed`` whether it was marked as an error.
    """

    request: ToolRequest | None = None
    llm: Node | None = None
    node: Node | None = None
    answer: Message | None = None
    failed: bool = False

    @property
    def name(self) -> str:
        if self.request is not None:
            return self.request.name
        assert self.node is not None
        return self.node.reading.name


def join_calls(nodes: list[Node]) -> list[Call]:
    """Every tool call of the trace, requested ones in the order of the requests."""
    llms = [n for n in nodes if n.kind == "llm" and n.same_as is None]
    tools = [n for n in nodes if n.kind == "tool" and n.same_as is None]
    output_tools = _forms(nodes, llms, tools)
    calls = list(_earlier(nodes, llms))
    for llm in llms:
        for message in llm.reading.output:
            calls += [
                Call(request=request, llm=llm)
                for request in message.tool_requests
                if request.name not in output_tools
            ]
    calls += [Call(request=r, llm=llm, answer=told) for llm, r, told in written_calls(nodes, llms)]
    for tool in tools:
        _from_parent(tool)
    _match(calls, tools)
    taken = {id(call.node) for call in calls}
    calls += [Call(node=tool) for tool in tools if id(tool) not in taken]
    _answer(calls, llms, nodes)
    notes = set().union(*(n.reading.flags for n in nodes))
    for call in calls:
        if call.answer is not None:
            call.failed = f"{FAILED}{call.answer.tool_call_id}" in notes
    return calls


def _forms(nodes: list[Node], llms: list[Node], tools: list[Node]) -> set[str]:
    """Tools by which a model only hands in its answer: known ones, and forced ones that nobody ran.

    What was asked for in a history was run, or the talk would have ended there.
    """
    ran: set[str] | None = None
    for node in llms:
        for flag in node.reading.flags:
            if flag.startswith(FORCED):
                if ran is None:
                    asked = (r for n in llms for m in n.reading.input for r in m.tool_requests)
                    ran = {t.reading.name for t in tools} | {request.name for request in asked}
                node.reading.output_tools |= {flag.removeprefix(FORCED)} - ran
    return {name for n in nodes for name in n.reading.output_tools}


def _earlier(nodes: list[Node], llms: list[Node]) -> Iterator[Call]:
    """Calls made before the first recorded LLM call but after what the user last said.

    Where only the SDK is instrumented each LLM call is a trace of its own, and the calls between
    two of them are known from the history alone. Where only the agent is, its history is all.
    """
    if llms:
        history = llms[0].reading.input
    else:
        runs = [n.reading for n in nodes if n.kind == "agent"]
        talks = [r.history or (*r.input, *r.output) for r in runs] or list(_told_outside(nodes))
        history = next((talk for talk in talks if talk), ())
    last = max((i for i, m in enumerate(history) if m.role == "user"), default=None)
    if last is None:
        return
    for request, answer in pairs(history[last + 1 :]):
        if request is not None:
            yield Call(request=request, answer=answer)


def _told_outside(nodes: list[Node]) -> Iterator[tuple[Message, ...]]:
    """Conversations that chains returned, where neither a model nor an agent has a span."""
    for node in nodes:
        made = node.reading.raw_output
        if node.kind == "chain" and isinstance(made, dict | list):
            found = read_messages(made, "assistant", node.reading.flags)
            if any(m.tool_requests for m in found):
                yield found


def _from_parent(tool: Node) -> None:
    """LangGraph's tool node records the request that LangChain's tool span lost."""
    box = as_dict(tool.parent.reading.raw_input) if tool.parent else {}
    call = as_dict(box.get("tool_call"))
    if call and call.get("name") == tool.reading.name:
        identity = call.get("id")
        if tool.reading.call_id is None and isinstance(identity, str):
            tool.reading.call_id = identity
        if not isinstance(tool.reading.arguments, dict) and isinstance(call.get("args"), dict):
            tool.reading.arguments = call["args"]


def _match(calls: list[Call], tools: list[Node]) -> None:
    """Give each span the request that it executes: by id, by arguments, at last by name.

    Google ADK gives its spans ids of its own, and its requests others. So where no id of a span
    is one of a request, the arguments decide.
    """
    asked = {c.request.call_id for c in calls if c.request is not None}
    apart = asked.isdisjoint(t.reading.call_id for t in tools if t.reading.call_id is not None)
    for asked_keys, recorded_keys in (
        (_id_of_request, _id_of_span),
        (_arguments_asked, _arguments_recorded),
        (_name_asked, _name_recorded),
    ):
        waiting: dict[str, deque[Call]] = {}
        for call in calls:
            if call.node is None and call.request is not None:
                for key in asked_keys(call.request):
                    waiting.setdefault(key, deque()).append(call)
        taken = {id(c.node) for c in calls if c.node is not None}
        foreign = apart and recorded_keys is _arguments_recorded
        for tool in tools:
            if id(tool) not in taken:
                queues = [waiting[k] for k in recorded_keys(tool) if k in waiting]
                _take(tool, queues, foreign=foreign)


def _take(tool: Node, queues: list[deque[Call]], *, foreign: bool) -> None:
    """The first free request in the first queue; with ids, the latest before the tool ran.

    With ``foreign`` ids, different ones don't tell a request from a span.
    """
    for queue in queues:
        while queue and queue[0].node is not None:
            queue.popleft()
        if not queue:
            continue
        chosen = queue[0]
        asked = chosen.request.call_id if chosen.request is not None else None
        if tool.reading.call_id is not None and asked is not None:
            for call in queue:  # only ids that are used again and again make this long
                if call.llm is not None and call.llm.start_ns > tool.start_ns:
                    break
                chosen = call if call.node is None else chosen
        if _may_be(chosen, tool, foreign=foreign):
            chosen.node = tool
            return


def _may_be(call: Call, tool: Node, *, foreign: bool) -> bool:
    assert call.request is not None
    asked, recorded = call.request.call_id, tool.reading.call_id
    if asked is not None and recorded is not None and not foreign:
        return asked == recorded
    return same_name(call.request.name, tool.reading.name)


def _id_of_request(request: ToolRequest) -> list[str]:
    return [request.call_id] if request.call_id is not None else []


def _id_of_span(tool: Node) -> list[str]:
    return [tool.reading.call_id] if tool.reading.call_id is not None else []


def _arguments_asked(request: ToolRequest) -> list[str]:
    name = short_name(request.name)
    keys = [f"{name}:{canonical(request.arguments)}"]
    if isinstance(request.arguments, dict) and len(request.arguments) == 1:
        keys.append(f"{name}={as_text(next(iter(request.arguments.values())))}")
    return keys


def _arguments_recorded(tool: Node) -> list[str]:
    """Also boxed in one more object, and without the only argument's name (LangChain)."""
    name, given = short_name(tool.reading.name), tool.reading.arguments
    if given is MISSING:
        return []
    keys = [f"{name}:{canonical(given)}"]
    if isinstance(given, dict) and len(given) == 1:
        keys.append(f"{name}:{canonical(next(iter(given.values())))}")
    elif not isinstance(given, dict):
        keys.append(f"{name}={as_text(given)}")
    return keys


def _name_asked(request: ToolRequest) -> list[str]:
    return [short_name(request.name)]


def _name_recorded(tool: Node) -> list[str]:
    return [short_name(tool.reading.name)]


def _key(request: ToolRequest | None, message: Message | None) -> str:
    if request is None:
        assert message is not None
        return f"id:{message.tool_call_id}"
    if request.call_id is not None:
        return f"id:{request.call_id}"
    return _content_key(request)


def _content_key(request: ToolRequest) -> str:
    return f"call:{request.name}:{canonical(request.arguments)}"


def _answers(messages: Iterable[Message], *, by_content: bool) -> dict[str, list[Message]]:
    """Answers by their requests' ids; with ``by_content`` also by what was asked."""
    found: dict[str, list[Message]] = {}
    for request, answer in pairs(messages):
        if answer is not None:
            found.setdefault(_key(request, answer), []).append(answer)
            told = answer.tool_call_id
            if request is not None and told is not None and told != request.call_id:
                found.setdefault(f"id:{told}", []).append(answer)
            if by_content and request is not None and request.call_id is not None:
                found.setdefault(_content_key(request), []).append(answer)
    return found


def _answer(calls: list[Call], llms: list[Node], nodes: list[Node]) -> None:
    """Find what the model was told: in its own answer, in later histories, in the run's."""
    runs = [n for n in nodes if n.kind == "agent" and n.reading.history]
    # An answer that was streamed may have lost ids that the next history has (MistralAI).
    unnamed = any(c.request is not None and c.request.call_id is None for c in calls)
    told: dict[str, list[tuple[Node, list[Message]]]] = {}
    for node in (*llms, *runs):
        heard = node.reading.history or node.reading.input
        for key, messages in _answers(heard, by_content=unnamed).items():
            told.setdefault(key, []).append((node, messages))
    twins: dict[tuple[int, str], int] = {}
    keys = [_key_of(call) for call in calls]
    for call, key in zip(calls, keys, strict=True):
        twins[id(call.llm), key] = twins.get((id(call.llm), key), 0) + 1
    own = {id(llm): _answers(llm.reading.output, by_content=False) for llm in llms}
    for call, key in zip(calls, keys, strict=True):
        # Where ids are used again, the latest answers belong to the latest requests.
        behind = twins[id(call.llm), key]
        twins[id(call.llm), key] -= 1
        if call.answer is not None or not key:
            continue
        if call.llm is not None:
            call.answer = next(iter(own[id(call.llm)].get(key, [])), None)
        if call.answer is None:
            call.answer = _first_told(told.get(key, []), call.llm, behind)


def _first_told(
    told: list[tuple[Node, list[Message]]], llm: Node | None, behind: int
) -> Message | None:
    for node, messages in told:
        after = llm is None or node.kind == "agent" or node.start_ns >= llm.start_ns
        if after and node is not llm and len(messages) >= behind:
            return messages[-behind]
    return None


def _key_of(call: Call) -> str:
    if call.request is not None:
        return _key(call.request, None)
    assert call.node is not None
    identity = call.node.reading.call_id
    return f"id:{identity}" if identity is not None else ""


def result_of(answer: Message) -> Json:
    """A tool message's content as a value: parsed if it is a JSON object or array."""
    return loads_or_text(answer.content)
