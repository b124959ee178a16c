"""Models as a user would bring them: stand-ins that need no package and no weights."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpEngine


class StandInEngine(NlpEngine):
    """A stand-in for a model: takes words that end in "korn" for names, "burg" for places."""

    batches: list[int] = []  # noqa: RUF012 - what the test looks at

    def load(self) -> None:
        """Nothing."""

    def is_loaded(self) -> bool:
        return True

    def process_text(self, text: str, language: str) -> Any:
        if "explode" in text:
            raise RuntimeError(f"can't read {text}")
        found = [
            SimpleNamespace(label_=label, start_char=m.start(), end_char=m.end())
            for ending, label in (("korn", "PERSON"), ("burg", "LOCATION"))
            for m in re.finditer(rf"\w+{ending}\b", text)
        ]
        return SimpleNamespace(entities=found, scores=[0.85] * len(found))

    def process_batch(
        self,
        texts: Iterable[str],
        language: str,
        batch_size: int = 1,
        n_process: int = 1,
        **more: Any,
    ) -> Iterator[tuple[str, Any]]:
        texts = list(texts)
        self.batches.append(len(texts))
        for text in texts:
            yield text, self.process_text(text, language)

    def is_stopword(self, word: str, language: str) -> bool:
        return False

    def is_punct(self, word: str, language: str) -> bool:
        return False

    def get_supported_entities(self) -> list[str]:
        return ["PERSON", "LOCATION"]

    def get_supported_languages(self) -> list[str]:
        return ["en"]


class BatchModel(EntityRecognizer):
    """A stand-in for GLiNER or an ONNX model: words in brackets are nicknames."""

    batches: list[int] = []  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__(supported_entities=["NICKNAME"], supported_language="en")

    def load(self) -> None:
        """Nothing."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        raise AssertionError("batches are there to be used")

    def analyze_batch(self, texts: Sequence[str]) -> list[list[RecognizerResult]]:
        self.batches.append(len(texts))
        if any("hang" in text for text in texts):
            time.sleep(30)
        return [
            [RecognizerResult("NICKNAME", m.start(1), m.end(1), 0.9)]
            if (m := re.search(r"\((\w+)\)", text))
            else []
            for text in texts
        ]


class NotAnEngine:
    """Something else."""
