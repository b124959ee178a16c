"""Figures of a store: what counting trace by trace would give, and nothing of their content."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.cli import cli
from anonymize.playable import grade
from anonymize.store import Store, StoreWriter
from anonymize.store.stats import stats_of
from anonymize.trace import (
    LLMCall,
    QuarantinedTrace,
    Retrieval,
    SkippedTrace,
    StepError,
    ToolCall,
    Usage,
    UserTurn,
)
from tests.store import builders
from tests.store.builders import DAY, make_trace, seal, write


def stats(root: Path, *arguments: str) -> str:
    done = CliRunner().invoke(cli, ["stats", str(root), *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@settings(max_examples=25, deadline=None)
@given(st.lists(builders.traces, max_size=5, unique_by=lambda t: t.trace_id))
def test_columns_say_what_the_traces_say(
    tmp_path_factory: pytest.TempPathFactory, traces: list[object]
) -> None:
    root = tmp_path_factory.mktemp("store")
    write(root, traces)  # type: ignore[arg-type]
    kept = list(Store(root).traces())
    found = stats_of(Store(root))
    steps = [step for trace in kept for step in trace.steps]
    calls = [step for step in steps if isinstance(step, ToolCall | Retrieval)]
    total = found.total
    assert (total.traces, total.spans) == (len(kept), len(steps))
    assert total.errors == sum(trace.error is not None for trace in kept)
    assert (total.tool_calls, total.tool_errors) == (
        len(calls),
        sum(step.error is not None for step in calls),
    )
    grades = Counter(grade(trace)[0] for trace in kept)
    # Nobody's instrumentation puts the user's words into a model's answer; columns don't tell.
    odd = sum(any(m.role == "user" for m in s.output) for s in steps if isinstance(s, LLMCall))
    assert grades["no"] - odd <= total.unplayable <= grades["no"]
    assert found.flags == Counter(flag for trace in kept for flag in set(trace.lossy_flags))
    used = [s.usage for s in steps if isinstance(s, LLMCall) and s.usage]
    assert total.output_tokens == sum(u.output_tokens or 0 for u in used)
    assert {name: one.calls for name, one in found.tools.items()} == Counter(c.name for c in calls)
    for groups in (found.days, found.agents):
        assert sum(one.traces for one in groups.values()) == total.traces
        assert (
            sum(one.bytes for one in groups.values()) == total.bytes == Store(root).summary().bytes
        )
    assert sum(sum(v.values()) for v in found.versions.values()) == total.traces


def filled(root: Path) -> None:
    whole = make_trace("whole", agent_version="1")
    silent = ToolCall(step_id="s", name="refund", flags=("tool_result_missing",), call_id="c")
    gaps = make_trace("gaps", agent_version="2", steps=(*whole.steps, silent))
    cut = make_trace("cut", lossy_flags=("partial",), started_at=DAY + timedelta(days=1))
    failed = ToolCall(
        step_id="f", name="refund", error=StepError(kind="Timeout", message="Mei Kovacs")
    )
    call = LLMCall(step_id="m", model="m-1", usage=Usage(input_tokens=7, output_tokens=2, cost=0.5))
    other = make_trace(
        "other",
        agent="desk",
        started_at=None,
        steps=(UserTurn(step_id="u", content="Mei Kovacs asks"), failed, call),
        error=StepError(kind="Broken", message="Mei Kovacs"),
    )
    records = [
        SkippedTrace(reason="not JSON", where="line 3"),
        QuarantinedTrace(reason="not certain", trace_ref="ab12", size=3),
    ]
    StoreWriter(root).write([*map(seal, [whole, gaps, cut, other]), *records], source="x")


def test_the_command_prints_figures_by_day_agent_and_tool(tmp_path: Path) -> None:
    filled(tmp_path)
    text = stats(tmp_path)
    assert "4 traces" in text
    assert "can be replayed: 2 whole, 1 with gaps, 1 not at all" in text
    assert "tokens: 7 in, 2 out, cost 0.50" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["no", "time"] in [line[:2] for line in lines]
    assert ["shop", "3"] in [line[:2] for line in lines]
    assert ["refund", "2", "2", "1", "1"] in [line[:5] for line in lines]
    assert "quarantined: 1" in text
    assert "1  not certain" in text
    assert "Mei" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert "... 1 more (--limit)" in stats(tmp_path, "--limit", "2")


def test_json_has_all_of_it_and_no_content(tmp_path: Path) -> None:
    filled(tmp_path)
    text = stats(tmp_path, "--json", "--limit", "1")
    found = json.loads(text)
    assert found["total"]["traces"] == 4
    assert set(found["days"]) == {"2026-03-01", "2026-03-02", "1970-01-01"}
    assert found["trace_errors"] == {"Broken": 1}
    assert found["versions"]["shop"] == {"": 1, "1": 1, "2": 1}
    assert found["quarantined"] == {"not certain": 1}
    assert "Mei" not in text


def test_what_is_replaced_while_it_is_counted_is_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver writes at any time; nobody is told to delete a store that is whole."""
    write(tmp_path, [make_trace("t1"), make_trace("t2", started_at=DAY + timedelta(days=1))])
    real, late = Store.scan_part, [make_trace("t1", started_at=DAY + timedelta(days=2))]

    def scan_part(store: Store, *args: Any) -> Any:
        frames = real(store, *args)
        write(tmp_path, late)
        late.clear()
        return frames

    monkeypatch.setattr(Store, "scan_part", scan_part)
    found = stats_of(Store(tmp_path))
    assert {day: one.traces for day, one in found.days.items() if one.traces} == {
        "2026-03-02": 1,
        "2026-03-03": 1,
    }
    assert found.total.traces == 2


def test_days_and_agents_can_be_chosen(tmp_path: Path) -> None:
    filled(tmp_path)
    assert "1 traces" in stats(tmp_path, "--since", "2026-03-02")
    assert "3 traces" in stats(tmp_path, "--until", "2026-03-01")
    assert "1 traces" in stats(tmp_path, "--agent", "desk")
    assert "0 traces" in stats(tmp_path, "--agent", "nobody")


def test_there_is_no_store_to_count(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["stats", str(tmp_path / "none")])
    assert done.exit_code != 0
    assert "there is no store" in str(done.exception)
