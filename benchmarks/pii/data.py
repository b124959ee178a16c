"""Reads the texts and word lists in ``data/``: sections of lines, ⏎ and ⇥ for breaks and tabs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from benchmarks.pii.probe import Context

_FOLDER = Path(__file__).parent / "data"


@cache
def sections(name: str) -> Mapping[str, list[str]]:
    """The lines of each ``== SECTION`` of a file; lines that begin with ``# `` are comments."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in (_FOLDER / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            lines = found.setdefault(line[3:], [])
        elif line and not line.startswith("# "):
            lines.append(line)
    return found


def contexts(section: str, name: str = "contexts.txt") -> list[Context]:
    """The texts of a section: ``domain | kind | encoding or - | text``."""
    found = []
    for line in sections(name)[section]:
        domain, kind, wrap, text = line.split(" | ", 3)
        text = text.replace("⏎", "\n").replace("⇥", "\t")
        found.append(Context(domain=domain, kind=kind, wrap=wrap.strip("-"), text=text))
    return found


def framed(section: str = "", *labels: tuple[str, str]) -> list[Context]:
    """The common frames with the words for one thing, and the section's own texts.

    ``labels`` are (spoken, key) pairs that take turns; without any, the value itself says what
    it is called («what», «key»).
    """
    labels = labels or (("«what»", "«key»"),)
    frames = []
    for turn, frame in enumerate(contexts("FRAMES")):
        spoken, key = labels[turn % len(labels)]
        text = frame.text.replace("{L}", spoken).replace("{K}", key)
        frames.append(Context(domain=frame.domain, kind=frame.kind, text=text))
    return frames + (contexts(section) if section else [])


@cache
def words(section: str) -> Mapping[str, list[str]]:
    """Word lists by key: ``key: a|b|c``."""
    pairs = (line.split(": ", 1) for line in sections("words.txt")[section])
    return {key: rest.split("|") for key, rest in pairs}


@cache
def pairs(section: str) -> Mapping[str, tuple[str, str]]:
    """What stands left and right of `` / `` by key."""
    lines = (line.split(": ", 1) for line in sections("words.txt")[section])
    halves = ((key, rest.split(" / ")) for key, rest in lines)
    return {key: (left, right) for key, (left, right) in halves}
