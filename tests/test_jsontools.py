"""JSON from strangers: limits hold, and texts can be stored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymize.jsontools import (
    JsonError,
    canonical,
    clean_text,
    depth_of_text,
    digest,
    dumps,
    leaves,
    loads,
    loads_or_text,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_a_value_survives_text_and_back(value: object) -> None:
    assert loads(dumps(value)) == value
    assert loads(canonical(value)) == value


@given(st.dictionaries(st.text(), st.integers(0, 9), min_size=2))
def test_the_order_of_keys_does_not_change_the_digest(value: dict[str, int]) -> None:
    assert digest(dict(reversed(value.items()))) == digest(value)


@pytest.mark.parametrize("text", ["[" * 10_000, "[" * 10_000 + "]" * 10_000, '{"a":' * 10_000])
def test_ten_thousand_levels_are_refused_before_anything_recursive_sees_them(text: str) -> None:
    with pytest.raises(JsonError, match="nested deeper"):
        loads(text)


def test_brackets_inside_strings_are_not_nesting() -> None:
    assert depth_of_text(b'["[[[[", {"a": "}}{{"}]') == 2
    assert loads('["' + "[" * 500 + '"]') == ["[" * 500]


def test_many_shallow_brackets_are_not_depth() -> None:
    assert len(loads("[" + ",".join(["[]"] * 500) + "]")) == 500


def test_an_unterminated_string_full_of_escapes_costs_linear_time() -> None:
    # Quadratic work on this input would take minutes; the suite's time limit would end it.
    assert depth_of_text(b'"' + b'\\"' * 2_000_000) == 0


@given(st.text(alphabet=st.characters(codec=None)))
def test_cleaned_text_can_always_be_encoded(text: str) -> None:
    cleaned, changed = clean_text(text)
    cleaned.encode("utf-8")
    assert "\x00" not in cleaned
    assert changed or cleaned == text


def test_a_split_surrogate_pair_is_joined_not_lost() -> None:
    assert clean_text("\ud83d\ude00") == ("\U0001f600", True)


@pytest.mark.parametrize("text", ["007", "true", '"x"', "", "hello", "{broken"])
def test_only_objects_and_arrays_are_parsed_out_of_text(text: str) -> None:
    assert loads_or_text(text) == text


def test_leaves_come_with_their_paths_in_order() -> None:
    value = {"a": [1, {"b": None}], "c": "x"}
    assert list(leaves(value)) == [("$.a[0]", 1), ("$.a[1].b", None), ("$.c", "x")]


def test_the_message_of_a_parse_error_holds_no_content() -> None:
    with pytest.raises(JsonError) as error:
        loads('{"email": "mei@corp.internal"')
    assert "mei" not in str(error.value)
