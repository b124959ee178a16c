"""What regressed or was reviewed on earlier days, replayed beside the day's own traffic.

A regression that a person once saw has to stay mended, whatever people ask today. These traces are
a run of their own in the night's folder, ``runs/DATE/past``: they were picked, so they stand for
nothing of the day's traffic, and neither its shares nor its noise may know of them. Only those take
part that the store still has, of a version that the day's traffic has too: recordings of another
version differ for reasons of their own.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonymize.errors import UsageError
from replay.nights.history import every_night, read_night, write_night
from replay.report.text import plural
from replay.run_request import RunOutcome, RunRequest

if TYPE_CHECKING:
    from replay.config import ReplayConfig
    from replay.nights.stages import Work

FOLDER = "past"
#: What these may use of what is left of a budget.
PART = 0.2
_MOST_GROUPS = 20


def replay_past(
    work: Work,
    chosen: Mapping[str, date],
    request: Callable[[tuple[str, ...], Path], RunRequest],
) -> dict[str, Any] | None:
    """Replay what :func:`choose_past` chose. ``request``: ids, a folder -> what a run is asked.

    Returns the report's ``night.past``; ``None`` where there is nothing.
    """
    folder = work.folder / FOLDER
    if not chosen:
        return None
    write_night(work.folder, past_since=min(chosen.values()).isoformat())
    with work.budget.part(PART):
        outcome = work.run(request(tuple(chosen), folder))
    return section(outcome, min(chosen.values()))


def section(outcome: RunOutcome, since: date) -> dict[str, Any]:
    """What a night's report says of that run: nothing that its own report has not."""
    document = outcome.document
    counts, groups = document["counts"], document["groups"]
    left = int((document.get("budget") or {}).get("not_replayed", 0))
    of, worse = counts["compared"], counts["regressed"]
    if (resilience := document.get("resilience")) is not None:
        # Beside recordings without faults nearly everything differs: the judge tells.
        counts, groups = Counter(resilience["counts"]["candidate"]), ()
        of, worse = counts.total(), len(resilience["verdict"]["worse"])
    unclear = counts["inconclusive"] + counts["broken"]
    return {
        "replayed": of,
        "regressed": worse,
        "unclear": unclear,
        "not_replayed": left,
        "since": since.isoformat(),
        "status": document["verdict"]["status"],
        "groups": [
            {"id": g["id"], "title": g["title"], "count": g["count"]}
            for g in groups
            if g["verdict"] == "regressed"
        ][:_MOST_GROUPS],
        "report": f"{FOLDER}/report.html",
        "sentence": _sentence(of, worse, unclear, left),
    }


def _sentence(of: int, worse: int, unclear: int, left: int) -> str:
    """``Of 12 traces of earlier days that had regressed or were reviewed, 3 are worse.``"""
    what = "of earlier days that had regressed or were reviewed"
    if not of:
        why = f"the budget had no room for {left:,}" if left else "none of them can be replayed"
        return f"None of the traces {what} was replayed: {why}."
    said = f"Of {plural(of, 'trace')} {what}, "
    if worse == of:
        said += "it is worse" if of == 1 else "all are worse"
    else:
        said += f"{worse:,} {'is' if worse == 1 else 'are'} worse" if worse else "none is worse"
    said += f", {unclear:,} can't be told" if unclear else ""
    said += f", and the budget had no room for {left:,} more" if left else ""
    return f"{said}."


def choose_past(work: Work) -> dict[str, date]:
    """Trace id -> its day. The choice is a file, so that it is the same when done again."""
    from replay.suites import Entry, Suite, read_suite, write_suite

    path = work.folder / FOLDER / "suite.json"
    try:
        named = {e.trace_id: e.why for e in read_suite(path).entries} if path.exists() else None
    except UsageError:  # a file that was cut off: nothing of it is lost
        named = None
    if named is None:
        from replay.suites.past import earlier

        known = earlier(work.runs, _reviews(work.config))
        days = _there(work, known)
        named = _spread({i: known[i] for i in known if i in days}, work.settings.past)
        if named:
            entries = tuple(Entry(trace_id=i, why=why) for i, why in named.items())
            write_suite(path, Suite(entries=entries, made={"day": work.day.isoformat()}))
    return _there(work, named)


def _reviews(config: ReplayConfig) -> Mapping[str, Any]:
    from replay.review.store import read_reviews

    return read_reviews(config.resolve(config.replay.reviews))


def _there(work: Work, ids: Mapping[str, Any]) -> dict[str, date]:
    """Those of ``ids`` that the store has of days before, of a version of the day's traffic."""
    import polars as pl

    from anonymize.store import Store

    if not ids:
        return {}
    store = Store(work.store)
    frame = store.scan("traces").select("trace_id", "date", "agent_version")
    today = frame.filter(pl.col("date") == work.day)
    if work.settings.baseline:
        today = today.filter(pl.col("agent_version") == work.settings.baseline)
    asked = pl.col("trace_id").is_in(list(ids))
    with store.reading():
        versions = {v or "" for v in today.select("agent_version").unique().collect().to_series()}
        rows = frame.filter(asked & (pl.col("date") < work.day)).collect()
    found = {i: day for i, day, version in rows.iter_rows() if (version or "") in versions}
    return {i: found[i] for i in ids if i in found}


def _spread(known: Mapping[str, tuple[str, str]], most: int) -> dict[str, str]:
    """At most so many, of each behaviour in turn: what people rejected first, then what regressed,
    the newest first. ``known``: trace id -> why, and its behaviour."""
    ranks = {"reviewed: reject": 0, "regressed": 1}
    taken: Counter[str] = Counter()
    order = []
    for n, (trace_id, (why, way)) in enumerate(known.items()):
        rank = next((r for head, r in ranks.items() if why.startswith(head)), 2)
        order.append((taken[way], rank, n, trace_id, why))
        taken[way] += 1
    return {trace_id: why for _, _, _, trace_id, why in sorted(order)[:most]}


def forget_past(runs: Path, first: date) -> None:
    """Retention: take these runs away once a day that they hold traces of is before ``first``."""
    for night in every_night(runs):
        folder = runs / night.day.isoformat()
        since = read_night(folder).get("past_since")
        if isinstance(since, str) and since < first.isoformat():
            shutil.rmtree(folder / FOLDER, ignore_errors=True)
            write_night(folder, past_since=None)
