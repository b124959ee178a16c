"""Cassettes: what makes two requests the same, what is kept, and what a kill leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vcr.request import Request

from anonymize.errors import UsageError
from replay.intercept.cassette import Cassette, Interaction
from replay.intercept.headers import canonical_uri, is_secret, without_secrets
from replay.intercept.keys import MatchRules, match_key
from replay.intercept.nearest import nearest_recorded
from replay.intercept.persist import CassetteWriter, is_scrubbed
from replay.intercept.rows import SCHEMA
from tests.engine.http_support import URL, as_json, recorded

JSON = "application/json"


def key(body: bytes = b"", kind: str = JSON, url: str = URL, **rules: tuple[str, ...]) -> str:
    return match_key("POST", url, kind, body, MatchRules(**rules))


# --- the same request


def test_the_order_of_keys_in_json_does_not_count() -> None:
    assert key(b'{"a": 1, "b": [1, 2]}') == key(b'{"b":[1,2],"a":1}')
    assert key(b'{"b":[1,2]}') != key(b'{"b":[2,1]}')


def test_a_request_for_bob_is_not_a_request_for_alice() -> None:
    assert key(b'{"user":"bob"}') != key(b'{"user":"alice"}')
    assert key(b"name=bob", "application/x-www-form-urlencoded") != key(
        b"name=alice", "application/x-www-form-urlencoded"
    )


def test_the_order_of_form_fields_and_of_the_query_does_not_count() -> None:
    form = "application/x-www-form-urlencoded; charset=utf-8"
    assert key(b"a=1&b=2", form) == key(b"b=2&a=1", form)
    assert key(url=f"{URL}?a=1&b=2") == key(url=f"{URL}?b=2&a=1")
    assert key(url=f"{URL}?a=1") != key(url=f"{URL}?a=2")


def multipart(boundary: str, *parts: tuple[str, str]) -> tuple[bytes, str]:
    text = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'
        for n, v in parts
    )
    return f"{text}--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def test_the_boundary_of_a_multipart_body_does_not_count() -> None:
    parts = (("file", "one"), ("purpose", "assistants"))
    assert key(*multipart("AAA", *parts)) == key(*multipart("b-b-b", *parts[::-1]))
    assert key(*multipart("AAA", *parts)) != key(*multipart("AAA", ("file", "two"), parts[1]))


def test_compression_of_a_request_does_not_count() -> None:
    import gzip

    body = b'{"a": 1}'
    assert key(gzip.compress(body, mtime=1)) == key(gzip.compress(body, mtime=2)) == key(body)


def test_fields_that_always_vary_can_be_named() -> None:
    rules = {"ignore_fields": ("$.metadata.id", "$.items[*].ts")}
    one = b'{"metadata":{"id":1,"n":2},"items":[{"ts":1,"v":1}]}'
    two = b'{"metadata":{"id":9,"n":2},"items":[{"ts":8,"v":1}]}'
    other = b'{"metadata":{"id":1,"n":3},"items":[{"ts":1,"v":1}]}'
    assert key(one, **rules) == key(two, **rules) != key(other, **rules)
    assert key(one) != key(two)
    assert key(url=f"{URL}?n=1&t=5", ignore_query=("t",)) == key(
        url=f"{URL}?n=1&t=6", ignore_query=("t",)
    )


def test_a_field_that_is_no_path_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="not a path"):
        MatchRules(ignore_fields=("metadata",))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HTTPS://API.Example.com:443/v1/things", URL),
        ("https://user:pass@api.example.com/v1/things", URL),
        (f"{URL}?api_key=1", f"{URL}?api_key=2"),
        ("https://h.example/a%3Ab", "https://h.example/a:b"),
        ("https://h.example", "https://h.example/"),
    ],
)
def test_addresses_that_mean_the_same(one: str, other: str) -> None:
    assert canonical_uri(one) == canonical_uri(other)


@pytest.mark.parametrize(
    "name", "key api_key apikey access_token X-Amz-Signature sig appid".split()
)
def test_parameters_that_hold_credentials(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", "page_token nextPageToken sort_key q code tokens monkey id".split()
)
def test_parameters_that_make_two_requests_different(name: str) -> None:
    assert not is_secret(name)


def test_an_escaped_slash_is_another_path() -> None:
    assert canonical_uri("https://h.example/a%2Fb") != canonical_uri("https://h.example/a/b")


@given(
    st.text(max_size=40), st.binary(max_size=80), st.sampled_from(["", JSON, "multipart/x", "a/b"])
)
def test_any_request_has_a_key_and_always_the_same(path: str, body: bytes, kind: str) -> None:
    url = f"https://h.example/{path}"
    assert match_key("POST", url, kind, body) == match_key("POST", url, kind, body)
    assert match_key("POST", without_secrets(url), kind, body) == match_key("POST", url, kind, body)


# --- what is kept


def test_credentials_and_unknown_headers_are_not_kept(tmp_path: Path) -> None:
    item = recorded(
        "{}",
        url="https://me:SECRET@api.example.com/v1?key=SECRET&access_token=SECRET&n=1",
        sent={"Authorization": "Bearer SECRET", "X-Mine": "SECRET", "Cookie": "a=SECRET"},
        headers={
            "Set-Cookie": ["s=SECRET"],
            "X-Customer": ["SECRET"],
            "Location": ["https://h.example/next?X-Amz-Signature=SECRET&page=2"],
            "Retry-After": ["3"],
        },
    )
    Cassette([item]).save(tmp_path / "c.parquet")
    assert "SECRET" not in repr(item)
    assert b"SECRET" not in (tmp_path / "c.parquet").read_bytes()
    assert item.uri == "https://api.example.com/v1?key=&access_token=&n=1"
    assert item.header_lists()["retry-after"] == ["3"]
    assert item.header_lists()["location"] == ["https://h.example/next?X-Amz-Signature=&page=2"]


def varied() -> list[Interaction]:
    return [
        recorded(b"\x00\xff\x80 binary", url=f"{URL}?q=1", trace_id="t1"),
        recorded("one", url="http://[::1]:8080/x", trace_id="t1"),
        recorded("two", url="http://[::1]:8080/x", trace_id="t1"),
        recorded("any", url="http://[::1]:8080/x"),
        recorded("abcdef", trace_id="é", latency_ms=2.5, offsets=(0, 2, 4), ms=(2.5, 3.5, 9.0)),
        replace(recorded(status=200), status=0, failure="reset"),
        recorded(method="POST", request=b"\xff\x00", sent={"content-type": "a/b"}, failure="open"),
    ]


def test_a_cassette_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    items = varied()
    Cassette(items).save(tmp_path / "c.parquet")
    found = Cassette.load(tmp_path / "c.parquet")
    assert list(found) == items
    assert len(found) == len(items)


def test_rows_are_sorted_by_key_and_have_the_documented_columns(tmp_path: Path) -> None:
    Cassette(varied()).save(tmp_path / "c.parquet")
    table = pq.read_table(tmp_path / "c.parquet")
    assert table.schema.remove_metadata() == SCHEMA
    keys = table.column("key").to_pylist()
    assert keys == sorted(keys)
    assert (
        pq.ParquetFile(tmp_path / "c.parquet").metadata.row_group(0).column(0).compression == "ZSTD"
    )


def test_equal_requests_are_answered_in_their_order_and_each_once(tmp_path: Path) -> None:
    Cassette(varied()).save(tmp_path / "c.parquet")
    found = Cassette.load(tmp_path / "c.parquet")
    wanted = varied()[1].key
    answers = [found.get("t1", wanted, n) for n in range(3)]
    assert [a and a.response for a in answers] == [b"one", b"two", None]
    assert found.get("another trace", wanted, 0).response == b"any"


def test_other_rules_than_a_cassette_was_written_under_find_its_rows(tmp_path: Path) -> None:
    item = recorded("x", method="POST", request=b'{"a":1,"t":5}')
    Cassette([item]).save(tmp_path / "c.parquet")
    rules = MatchRules(ignore_fields=("$.t",))
    asked = match_key("POST", URL, JSON, b'{"t":6,"a":1}', rules)
    assert Cassette.load(tmp_path / "c.parquet").get("", asked, 0) is None
    assert Cassette.load(tmp_path / "c.parquet", rules).get("", asked, 0).response == b"x"


def test_a_cassette_of_a_later_version_says_so(tmp_path: Path) -> None:
    path = tmp_path / "c.parquet"
    table = SCHEMA.empty_table().replace_schema_metadata({b"replay.cassette": b"2"})
    pq.write_table(table, path)
    with pytest.raises(UsageError, match="version 2"):
        Cassette.load(path)


def test_parquet_that_is_no_cassette_says_so(tmp_path: Path) -> None:
    pq.write_table(SCHEMA.empty_table(), tmp_path / "c.parquet")
    with pytest.raises(UsageError, match="not a cassette"):
        Cassette.load(tmp_path / "c.parquet")


def test_an_interrupted_save_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.parquet"
    Cassette(varied()).save(path)
    monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        Cassette().save(path)
    assert len(Cassette.load(path)) == len(varied())
    assert [p.name for p in tmp_path.iterdir()] == ["c.parquet"]


# --- the journal


def test_what_was_appended_is_there_before_and_after_it_is_merged(tmp_path: Path) -> None:
    path = tmp_path / "c.parquet"
    Cassette(varied()[:2]).save(path)
    writer = CassetteWriter(path)
    writer.append(varied()[2:4])
    writer.append(varied()[4:])
    assert list(Cassette.load(path)) == varied()
    writer.close()
    assert list(Cassette.load(path)) == varied()
    assert not path.with_name("c.parquet.journal").exists()
    assert not is_scrubbed(path)


def test_a_journal_that_was_merged_but_not_removed_counts_once(tmp_path: Path) -> None:
    path, journal = tmp_path / "c.parquet", tmp_path / "c.parquet.journal"
    writer = CassetteWriter(path)
    writer.append(varied())
    swallowed = journal.read_bytes()
    writer.close()
    journal.write_bytes(swallowed)  # the kill came between the two
    assert list(Cassette.load(path)) == varied()
    more = recorded("more")
    writer.append([more])
    assert list(Cassette.load(path)) == [*varied(), more]
    writer.close()
    assert list(Cassette.load(path)) == [*varied(), more]


@pytest.mark.parametrize("lost", [1, 7, 40])
def test_a_torn_end_costs_the_record_that_was_being_written(tmp_path: Path, lost: int) -> None:
    path, journal = tmp_path / "c.parquet", tmp_path / "c.parquet.journal"
    writer = CassetteWriter(path)
    writer.append(varied()[:1])
    writer.append(varied()[1:2])
    journal.write_bytes(journal.read_bytes()[:-lost])
    assert list(Cassette.load(path)) == varied()[:1]
    CassetteWriter(path).append(varied()[2:3])
    CassetteWriter(path).close()
    assert list(Cassette.load(path)) == [varied()[0], varied()[2]]


_WRITES = """
import sys
from pathlib import Path
from tests.engine.http_support import recorded
from replay.intercept.persist import CassetteWriter
for n in range(10_000):
    writer = CassetteWriter(Path(sys.argv[1]))
    writer.append([recorded(str(n), url=f"https://h.example/{n}")])
    print(n, flush=True)
    if n % 5 == 4:
        writer.close()
"""


@pytest.mark.parametrize("after", [0.05, 0.13, 0.31])
def test_kill_9_loses_nothing_that_was_said_to_be_written(tmp_path: Path, after: float) -> None:
    path = tmp_path / "c.parquet"
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITES, str(path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    said = [int(process.stdout.readline())]  # it has begun
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    said += [int(line) for line in process.stdout.read().split()]
    process.wait()
    found = [int(item.response) for item in Cassette.load(path)]
    assert found[: len(said)] == said  # one more may have got there, and not been said
    assert len(found) <= len(said) + 1


# --- explanations


def asked(body: object) -> Request:
    return Request("POST", URL, as_json(body), {"content-type": JSON})


def test_a_miss_names_the_paths_that_differ_and_no_value() -> None:
    cassette = Cassette([recorded(method="POST", request=as_json({"to": "x@y.example", "n": 1}))])
    text = nearest_recorded(cassette, asked({"to": "z@y.example", "n": 1}))
    assert text == "; the nearest of 1 recorded requests to that path differs at $.to"


def test_a_request_made_too_often_is_told_so() -> None:
    cassette = Cassette([recorded(method="POST", request=as_json({"n": 1}))])
    assert "used up" in nearest_recorded(cassette, asked({"n": 1}))
    assert "nothing was recorded" in nearest_recorded(Cassette(), asked({"n": 1}))
