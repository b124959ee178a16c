"""What a recognizer is here, and the rules that pattern recognizers are made of.

Every recognizer is a Presidio recognizer, so yours can stand beside ours. Those that are made of
:class:`Rule` are run together: one linear pass finds which rules can match at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import re2
from presidio_analyzer import LocalRecognizer, RecognizerResult

#: A span and how sure we are, or ``None``: not this entity after all.
Checked = tuple[int, int, float] | None
Check = Callable[[str, int, int], Checked]

#: Below the policy's threshold a finding does not act by itself. It still says "this could be
#: a phone number", and does act when the same trace shows the value elsewhere beyond doubt.
WEAK = 0.2


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern: ``regex`` in RE2 syntax, the value being group 1 (or everything).

    RE2 has no look-around: what precedes the value is matched outside of group 1, what follows
    is looked at by ``check``, which may move the ends, change the score, or refuse.
    """

    entity: str
    regex: str
    score: float
    check: Check | None = None

    def find(self, text: str) -> Iterator[tuple[int, int, float]]:
        """Every place that matches and passes the check."""
        for start, end in compiled(self.regex).spans(text):
            if self.check is None:
                yield start, end, self.score
            else:
                checked = self.check(text, start, end)
                if checked is not None:
                    yield checked


class Pattern:
    """An RE2 pattern: linear in the text whatever the text is."""

    def __init__(self, regex: str) -> None:
        options = re2.Options()
        options.max_mem = 64 << 20
        options.log_errors = False
        self._regex = re2.compile(regex, options)
        self._group = 1 if self._regex.groups else 0

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        # In ASCII a byte is a character: no offsets have to be counted back.
        for match in self._regex.finditer(text.encode() if text.isascii() else text):
            yield match.span(self._group)


@lru_cache(None)
def compiled(regex: str) -> Pattern:
    """The compiled pattern; compiled once in a process."""
    return Pattern(regex)


class PatternFamily(LocalRecognizer):
    """A Presidio recognizer made of rules. Subclasses set ``rules``.

    Presidio finds recognizers by the bare name of their class, in the whole process: no subclass
    may be called like one of Presidio's own.
    """

    rules: ClassVar[tuple[Rule, ...]] = ()
    family_version: ClassVar[str] = "1"

    def __init__(self, supported_language: str = "en") -> None:
        super().__init__(
            supported_entities=sorted({rule.entity for rule in self.rules}),
            supported_language=supported_language,
            version=self.family_version,
        )

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        """Presidio's interface; weak findings are included with their low score."""
        return [
            RecognizerResult(entity_type=rule.entity, start=start, end=end, score=score)
            for rule in self.rules
            if not entities or rule.entity in entities
            for start, end, score in rule.find(text)
        ]


def name_of(recognizer: Any) -> str:
    """What Presidio calls ``recognizer``."""
    return str(recognizer.name)


def context(words: str, *, reach: int = 40) -> Callable[[str, int], bool]:
    """A function that tells whether one of ``words`` (a regex) stands shortly before a place."""
    pattern = re.compile(rf"(?i)(?<!\w)(?:{words})(?![^\W_])")

    def before(text: str, start: int) -> bool:
        return pattern.search(text[max(0, start - reach) : start]) is not None

    return before


def ends_clean(text: str, end: int, *, also: str = "") -> bool:
    """Whether the value stops at ``end``: no letter, digit, underscore or ``also`` follows."""
    if end >= len(text):
        return True
    char = text[end]
    return not (char.isalnum() or char == "_" or char in also)
