"""A server of one tool, for ``frames.py``'s ``mcp``."""

from __future__ import annotations

import sys

sys.argv = ["server"]
try:
    from mcp.server.mcpserver import MCPServer as Server
except ImportError:
    from mcp.server.fastmcp import FastMCP as Server

server = Server("weather")


@server.tool()
def get_weather(city: str) -> str:
    """Weather of a city"""
    return {"Oslo": "3 degrees", "Rome": "20 degrees"}.get(city, "unknown")


if __name__ == "__main__":
    server.run()
