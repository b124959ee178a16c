"""A store under a new key: each surrogate becomes the new key's surrogate of that surrogate.

A surrogate can't be turned back in general, but who has the old key recognises each one. So a
trace is scrubbed once more, with every surrogate of the old key taken for a personal value and
nothing for a surrogate of the new one; then scrubbed in the usual way, which must settle. Who was
one person in the old store is one person in the new one; dates of birth keep their order and
intervals. A raw value under the new key becomes something else than its old surrogate does, so a
re-keyed store takes no new traffic (docs/decisions/0009).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from presidio_analyzer import LocalRecognizer, RecognizerResult

from anonymize.errors import StoreError, UsageError
from anonymize.finding.vault import Vault
from anonymize.holder.forget import check_key
from anonymize.job import Job
from anonymize.keys import PseudonymKey
from anonymize.pieces.walk import Walk
from anonymize.pipeline import ROTATION
from anonymize.policy import ScrubPolicy
from anonymize.scopes import DATASET, SCOPE_TAG, Scopes, bare
from anonymize.scrub import Scrubber
from anonymize.surrogates import Surrogates, fold
from anonymize.trace import QuarantinedTrace, Trace

if TYPE_CHECKING:
    from anonymize.finding.detect import Detector
    from anonymize.scrubbed import ScrubbedTrace
    from anonymize.store import WriteSummary

_SURE = 1.0
_LETTERS = re.compile(r"[^\W\d_]{13,}")
_COMPOSITE = re.compile(r"[^\W_](?:[\w.\-]{0,120}[^\W_])?")
_EMAIL = re.compile(
    r"[^\s<>\"'(),;:@\\]{1,80}(?:@|%40|%2540)[A-Za-z]{13,17}\.example", re.IGNORECASE
)
_TOKEN = re.compile(r"[A-Za-z0-9+/_\-.=:$@#!%&*]{6,}")
_NUMBER = re.compile(r"\+?\(?\d[\d \u00a0().\-/]{5,24}\d")
_ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{1,4}")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]{2,4}){3,9}(?![A-Za-z0-9])")
_POSITION = re.compile(r"-\d{2,3}\.\d{4,}")
_MARK = re.compile(r"\[hash:[0-9a-f]{14}\]")
#: Days in the years that surrogates of dates of birth are in, however they are written.
_OLD = r"1[789]\d\d"
_DATES = re.compile(
    rf"(?<![\w-])(?:{_OLD}([-/.])\d{{1,2}}(?:\1)\d{{1,2}}|\d{{1,2}}([-/.] ?)\d{{1,2}}(?:\2){_OLD}|"
    rf"[^\W\d_]{{3,12}}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+{_OLD}|"
    rf"\d{{1,2}}(?:st|nd|rd|th|\.)?(?:\s+of)?[\s-]+[^\W\d_]{{3,12}}[.,]?[\s-]+{_OLD})(?![\w-])"
)
_KEYED_MARK = re.compile(r"(?<=hmac:)[0-9a-f]{12}(?=\])")


class OldSurrogates(LocalRecognizer):
    """Finds every surrogate of a key, in any text. Others than the policy's find those too."""

    def __init__(self, old: Surrogates, language: str) -> None:
        super().__init__(supported_entities=["PERSON"], supported_language=language, version="1")
        self._old = old

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        """Presidio's interface; ``entities`` is not looked at."""
        return [
            RecognizerResult(entity_type=entity, start=start, end=end, score=_SURE)
            for entity, start, end in self.find(text)
        ]

    def find(self, text: str) -> Iterator[tuple[str, int, int]]:
        """(entity, start, end) of what this key made."""
        for match in _LETTERS.finditer(text):
            if self._old.words.is_word(fold(match.group())):
                yield "PERSON", *match.span()
        for match in _COMPOSITE.finditer(text):
            yield from self._composite(match)
        for entity, pattern in (
            ("EMAIL_ADDRESS", _EMAIL), ("IBAN_CODE", _IBAN), ("HASHED", _MARK),
            ("COORDINATES", _POSITION), ("DATE_OF_BIRTH", _DATES), ("CRYPTO", _COMPOSITE),
            ("IP_ADDRESS", _ADDRESS), ("MAC_ADDRESS", _TOKEN), ("SECRET", _TOKEN),
        ):  # fmt: skip
            for match in pattern.finditer(text):
                if self._is_made(entity, match.group()):
                    yield entity, *match.span()
        for match in _NUMBER.finditer(text):
            value = match.group()
            for entity in ("CREDIT_CARD", "US_SSN", "PHONE_NUMBER"):
                # Ten bare digits are an order number as easily; the recognizers know more.
                if not (entity == "PHONE_NUMBER" and value.isdigit()) and self._owns(entity, value):
                    yield entity, *match.span()

    def _composite(self, match: re.Match[str]) -> Iterator[tuple[str, int, int]]:
        """Handles and ids: an invented word beside digits, or a code or number of the key."""
        value = match.group()
        identifier = self._old.identifier
        joined = "_" in value or any(c.isdigit() for c in value)
        worded = any(self._old.words.is_word(fold(w)) for w in _LETTERS.findall(value))
        numbered = value.isdigit() and identifier.is_number(value)
        coded = joined and identifier.is_code(value)
        unique = len(value) == 36 and identifier.make(value) == value
        if (worded and joined) or numbered or coded or unique:
            yield "USERNAME", *match.span()

    def _owns(self, entity: str, value: str) -> bool:
        return self._old.form(entity).owns(value)

    def _is_made(self, entity: str, value: str) -> bool:
        if entity == "SECRET" and (len(value) < 12 or not any(c.isdigit() for c in value)):
            return False
        if entity == "CRYPTO" and len(value) < 26:
            return False
        if entity == "MAC_ADDRESS" and (len(value) not in (14, 17) or value[:2] != "02"):
            return False
        return self._owns(entity, value)


class Rotator(Scrubber):
    """Scrubs traces of the old key's store under the new key."""

    def __init__(self, policy: ScrubPolicy, old: PseudonymKey, new: PseudonymKey) -> None:
        super().__init__(policy, new)
        self._old = Surrogates(old, language=policy.language)
        self._old_scopes = Scopes(policy, old, self._old)
        self._blind = lru_cache(128)(self._make_blind)
        self._finder = OldSurrogates(self._old, policy.language)
        self._found = False

    def _make_blind(self, old_token: str) -> Surrogates:
        """Surrogates under the new key of anything at all, the old key's surrogates included."""
        token = self._scopes.renamed(old_token)
        root = Surrogates(self._key, language=self._policy.language, blind=True)
        blind = root.scoped(token) if token else root
        blind.date.undone = self._old_scopes.surrogates(old_token).date.shift
        return blind

    def _job(self, trace: Trace) -> Job:
        carried = trace.tags.get(SCOPE_TAG, "")
        old_token = carried if self._old_scopes.is_token(carried) else DATASET
        blind = self._blind(old_token)
        # Hashes of files are keyed too.
        renamed = Walk(self._reader, lambda unit: _KEYED_MARK.sub(self._mark, unit.text))
        return Job(
            trace,
            renamed.trace(bare(trace)),
            Vault(blind),
            self._scopes.renamed(old_token),
            blind,
            rounds=1,  # nothing in it is raw
        )

    def _mark(self, match: re.Match[str]) -> str:
        return self._key.digest("binary of another key", match.group()).hex()[:12]

    def _round(self, jobs: list[Job]) -> None:
        super()._round(jobs)
        for job in jobs:
            if job.surrogates.blind:
                # From here on it is a trace like any other, under the new key.
                job.surrogates = self._scopes.surrogates(job.scope)
                job.vault = Vault(job.surrogates)
                job.settled = False
            elif job.settled and self._left(job):
                job.failure = "a surrogate of the old key was left"

    def _left(self, job: Job) -> bool:
        """Whether a word of the old key is in the result; numbers can't be told from any others."""
        assert job.walk is not None
        new = job.surrogates.words
        return any(
            self._old.words.is_word(fold(word)) and not new.is_word(fold(word))
            for unit in job.walk.units
            for word in _LETTERS.findall(unit.text)
        )

    def _audit(self, jobs: list[Job], trusted: Collection[str]) -> None:
        """Nothing raw was there, so there is nothing to hold the result against."""

    def _loaded(self) -> Detector:
        detector = super()._loaded()
        if not self._found:
            self._found = True
            detector.add(self._finder)
        return detector


def rotate(
    old_store: Path,
    new_store: Path,
    policy: ScrubPolicy,
    old: PseudonymKey,
    new: PseudonymKey,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> WriteSummary:
    """Write ``new_store`` with the traces of ``old_store`` under the key ``new``.

    The old store is only read. Run again after it was broken off, it goes on. A trace in which a
    surrogate of the old key would be left is quarantined.

    Raises:
        UsageError: the keys are one, or ``old`` is not the old store's.
        StoreError: the new store holds something else, or what reading and writing raise.
    """
    from anonymize.store import Store, StoreWriter

    if old.name == new.name:
        raise UsageError("the new key is the old one", fix="name another file or variable")
    source = Store(old_store)
    check_key(source, old, old_store)
    _claim(new_store, old, new)
    rotator = Rotator(policy, old, new)

    def items() -> Iterator[Any]:
        yield from source.skipped()
        for record in source.quarantined():
            reference = new.digest("trace of another key", record.trace_ref).hex()[:16]
            yield QuarantinedTrace(reason=record.reason, trace_ref=reference, size=record.size)
        result: ScrubbedTrace | QuarantinedTrace
        for count, result in enumerate(rotator.scrub_all(source.traces()), 1):
            progress(count)
            yield result

    return StoreWriter(new_store).write(items(), source="rotation")


def _claim(store: Path, old: PseudonymKey, new: PseudonymKey) -> None:
    """Mark ``store`` as the result of this rotation, before anything is in it."""
    from anonymize.store.place import url_of

    if url_of(store) is not None:
        raise UsageError(
            "a store is re-keyed into a folder",
            where=str(store),
            fix="name a folder",
        )
    text = json.dumps({"from_key": old.name, "to_key": new.name}) + "\n"
    path = store / ROTATION
    if path.exists() and path.read_text() == text:
        return
    if store.exists() and any(store.iterdir()):
        raise StoreError(
            "the new store's folder is not empty",
            where=str(store),
            fix="name a folder that does not exist yet",
        )
    store.mkdir(parents=True, exist_ok=True)
    draft = store / f"{ROTATION}.draft"
    draft.write_text(text)
    draft.replace(path)
