"""A month of nights in which everything goes wrong, and what is there at its end.

The nights are forked and killed by :mod:`tests.nights.zygote`, which says what is a stand-in.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from filelock import FileLock

from anonymize.store import Store
from replay.nights.history import nights, read_night
from tests.sources.platforms.standin import Behaviour, langfuse_handler, observation, serving
from tests.support import ROOT

#: A leap day is among them. Clocks go forward in Berlin on March 26, and back in Sydney on April 2:
#: the machine moves there on March 29.
FIRST = date(2028, 2, 28)
NIGHTS = 34
MOVED = date(2028, 3, 29)
DAYS = [FIRST + timedelta(days=n) for n in range(NIGHTS)]
#: The platform is down for two nights, the disk is full on one, two nights start at once on one,
#: and once it is the night after that goes on with what was killed.
DOWN = {date(2028, 3, 8), date(2028, 3, 9)}
FULL = date(2028, 3, 13)
TWICE = date(2028, 3, 16)
#: On this night the platform lists its last trace, and does not hand it out before the next.
HIDDEN = date(2028, 3, 18)
LEFT = {date(2028, 3, 4), date(2028, 3, 20), date(2028, 3, 25), date(2028, 3, 30)}

#: Half a minute of work in a hundred processes, which is more on a machine that is busy.
pytestmark = pytest.mark.timeout(900)

CONFIG = """\
[anonymize]
key_file = "k.key"

[sources.prod]
kind = "langfuse"
url = "{url}"
key_env = "SHOP_SECRET"
public_key_env = "SHOP_PUBLIC"
page = 20

[agents.v2]
target = "shop:run"

[nightly]
source = "prod"
agent = "v2"
aa = 0
heartbeat = "beat.json"
metrics = "replay.prom"
"""


@dataclass
class Platform:
    """What production does in a month. A trace is shown once ``shown`` has come."""

    observations: list[Any] = field(default_factory=list)
    waiting: list[tuple[datetime, Any]] = field(default_factory=list)
    behaviour: Behaviour = field(default_factory=lambda: Behaviour(repeat=True))
    calls: dict[str, int] = field(default_factory=dict)
    began: dict[str, date] = field(default_factory=dict)

    def run(self, begin: datetime, *, calls: int = 1, step: float = 1.0, late: float = 0.0) -> None:
        """A run with ``calls`` tool calls, ``step`` seconds apart, each shown ``late`` minutes
        after it was over."""
        name = f"{len(self.calls) + 1:032x}"
        self.calls[name] = calls
        self.began[name] = begin.date()
        end = begin + timedelta(seconds=step * (calls + 1))
        for number in range(calls + 1):
            at = begin + timedelta(seconds=step * number)
            over = end if number == 0 else at + timedelta(seconds=0.5)
            seen = observation(
                0,
                min(number, 1),
                id=f"{name}-{number}",
                trace_id=name,
                parent_observation_id=f"{name}-0" if number else None,
                start_time=at,
                end_time=over,
                session_id=name,
            )
            self.waiting.append((over + timedelta(minutes=late), seen))

    def day(self, day: date) -> None:
        """The traffic of a day (UTC): at its edges, at the edges of slices, late, and long."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        self.run(midnight)
        self.run(midnight + timedelta(hours=6, seconds=-1), calls=2)
        self.run(midnight + timedelta(hours=15), calls=3, late=20)
        # Over midnight, with its last calls on the next day; and shown after the night was done.
        self.run(midnight + timedelta(hours=23, minutes=58), calls=3, step=70)
        self.run(midnight + timedelta(hours=23, minutes=40), late=75)

    def until(self, now: datetime) -> None:
        """Show what is due, newest first, as Langfuse does."""
        due = [o for at, o in self.waiting if at <= now]
        self.waiting = [(at, o) for at, o in self.waiting if at > now]
        self.observations[:] = sorted(
            [*self.observations, *due], key=lambda o: o.start_time, reverse=True
        )


class Zygote:
    """Starts nights in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log.txt"
        env = {**os.environ, "SHOP_SECRET": "sk", "SHOP_PUBLIC": "pk", "POLARS_MAX_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.nights.zygote"],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._out.readline() == "ready\n"

    @property
    def _out(self) -> Any:
        return self._process.stdout

    def night(self, now: datetime, zone: str, **order: Any) -> dict[str, Any]:
        """Start ``replay nightly`` at ``now``; how it ended, and how often it changed the disk."""
        order |= {
            "argv": ["nightly"],
            "now": now.isoformat(),
            "zone": zone,
            "folder": str(self.folder),
            "log": str(self.log),
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._out.readline())
        return told

    def said(self) -> str:
        """What was printed since the last time."""
        text = self.log.read_text() if self.log.exists() else ""
        self.log.write_text("")
        return text

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass
class Month:
    """What came of it."""

    folder: Path
    platform: Platform
    ends: Counter[str] = field(default_factory=Counter)
    stages: Counter[str] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)


def starts_of(day: date) -> Iterator[tuple[datetime, str]]:
    """When the night after ``day`` begins: at 2:30 on the wall, which is never, or twice, where
    clocks change."""
    zone = "Europe/Berlin" if day < MOVED else "Australia/Sydney"
    there = ZoneInfo(zone)
    morning = day + timedelta(days=1 if day < MOVED else 2)
    wall = datetime(morning.year, morning.month, morning.day, 2, 30)
    moments = {wall.replace(tzinfo=there, fold=fold).astimezone(UTC) for fold in (0, 1)}
    for moment in sorted(moments):
        yield moment, zone


def lived_through(folder: Path, days: list[date], seed: int) -> Month:
    """The nights of ``days``, one after the other."""
    (folder / "shop.py").write_text("def run(case, env):\n    return case.input\n")
    platform, random_ = Platform(), random.Random(seed)
    month = Month(folder=folder, platform=platform)
    handler = langfuse_handler(platform.observations, platform.behaviour, ("pk", "sk"))
    with serving(handler) as url:
        (folder / "replay.toml").write_text(CONFIG.format(url=url))
        zygote = Zygote(folder)
        try:
            for day in days:
                platform.day(day)
                for now, zone in starts_of(day):
                    platform.until(now)
                    live(month, zygote, random_, day, now, zone)
        finally:
            zygote.close()
    return month


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Month:
    """The month, lived through once."""
    return lived_through(tmp_path_factory.mktemp("month"), DAYS, seed=7)


def live(
    month: Month, zygote: Zygote, random_: random.Random, day: date, now: datetime, zone: str
) -> None:
    """One start of the scheduler, with what goes wrong on that day."""
    behaviour = month.platform.behaviour
    behaviour.busy, behaviour.expire_after = random_.choice([0, 2]), random_.choice([0, 1, 2])
    behaviour.broken = 10_000 if day in DOWN else 0
    behaviour.forget = frozenset([*month.platform.calls][-1:] if day == HIDDEN else ())
    if day == FULL:
        end = zygote.night(now, zone, full=2_000)
        said = zygote.said()
        assert "no space left" in said, said
        assert "Traceback" not in said, said
        month.ends[f"full {end['ends'][0]}"] += 1
    kills = random_.choice([0, 1, 1, 1, 2]) if day not in DOWN else 0
    for _ in range(max(kills, day in LEFT)):
        killed = zygote.night(now, zone, kill_at=random_.randrange(_most(month)))
        month.ends["killed" if killed["ends"] == [-9] else "not killed"] += 1
        month.stages[_stage(zygote.said())] += 1
        now += timedelta(minutes=2)
    if day in LEFT:
        return  # the machine stays off until the next night
    end = zygote.night(now, zone, twice=day == TWICE)
    said = zygote.said()
    month.words.append(said)
    assert "Traceback" not in said, said
    if day in DOWN:
        assert end["ends"] == [2], said
        assert "can't be reached" in said
    elif day == TWICE:
        assert 0 in end["ends"], said
        assert set(end["ends"]) <= {0, 2}, said
    else:
        assert end["ends"] == [0], said
        assert ("6 of 7 listed traces arrived" in said) == (day == HIDDEN), said
        month.stages["changes"] = end["changes"]


def _most(month: Month) -> int:
    return month.stages["changes"] or 60


def _stage(said: str) -> str:
    return "killed after ingest" if "added" in said else "killed in ingest"


def test_every_trace_is_in_the_store_once_and_whole(month: Month) -> None:
    traces = list(Store(month.folder / "traces").traces())
    assert Counter(t.trace_id for t in traces) == Counter(month.platform.calls.keys())
    assert {t.trace_id: len(t.tool_calls) for t in traces} == month.platform.calls
    for trace in traces:
        assert trace.started_at is not None
        assert trace.started_at.date() == month.platform.began[trace.trace_id]
    assert not list(Store(month.folder / "traces").skipped())


def test_each_night_has_its_report_and_a_place_in_the_history(month: Month) -> None:
    runs = month.folder / "runs"
    known = nights(runs)
    assert [night.day for night in known] == DAYS
    assert {night.verdict for night in known} == {"pass"}
    for day in DAYS:
        folder = runs / day.isoformat()
        assert json.loads((folder / "run.json").read_text())["state"] == "complete"
        assert (folder / "report.html").stat().st_size > 1_000
        mine = [t for t, began in month.platform.began.items() if began == day]
        assert Store(folder / "traces").summary().traces <= len(mine)
        assert read_night(folder)["compared"] >= 4
    beat = json.loads((month.folder / "beat.json").read_text())
    assert (beat["state"], beat["day"]) == ("done", DAYS[-1].isoformat())


def test_nothing_is_left_of_those_that_were_killed(month: Month) -> None:
    store = month.folder / "traces"
    assert not list(store.glob("_staging/*"))
    assert not [p for p in month.folder.rglob("*") if p.is_file() and p.name.startswith(".tmp")]
    assert not list((store / "_sources").glob(".*"))
    for lock in (store / "_lock", month.folder / "runs" / ".nightly.lock"):
        with FileLock(lock, timeout=0):
            pass


def test_all_of_it_did_happen(month: Month) -> None:
    assert month.ends["killed"] >= 20
    assert month.stages["killed in ingest"] >= 3
    assert month.stages["killed after ingest"] >= 3
    assert month.ends["full 2"] == 1
    assert any("listed traces arrived" in said for said in month.words)
