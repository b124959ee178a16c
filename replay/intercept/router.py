"""Where vcrpy's patches lead: each request goes to the replay that it belongs to.

``CassettePatcherBuilder`` is internal to vcrpy: ``tests/engine/test_vcr_contract.py`` holds what
is used of it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from replay.intercept.clients.asking import Recorder, ask
from replay.intercept.failures import os_error
from replay.intercept.playback import left_open


class Router:
    """Stands where vcrpy expects its cassette, for the clients that only its stubs know."""

    _path = "Replay"
    skip_patchers = ()
    write_protected = False

    def __init__(self, custom_patches: tuple[tuple[Any, str, Any], ...] = ()) -> None:
        self.custom_patches = custom_patches

    def filter_request(self, request: Any) -> Any:
        return request

    def can_play_response_for(self, request: Any) -> bool:
        if not hasattr(request, "replay_answer"):
            request.replay_answer = ask(request)
        return request.replay_answer is not None

    def play_response(self, request: Any) -> dict[str, Any]:
        item = request.replay_answer
        if item.failure == "open":
            raise left_open(item)
        if item.failure:
            raise os_error(item.failure)
        response: dict[str, Any] = item.as_vcr()
        return response

    def append(self, request: Any, response: dict[str, Any]) -> None:
        status = response["status"]
        recorder = Recorder(request, status["code"], status["message"] or "", response["headers"])
        recorder.chunk(response["body"].get("string") or b"")
        recorder.done()

    def find_requests_with_most_matches(self, request: Any) -> list[Any]:
        return [(request,)]


def install() -> contextlib.ExitStack:
    """Patch every HTTP client that vcrpy knows. Closing the stack takes the patches out."""
    with _without_httpx_command():
        import vcr.patch

    from replay.intercept.clients import patches
    from replay.intercept.clients.over_http_client import no_reset

    stack = contextlib.ExitStack()
    stack.callback(setattr, vcr.patch, "force_reset", vcr.patch.force_reset)
    vcr.patch.force_reset = no_reset
    for patcher in vcr.patch.CassettePatcherBuilder(Router(tuple(patches()))).build():
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
