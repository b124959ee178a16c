"""MCP clients inside of an agent: every session talks to the recording, no server is reached.

The official package reaches servers through three functions (a child process, two kinds of HTTP).
Their work is replaced in place, so it does not matter who has imported them under what name, and
frameworks that are built on them (LangChain's adapters, FastMCP) follow.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Any

from anonymize.trace import Json
from replay.agents.frameworks import framework
from replay.agents.mcp_servers import offered_by
from replay.agents.serving import Serving, current
from replay.serve.mcp import answer

_MARK = "_replay_stand_in"
_TRANSPORTS = (
    ("mcp.client.stdio", "stdio_client"),
    ("mcp.client.sse", "sse_client"),
    ("mcp.client.streamable_http", "streamable_http_client"),
    ("mcp.client.streamable_http", "streamablehttp_client"),
)
_ROOM = 100


def install() -> None:
    """Replace the transports' work in this process, once. Outside of a replay nothing changes."""
    # Version 1 told the id of an HTTP session as well.
    old = not hasattr(framework("mcp.types", "mcp"), "jsonrpc_message_adapter")
    for module_name, name in _TRANSPORTS:
        function = getattr(importlib.import_module(module_name), name, None)
        cells = getattr(function, "__closure__", None)
        if not cells:
            continue
        for cell in cells:
            work = cell.cell_contents
            if callable(work) and not hasattr(work, _MARK):
                cell.cell_contents = _instead(work, three=old and "http" in name)


def install_if_there() -> None:
    """For frameworks that may use the package: only if it is installed."""
    if find_spec("mcp") is not None:
        install()


def _instead(work: Callable[..., Any], *, three: bool) -> Callable[..., Any]:
    async def transport(*args: Any, **options: Any) -> AsyncIterator[Any]:
        serving = current("an MCP client")
        if serving is None:
            async with asynccontextmanager(work)(*args, **options) as streams:
                yield streams
            return
        async with _streams(_Recorded(serving, object())) as (read, write):
            yield (read, write, lambda: None) if three else (read, write)

    setattr(transport, _MARK, True)
    return transport


class _Recorded:
    """The recording as the server of one client: what :func:`replay.serve.mcp.answer` asks for."""

    def __init__(self, serving: Serving, server: object) -> None:
        self._serving = serving
        self._server = server

    def tools(self) -> list[dict[str, Json]]:
        return offered_by(self._serving, self._server, set(self._serving.kept.get("own tools", ())))

    def call(self, name: str, arguments: dict[str, Json]) -> tuple[Json, bool]:
        reply = self._serving.ask(name, arguments)
        return reply.value, reply.failed


@asynccontextmanager
async def _streams(server: Any) -> AsyncIterator[tuple[Any, Any]]:
    """The ends of two streams of messages, with the recorded server at the others."""
    anyio: Any = importlib.import_module("anyio")
    to_client, read = anyio.create_memory_object_stream(_ROOM)
    write, from_client = anyio.create_memory_object_stream(_ROOM)

    async def serve() -> None:
        async with to_client, from_client:
            async for message in from_client:
                said = message.message.model_dump(by_alias=True, mode="json", exclude_none=True)
                reply = answer(server, said)
                if reply is not None:
                    await to_client.send(_message(reply))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve)
        try:
            yield read, write
        finally:
            tasks.cancel_scope.cancel()


def _message(reply: Json) -> Any:
    types = framework("mcp.types", "mcp")
    adapter = getattr(types, "jsonrpc_message_adapter", None)
    parsed = (
        adapter.validate_python(reply)
        if adapter is not None
        else types.JSONRPCMessage.model_validate(reply)
    )
    return framework("mcp.shared.message", "mcp").SessionMessage(parsed)
