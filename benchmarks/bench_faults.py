"""How long fault replays of the demo take under virtual time, everything included.

    python -m benchmarks.bench_faults [--replays 1000] [--agent v1]

Ingests the demo, lets a campaign choose the runs (everyday faults of tools and models: single ones,
pairs, then more traces), and does what a user's campaign does: replays in worker processes, scrubs
what is new, keeps every trace, judges each against the same agent without faults. The machine
matters; 10,000 replays take about ten times what 1,000 take, less the start.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections import Counter
from pathlib import Path

from anonymize.cli import cli as anonymize
from benchmarks.__main__ import ROOT, machine
from benchmarks.scratch import scratch
from replay.campaign.campaign import CampaignRequest, choose, run_campaign
from replay.config import ReplayConfig
from replay.faults import FaultPlan, parse_fault
from replay.runs import Progress, RunRequest

#: Megabytes of payload and of prompt are left out: they measure the scrubber and not the replays.
FAULTS = (
    "timeout http_429 http_error connection_reset latency empty_result truncated malformed_json "
    "missing_field renamed_field null_fields false_failure injected_result llm_429 llm_500 "
    "llm_timeout llm_empty llm_refusal llm_truncated llm_unknown_tool"
).split()


class Stages:
    """How long each stage took, from what the campaign says of its progress."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._stage, self._since = "choosing", time.monotonic()

    def heard(self, progress: Progress) -> None:
        if progress.stage != self._stage:
            self.end()
            self._stage = progress.stage

    def end(self) -> None:
        now = time.monotonic()
        self.seconds[self._stage] += now - self._since
        self._since = now


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replays", type=int, default=1_000)
    parser.add_argument("--agent", default="v1")
    parser.add_argument("--workers", type=int, default=0)
    chosen = parser.parse_args()
    os.environ.setdefault("REPLAY_ANONYMIZE_KEY", "0123456789abcdef" * 4)
    print(machine())
    with scratch() as name:
        store = Path(name, "traces")
        os.chdir(ROOT)
        words = ["ingest", "demo", "--out", str(store)]
        anonymize.main(words, standalone_mode=False)
        measure(chosen.agent, store, Path(name, "run"), chosen.replays, chosen.workers)


def cpu_seconds() -> float:
    """What this process and those that it has ended took: the same on a busy machine."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, who))


def measure(agent: str, store: Path, folder: Path, replays: int, workers: int) -> None:
    """One campaign, and what each part of it took."""
    config = ReplayConfig.load(Path("replay.toml"))
    plan = FaultPlan(rules=tuple(map(parse_fault, FAULTS)), seed=1)
    run = RunRequest(
        agent=agent,
        traces=store,
        runs=folder.parent,
        plan=plan,
        baseline="v1",
        folder=folder,
        workers=workers,
    )
    request = CampaignRequest(run=run, plan=plan, budget=replays)
    started = time.monotonic()
    choice = choose(request, config).choice
    print(f"choosing {len(choice.plans):,} runs      {time.monotonic() - started:8.1f} s")
    before = cpu_seconds()
    stages = Stages()
    outcome = run_campaign(request, config, on_progress=stages.heard)
    stages.end()
    for stage, seconds in stages.seconds.items():
        print(f"{stage:<24} {seconds:8.1f} s")
    rate = outcome.replayed / outcome.seconds
    print(f"{outcome.replayed:,} fault replays in {outcome.seconds:.0f} s: {rate:.0f} a second")
    cpu = cpu_seconds() - before
    print(f"CPU, all processes       {cpu:8.1f} s: {cpu / outcome.replayed * 1000:.0f} ms a replay")
    # What grows with the number of replays; the rest is paid once, and is part of the estimate.
    grows = stages.seconds[f"{agent} with faults"] + stages.seconds["judging"]
    each = grows / outcome.replayed
    whole = outcome.seconds - grows + 10_000 * each
    print(f"with faults: {1 / each:.0f} a second; 10,000 would take {whole / 60:.1f} minutes")
    kinds = Counter(row.outcome.kind for row in outcome.rows)
    print("outcomes: " + ", ".join(f"{kind} {number:,}" for kind, number in kinds.most_common()))


if __name__ == "__main__":
    main()
