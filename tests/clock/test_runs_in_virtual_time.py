"""`replay run`: agents that wait, in worker processes as users have them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from anonymize.trace import Trace
from replay.config import ReplayConfig
from replay.results import ReplayResult
from replay.runner import run
from tests.engine.support import called, make_trace

HERE = Path(__file__).parent
MOMENT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def replayed(function: str, *traces: Trace, **replay: Any) -> list[ReplayResult]:
    config = ReplayConfig.from_tables(
        {
            "agents": {"x": {"target": f"agents_that_wait:{function}", "path": [str(HERE)]}},
            "replay": {"timeout": 20.0, "workers": 1, **replay},
        },
        HERE,
    )
    return list(run(traces or (recorded(),), "x", config))


def recorded(**more: Any) -> Trace:
    return make_trace(
        called("get_order", {"order_id": "7"}, {"status": "sent"}), started_at=MOMENT, **more
    )


def test_an_agent_that_backs_off_for_half_a_minute_is_done_at_once() -> None:
    (result,) = replayed("backs_off", timeout=10.0)
    assert (result.status, result.trace.output) == ("ok", {"status": "sent"})
    assert round(result.virtual_ms / 1000) == 31


def test_tasks_wait_side_by_side_and_time_outs_strike() -> None:
    (result,) = replayed("waits_side_by_side")
    assert result.trace.output == [40, 20, 60]
    assert round(result.virtual_ms / 1000) == 60
    (result,) = replayed("gives_up")
    assert result.trace.output == "gave up"
    assert round(result.virtual_ms / 1000) == 30


def test_an_agent_that_waits_for_ever_is_stopped_and_the_reason_is_said() -> None:
    (result,) = replayed("waits_for_ever")
    assert result.status == "stopped"
    assert result.broken_reason == "the agent waited for more than 3,600 seconds of virtual time"
    (result,) = replayed("waits_for_ever", max_virtual_seconds=86_400.0)
    assert "86,400 seconds" in (result.broken_reason or "")


def test_the_day_and_the_identifiers_are_the_same_in_every_run() -> None:
    first, second = (replayed("looks_around")[0].trace.output for _ in range(2))
    assert first == second
    assert isinstance(first, list)
    assert first[0] == "2026-03-02T09:30+00:00"


def test_seeds_and_traces_have_identifiers_of_their_own() -> None:
    outputs = [
        result.trace.output
        for seed in (0, 1)
        for result in replayed(
            "looks_around", recorded(trace_id="a"), recorded(trace_id="b"), seed=seed
        )
    ]
    assert len({output[1] for output in outputs if isinstance(output, list)}) == 4


def test_a_config_can_ask_for_the_real_clock_and_the_real_day() -> None:
    (result,) = replayed("looks_around", now="real")
    assert isinstance(result.trace.output, list)
    seen = datetime.fromisoformat(str(result.trace.output[0]))
    assert abs((datetime.now(UTC) - seen).total_seconds()) < 600
    (result,) = replayed("backs_off", clock="real", timeout=1.0)
    assert (result.status, result.broken_reason) == ("broken", "hung after 1 s")
