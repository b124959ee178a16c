"""The events in which OpenAI's responses API streams a response, from the finished response.

Source: the event types of the openai package (``openai.types.responses``), whose stream helper
builds its snapshot from them and fails if one is out of order.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from anonymize.trace import Json
from replay.wire.writing import event, pieces

_Event = tuple[str, dict[str, Json]]


def events_of(body: dict[str, Json]) -> Iterator[bytes]:
    """Each event as its bytes."""
    numbers = count()
    for kind, data in _events(body):
        yield event({"type": kind, "sequence_number": next(numbers), **data}, kind)


def _events(body: dict[str, Json]) -> Iterator[_Event]:
    began = {**body, "status": "in_progress", "output": [], "usage": None}
    began["incomplete_details"] = began["completed_at"] = None
    yield "response.created", {"response": began}
    yield "response.in_progress", {"response": began}
    for index, item in enumerate(body["output"]):
        place: dict[str, Json] = {"item_id": item["id"], "output_index": index}
        if item["type"] == "reasoning":
            yield "response.output_item.added", _added(index, {**item, "summary": []})
            yield from _reasoning(item, place)
        elif item["type"] == "message":
            empty = {**item, "status": "in_progress", "content": []}
            yield "response.output_item.added", _added(index, empty)
            yield from _message(item, place)
        else:
            empty = {**item, "status": "in_progress", "arguments": ""}
            yield "response.output_item.added", _added(index, empty)
            yield from _call(item, place)
        yield "response.output_item.done", _added(index, item)
    yield f"response.{body['status']}", {"response": body}


def _added(index: int, item: dict[str, Json]) -> dict[str, Json]:
    return {"output_index": index, "item": item}


def _reasoning(item: dict[str, Json], place: dict[str, Json]) -> Iterator[_Event]:
    for number, part in enumerate(item["summary"]):
        where = {**place, "summary_index": number}
        yield "response.reasoning_summary_part.added", {**where, "part": {**part, "text": ""}}
        for piece in pieces(part["text"]):
            yield "response.reasoning_summary_text.delta", {**where, "delta": piece}
        yield "response.reasoning_summary_text.done", {**where, "text": part["text"]}
        yield "response.reasoning_summary_part.done", {**where, "part": part}


def _message(item: dict[str, Json], place: dict[str, Json]) -> Iterator[_Event]:
    for number, part in enumerate(item["content"]):
        where = {**place, "content_index": number}
        key = "refusal" if part["type"] == "refusal" else "text"
        kind = "response.refusal" if key == "refusal" else "response.output_text"
        extra: dict[str, Json] = {} if key == "refusal" else {"logprobs": []}
        yield "response.content_part.added", {**where, "part": {**part, key: ""}}
        for piece in pieces(part[key]):
            if piece:
                yield f"{kind}.delta", {**where, "delta": piece, **extra}
        yield f"{kind}.done", {**where, key: part[key], **extra}
        yield "response.content_part.done", {**where, "part": part}


def _call(item: dict[str, Json], place: dict[str, Json]) -> Iterator[_Event]:
    kind = "response.function_call_arguments"
    for piece in pieces(item["arguments"]):
        yield f"{kind}.delta", {**place, "delta": piece}
    yield f"{kind}.done", {**place, "name": item["name"], "arguments": item["arguments"]}
