"""Builders for the engine's tests: traces, worlds and runs in a line each."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from anonymize.trace import Json, Message, StepError, ToolCall, Trace
from replay.config import ReplayConfig, ToolSettings
from replay.environment import ToolBox
from replay.faults import FaultPlan, parse_fault
from replay.recording import case_from, recorded_calls
from replay.results import ReplayResult
from replay.runner import run
from replay.world import World, WorldRules

HERE = Path(__file__).parent


def called(name: str, arguments: Json = None, result: Json = None, **more: Any) -> ToolCall:
    """A recorded call; ``raised=("Kind", "message")`` for one that threw."""
    raised = more.pop("raised", None)
    error = StepError(kind=raised[0], message=raised[1]) if raised else more.pop("error", None)
    return ToolCall(
        step_id="", name=name, arguments=arguments or {}, result=result, error=error, **more
    )


def make_trace(*calls: ToolCall, input: Json = "hello", trace_id: str = "t1", **more: Any) -> Trace:
    return Trace(trace_id=trace_id, agent="a", input=input, steps=calls, **more)


def make_world(*calls: ToolCall, plan: FaultPlan | None = None, **tools: Any) -> World:
    """A world with these recorded calls; ``get=dict(miss="stop")`` sets up a tool."""
    trace = make_trace(*calls)
    hooks = {n: t.pop("hook") for n, t in tools.items() if "hook" in t}
    settings = {name: ToolSettings(**table) for name, table in tools.items()}
    rules = WorldRules(tools=settings, hooks=hooks, plan=plan or FaultPlan())
    return World(case_from(trace), recorded_calls(trace), rules)


def make_tools(*calls: ToolCall, plan: FaultPlan | None = None, **tools: Any) -> ToolBox:
    return ToolBox(make_world(*calls, plan=plan, **tools))


def plan_of(*specs: str, seed: int = 0) -> FaultPlan:
    return FaultPlan(rules=tuple(parse_fault(s) for s in specs), seed=seed)


def config_for(function: str, root: Path = HERE, **tables: Any) -> ReplayConfig:
    """A config whose agent ``x`` is this function of ``agents_for_tests``."""
    agent = {"target": f"agents_for_tests:{function}", "path": [str(HERE)]}
    agent |= tables.pop("agent", {})
    replay = {"timeout": 20.0, "workers": 1, **tables.pop("replay", {})}
    return ReplayConfig.from_tables({"agents": {"x": agent}, "replay": replay, **tables}, root)


def replay_all(
    function: str, traces: Iterable[Trace], plan: FaultPlan | None = None, **tables: Any
) -> dict[str, ReplayResult]:
    """Results by trace id."""
    workers = tables.pop("workers", None)
    results = run(traces, "x", config_for(function, **tables), plan, workers=workers)
    return {r.trace.trace_id: r for r in results}


def script_trace(trace_id: str, *calls: ToolCall, asks: Any = None) -> Trace:
    """A trace for the agent ``script``: it makes the calls ``asks``, by default the recorded."""
    wanted = asks if asks is not None else [[c.name, c.arguments] for c in calls]
    return make_trace(*calls, input=wanted, trace_id=trace_id)


def user(text: str) -> Message:
    return Message(role="user", content=text)
