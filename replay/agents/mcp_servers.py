"""MCP servers that an agent talks to through a framework: not started, answered from the record.

Nobody recorded which tool came from which server, so the first server that is asked lists all
tools that the agent does not have by itself, and any server answers any of them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from anonymize.trace import Json
from replay.agents.frameworks import framework
from replay.agents.serving import Reply, Serving, current
from replay.errors import ToolError
from replay.serve.tools import listed_tools

_MARK = "_replay_stand_in"


def offered_by(serving: Serving, server: Any, own: set[str]) -> list[dict[str, Json]]:
    """The entries of ``tools/list`` for this server; ``own`` are the agent's other tools."""
    first = serving.kept.setdefault("mcp server", server)
    if first is not server:
        return []
    env = serving.env
    names = [n for n in env.tools.names if n not in own]
    definitions = [d for d in env.definitions if d.name not in own]
    return listed_tools(names, definitions, env.world.recording.calls)


def call_result(types: Any, reply: Reply) -> Any:
    """An answer as a server gives it."""
    return result_of(types, reply.as_text(), failed=reply.failed)


def result_of(types: Any, text: str, *, failed: bool) -> Any:
    """A ``CallToolResult`` with this text, in either version of the package."""
    content = [types.TextContent(type="text", text=text)]
    fields = types.CallToolResult.model_fields
    key = "is_error" if "is_error" in fields else "isError"
    return types.CallToolResult(content=content, **{key: failed})


def tools_of(types: Any, entries: list[dict[str, Json]]) -> list[Any]:
    """Entries of ``tools/list`` as objects of the package."""
    return [types.Tool.model_validate(entry) for entry in entries]


def asked(serving: Serving, types: Any, name: str, arguments: Any) -> Any:
    """``tools/call``: a server tells of a tool that raised in its answer."""
    try:
        reply = serving.ask(name, arguments or {}, None)
    except ToolError as error:
        return result_of(types, error.message or error.kind, failed=True)
    return call_result(types, reply)


def install_for_openai_agents() -> None:
    """Stand-ins for the SDK's MCP servers and for those that the agent's own code defines."""
    try:
        base = framework("agents.mcp", "openai-agents").MCPServer
    except (ImportError, AttributeError):  # the SDK comes without MCP
        return
    types = framework("mcp.types", "openai-agents")
    stand_ins: dict[str, Callable[..., Any]] = {
        "connect": _connect,
        "cleanup": _connect,
        "list_tools": functools.partial(_list_tools, types),
        "call_tool": functools.partial(_call_tool, types),
    }
    for cls in _below(base):
        for name, instead in stand_ins.items():
            real = vars(cls).get(name)
            if real is not None and not hasattr(real, _MARK):
                setattr(cls, name, _replaced(real, instead))


def _replaced(real: Callable[..., Any], instead: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(real)
    async def answered(self: Any, *args: Any, **options: Any) -> Any:
        serving = current("an MCP server")
        if serving is None:
            return await real(self, *args, **options)
        return instead(serving, self, *args, **options)

    setattr(answered, _MARK, True)
    return answered


def _connect(serving: Serving, server: Any) -> None:
    """Nothing to connect to."""


def _list_tools(types: Any, serving: Serving, server: Any, *args: Any, **options: Any) -> list[Any]:
    agent = args[1] if len(args) > 1 else options.get("agent")
    own = {getattr(tool, "name", "") for tool in getattr(agent, "tools", ())}
    own |= {getattr(h, "tool_name", "") for h in getattr(agent, "handoffs", ())}
    own |= {n for n in serving.env.tools.names if n.startswith("transfer_to_")}
    return tools_of(types, offered_by(serving, server, own))


def _call_tool(
    types: Any, serving: Serving, server: Any, tool_name: str, arguments: Any, *args: Any, **kw: Any
) -> Any:
    return asked(serving, types, tool_name, arguments)


def _below(cls: Any) -> Iterator[Any]:
    for child in cls.__subclasses__():
        yield child
        yield from _below(child)
