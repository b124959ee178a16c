"""MCP over standard input and output: a JSON-RPC message on each line.

Either for a session of this process, or as a bridge to the server of a running replay, for
agents that start their MCP servers as programs.
"""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Callable
from typing import BinaryIO
from urllib.parse import urlsplit

from anonymize.errors import UsageError
from anonymize.jsontools import JsonError, dumps, loads
from anonymize.trace import Json
from replay.serve.mcp import INVALID_REQUEST, PARSE_ERROR, RUN_OVER, answer, refusal
from replay.serve.sessions import Session

MAX_LINE = 8_000_000


def serve_lines(handle: Callable[[bytes], bytes], source: BinaryIO, sink: BinaryIO) -> None:
    """Answer each line of ``source`` on ``sink``, until it ends. ``b""`` is no answer."""
    while line := source.readline(MAX_LINE):
        if len(line) >= MAX_LINE and not line.endswith(b"\n"):
            found = dumps(refusal(INVALID_REQUEST, "the message is too long")).encode()
            while line and not line.endswith(b"\n"):
                line = source.readline(MAX_LINE)
        elif line.strip():
            found = handle(line)
        else:
            continue
        if found:
            sink.write(found + b"\n")
            sink.flush()


def in_session(session: Session) -> Callable[[bytes], bytes]:
    """Answers of this session."""

    def handle(line: bytes) -> bytes:
        try:
            message = loads(line)
        except JsonError as error:
            return dumps(refusal(PARSE_ERROR, str(error))).encode()
        found = answer(session, message)
        return b"" if found is None else dumps(found).encode()

    return handle


class Bridge:
    """Hands each message on to the MCP server at ``url``, which is on this machine."""

    def __init__(self, url: str) -> None:
        from replay.agents.outside import is_loopback, port_of

        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or not is_loopback(parts.hostname):
            raise UsageError(f"'{url}' is no address of a replay on this machine")
        self._path = parts.path
        self._connection = http.client.HTTPConnection(parts.hostname, port_of(parts), timeout=600)

    def __call__(self, line: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        try:
            self._connection.request("POST", self._path, line.strip(), headers)
            found = self._connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return self._gone(line)
        return found.strip()

    def _gone(self, line: bytes) -> bytes:
        message: Json = None
        with contextlib.suppress(JsonError):
            message = loads(line)
        call_id = message.get("id") if isinstance(message, dict) else None
        if call_id is None:
            return b""
        return dumps({**refusal(RUN_OVER, "the replay is over"), "id": call_id}).encode()
