"""One chat message out of one JSON object, whoever wrote it."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from anonymize.conventions.parts import (
    ANSWER_TYPES,
    FAILED,
    Content,
    answer_content,
    call_id,
    read_content,
    request_of,
)
from anonymize.conventions.values import as_dict, as_text, structured
from anonymize.jsontools import canonical
from anonymize.trace import Json, Message, ToolRequest

_ROLES = {
    "model": "assistant",
    "ai": "assistant",
    "aimessage": "assistant",
    "aimessagechunk": "assistant",
    "bot": "assistant",
    "choice": "assistant",
    "human": "user",
    "humanmessage": "user",
    "systemmessage": "system",
    "toolmessage": "tool",
    "tool-call": "assistant",
    "usermessage": "user",
    "assistantmessage": "assistant",
    "toolcallrequestevent": "assistant",
    "toolcallexecutionevent": "tool",
    "functionexecutionresultmessage": "tool",
    "function": "tool",
    "tool-response": "tool",
    "tool_result": "tool",
}
ROLES = frozenset({"system", "user", "assistant", "tool", "developer"})
_SPEAKERS = re.compile(r"^(system|developer|user|assistant|tool): ?", re.M)


def read_role(value: Json, default: str) -> str:
    """A role in the trace model's words, whatever case, enum or framework it came from."""
    if not isinstance(value, str) or not value:
        return default
    short = value.rpartition(".")[2].lower()
    return _ROLES.get(short, short if short in ROLES else value)


def text_of(message: Message) -> str:
    """The words of a message: its text, or the text parts of its content."""
    if isinstance(message.content, str):
        return message.content
    if isinstance(message.content, list):
        return "".join(as_text(as_dict(part).get("text")) for part in message.content)
    return ""


def as_object(message: Message) -> dict[str, Json]:
    """A message as a JSON object in OpenAI's form, with arguments as values."""
    out: dict[str, Json] = {"role": message.role, "content": message.content}
    if message.tool_requests:
        out["tool_calls"] = [
            {"id": r.call_id, "name": r.name, "arguments": r.arguments}
            for r in message.tool_requests
        ]
    return out


#: A note among the flags: messages were cut out of one text, so their borders are a guess.
FLAT = "_flat"


def split_speakers(text: str, role: str, flags: set[str]) -> list[Message]:
    """``system: ...\\nuser: ...`` text (OpenLIT) as messages; any other text as one of ``role``."""
    marks = list(_SPEAKERS.finditer(text))
    if not marks or marks[0].start() != 0:
        return [Message(role=role, content=text)]
    flags.add(FLAT)
    ends = [*(m.start() for m in marks[1:]), len(text)]
    return [
        Message(role=mark.group(1), content=text[mark.end() : end].removesuffix("\n"))
        for mark, end in zip(marks, ends, strict=True)
    ]


def is_content(items: list[Json]) -> bool:
    """Whether a list is the parts of one message rather than messages."""
    for item in items:
        if not isinstance(item, dict) or "role" in item or "message" in item:
            return False
        kind = item.get("type")
        if isinstance(kind, str):
            if kind not in _PART_TYPES:
                return False
        elif len(item) != 1 or not item.keys() & _PART_KEYS:
            return False
    return True


_PART_TYPES = frozenset(
    {"text", "output_text", "input_text", "tool_use", "tool_result", "tool-call", "tool-result"}
    | {"thinking", "redacted_thinking", "tool_call_response", "image", "image_url", "tool_call"}
)


#: Parts of Bedrock and Gemini say what they are by their only key.
_PART_KEYS = frozenset(
    {"text", "toolUse", "toolResult", "reasoningContent", "functionCall", "functionResponse"}
    | {"function_call", "function_response", "inlineData", "inline_data"}
    | {"toolRequest", "toolResponse"}
)


def read_message(item: dict[str, Any], flags: set[str], default: str = "user") -> list[Message]:
    """One message object; several messages where it carries answers of tools."""
    event = item.get("gen_ai.event.content")
    if event is not None:
        body = structured(event, flags, expected=True)
        body = body if isinstance(body, dict) else {"content": body}
        body = body["message"] if isinstance(body.get("message"), dict) else body
        item = {**{k: v for k, v in item.items() if k != "gen_ai.event.content"}, **body}
    role = read_role(item.get("role"), default)
    if role == "user" and item.get("tool_call_id") and "tool_calls" not in item:
        role = "tool"  # Anthropic's tool results, sent as the user, flattened one by one
    raw = item.get("parts")
    if raw is None:
        raw = item.get("content")
    if not raw:
        raw = item.get("contents") or item.get("blocks") or raw
    if isinstance(raw, dict) and isinstance(raw.get("parts"), list):
        role, raw = read_role(raw.get("role"), role), raw["parts"]
    if isinstance(raw, list) and len(raw) == 1:
        raw = _only_text(raw[0], raw)
    if isinstance(raw, str) and raw[:2] == "[{":
        raw = _parts_in_text(raw, role, flags)
    boxed = isinstance(raw, list) and any(_is_answer(part) for part in raw)
    if role == "tool" and not boxed and (raw or not isinstance(item.get("parts"), list)):
        return [tool_message(item, raw, flags)]
    content = read_content(raw, flags)
    content.requests = _with_those_beside(content.requests, _requests_beside(item, flags))
    thought = item.get("reasoning_content") or item.get("reasoning") or item.get("thinking")
    if isinstance(thought, str):
        content.reasoning.append(thought)
    return split_content(content, role, item.get("name"), flags)


def _with_those_beside(own: list[ToolRequest], beside: list[ToolRequest]) -> list[ToolRequest]:
    """Requests of the parts with those beside them, each once.

    Some record a request in both places (Bedrock, LangChain), and Gemini's parts give no ids.
    """
    known = {(r.call_id, r.name) for r in own if r.call_id is not None}
    more = [r for r in beside if (r.call_id, r.name) not in known]
    if not more or all(r.call_id is not None for r in own):
        return own + more
    twins = Counter((r.name, canonical(r.arguments)) for r in more)
    kept: list[ToolRequest] = []
    for request in own:
        key = request.name, canonical(request.arguments)
        if request.call_id is None and twins[key]:
            twins[key] -= 1
        else:
            kept.append(request)
    return kept + more


def _is_answer(part: Json) -> bool:
    if not isinstance(part, dict):
        return False
    kinds = ("tool-result", "tool_result", "tool_call_response", "tool-error", *ANSWER_TYPES)
    keys = ("toolResult", "functionResponse", "function_response", "toolResponse")
    boxed = part.keys() >= {"call_id", "content"}  # AutoGen
    return boxed or part.get("type") in kinds or any(key in part for key in keys)


def _only_text(part: Json, parts: Json) -> Json:
    """The text of a message's only part, if that is the JSON text of parts; else the parts."""
    box = as_dict(part)
    text = box.get("content") if box.get("type") == "text" else None
    return text if isinstance(text, str) and text[:9] == '[{"type":' else parts


def _parts_in_text(text: str, role: str, flags: set[str]) -> Json:
    """Content recorded as the JSON text of its parts (OpenLLMetry, Strands); other JSON stays text.

    A tool may well answer with such JSON itself, so there only boxed answers count.
    """
    parsed = structured(text, flags)
    if not isinstance(parsed, list) or not parsed or not is_content(parsed):
        return text
    return parsed if role != "tool" or any(_is_answer(part) for part in parsed) else text


def _requests_beside(item: dict[str, Any], flags: set[str]) -> list[ToolRequest]:
    """Tool requests in fields of their own, next to the content."""
    for holder in (item, as_dict(item.get("additional_kwargs"))):
        for key in ("tool_calls", "toolCalls", "tool_requests"):
            calls = holder.get(key)
            if calls is None:
                continue
            calls = structured(calls, flags)
            if isinstance(calls, dict):
                calls = list(calls.values())
            if isinstance(calls, list) and calls:
                return [r for r in (request_of(call, flags) for call in calls) if r]
        call = holder.get("function_call")
        call = call if call is None else structured(call, flags)
        if isinstance(call, dict) and call.get("name"):
            request = request_of(call, flags)
            return [request] if request else []
    name = item.get("function_call_name")  # OpenInference, the oldest form
    if isinstance(name, str) and name:
        arguments = item.get("function_call_arguments_json")
        request = request_of({"name": name, "arguments": arguments}, flags)
        return [request] if request else []
    return []


def tool_message(item: dict[str, Any], raw: Json, flags: set[str]) -> Message:
    """A tool's answer ``raw``; ``item`` says which request it answers."""
    found = next((item[k] for k in _ANSWER_IDS if item.get(k) not in (None, "")), None)
    name = item.get("name") or item.get("tool_name")
    if item.get("status") == "error" or item.get("is_error") is True or item.get("error") is True:
        flags.add(f"{FAILED}{call_id(found)}")
    return Message(
        role="tool",
        content=answer_content(raw, flags),
        tool_requests=tuple(_requests_in_text(raw)),
        tool_call_id=call_id(found),
        name=name if isinstance(name, str) and name else None,
    )


_ANSWER_IDS = ("tool_call_id", "toolCallId", "tool_use_id", "call_id", "id")


#: smolagents writes ``str()`` of the calls behind these words.
_CALLING = "Calling tools:\n"
_TEXT_REQUESTS = ("[{", _CALLING + "[{")


def _requests_in_text(text: Json) -> list[ToolRequest]:
    """Requests that were recorded as JSON text in the content instead of in their own field.

    Koog does, and under the role ``tool`` in the history; smolagents does behind a heading. The
    text stays as it is; only a list whose every item is a complete OpenAI tool call counts.
    """
    if not isinstance(text, str) or not text.startswith(_TEXT_REQUESTS) or "function" not in text:
        return []
    ignored: set[str] = set()
    listed = text.removeprefix(_CALLING)
    calls = structured(listed, ignored, expected=listed is not text)
    if not isinstance(calls, list) or not all(
        isinstance(c, dict) and isinstance(c.get("function"), dict) and c.get("id") for c in calls
    ):
        return []
    return [r for r in (request_of(call, ignored) for call in calls) if r]


def split_content(content: Content, role: str, name: Json, flags: set[str]) -> list[Message]:
    """The messages of one content: answers of tools first, then what else was said."""
    flags |= {f"{FAILED}{a.call_id}" for a in content.answers if a.failed}
    messages = [
        Message(role="tool", content=a.content, tool_call_id=a.call_id, name=a.name)
        for a in content.answers
    ]
    value = content.value()
    requests = content.requests or _requests_in_text(value)
    if value == "" and requests:
        value = None
    if value is not None or requests or content.reasoning or not messages:
        said = Message(
            role="assistant" if content.requests and role == "tool" else role,
            content=value,
            tool_requests=tuple(requests),
            name=name if isinstance(name, str) and name else None,
            reasoning="\n".join(content.reasoning) or None,
        )
        # A user's own words come after the tool answers sent with them; an assistant's before.
        messages = [said, *messages] if role == "assistant" else [*messages, said]
    return messages
