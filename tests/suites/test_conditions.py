"""Conditions over traces: what can be said, and what can't be done with them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.errors import UsageError
from replay.commands.select import select
from replay.suites.conditions import condition
from replay.suites.features import columns
from tests.support import ROOT

ROWS = pl.DataFrame(
    {
        "calls": [1, 4, 9],
        "tools": [["refund"], ["get_order", "refund"], []],
        "error_kind": [None, "Timeout", None],
        "path": ["refund", "get_order>refund", ""],
    },
    schema_overrides={"tools": pl.List(pl.String)},
)


def fitting(text: str) -> list[int]:
    return ROWS.filter(condition(text, dict(ROWS.schema)))["calls"].to_list()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("calls > 3", [4, 9]),
        ("calls > 3 AND error_kind IS NOT NULL", [4]),
        ("array_contains(tools, 'refund')", [1, 4]),
        ("path LIKE 'get%' OR calls BETWEEN 8 AND 10", [4, 9]),
        ("pl.col('calls') > 3", [4, 9]),
        ("(col('calls') > 3) & pl.col.error_kind.is_null()", [9]),
        ("pl.col('tools').list.contains('refund') & ~(pl.col('calls') == 1)", [4]),
        ("pl.col('path').str.contains('^get.*refund$')", [4]),
        ("pl.col('calls').is_in([1, 9]) | (pl.col('calls') % 2 == 0)", [1, 4, 9]),
        ("pl.col('error_kind').fill_null('none') == 'none'", [1, 9]),
    ],
)
def test_both_ways_of_saying_it_give_the_rows_that_fit(text: str, found: list[int]) -> None:
    assert fitting(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "calls",
        "1 = 1",
        "calls >",
        "sum(calls) > 3",
        "calls > avg(calls)",
        "row_number() over (order by calls) > 1",
        "callz > 3",
        "COLUMNS('.*') > 1",
        "pl.col('*') > 1",
        "pl.col('^c.*$') > 1",
        "pl.col('calls').sum() > 1",
        "pl.col('calls').map_elements(print)",
        "pl.col('calls').__class__",
        "pl.col('calls').fill_null(strategy='forward') > 1",
        "pl.col('calls') > 1 and pl.col('calls') < 3",
        "1 < pl.col('calls') < 3",
        "pl.col('calls') > 10 ** 10 ** 10",
        "'a' * 10 ** 9 == pl.col('path')",
        "(lambda: pl.col('calls'))() > 1",
        "[x for x in pl.col('calls')]",
        "__import__('os').system('id') | pl.col('calls')",
        "pl.col('calls') > " + "(" * 500 + "1" + ")" * 500,
        "pl.col('calls') > 1" + " + 1" * 2_000,
        "pl.col('path').str.contains('(((a{1000}){1000}){1000}')",
        "pl.col('calls') == 'x' * pl.col('calls')",
        "calls = 'x' AND " * 2_000,
        "\x00",
    ],
)
def test_what_is_no_condition_is_told_and_never_run(text: str) -> None:
    with pytest.raises(UsageError, match="the condition can't be used"):
        condition(text, dict(ROWS.schema))


@pytest.mark.parametrize(
    "text",
    [
        "calls IN (SELECT a FROM read_csv('{file}'))",
        "EXISTS (SELECT * FROM read_csv('{file}')) AND calls > 1",
        "E'\\'' = (SELECT a FROM read_csv('{file}')) = 'x' AND calls > 1",
        "calls IN (FROM read_csv('{file}'))",
        "(TABLE read_csv('{file}')) = calls",
        "pl.read_csv('{file}')['a'] == pl.col('calls')",
        "pl.scan_csv('{file}') == pl.col('calls')",
    ],
)
def test_no_condition_opens_a_file(tmp_path: Path, text: str) -> None:
    """polars runs sub-queries in SQL conditions, and shows what it read in its errors."""
    (tmp_path / "a.csv").write_text("geheim\n1\n")
    with pytest.raises(UsageError) as caught:
        condition(text.replace("{file}", str(tmp_path / "a.csv")), dict(ROWS.schema))
    assert "geheim" not in str(caught.value)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.sampled_from([*"().&|~<>=+-*/[], 9\n", "pl", "col", "'calls'", "str", "list", "not "]),
        max_size=25,
    ).map("".join)
)
def test_any_text_is_a_condition_or_told(text: str) -> None:
    try:
        found = condition(text, dict(ROWS.schema))
    except UsageError:
        return
    assert ROWS.filter(found).height <= ROWS.height


def test_a_column_that_is_nearly_one_is_suggested() -> None:
    with pytest.raises(UsageError, match="did you mean 'agent'"):
        condition("pl.col('agnt') == 'x'", columns())


def test_a_date_as_text_is_told_how_to_write_it() -> None:
    with pytest.raises(UsageError, match="DATE '2026-03-02'"):
        condition("date > '2026-03-02'", columns())
    condition("date >= DATE '2026-03-02'", columns())
    condition("pl.col('date') >= pl.date(2026, 3, 2)", columns())


GUIDE = (ROOT / "docs" / "suites.md").read_text()


def test_each_condition_of_the_guide_is_one() -> None:
    commands = [shlex.split(x) for x in GUIDE.splitlines() if x.startswith("    replay select")]
    found = [
        words[n + 1]
        for words in commands
        for n, word in enumerate(words)
        if word in ("--where", "--favour")
    ]
    assert len(found) >= 4
    for text in found:
        condition(text, columns())
    known = {name for option in select.params for name in option.opts}
    assert {w for words in commands for w in words if w.startswith("--")} <= known


def test_each_column_is_in_the_guide() -> None:
    table = GUIDE.partition("| column | |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", table.replace("`a>b>c`", ""))) == set(columns())
