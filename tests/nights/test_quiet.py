"""Days without traffic, days that can't be read, and what is told of them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from anonymize.errors import SourceError, UsageError
from anonymize.keys import load_key
from anonymize.scrubbed import _seal
from anonymize.store import StoreWriter
from anonymize.trace import Trace
from replay.config import ReplayConfig
from replay.nightly import days_to_do, run_night, run_nights
from replay.nights.history import missed, nights, read_night, write_night
from replay.nights.ingesting import _known
from replay.nights.quiet import judge
from tests.nights.conftest import dated, write_day
from tests.nights.test_nightly import night
from tests.nights.test_notify import hook

MONDAY = date(2026, 3, 2)


def done(runs: Path, day: date, *, compared: int) -> None:
    """Leave what a night leaves that was done."""
    night(runs, day)
    write_night(runs / day.isoformat(), compared=compared, traffic=compared)


def store(config: ReplayConfig, *ids: str, day: date, version: str | None = None) -> None:
    """Put traces into the project's store, as `anonymize receive` would."""
    known = _known(config)
    name = load_key(known.policy, known.root).name
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    traces = [
        Trace(trace_id=i, agent="a", agent_version=version, input=i, output=i, started_at=at)
        for i in ids
    ]
    sealed = [_seal(t, f"p-{name}", {}) for t in traces]
    StoreWriter(config.resolve("traces")).write(sealed, source="receive", complete=False)


def on(number: int) -> date:
    return MONDAY + timedelta(days=number)


@pytest.mark.parametrize(
    ("traffic", "day", "usual"),
    [
        ({}, 0, False),
        (dict.fromkeys(range(6), 9), 6, True),  # the first Sunday
        (dict.fromkeys(range(7), 9), 7, True),  # one Monday is known, and it was busy
        (dict.fromkeys(range(14), 9), 14, False),
        ({n: 9 * (n % 7 < 5) for n in range(14)}, 19, True),  # Saturdays are quiet
        ({n: 9 * (n % 7 < 5) for n in range(14)}, 14, False),  # Mondays are not
        (dict.fromkeys(range(3), 9), 3, False),  # the first Thursday, after three busy days
        ({0: 9}, 1, True),  # nothing is known yet
        ({n: 9 * (n != 2) for n in range(4)}, 4, True),  # there were quiet days before
    ],
)
def test_a_silence_is_usual_if_days_like_it_were_silent(
    traffic: dict[int, int], day: int, usual: bool
) -> None:
    # A week with one busy Monday and no quiet day at all: the next quiet Monday is a surprise.
    expected = False if (len(traffic), day) == (7, 7) else usual
    found = judge({on(n): count for n, count in traffic.items()}, on(day))
    assert found.usual is expected, found.why
    assert str(on(day)) in found.why


def test_a_quiet_day_is_a_night_with_report_figures_and_heartbeat_and_a_silent_one_warns(
    parrot: Path,
) -> None:
    for n in range(-1, 4):  # from Sunday on, each day with traffic
        done(parrot / "runs", on(n), compared=9)
    write_day(parrot, on(4), 2)
    write_day(parrot, on(5), 0)
    with hook() as (url, got):
        config = dated(
            parrot,
            heartbeat="beat.json",
            metrics="m.prom",
            notify={"webhook": url, "when": "change"},
        )
        run_night(config, on(4))
        quiet = run_night(config, on(5))  # a Saturday: none was known
        assert (quiet.exit_code, quiet.document["verdict"]["status"]) == (0, "no traffic")
        assert got == []
        pulse = json.loads((parrot / "beat.json").read_text())
        assert (pulse["state"], pulse["verdict"]) == ("done", "no traffic")
        assert "replay_traffic_traces" in (parrot / "m.prom").read_text()
        page = (quiet.folder / "report.html").read_text()
        assert "No traffic on 2026-03-07" in page
        assert 'id="nights"' in page
        assert 'id="behaviours"' not in page  # nothing was done that could have changed
        assert days_to_do(config, on(6)) == [on(6)]
        done(parrot / "runs", on(6), compared=9)
        write_day(parrot, on(13), 0)
        said: list[str] = []
        silent = run_night(config, on(13), say=said.append)  # a Sunday: two had traffic
        assert silent.exit_code == 3
        assert any(line.startswith("warning: is the source 'chats'") for line in said)
        run_night(config, on(13))
        # Told once, and asked for again with the next start: traffic may have been held back.
        assert [json.loads(body)["verdict"] for _, body in got] == ["no traffic"]
        assert missed(parrot / "runs", on(14), 7)[-2:] == [on(13), on(14)]
        write_day(parrot, on(13), 2)
        assert run_night(config, on(13)).document["counts"]["compared"] == 2


def test_a_missing_file_is_an_error_that_is_told_once_and_caught_up_without_holding_up_others(
    parrot: Path,
) -> None:
    write_day(parrot, on(0), 2)
    write_day(parrot, on(2), 2)
    with hook() as (url, got):
        config = dated(parrot, heartbeat="beat.json", metrics="m.prom", notify={"webhook": url})
        run_night(config, on(0))
        one, two = run_nights(config, days_to_do(config, on(2)))
        assert (one.day, one.exit_code, two.day, two.exit_code) == (on(1), 2, on(2), 0)
        (again,) = run_nights(config, [on(1)])
        assert isinstance(again.error, SourceError)
        told = [json.loads(body) for _, body in got]
        assert [(m["run"], m["verdict"]) for m in told] == [
            (str(on(0)), "pass"),
            (str(on(1)), "could not run"),
            (str(on(2)), "pass"),
        ]
        assert "does not exist" in told[1]["sentence"]
        assert [n.day for n in nights(parrot / "runs")] == [on(0), on(2)]
        assert days_to_do(config, on(3)) == [on(1), on(3)]
        write_day(parrot, on(1), 2)
        (caught,) = run_nights(config, [on(1)])
        assert caught.exit_code == 0
    known = read_night(parrot / "runs" / str(on(1)))
    assert "failed" not in known
    assert known["verdict"] == "pass"


def test_a_day_of_which_nothing_can_be_taken_is_no_quiet_day(parrot: Path) -> None:
    (parrot / "days").mkdir()
    (parrot / "days" / f"{on(0)}.jsonl").write_text('{"id": 1, "messages": "x"}\n')
    with pytest.raises(SourceError):
        run_night(dated(parrot, heartbeat="beat.json"), on(0))
    assert json.loads((parrot / "beat.json").read_text())["state"] == "failed"


def test_who_can_not_be_told_for_want_of_a_secret_is_known_before_the_night(
    parrot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_HOOK", raising=False)
    write_day(parrot, on(0), 1)
    config = dated(parrot, notify={"slack_env": "NO_SUCH_HOOK"})
    with pytest.raises(UsageError, match="NO_SUCH_HOOK"):
        next(run_nights(config, [on(0)]))
    assert not (parrot / "traces").exists()


def test_a_store_that_something_else_fills_needs_no_source_and_late_traces_mend_the_report(
    parrot: Path,
) -> None:
    from dataclasses import replace as changed

    config = dated(parrot, source="")

    def came(*ids: str, day: date = MONDAY) -> None:
        store(config, *ids, day=day)

    came("t1", "t2")
    said: list[str] = []
    (first,) = run_nights(config, [on(0)], say=said.append)
    assert "nothing to ingest" in said[0]
    assert first.outcome is not None
    assert first.outcome.document["counts"]["compared"] == 2
    came("t3")
    came("u1", day=on(1))
    _, mended = run_nights(config, [on(1)], say=said.append)
    assert (mended.day, mended.again) == (on(0), True)
    assert mended.outcome is not None
    counts = mended.outcome.document["counts"]
    assert (counts["compared"], counts["replayed"], counts["reused"]) == (3, 1, 2)
    # Of other code, a night stays what it was.
    came("t4")
    (parrot / "parrot.py").write_text("def run(case, env):\n    return 'no'\n")
    assert [d.day for d in run_nights(changed(config), [on(1)])] == [on(1)]


@pytest.mark.parametrize("stage", ["_remember", "tell", "_tidy"])
def test_a_night_that_is_killed_after_its_report_is_told_by_the_next_start(
    stage: str, parrot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from replay.nights import stages

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    done(parrot / "runs", on(0), compared=9)
    write_day(parrot, on(5), 0)
    write_day(parrot, on(6), 0)
    with hook() as (url, got):
        config = dated(parrot, heartbeat="beat.json", notify={"webhook": url})
        monkeypatch.setattr(stages, stage, killed)
        with pytest.raises(KeyboardInterrupt):
            run_night(config, on(5))
        assert (parrot / "runs" / str(on(5)) / "report.html").exists()
        assert days_to_do(config, on(6))[-2:] == [on(5), on(6)]
        monkeypatch.undo()
        list(run_nights(config, [on(5), on(6)]))
    assert [json.loads(body)["run"] for _, body in got] == [str(on(5)), str(on(6))]
    assert days_to_do(config, on(7))[-1:] == [on(7)]
    assert on(5) not in days_to_do(config, on(7))
    assert json.loads((parrot / "beat.json").read_text())["day"] == str(on(6))


@pytest.mark.parametrize("size", [0, 5])
def test_traffic_of_another_version_only_is_no_quiet_day(size: int, parrot: Path) -> None:
    config = dated(parrot, source="", baseline="v1", size=size, heartbeat="beat.json")
    store(config, "t1", day=MONDAY, version="v7")
    with pytest.raises(UsageError, match="nothing to replay: no trace of version 'v1'") as raised:
        run_night(config, MONDAY)
    assert "2026-03-02 v7 (1)" in raised.value.fix
    assert json.loads((parrot / "beat.json").read_text())["state"] == "failed"
