"""OpenAI's chat completions, which Azure and most other providers speak too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import unquote

from anonymize.trace import Json, Message
from replay.intercept import wire_openai
from replay.intercept.wire import mapping, objects, text
from replay.wire import failures, reading
from replay.wire.interface import ErrorKind, LlmAnswer, LlmRequest, Reason, WireResponse
from replay.wire.writing import (
    as_events,
    as_json,
    call_id,
    event,
    joined,
    json_text,
    pieces,
    reason_of,
    said,
    text_of,
)

_DEPLOYMENT = re.compile(r"/deployments/([^/?]+)/")
_OWN: Final[frozenset[str]] = frozenset({"model", "messages", "tools", "stream"})
_FINISH: Final[Mapping[Reason, str]] = {
    "stop": "stop",
    "tool_calls": "tool_calls",
    "length": "length",
    "content_filter": "content_filter",
    "refusal": "stop",
    "pause": "stop",
}
_TYPES: Final[Mapping[ErrorKind, tuple[str, str | None]]] = {
    "bad_request": ("invalid_request_error", None),
    "authentication": ("invalid_request_error", "invalid_api_key"),
    "permission": ("invalid_request_error", "insufficient_permissions"),
    "not_found": ("invalid_request_error", "model_not_found"),
    "too_large": ("invalid_request_error", "request_too_large"),
    "rate_limit": ("requests", "rate_limit_exceeded"),
    "server": ("server_error", None),
    "overloaded": ("server_error", "overloaded"),
    "timeout": ("server_error", "timeout"),
    "not_recorded": ("replay_error", "not_recorded"),
}


def openai_error(
    kind: ErrorKind, message: str, retry_after: float | None, retry: bool | None
) -> WireResponse:
    """An error as both of OpenAI's APIs word it."""
    what, code = _TYPES[kind]
    body = {"error": {"message": message, "type": what, "param": None, "code": code}}
    return failures.response(kind, body, retry_after=retry_after, retry=retry)


@dataclass(frozen=True, slots=True)
class OpenAIChat:
    """``POST .../chat/completions``."""

    name: Literal["openai_chat"] = "openai_chat"

    def read(self, body: Mapping[str, Json], path: str = "") -> LlmRequest:
        deployment = _DEPLOYMENT.search(path)
        model = unquote(deployment[1]) if deployment else ""
        return reading.request(self.name, wire_openai.OpenAIChat(), body, _OWN, model)

    def write(self, answer: LlmAnswer, request: LlmRequest) -> WireResponse:
        if answer.error is not None:
            return self.error(failures.kind_of(answer.error), answer.error.message, retry=False)
        headers = {"x-request-id": f"req_{answer.made_up('request')}"}
        messages = _alternatives(answer, request)
        if request.stream:
            return as_events(answer, _events(answer, request, messages), headers)
        finish = _FINISH[reason_of(answer)]
        choices = [
            {
                "index": index,
                "message": _message(answer, message, index),
                "logprobs": None,
                "finish_reason": finish,
            }
            for index, message in enumerate(messages)
        ]
        body = {**_head(answer, request, "chat.completion"), "choices": choices}
        return as_json(answer, {**body, "usage": _usage(answer)}, headers)

    def error(
        self,
        kind: ErrorKind,
        message: str,
        *,
        retry_after: float | None = None,
        retry: bool | None = None,
    ) -> WireResponse:
        return openai_error(kind, message, retry_after, retry)

    def read_response(
        self,
        body: bytes,
        *,
        status: int = 200,
        content_type: str = "",
        request: LlmRequest | None = None,
    ) -> LlmAnswer:
        found = reading.response(wire_openai.OpenAIChat(), body, status, content_type, request)
        return found.answer(refused=any(map(_is_refusal, found.bodies)))


def _is_refusal(body: Mapping[str, Json]) -> bool:
    choices = objects(body.get("choices"))
    said_so = (mapping(c.get("message") or c.get("delta")).get("refusal") for c in choices)
    return any(text(refusal) for refusal in said_so)


def _alternatives(answer: LlmAnswer, request: LlmRequest) -> Sequence[Message]:
    """The choices: as many as were asked for, if as many were recorded; else one."""
    found = list(said(answer.messages))
    wanted = request.params.get("n")
    if isinstance(wanted, int) and wanted > 1 and len(found) == wanted:
        return found
    return [joined(answer.messages) if found else Message(role="assistant")]


def _head(answer: LlmAnswer, request: LlmRequest, kind: str) -> dict[str, Json]:
    return {
        "id": f"chatcmpl-{answer.made_up('response')}",
        "object": kind,
        "created": answer.created_at,
        "model": answer.model or request.model,
        "service_tier": "default",
        "system_fingerprint": None,
    }


def _message(answer: LlmAnswer, message: Message, index: int) -> dict[str, Json]:
    words = text_of(message.content)
    body: dict[str, Json] = {
        "role": "assistant",
        "content": None if answer.refused or message.content is None else words,
        "refusal": words if answer.refused else None,
        "annotations": [],
    }
    if message.reasoning:
        body["reasoning_content"] = message.reasoning
    if message.tool_requests:
        body["tool_calls"] = [
            {
                "id": call_id(answer, request, 100 * index + number, "call_"),
                "type": "function",
                "function": {"name": request.name, "arguments": json_text(request.arguments)},
            }
            for number, request in enumerate(message.tool_requests)
        ]
    return body


def _usage(answer: LlmAnswer) -> Json:
    if answer.usage is None:
        return None
    sent, got = answer.usage.input_tokens or 0, answer.usage.output_tokens or 0
    return {
        "prompt_tokens": sent,
        "completion_tokens": got,
        "total_tokens": sent + got,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _events(answer: LlmAnswer, request: LlmRequest, messages: Sequence[Message]) -> Iterator[bytes]:
    head = _head(answer, request, "chat.completion.chunk")
    wants_usage = bool(mapping(request.params.get("stream_options")).get("include_usage"))
    if wants_usage:
        head["usage"] = None

    def chunk(index: int, delta: dict[str, Json], finish: str | None = None) -> bytes:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        return event({**head, "choices": [choice]})

    for index, message in enumerate(messages):
        whole = _message(answer, message, index)
        first: dict[str, Json] = {"role": "assistant", "content": None, "refusal": None}
        if whole["content"] is not None:
            first["content"] = ""
        yield chunk(index, first)
        for key in ("reasoning_content", "content", "refusal"):
            for piece in pieces(whole.get(key) or ""):
                if piece:
                    yield chunk(index, {key: piece})
        for number, call in enumerate(whole.get("tool_calls", ())):
            function = call["function"]
            began = {**call, "index": number, "function": {**function, "arguments": ""}}
            yield chunk(index, {"tool_calls": [began]})
            for piece in pieces(function["arguments"]):
                part = {"index": number, "function": {"arguments": piece}}
                yield chunk(index, {"tool_calls": [part]})
        yield chunk(index, {}, _FINISH[reason_of(answer)])
    if wants_usage:
        yield event({**head, "choices": [], "usage": _usage(answer)})
    yield b"data: [DONE]\n\n"
