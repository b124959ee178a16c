"""Recorded reads, made again in a live sandbox: what has drifted is told, and no value is."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from anonymize.trace import Json, ToolCall, Trace
from replay.cli import cli
from replay.verify.shapes import Difference, differences
from tests.engine.store_support import DAY, KEY, store_of
from tests.engine.support import called, make_trace

SANDBOX = """
import os, time
from replay.errors import ToolError

def same(name, arguments):
    return {"state": "open", "n": 1}

def drifted(name, arguments):
    return {"state": 7, "note": "mei.kovacs@corp.com"}

def other(name, arguments):
    return {"state": "closed", "n": 2}

def missing(name, arguments):
    raise ToolError("not_found", "no order of mei.kovacs@corp.com")

def hangs(name, arguments):
    time.sleep(60)

def dies(name, arguments):
    os._exit(1)

def leaves(name, arguments):
    import urllib.request
    return urllib.request.urlopen("http://192.0.2.1/").read().decode()

def refused(name, arguments):
    raise ConnectionRefusedError(111, "nobody there")
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPLAY_ANONYMIZE_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sandbox.py").write_text(SANDBOX)
    return tmp_path


def trace(n: int, *calls: ToolCall) -> Trace:
    made = make_trace(*calls, trace_id=f"t{n}", started_at=DAY)
    steps = tuple(dataclasses.replace(s, step_id=f"s{i}") for i, s in enumerate(made.steps))
    return dataclasses.replace(made, steps=steps)


def order(n: int, result: Json = None) -> ToolCall:
    return called("get_order", {"order_id": str(n)}, result or {"state": "open", "n": 1})


def configure(live: str, more: str = "", sandbox: str = "") -> None:
    Path("replay.toml").write_text(
        f"[replay]\ntimeout = 3\nworkers = 1\n{sandbox}\n"
        f'[tools.get_order]\neffect = "read"\nlive = "{live}"\n{more}\n'
    )


def verify(*args: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(cli, ["verify", "--json", *args])
    assert isinstance(done.exception, SystemExit | None), done.exception
    return done.exit_code, json.loads(done.output)


def kinds(document: dict[str, Any]) -> dict[str, str]:
    (tool,) = document["tools"]
    return {d["path"]: d["kind"] for d in tool["differences"]}


def test_a_sandbox_that_answers_alike_is_the_same() -> None:
    store_of(Path("traces"), [trace(n, order(n)) for n in range(3)])
    configure("sandbox:same")
    code, found = verify()
    assert (code, found["verdict"]) == (0, "same")
    assert found["tools"][0]["asked"] == 3


def test_drift_is_exit_code_1_and_no_live_value_is_told(here: Path) -> None:
    store_of(Path("traces"), [trace(n, order(n)) for n in range(3)])
    configure("sandbox:drifted")
    code, found = verify("--out", "drift.json")
    assert (code, found["verdict"]) == (1, "drift")
    assert kinds(found) == {"$.state": "type", "$.n": "missing", "$.note": "added"}
    state = next(d for d in found["tools"][0]["differences"] if d["path"] == "$.state")
    assert (state["recorded"], state["live"], state["calls"]) == ("text", "number", 3)
    assert state["example"]["tool_call"] == 1
    text = CliRunner().invoke(cli, ["verify"]).output
    assert max(map(len, text.splitlines())) <= 80
    assert "text -> number" in text
    assert "corp.com" not in text + json.dumps(found) + (here / "drift.json").read_text()


def test_other_values_keep_the_contract_unless_it_is_strict() -> None:
    store_of(Path("traces"), [trace(1, order(1))])
    configure("sandbox:other")
    assert verify()[0] == 0
    code, found = verify("--strict")
    assert (code, found["verdict"]) == (1, "values")
    configure("sandbox:other", 'ignore_result = ["$.state", "$.n"]')
    assert verify("--strict")[1]["verdict"] == "same"


def test_a_tool_that_fails_now_has_drifted() -> None:
    store_of(Path("traces"), [trace(1, order(1))])
    configure("sandbox:missing")
    code, found = verify()
    assert code == 1
    (difference,) = found["tools"][0]["differences"]
    assert (difference["recorded"], difference["live"]) == ("an answer", "not_found")


@pytest.mark.parametrize(
    ("live", "why"),
    [("hangs", "3 s"), ("dies", "died"), ("leaves", "192.0.2.1"), ("refused", "can't be reached")],
)
def test_a_sandbox_that_is_not_there_says_nothing_about_a_contract(live: str, why: str) -> None:
    store_of(Path("traces"), [trace(1, order(1))])
    configure(f"sandbox:{live}")
    code, found = verify()
    assert (code, found["verdict"]) == (2, "could not run")
    (reason,) = found["tools"][0]["broken"]
    assert why in reason


def test_only_declared_reads_are_asked_and_none_after_a_write() -> None:
    write = called("cancel", {"order_id": "1"}, "ok")
    store_of(Path("traces"), [trace(1, order(1), write, order(2)), trace(2, order(3), order(3))])
    configure("sandbox:same", '[tools.cancel]\neffect = "write"\nlive = "sandbox:dies"')
    code, found = verify()
    assert code == 0
    assert [t["tool"] for t in found["tools"]] == ["get_order"]
    assert (found["tools"][0]["asked"], found["tools"][0]["left_out"]) == (2, 1)
    assert "not declared to read" in found["not_asked"]["cancel"]
    assert verify("--limit", "1")[1]["tools"][0]["asked"] == 1
    assert CliRunner().invoke(cli, ["verify", "cancel"]).exception is not None


class Shop(BaseHTTPRequestHandler):
    """A stand-in for a production-like service; answers POST with what it was asked."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        ok = self.headers.get("Authorization") == "Bearer sesame"
        body = json.dumps({"state": "open", "n": 1, **asked["arguments"]} if ok else {}).encode()
        self.send_response(200 if ok else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shop() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_an_allowed_address_is_asked_with_its_headers(
    shop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_AUTH", "Bearer sesame")
    store_of(Path("traces"), [trace(1, order(1, {"state": "open", "n": 1, "order_id": "1"}))])
    allowed = f'[sandbox]\nallow_hosts = ["127.0.0.1:{shop}"]\n'
    headers = '[sandbox.headers]\nAuthorization = "SHOP_AUTH"\n'
    configure(f"http://127.0.0.1:{shop}/tools", sandbox=allowed + headers)
    assert verify()[1]["verdict"] == "same"
    configure(f"http://127.0.0.1:{shop}/tools", sandbox=allowed)
    _, found = verify()
    assert found["tools"][0]["differences"][0]["live"] == "http_401"


def test_an_address_that_is_not_allowed_is_refused_before_anything_runs(shop: int) -> None:
    store_of(Path("traces"), [trace(1, order(1))])
    configure(f"http://127.0.0.1:{shop}/tools")
    from anonymize.errors import UsageError

    done = CliRunner().invoke(cli, ["verify"])
    assert isinstance(done.exception, UsageError)
    assert "allow_hosts" in done.exception.fix


# --- differences

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(values)
def test_an_answer_does_not_differ_from_itself(value: Json) -> None:
    assert differences(value, value) == frozenset()


@given(values, values)
def test_a_path_shows_no_value_and_no_odd_key(one: Json, other: Json) -> None:
    for item in differences(one, other):
        assert set(item.path) <= set("$.[]*_-") | set(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        )


@pytest.mark.parametrize(
    ("recorded", "live", "expected"),
    [
        ({"a": 1}, {"a": 1.0}, None),
        ({"a": 1}, {"a": "1"}, Difference("type", "$.a", "number", "text")),
        ({"a": 1}, {"a": None}, Difference("null", "$.a", "number", "null")),
        ([1, 2], [1], Difference("length", "$", "list", "list")),
        ([{"a": 1}], [{"b": 1}], Difference("missing", "$[*].a", "number", "absent")),
        ({"mei@corp.com": 1}, {}, Difference("missing", "$.*", "number", "absent")),
        (
            {"day": "2026-03-01"},
            {"day": "01/03/2026"},
            Difference("form", "$.day", "text (date)", "text (other)"),
        ),
        ("2026-03-01", "2026-03-02", Difference("value", "$", "text", "text")),
        ('{"a": 1}', {"a": 1}, None),
        ("on its way", "sent 2026", Difference("value", "$", "text", "text")),
    ],
)
def test_shape_types_and_forms_are_told_from_values(
    recorded: Json, live: Json, expected: Difference | None
) -> None:
    found = differences(recorded, live)
    assert (expected in found) if expected else not found
