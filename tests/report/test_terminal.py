"""The summary in the terminal: narrow, plain when piped, deaf to escapes."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from replay.report import render_terminal
from tests.report.builders import make_divergence, make_document, make_pair
from tests.report.demo import demo_document
from tests.report.hostile import hostile_document


def printed(document: dict[str, Any], width: int = 80, **options: Any) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, **options)
    render_terminal(document, console, report=Path("runs/2026-03-04/report.html"))
    return out.getvalue()


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("make", [demo_document, hostile_document, make_document])
def test_no_line_is_wider_than_the_terminal(make: Any, width: int) -> None:
    lines = printed(make(), width).split("\n")
    assert max(cell_len(line) for line in lines) <= width


@pytest.mark.parametrize("colour", [False, True])
def test_control_characters_of_a_trace_never_reach_the_terminal(colour: bool) -> None:
    text = printed(hostile_document(), force_terminal=colour)
    ours = re.compile(r"\x1b\[[0-9;]*m")
    rest = ours.sub("", text) if colour else text
    assert not re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060-\u206f]", rest)
    assert "]8;;" not in ours.sub("", text).replace("⟨ESC⟩]8;;", "")


def test_piped_output_has_no_escape_at_all() -> None:
    assert "\x1b" not in printed(demo_document())


def test_markup_in_a_title_is_text() -> None:
    pair = make_pair(
        "t", "changed", divergences=(make_divergence("A", "minor", "[bold]x[/] :bug:"),)
    )
    assert "[bold]x[/] :bug:" in printed(make_document(pair))


def test_the_summary_says_verdict_counts_groups_doubts_and_what_next() -> None:
    text = re.sub(r"\s+", " ", printed(demo_document()))
    for words in (
        "REGRESSED v2 does worse than v1 in 39 of 212 traces",
        "116 same, 39 regressed",
        "14 6.6 % regression Refund without an identity check GUARD_MISSING",
        "5 not replayable: the recording is partial",
        "2 skipped at ingest",
        "DID NOT LAND",
        "Report runs/2026-03-04/report.html",
        "Next replay run v2 --trace tr-000f",
    ):
        assert words in text, words


def test_long_titles_are_wrapped_not_cut() -> None:
    title = " ".join(f"word{i}" for i in range(20))
    pair = make_pair("t", "changed", divergences=(make_divergence("A", "minor", title),))
    assert title in re.sub(r"\s+", " ", printed(make_document(pair)))


def test_many_groups_are_counted_after_the_worst() -> None:
    found = [make_divergence("A", "minor", "w", signature=f"s{i}") for i in range(40)]
    pairs = [make_pair(f"t{i}", "changed", divergences=(d,)) for i, d in enumerate(found)]
    assert "and 28 more behaviours in the report" in printed(make_document(*pairs))


def test_a_run_without_difference_is_short() -> None:
    text = printed(make_document(make_pair(), skipped={}, quarantined={}))
    assert "PASS" in text
    assert "no difference" in text
    assert len(text.splitlines()) < 8


def test_a_terminal_without_unicode_gets_ascii() -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    render_terminal(hostile_document(), Console(file=file, width=80))
    file.flush()
    assert b"REGRESSED" in raw.getvalue()
