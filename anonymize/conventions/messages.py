"""Chat messages out of any JSON that carries some: requests, responses, histories.

Recognises the bodies of the OpenAI (Chat Completions and Responses), Anthropic, Gemini and
Bedrock interfaces, LangChain's and the Vercel AI SDK's own serialisations, OTel GenAI's parts and
OpenInference's nesting. What is no message comes back as ``()``; nothing here raises.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from anonymize.conventions.message import (
    ROLES,
    is_content,
    read_message,
    read_role,
    split_content,
    tool_message,
)
from anonymize.conventions.parts import is_request, read_content, request_of
from anonymize.conventions.reprs import python_literal, python_object
from anonymize.conventions.streams import joined
from anonymize.conventions.values import (
    CutList,
    CutObject,
    as_dict,
    is_cut,
    look,
    structured,
    unquoted,
)
from anonymize.trace import Json, Message

_MAX_NESTING = 6
#: A note among the flags: the end of what a model or a run was given is missing.
CUT = "_cut"
#: Longer messages (in bytes of JSON) are read anew each time instead of being kept in memory.
_MAX_REMEMBERED = 16_384


def read_messages(value: Json, role: str, flags: set[str]) -> tuple[Message, ...]:
    """The messages that ``value`` holds, ``()`` if none. Plain text is a message of ``role``.

    Where its end is missing, :data:`CUT` is noted among the flags of a user's side: what was asked
    last is not known.
    """
    if isinstance(value, str) and is_cut(value):
        left = structured(value, flags, expected=True)
        if isinstance(left, CutList | CutObject) and _read(left, role, set(), 0):
            value = left
    if role == "user" and isinstance(value, CutList | CutObject):
        flags.add(CUT)
    return tuple(_read(value, role, flags, 0) or ())


def _read(value: Json, role: str, flags: set[str], depth: int) -> list[Message] | None:
    if depth > _MAX_NESTING:
        return None
    if isinstance(value, str):
        parsed = structured(unquoted(value), flags)
        if isinstance(parsed, str):
            parsed = python_object(parsed) or python_literal(parsed) or value
        found = None if parsed is value else _read(parsed, role, flags, depth + 1)
        if found is not None:
            return found
        return [Message(role=role, content=look(value, flags))] if value else None
    if isinstance(value, list):
        return _read_list(value, role, flags, depth)
    if isinstance(value, dict):
        return _read_object(value, role, flags, depth)
    return None


def _read_list(items: list[Json], role: str, flags: set[str], depth: int) -> list[Message] | None:
    if not items:
        return None
    items = [(python_object(i) or i) if isinstance(i, str) else i for i in items]
    if len(items) == 1 and isinstance(items[0], list):  # LangChain batches
        found = _read(items[0], role, flags, depth + 1)
        if found is not None:
            return found
    if (whole := joined(items)) is not None:
        return _read(whole, "assistant", flags, depth + 1)
    if all(is_request(item) for item in items):
        requests = tuple(r for r in (request_of(item, flags) for item in items) if r)
        return [Message(role="assistant", tool_requests=requests)]
    if is_content(items):
        return split_content(read_content(items, flags), role, None, flags)
    if len(items) == 1 and isinstance(items[0], str):
        return _read(items[0], role, flags, depth + 1)
    return read_items(items, role, flags, depth)


def read_items(items: list[Json], role: str, flags: set[str], depth: int) -> list[Message] | None:
    """The messages of a list of messages, one by one."""
    found: list[Message] = []
    recognised = False
    for item in items:
        pair = isinstance(item, list | tuple) and len(item) == 2 and isinstance(item[0], str)
        if pair and read_role(item[0], "") in ROLES:
            messages: list[Message] | None = read_message(
                {"role": item[0], "content": item[1]}, flags
            )
        elif isinstance(item, dict):
            messages = _read_known(item, role, flags, depth + 1)
        else:
            continue
        if messages is not None:
            recognised = True
            found += messages
    return found if recognised else None


def _read_known(
    item: dict[str, Any], role: str, flags: set[str], depth: int
) -> list[Message] | None:
    """:func:`_read_object`, remembered: every LLM call repeats the history of the one before.

    So a trace's histories also share their messages instead of holding copies.
    """
    if not isinstance(item.get("role"), str):
        return _read_object(item, role, flags, depth)
    try:
        key = orjson.dumps(item), role, depth
    except (TypeError, ValueError):  # lone surrogates, huge integers
        return _read_object(item, role, flags, depth)
    if len(key[0]) > _MAX_REMEMBERED:
        return _read_object(item, role, flags, depth)
    known = _known.get(key)
    if known is None:
        raised: set[str] = set()
        known = _read_object(item, role, raised, depth), frozenset(raised)
        if len(_known) >= _MOST_REMEMBERED:
            _known.clear()
        _known[key] = known
    flags |= known[1]
    return known[0]


_MOST_REMEMBERED = 2_048
_known: dict[tuple[bytes, str, int], tuple[list[Message] | None, frozenset[str]]] = {}


def _read_object(
    item: dict[str, Any], role: str, flags: set[str], depth: int
) -> list[Message] | None:
    if isinstance(item.get("role"), str) and item.keys() & _MESSAGE_KEYS:
        return read_message(item, flags, role)
    for key, reader in _CONTAINERS.items():
        if item.get(key) is not None:
            found = reader(item, role, flags, depth + 1)
            if found is not None:
                return found
    if is_request(item):
        request = request_of(item, flags)
        return [Message(role="assistant", tool_requests=(request,))] if request else None
    if read_role(item.get("type"), "") in ROLES and "content" in item:  # LangChain, AutoGen
        return read_message({**item, "role": item["type"]}, flags)
    if (
        isinstance(kind := item.get("type"), str) and kind in _SPOKEN and "source" in item
    ):  # AutoGen: who spoke, not in which role
        speaker = "user" if item["source"] == "user" else "assistant"
        return read_message({"role": speaker, "content": item.get("content")}, flags)
    if item.get("kind") in ("request", "response") and isinstance(item.get("parts"), list):
        return _pydantic_ai(item, flags, depth)
    if "parts" in item or "contents" in item:
        return read_message(item, flags, role)
    if "content" in item and not item.keys() - _PLAIN_KEYS:
        return read_message(item, flags, role)
    if isinstance(item.get("tool_calls"), list) and item.keys() <= {"tool_calls", "content"}:
        return read_message(item, flags, "assistant")  # a stream, put together without a role
    if isinstance(item.get("text"), str):
        if item.keys() & _RESULT_KEYS:
            return read_message({**item, "content": item["text"]}, flags, "assistant")
        if len(item) == 1:
            return read_message({"content": item["text"]}, flags, role)
    return None


_MESSAGE_KEYS = frozenset(
    {
        "content",
        "parts",
        "contents",
        "blocks",
        "tool_calls",
        "toolCalls",
        "tool_call_id",
        "function_call",
    }
    | {"gen_ai.event.content", "message", "reasoning_content", "body"}
)
#: Beside a text, these tell a model's result (Vercel, Mastra) from any object with a text.
_RESULT_KEYS = frozenset({"toolCalls", "tool_calls", "finishReason", "finish_reason"})
_SPOKEN = frozenset({"TextMessage", "MultiModalMessage", "ToolCallSummaryMessage", "StopMessage"})
_PLAIN_KEYS = frozenset(
    {"content", "id", "name", "finish_reason", "finishReason", "stop_reason", "usage", "model"}
    | {"cached", "logprobs", "thought", "warnings", "providerMetadata", "response", "request"}
    | {"type", "index", "additional_kwargs", "response_metadata", "example", "refusal"}
)


def _pydantic_ai(item: dict[str, Any], flags: set[str], depth: int) -> list[Message]:
    """Pydantic AI's own messages: a request's parts are of the system, the user and the tools."""
    said: list[Json] = []
    messages: list[Message] = []
    for part in (as_dict(part) for part in item["parts"]):
        kind = part.get("part_kind")
        if item["kind"] == "response":
            said.append({**part, "type": _PART_KINDS.get(kind, "text") if kind else "text"})
        elif kind in ("tool-return", "retry-prompt") and part.get("tool_name"):
            messages.append(tool_message(part, part.get("content"), flags))
        else:
            role = "system" if kind == "system-prompt" else "user"
            messages += read_message({"role": role, "content": part.get("content")}, flags)
    return read_message({"role": "assistant", "content": said}, flags) if said else messages


_PART_KINDS: dict[str, str] = {"tool-call": "tool_call", "thinking": "thinking"}
_Reader = Callable[[dict[str, Any], str, set[str], int], "list[Message] | None"]


def _system(item: dict[str, Any], flags: set[str]) -> list[Message]:
    config = as_dict(item.get("config"))
    for holder, key in (
        (item, "system"),
        (item, "instructions"),
        (item, "system_instruction"),
        (item, "systemInstruction"),
        (item, "system_prompt"),
        (config, "system_instruction"),
        (config, "systemInstruction"),
    ):
        value = holder.get(key)
        if value:
            if isinstance(value, dict) and isinstance(value.get("parts"), list):
                value = value["parts"]
            text = read_content(value, flags).value()
            return [Message(role="system", content=text)] if text else []
    return []


def _inner(key: str, *, system: bool = False, role: str | None = None) -> _Reader:
    def read(item: dict[str, Any], given: str, flags: set[str], depth: int) -> Any:
        value = item[key]
        if isinstance(value, str):
            value = structured(value, flags)
        found = _read(value, role or given, flags, depth)
        if found is None:
            return None
        # A history that brings its own system message doesn't need the parameter's copy.
        head = _system(item, flags) if system else []
        if system and not head and isinstance(value, list):
            # Pydantic AI repeats the instructions with each request; the last ones count.
            asked = (m for m in reversed(value) if as_dict(m).get("kind") == "request")
            head = _system(next(asked, {}), flags)
        return found if head and found[0] == head[0] else head + found

    return read


def _choices(item: dict[str, Any], role: str, flags: set[str], depth: int) -> Any:
    """Each choice of a completion is one alternative; the first is the one that was used."""
    choices = item["choices"]
    choice = as_dict(choices[0]) if isinstance(choices, list) and choices else {}
    if isinstance(choice.get("text"), str):
        return [Message(role="assistant", content=choice["text"])]
    return _read(choice.get("message") or choice.get("delta"), "assistant", flags, depth)


def _candidates(item: dict[str, Any], role: str, flags: set[str], depth: int) -> Any:
    candidates = item["candidates"]
    if not isinstance(candidates, list) or not candidates:
        return None
    return _read(as_dict(candidates[0]).get("content"), "assistant", flags, depth)


def _generations(item: dict[str, Any], role: str, flags: set[str], depth: int) -> Any:
    value = item["generations"]
    while isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return None
    found = _read(value.get("message"), "assistant", flags, depth)
    return found or _read(value.get("text"), "assistant", flags, depth)


def _content(item: dict[str, Any], role: str, flags: set[str], depth: int) -> Any:
    """Gemini's ``{"content": {"parts": ...}}`` around one message."""
    content = item["content"]
    if isinstance(content, dict) and ("parts" in content or "role" in content):
        return _read(content, role, flags, depth)
    return None


def _output(item: dict[str, Any], role: str, flags: set[str], depth: int) -> Any:
    """The Responses interface's list of items, or Bedrock's box around a message."""
    output = item["output"]
    if isinstance(output, list) or (isinstance(output, dict) and "message" in output):
        return _read(output, "assistant", flags, depth)
    return None


def _request_input(item: dict[str, Any], role: str, flags: set[str], depth: int) -> Any:
    """A request to the Responses interface. ``input`` alone could be anything's argument."""
    if isinstance(item["input"], list) or item.keys() & {"instructions", "model"}:
        return _inner("input", system=True, role="user")(item, role, flags, depth)
    return None


def _items(item: dict[str, Any], role: str, flags: set[str], depth: int) -> Any:
    """LiveKit's chat context: items in the Responses interface's form."""
    items = item["items"]
    kinds = {"message", "function_call", "function_call_output"}
    if isinstance(items, list) and any(as_dict(i).get("type") in kinds for i in items):
        return _read(items, role, flags, depth)
    return None


def _completion(item: dict[str, Any], role: str, flags: set[str], depth: int) -> Any:
    text = item["completion"]
    return [Message(role="assistant", content=text)] if isinstance(text, str) and text else None


def _replies(item: dict[str, Any], role: str, flags: set[str], depth: int) -> Any:
    """Haystack's answers. What is asked may be about replies of anybody's."""
    return _read(item["replies"], role, flags, depth) if role == "assistant" else None


def _prompts(item: dict[str, Any], role: str, flags: set[str], depth: int) -> Any:
    prompts = structured(item["prompts"], flags)
    if isinstance(prompts, list) and prompts and isinstance(prompts[0], str):
        return [Message(role="user", content=prompts[0])]
    return None


def _called(item: dict[str, Any], role: str, flags: set[str], depth: int) -> Any:
    """What a decorated function was called with: its only argument, or its named ones."""
    args, named = item.get("args") or [], item.get("kwargs") or {}
    if not item.keys() <= {"args", "kwargs"} or (args and named):
        return None
    if isinstance(args, list) and len(args) == 1:
        return _read(args[0], role, flags, depth)
    return _read(named, role, flags, depth) if not args and isinstance(named, dict) else None


def _typed(item: dict[str, Any], role: str, flags: set[str], depth: int) -> Any:
    """Items of the Responses interface, and LangChain's envelopes."""
    kind = item["type"]
    if kind == "function_call_output":
        return [tool_message(item, item.get("output"), flags)]
    if kind == "reasoning" and "role" not in item:
        content = read_content([item], flags)
        thought = "\n".join(content.reasoning)
        return [Message(role="assistant", reasoning=thought)] if thought else []
    if kind == "constructor" and isinstance(item.get("kwargs"), dict):
        names = item.get("id")
        last = names[-1] if isinstance(names, list) and names else ""
        return read_message({"role": last, **item["kwargs"]}, flags, role)
    if isinstance(item.get("data"), dict) and read_role(kind, "") in ROLES:
        return read_message({"role": kind, **item["data"]}, flags)
    return None


_CONTAINERS: dict[str, _Reader] = {
    "type": _typed,
    "gen_ai.event.content": lambda item, role, flags, depth: read_message(item, flags, role),
    "messages": _inner("messages", system=True),
    "contents": _inner("contents", system=True),
    "candidates": _candidates,
    "choices": _choices,
    "generations": _generations,
    "message": _inner("message"),
    "new_message": _inner("new_message"),
    "output": _output,
    "input": _request_input,
    "prompt": _inner("prompt", system=True, role="user"),
    "prompts": _prompts,
    "content": _content,
    "items": _items,
    "completion": _completion,
    "replies": _replies,
    "args": _called,
    "kwargs": _called,
}
