"""Whatever an agent hands over, as JSON with limits."""

from __future__ import annotations

import dataclasses
import enum
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import PurePosixPath
from uuid import UUID

import pytest

from replay.plain import MAX_SIZE, NotPlain, fresh, plain


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


@dataclasses.dataclass
class Point:
    x: int
    tags: tuple[str, ...] = ()


class Model:
    def model_dump(self, mode: str) -> dict:
        return {"mode": mode}


@pytest.mark.parametrize(
    ("value", "json"),
    [
        ((1, "a", None, True, 2.5), [1, "a", None, True, 2.5]),
        ({1: "a", "b": {"c": ()}}, {"1": "a", "b": {"c": []}}),
        (Point(1, ("a",)), {"x": 1, "tags": ["a"]}),
        (Model(), {"mode": "json"}),
        (Color.RED, "red"),
        (Level.LOW, 1),
        ({"b", "a"}, ["a", "b"]),
        (Decimal("1.50"), "1.50"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (PurePosixPath("/a/b"), "/a/b"),
        (b"abc", "<3 bytes>"),
        (float("nan"), None),
        (2**80, str(2**80)),
        ("a\0b\ud800", "a\ufffdb\ufffd"),
    ],
)
def test_known_types_become_json(value: object, json: object) -> None:
    assert plain(value) == json
    assert type(plain(value)) is type(json)


def test_a_type_without_a_json_form_is_named_with_its_place() -> None:
    with pytest.raises(NotPlain, match=r"test_plain\.Point at \$\.a\[1\]"):
        plain({"a": [1, Point]} | {"a": [1, type("Point", (), {"__module__": "test_plain"})()]})


def test_what_contains_itself_is_refused() -> None:
    loop: list = []
    loop.append(loop)
    with pytest.raises(NotPlain, match="nested deeper"):
        plain(loop)


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(NotPlain, match="larger than"):
        plain(["x" * (MAX_SIZE // 2)] * 3)


def test_a_fresh_copy_shares_nothing_mutable() -> None:
    value = {"a": [1, {"b": 2}]}
    copy = fresh(value)
    copy["a"][1]["b"] = 3
    assert value == {"a": [1, {"b": 2}]}
