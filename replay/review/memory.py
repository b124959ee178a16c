"""What was decided, put to use: reviewed behaviours don't count, or gate, and changes are told."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from anonymize.jsontools import canonical
from replay.compare.behaviours import behaviours
from replay.compare.common import chance
from replay.compare.model import BehaviourGroup, DatasetDiff, Divergence, TraceDiff
from replay.compare.text import shown, visible
from replay.review.model import Review
from replay.review.store import read_reviews

if TYPE_CHECKING:
    from replay.config import ReplayConfig

#: How unlikely a change of a share must be by chance before it is told.
LEVEL = 0.01


def memory_of(config: ReplayConfig, today: date | None = None) -> tuple[Memory, ...]:
    """The memory that ``[replay] reviews`` names, or nothing where there is none.

    ``today`` decides whether a mute still holds; it is the day in UTC unless given.

    Raises:
        UsageError: the file can't be read, or something in it is wrong.
    """
    reviews = read_reviews(config.resolve(config.replay.reviews))
    day = today or datetime.now(UTC).date()
    return (Memory(tuple(reviews.values()), day),) if reviews else ()


class Memory:
    """A quietener that knows what people decided, and that rejected behaviours gate."""

    def __init__(self, reviews: Sequence[Review], today: date) -> None:
        self._all = reviews
        self._today = today
        self._quiet = {
            r.signature: r for r in reviews if r.decision != "reject" and not r.over(today)
        }
        self._rejected = {r.signature: r for r in reviews if r.decision == "reject"}

    def quiet(self, pair: TraceDiff) -> Mapping[str, str]:
        """Signature -> the review, for all that accepted or muted behaviours consist of."""
        if not self._quiet:
            return {}
        allowed: dict[int, str] = {}
        heard = [d for d in pair.divergences if not d.quiet]
        for d in heard:
            # What was agreed to is agreed to wherever it shows, also as a part of something else.
            own = self._quiet.get(d.signature)
            if own is not None and _same_values(own, (d,)):
                allowed[id(d)] = own.words()
        for behaviour in behaviours(pair):
            review = self._quiet.get(behaviour.signature)
            if review is None or not _same_values(review, behaviour.parts):
                continue
            words = review.words()
            allowed.update((id(d), words) for d in behaviour.parts)
            allowed.update((id(d), words) for d in behaviour.followers if _comes_along(d, review))
        if not allowed:
            return {}
        counted = {d.signature for d in heard if id(d) not in allowed}
        return {
            d.signature: allowed[id(d)]
            for d in heard
            if id(d) in allowed and d.signature not in counted
        }

    def rejected(self, pair: TraceDiff) -> Mapping[str, str]:
        """Signature -> the review, for what rejected behaviours consist of."""
        if not self._rejected:
            return {}
        found = {
            d.signature: self._rejected[d.signature].words()
            for d in pair.divergences
            if d.signature in self._rejected
        }
        for behaviour in behaviours(pair):
            review = self._rejected.get(behaviour.signature)
            if review is not None:
                found.update((d.signature, review.words()) for d in behaviour.parts)
        return found

    def told(self, diff: DatasetDiff) -> DatasetDiff:
        """The comparison with what was said of its groups, and what changed since."""
        by_signature = {r.signature: r for r in self._all}
        groups = tuple(self._with_review(g, by_signature.get(g.signature)) for g in diff.groups)
        there: dict[str, int] = {}
        for g in (*diff.groups, *diff.quiet_groups):
            there[g.signature] = there.get(g.signature, 0) + g.count
        compared = sum(p.verdict != "broken" for p in diff.pairs)
        # Counts of then and now are held against each other only where each trace counts alike.
        alike = len({p.weight for p in diff.pairs}) <= 1
        notes = [self._note(r, there.get(r.signature, 0), compared, alike) for r in self._all]
        return dataclasses.replace(
            diff, groups=groups, notes=(*diff.notes, *(n for n in notes if n))
        )

    def _with_review(self, group: BehaviourGroup, review: Review | None) -> BehaviourGroup:
        if review is None or review.decision == "reject":
            return group
        if review.over(self._today):
            said = f"{review.words()}; that is over"
        elif review.was is not None and review.now is not None:
            said = f"other values than those {review.words()}"
        else:
            said = f"more than what was {review.words()}"
        return dataclasses.replace(group, review=said)

    def _note(self, review: Review, count: int, compared: int, alike: bool) -> str:
        name = f"“{visible(review.name, 100)}” ({review.id[:6]})"
        if review.over(self._today):
            back = f"it is back, in {_traces(count)}" if count else "it did not occur"
            return f"{name} was muted by {review.owner} until {review.until}: {back}."
        if review.decision == "mute" or not compared:
            return ""
        done = f"{name}, {review.words()},"
        if not review.of:
            return "" if count else f"{done} did not occur in this run."
        if not alike:
            return ""
        before = f"{review.traces:,} of {review.of:,} traces then"
        whole, both = review.of + compared, review.traces + count
        if chance(review.traces, both, review.of, whole) <= LEVEL:
            gone = f"now in {count:,} of {compared:,}" if count else "is no longer there"
            sense = "is seen less often" if count else gone
            rest = f": {before}, {gone}" if count else f" ({before})"
            return f"{done} {sense}{rest}."
        if review.decision == "accept" and chance(count, both, compared, whole) <= LEVEL:
            return f"{done} is seen more often: {before}, now in {count:,} of {compared:,}."
        return ""


def _same_values(review: Review, parts: Sequence[Divergence]) -> bool:
    """Whether these show the values that the review is about, if it is about any."""
    if review.was is None or review.now is None:
        return True
    return all(
        canonical(d.recorded) == review.was and canonical(d.replayed) == review.now for d in parts
    )


def _comes_along(d: Divergence, review: Review) -> bool:
    if d.code in ("OUTCOME_WORSE", "OUTCOME_BETTER"):
        return False  # how a run ended is no part of how it got there
    return d.severity != "regression" or d.signature in review.covers


def _traces(count: int) -> str:
    return "1 trace" if count == 1 else f"{count:,} traces"


def values_in_words(review: Review) -> str:
    """The values that a review is bound to, or ``""``."""
    if review.was is None or review.now is None:
        return ""
    found = []
    for text in (review.was, review.now):
        try:
            found.append(shown(json.loads(text), 60))
        except ValueError:  # written by hand
            found.append(visible(text, 60))
    return " -> ".join(found)
