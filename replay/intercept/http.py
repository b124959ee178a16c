"""HTTP of an agent, whatever client it uses: allowed, answered, and written down.

vcrpy patches the clients; in place of its cassette stands a :class:`Router` that hands each
request to the replay it belongs to (:mod:`replay.intercept.scope`). Installed once per worker
process. ``CassettePatcherBuilder`` is internal to vcrpy: ``tests/engine/test_vcr_contract.py``
holds what is used of it.

A live response is read to its end before the agent gets any of it, streams included.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from anonymize.jsontools import JsonError, loads
from anonymize.trace import Json, LLMCall, Other, StepError
from replay.errors import BrokenReplay, EgressBlocked
from replay.intercept.cassette import Cassette, Interaction, interaction, key_of
from replay.intercept.guard import blocked
from replay.intercept.hosts import AllowedHosts
from replay.intercept.scope import CURRENT
from replay.intercept.wire import Exchange, read_exchange
from replay.world import World

_MAX_BODY = 20_000


class HttpScope:
    """The HTTP of one replay: what it asked, what it was answered. Safe between threads."""

    def __init__(
        self,
        world: World,
        agent: str,
        hosts: AllowedHosts,
        ignored: AllowedHosts,
        cassette: Cassette | None = None,
        *,
        recorded_only: bool = False,
    ) -> None:
        self._recorded: list[tuple[int, Interaction]] = []
        self._world = world
        self._agent = agent
        self._hosts = hosts
        self._ignored = ignored
        self._cassette = cassette
        self._recorded_only = recorded_only
        self._occurrences: Counter[str] = Counter()
        self._open: dict[int, Any] = {}
        self._lock = threading.Lock()

    def begin(self, request: Any) -> Interaction | None:
        """A request is about to be made. The recorded answer, or ``None`` to make it.

        Raises:
            EgressBlocked: its host is not allowed.
            BrokenReplay: only recorded answers are to be used, and there is none.
        """
        host, port = str(request.host), request.port
        if self._ignored.allows(host, port) and not self._hosts.allows(host, port):
            return None  # the guard lets it fail the way an unreachable host does
        if not self._hosts.allows(host, port):
            error = blocked(self._agent, self._hosts, host, port, f"{request.method} to")
            self.refuse(error)
            raise error
        if _is_llm(request):
            self._world.count_llm_call()
        place = self._world.capture.open()
        found = None
        with self._lock:
            self._open[place] = request
            request.replay_place = place
            if self._cassette is not None:
                key = key_of(request)
                occurrence = self._occurrences[key]
                self._occurrences[key] += 1
                found = self._cassette.get(self._world.case.trace_id, key, occurrence)
        if found is None and self._recorded_only:
            raise self._world.end(
                BrokenReplay(
                    f"{request.method} to {host} is not in the cassette, and [llm] mode is "
                    '"recorded": run once with mode = "live" to record it'
                )
            )
        return found

    def end(self, request: Any, response: dict[str, Any], *, live: bool) -> None:
        """The answer is there. Live ones are kept for the cassette, failures aside."""
        place = getattr(request, "replay_place", None)
        if place is None:  # a redirect that the client followed by itself
            place = self._world.capture.open()
        with self._lock:
            self._open.pop(place, None)
            if live and self._cassette is not None and response["status"]["code"] < 400:
                item = interaction(self._world.case.trace_id, request, response)
                self._recorded.append((place, item))
        self._close(place, request, response)

    def refuse(self, error: EgressBlocked) -> None:
        """Something was blocked: the run is broken, whatever the agent makes of the error."""
        self._world.blocked.append(error.reason)
        self._world.end(error)

    @property
    def recorded(self) -> list[Interaction]:
        """What came from live hosts, in the order in which it was asked for: of equal requests
        in flight at once, the first asked gets the first answer when they are played back.
        """
        return [item for _, item in sorted(self._recorded, key=itemgetter(0))]

    def finish(self) -> None:
        """The run is over; requests that have no answer yet never get one."""
        with self._lock:
            left = sorted(self._open.items())
        for place, request in left:
            self._close(place, request, None)

    def _close(self, place: int, request: Any, response: dict[str, Any] | None) -> None:
        capture = self._world.capture
        step = dataclasses.replace(
            _step(request, response),
            step_id=capture.id_at(place),
            started_at=capture.start_of(place),
        )
        capture.close(place, step)


class Router:
    """Stands where vcrpy expects its cassette, and finds the replay that a request belongs to."""

    _path = "Replay"
    custom_patches = ()
    skip_patchers = ()
    write_protected = False

    def filter_request(self, request: Any) -> Any:
        return request

    def can_play_response_for(self, request: Any) -> bool:
        if not hasattr(request, "replay_answer"):
            request.replay_answer = _scope(request).begin(request)
        return request.replay_answer is not None

    def play_response(self, request: Any) -> dict[str, Any]:
        response: dict[str, Any] = request.replay_answer.as_vcr()
        _scope(request).end(request, response, live=False)
        return response

    def append(self, request: Any, response: dict[str, Any]) -> None:
        _scope(request).end(request, response, live=True)

    def find_requests_with_most_matches(self, request: Any) -> list[Any]:
        return [(request,)]


def install() -> contextlib.ExitStack:
    """Patch every HTTP client that vcrpy knows. Closing the stack takes the patches out."""
    with _without_httpx_command():
        import vcr.patch

    # vcrpy takes all of its patches out while it connects: another thread's request would go
    # unseen. All that is needed is that http.client finds its own classes.
    vcr.patch.force_reset = _own_http_client
    stack = contextlib.ExitStack()
    for patcher in vcr.patch.CassettePatcherBuilder(Router()).build():
        stack.enter_context(patcher)
    return stack


@contextlib.contextmanager
def _without_httpx_command() -> Iterator[None]:
    """httpx loads its command line, click and rich included, with itself: a quarter second for
    each worker. It does without where that can't be imported.
    """
    new = "httpx" not in sys.modules
    if new:
        sys.modules["httpx._main"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if new:
            del sys.modules["httpx._main"]


_REAL = (http.client.HTTPConnection, http.client.HTTPSConnection)
_reset_lock = threading.Lock()
_resets = 0
_patched: tuple[Any, Any] = _REAL


@contextlib.contextmanager
def _own_http_client() -> Iterator[None]:
    global _resets, _patched
    with _reset_lock:
        if _resets == 0:
            _patched = (http.client.HTTPConnection, http.client.HTTPSConnection)
            http.client.HTTPConnection, http.client.HTTPSConnection = _REAL  # type: ignore[misc]
        _resets += 1
    try:
        yield
    finally:
        with _reset_lock:
            _resets -= 1
            if _resets == 0:
                http.client.HTTPConnection, http.client.HTTPSConnection = _patched  # type: ignore[misc]


def _scope(request: Any) -> HttpScope:
    scope = CURRENT.get()
    if scope is None:
        raise EgressBlocked(
            f"{request.method} to {request.host} was blocked: it belongs to no replay (made while "
            "the agent was imported, or by a thread that outlived its case)"
        )
    return scope


def _is_llm(request: Any) -> bool:
    path = str(request.path)
    return path.endswith(("/chat/completions", "/responses", "/messages"))


def _step(request: Any, response: dict[str, Any] | None) -> LLMCall | Other:
    headers = {k.lower(): _first(v) for k, v in response["headers"].items()} if response else {}
    exchange = Exchange(
        method=str(request.method),
        uri=str(request.uri),
        request=request.body_bytes or b"",
        status=response["status"]["code"] if response else 0,
        headers=headers,
        response=(response["body"].get("string") or b"") if response else b"",
    )
    missing = None
    if response is None:
        missing = StepError(kind="no_response", message="the request got no answer")
    call = read_exchange(exchange)
    if call is not None:
        return dataclasses.replace(call, error=missing) if missing else call
    if exchange.status >= 400:
        missing = StepError(kind=f"http_{exchange.status}")
    return Other(
        step_id="",
        kind="http",
        name=f"{exchange.method} {request.host}{request.path}",
        input=_shown(exchange.request),
        output={"status": exchange.status, "body": _shown(exchange.response)},
        error=missing,
    )


def _shown(body: bytes) -> Json:
    if not body:
        return None
    if len(body) <= _MAX_BODY:
        with contextlib.suppress(JsonError):
            return loads(body)
    text = body[:_MAX_BODY].decode("utf-8", "replace").replace("\0", "\ufffd")
    return text if len(body) <= _MAX_BODY else f"{text}... ({len(body)} bytes)"


def _first(value: Any) -> str:
    return str(value[0]) if isinstance(value, list) and value else str(value)
