"""Scrubbing changes no verdict: the same agent on raw and on scrubbed traces, in memory.

Nothing here writes: the raw traces are the demo's, whose people are invented.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from anonymize.config import AnonymizeConfig
from anonymize.keys import PseudonymKey
from anonymize.scrub import Scrubber
from anonymize.scrubbed import ScrubbedTrace
from anonymize.sources import open_source
from anonymize.trace import Trace
from replay.compare import DatasetDiff, compare_datasets
from replay.config import ReplayConfig
from replay.keeper import texts_of
from replay.recording import replayable
from replay.runner import run
from replay.runs import comparison
from tests.support import ROOT

#: Every third recorded run: all scenarios of the demo are among them.
STEP = 3


@pytest.fixture(scope="module")
def scrubber() -> Scrubber:
    settings = AnonymizeConfig.load(ROOT / "replay.toml")
    return Scrubber.create(settings.policy, PseudonymKey(b"0123456789abcdef" * 4))


@pytest.fixture(scope="module")
def raw() -> list[Trace]:
    sources = AnonymizeConfig.load(ROOT / "replay.toml").sources
    found = [t for t in open_source("demo", sources).read() if isinstance(t, Trace)]
    recorded = [t for t in found if t.agent_version == "v1" and replayable(t) is None]
    return sorted(recorded, key=lambda t: t.trace_id)[::STEP]


def clean(scrubber: Scrubber, traces: Iterable[Trace], trusted: Iterable[str] = ()) -> list[Trace]:
    results = list(scrubber.scrub_all(traces, trusted=frozenset(trusted)))
    assert all(isinstance(result, ScrubbedTrace) for result in results)
    return [r.trace for r in results if isinstance(r, ScrubbedTrace)]


@pytest.fixture(scope="module")
def scrubbed(scrubber: Scrubber, raw: list[Trace]) -> list[Trace]:
    return clean(scrubber, raw)


def replayed(traces: list[Trace], agent: str, config: ReplayConfig) -> list[Trace]:
    return [result.tagged().trace for result in run(traces, agent, config, workers=2)]


def compared(baseline: list[Trace], candidate: list[Trace], config: ReplayConfig) -> DatasetDiff:
    settings, tools = comparison(config)
    return compare_datasets(baseline, candidate, settings, tools)


def verdicts(diff: DatasetDiff) -> dict[str, tuple[str, tuple[str, ...]]]:
    """By trace: what was decided, and the codes of what was found."""
    return {
        pair.trace_id: (pair.verdict, tuple(sorted(d.code for d in pair.divergences)))
        for pair in diff.pairs
    }


@pytest.mark.parametrize("agent", ["v1", "v2"])
def test_an_agent_gets_the_same_verdicts_on_raw_and_on_scrubbed_traces(
    agent: str, raw: list[Trace], scrubbed: list[Trace], scrubber: Scrubber
) -> None:
    config = ReplayConfig.load(ROOT / "replay.toml")
    on_raw = verdicts(compared(raw, replayed(raw, agent, config), config))

    candidates = replayed(scrubbed, agent, config)
    trusted = {text for trace in scrubbed for text in texts_of(trace)}
    on_scrubbed = verdicts(compared(scrubbed, clean(scrubber, candidates, trusted=trusted), config))

    assert len(on_raw) == len(raw) >= 90
    assert on_scrubbed == on_raw
    counted = Counter(verdict for verdict, _ in on_raw.values())
    assert counted["same"] == len(raw) if agent == "v1" else counted["regressed"] >= 5


def test_scrubbing_left_no_raw_trace_as_it_was(raw: list[Trace], scrubbed: list[Trace]) -> None:
    same = [a.trace_id for a, b in zip(raw, scrubbed, strict=True) if a == b]
    assert len(same) < len(raw) / 10
