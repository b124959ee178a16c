"""What a trace says as a whole: asked, answered, by which agent, for whom, and what is missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from anonymize.assembly.nodes import Node
from anonymize.assembly.toolcalls import Call
from anonymize.conventions.message import text_of
from anonymize.conventions.messages import CUT, read_messages
from anonymize.conventions.reprs import is_cut_repr, python_object
from anonymize.conventions.values import CutList, CutObject, as_dict, first_text
from anonymize.jsontools import leaves, loads_or_text
from anonymize.trace import Json, Message, StepError

_UNNAMED = ("", "unknown_service")
#: A name with an id in it names one run, not an agent.
_ID_IN_NAME = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|[0-9a-f]{16}", re.I)
#: Where a run's answer is, in objects that are no messages.
_ANSWER_KEYS = ("output", "answer", "result", "response", "final_output", "content", "text", "raw")
_QUESTIONS = ("question", "query", "task", "user_input")
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
    outer = [n for n in _outer(nodes) if not _is_cut(n)]
    for node in outer:
        text = _last(_conversation(node), "user") if node.kind != "llm" else None
        if node.kind == "agent" and not node.reading.raw_input:
            text = _latest(node, nodes) or text
        if text is None and node.kind in ("agent", "chain"):
            text = _question(node.reading.raw_input)
        elif isinstance(text, str) and text[:1] == "{" and node.kind in ("agent", "chain"):
            text = _question(loads_or_text(text)) or text  # a graph's state as a user's words
        if text is not None:
            return text
    for node in llm_calls(nodes):
        if _is_cut(node):
            return None  # a later call may hold other words than those that were asked first
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
            said = read_messages(value, "user", set()) if _is_call(value) else ()
            return _last(said, "user") or _named(value, _ASKED_KEYS)
    return None


def _is_call(value: Json) -> bool:
    """Whether a value is what a decorated function was called with: a question only if need be."""
    return isinstance(value, dict) and bool(value) and value.keys() <= {"args", "kwargs"}


def _is_cut(node: Node) -> bool:
    """Whether the end of what a span was given is missing: its last words are not the question."""
    return CUT in node.reading.flags or isinstance(node.reading.raw_input, CutList | CutObject)


def _question(value: Json) -> Json:
    """What the arguments of a run ask, if exactly one of them is known to be a question."""
    texts = [item for k in _QUESTIONS if isinstance(item := as_dict(value).get(k), str) and item]
    return texts[0] if len(texts) == 1 else None


def _conversation(node: Node) -> tuple[Message, ...]:
    """The messages that a span was given."""
    reading = node.reading
    if isinstance(reading.raw_input, dict | list) and not _is_call(reading.raw_input):
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
        if value == last_said:
            return value
        if is_cut_repr(value):
            return value if last_said is None else last_said
        printed = python_object(value)
        if not isinstance(printed, dict):
            return value
        found = _said(printed)
        return value if found is None else found
    if not any(leaf not in (None, "") for _, leaf in leaves(value)):
        return last_said
    found = read_messages(value, "assistant", set())
    if found:
        text = _last(found, "assistant")
        if text is not None:
            return text
        if found[-1].tool_requests or all(m.role == "assistant" for m in found):
            return None  # it ended by asking for tools
    if isinstance(last_said, str) and last_said in as_dict(value).values():
        return last_said
    if isinstance(value, dict) and len(value) == 1:  # Haystack: by the component's name
        found = read_messages(as_dict(next(iter(value.values()))), "assistant", set())
        if found:
            return _last(found, "assistant")
    return _named(value, _ANSWER_KEYS)


def _said(value: Json) -> Json:
    """The last words of a conversation, or of an answer, some objects deep."""
    for _ in range(4):
        if not isinstance(value, dict):
            return None
        found = read_messages(value, "assistant", set())
        if found:
            return _last(found, "assistant")
        inner = [value[key] for key in _ANSWER_KEYS if value.get(key)]
        if len(inner) != 1:
            return None
        if isinstance(inner[0], str):
            return inner[0]
        value = inner[0]
    return None


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
    level_of: dict[int, int] = {}
    for node in sorted(nodes, key=lambda n: n.depth):
        parent = node.parent
        level_of[id(node)] = level = _level(node, level_of)
        if parent and (id(parent) in inside or parent.kind in ("tool", "llm")):
            inside.add(id(node))
        elif node.same_as is None and node.kind not in ("tool", "retrieval") and _speaks(node):
            levels.setdefault(level, []).append(node)
    chosen: list[Node] = []
    for level, found in sorted(levels.items()):
        # Of several spans at one depth none is the run, unless they follow from one above.
        if len(found) > 1 and level > 0:
            break
        chosen += found
    return chosen


def _level(node: Node, known: Mapping[int, int]) -> int:
    """How deep a span is, if those between that say nothing (HTTP, a database) were not there."""
    parent = node.parent
    if parent is None:
        return 0
    transparent = parent.parent is not None and not _speaks(parent)
    return known[id(parent)] + (0 if transparent else 1)


def _speaks(node: Node) -> bool:
    """Whether a span says anything of an agent's work, unlike the web server's around it."""
    reading = node.reading
    return (
        reading.kind is not None
        or reading.raw_input is not None
        or reading.raw_output is not None
        or bool(reading.input or reading.output or reading.history)
    )


def run_error(nodes: Sequence[Node]) -> StepError | None:
    """Why the run failed: the error of its outermost span.

    What stands around a run and knows nothing of agents (a web server's span) may have no error,
    since it answered, or one that says less.
    """
    roots = top(nodes)
    if len(roots) == 1 and not _speaks(roots[0]):
        below = [n for n in _outer(nodes)[:1] if n.kind != "tool" and n.error is not None]
        if below:
            return below[0].error
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
    agents = [n for n in nodes if _stable(n.reading.agent)]
    asking: set[int] = set()
    for node in nodes:
        for above in node.ancestors() if node.kind == "llm" else ():
            if id(above) in asking:
                break
            asking.add(id(above))
    # A go-between that only runs tools (AG2's user proxy) is not the agent beside one that thinks.
    for group in ([n for n in agents if id(n) in asking and n.kind == "agent"], agents):
        outermost = min((n.depth for n in group), default=0)
        names = {n.reading.agent for n in group if n.depth == outermost}
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
    version = (
        first_of(nodes, lambda n: n.reading.agent_version)
        or first_of(nodes, lambda n: first_text(n.span.scope.resource, "service.version"))
        or ""
    )
    return "" if version == "unknown" else version  # Mastra's word for none


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
