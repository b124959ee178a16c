"""Rates of a suite are those of the traffic that it was chosen from: against a known population."""

from __future__ import annotations

import random
import statistics
from functools import cache

import polars as pl
import pytest

from replay.compare.gate import rates, run_verdict
from replay.compare.model import Circumstances, TraceDiff
from replay.compare.settings import CompareSettings
from replay.report.groups import shares_of
from replay.report.html import render_html
from replay.report.statistics import statistics_of
from replay.report.summary import render_summary
from replay.suites import Candidates, Choice, choose
from replay.suites.features import SPLIT
from tests.report.builders import make_diff, make_divergence, make_document, make_pair
from tests.report.test_terminal import printed

RUNS = 30
ODD = make_divergence("ERROR_NEW", "minor", "a new error")


@cache
def population(turns: bool) -> tuple[pl.DataFrame, dict[str, bool]]:
    """4,000 traces. Half took a path that nobody else took, and those get worse far more often; so
    do those with an error, of which a suite has too many. With ``turns`` traces are turns of
    conversations, and those of one conversation are alike."""
    draw = random.Random(1)
    rows, worse = [], {}
    unit = 0
    while len(rows) < 4_000:
        unit += 1
        luck = draw.random()
        for _ in range(draw.choice([1, 1, 1, 2, 5]) if turns else 1):
            name = f"t{len(rows)}"
            alone, failed = draw.random() < 0.5, draw.random() < 0.03
            path = f"path alone{name}" if alone else f"path p{int(draw.expovariate(0.7))}"
            shown = [path, f"language {draw.choice('en en en en de fr'.split())}"]
            shown += ["error Timeout"] if failed else []
            rows.append((name, f"u{unit}", path, SPLIT.join(shown)))
            chance = 0.8 if failed else 0.3 if alone else 0.02
            worse[name] = (luck if turns else draw.random()) < chance
    frame = pl.DataFrame(rows, schema=["trace_id", "unit", "path", "features"], orient="row")
    return frame, worse


def chosen(turns: bool, seed: int) -> Choice:
    always = {"t7": "regressed in 2026-03-02", "t8": "asked for"}
    return choose(Candidates(frame=population(turns)[0]), size=150, seed=seed, always=always)


def compared(turns: bool, seed: int) -> list[TraceDiff]:
    frame, worse = population(turns)
    unit = dict(frame.select("trace_id", "unit").iter_rows())
    return [
        make_pair(
            e.trace_id,
            "regressed" if worse[e.trace_id] else "same",
            weight=e.weight,
            session_id=unit[e.trace_id],
            divergences=(ODD,) if worse[e.trace_id] else (),
        )
        for e in chosen(turns, seed).entries
    ]


@pytest.mark.parametrize("turns", [False, True])
def test_shares_in_the_report_are_those_of_the_traffic_and_their_intervals_hold(
    turns: bool,
) -> None:
    truth = statistics.mean(population(turns)[1].values())
    shares, plain, held = [], [], 0
    for seed in range(RUNS):
        pairs = compared(turns, seed)
        diff = make_diff(*pairs)
        (rate,) = [r for r in statistics_of(diff)["verdicts"] if r["name"] == "regressed"]
        of_group = shares_of(diff)(p.trace_id for p in pairs if p.verdict == "regressed")
        assert of_group.share == pytest.approx(rate["share"])
        shares.append(rate["share"])
        plain.append(rate["count"] / rate["of"])
        held += rate["low"] <= truth <= rate["high"]
    error = statistics.stdev(shares) / RUNS**0.5
    assert abs(statistics.mean(shares) - truth) < 3 * error
    # Counting traces alike is another figure: what covers and what is always in comes on top.
    assert statistics.mean(plain) - truth > 3 * error
    assert held >= 0.9 * RUNS


def test_a_gate_goes_by_the_traffic_and_not_by_the_suite() -> None:
    """Rare traces, of which the suite has many, don't use up what a threshold allows."""
    heavy = [make_pair(f"h{n}", weight=1_000.0) for n in range(60)]
    rare = [make_pair(f"r{n}", "changed", divergences=(ODD,)) for n in range(40)]
    settings = CompareSettings(gate={"ERROR_NEW": 0.05})
    rate = rates([*heavy, *rare], settings.gate)["ERROR_NEW"]
    assert rate.share < 0.001
    assert run_verdict([*heavy, *rare], settings)[0] == "pass"
    assert rates([*heavy, *rare], settings.gate)["ERROR_NEW"].above(0.05) > 0.5


def test_how_much_is_clear_is_a_share_of_the_traffic() -> None:
    settings = CompareSettings(min_conclusive=0.5)
    clear = [make_pair(f"c{n}") for n in range(60)]
    open_ = [make_pair(f"o{n}", "inconclusive", weight=1_000.0) for n in range(40)]
    assert run_verdict([*clear, *open_], settings)[0] == "inconclusive"
    turned = [make_pair(f"o{n}", "inconclusive") for n in range(60)]
    turned += [make_pair(f"c{n}", weight=1_000.0) for n in range(40)]
    assert run_verdict(turned, settings)[0] == "pass"


def test_without_weights_shares_are_exact_counts() -> None:
    pairs = [make_pair(f"t{n}", "regressed" if n < 3 else "same") for n in range(10)]
    found = statistics_of(make_diff(*pairs))
    assert found["weighted"] is False
    assert found["verdicts"][-1]["share"] in (0.3, 0.7)


def test_a_weighted_run_says_so_on_the_terminal_the_page_and_in_the_summary() -> None:
    pairs = [make_pair(f"c{n}", weight=500.0) for n in range(40)]
    pairs += [make_pair("r", "regressed", divergences=(ODD,))]
    document = make_document(*pairs)
    said = "<0.1 % regressed (0.0 to"
    assert said in " ".join(printed(document).split())
    assert "&lt;0.1 % regressed (0.0 to" in render_html(document)
    assert said in render_summary(document)
    alike = make_document(make_pair("a"), make_pair("b"))
    assert "of the traffic" not in printed(alike)


def test_recorded_ends_are_tested_by_count_and_by_what_they_stand_for() -> None:
    def ended(name: str, before: float, after: float, weight: float) -> TraceDiff:
        verdict = "regressed" if after < before else "improved"
        ends = Circumstances(outcomes=(before, after))
        return make_pair(name, verdict, weight=weight, circumstances=ends)

    rest = [make_pair(f"s{n}", weight=50.0) for n in range(60)]
    settings = CompareSettings(outcomes="paired")
    rare = [ended(f"r{n}", 1, 0, 1.0) for n in range(12)]
    assert run_verdict([*rest, *rare], settings)[0] == "regressed"
    heavy = [ended(f"h{n}", 1, 0, 1_000.0) for n in range(9)]
    light = [ended(f"l{n}", 0, 1, 1.0) for n in range(9)]
    assert run_verdict([*rest, *heavy, *light], settings)[0] == "regressed"
    even = [ended(f"e{n}", n % 2, 1 - n % 2, 1_000.0) for n in range(18)]
    assert run_verdict([*rest, *even], settings)[0] == "pass"
