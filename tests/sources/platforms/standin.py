"""A STAND-IN for Langfuse's and LangSmith's servers: their paths, and answers built from the
models of their own SDKs, so that an answer the SDK would not take can't be given.

It can be as bad as production: too busy, too large, cursors that expire, pages that repeat.
"""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

T0 = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass(slots=True)
class Behaviour:
    """What goes wrong. ``busy``: so many 429 answers first. ``cap``: bytes of an answer from which
    413 is given. ``expire_after``: pages after which a cursor is refused, once. ``repeat``: each
    page comes twice. ``broken``: so many 500 first. ``forget``: ids that lists have and pages not.
    ``circle``: what does not fit onto a page is never reached, its cursor leads back; ``endless``:
    the same page for ever, each time with a new cursor; ``sticky``: the last page has a cursor that
    leads to itself. ``elsewhere``: an address to be redirected to. ``page``: HTML in place of every
    answer. ``retry_after``: what a 429 says. ``mangle``: what becomes of each good answer.
    """

    busy: int = 0
    broken: int = 0
    cap: int = 5_000_000
    expire_after: int = 0
    repeat: bool = False
    forget: frozenset[str] = frozenset()
    circle: bool = False
    endless: bool = False
    sticky: bool = False
    elsewhere: str = ""
    page: str = ""
    retry_after: str = "0"
    mangle: Callable[[Any], Any] | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server on loopback until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one packet: in two, each takes 40 ms more

    def log_message(self, *args: object) -> None:
        pass

    def answer(self, status: int, body: Any, **headers: str) -> None:
        data = json.dumps(body, default=str).encode()
        if status == 200 and self.behaviour.mangle is not None:
            data = json.dumps(self.behaviour.mangle(json.loads(data))).encode()
        if status == 200 and len(data) > self.behaviour.cap:
            status, data = 413, b'{"message": "response too large"}'
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def refuses(self) -> bool:
        """Whether this request was turned down, or answered with what is no answer."""
        if self.behaviour.elsewhere:
            self.answer(302, {}, Location=self.behaviour.elsewhere + self.path)
            return True
        if self.behaviour.page:
            data = self.behaviour.page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            return True
        if self.behaviour.busy:
            self.behaviour.busy -= 1
            self.answer(429, {"message": "slow down"}, Retry_After=self.behaviour.retry_after)
            return True
        if self.behaviour.broken:
            self.behaviour.broken -= 1
            self.answer(500, {"message": "oh"})
            return True
        return False

    def page(
        self, items: Sequence[Any], cursor: str | None, limit: int
    ) -> tuple[Sequence[Any], str | None] | None:
        """The items of a page and the next cursor; ``None``: the cursor has expired."""
        repeat = self.behaviour.repeat
        begin, again = 0, False
        if cursor:
            text, _, mark = str(cursor).partition("-")
            if not text.isdecimal():
                return None
            begin, again = int(text), mark == "again"
        pages = begin // max(limit, 1)
        if self.behaviour.expire_after and pages >= self.behaviour.expire_after:
            self.behaviour.expire_after = 0
            return None
        end = begin + limit
        if self.behaviour.circle and end < len(items):
            return items[begin:end], "0-"
        if self.behaviour.endless:
            return items[:limit], f"0-{len(self.behaviour.asked)}"
        if self.behaviour.sticky and end >= len(items):
            return items[begin:end], cursor or "0-"
        if repeat and not again and end < len(items):
            return items[begin:end], f"{begin}-again"
        return items[begin:end], f"{end}-" if end < len(items) else None


def langfuse_handler(
    observations: Sequence[Any], behaviour: Behaviour, keys: tuple[str, str]
) -> type[BaseHTTPRequestHandler]:
    """``observations`` are ``ObservationV2`` of the SDK."""
    from langfuse.api.observations.types import ObservationsV2Meta, ObservationsV2Response

    wanted = "Basic " + b64encode(":".join(keys).encode()).decode()

    class Handler(_Handler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            asked = {k: v[0] for k, v in parse_qs(url.query).items()}
            behaviour.asked.append(asked)
            if self.headers.get("Authorization") != wanted:
                self.answer(401, {"message": "unknown key"})
                return
            if url.path != "/api/public/v2/observations":
                self.answer(404, {"message": url.path})
                return
            if self.refuses():
                return
            core = asked.get("fields") == "core"
            found = [o for o in observations if _langfuse_fits(o, asked)]
            if not core:
                found = [o for o in found if o.trace_id not in behaviour.forget]
            page = self.page(found, asked.get("cursor"), int(asked.get("limit", 50)))
            if page is None:
                self.answer(400, {"message": "invalid cursor"})
                return
            data, cursor = page
            meta = ObservationsV2Meta(cursor=cursor)
            response = ObservationsV2Response(data=list(data), meta=meta)
            self.answer(200, json.loads(response.json()))

    Handler.behaviour = behaviour
    return Handler


def _langfuse_fits(observation: Any, asked: dict[str, str]) -> bool:
    if "traceId" in asked:
        return bool(observation.trace_id == asked["traceId"])
    since, until = (datetime.fromisoformat(asked[k]) for k in ("fromStartTime", "toStartTime"))
    if asked.get("isRootObservation") == "true" and observation.parent_observation_id:
        return False
    return bool(since <= observation.start_time < until)


def observation(trace: int, number: int, **fields: Any) -> Any:
    """One of the three observations of a trace: agent, tool, generation."""
    from langfuse.api.commons.types import ObservationV2

    start = T0 + timedelta(minutes=trace, seconds=number)
    kinds: list[dict[str, Any]] = [
        {"type": "AGENT", "name": "shop", "input": "Where is A-17?", "output": "Shipped."},
        {
            "type": "TOOL",
            "name": "get_order",
            "input": {"order_id": "A-17"},
            "output": {"status": "shipped"},
        },
        {
            "type": "GENERATION",
            "name": "chat",
            "input": [{"role": "user", "content": "Where is A-17?"}],
            "output": {"role": "assistant", "content": "Shipped."},
            "model": "gpt-4o",
        },
    ]
    known = {
        "id": f"o{trace}-{number}",
        "trace_id": f"t{trace}",
        "start_time": start,
        "end_time": start + timedelta(seconds=10 if number == 0 else 0.5),
        "project_id": "p",
        "parent_observation_id": f"o{trace}-0" if number else None,
        "is_root_observation": number == 0,
        "session_id": f"s{trace}",
        "user_id": "u-1",
        "level": "DEFAULT",
        **kinds[number],
        **fields,
    }
    return ObservationV2(**known)


def observations(traces: int, **fields: Any) -> list[Any]:
    """Three observations each, newest first, as Langfuse sorts them."""
    found = [observation(t, n, **fields) for t in range(traces) for n in range(3)]
    return sorted(found, key=lambda o: o.start_time, reverse=True)


PROJECT = "11111111-2222-3333-4444-555555555555"


def langsmith_handler(
    runs: Sequence[dict[str, Any]], behaviour: Behaviour, key: str
) -> type[BaseHTTPRequestHandler]:
    """``runs`` as :func:`run` makes them; answers go through the SDK's ``Run``."""
    from langsmith.types.run import Run

    class Handler(_Handler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path == "/info":
                self.answer(200, {"version": "0.20.0", "batch_ingest_config": None})
            elif self.headers.get("x-api-key") != key:
                self.answer(401, {"detail": "unknown key"})
            elif url.path == "/sessions":
                name = parse_qs(url.query).get("name", [""])[0]
                project = {
                    "id": PROJECT,
                    "name": "shop",
                    "tenant_id": PROJECT,
                    "reference_dataset_id": None,
                    "start_time": T0.isoformat(),
                }
                self.answer(200, [project] if name == "shop" else [])
            else:
                self.answer(404, {"detail": url.path})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            behaviour.asked.append(body)
            if self.headers.get("x-api-key") != key:
                self.answer(401, {"detail": "unknown key"})
                return
            if urlsplit(self.path).path != "/api/v2/runs/query":
                self.answer(404, {"detail": self.path})
                return
            if self.refuses():
                return
            found = [r for r in runs if _langsmith_fits(r, body)]
            if "INPUTS" in body["selects"]:
                found = [r for r in found if r["trace_id"] not in behaviour.forget]
            page = self.page(found, body.get("cursor"), body["page_size"])
            if page is None:
                self.answer(400, {"detail": "cursor is not valid any more"})
                return
            chosen = [{k: r.get(k.lower()) for k in body["selects"]} for r in page[0]]
            items = [
                Run.model_validate({k.lower(): v for k, v in c.items()}).to_dict(mode="json")
                for c in chosen
            ]
            self.answer(200, {"items": items, "next_cursor": page[1]})

    Handler.behaviour = behaviour
    return Handler


def _langsmith_fits(one: dict[str, Any], body: dict[str, Any]) -> bool:
    if body["project_ids"] != [PROJECT]:
        return False
    if "trace_id" in body:
        return bool(one["trace_id"] == body["trace_id"])
    if body.get("is_root") and one["parent_run_ids"]:
        return False
    start = datetime.fromisoformat(one["start_time"])
    since = datetime.fromisoformat(body["min_start_time"])
    until = datetime.fromisoformat(body["max_start_time"])
    return since <= start < until


def run_of(trace: int, number: int, **fields: Any) -> dict[str, Any]:
    """One of the three runs of a trace: chain, tool, llm."""

    def identity(n: int) -> str:
        return f"00000000-0000-4000-8000-{trace:08d}{n:04d}"

    start = T0 + timedelta(minutes=trace, seconds=number)
    kinds: list[dict[str, Any]] = [
        {
            "run_type": "CHAIN",
            "name": "shop",
            "inputs": {"messages": [{"role": "user", "content": "Where is A-17?"}]},
            "outputs": {"output": "Shipped."},
        },
        {
            "run_type": "TOOL",
            "name": "get_order",
            "inputs": {"order_id": "A-17"},
            "outputs": {"output": {"status": "shipped"}},
        },
        {
            "run_type": "LLM",
            "name": "chat",
            "inputs": {"messages": [{"role": "user", "content": "Where is A-17?"}]},
            "outputs": {"role": "assistant", "content": "Shipped."},
            "prompt_tokens": 12,
            "completion_tokens": 3,
        },
    ]
    return {
        "id": identity(number),
        "trace_id": identity(0),
        "parent_run_ids": [identity(0)] if number else [],
        "is_root": number == 0,
        "start_time": start.isoformat(),
        "end_time": (start + timedelta(seconds=10 if number == 0 else 0.5)).isoformat(),
        "project_id": PROJECT,
        "thread_id": f"s{trace}",
        "status": "SUCCESS",
        "tags": ["prod"],
        **kinds[number],
        **fields,
    }


def runs(traces: int, **fields: Any) -> list[dict[str, Any]]:
    """Three runs each, newest first."""
    found = [run_of(t, n, **fields) for t in range(traces) for n in range(3)]
    return sorted(found, key=lambda r: str(r["start_time"]), reverse=True)
