"""Runs each combination of framework, streaming and fault, and writes what came of it.

    python -m tests.adapters.support_table --write     docs/support.md

The model is a stand-in on loopback (:mod:`tests.adapters.model`); for "all recorded" it is off,
and the same run's own trace answers. ``test_support_table.py`` holds the page to the outcome.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from anonymize.trace import Trace
from replay.intercept import router
from tests.adapters.model import stand_in
from tests.adapters.support import HERE, SPOKEN, WEATHER, Run, both, run_here, trace_of
from tests.engine.support import plan_of

PAGE = HERE.parent.parent / "docs" / "support.md"
START, END = "<!-- run: frameworks -->", "<!-- end -->"


@dataclass(frozen=True)
class Row:
    framework: str
    """As on the page."""
    module: str
    """What has to be installed for it."""
    api: str
    target: str
    streams: bool
    """Whether ``stream = true`` is what makes it stream."""
    streamed_target: str = ""


ROWS = (
    Row(
        "LangGraph",
        "langgraph",
        "chat",
        "agents_langgraph:loop",
        False,
        "agents_langgraph:streamed",
    ),
    Row("LangGraph, async", "langgraph", "chat", "agents_langgraph:async_only", False),
    Row("LangGraph, prebuilt agent", "langgraph", "chat", "agents_langgraph:react", False),
    Row("LangGraph, nested", "langgraph", "chat", "agents_langgraph:nested_twice", False),
    Row("OpenAI Agents SDK", "agents", "responses", "agents_openai_agents:helper", True),
    Row("OpenAI Agents SDK", "agents", "chat", "agents_openai_agents:over_chat", True),
    Row("Pydantic AI", "pydantic_ai", "chat", "agents_pydantic_ai:helper", True),
    Row("Pydantic AI", "pydantic_ai", "responses", "agents_pydantic_ai:over_responses", True),
    Row("a function", "openai", "chat", "agents_plain:agent", False, "agents_plain:streamed"),
)
HEAD = (
    "| agent | API | streamed | tools recorded, model live | all recorded, nothing reachable "
    "| a tool raises a time-out | a tool returns an error |\n|---|---|---|---|---|---|---|"
)


def table() -> str:
    """The table, from runs; the stand-in's address has to be in ``OPENAI_BASE_URL``."""
    return "\n".join([HEAD, *(line for row in ROWS for line in _lines(row))])


def _lines(row: Row) -> Iterator[str]:
    for streamed in (False, True):
        target = row.streamed_target if streamed and not row.streams else row.target
        if target:
            agent = {"stream": streamed and row.streams}
            cells = [row.framework, row.api, "yes" if streamed else "no", *_cells(target, agent)]
            yield f"| {' | '.join(cells)} |"


def _cells(target: str, agent: dict[str, object]) -> Iterator[str]:
    live = run_here(target, both(), agent=agent)
    yield _same(live)
    yield _same(run_here(target, _recorded(live), agent=agent, llm={"mode": "recorded"}))
    for spec in ("timeout:tool=get_weather", "error_result:tool=get_weather"):
        plan = plan_of(spec)
        yield _faulted(run_here(target, trace_of("weather", WEATHER), plan, agent=agent))


def _recorded(live: Run) -> Trace:
    """What the run did, as a trace to replay: its model calls are recorded, too."""
    return replace(both(), steps=live.steps, output=live.output)


def _same(run: Run) -> str:
    if run.raised is not None:
        return f"**{type(run.raised).__name__}**"
    faithful = [c[2] for c in run.calls] == ["exact", "exact"]
    return "same" if faithful and run.output == SPOKEN else "**differs**"


def _faulted(run: Run) -> str:
    if not all(proof.landed for proof in run.world.proofs) or not run.world.proofs:
        return "**did not land**"
    if run.raised is None:
        return "the model is told"
    return f"the run ends: {type(run.raised).__name__}"


def page(text: str, found: str) -> str:
    """The page with this table."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{found}\n{END}{after}"


def main() -> None:
    sys.path.insert(0, str(HERE))
    os.environ["OPENAI_API_KEY"] = "none"
    os.environ["OPENAI_AGENTS_DISABLE_TRACING"] = "1"
    with stand_in() as address, router.install():
        os.environ["OPENAI_BASE_URL"] = address
        found = table()
    if "--write" in sys.argv:
        Path(PAGE).write_text(page(PAGE.read_text(), found))
    print(found)


if __name__ == "__main__":
    main()
