"""What the nights before came to, from the folders that they left: ``runs/DATE/night.json``.

The file outlives the rest of its folder: when retention takes a run away, counts and verdict stay,
so that a year of nights can be looked at.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from anonymize.jsontools import JsonError, loads
from replay.folder import read_header, write_header

NIGHT = "night.json"
_MOST_TITLES = 200
#: What stays of a night whose run is gone: nothing that comes out of a trace.
_STAYS = (
    "schema",
    "verdict",
    "exit_code",
    "compared",
    "regressed",
    "share",
    "low",
    "high",
    "size",
    "left",
    "past",
    "candidate",
    "fingerprint",
    "traffic",
    "finished_at",
    "told",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One night: its day, its verdict and exit code, and its counts.

    ``share``, ``low``, ``high``: the share of the traffic that got worse, and its 95 % interval;
    ``size``: how many equally weighted traces would tell as much.
    ``left``: traces that the budget had no room for. ``past``: traces of earlier days that were
    replayed as well and are worse. ``groups``: id -> title of each behaviour.
    ``traffic``: traces that the store held of the day. ``complete``: whether it was done; ``why``
    it was not, in words; ``begun``: whether a start of it was killed before all was told.
    ``inputs``: how many lines there are on the drift of inputs.
    """

    day: date
    verdict: str
    exit_code: int
    regressed: int
    compared: int
    share: float | None = None
    low: float | None = None
    high: float | None = None
    size: float | None = None
    left: int = 0
    past: int = 0
    candidate: str = ""
    fingerprint: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)
    traffic: int | None = None
    content: str = ""
    inputs: int = 0
    complete: bool = True
    begun: bool = False
    why: str = ""


def read_night(folder: Path) -> dict[str, Any]:
    """What is known of a night; empty where nothing is."""
    try:
        known = loads((folder / NIGHT).read_bytes())
    except (OSError, JsonError):
        return {}
    return known if isinstance(known, dict) and known.get("schema") == 1 else {}


def write_night(folder: Path, **changes: Any) -> dict[str, Any]:
    """Add to what is known of a night (``None`` takes away); the file is the old one or the new."""
    known = {"schema": 1, **read_night(folder), **changes}
    known = {key: value for key, value in known.items() if value is not None}
    folder.mkdir(parents=True, exist_ok=True)
    write_header(folder / NIGHT, known)
    return known


def every_night(runs: Path) -> list[Night]:
    """All nights under ``runs`` that were begun, the failed ones too, oldest first."""
    found = []
    for folder in runs.iterdir() if runs.is_dir() else ():
        day = _day(folder.name)
        night = _night(folder, day) if day is not None else None
        if night is not None:
            found.append(night)
    return sorted(found, key=lambda night: night.day)


def nights(runs: Path) -> list[Night]:
    """The complete nights under ``runs``, oldest first."""
    return [night for night in every_night(runs) if night.complete]


def _night(folder: Path, day: date) -> Night | None:
    header, known = read_header(folder), read_night(folder)
    complete = header is not None and header.get("state") == "complete"
    complete = complete or known.get("run_gone") is True
    begun = known.get("begun") is True
    if not complete and not known.get("failed") and not begun:
        return None
    titles = known.get("titles")
    verdict, code = known.get("verdict", ""), known.get("exit_code", 2)
    if header is not None and complete:
        code = header.get("exit_code", code)
    return Night(
        day=day,
        verdict=str(verdict) if complete else "could not run",
        exit_code=_count(code) if complete else 2,
        regressed=_count(known.get("regressed")),
        compared=_count(known.get("compared")),
        share=_number(known.get("share")),
        low=_number(known.get("low")),
        high=_number(known.get("high")),
        size=_number(known.get("size")),
        left=_count(known.get("left")),
        past=_count(known.get("past")),
        candidate=str(known.get("candidate", "")),
        fingerprint=str(known.get("fingerprint", "")),
        groups={str(k): str(v) for k, v in titles.items()} if isinstance(titles, dict) else {},
        traffic=_count(known["traffic"]) if "traffic" in known else None,
        content=str(known.get("content", "")),
        inputs=len(known["drift"]) if isinstance(known.get("drift"), list) else 0,
        complete=complete,
        begun=begun,
        why="" if complete else str(known.get("failed", "it was killed, or is going on")),
    )


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def missed(runs: Path, last: date, most: int) -> list[date]:
    """The days up to ``last`` that were not done, oldest first; of those before it at most
    ``most`` days back, and ``last`` itself always.

    History begins with the first night that was begun: with none before ``last``, it is alone. A
    day that was silent against all habit is asked for again, as if it had not been done; so is a
    night that was killed when all but the telling was done.
    """
    known = every_night(runs)
    whole = [n for n in known if n.complete and not n.begun]
    done = {n.day for n in whole if n.verdict != "no traffic" or n.exit_code == 0}
    before = [night.day for night in known if night.day < last]
    if not before:
        return [last]
    since = max(min(before), last - timedelta(days=most))
    days = [since + timedelta(days=n) for n in range((last - since).days + 1)]
    return [day for day in days if day == last or day not in done]


def trend(runs: Path, day: date, most: int = 7) -> str:
    """The verdicts of the last nights before ``day`` in a line; empty without any."""
    known = [n for n in nights(runs) if n.day < day][-most:]
    if not known:
        return ""
    words = [f"{n.regressed:,}" if n.exit_code in (0, 1) else "?" for n in known]
    return f"regressed in the nights before: {', '.join(words)}"


def forget_run(folder: Path) -> None:
    """Take a night's run away. What it came to stays, without what came out of traces."""
    known = {key: value for key, value in read_night(folder).items() if key in _STAYS}
    if known:
        write_header(folder / NIGHT, {**known, "run_gone": True})
    # Without its header the folder is nobody's run, whatever a crash leaves in it.
    (folder / "run.json").unlink(missing_ok=True)
    for item in list(folder.iterdir()) if known else [folder]:
        if item.name == NIGHT and known:
            continue
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item, ignore_errors=True)
        else:
            item.unlink(missing_ok=True)


def _day(name: str) -> date | None:
    try:
        day = date.fromisoformat(name)
    except ValueError:
        return None
    return day if day.isoformat() == name else None


def beat(path: Path, **known: Any) -> None:
    """Replace the heartbeat file: when the last night ended, and how."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_header(path, {"schema": 1, "at": int(time.time()), **known})


def counts_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """What of a report is kept for the history."""
    from replay.report.statistics import worse_share

    counts = document["counts"]
    worse = worse_share(document)
    return {
        "verdict": document["verdict"]["status"],
        "exit_code": document["verdict"]["exit_code"],
        "compared": counts["compared"],
        "regressed": counts["regressed"],
        "share": worse.share,
        "low": worse.low,
        "high": worse.high,
        "size": round(worse.size, 2),
        "left": (document.get("budget") or {}).get("not_replayed", 0),
        "past": ((document.get("night") or {}).get("past") or {}).get("regressed"),
        "candidate": document["run"]["candidate"],
        "groups": [group["id"] for group in document["groups"]],
        "titles": {g["id"]: g["title"] for g in document["groups"][:_MOST_TITLES]},
    }
