"""Model calls in the project's own terms, and how each provider's API writes them on the wire.

A :class:`Dialect` is one API. It reads a request that a client sent, writes any answer as the
response that this client's SDK expects, streamed or not, and reads live responses back. So an
answer that was only ever recorded as a span is served through the API that production used, or
through another.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, Protocol

from anonymize.trace import Json, LLMCall, Message, StepError, ToolDefinition, Usage

#: Why a model stopped, whatever the provider calls it.
Reason = Literal["stop", "tool_calls", "length", "content_filter", "refusal", "pause"]

#: What can go wrong with a model call, as a client sees it.
ErrorKind = Literal[
    "bad_request",
    "authentication",
    "permission",
    "not_found",
    "too_large",
    "rate_limit",
    "server",
    "overloaded",
    "timeout",
    "not_recorded",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmRequest:
    """A model call as a client asked for it.

    ``messages`` are the whole history, instructions first, in the trace model's terms. ``params``
    is the rest of the body: everything but model, messages, tools and ``stream``.
    """

    dialect: str
    model: str
    messages: tuple[Message, ...]
    tools: tuple[ToolDefinition, ...] = ()
    stream: bool = False
    params: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmAnswer:
    """What a model answered, or how it failed (``error``, then the rest is empty).

    ``refused``: the text is a refusal. ``duration_ms`` is from the request to the last byte.
    ``seed`` makes the ids that providers invent (of the response, of tool calls that were
    recorded without one): the same seed gives the same bytes. ``created_at`` is in seconds.
    """

    messages: tuple[Message, ...] = ()
    model: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None
    refused: bool = False
    error: StepError | None = None
    duration_ms: float = 0.0
    created_at: int = 0
    seed: str = ""

    @classmethod
    def of(cls, call: LLMCall, seed: str = "") -> LlmAnswer:
        """The answer that a recorded step holds."""
        return cls(
            messages=call.output,
            model=call.model,
            finish_reason=call.finish_reason,
            usage=call.usage,
            refused=(call.finish_reason or "").lower() == "refusal",
            error=call.error,
            duration_ms=call.duration_ms or 0.0,
            created_at=int(call.started_at.timestamp()) if call.started_at else 0,
            seed=seed or call.step_id,
        )

    def into(self, call: LLMCall) -> LLMCall:
        """``call`` with this answer."""
        return dataclasses.replace(
            call,
            output=self.messages,
            model=self.model or call.model,
            finish_reason=self.finish_reason,
            usage=self.usage,
            error=self.error,
        )

    def made_up(self, kind: str, *, length: int = 24) -> str:
        """An id that the provider would have made up, for the thing named ``kind``."""
        return hashlib.sha256(f"{self.seed}\0{kind}".encode("utf-8", "replace")).hexdigest()[
            :length
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class WireResponse:
    """A response as bytes. ``offsets``: where each chunk of a streamed body starts; ``times_ms``:
    when it comes, in milliseconds since the request. Without offsets the body is one chunk.

    ``timing`` says where the times are from: of spans only the whole duration is known, so
    the chunks of a rebuilt stream come evenly over it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    offsets: tuple[int, ...] = ()
    times_ms: tuple[float, ...] = ()
    latency_ms: float = 0.0
    timing: Literal["recorded", "derived"] = "derived"

    @property
    def streamed(self) -> bool:
        """Whether the body is a stream of events."""
        return "event-stream" in self.headers.get("content-type", "")

    def chunks(self) -> Iterator[tuple[float, bytes]]:
        """Each chunk with the milliseconds to wait before it, from the one before it on."""
        cuts = (*self.offsets, len(self.body)) if self.offsets else (0, len(self.body))
        times = self.times_ms or (self.latency_ms,) * (len(cuts) - 1)
        last = 0.0
        for (start, end), at in zip(pairwise(cuts), times, strict=False):
            yield max(0.0, at - last), self.body[start:end]
            last = max(last, at)


class Dialect(Protocol):
    """One provider API."""

    @property
    def name(self) -> str:
        """``openai_chat``, ``openai_responses`` or ``anthropic_messages``."""
        ...

    def read(self, body: Mapping[str, Json], path: str = "") -> LlmRequest:
        """The request in a body; ``path`` where it names the model (Azure). Never raises."""
        ...

    def write(self, answer: LlmAnswer, request: LlmRequest) -> WireResponse:
        """The response to ``request`` that carries ``answer``, streamed if that was asked."""
        ...

    def error(
        self,
        kind: ErrorKind,
        message: str,
        *,
        retry_after: float | None = None,
        retry: bool | None = None,
    ) -> WireResponse:
        """A failure as this provider words it. ``retry`` tells its SDK whether to try again
        (``None``: as that decides by itself); ``retry_after`` is in seconds.
        """
        ...

    def read_response(
        self,
        body: bytes,
        *,
        status: int = 200,
        content_type: str = "",
        request: LlmRequest | None = None,
    ) -> LlmAnswer:
        """The answer in a response, JSON or events, whole or cut off. Never raises."""
        ...
