"""The second detector: everything that is looked for in a trace that was scrubbed.

What it says of a text depends on the text, its key and the key of the surrogates, so it is
remembered: agents repeat the whole history in every call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from unicodedata import normalize

from anonymize.audit import stock
from anonymize.audit.known import BLIND, Known
from anonymize.audit.labels import entity_of, plausible
from anonymize.audit.leaves import Leaf, pairs, views
from anonymize.audit.model import UNAUDITED, AuditFinding
from anonymize.audit.patterns import IN_LABELS, objections
from anonymize.audit.spared import EVERY
from anonymize.policy import ScrubPolicy

#: Raise it when a check is added, removed or changed.
DETECTOR_VERSION = "1"
#: CPU seconds for a trace, and for each million characters of it.
_SECONDS, _SECONDS_A_MILLION = 5.0, 10.0
#: The scrubber's own score for what these checks object to, where it is not 0.8 and more.
_CERTAIN = {"PERSON": 0.5, "STREET_ADDRESS": 0.5, "PHONE_NUMBER": 0.7}
_CACHE_CHARS = 32_000_000
_PIECE = 20_000
_OVERLAP = 400

Clock = Callable[[], float]


class SecondDetector:
    """Searches scrubbed traces. Follows the policy in what is wanted, kept and allowed."""

    def __init__(self, policy: ScrubPolicy, *, clock: Clock = time.thread_time) -> None:
        self._policy = policy
        self._clock = clock
        self._clean: set[tuple[object, ...]] = set()
        self._chars = 0

    def versions(self) -> Mapping[str, str]:
        """What searched, for the receipt."""
        return {"audit": DETECTOR_VERSION, **stock.versions()}

    def blind_to(self, known: Known) -> tuple[str, ...]:
        """The entities that could not be judged, the key being absent."""
        return () if known.has_key else tuple(sorted(BLIND))

    def check(self, seen: Iterable[Leaf], known: Known) -> list[AuditFinding]:
        """What should not be in these leaves; one finding for each place and entity."""
        found: dict[tuple[str, str], AuditFinding] = {}
        chars, started = 0, self._clock()
        for leaf in seen:
            chars += len(leaf.text)
            budget = started + _SECONDS + chars / 1e6 * _SECONDS_A_MILLION
            for entity, by in self._leaf(leaf, known, budget):
                finding = AuditFinding(path=leaf.path, entity=entity, by=by)
                found.setdefault((leaf.path, entity), finding)
        return list(found.values())

    def _leaf(self, leaf: Leaf, known: Known, budget: float) -> Iterator[tuple[str, str]]:
        if leaf.kind == "opened" or EVERY in leaf.spared:
            return
        place = (leaf.text, leaf.key, leaf.kind, leaf.speaker == "user", leaf.spared, known.has_key)
        if place in self._clean:
            return
        sound = True
        for entity, by in self._search(leaf, known, budget):
            if entity == UNAUDITED or (entity not in leaf.spared and self._wanted(entity, by)):
                sound = False
                yield entity, by
        if sound and len(leaf.text) < 1 << 20:
            if self._chars > _CACHE_CHARS:
                self._clean.clear()
                self._chars = 0
            self._clean.add(place)
            self._chars += len(leaf.text) + 100

    def _wanted(self, entity: str, by: str) -> bool:
        """Whether the policy wants what is that certain; a user may ask for more certainty."""
        certain = 0.9 if by == "key" else _CERTAIN.get(entity, 0.8)
        return self._policy.wants(entity) and self._policy.limit(entity) <= certain

    def _search(self, leaf: Leaf, known: Known, budget: float) -> Iterator[tuple[str, str]]:
        if leaf.kind == "number":
            yield from _number(leaf, known)
            return
        label = leaf.kind == "label"
        if leaf.kind == "text":
            yield from _keyed(leaf.key, leaf.text, known)
        for text in _pieces(leaf.text):
            found = views(text if text.isascii() else normalize("NFKC", text))
            for number, view in enumerate(found):
                yield from objections(view, known, label=label, speaker=leaf.speaker)
                if leaf.kind == "text":
                    for key, value in pairs(view, escaped=number == 0):
                        yield from _keyed(key, value, known)
                for entity, surface, by in stock.hits(view):
                    if label and entity not in IN_LABELS:
                        continue
                    if known.judges(entity) and not known.clears(entity, surface):
                        yield entity, by
                    if self._clock() > budget:
                        yield UNAUDITED, "time"
                        return
            if self._clock() > budget:
                yield UNAUDITED, "time"
                return


def _number(leaf: Leaf, known: Known) -> Iterator[tuple[str, str]]:
    if not leaf.text.isdigit():
        if entity_of(leaf.key) != "COORDINATES":
            return
        # A parsed number has lost the zeros that it ended with.
        if any(known.clears("COORDINATES", leaf.text + "0" * n) for n in range(1, 4)):
            return
    yield from _keyed(leaf.key, leaf.text, known)


def _keyed(key: str, value: str, known: Known) -> Iterator[tuple[str, str]]:
    entity = entity_of(key)
    if (
        entity
        and plausible(entity, value)
        and known.judges(entity)
        and not known.clears(entity, value.strip())
    ):
        yield entity, "key"


def _pieces(text: str) -> Iterator[str]:
    """A long text in overlapping pieces, so that the clock is looked at; cut at white space."""
    start = 0
    while len(text) - start > _PIECE:
        end = start + _PIECE
        cut = max(text.rfind(" ", end - _OVERLAP, end), text.rfind("\n", end - _OVERLAP, end))
        end = cut if cut > start else end
        yield text[start:end]
        again = text.find(" ", end - _OVERLAP, end)
        start = again if again > start else end - _OVERLAP
    yield text[start:]
