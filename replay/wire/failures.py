"""Failed model calls: what a span says of them, and what a client would have seen on the wire."""

from __future__ import annotations

import re
from typing import Final

from anonymize.jsontools import dumps
from anonymize.trace import Json, StepError
from replay.wire.interface import ErrorKind, WireResponse

STATUS: Final[dict[ErrorKind, int]] = {
    "bad_request": 400,
    "authentication": 401,
    "permission": 403,
    "not_found": 404,
    "timeout": 408,
    "too_large": 413,
    "rate_limit": 429,
    "server": 500,
    "overloaded": 529,
    # None that an SDK retries, and none that agents take for a provider's own mood.
    "not_recorded": 424,
}
_BY_STATUS: Final[dict[int, ErrorKind]] = {
    **{status: kind for kind, status in STATUS.items()},
    422: "bad_request",
    503: "overloaded",
    504: "timeout",
}
_HTTP = re.compile(r"(?:http|status|error code)\D{0,4}([45]\d\d)\b", re.I)
#: Words in the names of exceptions and in codes, most telling first.
_WORDS: Final[tuple[tuple[str, ErrorKind], ...]] = (
    ("ratelimit", "rate_limit"),
    ("toomanyrequests", "rate_limit"),
    ("quota", "rate_limit"),
    ("throttl", "rate_limit"),
    ("overload", "overloaded"),
    ("serviceunavailable", "overloaded"),
    ("timeout", "timeout"),
    ("timedout", "timeout"),
    ("deadline", "timeout"),
    ("authentication", "authentication"),
    ("unauthorized", "authentication"),
    ("permission", "permission"),
    ("forbidden", "permission"),
    ("notfound", "not_found"),
    ("toolarge", "too_large"),
    ("badrequest", "bad_request"),
    ("invalidrequest", "bad_request"),
    ("contextlength", "bad_request"),
    ("unprocessable", "bad_request"),
)


def kind_of(error: StepError) -> ErrorKind:
    """What a recorded error was for the client; what can't be told is the server's fault."""
    for text in (error.kind, error.message[:300]):
        found = _HTTP.search(text)
        if found:
            status = int(found[1])
            return _BY_STATUS.get(status, "bad_request" if status < 500 else "server")
    flat = re.sub(r"[^a-z]", "", error.kind.lower())
    return next((kind for word, kind in _WORDS if word in flat), "server")


def connection_failure(error: StepError) -> str:
    """The failure of :mod:`replay.intercept.failures` that a recorded error was, else empty.

    These had no response at all, so none can be written.
    """
    flat = error.kind.rpartition(".")[2].lower()
    if _HTTP.search(error.kind) or "gateway" in flat:
        return ""
    if "timeout" in flat or "timedout" in flat:
        return "connect_timeout" if "connecttimeout" in flat else "read_timeout"
    if "connectionreset" in flat or "brokenpipe" in flat:
        return "reset"
    if "connectionrefused" in flat or flat == "connecterror":
        return "refused"
    if "remoteprotocol" in flat or "disconnected" in flat or flat == "apiconnectionerror":
        return "disconnected"
    return ""


def response(
    kind: ErrorKind, body: Json, *, retry_after: float | None = None, retry: bool | None = None
) -> WireResponse:
    """An error response with the headers that SDKs heed."""
    headers = {"content-type": "application/json"}
    if retry is not None:
        headers["x-should-retry"] = "true" if retry else "false"
    if retry_after is not None:
        headers["retry-after"] = f"{retry_after:g}"
    return WireResponse(
        status=STATUS[kind], headers=headers, body=dumps(body).encode("utf-8", "replace")
    )
