"""A day without traffic: usual for its weekday, or the sign of a source that has gone silent.

A shop is closed on Sundays, and a night that finds nothing then has done its work. The same is a
warning where there always was traffic: an exporter that died looks exactly like a quiet day.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonymize.jsontools import digest
from replay.nights.history import nights

if TYPE_CHECKING:
    from anonymize.store import Store
    from replay.run_request import RunRequest

#: Days back that are looked at, and days with traffic that make another without it unusual.
_DAYS, _FEW = 56, 3
_WEEKEND = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Why a day without traffic is ``usual`` or not, in words."""

    usual: bool
    why: str

    @property
    def verdict(self) -> dict[str, Any]:
        """What the report of such a night says in place of a comparison's verdict."""
        return {
            "status": "no traffic",
            "sentence": self.why,
            "reason": "nothing was recorded on that day",
        }

    @property
    def exit_code(self) -> int:
        """0, or 3 where it is not usual: nothing can be said of the candidate."""
        return 0 if self.usual else 3


def silence_of(store: Store | None, runs: Path, day: date) -> Silence:
    """Whether a day on which the store has nothing is like days before it."""
    traffic = dict(_counted(store, day))
    for night in nights(runs):
        if night.day < day:
            # Retention takes traces out of the store: what was there is known from the night.
            traffic[night.day] = max(traffic.get(night.day, 0), night.traffic or night.compared)
    return judge(traffic, day)


def judge(traffic: Mapping[date, int], day: date) -> Silence:
    """The same from ``traffic``: day -> its traces; days that are not in it are not known."""
    first = day - timedelta(days=_DAYS)
    busy = [d for d, n in traffic.items() if n and first <= d < day]
    if not busy:
        return Silence(usual=False, why=f"No traffic on {_named(day)}, nor on any day before it.")
    known = {d for d in traffic if min(busy) <= d < day}
    empty = {d for d in known if not traffic[d]}
    alike = {d for d in known if d.weekday() == day.weekday()}
    if alike & empty:
        last = max(alike & empty)
        return Silence(usual=True, why=f"No traffic on {_named(day)}, as on {last}.")
    if _surprising(day, known, alike, empty):
        like = sorted(alike) or sorted(known)
        since = f"on each of the {len(like)} {'days' if not alike else _plural(day)} before"
        since = f"on {like[-1]}" if len(like) == 1 else since
        return Silence(
            usual=False, why=f"No traffic on {_named(day)}, though there was some {since}."
        )
    return Silence(usual=True, why=f"No traffic on {_named(day)}.")


def _surprising(
    day: date, known: Collection[date], alike: Collection[date], empty: Collection[date]
) -> bool:
    if len(alike) > 1:
        return True
    if not alike and day.weekday() >= _WEEKEND:
        return False  # the first such day of a weekend: nobody knows yet
    return not empty and len(known) >= _FEW


def _named(day: date) -> str:
    return f"{day} ({day:%A})"


def _plural(day: date) -> str:
    return f"{day:%A}s"


def _counted(store: Store | None, day: date) -> Mapping[date, int]:
    """Traces by day in the weeks before ``day``, and of the day itself."""
    import polars as pl

    if store is None:
        return {}
    first = day - timedelta(days=_DAYS)
    frame = store.scan("traces").select("date")
    with store.reading():
        rows = frame.filter((pl.col("date") >= first) & (pl.col("date") < day)).collect()
    return dict(rows.group_by("date").len().iter_rows())


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a store has of a day: how many traces, and a digest of what they say."""

    traces: int
    content: str


def held_of(store: Path, day: date) -> Held:
    """What ``store`` has of ``day`` (UTC); nothing where there is no store yet."""
    import polars as pl

    from anonymize.store import Store, open_place

    if not open_place(store).exists():
        return Held(traces=0, content="")
    opened = Store(store)
    frame = opened.scan("traces").select("trace_id", "digest", "date")
    with opened.reading():
        rows = frame.filter(pl.col("date") == day).sort("trace_id").collect()
    pairs = list(zip(rows["trace_id"].to_list(), rows["digest"].to_list(), strict=True))
    return Held(traces=len(pairs), content=digest(pairs))


def write_quiet(
    request: RunRequest, silence: Silence, night: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Leave the report of a night without traffic, complete, and return its document."""
    from datetime import UTC, datetime

    from replay import folder as folders
    from replay.compare.model import DatasetDiff, Metrics
    from replay.nights.section import night_section
    from replay.report import RunInfo, write_all

    diff = DatasetDiff(
        verdict="inconclusive",
        reason=silence.why,
        pairs=(),
        groups=(),
        counts={},
        metrics=Metrics(),
    )
    info = RunInfo(
        run_id=folder.name,
        candidate=request.agent,
        baseline=request.baseline or "recorded",
        exit_code=silence.exit_code,
        started_at=datetime.now(UTC).replace(microsecond=0),
        night=night_section(night, diff),
    )
    folder.mkdir(parents=True, exist_ok=True)
    document = write_all(diff, info, folder).document
    header = {
        "schema": 1,
        "state": "complete",
        "agent": request.agent,
        "traces": str(request.traces),
        "quiet": True,
        "exit_code": silence.exit_code,
    }
    folders.write_header(folder / "run.json", header)
    return document
