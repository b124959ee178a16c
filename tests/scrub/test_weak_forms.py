"""Postal codes and coarse positions have no room for a strong check: what is done about it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from anonymize.keys import PseudonymKey
from anonymize.policy import ScrubPolicy
from anonymize.scrub import Scrubber
from anonymize.scrubbed import ScrubbedTrace
from anonymize.surrogates import Surrogates
from anonymize.trace import Trace

KEY = PseudonymKey(b"0123456789abcdef" * 4)
FORMS = Surrogates(KEY)


def scrubbed(value: Any) -> Any:
    (made,) = Scrubber.create(ScrubPolicy(), KEY).scrub_all([Trace(trace_id="t", input=value)])
    assert isinstance(made, ScrubbedTrace)
    return made.trace.input


def taken_for_surrogates(entity: str, values: list[str]) -> list[str]:
    return [value for value in values if FORMS.make(entity, value) == value]


#: Codes of Helsinki, Rome, Oslo and San Francisco's longitudes, as the forms would read them.
CODES = [f"00{number:03d}" for number in range(100, 400)]
SHORT = [f"0{number:03d}" for number in range(100, 400)]
COARSE = [f"-122.{number:02d}" for number in range(100)]


@pytest.mark.parametrize(
    ("entity", "values"), [("POSTAL_CODE", CODES), ("POSTAL_CODE", SHORT), ("COORDINATES", COARSE)]
)
def test_some_real_values_look_like_surrogates_and_are_replaced_all_the_same(
    entity: str, values: list[str]
) -> None:
    alike = taken_for_surrogates(entity, values)
    assert len(alike) > 10
    changed = [value for value in alike if FORMS.first(entity, value) != value]
    assert len(changed) >= len(alike) - 1  # a permutation may have a fixed point
    for value in changed:
        made = FORMS.first(entity, value)
        assert FORMS.make(entity, made) == made


@pytest.mark.parametrize("code", taken_for_surrogates("POSTAL_CODE", CODES)[:8])
def test_a_real_code_beside_a_real_name_goes(code: str) -> None:
    whole = {"name": "Pekka Hämäläinen", "address": f"Tehtaankatu 29 A 6, {code} Helsinki"}
    made = scrubbed(whole)
    assert code not in json.dumps(made)
    assert scrubbed(made) == made


@pytest.mark.parametrize("digits", [2, 3, 4, 6])
def test_positions_of_two_decimals_and_more_become_others_of_the_same_form(digits: int) -> None:
    value = f"{37.774929:.{digits}f}"
    made = FORMS.first("COORDINATES", value)
    assert made != value
    assert len(made.split(".")[1]) == digits
    assert FORMS.make("COORDINATES", made) == made


def test_a_position_as_wide_as_a_town_stays() -> None:
    assert FORMS.first("COORDINATES", "37.8") == "37.8"
