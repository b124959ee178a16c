"""Requests and answers of one conversation, put together: by id, else by name and order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from anonymize.trace import Message, ToolRequest


class _Open:
    """Requests that nobody has answered yet, by their places, in the order of the requests."""

    def __init__(self) -> None:
        self._all: dict[int, ToolRequest] = {}
        self._unnamed: dict[int, ToolRequest] = {}
        self._places: dict[str, deque[int]] = {}

    def add(self, place: int, request: ToolRequest) -> None:
        """Wait for an answer to what was asked for at ``place``."""
        self._all[place] = request
        if request.call_id is None:
            self._unnamed[place] = request
        else:
            self._places.setdefault(request.call_id, deque()).append(place)

    def take(self, answer: Message) -> int | None:
        """The place of what is answered, which waits no longer; ``None`` if nobody asked."""
        place = self._asked_by(answer)
        if place is not None:
            del self._all[place]
            self._unnamed.pop(place, None)
        return place

    def _asked_by(self, answer: Message) -> int | None:
        identity = answer.tool_call_id
        places = self._places.get(identity) if identity is not None else None
        while places:
            place = places.popleft()
            if place in self._all:  # else one without an id has answered it
                return place
        waiting = self._all if identity is None else self._unnamed
        for place, request in waiting.items():
            if request.name == answer.name:
                return place
        return next(iter(waiting), None) if answer.name is None else None


def pairs(
    messages: Iterable[Message],
) -> Iterator[tuple[ToolRequest | None, Message | None]]:
    """Requests with their answers, in the order of the requests; answers nobody asked for last."""
    found: list[tuple[ToolRequest | None, Message | None]] = []
    waiting = _Open()
    for message in messages:
        for request in message.tool_requests:
            waiting.add(len(found), request)
            found.append((request, None))
        if message.role != "tool" or message.tool_requests:
            continue
        place = waiting.take(message)
        if place is None:
            found.append((None, message))
        else:
            found[place] = (found[place][0], message)
    _pair_items(found)
    yield from (pair for pair in found if pair != (None, None))


def _pair_items(found: list[tuple[ToolRequest | None, Message | None]]) -> None:
    """The Responses interface gives a request two ids, its item's and its call's.

    OpenLLMetry records the one with the request and the other with the answer: then they belong
    together in their order. What was answered before it was asked for belongs to a request that a
    shortened history has lost.
    """
    asked = [i for i, (r, m) in enumerate(found) if r and not m and _starts(r.call_id, "fc_")]
    told = [i for i, (r, m) in enumerate(found) if m and not r and _starts(m.tool_call_id, "call_")]
    if len(asked) == len(told) and all(r < a for r, a in zip(asked, told, strict=True)):
        for request, answer in zip(asked, told, strict=True):
            found[request] = (found[request][0], found[answer][1])
            found[answer] = (None, None)


def _starts(identity: str | None, prefix: str) -> bool:
    return identity is not None and identity.startswith(prefix)
