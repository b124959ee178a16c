"""Traces that earlier runs found regressed, and those that people looked at: they stay in."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from replay.review.model import Review

#: So many of the newest runs are looked at, and so many of their traces are kept.
_RUNS, _TRACES = 60, 500
#: Of each behaviour that was reviewed so many traces, and of one that regressed in a report.
_EACH, _OF_ONE = 3, 20
#: A report larger than this is passed: nothing of ours writes such.
_MOST_BYTES = 512 * 2**20


def always_in(runs: Path, reviews: Mapping[str, Review]) -> dict[str, str]:
    """Trace id -> why, of the reports under ``runs``: what regressed, and examples of what was
    reviewed. ``reviews``: id of a behaviour -> what was decided. Odd files are passed."""
    found: dict[str, str] = {}
    seen: dict[str, int] = {}
    for name, document in _documents(runs):
        _regressed(name, document, found)
        if reviews:
            _reviewed(document, reviews, seen, found)
    return found


def regressed(runs: Path) -> dict[str, str]:
    """Trace id -> why, from the reports under ``runs``, the newest first. Odd files are passed."""
    return always_in(runs, {})


def earlier(runs: Path, reviews: Mapping[str, Review]) -> dict[str, tuple[str, str]]:
    """The same, each with the id of the behaviour that it is an example of (or ``""``); of each
    behaviour of a report a few only. What a night found of days before it counts too."""
    found: dict[str, tuple[str, str]] = {}
    seen: dict[str, int] = {}
    for name, document in _documents(runs, beside="past/report.json"):
        ways = _ways(document)
        own: dict[str, str] = {}
        _regressed(name, document, own)
        if reviews:
            _reviewed(document, reviews, seen, own)
        taken: Counter[str] = Counter()
        for identity, why in own.items():
            way = ways.get(identity, "")
            if taken[way] < _OF_ONE and identity not in found:
                taken[way] += 1
                found[identity] = why, way
    return found


def _ways(document: Mapping[str, Any]) -> dict[str, str]:
    """Trace id -> the worst behaviour that it shows."""
    found: dict[str, str] = {}
    for group in (*_dicts(document.get("groups")), *_dicts(document.get("quiet_groups"))):
        ids = group.get("trace_ids")
        for identity in ids if isinstance(ids, list) else ():
            if isinstance(identity, str):
                found.setdefault(identity, str(group.get("id")))
    return found


def _regressed(name: str, document: Mapping[str, Any], found: dict[str, str]) -> None:
    for identity in _worse(document):
        if isinstance(identity, str) and identity and len(found) < _TRACES:
            found.setdefault(identity, f"regressed in {name}")


def _worse(document: Mapping[str, Any]) -> list[Any]:
    """What got worse. Under faults that is told by the judge: beside a recording without faults
    nearly everything differs."""
    section = document.get("resilience")
    if isinstance(section, dict):
        verdict = section.get("verdict")
        worse = verdict.get("worse") if isinstance(verdict, dict) else None
        return worse if isinstance(worse, list) else []
    traces = _dicts(document.get("traces"))
    return [trace.get("trace_id") for trace in traces if trace.get("verdict") == "regressed"]


def _reviewed(
    document: Mapping[str, Any],
    reviews: Mapping[str, Review],
    seen: dict[str, int],
    found: dict[str, str],
) -> None:
    for group in (*_dicts(document.get("groups")), *_dicts(document.get("quiet_groups"))):
        review = reviews.get(str(group.get("id")))
        ids = group.get("trace_ids")
        if review is None or not isinstance(ids, list):
            continue
        for identity in (group.get("example"), *ids):
            if seen.get(review.id, 0) >= _EACH:
                break
            if isinstance(identity, str) and identity and identity not in found:
                found[identity] = f"reviewed: {review.decision} {review.id[:6]} {review.title[:60]}"
                seen[review.id] = seen.get(review.id, 0) + 1


def _documents(runs: Path, beside: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Name and content of the newest reports, and of those ``beside`` each."""
    reports = sorted(runs.glob("*/report.json"), key=_age, reverse=True) if runs.is_dir() else []
    paths = [(path.parent.name, path) for path in reports[:_RUNS]]
    if beside:
        paths = [(name, p) for name, path in paths for p in (path, path.parent / beside)]
    for name, path in paths:
        try:
            if not path.is_file() or path.stat().st_size > _MOST_BYTES:
                continue
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(document, dict):
            yield name, document


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
