"""The loopback server of a replay: models at ``/s/ID/v1/...``, tools at ``/s/ID/mcp``.

A thread for each connection, from the standard library: it serves one agent on one machine, the
world it asks is made of plain calls, and every worker starts one, so it has to cost nothing to
load. It listens on 127.0.0.1 alone, and takes no request that a web page could make: the name it
was called by has to be that of this machine, and so has the page's, if there is one.
"""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
import traceback
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from anonymize.errors import UsageError
from anonymize.jsontools import JsonError, dumps, loads
from anonymize.trace import Json
from replay.agents.outside import is_loopback
from replay.errors import BrokenReplay
from replay.serve.llm import Asked, Upstreams, forward
from replay.serve.mcp import INVALID_REQUEST, PARSE_ERROR, answer, refusal
from replay.serve.sessions import ONLY, Session, Sessions, path_of

#: Bytes of one request: a model call may carry images.
MAX_BODY = 64_000_000
_MAX_LINE = 65_536
_IDLE = 300.0


class Gateway:
    """The server. It runs from the moment it is made until :meth:`close`.

    ``opener`` makes sessions as they are asked for; others are added to ``sessions``.

    Raises:
        UsageError: the port is taken.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        upstreams: Upstreams | None = None,
        opener: Callable[[str], Session | None] | None = None,
    ) -> None:
        self.sessions = Sessions(opener)
        self.upstreams = upstreams or Upstreams()
        try:
            self._server = _Server(port, self)
        except OSError as error:
            raise UsageError(
                f"port {port} of this machine can't be had: {error.strerror or error}",
                fix="name another one, or 0 for any; a fixed port needs workers = 1",
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="replay-gateway", daemon=True
        )
        self._thread.start()

    @property
    def host(self) -> str:
        """``127.0.0.1:PORT``."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def addresses(self, session_id: str = ONLY) -> dict[str, str]:
        """Where an agent finds the models and tools of its replay.

        ``url`` (status as JSON), ``openai_base_url`` and ``anthropic_base_url`` as the vendors'
        SDKs take them, ``mcp_url`` (streamable HTTP).
        """
        base = f"{self.url}{path_of(session_id)}"
        return {
            "url": base,
            "openai_base_url": f"{base}/v1",
            "anthropic_base_url": base,
            "mcp_url": f"{base}/mcp",
        }

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port: int, gateway: Gateway) -> None:
        self.gateway = gateway
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away between requests is no matter."""


class _TooLarge(Exception):
    pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "replay"
    sys_version = ""
    timeout = _IDLE
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: paths and bodies are the agent's own."""

    def _serve(self) -> None:
        if not self._is_ours():
            self.close_connection = True
            return self._refuse(403, "this server answers programs of this machine alone")
        try:
            body = self._body()
        except _TooLarge:
            self.close_connection = True
            return self._refuse(413, f"a request has up to {MAX_BODY:,} bytes")
        except ValueError:
            self.close_connection = True
            return self._refuse(400, "the body of the request can't be read")
        path, _, query = self.path.partition("?")
        parts = path.split("/", 3)
        if len(parts) < 3 or parts[1] != "s":
            return self._refuse(404, "an address here begins with /s/TRACE/")
        name, rest = unquote(parts[2]), f"/{parts[3]}" if len(parts) > 3 else ""
        try:
            session = self._gateway.sessions.get(name)
        except (UsageError, BrokenReplay) as error:
            return self._refuse(409, str(error))
        if session is None:
            return self._refuse(404, "there is no open replay of that trace")
        target = f"{rest}?{query}" if query else rest
        try:
            return self._in_session(session, target, body)
        except OSError:  # the agent went away; what it asked for is in its trace
            self.close_connection = True
            return None
        # A mistake of ours must not look like one of the agent's, or like its model's.
        except Exception as error:
            session.env.world.end(BrokenReplay(f"the replay's server failed: {_place(error)}"))
            self.cut(reset=True)
            return None

    def _in_session(self, session: Session, target: str, body: bytes) -> None:
        path = target.partition("?")[0].strip("/")
        if path == "mcp":
            return self._mcp(session, body)
        if not path and session.finish is not None and self.command in ("POST", "DELETE"):
            session.finish(body if self.command == "POST" else None)
            return self._status(session)
        if not path:
            return self._status(session)
        asked = Asked(self.command, target, dict(self.headers.items()), body)
        return forward(asked, session, self._gateway.upstreams, self)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    @property
    def _gateway(self) -> Gateway:
        return cast("_Server", self.server).gateway

    def _is_ours(self) -> bool:
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        origin = self.headers.get("Origin")
        page = urlsplit(origin).hostname if origin is not None else "localhost"
        return bool(host and is_loopback(host) and page and is_loopback(page))

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= MAX_BODY:
            raise _TooLarge
        found = self.rfile.read(length) if length else b""
        if len(found) < length:
            raise ValueError
        return found

    def _chunks(self) -> bytes:
        found = bytearray()
        while size := int(self.rfile.readline(_MAX_LINE).partition(b";")[0], 16):
            if size < 0 or len(found) + size > MAX_BODY:
                raise _TooLarge
            found += self.rfile.read(size)
            self.rfile.readline(_MAX_LINE)
        while self.rfile.readline(_MAX_LINE).strip():  # trailers
            pass
        return bytes(found)

    def _mcp(self, session: Session, body: bytes) -> None:
        if self.command != "POST":
            # No stream of the server's own, and no session to end: nothing happens by itself.
            return self.answer(405, {"Allow": "POST"}, b"")
        try:
            message = loads(body)
        except JsonError as error:
            return self._json(400, refusal(PARSE_ERROR, str(error)))
        found = answer(session, message)
        if found is None:
            return self.answer(202, {}, b"")
        accept = self.headers.get("Accept", "")
        if "event-stream" in accept and "json" not in accept:
            data = b"event: message\ndata: " + dumps(found).encode() + b"\n\n"
            return self.answer(200, {"Content-Type": "text/event-stream"}, data)
        refused = found.get("error") if isinstance(found, dict) else None
        bad = refused is not None and refused.get("code") == INVALID_REQUEST
        return self._json(400 if bad else 200, found)

    def _status(self, session: Session) -> None:
        world = session.env.world
        ended = session.ended
        self._json(
            200,
            {
                "trace_id": session.id,
                "fidelity": world.fidelity,
                "misses": list(world.misses),
                "blocked": list(world.blocked),
                "unconsumed": list(world.unconsumed()),
                "ended": ended.reason if ended else None,
            },
        )

    def _refuse(self, status: int, message: str) -> None:
        # Both vendors' SDKs would ask twice more.
        body = {"error": {"message": message, "type": "replay"}}
        self._json(status, body, {"x-should-retry": "false"})

    def _json(self, status: int, value: Json, headers: Mapping[str, str] | None = None) -> None:
        told = {"Content-Type": "application/json", **(headers or {})}
        self.answer(status, told, dumps(value).encode())

    # --- what a forwarded call is answered through (replay.serve.llm.Reply)

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.begin(status, {**headers, "Content-Length": str(len(body))})
        if body and self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def write(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def cut(self, *, reset: bool = False) -> None:
        """Break the connection off, so that the agent sees what a client would have seen."""
        self.close_connection = True
        if not reset:
            return
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


def _place(error: Exception) -> str:
    """Kind and place of an error, without its text, which may hold anything."""
    frames = traceback.extract_tb(error.__traceback__)
    last = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}{last}"
