"""OpenInference (Arize Phoenix): flattened messages, tools and documents.

``llm.input_messages.N.message.*`` and friends are unflattened first. The Python SDK drops the
oldest attributes beyond 128, so kind, model and the first messages are what goes missing; the
kind is then inferred from what is left, and the loss flagged.
Source: Arize openinference, semantic conventions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from anonymize.conventions.definitions import numbered_tools, prefixed_usage, tools_within
from anonymize.conventions.interface import Kind, Reading
from anonymize.conventions.message import read_message
from anonymize.conventions.messages import CUT, read_messages
from anonymize.conventions.numbered import Memory, groups_of, remembered
from anonymize.conventions.parts import FAILED, FORCED
from anonymize.conventions.reprs import python_literal
from anonymize.conventions.results import (
    call_arguments,
    finish_reason,
    handover,
    tool_name,
    unbox,
)
from anonymize.conventions.values import (
    as_dict,
    as_text,
    first,
    first_text,
    is_address,
    labels,
    look,
    metadata_tags,
    owners_in,
    structured,
    unflatten,
    unquoted,
)
from anonymize.spans import Span
from anonymize.trace import Json, Message

KINDS: Mapping[str, Kind] = {
    "LLM": "llm",
    "TOOL": "tool",
    "RETRIEVER": "retrieval",
    "EMBEDDING": "embedding",
    "AGENT": "agent",
    "CHAIN": "chain",
    "GUARDRAIL": "guardrail",
    "RERANKER": "other",
    "EVALUATOR": "other",
    "PROMPT": "other",
}


@dataclass(frozen=True, slots=True)
class OpenInference:
    """``openinference.span.kind``, ``llm.*``, ``tool.*``, ``input.value``, ``output.value``."""

    name: str = "openinference"

    def matches(self, span: Span, prefixes: frozenset[str]) -> bool:
        a = span.attributes
        return (
            "openinference" in prefixes
            or "input.value" in a
            or "output.value" in a
            or ("llm" in prefixes and "llm.request.type" not in a)
        )

    def read(self, span: Span) -> Reading:
        a = span.attributes
        reading = Reading(convention=self.name)
        flags = reading.flags
        reading.kind, reading.inferred = _kind(span.name, a)
        if reading.kind is not None and reading.inferred:
            flags.add("kind_unknown")  # every OpenInference span has one unless it was dropped
        metadata = structured(first(a, "metadata"), flags)
        _read_owners(a, as_dict(metadata), reading)
        reading.tags = _tags(a, metadata, flags)
        reading.raw_input = _value(a, "input", flags)
        reading.raw_output = _value(a, "output", flags)
        if reading.kind == "llm":
            _read_llm(a, reading)
        elif reading.kind == "tool":
            _read_tool(span, reading)
        elif reading.kind == "retrieval":
            reading.query = reading.raw_input
            documents, _ = unflatten(a, "retrieval.documents.")
            reading.documents = [_document(item, flags) for item in documents] or None
        elif reading.kind == "agent" and not reading.agent:
            # OpenAI Agents name the agent as a node of the graph; LangGraph's "agent" is no name.
            node = first_text(a, "graph.node.id")
            reading.agent = node if node == span.name and node != "agent" else ""
            if span.scope.name == "openinference-core":  # decorators: the user's own name
                reading.agent = span.name
            if span.scope.name.endswith(".smolagents"):  # NAME.run, else CLASS.run
                name = span.name.removesuffix(".run")
                reading.agent = "" if name.endswith("Agent") else name
        return reading


def _kind(name: str, a: Mapping[str, Json]) -> tuple[Kind | None, bool]:
    kind = a.get("openinference.span.kind")
    if isinstance(kind, str) and kind:
        if kind == "LLM" and name.endswith("._prepare_chat_with_tools"):
            return "chain", False  # LlamaIndex puts a request together; the call comes after it
        return KINDS.get(kind.upper(), "other"), False
    if first(a, "llm.model_name", "llm.token_count.total", "llm.invocation_parameters") is not None:
        return "llm", True
    if any(k.startswith(("llm.output_messages.", "llm.token_count.")) for k in a):
        return "llm", True
    if "tool.name" in a:
        return "tool", True
    if any(k.startswith("retrieval.documents.") for k in a):
        return "retrieval", True
    return None, True


def _value(a: Mapping[str, Json], side: str, flags: set[str]) -> Json:
    value = a.get(f"{side}.value")
    if value is None:
        return None
    if is_address(value):
        return None
    is_json = a.get(f"{side}.mime_type") == "application/json"
    if is_json and isinstance(value, str) and value[:1] == '"':
        value = unquoted(value)
    return look(structured(value, flags, expected=is_json), flags)


def _read_llm(a: Mapping[str, Json], reading: Reading) -> None:
    flags = reading.flags
    given = first(a, "llm.invocation_parameters")
    reading.model = first_text(a, "llm.model_name")
    if not reading.model:  # set with the answer, so not for a stream that nobody finished
        reading.model = first_text(as_dict(structured(given, flags)), "model", "model_name")
    reading.provider = first_text(a, "llm.provider", "llm.system")
    reading.usage = prefixed_usage(a, "llm.token_count.", cost=first(a, "llm.cost.total"))
    reading.finish_reason = first_text(a, "llm.finish_reason") or None
    if (forced := _forced(given)) is not None:
        flags.add(f"{FORCED}{forced}")
    reading.tools = numbered_tools(a, "llm.tools.", flags)
    if not groups_of(a, "llm.tools."):
        holders = (given, reading.raw_input)
        found = (tools_within(holder, flags, "tools", "functions") for holder in holders)
        reading.tools = next((tools for tools in found if tools), ())
    reading.input = _side(a, "llm.input_messages.", reading.raw_input, "user", flags)
    reading.output = _side(a, "llm.output_messages.", reading.raw_output, "assistant", flags)
    if not reading.input:
        prompts, _ = unflatten(a, "llm.prompts.")
        texts = [as_dict(p.get("prompt")).get("text") for p in prompts]
        reading.input = tuple(Message(role="user", content=as_text(t)) for t in texts if t)
    raw = as_dict(reading.raw_output)
    rounds = raw.get("automatic_function_calling_history")
    if rounds:  # Google's SDK called the tools itself: this is what its last request held
        system = tuple(m for m in reading.input if m.role == "system")
        reading.input = (*system, *read_messages(rounds, "user", flags))
    identity = raw.get("id")
    reading.response_id = identity if isinstance(identity, str) else None
    reading.finish_reason = reading.finish_reason or finish_reason(raw)


def _forced(parameters: Json) -> str | None:
    """The tool that the model had to call: a form to answer in, if nobody executes it."""
    if isinstance(parameters, str) and "tool_choice" not in parameters:
        return None
    choice = as_dict(as_dict(structured(parameters, set())).get("tool_choice"))
    name = as_dict(choice.get("function")).get("name") or choice.get("name")
    return name if isinstance(name, str) and name else None


def _side(
    a: Mapping[str, Json], prefix: str, raw: Json, role: str, flags: set[str]
) -> tuple[Message, ...]:
    """Flattened messages; the raw request or response where they are absent or have a gap."""
    groups = groups_of(a, prefix)
    order = sorted(groups)
    gap = order != list(range(len(order)))
    messages: list[Message] = []
    for number in order:
        said = remembered(_MESSAGES[role], groups[number], _READERS[role], flags)
        messages += said
    if messages and not gap:
        text = a.get("input.value")
        if role == "user" and (
            not isinstance(text, str) or "is_error" in text or '"error"' in text
        ):
            notes: set[str] = set()  # flattened messages don't say which tools failed
            read_messages(raw, role, notes)
            flags |= {note for note in notes if note.startswith(FAILED)}
        return _completed(tuple(messages), raw, role)
    encoded = isinstance(raw, str) and raw[:1] in _OPENING
    seen: set[str] = set()
    others = read_messages(raw, role, seen) if encoded or isinstance(raw, dict | list) else ()
    if len(others) > len(messages):
        flags |= seen & {CUT}
        return others
    if gap:
        flags.add("attrs_dropped")
    if not messages and isinstance(raw, str) and raw:
        return (Message(role=role, content=raw),)
    return tuple(messages)


def _completed(messages: tuple[Message, ...], raw: Json, role: str) -> tuple[Message, ...]:
    """What flattened messages may lack and the raw ones have.

    The ids of tool calls (MistralAI, LangChain JS), content that is a list of parts (LangChain
    JS), the system prompt and all but the last of the answers to parallel calls (Anthropic JS).
    """
    if not isinstance(raw, dict | list) or not messages:
        return messages
    prompted = any(m.role in _SYSTEM for m in messages)
    unsaid = role == "user" and not prompted and bool(as_dict(raw).get("system"))
    asked = sum(len(m.tool_requests) for m in messages)
    answered = sum(m.role == "tool" for m in messages)
    unanswered = role == "user" and answered < asked
    if not (unsaid or unanswered or any(_lacks(m) for m in messages)):
        return messages
    theirs = read_messages(raw, role, set())
    system = tuple(m for m in messages if m.role in _SYSTEM and m.content)
    if not any(m.role in _SYSTEM for m in theirs):
        theirs = (*system, *theirs)
    others = iter([m for m in theirs if m.role not in _SYSTEM])
    mine = (m for m in messages if m.role not in _SYSTEM)
    fuller = all(any(_tells(other, one) for other in others) for one in mine)  # in order
    return theirs if fuller and sum(map(_lacks, theirs)) <= sum(map(_lacks, messages)) else messages


_SYSTEM = ("system", "developer")


def _lacks(message: Message) -> bool:
    if message.role == "tool" and message.tool_call_id is None:
        return True
    if any(request.call_id is None for request in message.tool_requests):
        return True
    return not (message.content or message.tool_requests or message.reasoning)


def _tells(fuller: Message, message: Message) -> bool:
    """Whether one message is the other, maybe with requests that the other lost."""
    if fuller.role != message.role:
        return False
    asked = [request.name for request in message.tool_requests]
    return not asked or asked == [request.name for request in fuller.tool_requests]


#: A text that begins so may be JSON once more, or Python's ``str()`` of the request.
_OPENING = ("{", "[", "(", '"')


def _read_flat(item: dict[str, Any], flags: set[str], role: str) -> list[Message]:
    return read_message(_unnest(as_dict(item.get("message")) or item), flags, role)


_READERS = {role: partial(_read_flat, role=role) for role in ("user", "assistant")}
_MESSAGES: dict[str, Memory[list[Message]]] = {role: {} for role in _READERS}


def _unnest(body: dict[str, Any]) -> dict[str, Any]:
    """``contents`` only where it says more than the plain ``content`` beside it."""
    contents = body.get("contents")
    if body.get("content") and isinstance(contents, list):
        kinds = {as_text(as_dict(as_dict(c).get("message_content")).get("type")) for c in contents}
        if kinds <= {"text", ""}:
            return {k: v for k, v in body.items() if k != "contents"}
        return {k: v for k, v in body.items() if k != "content"}
    return body


def _read_tool(span: Span, reading: Reading) -> None:
    a, flags = span.attributes, reading.flags
    reading.name = first_text(a, "tool.name", "tool_call.function.name") or tool_name(span.name)
    reading.call_id = first_text(a, "tool_call.id", "tool.id", "tool.call_id") or None
    if span.name.startswith("handoff to "):  # OpenAI Agents: from whom, to whom
        reading.name, reading.arguments = handover(span.name.removeprefix("handoff to ")), {}
        reading.raw_output = None
        return
    given = reading.raw_input
    if given is None:
        given = first(a, "tool_call.function.arguments", "tool.parameters")
        given = structured(given, flags)
        if isinstance(given, dict) and "properties" in given and "type" in given:
            given = None  # a JSON schema: some put the definition there
    if isinstance(given, str):
        literal = python_literal(given)
        given = given if literal is None else literal
    if given is not None:
        reading.arguments = call_arguments(given)
    if reading.raw_output is not None:
        unbox(reading.raw_output, reading)


def _document(item: dict[str, Any], flags: set[str]) -> Json:
    document = as_dict(item.get("document")) or item
    if "metadata" in document:
        document = {**document, "metadata": structured(document["metadata"], flags)}
    return document


def _read_owners(a: Mapping[str, Json], metadata: Mapping[str, Json], reading: Reading) -> None:
    """Whose run it was and which agent's; LangChain's users put it among the metadata."""
    session, user = owners_in(metadata)
    reading.session_id = first_text(a, "session.id") or session
    reading.user_id = first_text(a, "user.id") or user
    reading.agent = first_text(a, "agent.name") or first_text(metadata, "lc_agent_name")


def _tags(a: Mapping[str, Json], metadata: Json, flags: set[str]) -> dict[str, str]:
    tags = {}
    names = labels(first(a, "tag.tags"), flags)
    if names:
        tags["tags"] = ",".join(names)
    return {**tags, **metadata_tags(metadata, flags)}
