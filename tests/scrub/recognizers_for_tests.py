"""Presidio recognizers as a user would write them, good and bad."""

from __future__ import annotations

import re
from typing import Any

from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer, RecognizerResult


class BadgeRecognizer(PatternRecognizer):
    """Badge numbers such as ``BDG/4821/K``."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="BADGE",
            patterns=[Pattern("badge", r"BDG/\d{4}/[A-Z]", 0.9)],
            supported_language="en",
        )


class _Custom(EntityRecognizer):
    def __init__(self) -> None:
        super().__init__(supported_entities=["CUSTOM"], supported_language="en")

    def load(self) -> None:
        """Nothing."""


class RaisingRecognizer(_Custom):
    """Fails on some texts, with the text in its message."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        if "explode" in text:
            raise RuntimeError(f"can't read {text}")
        return []


class HangingRecognizer(_Custom):
    """A regular expression that takes for ever on some texts."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        re.search(r"(a+)+$", text)
        return []
