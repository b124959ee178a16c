"""Whole runs without processes: the agents of :mod:`tests.noise.dice` answer at once.

Everything but the replaying itself is the real thing: traces, comparison, noise, gate.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from anonymize.trace import Trace
from replay.compare import CompareSettings, DatasetDiff, ToolCatalog, compare_datasets
from replay.config import ReplaySettings, ToolSettings
from replay.noise.floor import NoiseFloor
from replay.noise.flow import NoiseRun, Studied
from replay.slots import altered

Agent = Callable[[int, random.Random], Trace]

TOOLS = {
    "get_order": ToolSettings(effect="read"),
    "issue_refund": ToolSettings(effect="write"),
    "add_note": ToolSettings(effect="write"),
    "send_letter": ToolSettings(effect="write"),
}


@dataclass(slots=True)
class InMemory(NoiseRun):
    """A run whose replays are calls of a function: of ``candidate``, or of ``unchanged``."""

    candidate: Agent | None = None
    unchanged: Agent | None = None
    recorded: dict[str, Trace] = field(default_factory=dict)
    first: dict[str, Trace] = field(default_factory=dict)
    floor: NoiseFloor = field(default_factory=NoiseFloor)
    seed: str = ""
    replays: int = 0
    made: dict[tuple[str, str, int], Trace] = field(default_factory=dict)

    def _replay(self, chosen: Sequence[str], rounds: range) -> None:
        for i in chosen:
            for k in rounds:
                self._once("again", i, k, self.candidate)
                if self.agent:
                    self._once("again-aa", i, k, self.unchanged)

    def _once(self, part: str, trace_id: str, draw: int, agent: Agent | None) -> Trace:
        key = (part, trace_id, draw)
        if key not in self.made:
            assert agent is not None
            self.replays += 1
            made = agent(int(trace_id[1:]), random.Random(f"{self.seed} {key}"))
            self.made[key] = altered(made, trace_id=trace_id, origin="replayed")
        return self.made[key]

    def _runs(
        self, ids: Sequence[str], asked: Sequence[str], draws: range
    ) -> dict[str, dict[str, Any]]:
        found = {}
        sampled = self.sampled
        for i in ids:
            runs = [
                (self._once("repeat", i, k, self.candidate), True)
                for k in range(2, self.repeats + 1)
            ]
            controls = []
            if self.agent and i in sampled:
                controls = [
                    (self._once("aa", i, k, self.unchanged), True)
                    for k in range(1, self.repeats + 1)
                ]
            for part, some in (("again", runs), ("again-aa", controls)):
                some += [(self.made[part, i, k], False) for k in draws if (part, i, k) in self.made]
            found[i] = {
                "recording": self.recorded[i],
                "first": self.first[i],
                "runs": runs,
                "controls": controls,
            }
        return found

    def _floor(self) -> NoiseFloor:
        return self.floor

    def keep(self, studied: Studied, run_id: str) -> None:
        """Nothing is kept."""


def compared(
    recorded: Agent,
    candidate: Agent,
    *,
    traces: int = 200,
    seed: int = 0,
    unchanged: Agent | None = None,
    repeat: int = 1,
    aa: float = 0.0,
    confirm: int = 6,
    floor: NoiseFloor | None = None,
    compare: CompareSettings | None = None,
    picked: bool = False,
) -> tuple[DatasetDiff, InMemory]:
    """A run of ``candidate`` over what ``recorded`` did; ``unchanged`` is known to be its agent."""
    names = [f"t{n}" for n in range(traces)]
    rng = random.Random(f"production {seed}")
    before = {i: altered(recorded(n, rng), trace_id=i) for n, i in enumerate(names)}
    rng = random.Random(f"candidate {seed}")
    after = {
        i: altered(candidate(n, rng), trace_id=i, origin="replayed") for n, i in enumerate(names)
    }
    replay = ReplaySettings(repeat=repeat, aa=aa, confirm=confirm)
    llm = SimpleNamespace(cassette="", mode="live", granularity="trace")
    source = SimpleNamespace(
        request=SimpleNamespace(agent="candidate", budget=None),
        playing=SimpleNamespace(replay=replay, llm=llm),
        selection=SimpleNamespace(digests=dict.fromkeys(names, "")),
        folder=Path("nowhere"),
    )
    settings = compare or CompareSettings()
    run = InMemory(
        source=source,  # type: ignore[arg-type]
        settings=settings,
        agent="v1" if unchanged is not None else "",
        repeats=repeat,
        share=aa,
        picked=picked,
        candidate=candidate,
        unchanged=unchanged,
        recorded=before,
        first=after,
        floor=floor or NoiseFloor(),
        seed=str(seed),
    )
    diff = compare_datasets(
        before.values(), after.values(), settings, ToolCatalog(TOOLS), study=run
    )
    return diff, run
