"""The section on faults in the terminal, on the page and in the summary."""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.cells import cell_len
from rich.console import Console

from replay.report import load_schema, render_html, render_summary, render_terminal
from replay.report.resilience import heat_cell
from tests.report.demo import demo_document
from tests.resilience.documents import faults_document

HOSTILE = '<img src=x onerror=alert(1)>\x1b[31m\u202e"|`]8;;'


def printed(document: dict[str, Any], width: int = 80) -> str:
    out = io.StringIO()
    render_terminal(document, Console(file=out, width=width), report=Path("runs/v2/report.html"))
    return out.getvalue()


def hostile() -> dict[str, Any]:
    """The document with a bad text wherever an agent or a recording could put one."""
    document = copy.deepcopy(faults_document())
    section = document["resilience"]
    for outcome in section["outcomes"]:
        outcome |= {"why": HOSTILE, "tools": [HOSTILE], "places": [HOSTILE], "example": HOSTILE}
        outcome |= {"trace_ids": [HOSTILE], "reproduce": HOSTILE, "agent": HOSTILE}
    for line in section["tools"]:
        line["what"] = HOSTILE
    for proof in section["proofs"]:
        proof |= {"rule": HOSTILE, "example": HOSTILE, "sentence": HOSTILE}
    section["agents"] = {"candidate": HOSTILE, "baseline": HOSTILE}
    section["plan"]["name"] = HOSTILE
    return document


@pytest.mark.parametrize("baseline", [True, False])
def test_the_document_fits_its_schema(baseline: bool) -> None:
    jsonschema.validate(faults_document(baseline=baseline), load_schema())


def test_the_verdict_of_the_run_is_that_of_the_faults() -> None:
    document = faults_document()
    assert document["verdict"]["sentence"] == document["resilience"]["verdict"]["sentence"]
    assert "where v1 did not" in document["verdict"]["sentence"]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("make", [faults_document, hostile])
def test_no_line_of_the_terminal_is_too_wide(make: Any, width: int) -> None:
    lines = printed(make(), width).split("\n")
    assert max(cell_len(line) for line in lines) <= width


def test_the_terminal_says_what_fails_on_which_fault_and_how_often() -> None:
    text = printed(faults_document())
    assert "43 duplicated effect" in text
    line = next(one for one in text.split("\n") if "issue_refund     timeout" in one)
    assert line.split() == [
        "issue_refund", "timeout", "43", "of", "43", "92-100", "%", "0", "of", "85", "0-4", "%",
    ]  # fmt: skip
    assert "DID NOT LAND" in text
    assert "Beside the recordings" in text
    assert "--trace tr-000f" in text


def test_a_run_without_faults_says_nothing_of_them() -> None:
    for said in (printed(demo_document()), render_summary(demo_document())):
        assert "nder faults" not in said
    assert 'id="faults"' not in render_html(demo_document())


def test_nothing_of_a_trace_becomes_markup_or_an_escape() -> None:
    page = render_html(hostile())
    assert "<img" not in page
    assert "onerror=alert(1)&gt;" in page
    text = printed(hostile())
    assert not {"\x1b", "\u202e"} & set(text)
    assert "<img" not in render_summary(hostile())


def test_the_page_shows_scorecard_failures_contracts_and_proofs() -> None:
    page = render_html(faults_document())
    for said in ("What fails, by tool and fault", "Failures", "Contracts broken", "Proof that"):
        assert said in page
    assert page.count('class="card outcome failed') == 4
    assert "told in the config" in page


def test_the_summary_names_the_worst_failures_of_the_candidate() -> None:
    summary = render_summary(faults_document())
    assert "| 43 | duplicated effect | `timeout` |" in summary
    assert "| v1 | 42 silent failure, 85 degraded, honestly, 85 recovered |" in summary


@pytest.mark.parametrize(
    ("failed", "survived", "shade"), [(0, 9, 1), (1, 9, 2), (3, 7, 3), (6, 4, 4), (9, 1, 5)]
)
def test_the_more_often_it_fails_the_darker(failed: int, survived: int, shade: int) -> None:
    cell = {
        "runs": failed + survived, "failed": failed, "survived": survived, "undecided": 0,
        "rate": failed / (failed + survived), "low": 0.0, "high": 1.0,
    }  # fmt: skip
    assert heat_cell(cell).shade == shade
    assert heat_cell({**cell, "failed": 0, "survived": 0}).shade == 0
