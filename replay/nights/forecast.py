"""How long a night will take and what it will cost, from the nights before it.

Told before the first trace is replayed. A guess from what was measured on this machine with this
candidate: where there is no such night, it says so and guesses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from replay.nights.history import nights, read_night
from replay.report.text import plural

if TYPE_CHECKING:
    from replay.nights.budget import Budget

#: Nights that are looked at, and traces that they must have replayed to tell anything.
_NIGHTS, _LEAST = 7, 5
#: The most of a budget that is kept for what comes after the replays.
_KEPT = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What ``nights`` nights of a candidate took: ``each``, seconds of the clock for a trace with
    all its replays, and ``usd``, dollars; ``rest``, seconds besides, ``after`` of them after the
    last replay."""

    nights: int
    each: float
    usd: float
    rest: float
    after: float

    def minutes(self, traces: int) -> float:
        """For so many traces, all in all."""
        return (traces * self.each + self.rest) / 60

    def kept(self, minutes: float) -> float:
        """Seconds to keep of ``minutes`` that are left for what comes after the replays."""
        return min(self.after, _KEPT * minutes * 60)


def measured(budget: Budget, seconds: float, known: object = None) -> dict[str, Any] | None:
    """What of a night is kept for later forecasts; ``seconds`` is all that it took.

    ``None`` where it replayed nothing, or less than when it was ``known`` before: a night that is
    gone on with for the sake of a few traces says little of what a whole one takes.
    """
    before = known.get("traces") if isinstance(known, dict) else None
    least = before if isinstance(before, int) else 1
    if not budget.replays or budget.traces < max(1, least):
        return None
    return {
        "traces": budget.traces,
        "replays": budget.replays,
        "seconds": round(budget.replaying, 2),
        "rest": round(max(0.0, seconds - budget.replaying), 2),
        "after": round(budget.since_last, 2),
        "usd": round(budget.night_usd, 6),
    }


def pace_of(runs: Path, day: date, candidate: str) -> Pace | None:
    """What the last nights of ``candidate`` before ``day`` took; ``None`` where too little is
    known."""
    paces: list[dict[str, Any]] = []
    for night in reversed(nights(runs)):
        if night.day >= day or night.candidate != candidate or len(paces) >= _NIGHTS:
            continue
        pace = read_night(runs / night.day.isoformat()).get("pace")
        if isinstance(pace, dict) and all(_number(pace.get(k)) for k in ("traces", "seconds")):
            paces.append(pace)
    traces = _sum(paces, "traces")
    if traces < _LEAST:
        return None
    return Pace(
        nights=len(paces),
        each=_sum(paces, "seconds") / traces,
        usd=_sum(paces, "usd") / traces,
        rest=median(_of(paces, "rest")),
        after=median(_of(paces, "after")),
    )


def forecast(pace: Pace | None, day: int, also: int, budget: Budget, candidate: str) -> str:
    """The sentence: what so many traces of the ``day``, and ``also`` of earlier ones, will take,
    and whether the budget has room for them."""
    traces = day + also
    what = plural(day, "trace") + (f" and {also:,} of earlier days" if also else "")
    if pace is None:
        takes = "takes" if traces == 1 else "take"
        return f"foreseen: how long {what} {takes} is not known yet, {candidate} has had no night"
    minutes, usd = pace.minutes(traces), traces * pace.usd
    money = f" and {usd:,.2f} dollars" if usd >= 0.005 else ""
    said = (
        f"foreseen: {what}, about {_minutes(minutes)}{money},"
        f" as {'the last night' if pace.nights == 1 else f'the last {pace.nights} nights'} took"
    )
    room = _room(pace, budget)
    if room is None or room >= traces:
        return said
    return f"{said}; the budget has room for about {room:,} of them"


def _room(pace: Pace, budget: Budget) -> int | None:
    """For how many traces; ``None`` where there is no limit that can be foreseen."""
    rooms = []
    if budget.minutes and pace.each:
        seconds = budget.left_minutes * 60 - pace.kept(budget.left_minutes)
        rooms.append(max(0.0, seconds) / pace.each)
    if budget.usd and pace.usd:
        rooms.append(budget.left_usd / pace.usd)
    return int(min(rooms)) if rooms else None


def _minutes(minutes: float) -> str:
    if minutes < 1.5:
        return "a minute"
    return f"{minutes:,.0f} minutes" if minutes < 120 else f"{minutes / 60:,.1f} hours"


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _of(paces: Sequence[dict[str, Any]], key: str) -> list[float]:
    return [float(p[key]) if _number(p.get(key)) else 0.0 for p in paces]


def _sum(paces: Sequence[dict[str, Any]], key: str) -> float:
    return sum(_of(paces, key))
