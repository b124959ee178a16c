"""Why a request has no recorded answer: what the nearest recorded one has otherwise."""

from __future__ import annotations

from typing import Any

from anonymize.jsontools import JsonError, leaves, loads
from anonymize.trace import Json
from replay.intercept.cassette import Cassette, body_of, key_of
from replay.matching import likeness

_MAX_BODY = 200_000
_MAX_PATHS = 4


def nearest_recorded(cassette: Cassette | None, request: Any) -> str:
    """A clause for an error message: paths of what differs, and never a value. May be empty."""
    if cassette is None:
        return ""
    found = cassette.like(request)
    if not found:
        return "; nothing was recorded for that method, host and path"
    if key_of(request, cassette.rules) in {item.key for item in found}:
        return "; its recorded answers are used up: it was made more often than in the recording"
    asked = _json(body_of(request))
    recorded = [body for item in found if (body := _json(item.request)) is not None]
    if asked is None or not recorded:
        return f"; {len(found)} requests to that path were recorded, with other bodies"
    best = max(recorded, key=lambda body: likeness(body, asked))
    left, right = dict(leaves(best)), dict(leaves(asked))
    differing = [p for p in {**left, **right} if left.get(p) != right.get(p)]
    if not differing:
        return f"; {len(found)} requests to that path were recorded, with another query or port"
    shown = ", ".join(differing[:_MAX_PATHS]) + (", ..." if len(differing) > _MAX_PATHS else "")
    return f"; the nearest of {len(found)} recorded requests to that path differs at {shown}"


def _json(body: bytes) -> Json:
    if not body or len(body) > _MAX_BODY:
        return None
    try:
        return loads(body)
    except JsonError:
        return None
