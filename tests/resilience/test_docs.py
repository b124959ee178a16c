"""The examples of docs/resilience.md, run; its lists are those of the code."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from replay.config import ReplayConfig
from replay.resilience.contracts import BUILT_IN, broken_by, contracts_of
from replay.resilience.rows import OutcomeRow, read_rows
from replay.resilience.verdict import KINDS
from replay.statistics import rate_interval
from tests.compare.builders import call
from tests.resilience.builders import run
from tests.support import ROOT

TEXT = (ROOT / "docs" / "resilience.md").read_text()
BLOCKS = dict(re.findall(r"```(\w+)\n(.*?)```", TEXT, re.S))


def test_the_outcomes_are_listed_worst_first() -> None:
    table = TEXT.partition("| outcome | when |")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.M)) == KINDS


def test_all_contracts_that_are_built_in_are_named() -> None:
    said = TEXT.partition("Built in:")[2].partition("Your own")[0]
    named = [n for n in re.findall(r"`(\w+)`", said) if n != "requires"]
    assert named == list(BUILT_IN)


def test_the_contracts_of_the_example_do_what_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_checks.py").write_text(BLOCKS["python"])
    monkeypatch.syspath_prepend(str(tmp_path))
    config = ReplayConfig.from_tables(tomllib.loads(BLOCKS["toml"]), tmp_path)
    good = run(call("get_order"), call("issue_refund", amount=25), output="Done. Your support team")
    bad = run(call("give_voucher"), call("issue_refund", amount=500), output="Done.")
    contracts = contracts_of(config)
    assert broken_by(contracts, good, good) == {}
    assert set(broken_by(contracts, good, bad)) == {
        "no_goodwill", "look_first", "signed", "within_limit",
    }  # fmt: skip


def test_the_line_of_the_outcomes_file_is_one(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.jsonl"
    path.write_text(json.dumps(json.loads(BLOCKS["json"])) + "\n")
    (row,) = read_rows(path)
    assert isinstance(row, OutcomeRow)
    assert row.failed
    assert row.landed[0].fault == "timeout"


def test_the_bounds_that_it_names_are_so() -> None:
    assert rate_interval(0, 10)[1] < 0.31
    assert rate_interval(0, 100)[1] < 0.04
