"""How a behaviour is told wherever it is shown: its share with its interval, what it shares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from replay.compare.model import BehaviourGroup, DatasetDiff
from replay.compare.sample import sample_of
from replay.statistics import WeightedRate

#: The share of the traffic that some of the compared traces stand for.
ShareOf = Callable[[Iterable[str]], WeightedRate]


def shares_of(diff: DatasetDiff) -> ShareOf:
    """Trace ids -> their share of the traffic; ids that were not compared don't count."""
    sample = sample_of(diff.pairs)
    place = {pair.trace_id: n for n, pair in enumerate(diff.pairs)}
    return lambda ids: sample.rate({place[i] for i in ids if i in place})


def group_entry(group: BehaviourGroup, share_of: ShareOf, command: str) -> dict[str, Any]:
    """A behaviour in the report document; ``command`` does its example again."""
    rate = share_of(group.trace_ids)
    known = bool(rate.of) and rate.hits > 0
    return {
        "id": group.id,
        "title": group.title,
        "code": group.code,
        "severity": group.severity,
        "verdict": group.verdict,
        "why": group.why,
        "count": group.count,
        "share": rate.share if rate.of else None,
        "low": rate.interval.low if known else None,
        "high": rate.interval.high if known else None,
        "tools": list(group.tools),
        "trace_ids": list(group.trace_ids),
        "example": group.example,
        "reproduce": command,
        "signature": group.signature,
        "counterfactual": group.counterfactual,
        "typical": group.typical,
        "common": _common(group),
        "quiet": group.quiet,
        "review": group.review,
        "values": list(group.values) if group.values is not None else None,
        "covers": list(group.covers),
    }


def _common(group: BehaviourGroup) -> dict[str, Any] | None:
    common = group.common
    if common is None:
        return None
    return {
        "text": common.text,
        "conditions": list(common.conditions),
        "hits": common.hits,
        "fits": common.fits,
        "precision": common.hits / common.fits,
        "coverage": common.hits / group.count,
        "chance": common.chance,
    }


def interval_words(group: Mapping[str, Any], *, short: bool = False) -> str:
    """``3.7 to 10.8 %`` (``short``: ``3.7-10.8``): where the true share lies; or nothing."""
    low, high = group.get("low"), group.get("high")
    if low is None or high is None:
        return ""
    words = (f"{100 * value:.{1 if value < 0.9995 else 0}f}" for value in (low, high))
    return "-".join(words) if short else " to ".join(words) + " %"


def common_words(group: Mapping[str, Any]) -> str:
    """What its traces have in common, how many of them it holds for, and for how many others."""
    common = group["common"]
    hits, others = common["hits"], common["fits"] - common["hits"]
    if hits == group["count"] and not others:
        return f"Exactly when {common['text']}"
    its = "all of them" if hits == group["count"] else f"{hits:,} of {group['count']:,}"
    other = f"{others:,} other{'' if others == 1 else 's'}" if others else "no others"
    return f"When {common['text']} ({its}, and {other})"
