"""Cassettes of vcrpy: all of the shared ones are played, hostile ones are refused, ours go back."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from anonymize.errors import SourceError
from replay.intercept import router, vcr_files
from replay.intercept.cassette import Cassette, Interaction
from replay.intercept.playing import PlayingScope, within
from replay.intercept.vcr_files import read_cassette, write_cassette
from tests.engine.http_support import CLIENTS, Got, events, headers_of, recorded, send
from tests.support import SHARED, shared

FOLDER = SHARED / "cassettes"
FILES = sorted(p for p in FOLDER.rglob("*") if p.suffix in (".yaml", ".yml", ".json"))
NAMES = [str(p.relative_to(FOLDER)) for p in FILES]


@pytest.fixture(scope="module")
def patched() -> Iterator[None]:
    with router.install():
        yield


def interactions(name: str) -> list[Interaction]:
    path = shared("cassettes") / name
    try:
        return read_cassette(path)
    except SourceError:
        if "claude-agent-sdk" in name:
            pytest.skip("messages of a command line program, recorded by other means: no HTTP")
        raise


def family(item: Interaction) -> str:
    """The client that made a recording."""
    agent = headers_of(item).get("user-agent", "")
    if "amazonaws.com" in item.uri or "boto" in agent.lower():
        return "botocore"
    if "python-requests" in agent:
        return "requests"
    if "aiohttp" in agent:
        return "aiohttp"
    return "httpx-async" if agent.startswith("Async") else "httpx"


def check(got: Got, item: Interaction) -> None:
    assert got.status == item.status
    assert got.body == item.response
    for name, values in item.header_lists().items():
        assert got.headers[name].strip() == ", ".join(values).strip() or len(values) > 1


@pytest.mark.parametrize("name", NAMES or [pytest.param("", id="none")])
def test_each_recorded_request_gets_its_recorded_response(patched: None, name: str) -> None:
    items = interactions(name)
    assert items
    with within(PlayingScope(Cassette(items))):
        for item in items:
            check(send(family(item), item), item)


@pytest.mark.parametrize("client", CLIENTS)
def test_any_client_gets_the_recorded_response(patched: None, client: str) -> None:
    shared("cassettes")
    for name in NAMES[::9]:
        if "claude-agent-sdk" not in name:
            items = interactions(name)
            with within(PlayingScope(Cassette(items))):
                for item in items:
                    check(send(client, item), item)


def test_all_shared_cassettes_come_back_from_parquet(tmp_path: Path) -> None:
    shared("cassettes")
    items = [i for n in NAMES if "claude-agent-sdk" not in n for i in interactions(n)]
    Cassette(items).save(tmp_path / "all.parquet")
    assert list(Cassette.load(tmp_path / "all.parquet")) == items
    assert len(items) > 300


# --- written by us


def test_export_and_import_keep_what_vcrpy_has_no_place_for(tmp_path: Path) -> None:
    items = [
        recorded("abcd", trace_id="t", latency_ms=3.0, offsets=(0, 2), ms=(3.0, 9.0)),
        recorded(events("x"), failure="open"),
        recorded(b"\x00\xff", url="https://h.example/binary"),
    ]
    write_cassette(tmp_path / "c.yaml", items)
    assert read_cassette(tmp_path / "c.yaml") == items


def test_failures_are_left_out_of_an_export_and_counted(tmp_path: Path) -> None:
    from dataclasses import replace

    failed = replace(recorded(), status=0, failure="reset")
    assert write_cassette(tmp_path / "c.yaml", [recorded("x"), failed]) == (1, 1)


# --- files of all kinds


def entry(body: object = "x", headers: dict | None = None, **response: object) -> dict:
    return {
        "request": {"method": "GET", "uri": "https://h.example/x", "body": None, "headers": {}},
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": headers or {},
            "body": {"string": body},
            **response,
        },
    }


def written(tmp_path: Path, document: object, name: str = "c.yaml") -> Path:
    path = tmp_path / name
    dump = json.dumps if name.endswith(".json") else yaml.safe_dump
    path.write_text(document if isinstance(document, str) else dump(document))
    return path


def read_one(tmp_path: Path, item: dict) -> Interaction:
    (found,) = read_cassette(written(tmp_path, {"interactions": [item], "version": 1}))
    return found


def test_json_cassettes_are_read_too(tmp_path: Path) -> None:
    path = written(tmp_path, {"version": 1, "interactions": [entry("hé")]}, "c.json")
    assert [i.response for i in read_cassette(path)] == ["hé".encode()]


def test_a_body_that_was_unpacked_before_it_was_recorded_loses_its_coding(tmp_path: Path) -> None:
    headers = {"Content-Encoding": ["gzip"], "Content-Length": ["20"], "Retry-After": ["1"]}
    assert read_one(tmp_path, entry("plain text", headers)).header_lists() == {"retry-after": ["1"]}
    packed = gzip.compress(b"plain text")
    found = read_one(tmp_path, entry(packed, {"Content-Encoding": ["gzip"]}))
    assert (found.response, found.header_lists()) == (packed, {"content-encoding": ["gzip"]})


def test_json_that_was_edited_since_is_whole_and_other_bodies_are_cut_off(tmp_path: Path) -> None:
    long = {"Content-Length": ["100"]}
    assert "content-length" not in read_one(tmp_path, entry('{"a":1}', long)).header_lists()
    assert read_one(tmp_path, entry('{"a":', long)).header_lists()["content-length"] == ["100"]
    assert read_one(tmp_path, entry("hello", long)).header_lists()["content-length"] == ["100"]


def test_the_older_form_of_httpx_is_read(tmp_path: Path) -> None:
    item = entry()
    item["response"] = {"status_code": 201, "content": "old", "headers": {}, "http_version": "1"}
    found = read_one(tmp_path, item)
    assert (found.status, found.response) == (201, b"old")


def test_aliases_as_pyyaml_writes_them_are_fine(tmp_path: Path) -> None:
    same = {"Content-Type": ["text/plain"]}
    document = {"version": 1, "interactions": [entry("a", same), entry("b", same)]}
    assert "&id001" in yaml.safe_dump(document)
    assert len(read_cassette(written(tmp_path, document))) == 2


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(9)
)
HOSTILE = {
    "empty": ("", "empty"),
    "not yaml": ("interactions: [}", "not YAML.*line 1"),
    "cut off": ('interactions:\n- request: "abc', "not YAML"),
    "bomb": (BOMB, "aliases expand"),
    "loop": ("a: &a [*a]\ninteractions: []", "refers to what it is part of"),
    "deep": ("[" * 3000 + "]" * 3000, "nested deeper|not YAML"),
    "object": ("interactions: !!python/object/apply:os.system ['true']", "not YAML"),
    "old": ("- request: {}\n", "before 1.0"),
    "later": ("version: 2\ninteractions: []", "version of this cassette is 2"),
    "text version": ("version: secret\ninteractions: []", "is a str"),
    "no list": ("version: 1\nmessages: []", "no list of 'interactions'"),
    "text": ("just words", "no list of 'interactions'"),
    "no request": ("interactions: [{}]", "expected an object"),
    "no uri": ("interactions: [{request: {method: GET}, response: {}}]", "'uri'"),
    "relative": (
        "interactions: [{request: {method: GET, uri: /x}, response: {}}]",
        "whole address",
    ),
    "no status": (
        "interactions: [{request: {method: GET, uri: 'http://h/x'}, response: {}}]",
        "100 to 999",
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_or_damaged_file_is_refused_and_says_why(tmp_path: Path, kind: str) -> None:
    text, why = HOSTILE[kind]
    with pytest.raises(SourceError, match=f"(?s){why}") as caught:
        read_cassette(written(tmp_path, text))
    assert "c.yaml" in caught.value.where
    assert "secret" not in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe\x00interactions")
    with pytest.raises(SourceError, match="not text"):
        read_cassette(tmp_path / "c.yaml")
    with pytest.raises(SourceError, match="can't be read"):
        read_cassette(tmp_path / "none.yaml")


def test_a_file_beyond_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vcr_files, "MAX_BYTES", 10)
    with pytest.raises(SourceError, match="is the most"):
        read_cassette(written(tmp_path, {"interactions": []}))
