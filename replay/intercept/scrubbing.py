"""Recorded exchanges without personal data: through the same scrubber, and the same door.

The exchanges of one file are scrubbed as one trace, so a name in a request becomes the same name
in a response. What can't be searched (images, protocol buffers) can't be scrubbed, and is left
out with a reason. Nothing here loads the scrubber: the caller brings one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from anonymize.jsontools import dumps
from anonymize.trace import Json, Other, QuarantinedTrace, Trace
from replay.intercept.bodies import Body, Unreadable, read_body
from replay.intercept.cassette import Interaction
from replay.intercept.headers import first
from replay.intercept.keys import DEFAULT_RULES, MatchRules, match_key
from replay.intercept.playback import EVENT_END, unpacked

if TYPE_CHECKING:
    from anonymize.workers import AnyScrubber

#: Of the headers that are kept, those in which anything may stand.
_FREE_TEXT = ("content-disposition", "link", "location", "x-goog-upload-url")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubbed:
    """``items`` are scrubbed; ``left_out`` are the reasons for those that could not be.

    ``places`` are those of ``items`` among what was given.
    """

    items: tuple[Interaction, ...]
    left_out: tuple[str, ...] = ()
    places: tuple[int, ...] = ()


def scrub_interactions(
    items: Sequence[Interaction],
    scrubber: AnyScrubber,
    rules: MatchRules = DEFAULT_RULES,
    *,
    trusted: Collection[str] = (),
) -> Scrubbed:
    """The exchanges of one recording, scrubbed together; ``trusted`` as for a scrubber."""
    opened: list[_Open] = []
    places: list[int] = []
    left_out: list[str] = []
    for place, item in enumerate(items):
        try:
            opened.append(_Open(item))
            places.append(place)
        except Unreadable as error:
            left_out.append(str(error))
    steps = tuple(
        Other(step_id=str(n), kind="http", input=one.asked, output=one.answered)
        for n, one in enumerate(opened)
    )
    if not steps:
        return Scrubbed(items=(), left_out=tuple(left_out))
    found_in = Trace(trace_id="cassette", steps=steps)
    (result,) = scrubber.scrub_all([found_in], trusted=trusted)
    if isinstance(result, QuarantinedTrace):
        reasons = [*left_out, *[f"can't be scrubbed: {result.reason}"] * len(opened)]
        return Scrubbed(items=(), left_out=tuple(reasons))
    done = zip(opened, result.trace.steps, strict=True)
    found = tuple(one.closed(step, rules) for one, step in done)
    return Scrubbed(items=found, left_out=tuple(left_out), places=tuple(places))


class _Open:
    """One exchange with its texts laid open."""

    def __init__(self, item: Interaction) -> None:
        self.item = item = _without_coding(item)
        headers = item.header_lists()
        self._request = read_body(item.request, item.content_type)
        self._response = read_body(item.response, first(headers, "content-type"))
        parts = urlsplit(item.uri)
        free = {name: headers[name] for name in _FREE_TEXT if name in headers}
        self.asked: Json = {
            "path": [unquote(part) for part in parts.path.split("/")],
            "query": [list(p) for p in parse_qsl(parts.query, keep_blank_values=True)],
            "body": self._request.value,
        }
        self.answered: Json = {"headers": free, "body": self._response.value}

    def closed(self, step: Any, rules: MatchRules) -> Interaction:
        item = self.item
        asked, answered = step.input, step.output
        uri = _uri(item.uri, self.asked, asked)
        request = _bytes(self._request, item.request, asked["body"])
        response = _bytes(self._response, item.response, answered["body"])
        headers = item.header_lists() | answered["headers"]
        length = first(headers, "content-length")
        if length.isdigit() and response != item.response:
            # What was cut off stays cut off by as much.
            moved = int(length) + len(response) - len(item.response)
            headers["content-length"] = [str(max(0, moved))]
        offsets, times = _chunks(item, self._response, response)
        return replace(
            item,
            key=match_key(item.method, uri, item.content_type, request, rules),
            uri=uri,
            request=request,
            headers=dumps(headers),
            response=response,
            offsets=offsets,
            times_ms=times,
        )


def _without_coding(item: Interaction) -> Interaction:
    """The exchange with its body unpacked: what is packed can't be searched."""
    headers = item.header_lists()
    coding = first(headers, "content-encoding").strip().lower()
    if not coding or not item.response:
        return item
    body = unpacked(item.response, coding)
    if body is None:
        raise Unreadable(f"a body in an encoding that can't be unpacked here ({coding[:20]})")
    headers.pop("content-encoding")
    headers.pop("content-length", None)
    return replace(item, headers=dumps(headers), response=body, offsets=(), times_ms=())


def _uri(old: str, before: Json, after: Json) -> str:
    if before["path"] == after["path"] and before["query"] == after["query"]:
        return old
    parts = urlsplit(old)
    path = "/".join(quote(str(part), safe=":@!$&'()*+,;=~") for part in after["path"])
    query = urlencode([(str(k), str(v)) for k, v in after["query"]])
    return urlunsplit(parts._replace(path=path, query=query))


def _bytes(body: Body, old: bytes, value: Json) -> bytes:
    """The old bytes where scrubbing changed nothing: to the last blank as they were recorded."""
    return old if value == body.value else body.write(value)


def _chunks(
    item: Interaction, body: Body, response: bytes
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    if response == item.response or not item.offsets:
        return item.offsets, item.times_ms
    if not body.events:
        return (), ()
    # Events are where they were among their like; each comes when its end came.
    old, new = _event_ends(item.response), _event_ends(response)
    if len(old) != len(new):
        return (), ()
    ends = [*item.offsets[1:], len(item.response)]
    times = []
    for end in old:
        chunk = next((n for n, chunk_end in enumerate(ends) if end <= chunk_end), len(ends) - 1)
        times.append(item.times_ms[chunk] if chunk < len(item.times_ms) else item.latency_ms)
    return (0, *new[:-1]), tuple(times)


def _event_ends(body: bytes) -> list[int]:
    ends = [match.end() for match in EVENT_END.finditer(body)]
    return ends if ends[-1:] == [len(body)] else [*ends, len(body)]
