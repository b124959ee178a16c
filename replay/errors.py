"""Everything that a replay raises on purpose.

    AnonymizeError (anonymize.errors)   a person can mend it; the CLI prints it and exits with 2
    └── UsageError                      a wrong agent, target, fault, host or config key

    Exception
    ├── ToolError                       a tool failed, as it did in production or by a fault
    └── ToolNotRecorded                 production never made this call, so nothing can answer it

    BaseException                       an agent's ``except Exception`` must not swallow these:
    ├── EndOfRun                        they end the run of one trace, never the whole run
    │   ├── StopReplay                  a tool's miss policy is `stop`, or a budget is used up
    │   └── BrokenReplay                the harness or the environment failed, not the agent
    │       └── EgressBlocked           something tried to reach a host that is not allowed

An agent may catch the first two, as it would catch them in production.
"""

from __future__ import annotations

import builtins
from functools import lru_cache

from anonymize.errors import AnonymizeError, UsageError

__all__ = [
    "AnonymizeError",
    "BrokenReplay",
    "EgressBlocked",
    "EndOfRun",
    "StopReplay",
    "ToolError",
    "ToolNotRecorded",
    "UsageError",
    "tool_error",
]


class ToolError(Exception):
    """A tool failed. ``kind`` is an error type or code, ``message`` what the tool said.

    ``retry_after`` is in seconds where the tool named a time to wait, else ``None``.
    Built by :func:`tool_error`, which makes it an instance of the builtin error of the same
    name too, so ``except TimeoutError`` works in a replay as it does in production.
    """

    def __init__(self, kind: str, message: str = "", *, retry_after: float | None = None) -> None:
        self.kind = kind
        self.message = message
        self.retry_after = retry_after
        super().__init__(kind, message)

    def __str__(self) -> str:
        return self.message or self.kind


class ToolNotRecorded(Exception):
    """The recording has no answer for this call. ``explanation`` names the nearest one."""

    def __init__(self, name: str, explanation: str) -> None:
        self.name = name
        self.explanation = explanation
        super().__init__(name, explanation)

    def __str__(self) -> str:
        return self.explanation


class EndOfRun(BaseException):
    """Ends the run of one trace. ``reason`` is a plain sentence for the report."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class StopReplay(EndOfRun):
    """The run was ended on purpose: by a miss policy or by a budget."""


class BrokenReplay(EndOfRun):
    """The harness or the environment failed; nothing can be said about the agent."""


class EgressBlocked(BrokenReplay):
    """Something tried to leave. The reason names the host and the config line to allow it."""


def tool_error(kind: str, message: str = "", *, retry_after: float | None = None) -> ToolError:
    """A :class:`ToolError` that is also an instance of the builtin exception named ``kind``."""
    return _error_class(kind.rpartition(".")[2])(kind, message, retry_after=retry_after)


@lru_cache(maxsize=256)
def _error_class(name: str) -> type[ToolError]:
    builtin = getattr(builtins, name, None)
    if not (isinstance(builtin, type) and issubclass(builtin, Exception)):
        return ToolError
    # These two steer generators when raised; UnicodeError's children need five arguments.
    if issubclass(builtin, StopIteration | StopAsyncIteration | UnicodeError | BaseExceptionGroup):
        return ToolError
    if builtin is Exception:
        return ToolError
    return type(name, (ToolError, builtin), {"__module__": __name__})
