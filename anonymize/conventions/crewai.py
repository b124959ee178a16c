"""CrewAI as OpenInference (``crew_*``) and OpenLLMetry (``crewai.*``) record it.

Neither names the question as the input of a span: a crew is asked by its inputs, or by the
descriptions of its tasks. What an agent did stands in the ``messages`` of its task's output.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anonymize.conventions.interface import Reading
from anonymize.conventions.messages import read_messages
from anonymize.conventions.values import as_dict, as_text, first, first_text, structured
from anonymize.spans import Span
from anonymize.trace import Json

_TASKS = ("crew_tasks", "crewai.crew.tasks")
_AGENTS = ("crew_agents", "crewai.crew.agents")


@dataclass(frozen=True, slots=True)
class CrewAI:
    """A crew, a task or an agent at work."""

    name: str = "crewai"

    def matches(self, span: Span, prefixes: frozenset[str]) -> bool:
        return "crewai" in prefixes or "crew_key" in prefixes

    def read(self, span: Span) -> Reading:
        a = span.attributes
        reading = Reading(convention=self.name, inferred=True)
        flags = reading.flags
        tasks = structured(first(a, *_TASKS), flags)
        if isinstance(tasks, list):
            _read_crew(a, tasks, reading)
            return reading
        made = as_dict(structured(first(a, "output.value"), flags))
        if "graph.node.id" in a or "crewai.agent.role" in a:
            reading.agent = first_text(a, "crewai.agent.role", "graph.node.id")
        asked = first(a, "crewai.task.description") or made.get("description")
        if isinstance(asked, str):
            reading.raw_input = asked
        if isinstance(made.get("raw"), str):
            reading.raw_output = made["raw"]
        reading.history = read_messages(made.get("messages"), "user", flags)
        return reading


def _read_crew(a: Mapping[str, Json], tasks: list[Json], reading: Reading) -> None:
    flags = reading.flags
    reading.kind = "chain"
    inputs = structured(first(a, "crew_inputs", "crewai.crew.inputs"), flags)
    asked = [as_text(as_dict(task).get("description")) for task in tasks]
    reading.raw_input = inputs or "\n".join(text for text in asked if text) or None
    agents = structured(first(a, *_AGENTS), flags)
    roles = [as_dict(agent).get("role") for agent in agents] if isinstance(agents, list) else []
    if len(roles) == 1:
        reading.agent = as_text(roles[0])
    made = as_dict(structured(first(a, "output.value"), flags))
    reading.raw_output = first(a, "crewai.crew.result") or made.get("raw")
