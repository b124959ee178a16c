"""Whose replay a piece of code belongs to, across threads and tasks.

HTTP clients know nothing of cases, so the current replay travels in a context variable. Tasks
inherit it by themselves; threads and thread pools do once :func:`follow_threads` was called.
Code that belongs to no replay (an import, a thread that outlived its case) gets ``None``.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from replay.intercept.http import HttpScope

CURRENT: ContextVar[HttpScope | None] = ContextVar("replay_scope", default=None)


def follow_threads() -> None:
    """From now on threads belong to the replay of the code that started them, and the tasks of
    a thread pool to that of the code that submitted them. Nothing else of the context follows:
    production's threads don't see it either.
    """
    start, submit = threading.Thread.start, ThreadPoolExecutor.submit

    def started(self: threading.Thread) -> None:
        scope, run = CURRENT.get(), self.run

        def run_in_scope() -> None:
            CURRENT.set(scope)
            run()

        if scope is not None:
            self.run = run_in_scope  # type: ignore[method-assign]
        start(self)

    def submitted(
        self: ThreadPoolExecutor, function: Any, /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        scope = CURRENT.get()

        def call_in_scope() -> Any:
            token = CURRENT.set(scope)
            try:
                return function(*args, **kwargs)
            finally:
                CURRENT.reset(token)

        return submit(self, call_in_scope)

    threading.Thread.start = started  # type: ignore[method-assign]
    ThreadPoolExecutor.submit = submitted  # type: ignore[method-assign,assignment]
