"""`replay run --suite`: only its traces, each with its weight."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from anonymize.errors import UsageError
from anonymize.store import Store
from replay.cli import cli
from replay.faults import FaultPlan
from replay.run_request import RunRequest
from replay.selection import Selection, select
from replay.suites import Entry, Suite, write_suite
from tests.engine.store_support import store_of
from tests.engine.support import make_trace


def test_a_run_of_a_suite_weighs_its_traces_and_says_what_is_gone(
    tmp_path: Path,
) -> None:
    traces = [make_trace(trace_id=f"t{n}", input=f"hello {n}") for n in range(4)]
    store_of(tmp_path / "traces", traces)
    (tmp_path / "echo_agent.py").write_text("def run(case, env):\n    return case.input\n")
    (tmp_path / "replay.toml").write_text(
        '[replay]\ntraces = "traces"\nruns = "runs"\n[agents.v2]\ntarget = "echo_agent:run"\n'
    )
    entries = (
        Entry(trace_id="t1", weight=30.0),
        Entry(trace_id="t2", weight=1.5),
        Entry(trace_id="gone"),
    )
    write_suite(tmp_path / "suite.json", Suite(entries=entries))
    result = CliRunner().invoke(
        cli,
        [
            *("run", "v2", "--config", str(tmp_path / "replay.toml")),
            *("--suite", str(tmp_path / "suite.json"), "--out", str(tmp_path / "out")),
        ],
    )
    assert not result.exception or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 0, result.output
    document = json.loads((tmp_path / "out" / "report.json").read_text())
    assert {t["trace_id"]: t["weight"] for t in document["traces"]} == {"t1": 30.0, "t2": 1.5}
    assert "1 traces of the suite are no longer in the store" in result.output


def test_a_suite_of_which_nothing_is_left_is_told_and_other_limits_lose_nothing(
    tmp_path: Path,
) -> None:
    traces = [make_trace(trace_id=f"t{n}", agent_version=f"v{n % 2}") for n in range(4)]
    store = Store(store_of(tmp_path / "traces", traces))

    def chosen(*ids: str, baseline: str | None = None) -> Selection:
        weights = dict.fromkeys(ids, 2.0)
        request = RunRequest(
            agent="a",
            traces=tmp_path / "traces",
            runs=tmp_path / "runs",
            plan=FaultPlan(),
            weights=weights,
            baseline=baseline,
        )
        return select(store, request)

    with pytest.raises(UsageError, match="none of the 2 traces of the suite is in the store"):
        chosen("gone", "away")
    assert chosen("t0", "t1", "gone", baseline="v0").lost == 1
    assert set(chosen("t0", "t1", baseline="v0").digests) == {"t0"}
