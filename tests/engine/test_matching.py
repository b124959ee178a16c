"""When are two tool calls the same call?"""

from __future__ import annotations

import pytest

from anonymize.errors import UsageError
from replay.matching import differences, exact_key, likeness, normal_key, parse_path


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"n": 3}, {"n": "3"}),
        ({"n": 3}, {"n": 3.0}),
        ({"n": 3.5}, {"n": "3.5"}),
        ({"ok": True}, {"ok": "true"}),
        ({"ok": "True"}, {"ok": "true"}),
        ({"q": " two  words\n"}, {"q": "two words"}),
        ({"q": "e\u0301"}, {"q": "\u00e9"}),
        ({"a": 1, "b": None}, {"a": 1}),
        ({"a": {"b": None}}, {"a": {}}),
        ({"id": "call_abcdef123456"}, {"id": "toolu_01XYZabcdef"}),
        ({"x": 1, "tool_call_id": "a"}, {"x": 1, "tool_call_id": "b"}),
    ],
)
def test_notation_and_call_ids_do_not_count(one: object, other: object) -> None:
    assert exact_key(one) != exact_key(other)
    assert normal_key(one) == normal_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"id": "007"}, {"id": "7"}),
        ({"v": "1.10"}, {"v": "1.1"}),
        ({"city": "Oslo"}, {"city": "oslo"}),
        ({"n": 0}, {"n": None}),
        ({"n": 0}, {"n": ""}),
        ({"n": 1}, {"n": True}),
        ({"l": [1, 2]}, {"l": [2, 1]}),
        ({"l": []}, {}),
        ({"order": "4512"}, {"order": "999"}),
        (
            {"id": "3f2504e0-4f89-11d3-9a0c-0305e82c3301"},
            {"id": "3f2504e0-4f89-11d3-9a0c-0305e82c3302"},
        ),
        ({"request_id": "a"}, {"request_id": "b"}),
    ],
)
def test_what_may_mean_another_thing_counts(one: object, other: object) -> None:
    assert normal_key(one) != normal_key(other)


def test_key_order_never_counts() -> None:
    assert exact_key({"a": 1, "b": [1]}) == exact_key({"b": [1], "a": 1})


def test_ignored_paths_are_left_out() -> None:
    paths = [parse_path(p, "") for p in ("$.ts", "$.items[*].id", "$.deep.*.x", "$['odd key']")]
    one = {"ts": 1, "items": [{"id": 1, "n": 2}], "deep": {"a": {"x": 1}}, "odd key": 1}
    other = {"ts": 2, "items": [{"id": 9, "n": 2}], "deep": {"a": {"x": 5}}}
    assert normal_key(one, paths) == normal_key(other, paths)
    assert normal_key({"items": [{"n": 2}]}, paths) != normal_key({"items": [{"n": 3}]}, paths)


@pytest.mark.parametrize("text", ["", "$", "ts", "$.", "$.a[", "$.a[x]", "$..a"])
def test_a_path_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a path"):
        parse_path(text, "tools.x")


def test_big_integers_and_odd_text_have_keys() -> None:
    assert exact_key({"n": 2**70}) == exact_key({"n": 2**70}) != exact_key({"n": 2**70 + 1})
    assert exact_key({"s": "\ud800"}) == exact_key({"s": "\ud800"})


def test_likeness_is_the_share_of_leaves_in_common() -> None:
    assert likeness({"a": 1, "b": 2}, {"a": 1, "b": 2}) == 1.0
    assert likeness({"a": 1, "b": 2}, {"a": 1, "b": 3}) == pytest.approx(1 / 3)
    assert likeness({"a": 1}, {"b": 1}) == 0.0
    assert likeness({}, {}) == 1.0


def test_differences_name_path_and_both_values() -> None:
    said = differences({"city": "Oslo", "days": 2}, {"city": "Paris", "days": 2, "unit": "C"})
    assert "$.arguments.city: 'Oslo' != 'Paris'" in said
    assert "$.arguments.unit: absent != 'C'" in said
    assert "days" not in said


def test_differences_stay_short_however_large_the_arguments_are() -> None:
    assert len(differences({"q": "x" * 10_000}, {"q": "y" * 10_000})) < 400
    assert len(differences({"l": list(range(5_000))}, {"l": list(range(5_001))})) < 400
    assert differences({str(i): i for i in range(9)}, {}).endswith("...")
