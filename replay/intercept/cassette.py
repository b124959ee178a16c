"""Recorded HTTP exchanges, found by trace and by what the request means.

One Parquet file, a row for each exchange (:mod:`replay.intercept.persist`), loaded without
making objects of its rows: an index of hashes finds a row, and only a row that is played becomes
an :class:`Interaction`. Equal requests form a queue: the first asked gets the first answer.
Rows of no trace (imported cassettes) answer every trace. Credentials are left out: headers that
are not on a list of those that may be kept, and keys in addresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonymize.jsontools import dumps, loads
from replay.intercept.headers import (
    first,
    kept_request_headers,
    kept_response_headers,
    without_secrets,
)
from replay.intercept.keys import DEFAULT_RULES, MatchRules, content_type_of, match_key

if TYPE_CHECKING:
    from replay.intercept.rows import Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How a response came. ``offsets``: where each chunk of the body starts, in bytes; ``ms``:
    when it came, in milliseconds since the request; ``failure`` as in :class:`Interaction`.
    """

    latency_ms: float = 0.0
    offsets: tuple[int, ...] = ()
    ms: tuple[float, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One exchange. ``headers`` are the response's, as JSON text of lists of values.

    ``response`` is the body as it was on the wire, ``Content-Encoding`` included. ``failure`` is
    one of :data:`replay.intercept.failures.KINDS`: with a ``status`` of 0 there was no response,
    else the body broke off there. ``"open"`` says that the client stopped reading a stream.
    """

    trace_id: str
    key: str
    method: str
    uri: str
    content_type: str
    request: bytes
    status: int
    reason: str
    headers: str
    response: bytes
    request_headers: str = "{}"
    latency_ms: float = 0.0
    offsets: tuple[int, ...] = ()
    times_ms: tuple[float, ...] = ()
    failure: str = ""

    def header_lists(self) -> dict[str, list[str]]:
        """The response's headers, in a copy that the caller may change."""
        found: dict[str, list[str]] = loads(self.headers)
        return found

    def as_vcr(self) -> dict[str, Any]:
        """The response in vcrpy's form, in a copy that the caller may change."""
        return {
            "status": {"code": self.status, "message": self.reason},
            "headers": self.header_lists(),
            "body": {"string": self.response},
        }


def interaction(
    trace_id: str,
    request: Any,
    response: dict[str, Any],
    timing: Timing | None = None,
    rules: MatchRules = DEFAULT_RULES,
) -> Interaction:
    """An exchange from vcrpy's request and response, without credentials."""
    timing = timing or Timing()
    headers = kept_response_headers(response["headers"])
    body = response["body"].get("string") or b""
    if not timing.failure and _is_longer(headers, body):
        # The header counts what some client has unpacked already, or was wrong all along.
        headers.pop("content-length")
    return Interaction(
        trace_id=trace_id,
        key=key_of(request, rules),
        method=str(request.method),
        uri=without_secrets(str(request.uri)),
        content_type=content_type_of(request.headers),
        request=body_of(request),
        status=response["status"]["code"],
        reason=response["status"]["message"] or "",
        headers=dumps(headers),
        response=body,
        request_headers=dumps(kept_request_headers(request.headers)),
        latency_ms=round(timing.latency_ms, 3),
        offsets=timing.offsets if len(timing.offsets) > 1 else (),
        times_ms=tuple(round(t, 3) for t in timing.ms) if len(timing.offsets) > 1 else (),
        failure=timing.failure,
    )


def failed(request: Any, kind: str, trace_id: str = "") -> Interaction:
    """An exchange that failed as :mod:`replay.intercept.failures` has it, with no response."""
    made = interaction(
        trace_id, request, {"status": {"code": 0, "message": ""}, "headers": {}, "body": {}}
    )
    return replace(made, failure=kind)


def key_of(request: Any, rules: MatchRules = DEFAULT_RULES) -> str:
    """What makes two requests the same: see :mod:`replay.intercept.keys`."""
    kind = request.headers.get("content-type", "")  # vcrpy's headers know no case
    if not isinstance(kind, str):
        kind = content_type_of({"content-type": kind})
    return match_key(str(request.method), str(request.uri), kind, body_of(request), rules)


def body_of(request: Any) -> bytes:
    """The body of vcrpy's request, whatever the client gave it."""
    body = request.body_bytes
    if body is None:
        return b""
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    return (body if isinstance(body, str) else dumps(body)).encode("utf-8", "replace")


class Cassette:
    """Recorded exchanges by trace and key, each list in the order of recording."""

    def __init__(
        self,
        interactions: Iterable[Interaction] = (),
        *,
        rules: MatchRules = DEFAULT_RULES,
        rows: Rows | None = None,
    ) -> None:
        self.rules = rules
        self._stored = [rows] if rows is not None else []
        self._added: list[Interaction] = []
        self._found: dict[tuple[str, str], list[Interaction]] = {}
        for item in interactions:
            self.add(item)

    def add(self, item: Interaction) -> None:
        self._added.append(item)
        self._found.setdefault((item.trace_id, item.key), []).append(item)

    def get(self, trace_id: str, key: str, occurrence: int) -> Interaction | None:
        """The answer to the n-th (from 0) request of that key in that trace."""
        for owner in dict.fromkeys((trace_id, "")):
            left = occurrence
            for rows in self._stored:
                places = rows.index.get((owner, key), ())
                if left < len(places):
                    return rows.interaction(places[left])
                left -= len(places)
            added = self._found.get((owner, key), ())
            if left < len(added):
                return added[left]
            if left < occurrence or added:
                return None  # a trace that has this request has all its answers
        return None

    def like(self, request: Any, *, limit: int = 50) -> list[Interaction]:
        """Recorded requests with the same method, host and path: for explanations."""
        head = _head(str(request.method), str(request.uri))
        stored = chain.from_iterable(rows.where(*head) for rows in self._stored)
        found = [item for item, _ in zip(stored, range(limit), strict=False)]
        found += [i for i in self._added if _head(i.method, i.uri) == head]
        return found[:limit]

    def __len__(self) -> int:
        return len(self._added) + sum(map(len, self._stored))

    def __iter__(self) -> Iterator[Interaction]:
        """All of them in the order of recording."""
        yield from chain.from_iterable(self._stored)
        yield from self._added

    @classmethod
    def load(cls, path: Path, rules: MatchRules = DEFAULT_RULES) -> Cassette:
        """The cassette at ``path``; empty if there is none yet.

        Raises:
            UsageError: the file is not a cassette, or of a newer version.
        """
        from replay.intercept.persist import load

        rows, later = load(path, rules)
        return cls(later, rules=rules, rows=rows)

    def read_also(self, path: Path) -> None:
        """What is in that cassette answers too, after what is here already.

        Raises:
            UsageError: there is no cassette.
        """
        from anonymize.errors import UsageError
        from replay.intercept.persist import load

        if not path.exists():
            raise UsageError("there is no such cassette", where=str(path))
        rows, later = load(path, self.rules)
        self._stored += [rows] if rows is not None else []
        for item in later:
            self.add(item)

    def save(self, path: Path, *, scrubbed: bool = True) -> None:
        """Write all of it, in one step: a reader sees the old file or the new one."""
        from replay.intercept.persist import save

        save(path, self, self.rules, scrubbed=scrubbed)


def _head(method: str, uri: str) -> tuple[str, str, str]:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(uri)
    except ValueError:
        return method.upper(), "", uri
    return method.upper(), (parts.hostname or "").lower(), parts.path


def _is_longer(headers: dict[str, list[str]], body: bytes) -> bool:
    length = first(headers, "content-length")
    return length.isdigit() and len(body) > int(length)
