"""Node programs reach what the config allows and nothing else."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from replay.config import ReplayConfig
from replay.results import ReplayResult
from replay.runner import run
from tests.engine.node_support import node_folder
from tests.engine.support import make_trace


def reach(folder: Path, host: str, port: int, **agent: Any) -> ReplayResult:
    table = {"command": ["node", "reach.mjs"], **agent}
    config = ReplayConfig.from_tables(
        {"agents": {"x": table}, "replay": {"workers": 1, "timeout": 30.0}}, folder
    )
    (result,) = run([make_trace(input=[host, port])], "x", config)
    return result


@pytest.fixture
def server() -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    found = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=found.serve_forever, args=(0.02,), daemon=True).start()
    yield found.server_address[1]
    found.shutdown()
    found.server_close()


@pytest.mark.parametrize("host", ["192.0.2.1", "api.example.com"])
def test_no_way_leads_to_a_host_that_is_not_allowed(tmp_path: Path, host: str) -> None:
    result = reach(node_folder(tmp_path), host, 443)
    assert result.status == "broken", result.printed
    assert f"{host}:443 was blocked" in (result.broken_reason or "")
    assert f'allow_hosts = ["{host}:443"]' in (result.broken_reason or "")


def test_each_way_is_refused_like_a_host_that_is_down(tmp_path: Path) -> None:
    result = reach(node_folder(tmp_path), "192.0.2.1", 443, ignore_hosts=["192.0.2.1"])
    assert result.status == "ok", result.broken_reason
    assert set(result.trace.output.values()) == {"ECONNREFUSED"}


def test_an_allowed_host_is_reached_and_its_neighbour_is_not(tmp_path: Path, server: int) -> None:
    folder = node_folder(tmp_path)
    allowed = reach(folder, "127.0.0.1", server, allow_hosts=[f"127.0.0.1:{server}"])
    assert allowed.status == "ok", allowed.broken_reason
    assert (allowed.trace.output["fetch"], allowed.trace.output["net"]) == (204, "open")
    other = reach(folder, "127.0.0.1", server, allow_hosts=[f"127.0.0.1:{server + 1}"])
    assert other.status == "broken"
