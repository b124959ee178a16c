"""The tools of Pydantic AI, answered from the recording: function toolsets, MCP, the user's own.

A call gets here after the framework has checked its arguments, and what is raised here goes
through the framework's own handling. Toolsets around others (renamed, filtered, approved) work as
in production.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from anonymize.trace import Json
from replay.agents.frameworks import framework
from replay.agents.mcp_servers import offered_by
from replay.agents.serving import Reply, Serving, current, error_class
from replay.errors import ToolError

_MARK = "_replay_stand_in"
_LEAVES = ("FunctionToolset", "MCPToolset", "MCPServer", "FastMCPToolset")


def install() -> None:
    """Patch all toolsets that are defined by now; again for those that come with an agent."""
    toolsets = framework("pydantic_ai.toolsets", "pydantic-ai")
    wrapper = toolsets.WrapperToolset
    for cls in _below(toolsets.AbstractToolset):
        ours = cls.__module__.partition(".")[0] == "pydantic_ai"
        if issubclass(cls, wrapper) or (ours and cls.__name__ not in _LEAVES):
            continue
        _replace(cls, "call_tool", _answered)
        if hasattr(cls, "direct_call_tool") or cls.__name__ == "FastMCPToolset":
            for name, instead in (
                ("__aenter__", _entered),
                ("__aexit__", _left),
                ("get_tools", _listed),
            ):
                _replace(cls, name, instead)


def _replace(cls: type, name: str, around: Callable[..., Any]) -> None:
    real = vars(cls).get(name)
    if real is None or hasattr(real, _MARK):
        return

    @functools.wraps(real)
    async def replaced(self: Any, *args: Any, **options: Any) -> Any:
        serving = current("a toolset")
        if serving is None:
            return await real(self, *args, **options)
        return await around(serving, real, self, *args, **options)

    setattr(replaced, _MARK, True)
    setattr(cls, name, replaced)


async def _entered(serving: Serving, real: Any, toolset: Any) -> Any:
    """Nothing to connect to."""
    return toolset


async def _left(serving: Serving, real: Any, toolset: Any, *args: Any) -> None:
    """Nothing to disconnect from."""


async def _listed(serving: Serving, real: Any, toolset: Any, ctx: Any) -> dict[str, Any]:
    tools = framework("pydantic_ai.tools", "pydantic-ai")
    found: dict[str, Any] = {}
    for entry in offered_by(serving, toolset, set(serving.kept.get("own tools", ()))):
        definition = tools.ToolDefinition(
            name=entry["name"],
            description=entry["description"],
            parameters_json_schema=entry["inputSchema"],
        )
        try:
            found[entry["name"]] = toolset.tool_for_tool_def(definition, ctx=ctx)
        except TypeError:  # before the context was wanted
            found[entry["name"]] = toolset.tool_for_tool_def(definition)
    return found


async def _answered(
    serving: Serving, real: Any, toolset: Any, name: str, tool_args: Any, ctx: Any, tool: Any
) -> Any:
    asked_name, arguments = _as_asked(ctx, name, tool_args)
    call_id = getattr(ctx, "tool_call_id", None)
    serving.kept.setdefault("arrived", set()).add(call_id)
    if serving.is_local(asked_name):
        with serving.watch(asked_name, arguments, call_id) as given:
            given.append(await real(toolset, name, tool_args, ctx, tool))
            return given[0]
    function = _function_of(toolset, name)

    def find(kind: str) -> type[BaseException] | None:
        return error_class(kind, function, framework("pydantic_ai.exceptions", "pydantic-ai"))

    try:
        reply = serving.ask(asked_name, arguments, call_id, errors=find)
    except ToolError as error:
        if function is None and hasattr(toolset, "direct_call_tool"):
            # What an MCP server says of a failure goes back to the model.
            retry = framework("pydantic_ai.exceptions", "pydantic-ai").ModelRetry
            raise retry(error.message or error.kind) from error
        raise
    return _in_its_form(function, reply)


def _as_asked(ctx: Any, name: str, validated: Any) -> tuple[str, dict[str, Any]]:
    """The name and the arguments of the model's own words, without what a schema filled in."""
    call_id = getattr(ctx, "tool_call_id", None)
    for message in reversed(getattr(ctx, "messages", None) or ()):
        for part in message.parts:
            if call_id and getattr(part, "tool_call_id", None) == call_id and hasattr(part, "args"):
                return part.tool_name, dict(part.args_as_dict())
    return name, dict(validated) if isinstance(validated, dict) else {"input": validated}


def _function_of(toolset: Any, name: str) -> Any:
    tool = (getattr(toolset, "tools", None) or {}).get(name)
    return getattr(tool, "function", None)


def _in_its_form(function: Any, reply: Reply) -> Json:
    returns = getattr(function, "__annotations__", {}).get("return")
    return reply.as_text() if returns in (str, "str") else reply.value


def _below(cls: Any) -> Iterator[Any]:
    for child in cls.__subclasses__():
        yield child
        yield from _below(child)
