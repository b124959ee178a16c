"""How far a source has been read, beside the store that it was read into.

Times and counts only. A file that can't be read means that nothing is known: what is read twice is
not stored twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from anonymize.sources.remote.window import Window

_FOLDER = "_sources"
_MOMENT = timedelta(seconds=1)
_DOUBT = timedelta(days=2)
#: So many stretches are kept apart; with more, what is oldest is read again when it is asked for.
_MOST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """``done``: the stretches that were read, in order; none touches another. ``until``: from the
    first that was read, everything up to this moment was, up to spans that come late."""

    until: datetime | None = None
    done: tuple[Window, ...] = ()

    @property
    def newest(self) -> datetime | None:
        """The newest moment up to which anything was read."""
        return self.done[-1].until if self.done else None

    def with_done(self, window: Window) -> SourceState:
        """The state once ``window`` was read as well: stretches that touch become one."""
        merged: list[Window] = []
        for one in sorted((*self.done, window)):
            if merged and one.since <= merged[-1].until:
                last = merged.pop()
                one = Window(since=last.since, until=max(last.until, one.until))
            merged.append(one)
        until = self.until or window.until
        until = next((d.until for d in merged if d.since <= until <= d.until), until)
        return SourceState(until=until, done=tuple(merged[-_MOST:]))

    def believed(self, now: datetime) -> SourceState:
        """What can be relied on at ``now``: all of it, unless it speaks of the future.

        Then a clock was ahead when it was noted, and nobody knows what the true time was. What it
        says of the last two days is not believed: they are read again, and nothing is stored twice.
        """
        if self.newest is None or self.newest <= now:
            return self
        sure = now - _DOUBT
        done = tuple(
            Window(since=d.since, until=min(d.until, sure)) for d in self.done if d.since < sure
        )
        until = min(self.until, sure) if self.until is not None else None
        return SourceState(until=until, done=done)

    def covers(self, window: Window) -> bool:
        """Whether all of ``window`` was read."""
        return any(d.since <= window.since and window.until <= d.until for d in self.done)


def read_state(store: Path, source: str) -> SourceState:
    """What is known of ``source``."""
    try:
        known = json.loads(_path(store, source).read_text(encoding="utf-8"))
        until = _time(known["until"]) if known.get("until") else None
        # Schema 1 did not say since when; a moment keeps where to go on.
        start = [Window(since=until - _MOMENT, until=until)] if until else []
        state = SourceState(until=until)
        for since, end in known.get("done", ()):
            start.append(Window(since=_time(since), until=_time(end)))
        for one in start:
            state = state.with_done(one)
        return state
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return SourceState()


def write_state(store: Path, source: str, state: SourceState) -> None:
    """Keep it: the file is whole or the one before."""
    path = _path(store, source)
    path.parent.mkdir(parents=True, exist_ok=True)
    _tidy(path.parent)
    known = {
        "schema": 2,
        "until": state.until.isoformat() if state.until else None,
        "done": [[d.since.isoformat(), d.until.isoformat()] for d in state.done],
    }
    staged = path.with_name(f".{uuid.uuid4().hex}")
    try:
        with staged.open("w", encoding="utf-8") as file:
            json.dump(known, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)


def _tidy(folder: Path) -> None:
    """Remove what a process left that was killed; another that is at work needs no hour."""
    for left in folder.glob(".*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > 3_600:
                left.unlink()


def _path(store: Path, source: str) -> Path:
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", source)[:100]
    if name != source:  # two names never share a file
        name += "~" + hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return store / _FOLDER / f"{name}.json"


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
