"""The main job on the demo: what was planted is found and named, and nothing else is blamed."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict
from pathlib import Path

import polars as pl
import pytest
import zstandard

from anonymize.config import AnonymizeConfig
from anonymize.sources import open_source
from anonymize.store import Store
from anonymize.trace import Trace
from fixtures.demo.planted import PLANTED, Planted
from tests.e2e.conftest import Demo, command
from tests.support import ROOT

SCENARIOS: dict[str, str] = json.loads((ROOT / "fixtures" / "planted.json").read_text())["v1"]
TRUTH = json.loads((ROOT / "fixtures" / "truth.json").read_text())


def test_the_unchanged_agent_shows_no_difference_at_all(demo: Demo) -> None:
    ran, _ = demo.runs["v1"]
    report = demo.report("v1")
    assert ran.code == 0, ran.all
    assert report["groups"] == []
    assert report["counts"]["same"] == report["counts"]["compared"] >= 200
    assert report["counts"]["divergences"] == 0


def test_the_new_version_ends_with_exit_code_1(demo: Demo) -> None:
    ran, _ = demo.runs["v2"]
    assert ran.code == 1, ran.all
    assert demo.report("v2")["verdict"]["status"] == "regressed"


def test_every_answer_to_the_unchanged_agent_is_on_the_record(demo: Demo) -> None:
    store = Store(demo.runs["v1"][1] / "traces")
    fidelity = (
        store.scan("steps").filter(pl.col("kind") == "tool").group_by("fidelity").len().collect()
    )
    assert fidelity["fidelity"].to_list() == ["exact"]


def test_the_terminal_never_prints_wider_than_80_columns(demo: Demo) -> None:
    for ran in (demo.ingest, *(ran for ran, _ in demo.runs.values())):
        # Temporary folders have long names; a path is not broken to fit.
        lines = [line for line in ran.all.splitlines() if str(demo.root) not in line]
        assert max(map(len, lines)) <= 80
        assert "\x1b" not in ran.all


def test_both_days_and_all_kinds_of_traces_are_in_the_store(demo: Demo) -> None:
    summary = Store(demo.store).summary()
    assert summary.traces >= 200
    assert len({part.date for part in summary.partitions}) == 2
    assert summary.flags.get("partial", 0) >= 1
    assert summary.quarantined == 0
    assert summary.skipped == 0


def test_ingesting_the_same_traffic_again_adds_nothing(demo: Demo) -> None:
    before = {p: p.read_bytes() for p in sorted(demo.store.rglob("*")) if p.is_file()}
    again = command("anonymize", "ingest", "demo", "--out", demo.store)
    assert again.code == 0, again.all
    assert re.search(r"added +0\b", again.out)
    assert {p: p.read_bytes() for p in sorted(demo.store.rglob("*")) if p.is_file()} == before


def values(node: object) -> list[str]:
    if isinstance(node, dict):
        return [v for item in node.values() for v in values(item)]
    if isinstance(node, list):
        return [v for item in node for v in values(item)]
    return [node] if isinstance(node, str) else []


def everything_written(folder: Path) -> str:
    """All text under a folder, Parquet decoded, in lower case."""
    texts = []
    for path in folder.rglob("*"):
        if path.suffix == ".parquet":
            texts.append(
                json.dumps(pl.read_parquet(path).to_dicts(), default=str, ensure_ascii=False)
            )
        elif path.is_file():
            texts.append(path.read_text(errors="replace"))
    return "\n".join(texts).lower()


KNOWN = sorted(set(values(TRUTH)))
#: Five digits that were invented for one person are another's by chance: 1 in 100,000 each time.
SHORT_NUMBERS = [value for value in KNOWN if value.isdigit() and len(value) < 7]


def leaked(text: str, known: list[str]) -> list[str]:
    """Those of the known personal values that stand in ``text`` as words of their own.

    "Li" is not leaked by "list", nor the postcode 8008 by the order number 48008 or by the
    number of an invented handle (``yosukagiris_8008``).
    """
    found = []
    for value in known:
        if value.lower() not in text:
            continue
        # A number inside of a longer one is another number: 1040 is not in 1040.305 ms.
        edges = (r"\w|\d\.", r"\w|\.\d") if value.isdigit() else (r"[^\W_]", r"[^\W_]")
        before, after = (f"(?<!{part})" for part in edges[0].split("|")), f"(?!{edges[1]})"
        if re.search("".join(before) + re.escape(value.lower()) + after, text):
            found.append(value)
    return found


def test_the_leak_check_would_see_every_known_value() -> None:
    assert len(KNOWN) > 400
    assert leaked(" | ".join(KNOWN).lower(), KNOWN) == KNOWN


def test_no_known_personal_value_is_anywhere_in_store_report_or_log(demo: Demo) -> None:
    said = "\n".join(ran.all for ran in (demo.ingest, *(r for r, _ in demo.runs.values())))
    written = everything_written(demo.root) + said.lower()
    assert leaked(written, [value for value in KNOWN if value not in SHORT_NUMBERS]) == []


def test_no_short_number_of_a_person_is_left_in_the_traces_that_held_it(demo: Demo) -> None:
    scrubbed = {trace.trace_id: trace for trace in Store(demo.store).traces()}
    settings = AnonymizeConfig.load(ROOT / "replay.toml")
    held = 0
    for raw in open_source("demo", settings.sources).read():
        assert isinstance(raw, Trace)
        numbers = leaked(as_text(raw), SHORT_NUMBERS)
        held += len(numbers)
        if raw.trace_id in scrubbed:
            assert leaked(as_text(scrubbed[raw.trace_id]), numbers) == [], raw.trace_id
    assert held > 50


def as_text(trace: Trace) -> str:
    return json.dumps(asdict(trace), default=str, ensure_ascii=False).lower()


@pytest.mark.parametrize("planted", PLANTED, ids=lambda p: p.name)
def test_each_planted_behaviour_is_found_named_and_judged(demo: Demo, planted: Planted) -> None:
    report = demo.report("v2")
    traces = {t["trace_id"]: t for t in report["traces"]}
    ids = {i for i, scenario in SCENARIOS.items() if scenario in planted.scenarios}
    assert ids
    assert {traces[i]["verdict"] for i in ids} == {planted.verdict}
    groups = [g for g in report["groups"] if set(g["trace_ids"]) & ids]
    covered = {i for g in groups if g["code"] in planted.codes for i in g["trace_ids"]}
    assert ids <= covered
    for tool in planted.tools:
        assert any(tool in g["title"] or tool in g["tools"] for g in groups)


def test_nothing_but_the_planted_behaviours_is_reported(demo: Demo) -> None:
    report = demo.report("v2")
    planted = {scenario for p in PLANTED for scenario in p.scenarios}
    others = [
        (SCENARIOS[t["trace_id"]], t["verdict"])
        for t in report["traces"]
        if t["verdict"] != "same" and SCENARIOS[t["trace_id"]] not in planted
    ]
    assert others == []
    worse = {s for p in PLANTED if p.verdict == "regressed" for s in p.scenarios}
    regressed = {SCENARIOS[t["trace_id"]] for t in report["traces"] if t["verdict"] == "regressed"}
    assert regressed == worse


def test_groups_come_worst_first(demo: Demo) -> None:
    order = ["regression", "major", "improvement", "minor", "info"]
    ranks = [order.index(g["severity"]) for g in demo.report("v2")["groups"]]
    assert ranks == sorted(ranks)


def test_the_report_fits_its_published_schema(demo: Demo) -> None:
    import jsonschema

    from replay.report import load_schema

    for version in demo.runs:
        jsonschema.validate(demo.report(version), load_schema())


def test_the_broken_off_recording_is_counted_as_not_replayable(demo: Demo) -> None:
    assert demo.report("v2")["counts"]["not_replayable"] == 1


def test_a_fault_lands_and_its_proof_is_in_the_report(demo: Demo) -> None:
    ids = [i for i, scenario in SCENARIOS.items() if scenario == "refund_hurried"]
    picked = [a for i in ids for a in ("--trace", i)]
    ran = command(
        "replay", "run", "v1", "--traces", demo.store, "--out", demo.root / "fault", *picked,
        "--fault", "timeout:tool=issue_refund,call=1",
    )  # fmt: skip
    assert ran.code in (0, 1, 3), ran.all
    report = json.loads((demo.root / "fault" / "report.json").read_text())
    (fault,) = report["trust"]["faults"]
    assert fault["landed"] == len(ids)
    assert demo.report("v1")["trust"]["faults"] == []


def test_plain_duckdb_reads_the_store(demo: Demo) -> None:
    import duckdb

    files = [str(path) for path in Store(demo.store).files("steps")]
    relation = duckdb.read_parquet(files, hive_partitioning=False)
    ((calls,),) = relation.filter("kind = 'tool'").aggregate("count(*)").fetchall()
    assert calls > 500


def test_two_recorded_datasets_can_be_compared_without_a_replay(demo: Demo) -> None:
    ran = command("anonymize", "ingest", "demo-v2", "--out", demo.root / "v2-recorded")
    assert ran.code == 0, ran.all
    same = command("replay", "diff", demo.store, demo.store)
    assert same.code == 0, same.all
    ran = command("replay", "diff", demo.store, demo.root / "v2-recorded")
    assert ran.code == 1, ran.all
    assert "issue_refund without verify_identity first" in ran.out


def test_a_night_is_done_once_however_often_it_is_started(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "fixtures", tmp_path / "fixtures")
    shutil.copy(ROOT / "replay.toml", tmp_path / "replay.toml")
    # A third of the day holds a regression as well; of the day before comes what is late.
    for day in (tmp_path / "fixtures" / "traffic").iterdir():
        with zstandard.open(day, "rb") as file:
            lines = file.read().splitlines(keepends=True)
        with zstandard.open(day, "wb") as file:
            file.write(b"".join(lines[: len(lines) // 3 if "03-03" in day.name else 1]))
    first = command("replay", "nightly", "--date", "2026-03-03", cwd=tmp_path)
    assert first.code == 1, first.all
    again = command("replay", "nightly", "--date", "2026-03-03", cwd=tmp_path)
    assert again.code == 1, again.all
    assert " 0 added" in again.out
    report = json.loads((tmp_path / "runs" / "2026-03-03" / "report.json").read_text())
    counts = report["counts"]
    assert counts["replayed"] == 0
    # Of a few traces the other half is in the rest of the day.
    assert counts["not_replayable"] < 5
    assert counts["reused"] == counts["read"] - counts["not_replayable"] > 40
    nothing = command("replay", "nightly", "--date", "2026-01-01", cwd=tmp_path)
    assert nothing.code == 2
    assert "2026-01-01" in nothing.err


def test_the_key_is_nowhere_in_what_was_written(demo: Demo) -> None:
    from tests.e2e.conftest import KEY

    assert KEY not in everything_written(demo.root)
