"""Anthropic's model API: messages."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from anonymize.trace import Json, LLMCall, Message, Usage
from replay.intercept.wire import (
    count,
    mapping,
    message,
    objects,
    plain_content,
    text,
    text_or_none,
    tool_definition,
    tool_request,
)


class AnthropicMessages:
    """``POST .../v1/messages``."""

    def matches(self, path: str, body: dict[str, Json]) -> bool:
        return path.endswith("/messages") and isinstance(body.get("messages"), list)

    def request(self, body: dict[str, Json]) -> LLMCall:
        system = body.get("system")
        messages = [message("system", system)] if system else []
        for raw in objects(body.get("messages")):
            messages.extend(_messages(text(raw.get("role")), raw.get("content")))
        return LLMCall(
            step_id="",
            model=text(body.get("model")),
            provider="anthropic",
            input=tuple(messages),
            tools=tuple(
                tool_definition(t.get("name"), t.get("description"), t.get("input_schema"))
                for t in objects(body.get("tools"))
            ),
        )

    def response(self, call: LLMCall, body: dict[str, Json]) -> LLMCall:
        return dataclasses.replace(
            call,
            model=text(body.get("model")) or call.model,
            output=tuple(_messages("assistant", body.get("content"))),
            usage=_usage(mapping(body.get("usage"))),
            finish_reason=text_or_none(body.get("stop_reason")),
        )

    def stream(self, call: LLMCall, events: Iterator[dict[str, Json]]) -> LLMCall:
        body: dict[str, Json] = {}
        blocks: dict[int, dict[str, Json]] = {}
        for event in events:
            kind = text(event.get("type"))
            index = count(event.get("index")) or 0
            if kind == "message_start":
                body = dict(mapping(event.get("message")))
            elif kind == "content_block_start":
                blocks[index] = {**mapping(event.get("content_block"))}
            elif kind == "content_block_delta":
                _add_delta(blocks.setdefault(index, {}), mapping(event.get("delta")))
            elif kind == "message_delta":
                body.update(mapping(event.get("delta")))
                body["usage"] = {**mapping(body.get("usage")), **mapping(event.get("usage"))}
        body["content"] = [blocks[index] for index in sorted(blocks)]
        return self.response(call, body)


def _add_delta(block: dict[str, Json], delta: dict[str, Json]) -> None:
    # A tool's input starts as an empty object and then comes as pieces of JSON text, if at all.
    for key, target in (("text", "text"), ("thinking", "thinking"), ("partial_json", "input")):
        if isinstance(delta.get(key), str) and delta[key]:
            block[target] = text(block.get(target)) + delta[key]


def _messages(role: str, content: Json) -> list[Message]:
    """One message, and before it one for each tool result that it carries."""
    if not isinstance(content, list):
        return [message(role, content)]
    blocks = objects(content)
    results = [
        Message(
            role="tool",
            content=plain_content(block.get("content")),
            tool_call_id=text_or_none(block.get("tool_use_id")),
        )
        for block in blocks
        if block.get("type") == "tool_result"
    ]
    special = ("tool_use", "tool_result", "thinking", "redacted_thinking")
    rest = [block for block in blocks if block.get("type") not in special]
    requests = tuple(
        tool_request(b.get("name"), b.get("input"), b.get("id"))
        for b in blocks
        if b.get("type") == "tool_use"
    )
    thoughts = [text(b.get("thinking")) for b in blocks if b.get("type") == "thinking"]
    if results and not rest and not requests:
        return results
    own = Message(
        role=role or "user",
        content=plain_content(rest) if rest else None,
        tool_requests=requests,
        reasoning="\n".join(filter(None, thoughts)) or None,
    )
    return [*results, own]


def _usage(raw: dict[str, Json]) -> Usage | None:
    if not raw:
        return None
    # Tokens read from or written to the prompt cache are input too, counted apart.
    parts = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    counts = [count(raw.get(part)) for part in parts]
    known = [c for c in counts if c is not None]
    return Usage(
        input_tokens=sum(known) if known else None, output_tokens=count(raw.get("output_tokens"))
    )
