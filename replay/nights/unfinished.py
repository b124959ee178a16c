"""Nights whose recordings are not what they were when they were replayed."""

from __future__ import annotations

from pathlib import Path

from replay.nights.history import Night
from replay.nights.quiet import held_of


def stale(store: Path, night: Night) -> bool:
    """Whether traces of that day came or were completed since, or were forgotten on demand.

    A day that retention has emptied is not stale: its report stays what it was.
    """
    if not night.content:
        return False
    held = held_of(store, night.day)
    return bool(held.traces) and held.content != night.content
