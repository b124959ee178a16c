"""Names by a statistical model: spaCy with ``ner`` and what it needs, nothing else, in batches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from presidio_analyzer import LocalRecognizer, RecognizerResult

from anonymize.errors import UsageError
from anonymize.recognizers.lexicon import lexicon
from anonymize.surrogates import fold
from anonymize.surrogates.places import KEPT

_BATCH = 512
#: The only pipes that NER needs; the parser alone costs as much as NER.
_KEEP = frozenset(("tok2vec", "transformer", "curated_transformer", "ner"))
_PERSON = frozenset(("PERSON", "PER"))
_CAPITAL = re.compile(r"(?<![\w@#/\\.])[^\W\d_a-z][^\W\d_]+(?![\w/\\@])")
_TOKEN = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_NO_NAME = re.compile(r"[^\w\s.,'’\-]|[\d_]")
_PLAIN = re.compile(
    r"(?:Mc|Mac|De|Di|La|Le|Van|O['’]|D['’])?[^\W\d_a-z][^\W\d_A-Z]+(?:-[^\W\d_a-z][^\W\d_A-Z]+)?"
)
_SCORE = 0.6


class NerRecognizer(LocalRecognizer):
    """PERSON. ``analyze_batch`` is the way to call it; ``analyze`` is Presidio's interface."""

    def __init__(self, model: str, supported_language: str = "en") -> None:
        self._model = model
        self._nlp: Any = None
        super().__init__(
            supported_entities=["PERSON"], supported_language=supported_language, version="1"
        )

    def load(self) -> None:
        """The model is loaded by the first text that needs it (about a second)."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        """Presidio's interface: one text."""
        (found,) = self.analyze_batch([text])
        return [
            RecognizerResult(entity_type="PERSON", start=start, end=end, score=score)
            for start, end, score in found
        ]

    def analyze_batch(self, texts: Iterable[str]) -> Iterator[list[tuple[int, int, float]]]:
        """For each text the spans of person names. Texts should stay below 50,000 characters."""
        nlp = self._loaded()
        for doc in nlp.pipe(texts, batch_size=_BATCH):
            spans: list[tuple[int, int, float]] = []
            language = lexicon().language([fold(m.group()) for m in _TOKEN.finditer(doc.text)])
            for entity in doc.ents:
                if entity.label_ in _PERSON:
                    for span in _trim(doc.text, entity.start_char, entity.end_char):
                        if language == self.supported_language or _known(doc.text, span, language):
                            spans.append(span)
            yield spans

    @staticmethod
    def worthwhile(
        text: str,
        found: Sequence[tuple[int, int]] = (),
        invented: Callable[[str], bool] = lambda word: False,
    ) -> bool:
        """Whether ``text`` has a capitalised word that could be a name nobody found yet.

        Everyday words, ``invented`` ones (surrogates) and those inside of ``found`` spans can't.
        Everything else would cost nine tenths of the time and find nothing.
        """
        known = lexicon()
        for match in _CAPITAL.finditer(text):
            word = match.group()
            folded = fold(word)
            if known.is_common(folded) and folded not in known.given:
                continue
            if word.isupper() and not known.is_name(folded) and len(word) < 5:
                continue  # codes and acronyms
            start = match.start()
            if any(s <= start < e for s, e in found) or invented(folded):
                continue
            return True
        return False

    def _loaded(self) -> Any:
        if self._nlp is None:
            import spacy

            try:
                nlp = spacy.load(self._model)
            except OSError:
                raise UsageError(
                    f"the language model '{self._model}' is not installed",
                    where="anonymize.model",
                    fix='install it as a package, or set model = "" to go without',
                ) from None
            nlp.select_pipes(enable=[name for name in nlp.pipe_names if name in _KEEP])
            self._nlp = nlp
        return self._nlp


def _trim(text: str, start: int, end: int) -> Iterator[tuple[int, int, float]]:
    """The parts of a found name that can be a name: no everyday words, codes or places."""
    known = lexicon()
    tokens = list(_TOKEN.finditer(text, start, end))
    # A model takes order ids and product codes for people; letters and digits mixed are neither.
    if not tokens or _NO_NAME.search(text[start:end]):
        return
    keep = [_nameable(m.group(), known) for m in tokens]
    named = [
        any(p in known.first or p in known.last for p in fold_parts(m.group())) for m in tokens
    ]
    first = next((i for i, k in enumerate(keep) if k), None)
    if first is None:
        # "Grace Hill", "Will Page": everyday words only, but a given and a family name.
        if len(tokens) > 1 and all(named) and fold(tokens[0].group()) in known.given:
            yield tokens[0].start(), tokens[-1].end(), _SCORE
        return
    last = len(keep) - 1 - next(i for i, k in enumerate(reversed(keep)) if k)
    while first > 0 and named[first - 1]:
        first -= 1
    while last < len(keep) - 1 and named[last + 1]:
        last += 1
    chosen = tokens[first : last + 1]
    if len(chosen) == 1:
        word = chosen[0].group()
        # One word alone: acronyms and unknown shouting are not names.
        if not known.is_name(fold(word)) and _PLAIN.fullmatch(word) is None:
            return
        if text[chosen[0].start() - 1 : chosen[0].start()] in ("`", "$", "."):
            return
    yield chosen[0].start(), chosen[-1].end(), _SCORE


def _known(text: str, span: tuple[int, int, float], language: str) -> bool:
    """Whether a span that the model found in a language it doesn't know is likely a name.

    To a model of English every German noun is a name. Such a span must hold a listed name or,
    where the language has no capitals inside of sentences but for names, be two such words.
    """
    start, end, _ = span
    tokens = _TOKEN.findall(text, start, end)
    if any(lexicon().is_name(part) for token in tokens for part in fold_parts(token)):
        return True
    inside = text[:start].rstrip()[-1:]
    return language != "de" and len(tokens) > 1 and (inside.isalnum() or inside == ",")


def fold_parts(word: str) -> list[str]:
    """The folded halves of a hyphenated name."""
    return [fold(part) for part in word.split("-")]


def _nameable(word: str, known: Any) -> bool:
    parts = fold_parts(word)
    return word[0].isupper() and any(not known.is_common(p) and p not in KEPT for p in parts)
