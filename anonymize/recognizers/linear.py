"""Presidio's pattern recognizers made linear: their patterns in RE2, run with all the others.

``regex``, which Presidio runs patterns with, can take for ever on some texts, and Presidio gives
such a pattern up without a word. RE2 can't. What RE2 doesn't take (look-around, back references)
stays as it is and runs under a deadline instead.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from presidio_analyzer import EntityRecognizer, PatternRecognizer, RecognizerResult

from anonymize.recognizers.context import boosted
from anonymize.recognizers.interface import (
    Check,
    Checked,
    PatternFamily,
    Rule,
    compiled,
    name_of,
)

_FLAGS = ((re.IGNORECASE, "i"), (re.MULTILINE, "m"), (re.DOTALL, "s"))
#: Classes that ``regex`` reads with all of Unicode and RE2 in ASCII.
_CLASSES = re.compile(r"\\[bBwWdDsS]")
_EDGE = r"(?:^|[^\pL\pN_])"


class LinearPatterns(PatternFamily):
    """The patterns of one Presidio recognizer that RE2 takes."""

    def __init__(self, source: Any, rules: Sequence[Rule]) -> None:
        object.__setattr__(self, "rules", tuple(rules))
        super().__init__(source.supported_language)
        object.__setattr__(self, "name", name_of(source))
        text = repr([(rule.regex, rule.score) for rule in rules])
        self.version = f"{source.version}+{hashlib.sha256(text.encode()).hexdigest()[:8]}"


class RestOfPatterns(EntityRecognizer):
    """What is left for ``regex``: patterns that RE2 refuses, and texts that RE2 reads otherwise."""

    def __init__(self, source: Any, *, ascii_too: bool) -> None:
        self._source, self._ascii_too = source, ascii_too
        super().__init__(
            supported_entities=source.supported_entities,
            supported_language=source.supported_language,
            name=source.name,
            version=source.version,
            context=source.context,
        )

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        """Presidio's interface."""
        if text.isascii() and not self._ascii_too:
            return []
        found: list[RecognizerResult] = self._source.analyze(text, entities, nlp_artifacts)
        return found


def linear(source: PatternRecognizer) -> list[EntityRecognizer]:
    """``source`` as recognizers that together find the same, as much as possible of it linear."""
    if type(source).analyze is not PatternRecognizer.analyze:
        return [source]
    patterns: list[Any] = list(getattr(source, "patterns", ()))
    rules: list[Rule] = []
    ascii_only = rest = False
    for pattern in patterns:
        regex, check = _translated(source, pattern)
        if regex is None:
            rest = True
            continue
        rules.append(Rule(source.supported_entities[0], regex, pattern.score, check))
        ascii_only |= pattern.name != "deny_list" and _CLASSES.search(pattern.regex) is not None
    if not rules:
        return [source]
    made: list[EntityRecognizer] = [LinearPatterns(source, rules)]
    if rest or ascii_only:
        made.append(RestOfPatterns(source, ascii_too=rest))
    return made


def _translated(source: PatternRecognizer, pattern: Any) -> tuple[str | None, Check]:
    flags = source.global_regex_flags or 0
    listed = pattern.name == "deny_list" and source.deny_list
    if flags & ~sum(flag for flag, _ in _FLAGS):
        return None, _check(source, pattern, whole=True)
    letters = "".join(letter for flag, letter in _FLAGS if flags & flag)
    switch = f"(?{letters})" if letters else ""
    if listed:
        words = "|".join(re.escape(word) for word in source.deny_list)
        regex = f"{switch}{_EDGE}({words})"
    else:
        regex = f"{switch}({pattern.regex})"
    try:
        compiled(regex)
    except Exception:  # RE2's own error, whatever its class is called in this version
        return None, _check(source, pattern, whole=True)
    plain = listed or _CLASSES.search(pattern.regex) is None
    return regex, _check(source, pattern, whole=bool(plain), edge=bool(listed))


def _check(source: PatternRecognizer, pattern: Any, *, whole: bool, edge: bool = False) -> Check:
    def check(text: str, start: int, end: int) -> Checked:
        if end <= start or not (whole or text.isascii()):
            return None
        if edge and end < len(text) and (text[end].isalnum() or text[end] == "_"):
            return None
        score = float(pattern.score)
        value = text[start:end]
        valid = source.validate_result(value)
        if valid is not None:
            score = 1.0 if valid else 0.0
        if score <= 0 or source.invalidate_result(value):
            return None
        score = boosted(text, start, score, source.context)
        return None if score < least(source, source.supported_entities[0]) else (start, end, score)

    return check


def least(recognizer: Any, entity: str) -> float:
    """The score below which ``recognizer`` itself says nothing (``score_thresholds`` in YAML)."""
    limits = getattr(recognizer, "score_thresholds", None) or {}
    found = limits.get(entity, limits.get("default", 0.0)) if isinstance(limits, dict) else 0.0
    return float(found or 0.0)
