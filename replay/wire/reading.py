"""Requests and responses read through the readers of :mod:`replay.intercept.wire`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from anonymize.jsontools import JsonError, loads
from anonymize.trace import Json, LLMCall, StepError
from replay.intercept.wire import Wire, mapping, sse_events, text
from replay.wire.interface import LlmAnswer, LlmRequest


def request(
    dialect: str, wire: Wire, body: Mapping[str, Json], own: frozenset[str], model: str = ""
) -> LlmRequest:
    """The request in ``body``; ``own`` are the keys that have fields of their own."""
    call = wire.request(dict(body))
    return LlmRequest(
        dialect=dialect,
        model=call.model or model,
        messages=call.input,
        tools=call.tools,
        stream=body.get("stream") is True,
        params={k: v for k, v in body.items() if k not in own},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A response taken apart. ``bodies`` are its JSON objects: one, or one for each event."""

    call: LLMCall
    bodies: tuple[Mapping[str, Json], ...]

    def answer(self, *, refused: bool) -> LlmAnswer:
        call = self.call
        return LlmAnswer(
            messages=call.output,
            model=call.model,
            finish_reason=call.finish_reason,
            usage=call.usage,
            refused=refused,
            error=call.error,
        )


def response(
    wire: Wire, body: bytes, status: int, content_type: str, request: LlmRequest | None
) -> Read:
    """The response in ``body``, whole or cut off."""
    call = LLMCall(step_id="", model=request.model if request else "")
    if status < 400 and ("event-stream" in content_type or body[:6] in (b"data: ", b"event:")):
        events = tuple(sse_events(body))
        return Read(call=_failed_midway(wire.stream(call, iter(events)), events), bodies=events)
    try:
        found = mapping(loads(body))
    except JsonError:
        found = {}
    if status >= 400:
        said = mapping(found.get("error")).get("message") or text(found.get("error"))
        error = StepError(kind=f"http_{status}", message=text(said)[:500])
        return Read(call=LLMCall(step_id="", model=call.model, error=error), bodies=(found,))
    return Read(call=wire.response(call, found), bodies=(found,))


def _failed_midway(call: LLMCall, events: tuple[Mapping[str, Json], ...]) -> LLMCall:
    """A stream that began well and then told of an error instead of ending."""
    for one in events:
        failed = mapping(one.get("error"))
        if failed and not one.get("choices"):
            kind = text(failed.get("type")) or text(failed.get("code")) or "error"
            error = StepError(kind=kind, message=text(failed.get("message"))[:500])
            return dataclasses.replace(call, error=error)
    return call
