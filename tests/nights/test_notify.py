"""Who is told how a night went, over real sockets on loopback."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from anonymize.errors import UsageError
from replay.nights.metrics import write_metrics
from replay.nights.notify import (
    NotifySettings,
    email_message,
    notify,
    payload_of,
    slack_message,
    wanted,
)
from tests.sources.platforms.standin import serving


def document(*titles: str) -> dict[str, Any]:
    groups = [
        {
            "id": f"g{n}",
            "title": title,
            "code": "EFFECT_ADDED",
            "severity": "regression",
            "verdict": "regressed",
            "count": n + 1,
            "example": "t1",
            "why": "mei.kovacs@corp.example",
        }
        for n, title in enumerate(titles)
    ]
    figures = {"cost": 1.5, "input_tokens": 100, "output_tokens": None}
    return {
        "run": {
            "run_id": "2026-03-02",
            "candidate": "v2",
            "baseline": "v1",
            "duration_s": 12.5,
        },
        "verdict": {"status": "regressed", "exit_code": 1, "sentence": "3 of 9 traces regressed."},
        "counts": {"compared": 9, "regressed": 3, "codes": {"EFFECT_ADDED": 3}},
        "groups": groups,
        "metrics": {"baseline": figures, "candidate": figures},
    }


@contextmanager
def hook(*statuses: int) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A server that answers with ``statuses``, one after the other, and keeps what it got."""
    got: list[tuple[dict[str, str], bytes]] = []
    left = list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(left.pop(0) if left else 200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with serving(Handler) as url:
        yield f"{url}/hook", got


@pytest.mark.parametrize(
    ("when", "verdict", "before", "told"),
    [
        ("always", "pass", "pass", True),
        ("bad", "pass", "regressed", False),
        ("bad", "inconclusive", None, True),
        ("change", "pass", "regressed", True),
        ("change", "pass", "pass", False),
        ("change", "pass", None, False),
        ("change", "regressed", "regressed", True),
    ],
)
def test_who_wants_to_know(when: Any, verdict: str, before: str | None, told: bool) -> None:
    assert wanted(NotifySettings(when=when), verdict, before) is told


def test_a_webhook_gets_signed_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", "hush")
    with hook() as (url, got):
        settings = NotifySettings(webhook=url, webhook_secret_env="HOOK_SECRET")
        assert notify(payload_of(document("refund twice"), settings), settings) == []
    ((headers, body),) = got
    signed = headers["X-Replay-Timestamp"].encode() + b"." + body
    expected = hmac.new(b"hush", signed, hashlib.sha256).hexdigest()
    assert headers["X-Replay-Signature"] == f"sha256={expected}"
    message = json.loads(body)
    assert (message["verdict"], message["exit_code"]) == ("regressed", 1)
    assert message["groups"][0]["title"] == "refund twice"


def test_values_of_traces_are_not_sent() -> None:
    settings = NotifySettings()
    assert "kovacs" not in json.dumps(payload_of(document("refund twice"), settings))


def test_a_hook_that_fails_is_tried_again_and_then_said() -> None:
    with hook(500, 500) as (url, got):
        settings = NotifySettings(webhook=url)
        payload = payload_of(document(), settings)
        assert notify(payload, settings, sleep=lambda _: None) == []
        assert len(got) == 3
    said = notify(payload, settings, sleep=lambda _: None)  # nobody listens there any more
    assert said == ["the webhook could not be reached (URLError)"]


def test_slack_gets_blocks_in_which_titles_are_only_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = NotifySettings(slack_env="SLACK", report_url="https://ci.example/{run}")
    payload = payload_of(document("<!channel> *boo* & co"), settings)
    with hook() as (url, got):
        monkeypatch.setenv("SLACK", url)
        assert notify(payload, settings) == []
    text = json.loads(got[0][1])["blocks"][0]["text"]["text"]
    assert "<!channel>" not in text
    assert "&lt;!channel&gt;" in text
    assert "<https://ci.example/2026-03-02|report>" in text


def test_many_groups_are_counted_and_not_all_named() -> None:
    payload = payload_of(document(*(f"group {n}" for n in range(30))), NotifySettings())
    assert len(payload["groups"]) == 10
    assert payload["more_groups"] == 20
    text = slack_message(payload)["blocks"][0]["text"]["text"]
    assert "... and 25 more" in text


def test_mail_goes_through_a_mail_server() -> None:
    lines: list[str] = []
    ready = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = ready.accept()
        with connection, connection.makefile("rwb") as file:

            def say(text: str) -> None:
                file.write(text.encode() + b"\r\n")
                file.flush()

            say("220 ready")
            body = False
            for raw in file:
                line = raw.decode().rstrip("\r\n")
                lines.append(line)
                if body:
                    body = line != "."
                    if not body:
                        say("250 taken")
                elif line.upper().startswith("DATA"):
                    body = True
                    say("354 go on")
                elif line.upper().startswith("QUIT"):
                    say("221 bye")
                    return
                else:
                    say("250 ok")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    port = ready.getsockname()[1]
    settings = NotifySettings(
        email_to=("oncall@corp.example",),
        email_from="replay@corp.example",
        smtp=f"127.0.0.1:{port}",
        smtp_tls="none",
    )
    assert notify(payload_of(document("refund twice"), settings), settings) == []
    thread.join(5)
    ready.close()
    assert "Subject: replay 2026-03-02: regressed" in lines
    assert "- refund twice (1 traces, regression)" in lines


def test_a_subject_can_not_be_broken_out_of() -> None:
    payload = {**payload_of(document(), NotifySettings()), "run": "x\r\nBcc: all@corp.example"}
    with pytest.raises(ValueError, match=r"linefeed|newline"):
        email_message(payload, NotifySettings(email_to=("a@b.example",), email_from="c@d.example"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (NotifySettings(webhook="ftp://x"), "no http"),
        (NotifySettings(slack_env="NOT_SET"), "NOT_SET is empty"),
        (NotifySettings(webhook="http://x", webhook_secret_env="NOT_SET"), "NOT_SET is empty"),
        (NotifySettings(email_to=("a@b.example",)), "a server and a sender"),
    ],
)
def test_wrong_settings_are_told_before_anything_is_sent(
    settings: NotifySettings, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        notify(payload_of(document(), settings), settings)


def test_the_figures_are_prometheus_text(tmp_path: Path) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    write_metrics(tmp_path / "out" / "replay.prom", document("a", "b"), finished=1_772_500_000.0)
    text = (tmp_path / "out" / "replay.prom").read_text()
    found = {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["replay_traces_regressed"] == 3
    assert found["replay_groups"] == 2
    assert found["replay_exit_code"] == 1
    assert found["replay_candidate_cost"] == 1.5
    assert found["replay_last_finished_timestamp_seconds"] == 1_772_500_000.0
    assert "replay_candidate_output_tokens" not in found


def test_the_page_about_nights_names_every_key_and_its_example_is_one() -> None:
    import dataclasses
    import re
    import tomllib

    from anonymize.settings import parse_table
    from replay.config import ReplayConfig
    from replay.nights.settings import NightlySettings, settings_of
    from tests.support import ROOT

    page = (ROOT / "docs" / "nightly.md").read_text()
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.S)
    tables = tomllib.loads(example)
    settings, who = settings_of(ReplayConfig(nightly=tables["nightly"]))
    assert (settings.size, who.when) == (500, "change")
    assert parse_table(NotifySettings, tables["nightly"]["notify"], "x") == who
    for field in dataclasses.fields(NightlySettings):
        assert re.search(rf"\b{field.name}\b", page), field.name
