"""Asking a server that may be slow, busy or down: again where that can help, never for ever.

What a server says in an error is not repeated: it may hold what is in the traces.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from anonymize.errors import SourceError

T = TypeVar("T")

#: Seconds between tries where the server names none, and the most that it may ask for.
_WAITS = (0.5, 1.0, 2.0, 5.0, 15.0)
_LONGEST = 120.0
_AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504, 529))
#: Statuses with which a server complains about what it was asked, and words about a size.
_ODD = frozenset((400, 404, 409, 422))
_LARGE = ("too large", "too big", "size limit", "exceeds the maximum", "payload size")
_NO_API = frozenset(
    "JSONDecodeError ValidationError APIResponseValidationError UnicodeDecodeError "
    "AttributeError KeyError TypeError".split()
)
_TRANSPORT = ("timeout", "connect", "network", "transport", "protocol", "readerror", "remote")


class TooLarge(Exception):
    """The server gave up on an answer of this size: ask for less."""


class Expired(Exception):
    """A cursor is no longer valid: begin again."""


def patiently(
    ask: Callable[[], T],
    where: str,
    *,
    large: bool = False,
    sleep: Callable[[float], None] | None = None,
) -> T:
    """What ``ask`` returns, tried again after time-outs, lost connections, 429 and 5xx.

    ``Retry-After`` is kept to, up to two minutes. ``large``: less could be asked for, so what may
    be for the size of the answer (500, 502, 504, a time-out) is tried twice only.

    Raises:
        TooLarge: the answer is too large for the server (413, or a complaint about a size), or may
            be with ``large``.
        Expired: 410, or a complaint about a cursor.
        SourceError: anything else, or no success after six tries. It holds no content.
    """
    for tries, wait in enumerate((*_WAITS, None), 1):
        try:
            return ask()
        except (SourceError, TooLarge, Expired):
            raise
        except Exception as error:
            # Not raised from here: what is raised would hold the error, and that the answer.
            failure = _failure(error, where, last=wait is None)
            if large and tries > 1 and _may_be_large(error):
                failure = TooLarge()
            pause = _asked_for(error, wait or 0.0)
        if failure is not None:
            raise failure
        (sleep or time.sleep)(pause)
    raise AssertionError("unreachable")


def _failure(error: Exception, where: str, *, last: bool) -> Exception | None:
    """What to raise; ``None``: it is worth another try."""
    status = status_of(error)
    said = str(error).lower() if status in _ODD else ""
    if status == 410 or "cursor" in said:
        return Expired()
    if status == 413 or any(word in said for word in _LARGE):
        return TooLarge()
    again = status in _AGAIN or (status is None and _is_transport(error))
    if again and not last:
        return None
    return _told(error, status, where, tried=again)


def _may_be_large(error: Exception) -> bool:
    status = status_of(error)
    return status in (408, 500, 502, 504) or (status is None and "timeout" in _names(error))


def status_of(error: BaseException) -> int | None:
    """The HTTP status in an error of httpx, requests, or a vendor's client; ``None`` without."""
    for holder in (error, getattr(error, "response", None)):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int):
            return status
    asked = getattr(error, "get_http_status_code", None)
    if callable(asked):
        status = asked()
        # MLflow says 500 of what never got an answer.
        return status if isinstance(status, int) else None
    cause = error.__cause__
    return status_of(cause) if cause is not None else None


def _is_transport(error: BaseException) -> bool:
    if isinstance(error, OSError | TimeoutError):
        return True
    names = _names(error)
    return any(word in names for word in _TRANSPORT)


def _names(error: BaseException) -> str:
    return "".join(c.__name__.lower() for c in type(error).__mro__)


def _is_no_api(error: BaseException) -> bool:
    """Whether what came could not be read: no JSON, or JSON of another form."""
    names = {c.__name__ for c in type(error).__mro__}
    return bool(names & _NO_API)


def _asked_for(error: BaseException, wait: float) -> float:
    headers: Any = getattr(error, "headers", None) or getattr(
        getattr(error, "response", None), "headers", None
    )
    said = _header(headers, "retry-after")
    if not said:
        return wait
    try:
        seconds = float(said)
        if seconds != seconds:
            return wait
    except ValueError:
        moment = _moment(said)
        if moment is None:
            return wait
        # By the server's own clock, where it says what that shows.
        now = _moment(_header(headers, "date")) or datetime.now(UTC)
        seconds = (moment - now).total_seconds()
    # Not at once: clocks differ, and six tries within a moment would be none.
    return min(seconds, _LONGEST) if seconds > 0 else wait


def _moment(said: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(said)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    except (ValueError, TypeError, OverflowError):
        return None


def _header(headers: Any, name: str) -> str:
    if not isinstance(headers, Mapping) and not hasattr(headers, "items"):
        return ""
    return next((str(v) for k, v in headers.items() if str(k).lower() == name), "")


def _told(error: BaseException, status: int | None, where: str, *, tried: bool) -> SourceError:
    if status in (401, 403):
        return SourceError(
            f"the source refuses the key ({status})",
            where=where,
            fix="check the environment variable that the key is read from, and what it may read",
        )
    if status == 404:
        return SourceError(
            "the source does not know this project (404)",
            where=where,
            fix="check `url` and `project`",
        )
    if (status is not None and 300 <= status < 400) or "redirect" in type(error).__name__.lower():
        return SourceError(
            "the source sends elsewhere, and the key is not taken along",
            where=where,
            fix="if you trust that address, put it into `url`",
        )
    if (status is not None and status < 300) or _is_no_api(error):
        return SourceError(
            "something answers that is not the platform's API (a login page, a proxy?)",
            where=where,
            fix="check `url`, and that it can be reached from here without a login; if both are "
            "right, the platform may be newer than its client here: update that",
        )
    kind = f"HTTP {status}" if status is not None else type(error).__name__
    if tried:
        return SourceError(
            f"the source can't be reached, or is too busy ({kind})",
            where=where,
            fix="check `url`; if it is right, run again later: what is stored stays",
        )
    return SourceError(f"the source gave an error ({kind})", where=where, fix="check `url`")
