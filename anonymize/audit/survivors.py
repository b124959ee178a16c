"""The raw values themselves, searched once more in what the scrubber made of their traces.

The scrubber looks for its values run by run, in the spelling they had. Here all that is no
letter or digit is thrown away first, from the text and from the value, in one folded spelling, so
that ``M.K.O.V.A.C.S``-like joints, escapes and accents hide nothing; a hit counts where it begins
and ends with a word. Values exist here only as long as their run, in memory.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from anonymize.audit.known import Known
from anonymize.audit.leaves import Leaf, leaves, views
from anonymize.audit.model import AuditFinding, RawValue
from anonymize.audit.spared import EVERY
from anonymize.recognizers.lexicon import lexicon
from anonymize.surrogates import fold
from anonymize.surrogates.persons import PARTICLES, SUFFIXES, TITLES
from anonymize.surrogates.places import KEPT
from anonymize.trace import Trace

#: Shorter values occur by chance, and so many letters find the place where one may begin.
_GRAM = 8
_SHORTEST = 6
#: With fewer values it is quicker to look for each by itself.
_FEW = 150
#: Values of a run that are remembered for the traces to come; the oldest go first.
_MOST = 100_000

#: A street without a number, or a day without a year, is many people's.
_LEAST_DIGITS = {"STREET_ADDRESS": 1, "DATE_OF_BIRTH": 5}
_JOINTS = re.compile(r"[\W_]+")
_RUN = re.compile(r"[^\W_]+")
_NUMBERS = frozenset(("PHONE_NUMBER", "CREDIT_CARD", "US_SSN"))
#: Values of these can be searched in the traces of other people too: nobody shares them.
_OWN = frozenset(
    ("EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "US_SSN", "PAYMENT_ID",
     "USERNAME", "GOVERNMENT_ID", "ACCOUNT_ID", "PERSON", "CRYPTO", "SECRET")
)  # fmt: skip
_NO_NAMES = TITLES | SUFFIXES | PARTICLES | KEPT
_AFTER_CITY = re.compile(r"(?i)(?:san|santa|los|las|sao|são)\s+$")


@dataclass(slots=True)
class _Needles:
    """What to look for: folded values without joints, and single names."""

    values: dict[str, str] = field(default_factory=dict)  # squeezed -> entity
    names: set[str] = field(default_factory=set)
    grams: dict[str, list[str]] = field(default_factory=dict)

    def add(self, value: str, entity: str) -> None:
        if value not in self.values:
            self.values[value] = entity
            self.grams.setdefault(value[:_GRAM], []).append(value)

    def drop_oldest(self) -> None:
        oldest = next(iter(self.values))
        del self.values[oldest]
        rest = [v for v in self.grams.pop(oldest[:_GRAM]) if v != oldest]
        if rest:
            self.grams[oldest[:_GRAM]] = rest


class Survivors:
    """Looks for raw values: those of a trace in it, and nobody else's in all others."""

    def __init__(self) -> None:
        self._run = _Needles()

    def learn(self, values: Iterable[RawValue]) -> None:
        """Values of one trace that must not be in any other trace of the run either."""
        for value in values:
            text = squeeze(value.surface)
            if _specific(value, text):
                self._run.add(text, value.entity)
        while len(self._run.values) > _MOST:
            self._run.drop_oldest()

    def check(
        self,
        seen: Iterable[Leaf],
        values: Sequence[RawValue],
        known: Known | None = None,
        raw: Trace | None = None,
    ) -> list[AuditFinding]:
        """Where raw values are left in the leaves of one trace.

        ``known`` tells what stands there rightly (a surrogate, allowed, from a trusted text);
        ``raw`` is the trace as it was before.
        """
        kept = [leaf for leaf in seen if leaf.kind != "opened" and EVERY not in leaf.spared]
        own = _needles(values, known.word if known else _never)
        # One pass over the whole trace says, nearly always, that nothing is left.
        whole = "\n".join(_squeezed(leaf.text) for leaf in kept)
        left = dict([*_within(whole, own), *_within(whole, self._run)])
        names: set[str] = set()
        if own.names:
            names = own.names & set().union(*(_words(leaf.text) for leaf in kept))
        if not left and not names:
            return []
        if raw is not None:
            # Rare, so it may cost: a later round can take what an earlier one made for a value.
            before = [leaf.text for leaf in leaves(raw)]
            was = "\n".join(map(_squeezed, before))
            left = {value: entity for value, entity in left.items() if value in was}
            names &= set().union(*map(_words, before))
        if known is not None:
            left = {v: e for v, e in left.items() if not _cleared(v, e, values, known)}
        return [
            AuditFinding(path=leaf.path, entity=entity, by="raw value")
            for leaf in kept
            for entity in dict.fromkeys(_places(leaf, left, names))
            if entity not in leaf.spared
        ]


def _cleared(value: str, entity: str, values: Sequence[RawValue], known: Known) -> bool:
    surfaces = [v.surface for v in values if v.entity == entity and squeeze(v.surface) == value]
    if surfaces and all(known.clears(entity, surface) for surface in surfaces):
        return True
    return any(value in _squeezed(text) for text in known.trusted)


def _places(leaf: Leaf, left: dict[str, str], names: set[str]) -> Iterator[str]:
    for view in views(leaf.text):
        text = folded(view)
        squeezed = _JOINTS.sub("", text)
        for value, entity in left.items():
            tail = entity in _NUMBERS and len(value) > 9
            if value in squeezed and _stands(text, value, open_start=tail):
                yield entity
        if names and leaf.kind in ("text", "id"):
            for name in names & set(_RUN.findall(text)):
                if _named(text, name):
                    yield "PERSON"


@lru_cache(1 << 13)
def _squeezed(text: str) -> str:
    return "\n".join(map(squeeze, views(text)))


@lru_cache(1 << 13)
def _words(text: str) -> frozenset[str]:
    return frozenset(run for view in views(text) for run in _RUN.findall(folded(view)))


def folded(text: str) -> str:
    """Lower case without accents; compatibility forms (full-width letters) made plain."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))


def squeeze(text: str) -> str:
    """Letters and digits of the folded text, nothing between them."""
    return _JOINTS.sub("", folded(text))


def _never(word: str) -> bool:
    return False


def _needles(values: Iterable[RawValue], invented: Callable[[str], bool]) -> _Needles:
    made = _Needles()
    for value in values:
        text = squeeze(value.surface)
        if any(len(run) > 8 and invented(run) for run in _RUN.findall(value.surface)):
            continue  # found in a later round around what the first had put there
        if value.entity == "PERSON":
            made.names.update(name for name in _names(value.surface) if not invented(name))
            if len(_RUN.findall(value.surface)) < 2:
                continue
        digits = sum(c.isdigit() for c in text)
        least = _LEAST_DIGITS.get(value.entity, 0)
        if len(text) >= _SHORTEST and digits >= (7 if text.isdigit() else least):
            made.add(text, value.entity)
    return made


def _names(surface: str) -> Iterator[str]:
    """The names in a person's name that are no words otherwise."""
    known = lexicon()
    for run in _RUN.findall(surface):
        name = fold(run)
        named = len(name) > 3 and name.isalpha() and name not in _NO_NAMES
        if named and not known.is_common(name):
            yield folded(run)


def _specific(value: RawValue, text: str) -> bool:
    """Whether a value is one person's beyond chance, and was no guess."""
    if value.entity not in _OWN or len(text) < _GRAM:
        return False
    digits = sum(c.isdigit() for c in text)
    if value.entity == "PERSON":
        names = list(_names(value.surface))
        return value.sure and len(names) > 1
    if value.entity == "USERNAME":
        return digits >= 3 and digits < len(text)
    if value.entity in ("ACCOUNT_ID", "GOVERNMENT_ID"):
        return digits >= 5
    if text.isdigit():
        return digits >= 10  # 123456789 is everybody's example
    return value.entity != "SECRET" or len(text) >= 16


def _within(squeezed: str, needles: _Needles) -> Iterator[tuple[str, str]]:
    values = needles.values
    if len(values) <= _FEW:
        for value, entity in values.items():
            if value in squeezed:
                yield value, entity
        return
    grams = {squeezed[i : i + _GRAM] for i in range(len(squeezed) - _GRAM + 1)}
    for gram in grams & needles.grams.keys():
        for value in needles.grams[gram]:
            if value in squeezed:
                yield value, values[value]
    for gram, several in needles.grams.items():
        if len(gram) < _GRAM:  # values that are shorter themselves
            for value in several:
                if value in squeezed:
                    yield value, values[value]


def _stands(text: str, value: str, *, open_start: bool) -> bool:
    """Whether ``value`` stands in ``text`` as whole words, whatever joins its characters."""
    # Of two letters at most one joint: prose between them is no joint.
    pattern = r"[\W_]{0,3}".join(map(re.escape, value))
    before = r"(?:(?<![^\W_])|(?<!\d)\d{1,4}[\W_]?)" if open_start else r"(?<![^\W_])"
    after = r"(?![^\W_])"
    if value.isdigit():
        before, after = before + r"(?<!\d[.,])", after + r"(?![.,]\d|-[^\W_])"
    return re.search(before + pattern + after, text) is not None


def _named(text: str, name: str) -> bool:
    """Whether a single name is meant as one, at least once."""
    for match in re.finditer(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", text):
        if _AFTER_CITY.search(text, max(0, match.start() - 7), match.start()) is None:
            return True
    return False
