"""The content of one message, part by part, whoever's parts they are.

OpenAI, Anthropic, Gemini, Bedrock, the Vercel AI SDK and OTel GenAI each have their own parts for
text, thoughts, tool requests, tool answers and media. All become one :class:`Content`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from anonymize.binary import from_part
from anonymize.conventions.values import as_dict, as_text, look, structured
from anonymize.jsontools import dumps
from anonymize.trace import Json, ToolRequest

#: A note among the flags: the tool message with this call id said that the tool failed.
FAILED = "_failed:"
#: Another: the model had to call the tool of this name.
FORCED = "_forced:"


@dataclass(slots=True)
class Answer:
    """What a tool answered, as the model saw it. ``failed``: the tool said it was an error."""

    content: Json
    call_id: str | None = None
    name: str | None = None
    failed: bool = False


@dataclass(slots=True)
class Content:
    """A message's content taken apart. ``parts`` keeps text and media in order."""

    parts: list[Json] = field(default_factory=list)
    requests: list[ToolRequest] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)

    def value(self) -> Json:
        """Text if there is only text, ``None`` if nothing, else the list of parts."""
        if not self.parts:
            return None
        if all(isinstance(part, str) for part in self.parts):
            return "".join(self.parts)
        return [{"type": "text", "text": p} if isinstance(p, str) else p for p in self.parts]


def call_id(value: Json) -> str | None:
    """A tool call id; some frameworks record a list that ends with it, or the JSON of one."""
    if isinstance(value, str) and value.startswith('["'):
        value = structured(value, set())
    if isinstance(value, list):
        texts = [item for item in value if isinstance(item, str) and item]
        value = next((t for t in texts if t.startswith("call_")), texts[-1] if texts else None)
    if value is None or value == "" or isinstance(value, dict):
        return None
    return as_text(value)


def arguments_of(value: Json, flags: set[str]) -> Json:
    """Tool arguments as a value. None recorded means none given; bad JSON stays text."""
    if value is None or value == "":
        return {}
    return look(structured(value, flags, expected=True), flags)


def request_of(item: Json, flags: set[str]) -> ToolRequest | None:
    """A tool request from any provider's shape, or ``None`` if ``item`` is none."""
    if not isinstance(item, dict):
        return None
    for wrapper in ("tool_call", "function_call", "functionCall", "toolUse", "toolRequest"):
        if isinstance(item.get(wrapper), dict):
            item = item[wrapper]
            break
    inner = as_dict(item.get("function"))
    name = inner.get("name") or item.get("name") or item.get("toolName") or item.get("tool_name")
    if not isinstance(name, str) or not name:
        return None
    given: Json = None
    for source, key in (
        (inner, "arguments"),
        (item, "arguments"),
        (item, "args"),
        (item, "input"),
        (item, "parameters"),
        (item, "tool_kwargs"),
    ):
        if source.get(key) is not None:
            given = source[key]
            break
    found = next((item[k] for k in _REQUEST_IDS if item.get(k) not in (None, "")), None)
    return ToolRequest(name=name, arguments=arguments_of(given, flags), call_id=call_id(found))


_REQUEST_IDS = (
    *("call_id", "id", "toolCallId", "tool_call_id", "toolUseId", "tool_use_id"),
    *("tool_id", "ref"),
)


def is_request(item: Json) -> bool:
    """Whether ``item`` outside of a message is a bare tool request (Vercel, OpenAI, LangChain)."""
    if not isinstance(item, dict) or "role" in item or "content" in item:
        return False
    if "toolName" in item:
        return "result" not in item and "output" not in item
    if isinstance(item.get("function"), dict):
        return "arguments" in item["function"] and "name" in item["function"]
    if item.get("type") in ("tool_call", "function_call", "function", "tool_use", "tool-call"):
        return isinstance(item.get("name"), str) and bool(
            item.keys() & {"arguments", "args", "input", "id", "call_id"}
        )
    return isinstance(item.get("name"), str) and "args" in item and "id" in item


def read_content(value: Json, flags: set[str]) -> Content:
    """Take the content of one message apart."""
    content = Content()
    for item in value if isinstance(value, list) else [value]:
        _read_part(item, content, flags)
    return content


def _read_part(item: Json, content: Content, flags: set[str]) -> None:
    if item is None:
        return
    if isinstance(item, str):
        content.parts.append(look(item, flags))
        return
    if not isinstance(item, dict):
        content.parts.append(as_text(item))
        return
    if isinstance(item.get("message_content"), dict):  # OpenInference nests once more
        item = item["message_content"]
    kind = item.get("type")
    reader = _BY_TYPE.get(kind) if isinstance(kind, str) else None
    if reader is None:
        reader = next((r for key, r in _BY_KEY.items() if item.get(key) is not None), _other)
    reader(item, content, flags)


def _text(item: dict[str, Any], content: Content, flags: set[str]) -> None:
    text = item.get("text")
    if text is None:
        text = item.get("content")
    if text is None:
        text = item.get("refusal")
    if isinstance(text, dict) and "value" in text:  # OpenAI assistants
        text = text["value"]
    if item.get("thought") is True:
        content.reasoning.append(as_text(text))
    elif text is not None:
        content.parts.append(look(as_text(text), flags))


def _reasoning(item: dict[str, Any], content: Content, flags: set[str]) -> None:
    for key in ("thinking", "content", "text", "reasoning", "reasoningText", "summary"):
        value = item.get(key)
        if isinstance(value, dict):
            value = value.get("text")
        if isinstance(value, list):
            value = "\n".join(as_text(as_dict(part).get("text", part)) for part in value)
        if value:
            content.reasoning.append(as_text(value))
            return


def _request(item: dict[str, Any], content: Content, flags: set[str]) -> None:
    request = request_of(item, flags)
    if request is None:
        content.parts.append(item)
    else:
        content.requests.append(request)


def _answer(item: dict[str, Any], content: Content, flags: set[str]) -> None:
    for wrapper in ("function_response", "functionResponse", "toolResult", "toolResponse"):
        if isinstance(item.get(wrapper), dict):
            item = item[wrapper]
            break
    value: Json = None
    for key in ("result", "response", "output", "content"):
        if item.get(key) is not None:
            value = item[key]
            break
    if isinstance(value, dict) and "value" in value and str(value.get("type")) in _RESULT_BOXES:
        failed = str(value["type"]).startswith("error")  # Vercel AI SDK v5
        value = value["value"]
    else:
        told = (item.get(key) for key in ("is_error", "isError", "error"))
        failed = any(t is True for t in told) or item.get("status") == "error"
    origin = as_dict(item.get("origin"))  # Haystack keeps the whole request
    found = origin.get("id") or item.get("tool_call_id")
    ids = (item.get(k) for k in _ANSWERED_IDS)
    name = item.get("name") or item.get("toolName") or origin.get("tool_name")
    content.answers.append(
        Answer(
            content=answer_content(value, flags),
            call_id=call_id(found or next((i for i in ids if i), None)),
            name=name if isinstance(name, str) else None,
            failed=failed,
        )
    )


_ANSWERED_IDS = ("id", "call_id", "toolCallId", "tool_use_id", "toolUseId", "ref")
_RESULT_BOXES = frozenset({"text", "json", "content", "error-text", "error-json"})


def answer_content(value: Json, flags: set[str]) -> Json:
    """A tool's answer as message content: text as it is, parts of text joined, values as JSON."""
    if value is None or isinstance(value, str):
        return look(value, flags)
    if isinstance(value, list) and value and all(_is_part(v) for v in value):
        if len(value) == 1 and list(value[0]) == ["json"]:  # Bedrock
            return dumps(value[0]["json"])
        inner = read_content(value, flags)
        if not (inner.requests or inner.answers or inner.reasoning):
            return inner.value()
    return dumps(value)


def is_text(value: Json) -> bool:
    """Whether ``value`` is a part that holds text and nothing else."""
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        return False
    return value.keys() <= {"type", "text"} and value.get("type", "text") == "text"


def _is_part(value: Json) -> bool:
    if not isinstance(value, dict):
        return False
    if isinstance(value.get("message_content"), dict):
        value = value["message_content"]
    kind = value.get("type")
    if isinstance(kind, str):
        return kind in _TEXT_TYPES or kind in _MEDIA_TYPES
    return len(value) == 1 and bool(value.keys() & {"text", "json", "image", "document"})


def _media(item: dict[str, Any], content: Content, flags: set[str]) -> None:
    content.parts.append(without_bytes(item, flags))


def without_bytes(value: Json, flags: set[str], depth: int = 0, *, media: bool = True) -> Json:
    """``value`` with base64 data replaced by a mark; addresses of media and texts stay.

    The mark says kind, size and hash; the scrubber puts the hash under its key
    (:mod:`anonymize.binary`). Only where a part is known to be ``media`` are short ones sure.
    """
    if depth > 8:
        return value
    if isinstance(value, dict):
        given = next((v for k, v in value.items() if k in _TYPE_KEYS and isinstance(v, str)), "")
        out = {}
        for key, item in value.items():
            mark = None
            if media and key in _BYTES_KEYS and isinstance(item, str):
                kind = "text" if value.get("type") == "text" else _FORMATS.get(given, given)
                mark = from_part(item, kind)
            if mark is not None:
                flags.add("binary_dropped")
            inner = without_bytes(item, flags, depth + 1, media=media) if mark is None else mark
            out[key] = inner
        return out
    if isinstance(value, list):
        return [without_bytes(item, flags, depth + 1, media=media) for item in value]
    if isinstance(value, str) and value[:5].lower() == "data:":
        mark = from_part(value)
        if mark is not None:
            flags.add("binary_dropped")
            return mark
    return value


_BYTES_KEYS = frozenset({"data", "bytes", "content", "image", "file_data", "base64", "blob"})
_TYPE_KEYS = frozenset({"media_type", "mediaType", "mime_type", "mimeType", "format"})
#: OpenAI and Bedrock name a format where others give a type.
_FORMATS = {
    **{name: f"audio/{name}" for name in ("wav", "flac", "ogg", "opus", "aac")},
    **{name: f"image/{name}" for name in ("png", "jpeg", "gif", "webp")},
    "mp3": "audio/mpeg",
    "pcm16": "audio/pcm",
    "pdf": "application/pdf",
}


def _other(item: dict[str, Any], content: Content, flags: set[str]) -> None:
    """A part that doesn't say what it is. AutoGen's calls and answers are known by their fields."""
    if item.keys() >= {"name", "arguments"} and ("id" in item or "call_id" in item):
        _request(item, content, flags)
    elif item.keys() >= {"call_id", "content"}:
        _answer(item, content, flags)
    else:
        content.parts.append(without_bytes(item, flags, media=False))


#: Classes of frameworks that print what a tool was asked and what it answered.
REQUEST_TYPES = ("ToolCall", "FunctionCall", "ToolUseBlock", "ToolCallBlock")
ANSWER_TYPES = ("ToolCallResult", "FunctionExecutionResult", "ToolResultBlock")
_Reader = Callable[[dict[str, Any], Content, set[str]], None]
_TEXT_TYPES = frozenset(
    {"text", "input_text", "output_text", "refusal", "summary_text", "text_delta", "TextContent"}
    | {"TextBlock", "TextPart", "ResponseOutputText"}
)
_MEDIA_TYPES = frozenset(
    {"image", "image_url", "input_image", "file", "input_file", "blob", "uri", "audio"}
    | {"input_audio", "video", "media", "inline_data", "document", "image-url", "audio-url"}
    | {"document-url", "video-url", "binary"}
)
_BY_TYPE: dict[str, _Reader] = {
    **dict.fromkeys(_TEXT_TYPES, _text),
    **dict.fromkeys(_MEDIA_TYPES, _media),
    **dict.fromkeys(
        ("thinking", "reasoning", "redacted_thinking", "redacted-reasoning", "reasoning_content"),
        _reasoning,
    ),
    **dict.fromkeys(
        (
            "tool_use",
            "tool_call",
            "tool-call",
            "function_call",
            "server_tool_use",
            "mcp_tool_use",
            *REQUEST_TYPES,
        ),
        _request,
    ),
    **dict.fromkeys(
        (
            "tool_result",
            "tool_call_response",
            "tool-result",
            "tool-error",
            "function_call_output",
            "web_search_tool_result",
            "mcp_tool_result",
            *ANSWER_TYPES,
        ),
        _answer,
    ),
}
#: Parts that tell what they are by the key that they carry (Gemini, Bedrock).
_BY_KEY: dict[str, _Reader] = {
    "function_call": _request,
    "functionCall": _request,
    "toolUse": _request,
    "toolRequest": _request,
    "toolResponse": _answer,
    "function_response": _answer,
    "functionResponse": _answer,
    "toolResult": _answer,
    "reasoningContent": lambda item, c, f: _reasoning(as_dict(item["reasoningContent"]), c, f),
    "inline_data": _media,
    "inlineData": _media,
    "text": _text,
}
