"""Erasure: the traces of one person, found by surrogate and taken out of a store for good.

A person is given by values, raw or as surrogates: a name, an e-mail address, a user id, a phone
number. A trace is the person's if it has one of them in whatever spelling, in a text, a handle, a
key, inside of JSON or base64 (:mod:`anonymize.holder.signatures`). A name means everybody who is
called so; an e-mail address or a user id means one person, and not the traces that only have the
name.

What stays behind is a tombstone: keyed digests of the values and of the removed traces' ids, by
which a later ingest refuses the same traces.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from anonymize.errors import StoreError, UsageError
from anonymize.holder.lookup import entities_of
from anonymize.holder.signatures import Signatures, name_of
from anonymize.keys import PseudonymKey
from anonymize.policy import ScrubPolicy
from anonymize.scopes import DATASET, SCOPE_TAG, Scopes
from anonymize.surrogates import Surrogates, fold
from anonymize.surrogates.words import TOKEN, plain
from anonymize.trace import QuarantinedTrace, SkippedTrace, Trace

if TYPE_CHECKING:
    from anonymize.scrubbed import ScrubbedTrace
    from anonymize.store import Store

#: By which kind of signature a value of an entity is found; others are nobody's alone.
_KINDS = {
    "EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone", "CREDIT_CARD": "digits",
    "US_SSN": "digits", "IBAN_CODE": "iban", "USERNAME": "id",
}  # fmt: skip
_FORGETTING = ".forgetting-"
_SHORTEST_RAW = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a store has of a person, in traces; ``forms`` counts them by how they were found.

    ``parts`` are those that the store had by then.
    """

    ids: tuple[str, ...] = ()
    forms: Counter[str] = field(default_factory=Counter)
    records: int = 0
    signatures: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()


class TraceReader:
    """Signatures of whole traces: texts, JSON inside of texts, keys, ids and tags."""

    def __init__(self, policy: ScrubPolicy, key: PseudonymKey, root: Surrogates) -> None:
        from anonymize.binary import Binaries
        from anonymize.fields.rules import FieldRules
        from anonymize.pieces.documents import Reader

        self._reader = Reader(FieldRules(policy, root), Binaries(key))
        self.signatures = Signatures(root)

    def read(self, trace: Trace) -> tuple[frozenset[str], frozenset[str]]:
        """The texts of the trace, and its signatures."""
        from anonymize.pieces.walk import Walk

        walk = Walk(self._reader)
        walk.trace(trace)
        texts = frozenset(unit.text for unit in walk.units)
        return texts, self.signatures.of_all(texts, walk.pairs)


class Person:
    """The values of one person, and what they are in each scope."""

    def __init__(
        self, values: Sequence[str], policy: ScrubPolicy, key: PseudonymKey, *, entity: str = ""
    ) -> None:
        """Raises :class:`UsageError` for values that can't tell a person."""
        self._key = key
        self._entity = entity
        self._root = Surrogates(key, language=policy.language)
        self._scopes = Scopes(policy, key, self._root)
        self.reader = TraceReader(policy, key, self._root)
        self._values = [value.strip() for value in values]
        self._known: dict[str, dict[str, str]] = {}
        self._raw = [_literal(value) for value in self._values if len(value) >= _SHORTEST_RAW]
        for value in self._values:
            if not self._of(value, self._root):
                raise UsageError(
                    "the value can't tell a person",
                    fix="name a full name, an e-mail address, a user id, a phone, card or account"
                    " number; --as says what it is",
                )

    @property
    def surrogates_only(self) -> bool:
        """Whether every value is a surrogate already."""
        return all(
            any(self._root.make(entity, value) == value for entity in self._entities(value))
            for value in self._values
        )

    def _entities(self, value: str) -> list[str]:
        return [self._entity] if self._entity else entities_of(value, self._root)

    def signatures(self, token: str) -> dict[str, str]:
        """Signature -> entity of all values in a scope."""
        if token not in self._known:
            surrogates = self._scopes.surrogates(token)
            self._known[token] = {
                s: entity for value in self._values for s, entity in self._of(value, surrogates)
            }
        return self._known[token]

    def matches(self, trace: Trace) -> tuple[set[str], set[str]]:
        """The signatures of the person in ``trace``, and the forms in which it was found."""
        token = trace.tags.get(SCOPE_TAG, "")
        wanted = self.signatures(token if self._scopes.is_token(token) else DATASET)
        texts, found = self.reader.read(trace)
        common = wanted.keys() & found
        forms = {wanted[signature] for signature in common}
        if any(pattern.search(text) for pattern in self._raw for text in texts):
            forms.add("as it is, not scrubbed")
        return set(common), forms

    def names(self, record: SkippedTrace | QuarantinedTrace) -> bool:
        """Whether a record of what was not taken says something of the person."""
        text = " ".join(str(getattr(record, f, "")) for f in ("trace_id", "where", "reason"))
        if any(pattern.search(text) for pattern in self._raw):
            return True
        return bool(self.signatures(DATASET).keys() & self.reader.signatures.of(text))

    def digest(self, signature: str) -> str:
        """What a tombstone keeps of a signature."""
        return _digest(self._key, signature)

    def _of(self, value: str, surrogates: Surrogates) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for entity in self._entities(value):
            if entity == "PERSON":
                words = self._words(surrogates.make(entity, value))
                if len(words) > 1:
                    found.append((name_of(words[0], words[-1]), entity))
                elif words and self._entity:  # everybody of that name: only if it is asked for
                    found.append((f"word:{words[0]}", entity))
                continue
            made = surrogates.make(entity, value)
            kind = _KINDS.get(entity, "id" if self._entity else "")
            signatures = [s for s in self.reader.signatures.of(made) if s.startswith(f"{kind}:")]
            # A word or a short number is many people's; a date is everybody's who was born then.
            sure = self._entity or (
                len(value) >= _SHORTEST_RAW
                and not value.isalpha()
                and not surrogates.date.is_date(value)
            )
            if kind and signatures and sure:
                found.append((max(signatures, key=len), entity))
        return found

    def _words(self, made: str) -> list[str]:
        folded = [fold(token) for token in TOKEN.findall(made)]
        return [plain(token) for token in folded if self._root.words.is_word(token)]


class Stone(Protocol):
    """What a tombstone says (:class:`anonymize.store.Tombstone`)."""

    @property
    def kind(self) -> str: ...

    @property
    def digest(self) -> str: ...


class Forgotten:
    """The tombstones of a store, to refuse traces by."""

    def __init__(self, stones: Iterable[Stone], policy: ScrubPolicy, key: PseudonymKey) -> None:
        stones = list(stones)
        self._values = {stone.digest for stone in stones if stone.kind == "value"}
        self._traces = {stone.digest for stone in stones if stone.kind == "trace"}
        self._key = key
        self._policy = policy
        self._reader: TraceReader | None = None

    def refuses(self, item: ScrubbedTrace | SkippedTrace | QuarantinedTrace) -> bool:
        """Whether it is a trace that was forgotten, or has such a person in it."""
        if isinstance(item, SkippedTrace):
            return False
        if isinstance(item, QuarantinedTrace):
            return item.trace_ref in self._traces
        trace = item.trace
        if trace_ref(self._key, trace.trace_id) in self._traces:
            return True
        if not self._values:
            return False
        if self._reader is None:
            root = Surrogates(self._key, language=self._policy.language)
            self._reader = TraceReader(self._policy, self._key, root)
        _, found = self._reader.read(trace)
        return any(_digest(self._key, signature) in self._values for signature in found)


def find(store: Store, person: Person, *, known: frozenset[str] = frozenset()) -> Found:
    """The person's traces in a store; reads all of it, one trace in memory at a time.

    ``known`` are the parts that were looked into before.
    """
    ids: list[str] = []
    forms: Counter[str] = Counter()
    signatures: set[str] = set(person.signatures(DATASET))
    for trace in _unknown(store, known) if known else store.traces():
        common, how = person.matches(trace)
        if how:
            ids.append(trace.trace_id)
            forms.update(how)
            signatures |= common
    records = sum(map(person.names, store.skipped())) + sum(map(person.names, store.quarantined()))
    parts = frozenset(part.name for manifest in store.manifests() for part in manifest.parts)
    return Found(
        ids=tuple(ids),
        forms=forms,
        records=records,
        signatures=frozenset(signatures),
        parts=known | parts,
    )


def _unknown(store: Store, known: frozenset[str]) -> Iterator[Trace]:
    """The traces of parts that are not ``known``."""
    for manifest in store.manifests():
        parts = [part for part in manifest.parts if part.name not in known]
        tables = [store.scan_part(part, "traces")["traces"] for part in parts]
        ids = [i for t in tables for i in t.select("trace_id").collect()["trace_id"]]
        if ids:
            days = manifest.date, manifest.date
            yield from store.traces(dates=days, agent=manifest.agent, ids=ids)


def erase(
    root: Path, found: Found, person: Person, key: PseudonymKey, *, today: str = ""
) -> tuple[int, int]:
    """Take what was ``found`` out of the store, and what came since; how many traces and records
    went.

    Safe to be killed at any time, and to be run again: see
    :meth:`StoreWriter.remove <anonymize.store.StoreWriter.remove>`.
    """
    from anonymize.store import Store, StoreWriter, Tombstone, read_tombstones

    day = today or datetime.now(UTC).date().isoformat()

    def stones(found: Found) -> list[Tombstone]:
        values = [person.digest(signature) for signature in sorted(found.signatures)]
        return [
            Tombstone(kind=kind, digest=digest, date=day, traces=len(found.ids))
            for kind, digests in (("value", values), ("trace", refs(found)))
            for digest in digests
        ]

    def refs(found: Found) -> list[str]:
        return [trace_ref(key, trace_id) for trace_id in found.ids]

    known = {s.digest for s in read_tombstones(root) if s.kind == "trace"} | set(refs(found))

    def since() -> tuple[Sequence[str], list[Tombstone]]:
        late = find(Store(root), person, known=found.parts)
        known.update(refs(late))
        return late.ids, stones(late) if late.ids else []

    def unwanted(record: SkippedTrace | QuarantinedTrace) -> bool:
        # A trace that was quarantined one night and taken the next.
        return getattr(record, "trace_ref", None) in known or person.names(record)

    summary = StoreWriter(root).remove(
        found.ids, tombstones=stones(found), unwanted=unwanted, since=since
    )
    return summary.traces, summary.records


def runs_with(folder: Path, found: Found, person: Person) -> Iterator[Path]:
    """The run folders in ``folder`` that have a trace of the person, or of a removed trace."""
    from anonymize.store import Store

    gone = set(found.ids)
    for run in sorted(path for path in folder.iterdir() if path.is_dir()):
        if run.name.startswith(_FORGETTING):
            continue
        # A night keeps replays of earlier days' traces apart from its own.
        stores = [Store(p / "traces") for p in (run, run / "past") if _holds(p / "traces")]
        if any(gone.intersection(store.ids()) for store in stores) or any(
            person.matches(trace)[1] for store in stores for trace in store.traces()
        ):
            yield run


def _holds(store: Path) -> bool:
    return (store / "_manifests").is_dir()


def delete_runs(folder: Path, runs: Iterable[Path]) -> int:
    """Delete whole runs: their reports quote traces, and their figures count them.

    Each is renamed first, so that no half of it is ever a run; what a killed process left is
    deleted too.

    Raises:
        StoreError: a run is going on.
    """
    from filelock import FileLock, Timeout

    count = 0
    for run in runs:
        with ExitStack() as held:
            try:
                for folder_of_run in (run, run / "past"):
                    if folder_of_run.is_dir():
                        held.enter_context(FileLock(folder_of_run / ".lock", timeout=0))
            except Timeout:
                raise StoreError(
                    "a run that has the person's traces is going on",
                    where=str(run),
                    fix="let it finish or stop it, then run this again",
                ) from None
            run.rename(run.with_name(_FORGETTING + run.name))
        count += 1
    for left in folder.glob(f"{_FORGETTING}*"):
        shutil.rmtree(left)
    return count


def check_key(store: Store, key: PseudonymKey, where: Path) -> None:
    """Refuse to look with another key than the store's: it would find nobody.

    Raises:
        UsageError: the store's traces were scrubbed under another key.
    """
    ids = {policy.rpartition("-")[2] for policy in store.policies()}
    if ids - {key.name}:
        raise UsageError(
            "these traces were scrubbed under another key",
            where=str(where),
            fix="use the key that they were ingested with",
        )


def trace_ref(key: PseudonymKey, trace_id: str) -> str:
    """How quarantine records and tombstones name a trace."""
    return key.digest("trace", trace_id).hex()[:16]


def _digest(key: PseudonymKey, signature: str) -> str:
    return key.digest("forgotten", signature).hex()[:32]


def _literal(value: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(value)}(?!\w)", re.IGNORECASE)
