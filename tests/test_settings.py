"""Config tables become dataclasses, and every wrong key gets an answer that helps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from anonymize.errors import UsageError
from anonymize.settings import load_toml, nearest, parse_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    depth: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    name: str
    ratio: float = 0.5
    mode: Literal["read", "write"] = "read"
    tags: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    maybe: str | None = None
    inner: Inner = field(default_factory=Inner)
    anything: Any = None


def test_a_full_table_becomes_its_dataclass() -> None:
    table = parse_table(
        Table,
        {
            "name": "x",
            "ratio": 1,
            "mode": "write",
            "tags": ["a"],
            "env": {"K": "v"},
            "maybe": "m",
            "inner": {"depth": 3},
            "anything": [1, {}],
        },
        "t",
    )
    assert table == Table(
        name="x",
        ratio=1.0,
        mode="write",
        tags=("a",),
        env={"K": "v"},
        maybe="m",
        inner=Inner(depth=3),
        anything=[1, {}],
    )


@pytest.mark.parametrize(
    ("table", "where", "says"),
    [
        ({"nmae": "x"}, "t.nmae", "did you mean 'name'?"),
        ({}, "t", "add: name"),
        ({"name": 3}, "t.name", "expected a string, got an integer"),
        ({"name": "x", "ratio": True}, "t.ratio", "expected a number, got true or false"),
        ({"name": "x", "mode": "wirte"}, "t.mode", "did you mean 'write'?"),
        ({"name": "x", "tags": "a"}, "t.tags", "expected a list"),
        ({"name": "x", "tags": [1]}, "t.tags[0]", "expected a string"),
        ({"name": "x", "env": {"A": 1}}, "t.env.A", "expected a string"),
        ({"name": "x", "inner": {"deep": 1}}, "t.inner.deep", "did you mean 'depth'?"),
        ({"name": "x", "inner": []}, "t.inner", "expected a table"),
        ([], "t", "expected a table, got a list"),
    ],
)
def test_a_wrong_table_says_what_where_and_what_to_do(table: Any, where: str, says: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_table(Table, table, "t")
    assert error.value.where == where
    assert says in str(error.value)


def test_a_trailing_underscore_lets_a_key_be_a_python_keyword() -> None:
    @dataclass(frozen=True)
    class Keyed:
        from_: str = ""

    assert parse_table(Keyed, {"from": "here"}, "t").from_ == "here"


def test_nothing_is_suggested_for_a_word_that_is_like_no_choice() -> None:
    assert nearest("zzzz", ["alpha", "beta"]) is None


def test_broken_toml_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "replay.toml"
    path.write_text("a = 1\nb = = 2\n")
    with pytest.raises(UsageError, match="line 2"):
        load_toml(path)


def test_a_missing_config_says_how_to_name_another(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        load_toml(tmp_path / "none.toml")
