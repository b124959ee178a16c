"""One OTLP export request: protobuf or JSON, plain or compressed."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from anonymize.jsontools import JsonError
from anonymize.sources import otlp_proto
from anonymize.sources.documents import TooManyValues, parse_document
from anonymize.sources.files import decompress
from anonymize.sources.interface import Limits
from anonymize.sources.otlp_json import Found, LogEvent, is_otlp, read_otlp
from anonymize.sources.otlp_logs import read_log_message
from anonymize.spans import Span
from anonymize.trace import SkippedTrace

#: A request takes many times its bytes while it is read: so many are at a time, the others wait.
_AT_ONCE = threading.Semaphore(2)
#: Characters. They are kept when their spans no longer are.
_LONGEST_ID = 200


@dataclass(slots=True)
class Received:
    """The spans of a request and the message events that came as logs, how many of its parts could
    not be read, and why the first was not.

    ``logs``: how many message events are among ``spans``. ``refused`` says why nothing of it could
    be read at all (``""``: it could).
    """

    spans: list[Span | LogEvent] = field(default_factory=list)
    logs: int = 0
    rejected: int = 0
    reason: str = ""
    refused: str = ""


def is_token(shown: str, token: str) -> bool:
    """Whether a sender showed ``Bearer TOKEN``; how long this takes tells nothing of it."""
    # Headers may hold anything but ASCII too, which text is not compared with.
    wanted = f"Bearer {token}".encode("utf-8", "surrogatepass")
    return hmac.compare_digest(shown.encode("utf-8", "surrogatepass"), wanted)


def read_in_turn(data: bytes, content_type: str, limits: Limits, *, logs: bool = False) -> Received:
    """As :func:`read_request`, a few at a time; what can't be read at all is refused."""
    with _AT_ONCE:
        try:
            return read_request(data, content_type, limits, logs=logs)
        except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
            # Not what went wrong: it could quote the request.
            return Received(refused="the body can't be read")


def read_request(data: bytes, content_type: str, limits: Limits, *, logs: bool = False) -> Received:
    """Read the body of ``POST /v1/traces``; ``data`` may be compressed with gzip or zstd.

    ``logs``: of ``/v1/logs``. Of log records only message events of spans are taken; others are
    passed over, and are not among what was rejected.
    """
    plain = decompress(data, limits.document)
    if plain is None:
        return Received(refused="the compressed body is damaged or too large")
    if len(plain) > limits.document:
        return Received(refused="the body is too large")
    received = Received()
    kind = content_type.partition(";")[0].strip().lower()
    found: Iterable[Found]
    if kind == "application/json" or (kind != "application/x-protobuf" and plain[:1] == b"{"):
        try:
            document, dirty = parse_document(plain, limits)
        except (TooManyValues, JsonError) as error:
            return Received(refused=str(error) or "the body has too many values")
        if document == {}:  # a request without anything is one, and is no mistake
            return received
        if not is_otlp(document):
            return Received(refused="the body is no OTLP export request")
        found = read_otlp(document, "", dirty=dirty)
    elif logs:
        found = read_log_message(plain, "")
    else:
        found = otlp_proto.read_message(plain, "", limits)
    for item in found:
        if isinstance(item, SkippedTrace):
            received.rejected += 1
            received.reason = received.reason or item.reason
        elif _longest_id(item) > _LONGEST_ID:
            received.rejected += 1
            received.reason = received.reason or "an id is too long"
        elif item.trace_id:  # an event outside of any span says nothing of a trace
            received.spans.append(item)
            received.logs += isinstance(item, LogEvent)
    if plain and not received.spans and received.rejected:
        received.refused = received.reason
    return received


def _longest_id(item: Span | LogEvent) -> int:
    parent = item.parent_id if isinstance(item, Span) else None
    return max(len(item.trace_id), len(item.span_id), len(parent or ""))
