"""Names by a statistical model: spaCy with ``ner`` and what it needs, nothing else, in batches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from presidio_analyzer import LocalRecognizer, RecognizerResult

from anonymize.errors import UsageError
from anonymize.recognizers.lexicon import lexicon
from anonymize.recognizers.wares import is_ware
from anonymize.surrogates import fold
from anonymize.surrogates.places import KEPT

_BATCH = 512
#: The only pipes that NER needs; the parser alone costs as much as NER.
_KEEP = frozenset(("tok2vec", "transformer", "curated_transformer", "ner"))
_PERSON = frozenset(("PERSON", "PER"))
CAPITAL = re.compile(r"(?<![\w@#/\\.])[^\W\d_a-z][^\W\d_]+(?![\w/\\@])")
_MONTHS = frozenset("may april june august march".split())
_CITY = frozenset("san santa los las são saint port fort mount".split())
_SHOUTED = re.compile(r",? [^\W\d_a-z]{4}")
_TOKEN = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_NO_NAME = re.compile(r"[^\w\s.,'’\-]|[\d_]")
_PLAIN = re.compile(
    r"(?:Mc|Mac|De|Di|La|Le|Van|O['’]|D['’])?[^\W\d_a-z][^\W\d_A-Z]+(?:-[^\W\d_a-z][^\W\d_A-Z]+)?"
)
#: Lisinopril 10 mg: a substance, not somebody.
_AMOUNT = re.compile(
    r"\s?\d+(?:[.,]\d+)?\s?(?:m?g|mcg|ml|mm|cm|kg|l|gb|tb|mah|w|v|%)\b", re.IGNORECASE
)
_SCORE = 0.6
#: Longer single words are compounds of another language: Krankenversichertennummer.
_LONGEST = 16


class NameModel(LocalRecognizer):
    """A model that reads prose for names. ``analyze_batch`` is the way to call it.

    ``piece`` is how many characters it reads at a time.
    """

    piece = 2_000

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
        """For each text the spans of person names, with a score."""
        raise NotImplementedError

    def worthwhile(
        self,
        text: str,
        found: Sequence[tuple[int, int]] = (),
        invented: Callable[[str], bool] = lambda word: False,
    ) -> bool:
        """Whether ``text`` has a capitalised word that could be a name nobody found yet.

        Everyday words, ``invented`` ones (surrogates) and those inside of ``found`` spans can't.
        Everything else would cost nine tenths of the time and find nothing.
        """
        return any(_unexplained(text, match, found, invented) for match in CAPITAL.finditer(text))


class NerRecognizer(NameModel):
    """PERSON by a spaCy model. Texts should stay below 50,000 characters."""

    def __init__(self, model: str, supported_language: str = "en") -> None:
        self._model = model
        self._nlp: Any = None
        super().__init__(
            supported_entities=["PERSON"], supported_language=supported_language, version="1"
        )

    def analyze_batch(self, texts: Iterable[str]) -> Iterator[list[tuple[int, int, float]]]:
        """For each text the spans of person names."""
        nlp = self._loaded()
        for doc in nlp.pipe(texts, batch_size=_BATCH):
            spans: list[tuple[int, int, float]] = []
            text = doc.text  # it is put together anew each time
            language = lexicon().language([fold(m.group()) for m in _TOKEN.finditer(text)])
            for entity in doc.ents:
                if entity.label_ in _PERSON:
                    for span in trim(text, entity.start_char, entity.end_char):
                        if language == self.supported_language or plausible(text, span, language):
                            spans.append(span)
            yield spans

    def _loaded(self) -> Any:
        if self._nlp is None:
            self._nlp = _model(self._model)
        return self._nlp


@lru_cache(2)
def _model(name: str) -> Any:
    """The spaCy model, loaded once in a process; what it says of a text depends on that alone."""
    import spacy

    try:
        nlp = spacy.load(name)
    except OSError:
        raise UsageError(
            f"the language model '{name}' is not installed",
            where="anonymize.model",
            fix='install it as a package, or set model = "" to go without',
        ) from None
    nlp.select_pipes(enable=[pipe for pipe in nlp.pipe_names if pipe in _KEEP])
    return nlp


def _unexplained(
    text: str,
    match: re.Match[str],
    found: Sequence[tuple[int, int]],
    invented: Callable[[str], bool],
) -> bool:
    known, word = lexicon(), match.group()
    start, end = match.span()
    folded = fold(word)
    if known.is_common(folded) and folded not in known.given:
        return False
    before = text[max(0, start - 12) : start].rstrip()
    if folded in _MONTHS and (
        text[end : end + 2].strip(" ,.")[:1].isdigit() or before[-1:].isdigit()
    ):
        return False
    last = before[before.rfind(" ") + 1 :].casefold()
    if folded in _CITY or (last in _CITY and text[start - 1 : start] == " "):
        return False  # San Jose, Las Vegas
    if word.isupper() and len(word) < 4 and (text.strip() == word or text != text.upper()):
        return False  # airports: MIA, EVA
    if word.isupper() and not known.is_name(folded):
        if len(word) < 5:
            return False
        # Codes, unless others beside it shout too: "TAMSIN ASHWORTH".
        beside = last.isalpha() and before[-len(last) :].isupper() and len(last) > 3
        named = known.listed(folded) or known.shaped(folded) or beside
        if not named and not _SHOUTED.match(text, end):
            return False
    return not any(s <= start < e for s, e in found) and not invented(folded)


def trim(
    text: str, start: int, end: int, *, small: bool = False
) -> Iterator[tuple[int, int, float]]:
    """The parts of a found name that can be a name: no everyday words, codes or places.

    With ``small`` names may be written without capitals.
    """
    known = lexicon()
    tokens = list(_TOKEN.finditer(text, start, end))
    # A model takes order ids and product codes for people; letters and digits mixed are neither.
    if not tokens or _NO_NAME.search(text[start:end]):
        return
    keep = [_nameable(m.group(), known, small) for m in tokens]
    named = [any(known.listed(p) for p in fold_parts(m.group())) for m in tokens]
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
        if not (small or known.is_name(fold(word)) or _PLAIN.fullmatch(word)):
            return
        if len(word) > _LONGEST and not known.listed(fold(word)):
            return
        if text[chosen[0].start() - 1 : chosen[0].start()] in ("`", "$", "."):
            return
        if _AMOUNT.match(text, chosen[0].end()):
            return
    if not is_ware(text, chosen[0].start(), chosen[-1].end()):
        yield chosen[0].start(), chosen[-1].end(), _SCORE


def plausible(text: str, span: tuple[int, int, float], language: str) -> bool:
    """Whether a span that the model found in a language it doesn't know is likely a name.

    To a model of English every German noun is a name. Such a span must hold a listed name or,
    where the language has no capitals inside of sentences but for names, be two such words.
    """
    start, end, _ = span
    tokens = _TOKEN.findall(text, start, end)
    if any(_likely(part) for token in tokens for part in fold_parts(token)):
        return True
    inside = text[:start].rstrip()[-1:]
    return language != "de" and len(tokens) > 1 and (inside.isalnum() or inside == ",")


def _likely(token: str) -> bool:
    known = lexicon()
    return known.is_name(token) or (known.listed(token) and not known.is_common(token))


def fold_parts(word: str) -> list[str]:
    """The folded halves of a hyphenated name."""
    return [fold(part) for part in word.split("-")]


def _nameable(word: str, known: Any, small: bool) -> bool:
    parts = fold_parts(word)
    return (small or word[0].isupper()) and any(
        not known.is_common(p) and p not in KEPT for p in parts
    )
