"""What a trace says as a whole: asked, answered, by which agent, for whom, and what is missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from anonymize.assembly.nodes import Node
from anonymize.assembly.toolcalls import Call
from anonymize.conventions.message import text_of
from anonymize.conventions.messages import read_messages
from anonymize.conventions.values import as_dict, first_text
from anonymize.jsontools import leaves
from anonymize.trace import Json, Message, StepError

_UNNAMED = ("", "unknown_service")
#: A name with an id in it names one run, not an agent.
_ID_IN_NAME = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|[0-9a-f]{16}", re.I)
#: Where a run's answer is, in objects that are no messages.
_ANSWER_KEYS = ("output", "answer", "result", "response", "final_output", "content", "text", "raw")
_ASKED_KEYS = ("input", "question", "query", "prompt", "message", "user_input", "task", "text")


def top(nodes: Sequence[Node]) -> list[Node]:
    """The spans without a parent in the trace, in start order."""
    return [n for n in nodes if n.parent is None]


def llm_calls(nodes: Sequence[Node]) -> list[Node]:
    """The nodes that become LLM calls, in start order."""
    return [n for n in nodes if n.kind == "llm" and n.same_as is None]


def asked(nodes: Sequence[Node]) -> Json:
    """What the run was asked: the last words of the user before the agent acted.

    From the outermost span whose input is a conversation; else from the first LLM call; else
    the outermost input whatever it is.
    """
    outer = _outer(nodes)
    for node in outer:
        text = _last(_conversation(node), "user") if node.kind != "llm" else None
        if node.kind == "agent" and not node.reading.raw_input:
            text = _latest(node, nodes) or text
        if text is not None:
            return text
    for node in llm_calls(nodes):
        text = _last(node.reading.input, "user")
        if text is not None:
            return text
    for node in outer:
        text = _last(_before_acting(node.reading.history), "user")
        if text is not None:
            return text
    for node in outer:
        value = node.reading.raw_input
        if value is not None:
            return _named(value, _ASKED_KEYS)
    return None


def _conversation(node: Node) -> tuple[Message, ...]:
    """The messages that a span was given."""
    reading = node.reading
    if isinstance(reading.raw_input, dict | list):
        found = read_messages(reading.raw_input, "user", set())
        if found:
            return found
    elif isinstance(reading.raw_input, str) and reading.raw_input:
        return (Message(role="user", content=reading.raw_input),)
    return reading.input


def _latest(node: Node, nodes: Sequence[Node]) -> Json:
    """What a run was asked last, where its own span holds all turns of a session.

    The first model call that saw one of them knows which of them was the last before it acted.
    """
    reading = node.reading
    said = [text_of(m) for m in reading.history or reading.input if m.role == "user"]
    if len(said) < 2:
        return None
    heard = (_last(call.reading.input, "user") for call in llm_calls(nodes))
    return next((text for text in heard if text in said), None)


def _before_acting(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Of a whole run's history, what stood there before its first answer.

    A history of several turns can't be told from one of several steps, so the first is taken.
    """
    for index, message in enumerate(messages):
        if message.role == "assistant":
            return messages[:index]
    return messages


def _last(messages: Sequence[Message], role: str) -> Json:
    for message in reversed(messages):
        if message.role == role:
            text = text_of(message)
            if text:
                return text
            if message.content:
                return message.content
            if role == "assistant":
                return None
    return None


def answered(nodes: Sequence[Node]) -> Json:
    """The run's final answer: text, or JSON where the agent answers in JSON."""
    calls = llm_calls(nodes)
    last_said = _last(calls[-1].reading.output, "assistant") if calls else None
    for node in _outer(nodes):
        reading = node.reading
        if node.kind == "llm":
            continue
        if reading.output:
            text = _last(reading.output, "assistant")
            if text is not None:
                return text
        if reading.raw_output is not None:
            return _final(reading.raw_output, last_said)
    if last_said is not None or not calls:
        return last_said
    names = {name for n in nodes for name in n.reading.output_tools}
    for message in reversed(calls[-1].reading.output):
        for request in message.tool_requests:
            if request.name in names:
                return request.arguments
    return None


def _final(value: Json, last_said: Json) -> Json:
    if isinstance(value, str):
        return value
    if not any(leaf not in (None, "") for _, leaf in leaves(value)):
        return last_said
    found = read_messages(value, "assistant", set())
    if found:
        text = _last(found, "assistant")
        if text is not None:
            return text
        if all(m.role == "assistant" for m in found):
            return None  # it ended by asking for tools
    if isinstance(last_said, str) and last_said in as_dict(value).values():
        return last_said
    return _named(value, _ANSWER_KEYS)


def _named(value: Json, keys: tuple[str, ...]) -> Json:
    """The text under a well-known key, where it is the only such key; else the whole value."""
    texts = [item for key in keys if isinstance(item := as_dict(value).get(key), str) and item]
    return texts[0] if len(texts) == 1 else value


def _outer(nodes: Sequence[Node]) -> list[Node]:
    """Spans from the outside in, as long as they could stand for the whole run.

    Down the tree, first the roots; tools and what happens inside of them never stand for it.
    """
    inside: set[int] = set()
    levels: dict[int, list[Node]] = {}
    for node in sorted(nodes, key=lambda n: n.depth):
        parent = node.parent
        if parent and (id(parent) in inside or parent.kind in ("tool", "llm")):
            inside.add(id(node))
        elif node.same_as is None and node.kind not in ("tool", "retrieval"):
            levels.setdefault(node.depth, []).append(node)
    chosen: list[Node] = []
    for depth, level in levels.items():
        # Of several spans at one depth none is the run, unless they follow from one above.
        if len(level) > 1 and depth > 0:
            break
        chosen += level
    return chosen


def run_error(nodes: Sequence[Node]) -> StepError | None:
    """Why the run failed: the error of its outermost span."""
    roots = top(nodes)
    failed = [n.error for n in roots if n.error is not None and n.kind != "tool"]
    return failed[0] if failed and (len(roots) == 1 or len(failed) == len(roots)) else None


def first_of(nodes: Sequence[Node], get: Callable[[Node], str | None]) -> str | None:
    """The first value in start order, outermost first."""
    for node in sorted(nodes, key=lambda n: n.depth):
        value = get(node)
        if value:
            return value
    return None


def agent_of(nodes: Sequence[Node]) -> str:
    """The agent's name: of the outermost agent, of the trace or workflow, or of the service."""
    agents = [n for n in nodes if n.reading.agent]
    outermost = min((n.depth for n in agents), default=0)
    names = {n.reading.agent for n in agents if n.depth == outermost}
    if len(names) == 1:
        return names.pop()
    workflow = first_of(nodes, lambda n: _stable(n.reading.workflow))
    service = first_of(nodes, lambda n: _service(n.span.scope.resource))
    if workflow or service:
        return workflow or service or ""
    if agents:
        return agents[0].reading.agent
    return first_of(nodes, lambda n: _stable(n.span.name) if n.kind == "agent" else None) or ""


def _stable(name: str) -> str:
    return "" if _ID_IN_NAME.search(name) else name


def _service(resource: Mapping[str, Json]) -> str:
    name = first_text(resource, "service.name")
    return "" if name in _UNNAMED or name.startswith("unknown_service:") else name


def version_of(nodes: Sequence[Node]) -> str:
    """The agent's version, else the version of the service that it runs in."""
    return (
        first_of(nodes, lambda n: n.reading.agent_version)
        or first_of(nodes, lambda n: first_text(n.span.scope.resource, "service.version"))
        or ""
    )


def tags_of(nodes: Sequence[Node]) -> dict[str, str]:
    """Flat labels: what users attached, the environment, and what recorded the trace."""
    tags: dict[str, str] = {}
    for node in sorted(nodes, key=lambda n: n.depth):
        for key, value in node.reading.tags.items():
            tags.setdefault(key, value)
    environment = first_of(
        nodes,
        lambda n: first_text(
            n.span.scope.resource, "deployment.environment.name", "deployment.environment"
        ),
    )
    if environment:
        tags.setdefault("environment", environment)
    service = first_of(nodes, lambda n: _service(n.span.scope.resource))
    if service:
        tags.setdefault("service", service)
    scopes = sorted({n.span.scope.name for n in nodes if n.span.scope.name})
    if scopes:
        tags["instrumentation"] = ",".join(scopes)
    return tags


def is_partial(nodes: Sequence[Node], calls: Sequence[Call], output: Json) -> bool:
    """Whether the recording breaks off: no end, no root, or an unanswered question at the end."""
    roots = top(nodes)
    if any(not n.span.end_ns and n.span.start_ns for n in roots):
        return True
    if len(roots) > 1 and all("orphan" in n.flags for n in roots):
        return True
    last = llm_calls(nodes)[-1:]
    if output is not None or not last or last[0].parent is not None or last[0].error is not None:
        return False
    waiting = [c for c in calls if c.llm is last[0]]
    return bool(waiting) and all(c.node is None and c.answer is None for c in waiting)
