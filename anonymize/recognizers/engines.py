"""Models of your own: Presidio's NLP engines, and recognizers that read texts in batches.

An NLP engine (spaCy, Stanza, transformers, or a class of yours) is set up as Presidio does it, in
YAML. Its package and its model must be installed: nothing is fetched while traces are read.
Any Presidio recognizer with a method ``analyze_batch(texts)`` gets prose in batches, too; that is
the way for GLiNER, ONNX and other models (docs/policy.md has an example).
"""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from presidio_analyzer import LocalRecognizer, RecognizerResult

from anonymize.errors import UsageError

_BATCH = 64
_WHERE = "anonymize.nlp_engine"
_PACKAGES = {
    "stanza": ("stanza", "spacy_stanza"),
    "transformers": ("transformers", "torch"),
    "gliner": ("gliner",),
    "huggingface": ("transformers", "torch"),
}
#: Parts of a spaCy pipeline that no entity depends on.
_IDLE = ("tagger", "morphologizer", "parser", "senter", "attribute_ruler", "lemmatizer")

#: For each text its spans as start, end, entity and score; ``None`` where reading it failed.
Spans = list[list[tuple[int, int, str, float]] | None]
Guard = Callable[[float], AbstractContextManager[None]]


class BatchRecognizer(LocalRecognizer):
    """A recognizer that reads many texts at once. Yours need not inherit from it."""

    def load(self) -> None:
        """Loading is for :meth:`analyze_batch`: nothing is read before there are texts."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        """Presidio's interface: one text."""
        (found,) = self.analyze_batch([text])
        return [result for result in found if not entities or result.entity_type in entities]

    def analyze_batch(self, texts: Sequence[str]) -> Iterable[list[RecognizerResult]]:
        """What is found in each of ``texts``, in their order."""
        raise NotImplementedError


class PerText(BatchRecognizer):
    """A model that Presidio calls text by text (GLiNER, Hugging Face), for prose only."""

    def __init__(self, source: Any) -> None:
        self._source = source
        super().__init__(
            supported_entities=source.supported_entities,
            supported_language=source.supported_language,
            name=source.name,
            version=source.version,
        )

    def analyze_batch(self, texts: Sequence[str]) -> Iterable[list[RecognizerResult]]:
        """One after the other."""
        for text in texts:
            yield self._source.analyze(text, self.supported_entities, None) or []


class EngineRecognizer(BatchRecognizer):
    """The entities that a Presidio NLP engine sees, under the names that its mapping gives."""

    def __init__(self, engine: Any, language: str, version: str) -> None:
        self._engine = engine
        super().__init__(
            supported_entities=list(engine.get_supported_entities()),
            supported_language=language,
            name=type(engine).__name__,
            version=version,
        )

    def analyze_batch(self, texts: Sequence[str]) -> Iterator[list[RecognizerResult]]:
        """The engine's own batches."""
        read = self._engine.process_batch(
            list(texts), language=self.supported_language, batch_size=_BATCH
        )
        for _, artifacts in read:
            yield [
                RecognizerResult(
                    entity_type=entity.label_,
                    start=entity.start_char,
                    end=entity.end_char,
                    score=score,
                )
                for entity, score in zip(artifacts.entities, artifacts.scores, strict=False)
            ]


def reads_batches(recognizer: Any) -> bool:
    """Whether prose is to be given to ``recognizer`` in batches."""
    return callable(getattr(recognizer, "analyze_batch", None))


def read(recognizer: Any, texts: Sequence[str], seconds: float, guard: Guard) -> Spans:
    """What ``recognizer`` finds in ``texts``, each text within ``seconds`` on average.

    A batch that fails is read again text by text, so that only the texts at fault are lost.
    """
    found: Spans = []
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        try:
            with guard(seconds * len(batch)):
                found += _checked(recognizer.analyze_batch(batch), batch)
        except UsageError:
            raise
        except Exception:  # whatever a model raises, its message could hold the text
            found += [_alone(recognizer, text, seconds, guard) for text in batch]
    return found


def _alone(
    recognizer: Any, text: str, seconds: float, guard: Guard
) -> list[tuple[int, int, str, float]] | None:
    try:
        with guard(seconds):
            return _checked(recognizer.analyze_batch([text]), [text])[0]
    except Exception:  # as above; the caller quarantines what holds this text
        return None


def _checked(
    results: Iterable[Iterable[Any]], texts: Sequence[str]
) -> list[list[tuple[int, int, str, float]]]:
    made = []
    for text, found in zip(texts, results, strict=True):
        spans = [(r.start, r.end, str(r.entity_type), float(r.score)) for r in found or ()]
        if any(not 0 <= start < end <= len(text) for start, end, _, _ in spans):
            raise ValueError("a span outside of the text")
        made.append(spans)
    return made


def trimmed(text: str, start: int, end: int, entity: str) -> Iterator[tuple[int, int]]:
    """The parts of a finding that can be what it says: for names, no codes and everyday words."""
    if entity != "PERSON":
        yield start, end
        return
    from anonymize.recognizers.ner import trim

    for low, high, _ in trim(text, start, end):
        yield low, high


def what_to_install(name: str) -> str:
    """Advice for a recognizer or engine whose packages are missing."""
    for key, packages in _PACKAGES.items():
        if key in name.lower():
            return f"pip install {' '.join(packages)}"
    return "install the package that it is from"


def load_engine(spec: str, language: str) -> EngineRecognizer:
    """The engine that ``spec`` names: a YAML file of Presidio's, or ``module:Class``.

    Raises:
        UsageError: it can't be made, or its package or model is not installed.
    """
    from anonymize.policy import is_file

    if not is_file(spec):
        return EngineRecognizer(_from_class(spec), language, "1")
    from anonymize.recognizers.files import read_yaml

    path = Path(spec)
    conf = read_yaml(path, _WHERE)
    name = str(conf.get("nlp_engine_name", ""))
    models = conf.get("models")
    if not name or not isinstance(models, list):
        raise UsageError(
            "an NLP engine needs 'nlp_engine_name' and 'models'",
            where=str(path),
            fix="write it as Presidio's conf/spacy.yaml: nlp_engine_name, models, "
            "ner_model_configuration",
        )
    _installed(name, models, language, path)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a model that isn't here is an error
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    mine = [model for model in models if model.get("lang_code") == language]
    try:
        engine: Any = NlpEngineProvider(nlp_configuration={**conf, "models": mine}).create_engine()
    except Exception as error:  # of any library; they speak of the set-up, not of traces
        raise UsageError(
            f"the NLP engine '{name}' can't be made: {type(error).__name__}",
            where=str(path),
            fix=f"check that its model is on this machine; {what_to_install(name)}",
        ) from None
    pipeline = engine.nlp.get(language) if isinstance(getattr(engine, "nlp", None), dict) else None
    if name == "spacy" and pipeline is not None:
        pipeline.select_pipes(disable=[pipe for pipe in _IDLE if pipe in pipeline.pipe_names])
    meta = getattr(pipeline, "meta", {})
    text = f"{path.read_text(encoding='utf-8')} {meta.get('name')} {meta.get('version')}"
    return EngineRecognizer(engine, language, hashlib.sha256(text.encode()).hexdigest()[:12])


def _installed(name: str, models: list[Any], language: str, path: Path) -> None:
    """Refuse what would have to be fetched: Presidio downloads missing models by itself."""
    for package in _PACKAGES.get(name, ()):
        if find_spec(package) is None:
            raise UsageError(
                f"the package '{package}' is not installed",
                where=str(path),
                fix=what_to_install(name),
            )
    mine = [m for m in models if isinstance(m, dict) and m.get("lang_code") == language]
    if not mine:
        raise UsageError(
            f"the NLP engine has no model for language '{language}'",
            where=str(path),
            fix=f"add a model with lang_code: {language}",
        )
    wanted = mine[0].get("model_name")
    spacy_model = wanted.get("spacy") if isinstance(wanted, dict) else wanted
    if name in ("spacy", "transformers") and isinstance(spacy_model, str):
        import spacy

        if not (spacy.util.is_package(spacy_model) or Path(spacy_model).exists()):
            raise UsageError(
                f"the language model '{spacy_model}' is not installed",
                where=str(path),
                fix="install its wheel from spaCy's own releases: on a package index the same name "
                "can be somebody else's",
            )


def _from_class(spec: str) -> Any:
    from presidio_analyzer.nlp_engine import NlpEngine

    module_name, _, class_name = spec.partition(":")
    try:
        kind = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError):
        raise UsageError(
            f"the NLP engine '{spec}' can't be imported",
            where=_WHERE,
            fix='write a YAML file, or "package.module:Class" that Python can import here',
        ) from None
    if not (isinstance(kind, type) and issubclass(kind, NlpEngine)):
        raise UsageError(
            f"'{spec}' is not a Presidio NLP engine",
            where=_WHERE,
            fix="make it a subclass of presidio_analyzer.nlp_engine.NlpEngine",
        )
    try:
        engine = kind()
        engine.load()
    except Exception as error:  # a constructor of the user's: anything can happen in it
        raise UsageError(
            f"the NLP engine '{spec}' can't be made: {type(error).__name__}", where=_WHERE
        ) from None
    return engine
