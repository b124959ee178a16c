"""What a night adds to its report: how the nights before went, what is new, what people asked.

Behaviours are told by their ids, which stay the same from night to night; so a behaviour that is
there for the third night is told from one of tonight. Where the candidate is the same code as the
night before, what is new comes from the inputs, the model behind it, or chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from replay.compare.sample import sample_of
from replay.report.text import plural
from replay.statistics import share_interval

if TYPE_CHECKING:
    from replay.compare.model import DatasetDiff
    from replay.nights.history import Night

#: Nights that are listed, and that a rate is held against.
_ROWS, _WEEK = 30, 7
_MOST = 50


def known_before(
    day: date,
    earlier: Sequence[Night],
    *,
    source: str = "",
    inputs: Sequence[str] = (),
    candidate: str = "",
    fingerprint: str = "",
    verdict: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What is known before the run: the nights before ``day``, oldest first, and the inputs' drift.

    ``verdict`` stands in place of the comparison's, on a day on which there is nothing to compare.
    """
    judged = [n for n in earlier if n.verdict in ("pass", "regressed", "inconclusive")]
    same = [n for n in judged if n.candidate == candidate]
    last = same[-1] if same else None
    changed = None if last is None or not fingerprint else last.fingerprint != fingerprint
    since: dict[str, dict[str, Any]] = {}
    for night in same[-_WEEK:]:
        for group, title in night.groups.items():
            found = since.setdefault(group, {"first": night.day.isoformat(), "nights": 0})
            found |= {"title": title, "nights": found["nights"] + 1}
    latest = set(last.groups) if last is not None else set()
    return {
        "day": day.isoformat(),
        "source": source,
        "verdict": dict(verdict) if verdict is not None else None,
        "inputs": list(inputs),
        "candidate_changed": changed,
        "before": [row(night) for night in earlier[-_ROWS:]],
        "compared_with": min(len(same), _WEEK),
        "pooled": _pooled(same[-_WEEK:]),
        "groups": since,
        "latest": sorted(latest),
    }


def _pooled(week: Sequence[Night]) -> list[float]:
    """How many traces got worse in these nights, and of how many: where traces stood for different
    numbers of others, as many as tell as much."""
    parts = [
        (n.share * n.size, n.size)
        if n.share is not None and n.size is not None
        else (float(n.regressed), float(n.compared))
        for n in week
    ]
    return [sum(hits for hits, _ in parts), sum(of for _, of in parts)]


def row(night: Night) -> dict[str, Any]:
    """A night as a line of the history."""
    return {
        "day": night.day.isoformat(),
        "verdict": night.verdict,
        "candidate": night.candidate,
        "compared": night.compared,
        "regressed": night.regressed,
        "share": night.share,
        "low": night.low,
        "high": night.high,
        "not_replayed": night.left,
        "past": night.past,
        "groups": len(night.groups),
        "inputs": night.inputs,
        "why": night.why,
    }


def night_section(known: Mapping[str, Any], diff: DatasetDiff) -> dict[str, Any]:
    """The report's ``night``: ``known`` with what the comparison adds."""
    since = known["groups"]
    new = [g for g in diff.groups if g.id not in since]
    stays = [g for g in diff.groups if g.id in since]
    here = {g.id for g in diff.groups}
    # What today's questions don't bring up, but those of earlier days still do, is not gone.
    past = known.get("past") or {"groups": [], "not_replayed": 0}
    here |= {g["id"] for g in past["groups"]}
    gone = [i for i in known["latest"] if i not in here and not past["not_replayed"]]
    compared = known["compared_with"]
    return {
        "day": known["day"],
        "source": known["source"],
        "verdict": known["verdict"],
        "inputs": known["inputs"],
        "candidate_changed": known["candidate_changed"],
        "before": known["before"],
        "compared_with": compared,
        "new": [{"id": g.id, "title": g.title} for g in new[:_MOST]] if compared else [],
        "stays": [
            {
                "id": g.id,
                "title": g.title,
                "first": since[g.id]["first"],
                "nights": since[g.id]["nights"] + 1,
            }
            for g in stays[:_MOST]
        ],
        "gone": [{"id": i, "title": since[i]["title"]} for i in gone[:_MOST]] if diff.pairs else [],
        "past": known.get("past"),
        "trend": trend_of(known, diff),
        "sentence": _sentence(known, diff, len(new)),
    }


def past_is_worse(night: Mapping[str, Any] | None) -> bool:
    """Whether traces of earlier days, which were replayed as well, regress."""
    past = night.get("past") if night is not None else None
    return past is not None and past["status"] == "regressed"


def trend_of(known: Mapping[str, Any], diff: DatasetDiff) -> str:
    """``up`` or ``down`` where the share of the traffic that got worse is beyond chance another
    than in the week before (the intervals of both don't meet), else ``level``; empty where none is
    known."""
    hits, of = known["pooled"]
    if not of or all(p.verdict in ("inconclusive", "broken") for p in diff.pairs):
        return ""
    bad = [n for n, p in enumerate(diff.pairs) if p.verdict == "regressed"]
    now = sample_of(diff.pairs).rate(bad).interval
    then = share_interval(min(1.0, hits / of), of)
    if now.low > then.high:
        return "up"
    return "down" if now.high < then.low else "level"


def _sentence(known: Mapping[str, Any], diff: DatasetDiff, new: int) -> str:
    if not known["compared_with"] or not diff.pairs:
        return ""
    number = known["compared_with"]
    nights = "night" if number == 1 else f"{number:,} nights"
    said = {
        "up": f"More traces got worse than in the {nights} before, beyond chance.",
        "down": f"Fewer traces got worse than in the {nights} before, beyond chance.",
        "level": f"As many traces got worse as in the {nights} before, as far as chance allows.",
        "": "",
    }[trend_of(known, diff)]
    if new and known["candidate_changed"] is False:
        said += (
            f" {plural(new, 'behaviour')} not seen in them, from the same code as the night"
            " before: look at the inputs and at the model behind it first."
        )
    elif new:
        said += f" {plural(new, 'behaviour')} not seen in them."
    return said.strip()
