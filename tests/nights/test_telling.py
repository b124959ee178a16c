"""Messages that did not arrive: by which way, how often, how long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from replay.nights import notify as module
from replay.nights.history import read_night, write_night
from replay.nights.notify import NotifySettings, deliver, failure, slack_message, wanted
from replay.nights.telling import retry, tell, tell_failure
from tests.nights.test_nightly import night
from tests.nights.test_notify import document, hook
from tests.sources.platforms.standin import serving

DAY = date(2026, 3, 2)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TRIES", (0.0,))


@contextmanager
def answering(status: int, **headers: str) -> Iterator[tuple[str, list[str]]]:
    """A server that always answers so, and keeps how it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append("POST")
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()

        def do_GET(self) -> None:
            asked.append("GET")
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with serving(Handler) as url:
        yield f"{url}/x", asked


def test_only_the_way_that_failed_is_taken_again_and_any_night_does_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    night(tmp_path, DAY)
    folder = tmp_path / DAY.isoformat()
    said: list[str] = []
    monkeypatch.setenv("SLACK", "http://127.0.0.1:9/")
    with hook() as (url, got):
        who = NotifySettings(webhook=url, slack_env="SLACK")
        tell(document("refund twice"), who, tmp_path, DAY, said.append)
        assert said == ["not told: the Slack hook could not be reached (URLError)"]
        retry(who, tmp_path, said.append)
        assert len(got) == 1
    assert read_night(folder)["untold"]["ways"] == ["the Slack hook"]
    with hook() as (other, slack), hook() as (url, got):
        monkeypatch.setenv("SLACK", other)
        who = NotifySettings(webhook=url, slack_env="SLACK")
        for _ in range(2):
            retry(who, tmp_path, said.append)
            tell(document("refund twice"), who, tmp_path, DAY, said.append)
    assert (len(slack), len(got)) == (1, 0)
    known = read_night(folder)
    assert "untold" not in known
    assert known["told"] == "regressed"


def test_a_message_that_never_arrives_is_given_up_after_two_weeks(tmp_path: Path) -> None:
    night(tmp_path, DAY)
    folder = tmp_path / DAY.isoformat()
    write_night(folder, untold={"payload": {}, "ways": ["the webhook"], "since": 1_700_000_000})
    with hook() as (url, got):
        retry(NotifySettings(webhook=url), tmp_path, print)
    assert got == []
    assert "untold" not in read_night(folder)


def test_the_same_message_has_the_same_name_however_often_it_is_sent() -> None:
    payload = failure("2026-03-02", "v2", "the server can't be reached")
    with hook() as (url, got):
        for _ in range(2):
            assert deliver(payload, NotifySettings(webhook=url)) == {}
    names = {headers["X-Replay-Delivery"] for headers, _ in got}
    assert names == {payload["delivery"]}
    other = failure("2026-03-03", "v2", "the server can't be reached")
    assert other["delivery"] not in names


def test_a_failure_is_told_once_for_each_reason(tmp_path: Path) -> None:
    folder = tmp_path / DAY.isoformat()
    with hook() as (url, got):
        who = NotifySettings(webhook=url, when="bad")
        for what in ("down", "down", "full", "full"):
            tell_failure(what, "v2", who, folder, print)
    assert [json.loads(body)["sentence"] for _, body in got] == ["down", "full"]
    assert ":warning:" in str(slack_message(failure("2026-03-02", "v2", "down")))


@pytest.mark.parametrize(("status", "asked"), [(404, 1), (401, 1), (500, 3), (429, 3), (302, 1)])
def test_what_a_server_refuses_for_good_is_not_sent_again_at_once(
    status: int, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TRIES", (0.0, 0.0, 0.0))
    with answering(status, Location="/elsewhere", Retry_After="7") as (url, seen):
        waits: list[float] = []
        failed = deliver(failure("d", "v2", "x"), NotifySettings(webhook=url), sleep=waits.append)
    # A redirect is not followed: a POST would become a GET, and its body be lost.
    assert seen == ["POST"] * asked
    assert failed == {"the webhook": f"the webhook could not be reached ({status})"}
    assert waits == [0.0, *[7.0] * (asked - 1)]


def test_a_quiet_day_is_no_news_and_a_silent_source_is() -> None:
    for when in ("bad", "change"):
        who = NotifySettings(when=when)
        assert not wanted(who, "no traffic", "pass")
        assert wanted(who, "silent", "pass")
    assert wanted(NotifySettings(when="always"), "no traffic", "pass")
