"""The main job on the demo: what was planted is found and named, and nothing else is blamed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl

from anonymize.store import Store
from tests.e2e.conftest import Demo
from tests.support import ROOT

PLANTED = json.loads((ROOT / "fixtures" / "planted.json").read_text())
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
        assert max(len(line) for line in ran.all.splitlines()) <= 80
        assert "\x1b" not in ran.all


def test_both_days_and_all_kinds_of_traces_are_in_the_store(demo: Demo) -> None:
    summary = Store(demo.store).summary()
    assert summary.traces >= 200
    assert len({part.date for part in summary.partitions}) == 2
    assert summary.flags.get("partial", 0) >= 1
    assert summary.quarantined == 0
    assert summary.skipped == 0


def test_ingesting_the_same_traffic_again_adds_nothing(demo: Demo) -> None:
    from tests.e2e.conftest import command

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


def test_no_known_personal_value_is_anywhere_in_store_report_or_log(demo: Demo) -> None:
    said = "\n".join(ran.all for ran in (demo.ingest, *(r for r, _ in demo.runs.values())))
    text = everything_written(demo.root) + said.lower()
    # A value counts where it stands as a word of its own: "Li" is not leaked by "list".
    leaked = [
        value
        for value in sorted(set(values(TRUTH)))
        if re.search(rf"(?<![^\W_]){re.escape(value.lower())}(?![^\W_])", text)
    ]
    assert leaked == []


def test_the_key_is_nowhere_in_what_was_written(demo: Demo) -> None:
    from tests.e2e.conftest import KEY

    assert KEY not in everything_written(demo.root)
