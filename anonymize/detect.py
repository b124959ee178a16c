"""Runs the recognizers over units: patterns in one pass, the model in batches, others guarded.

What is found in a unit depends on the unit alone, so it is found once, whatever number of
traces it occurs in. A unit that can't be searched with certainty is *doubtful*, with a reason;
its traces are quarantined. Nothing is skipped in silence.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import re2

from anonymize.fields import DROP, KEEP, LABEL, NUMBER, OPAQUE, UNSPACED
from anonymize.policy import ScrubPolicy
from anonymize.recognizers import build_registry
from anonymize.recognizers.interface import PatternFamily, Rule
from anonymize.recognizers.names import NameRecognizer
from anonymize.recognizers.ner import NerRecognizer
from anonymize.units import Unit


class Hit(NamedTuple):
    """A span that one recognizer takes for ``entity``. Offsets are in characters of the unit."""

    start: int
    end: int
    entity: str
    score: float
    by: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a unit could not be searched. Holds no content."""

    reason: str


Found = tuple[Hit, ...] | Doubt

#: Texts for the model; longer ones cost memory out of proportion.
_PIECE = 2_000
_LONGEST_PIECE = 10_000
_SENTENCE = re.compile(r"(?<=[.!?;])\s+")
_CACHE_CHARS = 64_000_000
#: In labels (tool names, ids) only what can be nothing else is looked for.
_IN_LABELS = frozenset(("EMAIL_ADDRESS", "SECRET", "US_SSN", "IBAN_CODE", "PAYMENT_ID"))
_SURE = 0.8
#: Words that a pattern or list has found with this score need no model.
_LISTED = 0.55


#: Characters between a street and the postal code of its town.
_CODE_REACH = 40


class TookTooLong(Exception):
    """A recognizer passed its deadline."""


class Detector:
    """All recognizers of a policy, and a cache of what they found.

    ``invented`` tells whether a folded word is a surrogate: no model needs to look at those.
    """

    def __init__(self, policy: ScrubPolicy, invented: Callable[[str], bool]) -> None:
        # Presidio and spaCy log each recognizer that they load, and Presidio logs time-outs.
        logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
        self._policy = policy
        self._invented = invented
        self._allowed = frozenset(value.casefold() for value in policy.allow_list)
        self.registry = build_registry(policy)
        recognizers: list[Any] = list(self.registry.recognizers)
        self._rules: list[tuple[Rule, str]] = [
            (rule, str(type(recognizer).__name__))
            for recognizer in recognizers
            if isinstance(recognizer, PatternFamily)
            for rule in recognizer.rules
        ]
        self._lists: list[Any] = [r for r in recognizers if isinstance(r, NameRecognizer)]
        self._models: list[Any] = [r for r in recognizers if isinstance(r, NerRecognizer)]
        ours = (PatternFamily, NameRecognizer, NerRecognizer)
        self._others = [r for r in recognizers if not isinstance(r, ours)]
        self._which = _prefilter([rule.regex for rule, _ in self._rules])
        self._cache: dict[Unit, Found] = {}
        self._chars = 0

    def versions(self) -> str:
        """Names and versions of everything that searches, for the policy digest."""
        recognizers: list[Any] = list(self.registry.recognizers)
        return ",".join(f"{r.name}/{r.version}" for r in recognizers)

    def detect(self, units: Collection[Unit]) -> dict[Unit, Found]:
        """What was found in each unit."""
        missing = [unit for unit in dict.fromkeys(units) if unit not in self._cache]
        if self._chars > _CACHE_CHARS:
            self._cache = {unit: self._cache[unit] for unit in units if unit in self._cache}
            self._chars = sum(len(unit.text) for unit in self._cache)
        found: dict[Unit, list[Hit] | Doubt] = {}
        for unit in missing:
            try:
                found[unit] = list(self._search(unit))
            except TookTooLong:
                found[unit] = Doubt("a recognizer took too long")
            except Exception as error:  # a recognizer failed: its message could hold the text
                found[unit] = Doubt(f"a recognizer failed ({type(error).__name__})")
        self._ask_models(found)
        for unit, hits in found.items():
            self._cache[unit] = hits if isinstance(hits, Doubt) else self._wanted(unit, hits)
            self._chars += len(unit.text)
        return {unit: self._cache[unit] for unit in units}

    def prose_chars(self, units: Collection[Unit]) -> int:
        """How many characters of ``units`` the model would have to read."""
        if not self._models:
            return 0
        return sum(
            len(unit.text)
            for unit in units
            if _prose(unit)
            and unit not in self._cache
            and NerRecognizer.worthwhile(unit.text, (), self._invented)
        )

    def _search(self, unit: Unit) -> Iterator[Hit]:
        text, rule = unit.text, unit.rule
        if rule in (NUMBER, KEEP, DROP):
            return
        if rule and not rule.startswith("~"):
            yield Hit(0, len(text), rule, 0.9, "FieldName")
            return
        yield from self._patterns(text, rule)
        if UNSPACED.search(text):
            # In scripts without spaces a card number stands right beside a letter; patterns want
            # an edge there. A bar is one, and keeps every offset.
            yield from self._patterns(UNSPACED.sub("|", text), rule)
        if _prose(unit):
            for recognizer in self._lists:
                for offset, piece in _pieces(text):
                    for start, end, score in recognizer.find(piece):
                        yield Hit(offset + start, offset + end, "PERSON", score, recognizer.name)
        if rule != LABEL:
            for other in self._others:
                yield from self._guarded(other, text)

    def _patterns(self, text: str, rule: str) -> Iterator[Hit]:
        streets: list[int] = []
        codes: list[Hit] = []
        for index in self._which(text):
            pattern, name = self._rules[index]
            if rule == LABEL and pattern.entity not in _IN_LABELS:
                continue
            for start, end, score in pattern.find(text):
                if score < _SURE and (
                    rule == LABEL or (rule == OPAQUE and pattern.entity == "SECRET")
                ):
                    continue
                hit = Hit(start, end, pattern.entity, score, name)
                if pattern.entity == "POSTAL_CODE" and score < self._policy.threshold:
                    codes.append(hit)
                    continue
                if pattern.entity == "STREET_ADDRESS" and score >= self._policy.threshold:
                    streets.append(end)
                yield hit
        for code in codes:
            # Any number may be a postal code; after a street and a comma it is one.
            if any(0 <= code.start - end <= _CODE_REACH for end in streets):
                code = code._replace(score=0.6)
            yield code

    def _guarded(self, recognizer: Any, text: str) -> Iterator[Hit]:
        """A recognizer that is not ours: within a deadline, and its results are looked at."""
        with deadline(self._policy.recognizer_seconds):
            results = recognizer.analyze(text, recognizer.supported_entities, None)
        for result in results or ():
            if not 0 <= result.start < result.end <= len(text):
                raise ValueError("a span outside of the text")
            yield Hit(
                result.start, result.end, result.entity_type, float(result.score), recognizer.name
            )

    def _ask_models(self, found: dict[Unit, list[Hit] | Doubt]) -> None:
        if not self._models:
            return
        jobs = [
            (unit, offset, piece)
            for unit, hits in found.items()
            if not isinstance(hits, Doubt) and _prose(unit)
            for offset, piece in _pieces(unit.text)
            if NerRecognizer.worthwhile(
                piece,
                [(h.start - offset, h.end - offset) for h in hits if h.score >= _LISTED],
                self._invented,
            )
        ]
        # Texts of like length in one batch waste less work.
        jobs.sort(key=lambda job: len(job[2]))
        for model in self._models if jobs else ():
            texts = [piece for _, _, piece in jobs]
            try:
                spans = list(model.analyze_batch(texts))
            except (MemoryError, ValueError, RuntimeError, IndexError, KeyError):
                spans = [self._one(model, text) for text in texts]  # find the one that failed
            for (unit, offset, _), names in zip(jobs, spans, strict=True):
                hits = found[unit]
                if isinstance(hits, Doubt):
                    continue
                if names is None:
                    found[unit] = Doubt("the language model failed")
                    continue
                hits.extend(
                    Hit(offset + start, offset + end, "PERSON", score, model.name)
                    for start, end, score in names
                )

    @staticmethod
    def _one(model: NerRecognizer, text: str) -> Any:
        try:
            return next(iter(model.analyze_batch([text])))
        except (MemoryError, ValueError, RuntimeError, IndexError, KeyError):
            return None

    def _wanted(self, unit: Unit, hits: list[Hit]) -> tuple[Hit, ...]:
        return tuple(
            hit
            for hit in hits
            if self._policy.wants(hit.entity)
            and not (self._allowed and unit.text[hit.start : hit.end].casefold() in self._allowed)
        )


def _prose(unit: Unit) -> bool:
    return unit.names and not unit.rule


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """``text`` in pieces that a model can read, with their offsets; cut between sentences."""
    if len(text) <= _PIECE:
        yield 0, text
        return
    start = 0
    while start < len(text):
        end = start + _PIECE
        if end < len(text):
            breaks = [m.end() for m in _SENTENCE.finditer(text, start + _PIECE // 2, end)]
            if breaks:
                end = breaks[-1]
            else:
                space = text.find(" ", end, start + _LONGEST_PIECE)
                end = space + 1 if space >= 0 else start + _LONGEST_PIECE
        yield start, text[start:end]
        start = end


def _prefilter(regexes: list[str]) -> Any:
    """A function from a text to the indexes of the regexes that match somewhere in it."""
    options = re2.Options()
    options.max_mem = 512 << 20
    options.log_errors = False
    every = re2.Set(re2._Anchor.UNANCHORED, options)
    for regex in regexes:
        every.Add(regex)
    every.Compile()
    # A set that ran out of memory would match nothing, silently. It must prove itself.
    if not every.Match("mei.kovacs@corp.example 415-555-0143"):
        raise RuntimeError("the pattern set can't be used on this machine")
    return lambda text: sorted(every.Match(text) or ())


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise :class:`TookTooLong` when the body takes longer than ``seconds``.

    In the main thread the body is interrupted, inside of a regular expression too. Elsewhere
    (and on systems without timers) the time is taken afterwards: the result is refused, late.
    Presidio gives up on a pattern after REGEX_TIMEOUT_SECONDS and says so only in its log; a
    body that took that long is refused as well.
    """
    presidio = float(os.environ.get("REGEX_TIMEOUT_SECONDS", "60"))
    seconds = min(seconds, presidio * 0.9)
    started = time.monotonic()
    timer = hasattr(signal, "setitimer") and (threading.current_thread() is threading.main_thread())
    if timer:

        def stop(_signal: int, _frame: object) -> None:
            raise TookTooLong

        before = signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        if timer:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    if time.monotonic() - started > seconds:
        raise TookTooLong
