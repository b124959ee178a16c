"""What ``replay init`` is pointed at: platforms that say what they are, object stores."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from anonymize.errors import SourceError, UsageError
from replay.init.flow import Asked, make
from replay.init.look import look_at
from replay.init.place import from_environment, place_of, probed
from tests.sources.platforms import standin
from tests.sources.platforms.standin import T0, Behaviour
from tests.sources.platforms.test_files_anywhere import BUCKET, langsmith_rows, parquet, put
from tests.sources.platforms.test_files_anywhere import s3 as s3

NOW = T0 + timedelta(hours=2)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGFUSE_SECRET_KEY", "sk-very-secret")
    monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", "pk-very-secret")
    monkeypatch.setenv("LANGSMITH_API_KEY", "sk-very-secret")
    monkeypatch.setattr("anonymize.sources.remote.patience._WAITS", (0.0,) * 3)


@contextmanager
def answering(answers: dict[str, tuple[int, str]]) -> Iterator[tuple[str, list[str]]]:
    """A server with these answers, by path; what it was asked, with its headers."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers}")
            status, body = answers.get(self.path, (404, "no"))
            self.send_response(status)
            if status in (301, 302):
                self.send_header("Location", body)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with standin.serving(Handler) as url:
        yield url, asked


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/arize_phoenix_version", "20.26.1", "phoenix"),
        ("/version", "3.10.0", "mlflow"),
        ("/api/public/health", '{"status": "OK", "version": "3.90.0"}', "langfuse"),
        ("/info", '{"version": "0.12", "batch_ingest_config": {}}', "langsmith"),
        ("/arize_phoenix_version", "<html>an app that answers everything</html>", ""),
        ("/version", '{"major": "1"}', ""),
        ("/", "hello", ""),
    ],
)
def test_a_server_is_asked_what_it_is_without_any_key(path: str, body: str, kind: str) -> None:
    with answering({path: (200, body)}) as (url, asked):
        assert probed(url) == kind
    assert asked
    assert not [a for a in asked if "secret" in a or "uthorization" in a]


def test_a_server_that_sends_one_elsewhere_is_not_followed() -> None:
    with answering({"/arize_phoenix_version": (200, "1.0")}) as (other, asked):
        moved = {"/arize_phoenix_version": (302, f"{other}/arize_phoenix_version")}
        with answering(moved) as (url, _):
            assert probed(url) == ""
    assert not asked
    with pytest.raises(UsageError, match="does not say what it is"):
        place_of("http://127.0.0.1:9", name="prod")  # nobody there


def test_clouds_are_known_by_their_names_and_keys_are_named_never_read() -> None:
    asked: list[str] = []
    place = place_of("https://eu.cloud.langfuse.com/", name="lf", probe=asked.append)  # type: ignore[arg-type]
    assert place.table == {
        "kind": "langfuse",
        "url": "https://eu.cloud.langfuse.com",
        "key_env": "LANGFUSE_SECRET_KEY",
        "public_key_env": "LANGFUSE_PUBLIC_KEY",
    }
    smith = place_of("https://api.smith.langchain.com", name="ls", project="shop", probe=str)
    assert (smith.kind, smith.table["key_env"]) == ("langsmith", "LANGSMITH_API_KEY")
    assert not asked
    found = {kind: url for kind, url, _ in from_environment()}
    assert found["langfuse"] == "https://cloud.langfuse.com"


@pytest.mark.parametrize("kind", ["langfuse", "langsmith"])
def test_a_platform_is_looked_at_newest_first_and_its_keys_stay_out(kind: str) -> None:
    behaviour = Behaviour()
    if kind == "langfuse":
        handler = standin.langfuse_handler(
            standin.observations(30), behaviour, ("pk-very-secret", "sk-very-secret")
        )
    else:
        handler = standin.langsmith_handler(standin.runs(30), behaviour, "sk-very-secret")
    with standin.serving(handler) as url:
        place = place_of(url, name="prod", kind=kind, project="shop")
        seen = look_at(place, 12, now=NOW)
        assert "very-secret" not in str(place.table)
        assert seen.traces == 12
        assert (seen.about, len(seen.tools)) == ("the newest", 1)
        assert seen.health is not None
        assert seen.health.playable == 12
        with pytest.raises(SourceError, match="no trace of the last year"):
            look_at(place, 12, now=NOW - timedelta(days=600))


def test_an_object_store_is_looked_at_and_its_options_stay_with_it(s3: Any, tmp_path: Path) -> None:
    put(s3, "init/part-0.parquet", parquet(langsmith_rows(4)))
    put(s3, "init/part-1.parquet", parquet(langsmith_rows(4)))
    made = make(Asked(source=f"s3://{BUCKET}/init{s3.where}", path=tmp_path / "replay.toml"))
    assert made.seen.traces == 4
    table = tomllib.loads(made.text)["sources"]["prod"]
    assert table["path"] == f"s3://{BUCKET}/init{s3.where}"
    with pytest.raises(SourceError, match="there is no such file"):
        make(Asked(source=f"s3://{BUCKET}/nothing{s3.where}", path=tmp_path / "r.toml"))


def test_an_exporters_address_names_the_server_and_a_password_is_never_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.delenv("LANGFUSE_SECRET_KEY")
    monkeypatch.delenv("LANGSMITH_API_KEY")
    monkeypatch.setenv("PHOENIX_COLLECTOR_ENDPOINT", "http://127.0.0.1:6006/v1/traces")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mei:very-secret@mlflow.example")
    found = {kind: url for kind, url, _ in from_environment()}
    assert found["phoenix"] == "http://127.0.0.1:6006"
    monkeypatch.setattr("click.prompt", lambda *_, **__: "2")
    with pytest.raises(UsageError, match="a URL with a user") as told:
        make(Asked(path=tmp_path / "replay.toml", interactive=True))
    assert "mlflow at https://mlflow.example" in capsys.readouterr().out
    assert "very-secret" not in str(told.value)


def test_a_store_in_a_bucket_is_not_taken_for_a_source(s3: Any, tmp_path: Path) -> None:
    put(s3, "store/_manifests/2026-03-02.json", b"{}")
    put(s3, "store/traces/date=2026-03-02/part.parquet", b"PAR1")
    with pytest.raises(UsageError, match="a store of scrubbed traces") as told:
        make(Asked(source=f"s3://{BUCKET}/store{s3.where}", path=tmp_path / "replay.toml"))
    assert "endpoint_override" not in str(told.value)
