"""Answers recorded as the pieces in which they were streamed, put together again.

OpenAI's chat completion chunks, the events of its Responses interface, Anthropic's events and
Gemini's partial responses. A list of anything else is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anonymize.conventions.values import as_dict, as_text
from anonymize.trace import Json

_ENDS = ("response.completed", "response.incomplete", "response.failed")


def joined(items: Sequence[Json]) -> dict[str, Any] | None:
    """The one message or response that ``items`` are pieces of; ``None`` if they are none."""
    pieces = [item for item in items if isinstance(item, dict)]
    if len(pieces) != len(items) or not pieces:
        return None
    if any(p.get("object") == "chat.completion.chunk" or _delta(p) for p in pieces):
        return _chat(pieces)
    kinds = {p["type"] for p in pieces if isinstance(p.get("type"), str)}
    if kinds & {"content_block_start", "content_block_delta"}:
        return _anthropic(pieces)
    if kinds & set(_ENDS):
        ends = [as_dict(p.get("response")) for p in pieces if p.get("type") in _ENDS]
        return next((end for end in reversed(ends) if end), None)
    if len(pieces) > 1 and all(isinstance(p.get("candidates"), list) for p in pieces):
        return _gemini(pieces)
    return None


def _delta(piece: dict[str, Any]) -> dict[str, Any]:
    choices = piece.get("choices")
    return (
        as_dict(as_dict(choices[0]).get("delta")) if isinstance(choices, list) and choices else {}
    )


def _chat(pieces: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of several choices the first is the one that was used, as in an unstreamed answer."""
    text: list[str] = []
    thoughts: list[str] = []
    calls: dict[Any, dict[str, Any]] = {}
    for piece in pieces:
        delta = _delta(piece)
        text.append(as_text(delta.get("content")))
        thoughts.append(as_text(delta.get("reasoning_content") or delta.get("reasoning")))
        listed = delta.get("tool_calls")
        for part in listed if isinstance(listed, list) else ():
            part = as_dict(part)
            key = part.get("index") if isinstance(part.get("index"), int) else part.get("id")
            call = calls.setdefault(as_text(key), {"id": None, "name": "", "arguments": ""})
            function = as_dict(part.get("function"))
            call["id"] = call["id"] or part.get("id")
            call["name"] = call["name"] or as_text(function.get("name"))
            call["arguments"] += as_text(function.get("arguments"))
    message: dict[str, Any] = {"role": "assistant", "content": "".join(text) or None}
    if calls:
        message["tool_calls"] = [
            {"id": c["id"], "function": {"name": c["name"], "arguments": c["arguments"]}}
            for c in calls.values()
        ]
    if any(thoughts):
        message["reasoning_content"] = "".join(thoughts)
    return message


def _anthropic(pieces: Sequence[dict[str, Any]]) -> dict[str, Any]:
    blocks: dict[Any, dict[str, Any]] = {}
    written: dict[Any, list[str]] = {}
    for piece in pieces:
        key = as_text(piece.get("index"))
        if piece.get("type") == "content_block_start":
            blocks[key] = dict(as_dict(piece.get("content_block")))
        elif piece.get("type") == "content_block_delta":
            delta = as_dict(piece.get("delta"))
            block = blocks.setdefault(key, {"type": "text", "text": ""})
            for name in ("text", "thinking"):
                if isinstance(delta.get(name), str):
                    block[name] = as_text(block.get(name)) + delta[name]
            if isinstance(delta.get("partial_json"), str):
                written.setdefault(key, []).append(delta["partial_json"])
    for key, parts in written.items():
        if "".join(parts):
            blocks[key]["input"] = "".join(parts)
    return {"role": "assistant", "content": list(blocks.values())}


def _gemini(pieces: Sequence[dict[str, Any]]) -> dict[str, Any]:
    parts: list[Json] = []
    for piece in pieces:
        candidate = as_dict(next(iter(piece["candidates"]), None))
        found = as_dict(candidate.get("content")).get("parts")
        parts += found if isinstance(found, list) else []
    return {"role": "model", "parts": parts}
