"""Which framework an object comes from, told without importing one; and importing one."""

from __future__ import annotations

import importlib
import sys
from typing import Any, Literal

from anonymize.errors import UsageError

Adapter = Literal["function", "langgraph", "openai-agents", "pydantic-ai", "mcp"]

#: Classes by which an object is known, wherever in a framework they live.
_CLASSES: tuple[tuple[str, str, Adapter], ...] = (
    ("langgraph", "PregelProtocol", "langgraph"),
    ("langgraph", "Pregel", "langgraph"),
    ("langgraph", "StateGraph", "langgraph"),
    ("langchain_core", "Runnable", "langgraph"),
    ("agents", "AgentBase", "openai-agents"),
    ("agents", "Agent", "openai-agents"),
    ("pydantic_ai", "AbstractAgent", "pydantic-ai"),
    ("pydantic_ai", "Agent", "pydantic-ai"),
)


def recognise(value: Any) -> Adapter | None:
    """The adapter for an agent object, or ``None`` if it is of no framework that is known."""
    for cls in type(value).__mro__:
        package = cls.__module__.partition(".")[0]
        for known, name, adapter in _CLASSES:
            if package == known and cls.__name__ == name:
                return adapter
    return None


def loaded(package: str) -> bool:
    """Whether somebody has imported it already."""
    return package in sys.modules


def framework(module: str, adapter: str, where: str = "") -> Any:
    """A module of a framework. Raises :class:`UsageError` that says what to install."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and not module.startswith(error.name):
            raise
        package = module.partition(".")[0]
        raise UsageError(
            f"adapter '{adapter}' needs the package '{package}', which is not installed",
            where=where,
            fix=f"pip install 'replay-harness[{adapter}]', or the version that the agent runs on",
        ) from error
