"""Where a framework's agent comes from: an object of a module, or a function that makes one."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from anonymize.errors import UsageError
from replay.agents.frameworks import Adapter, recognise


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """``agent`` is there from the start, or ``make`` gives one to each case."""

    adapter: Adapter
    agent: Any = None
    make: Callable[[], Any] | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Any]:
        """The agent for one case. What the function opened is closed behind the case."""
        if self.make is None:
            yield self.agent
            return
        made = self.make()
        if inspect.isawaitable(made):
            made = await made
        if hasattr(made, "__aenter__") and recognise(made) is None:
            async with made as inner:
                yield inner
        elif hasattr(made, "__enter__") and recognise(made) is None:
            with made as inner:
                yield inner
        else:
            yield made


def takes_a_case(function: Any) -> bool:
    """Whether it can be called as ``agent(case, env)``."""
    return _binds(function, 2)


def source_of(found: Any, target: str, adapter: str, where: str) -> Source | None:
    """How to get the agent from what ``target`` names; ``None``: it is a plain function.

    Raises:
        UsageError: it is of another framework than the config says, or of none.
    """
    kind = recognise(found)
    make: Callable[[], Any] | None = None
    if kind is None and callable(found) and not takes_a_case(found) and _binds(found, 0):
        made = _made(found, target, where)
        kind = recognise(made)
        if kind is not None:
            found = made
        elif inspect.isawaitable(made) or hasattr(made, "__aenter__") or hasattr(made, "__enter__"):
            if inspect.iscoroutine(made):
                made.close()
            if not adapter:
                raise UsageError(
                    f"'{target}' makes an agent, but of which framework shows only when it runs",
                    where=where,
                    fix='say so: adapter = "langgraph", "openai-agents" or "pydantic-ai"',
                )
            make = found
    if make is not None:
        return Source(adapter=adapter, make=make)  # type: ignore[arg-type]  # checked by the config
    if kind is None:
        if adapter not in ("", "function") and not callable(found):
            raise UsageError(
                f"'{target}' is a {type(found).__name__}, which adapter '{adapter}' can't run",
                where=where,
                fix="name the agent itself, or a function without parameters that makes it",
            )
        return None
    if adapter not in ("", kind):
        raise UsageError(
            f"'{target}' is an agent of {kind}, not of {adapter}",
            where=where,
            fix=f'write adapter = "{kind}", or leave it out',
        )
    return Source(adapter=kind, agent=found)


def _made(function: Callable[[], Any], target: str, where: str) -> Any:
    try:
        return function()
    except Exception as error:
        raise UsageError(
            f"'{target}' should make the agent, but raised {type(error).__name__}: {error}",
            where=where,
            fix="mend it: it is called without arguments, before any trace is replayed",
        ) from error


def _binds(function: Any, number: int) -> bool:
    try:
        inspect.signature(function).bind(*([None] * number))
    except (TypeError, ValueError):
        return False
    return True
