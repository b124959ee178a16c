"""A cassette played in this process, without an agent, a world or a worker around it.

    with playing(Cassette(read_cassette(Path("cassette.yaml")))):
        httpx2.post("https://api.example.com/v1/chat/completions", json=...)

For tests and for looking around; a replay uses :class:`replay.intercept.http.HttpScope`.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from replay.errors import EgressBlocked
from replay.intercept import router
from replay.intercept.cassette import Cassette, Interaction, Timing, interaction, key_of
from replay.intercept.clients.asking import where
from replay.intercept.nearest import nearest_recorded
from replay.intercept.playback import AT_ONCE, Pace
from replay.intercept.scope import CURRENT, Scope

AnyScope = TypeVar("AnyScope", bound=Scope)


class PlayingScope:
    """Plays a cassette: each request gets its next recorded answer. Safe between threads.

    ``live`` says which requests (vcrpy's) may really be made; their answers are in ``recorded``.
    """

    def __init__(
        self,
        cassette: Cassette,
        *,
        trace_id: str = "",
        pace: Pace = AT_ONCE,
        live: Callable[[Any], bool] = lambda request: False,
    ) -> None:
        self.pace = pace
        self.recorded: list[Interaction] = []
        self.blocked: list[str] = []
        self._cassette = cassette
        self._trace_id = trace_id
        self._live = live
        self._occurrences: Counter[str] = Counter()
        self._lock = threading.Lock()

    def begin(self, request: Any) -> Interaction | None:
        key = key_of(request, self._cassette.rules)
        with self._lock:
            occurrence = self._occurrences[key]
            self._occurrences[key] += 1
        found = self._cassette.get(self._trace_id, key, occurrence)
        if found is None and not self._live(request):
            error = EgressBlocked(
                f"{request.method} to {where(request)} was blocked: it is not in the cassette"
                f"{nearest_recorded(self._cassette, request)}. To allow it, record it, or "
                "let `live` say that it may be made"
            )
            self.refuse(error)
            raise error
        return found

    def end(
        self,
        request: Any,
        response: dict[str, Any] | None,
        *,
        live: bool,
        timing: Timing | None = None,
        keep: bool = True,
    ) -> None:
        if live and keep and response is not None:
            item = interaction(self._trace_id, request, response, timing, self._cassette.rules)
            with self._lock:
                self.recorded.append(item)

    def refuse(self, error: EgressBlocked) -> None:
        self.blocked.append(error.reason)


@contextlib.contextmanager
def playing(cassette: Cassette, **options: Any) -> Iterator[PlayingScope]:
    """HTTP of this thread and its tasks is answered from ``cassette``; options as above.

    Clients are patched for the whole process while this lasts: HTTP of other threads is blocked.
    """
    with router.install(), within(PlayingScope(cassette, **options)) as scope:
        yield scope


@contextlib.contextmanager
def within(scope: AnyScope) -> Iterator[AnyScope]:
    """The code inside belongs to ``scope``. The clients are patched already."""
    token = CURRENT.set(scope)
    try:
        yield scope
    finally:
        CURRENT.reset(token)
