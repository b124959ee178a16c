"""What is measured: this project's scrubber, and plain Presidio beside it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from anonymize.keys import PseudonymKey
from anonymize.policy import ScrubPolicy
from anonymize.scrub import Scrubber
from anonymize.scrubbed import ScrubbedTrace
from anonymize.trace import Trace

KEY = b"a key for benchmarks, not a secret"


class Engine(Protocol):
    """Something that takes personal data out of traces."""

    def scrub(self, traces: Sequence[Trace]) -> list[Trace | None]:
        """Each trace without personal data, or ``None`` for one that was set aside."""


class Ours:
    """This project's scrubber with its defaults and a fixed key."""

    def __init__(self) -> None:
        self.scrubber = Scrubber.create(ScrubPolicy(), PseudonymKey(KEY))
        #: Why traces were set aside; the reasons are content-free.
        self.reasons: Counter[str] = Counter()

    def scrub(self, traces: Sequence[Trace]) -> list[Trace | None]:
        made: list[Trace | None] = []
        for result in self.scrubber.scrub_all(traces):
            if isinstance(result, ScrubbedTrace):
                made.append(result.trace)
            else:
                made.append(None)
                self.reasons[result.reason] += 1
        return made


class Plain:
    """``AnalyzerEngine.analyze`` for each string as it is; what is found becomes ``<ENTITY>``.

    The same spaCy model as ours, all of Presidio's recognizers for English, its default
    threshold. A string that occurs twice is analysed once, which only flatters its speed here.
    """

    def __init__(self) -> None:
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import NlpEngineProvider

        from anonymize.recognizers import offline_suffixes

        offline_suffixes()
        model = {"lang_code": "en", "model_name": ScrubPolicy().model}
        provider = NlpEngineProvider(
            nlp_configuration={"nlp_engine_name": "spacy", "models": [model]}
        )
        self.analyzer = AnalyzerEngine(nlp_engine=provider.create_engine())
        self._seen: dict[str, str] = {}

    def scrub(self, traces: Sequence[Trace]) -> list[Trace | None]:
        return [mapped(trace, self.text) for trace in traces]

    def text(self, text: str) -> str:
        """One string with everything found replaced."""
        if text not in self._seen:
            made, end = "", 0
            found = self.analyzer.analyze(text, language="en") if text.strip() else []
            for hit in sorted(found, key=lambda h: (h.start, -h.end)):
                if hit.end > end:
                    made += text[end : max(hit.start, end)] + f"<{hit.entity_type}>"
                    end = hit.end
            self._seen[text] = made + text[end:]
        return self._seen[text]


def texts_of(engine: Engine, texts: Sequence[str]) -> list[str | None]:
    """Each text scrubbed as a trace of its own; equal texts once."""
    distinct = list(dict.fromkeys(texts))
    made = engine.scrub([Trace(trace_id=str(i), input=text) for i, text in enumerate(distinct)])
    found = dict(zip(distinct, made, strict=True))
    return [None if (t := found[text]) is None else str(t.input) for text in texts]


def mapped(value: Any, change: Callable[[str], str]) -> Any:
    """A trace or JSON value with every content string changed; ids, names and kinds stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(key): mapped(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(mapped(item, change) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kept = {"trace_id", "step_id", "parent_id", "call_id", "tool_call_id", "role", "name",
                "model", "agent", "flags", "lossy_flags", "origin"}  # fmt: skip
        return dataclasses.replace(
            value,
            **{
                field.name: mapped(getattr(value, field.name), change)
                for field in dataclasses.fields(value)
                if field.name not in kept
            },
        )
    return value
