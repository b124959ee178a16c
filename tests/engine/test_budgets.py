"""Budgets of one trace: tokens and money, as the model calls tell them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anonymize.trace import LLMCall, Usage
from replay.config import ReplayConfig
from replay.errors import StopReplay, UsageError
from replay.recording import case_from
from replay.world import World, WorldRules
from tests.engine.support import make_trace


def world_after(*usages: Usage | None, **limits: Any) -> World:
    """A world in which model calls were made that used so much."""
    world = World(case_from(make_trace()), (), WorldRules(**limits))
    for usage in usages:
        world.count_llm_call()
        world.capture.close(world.capture.open(), LLMCall(step_id="", usage=usage))
    return world


def test_tokens_of_all_calls_count_and_the_next_call_is_stopped() -> None:
    used = Usage(input_tokens=300, output_tokens=100)
    world_after(used, None, Usage(output_tokens=99), max_tokens=500).count_llm_call()
    with pytest.raises(StopReplay) as stopped:
        world_after(used, Usage(input_tokens=100), max_tokens=500).count_llm_call()
    assert stopped.value.reason == "budget: 500 of 500 tokens were used before model call 3"


def test_money_counts_where_calls_tell_it() -> None:
    world_after(Usage(cost=0.2), Usage(input_tokens=9), max_cost=0.3).count_llm_call()
    with pytest.raises(StopReplay, match=r"0\.4000 of 0\.3000 was spent before model call 3"):
        world_after(Usage(cost=0.2), Usage(cost=0.2), max_cost=0.3).count_llm_call()


def test_nothing_is_counted_unless_asked_for() -> None:
    world_after(Usage(input_tokens=10**9, cost=1e6)).count_llm_call()


@pytest.mark.parametrize("key", ["max_tokens", "max_cost", "max_virtual_seconds"])
def test_a_budget_below_nothing_is_an_error(key: str) -> None:
    with pytest.raises(UsageError, match=key):
        ReplayConfig.from_tables({"replay": {key: -1}}, Path())
