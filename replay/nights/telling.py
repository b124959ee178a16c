"""Who is told of a night: once for each verdict, and again only where a message did not arrive.

What could not be delivered waits in the night's ``night.json``, by the ways that failed, and is
tried again with the next start, whichever night that does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from replay.nights.history import nights, read_night, write_night
from replay.nights.notify import QUIET, NotifySettings, deliver, failure, payload_of, wanted

#: Days after which a message that never arrived is given up.
_DAYS = 14


def tell(
    document: Mapping[str, Any],
    who: NotifySettings,
    runs: Path,
    day: date,
    say: Callable[[str], None],
) -> None:
    """Tell of a night that was done, unless its verdict was told already."""
    folder = runs / day.isoformat()
    verdict, code = document["verdict"]["status"], document["verdict"]["exit_code"]
    news = "silent" if verdict == QUIET and code else verdict
    if read_night(folder).get("told") == news:
        return  # what was told once is told again only if late spans changed the verdict
    earlier = [n.verdict for n in nights(runs) if n.day < day and n.verdict != QUIET]
    if wanted(who, news, earlier[-1] if earlier else None):
        _send(payload_of(document, who), who, folder, say)
    write_night(folder, told=news, told_failure=None)


def tell_failure(
    what: str,
    candidate: str,
    who: NotifySettings,
    folder: Path,
    say: Callable[[str], None],
) -> None:
    """Tell of a night that could not be done, once for each reason."""
    if read_night(folder).get("told_failure") == what:
        return
    _send(failure(folder.name, candidate, what), who, folder, say)
    write_night(folder, told_failure=what)


def retry(who: NotifySettings, runs: Path, say: Callable[[str], None]) -> None:
    """Send what did not arrive the last time, by the ways that failed then."""
    oldest = time.time() - _DAYS * 86_400
    down: set[str] = set()  # what can't be reached for one message can't be for the next
    for folder in sorted(runs.glob("????-??-??")):
        waiting = read_night(folder).get("untold")
        if not isinstance(waiting, dict):
            continue
        payload, ways = waiting.get("payload"), waiting.get("ways")
        since = waiting.get("since", 0)
        if not isinstance(payload, dict) or not isinstance(ways, list):
            payload, ways, since = {}, [], 0
        if not isinstance(since, int | float) or since < oldest:
            write_night(folder, untold=None)
            continue
        ways = [str(way) for way in ways]
        if down.isdisjoint(ways):
            down |= _send(payload, who, folder, say, only=ways, since=since)


def _send(
    payload: Mapping[str, Any],
    who: NotifySettings,
    folder: Path,
    say: Callable[[str], None],
    *,
    only: list[str] | None = None,
    since: float | None = None,
) -> set[str]:
    """Send it, and leave in the night what did not arrive; the ways that failed."""
    failed = deliver(payload, who, only=only)
    for one in failed.values():
        say(f"not told: {one}")
    waiting = {
        "payload": dict(payload),
        "ways": sorted(failed),
        "since": int(time.time() if since is None else since),
    }
    write_night(folder, untold=waiting if failed else None)
    return set(failed)
