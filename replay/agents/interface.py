"""What an agent is to a replay: something that takes a case and an environment to an outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from anonymize.trace import Json, ToolDefinition
from replay.environment import Environment
from replay.recording import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an agent ends with. Returning a plain value means ``Outcome(output=value)``."""

    output: Any = None


class Agent(Protocol):
    """An agent, loaded and ready. One instance serves many cases, one after the other."""

    def run(self, case: Case, env: Environment) -> Json:
        """The agent's output for this case. Whatever the agent raises passes through."""
        ...


@runtime_checkable
class HasTools(Protocol):
    """An agent whose tools can be looked at before it runs."""

    def tools(self) -> tuple[ToolDefinition, ...]:
        """The tools found in it. Those that it makes while it runs are missing."""
        ...
