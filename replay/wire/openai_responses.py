"""OpenAI's responses API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from anonymize.trace import Json, Message
from replay.intercept import wire_openai
from replay.intercept.wire import mapping, objects, text
from replay.wire import failures, reading
from replay.wire.interface import ErrorKind, LlmAnswer, LlmRequest, WireResponse
from replay.wire.openai_chat import openai_error
from replay.wire.responses_events import events_of
from replay.wire.writing import (
    as_events,
    as_json,
    call_id,
    json_text,
    reason_of,
    said,
    text_of,
)

_OWN: Final[frozenset[str]] = frozenset({"model", "input", "instructions", "tools", "stream"})
#: Parameters of the request that the response repeats, with what stands there by default.
_REPEATED: Final[Mapping[str, Json]] = {
    "background": False,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}


@dataclass(frozen=True, slots=True)
class OpenAIResponses:
    """``POST .../responses``."""

    name: Literal["openai_responses"] = "openai_responses"

    def read(self, body: Mapping[str, Json], path: str = "") -> LlmRequest:
        found = reading.request(self.name, wire_openai.OpenAIResponses(), body, _OWN)
        kept = {k: body[k] for k in ("instructions", "tools") if k in body}
        # The response repeats these as they were sent.
        return LlmRequest(
            dialect=found.dialect,
            model=found.model,
            messages=found.messages,
            tools=found.tools,
            stream=found.stream,
            params={**found.params, **kept},
        )

    def write(self, answer: LlmAnswer, request: LlmRequest) -> WireResponse:
        if answer.error is not None:
            return self.error(failures.kind_of(answer.error), answer.error.message, retry=False)
        headers = {"x-request-id": f"req_{answer.made_up('request')}"}
        body = _body(answer, request)
        if request.stream:
            return as_events(answer, events_of(body), headers)
        return as_json(answer, body, headers)

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
        wire = wire_openai.OpenAIResponses()
        found = reading.response(wire, body, status, content_type, request)
        return found.answer(refused=any(map(_is_refusal, found.bodies)))


def _is_refusal(body: Mapping[str, Json]) -> bool:
    whole = mapping(body.get("response")) or body
    parts = (p for i in objects(whole.get("output")) for p in objects(i.get("content")))
    return any(text(part.get("refusal")) for part in parts)


def _body(answer: LlmAnswer, request: LlmRequest) -> dict[str, Json]:
    reason = reason_of(answer)
    cut = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(reason)
    repeated = {k: request.params.get(k, default) for k, default in _REPEATED.items()}
    return {
        "id": f"resp_{answer.made_up('response', length=48)}",
        "object": "response",
        "created_at": answer.created_at,
        "completed_at": None if cut else answer.created_at + int(answer.duration_ms / 1000),
        "status": "incomplete" if cut else "completed",
        "error": None,
        "incomplete_details": {"reason": cut} if cut else None,
        "instructions": request.params.get("instructions"),
        "model": answer.model or request.model,
        "output": _items(answer),
        "tools": request.params.get("tools") or [],
        **{k: default if v is None else v for (k, default), v in _pairs(repeated)},
        "usage": _usage(answer),
    }


def _pairs(repeated: Mapping[str, Json]) -> Iterator[tuple[tuple[str, Json], Json]]:
    """Defaults and given values side by side: what was sent as null stands for the default."""
    for (key, default), value in zip(_REPEATED.items(), repeated.values(), strict=True):
        if key == "text" and isinstance(value, dict):
            value = {**default, **value}
        yield (key, default), value


def _items(answer: LlmAnswer) -> list[Json]:
    items: list[Json] = []
    for number, message in enumerate(said(answer.messages)):
        items += _items_of(answer, message, number)
    return items


def _items_of(answer: LlmAnswer, message: Message, number: int) -> Iterator[Json]:
    def made_up(prefix: str, kind: str) -> str:
        return f"{prefix}_{answer.made_up(f'{kind} {number}', length=48)}"

    if message.reasoning:
        summary = [{"type": "summary_text", "text": text_of(message.reasoning)}]
        yield {"id": made_up("rs", "reasoning"), "type": "reasoning", "summary": summary}
    words = text_of(message.content)
    if words or (message.content is not None and not message.tool_requests):
        part: dict[str, Json] = {"type": "refusal", "refusal": words}
        if not answer.refused:
            part = {"type": "output_text", "text": words, "annotations": [], "logprobs": []}
        yield {
            "id": made_up("msg", "message"),
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [part],
        }
    for place, request in enumerate(message.tool_requests):
        yield {
            "id": made_up("fc", f"call {place} of"),
            "type": "function_call",
            "status": "completed",
            "call_id": call_id(answer, request, 100 * number + place, "call_"),
            "name": request.name,
            "arguments": json_text(request.arguments),
        }


def _usage(answer: LlmAnswer) -> Json:
    if answer.usage is None:
        return None
    sent, got = answer.usage.input_tokens or 0, answer.usage.output_tokens or 0
    return {
        "input_tokens": sent,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": got,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": sent + got,
    }
