"""The [compare] table."""

from __future__ import annotations

import pytest

from anonymize.errors import UsageError
from anonymize.settings import parse_table
from replay.compare import CompareSettings
from tests.compare.builders import call, diff, make_trace


def test_the_table_is_read_with_its_severities():
    table = {"severity": {"LATENCY": "off", "COST": "regression"}, "tokens": 1, "fail_on": "any"}
    settings = parse_table(CompareSettings, table, "[compare]")
    assert settings.severity == {"LATENCY": "off", "COST": "regression"}
    assert (settings.tokens, settings.fail_on) == (1.0, "any")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"severity": {"EFECT_ADDED": "off"}}, "did you mean 'EFFECT_ADDED'"),
        ({"severity": {"COST": "bad"}}, "'bad' is not one of"),
        ({"ignore": ["arguments.ts"]}, "starts with '$'"),
        ({"fidelity_threshold": 2}, "from 0 to 1"),
        ({"fail_on": "effect"}, "did you mean 'effects'"),
        ({"loop": 0}, "1 or more"),
        ({"latency": -1}, "from 0 up"),
    ],
)
def test_a_wrong_table_is_answered_with_a_way_out(table, words):
    with pytest.raises(UsageError) as caught:
        parse_table(CompareSettings, table, "[compare]")
    assert words in str(caught.value)


@pytest.mark.parametrize("path", ["$.argument.ts", "$", "get:$.output.x", "$.arguments..x"])
def test_a_path_that_leads_nowhere_is_an_error_and_not_ignored(path):
    with pytest.raises(UsageError):
        diff(make_trace(call("get", x=1)), make_trace(call("get", x=2)), ignore=(path,))
