"""A night's figures for Prometheus: a text file for the node exporter's textfile collector."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from replay.report.statistics import worse_share

_EXIT_CODE = "0 pass, 1 regressed, 2 could not run, 3 inconclusive"
_FINISHED = "When the last night ended"

#: Gauges of what a report counts: name, key in ``counts``, what it says.
_COUNTS = (
    ("traces_compared", "compared", "Traces that were replayed and compared"),
    ("traces_same", "same", "Traces without any difference that counts"),
    ("traces_changed", "changed", "Traces that changed without being worse"),
    ("traces_regressed", "regressed", "Traces that are worse"),
    ("traces_improved", "improved", "Traces that are better"),
    ("traces_inconclusive", "inconclusive", "Traces on which this replay can't tell"),
    ("traces_broken", "broken", "Traces in which the harness failed"),
    ("traces_not_replayable", "not_replayable", "Recordings that can't be replayed"),
    ("traces_quarantined", "quarantined", "Traces that could not be scrubbed"),
    ("traces_skipped", "skipped", "Input that was no trace"),
)


class _Figures:
    """Gauges with the candidate as their label, and the file that they go to."""

    def __init__(self, candidate: str) -> None:
        from prometheus_client import CollectorRegistry

        self._registry = CollectorRegistry()
        self._candidate = candidate

    def gauge(self, name: str, what: str, value: float) -> None:
        from prometheus_client import Gauge

        made = Gauge(f"replay_{name}", what, ("candidate",), registry=self._registry)
        made.labels(self._candidate).set(value)

    def write(self, path: Path) -> None:
        from prometheus_client import write_to_textfile

        path.parent.mkdir(parents=True, exist_ok=True)
        write_to_textfile(str(path), self._registry)


def write_failure(path: Path, candidate: str, *, last: float, failed: float) -> None:
    """The figures of a night that could not be done. ``last``: when one last was, ``failed``: when
    this one was given up; both in seconds since 1970. Raises as :func:`write_metrics`.
    """
    figures = _Figures(candidate)
    figures.gauge("exit_code", _EXIT_CODE, 2)
    figures.gauge("last_finished_timestamp_seconds", _FINISHED, last)
    figures.gauge("last_failed_timestamp_seconds", "When a night could not be done", failed)
    figures.write(path)


def write_metrics(
    path: Path,
    document: Mapping[str, Any],
    *,
    finished: float,
    day: date | None = None,
    traffic: int | None = None,
) -> None:
    """Write the figures of a report's document; ``finished`` is seconds since 1970.

    ``traffic``: traces that the store holds of ``day``. The file is replaced whole. Raises
    :class:`OSError` if it can't be written.
    """
    figures = _Figures(str(document["run"]["candidate"]))
    gauge = figures.gauge
    counts = document["counts"]
    for name, key, what in _COUNTS:
        gauge(name, what, float(counts.get(key, 0)))
    worse = worse_share(document)
    for name, share, what in (
        ("regressed_share", worse.share, "Share of the traffic that is worse"),
        ("regressed_share_low", worse.low, "The least that it may be (95 %)"),
        ("regressed_share_high", worse.high, "The most that it may be (95 %)"),
    ):
        if share is not None:
            gauge(name, what, share)
    gauge("groups", "Behaviours that changed", len(document["groups"]))
    gauge("exit_code", _EXIT_CODE, float(document["verdict"]["exit_code"]))
    gauge("duration_seconds", "How long the run took", float(document["run"]["duration_s"] or 0))
    gauge("last_finished_timestamp_seconds", _FINISHED, finished)
    if day is not None:
        begin = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
        gauge("night_timestamp_seconds", "The day that the night was about (0:00 UTC)", begin)
    if traffic is not None:
        gauge("traffic_traces", "Traces that were recorded on that day", traffic)
    budget = document.get("budget")
    if budget is not None:
        left = float(budget["not_replayed"])
        gauge("traces_not_replayed", "Traces that the budget had no room for", left)
        gauge("night_spent_usd", "Dollars that the night's model calls cost", budget["spent_usd"])
    night = document.get("night")
    if night is not None:
        gauge("new_groups", "Behaviours not seen in the week before", len(night["new"]))
        past = night.get("past") or {"replayed": 0, "regressed": 0}
        gauge("past_traces_replayed", "Traces of earlier days, replayed as well", past["replayed"])
        gauge("past_traces_regressed", "Those of them that are worse", past["regressed"])
        gauge("input_drift_notes", "What is otherwise in the inputs", len(night["inputs"]))
    for side in ("baseline", "candidate"):
        sums = document["metrics"][side]
        for key in ("cost", "input_tokens", "output_tokens"):
            if sums.get(key) is not None:
                gauge(f"{side}_{key}", f"{key} of the {side}, summed", float(sums[key]))
    figures.write(path)
