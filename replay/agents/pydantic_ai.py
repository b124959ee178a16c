"""Agents of Pydantic AI, as they are: ``target = "my.module:agent"``.

Toolsets are answered from the recording; dependencies come from a function of the user's
(``deps = "my.module:make_deps"``, called with the case), if the agent needs any.
"""

from __future__ import annotations

from typing import Any

from anonymize.trace import Json, ToolDefinition
from replay.agents import pydantic_ai_tools
from replay.agents.conversation import UserFunctions, said_before, words
from replay.agents.frameworks import framework
from replay.agents.serving import Serving, serving, shown
from replay.agents.source import Source
from replay.environment import Environment
from replay.recording import Case


def install() -> None:
    """Patch what has to be patched, before or after the agent is imported."""
    pydantic_ai_tools.install()


class PydanticAI:
    """Runs an agent with a case; its output is the output."""

    def __init__(self, source: Source, functions: UserFunctions) -> None:
        self._source = source
        self._functions = functions

    async def __call__(self, case: Case, env: Environment) -> Json:
        pydantic_ai_tools.install()  # for toolsets that came with the agent
        with serving(env) as serves:
            async with self._source.opened() as agent:
                serves.kept["own tools"] = [t.name for t in _tools(agent)]
                options: dict[str, Any] = {}
                if self._functions.deps is not None:
                    options["deps"] = self._functions.deps(case)
                history = _history(case, agent)
                given = case.input if self._functions.input is None else self._functions.input(case)
                result = None
                for said in (given, *case.turns):
                    if result is not None:
                        history = result.all_messages()
                    result = await self._turn(agent, said, history, options, serves)
                if self._functions.output is not None:
                    return self._functions.output(result)
                return _output(result)

    async def _turn(
        self, agent: Any, said: Any, history: Any, options: dict[str, Any], serves: Serving
    ) -> Any:
        sdk = framework("pydantic_ai", "pydantic-ai").Agent
        async with agent.iter(said, message_history=history or None, **options) as run:
            async for node in run:
                if sdk.is_call_tools_node(node):
                    async with node.stream(run.ctx) as events:
                        async for event in events:
                            _refused(event, serves)
                elif self._functions.stream and sdk.is_model_request_node(node):
                    async with node.stream(run.ctx) as parts:
                        async for _ in parts:
                            pass
        return run.result

    def tools(self) -> tuple[ToolDefinition, ...]:
        """The function tools of the agent."""
        return _tools(self._source.agent) if self._source.agent is not None else ()


def _tools(agent: Any) -> tuple[ToolDefinition, ...]:
    found: dict[str, ToolDefinition] = {}
    for toolset in getattr(agent, "toolsets", ()):
        for name, tool in (getattr(toolset, "tools", None) or {}).items():
            definition = getattr(tool, "tool_def", None)
            found[name] = ToolDefinition(
                name=name,
                description=getattr(definition, "description", "") or "",
                parameters=shown(getattr(definition, "parameters_json_schema", None)),
            )
    return tuple(found[name] for name in sorted(found))


def _refused(event: Any, serves: Serving) -> None:
    """A call whose arguments the agent's schema refuses never gets to a toolset."""
    calls: dict[str, Any] = serves.kept.setdefault("calls", {})
    kind = getattr(event, "event_kind", "")
    if kind == "function_tool_call":
        calls[event.part.tool_call_id] = event.part
    elif kind == "function_tool_result":
        part = getattr(event, "part", None) or event.result
        asked = calls.pop(part.tool_call_id, None)
        if asked is None or part.tool_call_id in serves.kept.get("arrived", ()):
            return
        error = ValueError(words(shown(getattr(part, "content", ""))))
        arguments = asked.args_as_dict()
        serves.note(asked.tool_name, arguments, part.tool_call_id, error=error)


def _history(case: Case, agent: Any) -> list[Any]:
    """The recorded history as the framework's messages, under the candidate's own prompt.

    The framework adds the prompt of a conversation only at its beginning.
    """
    before = said_before(case)
    if not before:
        return []
    m = framework("pydantic_ai.messages", "pydantic-ai")
    names = {r.call_id: r.name for message in before for r in message.tool_requests}
    prompts = getattr(agent, "_system_prompts", ())
    parts = [m.SystemPromptPart(content=p) for p in prompts if isinstance(p, str)]
    found: list[Any] = [m.ModelRequest(parts=parts)] if parts else []
    for message in before:
        if message.role == "assistant":
            texts = [m.TextPart(content=words(message.content))] if message.content else []
            calls = [
                m.ToolCallPart(tool_name=r.name, args=r.arguments, tool_call_id=r.call_id or "c")
                for r in message.tool_requests
            ]
            found.append(m.ModelResponse(parts=[*texts, *calls]))
            continue
        if message.role == "tool":
            part = m.ToolReturnPart(
                tool_name=message.name or names.get(message.tool_call_id, "tool"),
                content=message.content,
                tool_call_id=message.tool_call_id or "c",
            )
        else:
            part = m.UserPromptPart(content=words(message.content))
        if found and isinstance(found[-1], m.ModelRequest):
            found[-1] = m.ModelRequest(parts=[*found[-1].parts, part])
        else:
            found.append(m.ModelRequest(parts=[part]))
    return found


def _output(result: Any) -> Json:
    output = result.output
    if type(output).__name__ == "DeferredToolRequests":
        asked = [*output.calls, *output.approvals]
        return {"interrupt": [{"tool": c.tool_name, "arguments": c.args_as_dict()} for c in asked]}
    return output
