"""The verdict of a run as a person would say it."""

from __future__ import annotations

from collections import Counter

from replay.compare.model import DatasetDiff
from replay.report.text import plural


def sentence(diff: DatasetDiff, candidate: str, baseline: str) -> str:
    """One or two plain sentences: what was found, how often, and the worst of it."""
    counts = Counter(pair.verdict for pair in diff.pairs)
    whole = len(diff.pairs)
    if diff.verdict in ("could not run", "inconclusive") or not whole:
        return diff.reason or "Nothing was compared."
    if diff.verdict == "regressed":
        if not counts["regressed"]:
            return diff.reason
        bad = [g for g in diff.groups if g.verdict == "regressed" and g.severity == "regression"]
        ways = f", in {plural(len(bad), 'way')}" if len(bad) > 1 else ""
        first = (
            f"{candidate} does worse than {baseline} in {counts['regressed']:,} of "
            f"{plural(whole, 'trace')}{ways}."
        )
        if not bad:
            return first
        return f"{first} The worst: “{_title(bad[0].title)}” ({plural(bad[0].count, 'trace')})."
    if counts["same"] == whole:
        return f"{candidate} does the same as {baseline} in {_all(whole)}: no difference."
    other = [f"{counts[v]:,} {v}" for v in ("changed", "improved") if counts[v]]
    doubts = [f"{counts[v]:,} {v}" for v in ("inconclusive", "broken") if counts[v]]
    text = f"Nothing got worse in {plural(whole, 'trace')} of {candidate} against {baseline}"
    text += f": {', '.join([*other, *doubts])}." if other or doubts else "."
    return text


def _all(whole: int) -> str:
    return "the one trace" if whole == 1 else f"all {whole:,} traces"


def _title(title: str) -> str:
    return title.rstrip(". ")
