"""Provider requests and responses as they stand on the wire, read into an :class:`LLMCall`.

One module per provider below this one; all of them read bodies from strangers, so nothing here
trusts a type. What can't be read is left out, never an error: the agent's run goes on anyway.
"""

from __future__ import annotations

import dataclasses
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from anonymize.jsontools import JsonError, loads, loads_or_text
from anonymize.trace import Json, LLMCall, Message, StepError, ToolDefinition, ToolRequest

#: Decoded bytes of one body that are read; more is cut off.
_MAX_BODY = 32_000_000
_MAX_MESSAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One HTTP request and its response, bodies as sent. ``headers`` are of the response."""

    method: str
    uri: str
    request: bytes
    status: int
    headers: Mapping[str, str]
    response: bytes


class Wire(Protocol):
    """How one provider writes a model call."""

    def matches(self, path: str, body: dict[str, Json]) -> bool:
        """Whether a request to ``path`` with this JSON body is a model call of this kind."""
        ...

    def request(self, body: dict[str, Json]) -> LLMCall:
        """Model, input and tools, from the request."""
        ...

    def response(self, call: LLMCall, body: dict[str, Json]) -> LLMCall:
        """``call`` with output, usage and finish reason from a JSON response."""
        ...

    def stream(self, call: LLMCall, events: Iterator[dict[str, Json]]) -> LLMCall:
        """The same from the events of a streamed response, which may be cut off."""
        ...


def read_exchange(exchange: Exchange) -> LLMCall | None:
    """The model call that this exchange is, or ``None`` if it is none."""
    from replay.intercept.wire_anthropic import AnthropicMessages
    from replay.intercept.wire_openai import OpenAIChat, OpenAIResponses

    body = _object(exchange.request)
    path = urlsplit(exchange.uri).path
    wires: tuple[Wire, ...] = (OpenAIChat(), OpenAIResponses(), AnthropicMessages())
    wire = next((w for w in wires if exchange.method == "POST" and w.matches(path, body)), None)
    if wire is None:
        return None
    call = wire.request(body)
    payload = _decoded(exchange)
    if exchange.status >= 400:
        return _with_error(call, exchange.status, payload)
    if "event-stream" in exchange.headers.get("content-type", "") or payload[:6] in (
        b"data: ",
        b"event:",
    ):
        return wire.stream(call, sse_events(payload))
    return wire.response(call, _object(payload))


def sse_events(payload: bytes) -> Iterator[dict[str, Json]]:
    """The JSON objects in the ``data:`` lines of an event stream, in order."""
    for block in payload.replace(b"\r\n", b"\n").split(b"\n\n"):
        lines = (line[5:].strip() for line in block.split(b"\n") if line.startswith(b"data:"))
        event = _object(b"\n".join(lines))
        if event:
            yield event


def mapping(value: Json) -> dict[str, Json]:
    """``value`` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: Json) -> list[dict[str, Json]]:
    """The objects of a list; anything else is left out."""
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def text(value: Json) -> str:
    """``value`` if it is text, else an empty one."""
    return value if isinstance(value, str) else ""


def text_or_none(value: Json) -> str | None:
    """``value`` if it is text with anything in it."""
    return value if isinstance(value, str) and value else None


def count(value: Json) -> int | None:
    """``value`` if it is a whole number."""
    return value if type(value) is int else None


def plain_content(content: Json) -> Json:
    """Parts that are all text become one text: providers accept both, so they mean the same."""
    if isinstance(content, list):
        parts = [_part_text(p) if isinstance(p, dict) else None for p in content]
        texts = [p for p in parts if isinstance(p, str)]
        if texts and len(texts) == len(parts):
            return "".join(texts)
        return content or None
    return content


def _part_text(part: dict[str, Json]) -> Json:
    kind = text(part.get("type"))
    if "text" in kind:
        return part.get("text")
    return part.get("refusal") if kind == "refusal" else None


def tool_request(name: Json, arguments: Json, call_id: Json) -> ToolRequest:
    """A call that the model asked for; arguments that don't parse stay text."""
    return ToolRequest(
        name=text(name), arguments=loads_or_text(arguments), call_id=text_or_none(call_id)
    )


def tool_definition(name: Json, description: Json, parameters: Json) -> ToolDefinition:
    """A tool as it was offered to the model."""
    return ToolDefinition(name=text(name), description=text(description), parameters=parameters)


def message(role: Json, content: Json) -> Message:
    """A message with nothing but text or parts."""
    return Message(role=text(role) or "user", content=plain_content(content))


def _with_error(call: LLMCall, status: int, payload: bytes) -> LLMCall:
    error = _object(payload).get("error")
    said = text(mapping(error).get("message")) or text(error)
    return dataclasses.replace(
        call, error=StepError(kind=f"http_{status}", message=said[:_MAX_MESSAGE])
    )


def _object(raw: bytes) -> dict[str, Json]:
    if raw[:64].lstrip()[:1] != b"{":
        return {}
    try:
        return mapping(loads(raw))
    except JsonError:
        return {}


def _decoded(exchange: Exchange) -> bytes:
    """The response body without its content encoding, bounded; undecodable bytes as they are."""
    encoding = exchange.headers.get("content-encoding", "").strip().lower()
    body = exchange.response
    try:
        if encoding in ("gzip", "x-gzip"):
            with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
                return file.read(_MAX_BODY)
        if encoding == "deflate":
            return zlib.decompressobj().decompress(body, _MAX_BODY)
        if encoding == "zstd":
            import zstandard

            return zstandard.ZstdDecompressor().stream_reader(body).read(_MAX_BODY)
    except (OSError, EOFError, zlib.error):
        return body
    return body[:_MAX_BODY]
