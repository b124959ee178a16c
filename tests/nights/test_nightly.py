"""Whole nights: what they leave, who is told, what is done again, what goes."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from anonymize.errors import AnonymizeError, AuditError
from anonymize.store import Store
from replay.config import ReplayConfig
from replay.nightly import days_to_do, run_night
from replay.nights.history import beat, missed, nights, read_night, trend, write_night
from tests.nights.test_notify import hook

DAYS = [date(2026, 3, 2) + timedelta(days=n) for n in range(4)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An agent that repeats what it is asked, and two conversations of it for each day."""
    (tmp_path / "parrot.py").write_text("def run(case, env):\n    return case.input\n")
    (tmp_path / "days").mkdir()
    for day in DAYS:
        records = [
            {
                "id": f"{day}-{n}",
                "at": f"{day}T12:00:0{n}Z",
                "messages": [
                    {"role": "user", "content": f"Say it {n}."},
                    {"role": "assistant", "content": f"Say it {n}."},
                ],
            }
            for n in range(2)
        ]
        (tmp_path / "days" / f"{day}.jsonl").write_text("\n".join(map(json.dumps, records)))
    return tmp_path


def config_of(folder: Path, **nightly: Any) -> ReplayConfig:
    # A named transcript source has one path; each night reads the folder and keeps its day.
    tables = {
        "anonymize": {"key_file": str(folder / "k.key"), "workers": 0},
        "sources": {
            "chats": {
                "kind": "transcripts",
                "path": str(folder / "days"),
                "id": "id",
                "messages": "messages",
                "started_at": "at",
            }
        },
        "agents": {"v2": {"target": "parrot:run"}},
        "nightly": {"source": "chats", "agent": "v2", "audit": 0, **nightly},
    }
    return ReplayConfig.from_tables(tables, folder)


def test_a_night_leaves_its_verdict_its_figures_and_its_heartbeat_and_tells_once(
    project: Path,
) -> None:
    with hook() as (url, got):
        config = config_of(
            project,
            audit=10,
            heartbeat="beat.json",
            metrics="out/replay.prom",
            notify={"webhook": url},
        )
        said: list[str] = []
        outcome = run_night(config, DAYS[0], say=said.append)
        assert outcome.exit_code == 0
        assert run_night(config, DAYS[0], say=said.append).exit_code == 0
    assert len(got) == 1
    assert json.loads(got[0][1])["verdict"] == "pass"
    assert any("2 added" in line for line in said)
    assert any("searched again, clean" in line for line in said)
    assert any("2 already there" in line for line in said)
    known = read_night(project / "runs" / "2026-03-02")
    assert (known["verdict"], known["compared"], known["told"]) == ("pass", 2, "pass")
    pulse = json.loads((project / "beat.json").read_text())
    assert (pulse["state"], pulse["verdict"], pulse["day"]) == ("done", "pass", "2026-03-02")
    assert "replay_traces_same" in (project / "out" / "replay.prom").read_text()


def test_who_could_not_be_told_is_told_the_next_time(project: Path) -> None:
    config = config_of(project, notify={"webhook": "http://127.0.0.1:9/"})
    said: list[str] = []
    import replay.nights.notify as module

    waits, module._TRIES = module._TRIES, (0.0,)
    try:
        run_night(config, DAYS[0], say=said.append)
    finally:
        module._TRIES = waits
    assert "not told: the webhook could not be reached (URLError)" in said
    with hook() as (url, got):
        run_night(config_of(project, notify={"webhook": url}), DAYS[0])
    assert len(got) == 1


def test_a_chosen_part_of_a_day_is_chosen_once(project: Path) -> None:
    config = config_of(project, size=1)
    outcome = run_night(config, DAYS[0])
    (trace,) = outcome.document["traces"]
    assert trace["weight"] == 2.0
    again = run_night(config, DAYS[0])
    assert [t["trace_id"] for t in again.document["traces"]] == [trace["trace_id"]]


def test_a_source_that_is_down_leaves_a_heartbeat_and_the_night_is_caught_up(
    project: Path,
) -> None:
    config = config_of(project, heartbeat="beat.json")
    assert days_to_do(config, DAYS[0]) == [DAYS[0]]
    run_night(config, DAYS[0])
    away = (project / "days").rename(project / "gone")
    with pytest.raises(AnonymizeError):
        run_night(config, DAYS[1])
    assert json.loads((project / "beat.json").read_text())["state"] == "failed"
    away.rename(project / "days")
    assert days_to_do(config, DAYS[3]) == DAYS[1:]
    for day in DAYS[1:]:
        run_night(config, day)
    assert days_to_do(config, DAYS[3] + timedelta(days=1)) == [DAYS[3] + timedelta(days=1)]
    ids = [t.trace_id for t in Store(project / "traces").traces()]
    assert len(ids) == len(set(ids)) == 8


def test_personal_data_in_the_store_stops_the_night(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anonymize.audit import stored

    dirty = stored.StoreAudit(traces=2, checked=2, counts={"EMAIL_ADDRESS": 1})
    monkeypatch.setattr(stored, "audit_store", lambda *a, **k: dirty)
    with pytest.raises(AuditError, match="EMAIL_ADDRESS"):
        run_night(config_of(project, audit=5), DAYS[0])
    assert not (project / "runs" / "2026-03-02" / "run.json").exists()


def test_old_days_leave_the_store_and_the_runs(project: Path) -> None:
    run_night(config_of(project), DAYS[0])
    run_night(config_of(project), DAYS[1])
    keep = (datetime.now(UTC).date() - DAYS[1]).days
    said: list[str] = []
    run_night(config_of(project, keep_days=keep), DAYS[2], say=said.append)
    assert any("2 traces of 1 days" in line for line in said)
    assert {t.started_at.date() for t in Store(project / "traces").traces() if t.started_at} == {
        DAYS[1],
        DAYS[2],
    }
    assert [p.name for p in (project / "runs" / "2026-03-02").iterdir()] == ["night.json"]
    first, *_ = nights(project / "runs")  # what it came to is kept, without what traces said
    assert (first.day, first.verdict, first.compared, first.groups) == (DAYS[0], "pass", 2, {})


def night(runs: Path, day: date, *, state: str = "complete", regressed: int = 0) -> None:
    folder = runs / day.isoformat()
    folder.mkdir(parents=True)
    header = {"schema": 1, "state": state, "exit_code": 1 if regressed else 0}
    (folder / "run.json").write_text(json.dumps(header))
    write_night(folder, verdict="regressed" if regressed else "pass", regressed=regressed)


def test_missed_nights_are_those_after_the_last_complete_one(tmp_path: Path) -> None:
    night(tmp_path, DAYS[0])
    night(tmp_path, DAYS[1], state="running")
    (tmp_path / "v2-20260302-1").mkdir()
    assert missed(tmp_path, DAYS[3], 7) == DAYS[1:]
    assert missed(tmp_path, DAYS[3], 1) == DAYS[2:]
    assert missed(tmp_path, DAYS[3], 0) == [DAYS[3]]
    assert missed(tmp_path / "nothing", DAYS[3], 7) == [DAYS[3]]


def test_a_leap_day_is_a_day(tmp_path: Path) -> None:
    night(tmp_path, date(2028, 2, 27))
    days = missed(tmp_path, date(2028, 3, 1), 7)
    assert days == [date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)]


def test_the_trend_names_the_nights_before(tmp_path: Path) -> None:
    assert trend(tmp_path, DAYS[0]) == ""
    night(tmp_path, DAYS[0], regressed=3)
    night(tmp_path, DAYS[1])
    assert trend(tmp_path, DAYS[2]) == "regressed in the nights before: 3, 0"


def test_a_heartbeat_is_whole_or_the_one_before(tmp_path: Path) -> None:
    beat(tmp_path / "x" / "beat.json", state="done")
    beat(tmp_path / "x" / "beat.json", state="failed")
    assert json.loads((tmp_path / "x" / "beat.json").read_text())["state"] == "failed"


def test_drift_of_inputs_names_new_tools_and_longer_questions(tmp_path: Path) -> None:
    from dataclasses import replace

    from replay.nights.drift import drift_of
    from tests.engine.store_support import store_of
    from tests.engine.support import called, make_trace

    def on(day: date, number: int, *tools: str, text: str = "Where is it?") -> Any:
        trace = make_trace(*(called(t) for t in tools), trace_id=f"{day}-{number}", input=text)
        at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        return replace(trace, started_at=at)

    traces = [on(DAYS[0], n, "get_order") for n in range(25)]
    traces += [on(DAYS[1], n, "get_order", "get_refund", text="x" * 200) for n in range(5)]
    store_of(tmp_path / "store", traces)
    notes = drift_of(tmp_path / "store", DAYS[1]).notes
    assert notes[0] == "new tool: get_refund in 5 traces"
    assert any(note.startswith("questions: median 20") for note in notes)
    assert any(note.startswith("calls per trace: median 2") for note in notes)
    assert drift_of(tmp_path / "store", DAYS[0]).notes == ()


def spans_of(day: date, *spans: dict[str, Any]) -> str:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]})


def span_at(moment: datetime, number: int, parent: int | None, **attributes: str) -> dict[str, Any]:
    start = int(moment.timestamp()) * 10**9
    return {
        "traceId": "ab" * 16,
        "spanId": f"{number:016x}",
        "parentSpanId": "" if parent is None else f"{parent:016x}",
        "name": "span",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 10**9),
        "attributes": [
            {"key": k.replace("__", "."), "value": {"stringValue": v}}
            for k, v in attributes.items()
        ],
    }


def test_spans_that_come_with_the_next_day_complete_their_trace_and_do_not_replace_it(
    project: Path,
) -> None:
    """The run begins before midnight; its last call is in the file of the next day."""
    late = datetime(2026, 3, 2, 23, 59, 50, tzinfo=UTC)
    root = span_at(
        late,
        1,
        None,
        gen_ai__operation__name="invoke_agent",
        gen_ai__input__messages='[{"role": "user", "content": "Say it."}]',
        gen_ai__output__messages='[{"role": "assistant", "content": "Say it."}]',
    )
    call = {"gen_ai__operation__name": "execute_tool", "gen_ai__tool__name": "get_order"}
    first = span_at(late + timedelta(seconds=2), 2, 1, **call)
    second = span_at(late + timedelta(seconds=20), 3, 1, **call)
    (project / "spans-2026-03-02.json").write_text(spans_of(DAYS[0], root, first))
    config = config_of(project, source="spans-{date}.json")
    run_night(config, DAYS[0])
    (project / "spans-2026-03-03.json").write_text(spans_of(DAYS[1], second))
    said: list[str] = []
    # Nothing began on that day.
    assert run_night(config, DAYS[1], say=said.append).document["verdict"]["status"] == "no traffic"
    (trace,) = Store(project / "traces").traces()
    assert [c.name for c in trace.tool_calls] == ["get_order", "get_order"]
    assert trace.output == "Say it."
    assert "1 of the day before came or were completed late" in said[0]
