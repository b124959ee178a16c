"""Agents of the OpenAI Agents SDK, as they are: ``target = "my.module:agent"``.

Function tools and MCP servers are answered from the recording, agents used as tools and
hand-offs run for real, and both are written down. Tracing is off in a replay.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from anonymize.trace import Json, Message, Other, ToolDefinition
from replay.agents import mcp_servers, openai_agents_tools
from replay.agents.conversation import UserFunctions, said_before, words
from replay.agents.frameworks import framework
from replay.agents.serving import serving, shown
from replay.agents.source import Source
from replay.capture import Capture
from replay.environment import Environment
from replay.recording import Case


def install() -> None:
    """Patch what has to be patched, before or after the agent is imported."""
    openai_agents_tools.install()
    mcp_servers.install_for_openai_agents()


class OpenAIAgents:
    """Runs an agent with a case; the last agent's final output is the output."""

    def __init__(self, source: Source, functions: UserFunctions) -> None:
        self._source = source
        self._functions = functions

    async def __call__(self, case: Case, env: Environment) -> Json:
        sdk = framework("agents", "openai-agents")
        mcp_servers.install_for_openai_agents()  # for classes that came with the agent
        with serving(env):
            async with self._source.opened() as agent:
                options: dict[str, Any] = {
                    "hooks": _hooks(sdk, env.world.capture),
                    "run_config": sdk.RunConfig(tracing_disabled=True),
                }
                if self._functions.deps is not None:
                    options["context"] = self._functions.deps(case)
                result = await self._turn(sdk, agent, self._given(case), options)
                for turn in case.turns:
                    said = [*result.to_input_list(), {"role": "user", "content": turn}]
                    result = await self._turn(sdk, result.last_agent, said, options)
                return self._output(result)

    async def _turn(self, sdk: Any, agent: Any, given: Any, options: dict[str, Any]) -> Any:
        if not self._functions.stream:
            return await sdk.Runner.run(agent, given, **options)
        result = sdk.Runner.run_streamed(agent, given, **options)
        async for _ in result.stream_events():
            pass
        return result

    def _given(self, case: Case) -> Any:
        if self._functions.input is not None:
            return self._functions.input(case)
        before = input_items(said_before(case))
        if not before and isinstance(case.input, str):
            return case.input
        return [*before, {"role": "user", "content": case.input}]

    def _output(self, result: Any) -> Json:
        if self._functions.output is not None:
            return self._functions.output(result)
        if getattr(result, "interruptions", None):
            asked = [{"tool": i.name, "arguments": i.arguments} for i in result.interruptions]
            return {"interrupt": shown(asked)}
        return result.final_output

    def tools(self) -> tuple[ToolDefinition, ...]:
        """The function tools of the agent, and of those that it hands over to."""
        found: dict[str, ToolDefinition] = {}
        todo, seen = [self._source.agent], set()
        while todo:
            agent = todo.pop()
            if agent is None or id(agent) in seen:
                continue
            seen.add(id(agent))
            for tool in getattr(agent, "tools", ()):
                if hasattr(tool, "params_json_schema"):
                    found.setdefault(tool.name, _definition(tool))
            for other in getattr(agent, "handoffs", ()):
                reference = getattr(other, "_agent_ref", None)
                target = reference() if callable(reference) else other
                name = getattr(other, "tool_name", None) or _hand_off_name(target)
                found.setdefault(name, ToolDefinition(name=name))
                todo.append(target)
        return tuple(found[name] for name in sorted(found))


def input_items(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Messages as items of the responses API, in which the SDK takes its input."""
    items: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "tool":
            output = words(message.content)
            call_id = message.tool_call_id or "call_1"
            items.append({"type": "function_call_output", "call_id": call_id, "output": output})
            continue
        if message.content:
            items.append({"role": message.role, "content": words(message.content)})
        items += [
            {
                "type": "function_call",
                "call_id": request.call_id or f"call_{number}",
                "name": request.name,
                "arguments": json.dumps(request.arguments or {}, ensure_ascii=False),
            }
            for number, request in enumerate(message.tool_requests, start=1)
        ]
    return items


def _definition(tool: Any) -> ToolDefinition:
    return ToolDefinition(
        name=tool.name, description=tool.description, parameters=shown(tool.params_json_schema)
    )


def _hand_off_name(agent: Any) -> str:
    sdk = framework("agents", "openai-agents")
    name: str = sdk.Handoff.default_tool_name(agent)
    return name


def _hooks(sdk: Any, capture: Capture) -> Any:
    """Writes down which agent is at it, and who hands over to whom."""

    def note(kind: str, name: str) -> None:
        place = capture.open()
        step = Other(
            step_id=capture.id_at(place),
            started_at=capture.start_of(place),
            kind=kind,
            name=name,
        )
        capture.close(place, step)

    class Hooks(sdk.RunHooks):  # type: ignore[misc]  # the SDK is loaded late
        async def on_agent_start(self, context: Any, agent: Any) -> None:
            note("agent", agent.name)

        async def on_handoff(self, context: Any, from_agent: Any, to_agent: Any) -> None:
            note("handoff", f"{from_agent.name} -> {to_agent.name}")

    return Hooks()
