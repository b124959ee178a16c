"""Bodies laid open for scrubbing, and put together again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.intercept.bodies import Unreadable, read_body, recut
from replay.intercept.headers import first
from tests.engine.http_support import as_json, events
from tests.support import shared

parts = st.lists(st.text(max_size=8), min_size=1, max_size=12)


@given(parts, st.text(max_size=60))
def test_a_recut_text_is_the_new_text_in_as_many_pieces(old: list[str], new: str) -> None:
    found = recut(old, new)
    assert "".join(found) == new
    assert len(found) == len(old)


@given(parts)
def test_an_unchanged_text_keeps_its_cuts(old: list[str]) -> None:
    assert recut(old, "".join(old)) == old


def test_cuts_outside_of_what_changed_stay() -> None:
    assert recut(["Dear ", "Ali", "ce", ", hello", "!"], "Dear Bob, hello!") == [
        "Dear ",
        "Bob",
        "",
        ", hello",
        "!",
    ]


def openai(text: str) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]})


def anthropic(text: str, index: int) -> str:
    delta = {"type": "input_json_delta", "partial_json": text}
    return json.dumps({"type": "content_block_delta", "index": index, "delta": delta})


def test_the_pieces_of_each_stream_are_one_text() -> None:
    body = events(openai("Al"), openai("ice"), "[DONE]")
    assert read_body(body, "text/event-stream").value["texts"] == ["Alice"]
    body = events(anthropic('{"name":', 0), anthropic('{"a":1}', 1), anthropic(' "Alice"}', 0))
    # Arguments are JSON once they are whole, and searched as such.
    assert read_body(body, "text/event-stream").value["texts"] == [{"name": "Alice"}, {"a": 1}]


def test_arguments_that_change_are_json_again() -> None:
    opened = read_body(events(anthropic('{"name":', 0), anthropic('"Alice"}', 0)), "")
    opened.value["texts"] = [{"name": "Bob"}]
    found = read_body(opened.write(opened.value), "")
    assert found.value["texts"] == [{"name": "Bob"}]
    assert opened.write(opened.value).count(b"data: ") == 2


@pytest.mark.parametrize(
    ("body", "kind", "value"),
    [
        (as_json({"a": [1]}), "application/json", {"a": [1]}),
        (b"a=1&b=x+y", "application/x-www-form-urlencoded", [["a", "1"], ["b", "x y"]]),
        ("só".encode(), "text/plain", "só"),
        (b"", "", ""),
    ],
)
def test_bodies_are_read_as_what_they_are(body: bytes, kind: str, value: Any) -> None:
    assert read_body(body, kind).value == value
    assert read_body(body, kind).write(value) in (body, as_json(value), b'{"a":[1]}')


@pytest.mark.parametrize("body", [b"\x89PNG\x00", b"\xff\xd8\xff", b"a\x00b"])
def test_what_is_no_text_is_unreadable_and_not_shown(body: bytes) -> None:
    with pytest.raises(Unreadable, match=r"^a binary body \(image/png\)$"):
        read_body(body, "image/png; x=secret")


def parsed(body: bytes) -> Any:
    lines = [line.removeprefix(b"data:").strip() for line in body.splitlines()]
    try:
        return json.loads(body)
    except ValueError:
        return [
            json.loads(line) if line[:1] in (b"{", b"[") and line != b"[DONE]" else line
            for line in lines
        ]


def test_shared_bodies_come_back_as_they_were() -> None:
    from anonymize.errors import SourceError
    from replay.intercept.vcr_files import read_cassette

    seen = 0
    for path in sorted(Path(shared("cassettes")).rglob("*.yaml")):
        try:
            items = read_cassette(path)
        except SourceError:
            continue
        for item in items:
            kind = first(item.header_lists(), "content-type")
            for body, what in ((item.request, item.content_type), (item.response, kind)):
                try:
                    opened = read_body(body, what)
                except Unreadable:
                    continue
                seen += bool(body)
                if body:
                    assert parsed(opened.write(opened.value)) == parsed(body), path.name
    assert seen > 500
