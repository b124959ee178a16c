"""From the agent's table in the config to an agent that runs."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from anonymize.trace import ToolDefinition
from replay.agents.conversation import UserFunctions
from replay.agents.interface import Agent
from replay.agents.python_function import PythonFunction, load_function, load_object
from replay.agents.serving import serving
from replay.agents.source import Source, source_of
from replay.environment import Environment
from replay.recording import Case

if TYPE_CHECKING:
    from replay.config import AgentSettings
    from replay.jobs import Setup


def load_agent(setup: Setup) -> Agent:
    """The agent of this setup. Raises :class:`UsageError` that says what is wrong, and where."""
    if setup.agent.command:
        from replay.agents.command import Command

        return Command.load(setup)
    if setup.agent.url:
        from replay.agents.url import Url

        return Url.load(setup)
    return load_target(setup.agent, setup.where)


def load_target(settings: AgentSettings, where: str) -> Agent:
    """The agent that ``target`` names: of the ``adapter``, or of what the object turns out to be.

    Raises:
        UsageError: says what is wrong, and where.
    """
    place = f"{where}.target"
    if settings.adapter not in ("", "function"):
        _install(settings.adapter)  # before the agent is imported, which may run its tools
    found = load_object(settings.target, place)
    source = None
    if settings.adapter not in ("function", "mcp"):
        source = source_of(found, settings.target, settings.adapter, place)
    if source is None:
        function = load_function(settings.target, place)
        PythonFunction.checked(function, settings.target, place)
        return PythonFunction(_served(function) if settings.adapter else function)
    _install(source.adapter)
    return FrameworkAgent(_made(source, UserFunctions.of(settings, where)))


def _served(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the user that runs a framework's agent itself: its tools are answered."""

    async def awaited(case: Case, env: Environment, result: Any) -> Any:
        with serving(env):
            return await result

    def served(case: Case, env: Environment) -> Any:
        with serving(env):
            result = function(case, env)
        return awaited(case, env, result) if inspect.isawaitable(result) else result

    return served


class FrameworkAgent(PythonFunction):
    """An agent of a framework, run as a function of a case."""

    def tools(self) -> tuple[ToolDefinition, ...]:
        """The tools found in it."""
        found: tuple[ToolDefinition, ...] = self._function.tools()  # type: ignore[attr-defined]
        return found


def _install(adapter: str) -> None:
    _module(adapter).install()


def _made(source: Source, functions: UserFunctions) -> Callable[..., Any]:
    module = _module(source.adapter)
    made: Callable[..., Any] = getattr(module, _CLASSES[source.adapter])(source, functions)
    return made


def _module(adapter: str) -> Any:
    return importlib.import_module(f"replay.agents.{adapter.replace('-', '_')}")


_CLASSES = {
    "langgraph": "LangGraph",
    "openai-agents": "OpenAIAgents",
    "pydantic-ai": "PydanticAI",
}
