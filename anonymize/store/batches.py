"""Batches of encoded traces: collected, held against what is there, written and committed."""

from __future__ import annotations

import secrets
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from anonymize.errors import StoreError
from anonymize.scrubbed import ScrubbedTrace
from anonymize.store.disk import disk_errors
from anonymize.store.encode import EncodedTrace, encode
from anonymize.store.manifest import (
    MANIFESTS,
    Manifest,
    Part,
    Partition,
    folder_of,
)
from anonymize.store.merging import when_asked, when_many
from anonymize.store.parts import PartWriter, to_tables
from anonymize.store.place import Change, Conflict, Place
from anonymize.store.scan import MissingFile, find, missing
from anonymize.store.scan import Place as Found
from anonymize.store.skips import Missed, SkipLog
from anonymize.store.values import Unstorable
from anonymize.trace import QuarantinedTrace, SkippedTrace

T = TypeVar("T")

#: How often a commit is worked out again because another writer came first.
_TRIES = 30
#: A batch is committed when it has this many rows or bytes of text, whichever comes first.
BATCH_ROWS = 200_000
BATCH_BYTES = 64 << 20


@dataclass(slots=True)
class _Batch:
    """Encoded traces that wait for the next commit, the last one of each id.

    Equal blobs are one text in memory, and counted once.
    """

    traces: dict[str, EncodedTrace] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    bytes: int = 0

    def add(self, trace: EncodedTrace) -> None:
        for name, text in trace.blobs.items():
            if name not in self.texts:
                self.texts[name] = text
                self.bytes += len(text)
        shared = {name: self.texts[name] for name in trace.blobs}
        self.traces[trace.trace_id] = replace(trace, blobs=shared)
        self.rows += 1 + len(trace.steps) + len(trace.messages)
        self.bytes += trace.size

    @property
    def full(self) -> bool:
        return self.rows >= BATCH_ROWS or self.bytes >= BATCH_BYTES


class Batches:
    """One write: the batch, the counts and the manifests as of the last commit."""

    def __init__(self, place: Place, staging: Path) -> None:
        self._place = place
        self._root = place.folder
        self._staging = staging
        self._manifests = dict(place.load())
        self._ignores_case = (self._root / MANIFESTS.upper()).exists()
        self._waiting = 0
        self.missed = Missed(self._root)
        self._batch = _Batch()
        self._unlogged: list[SkippedTrace | QuarantinedTrace] = []
        self.counts: Counter[str] = Counter()
        self.flags: Counter[str] = Counter()
        self.entities: Counter[str] = Counter()

    @property
    def full(self) -> bool:
        return self._batch.full

    @property
    def waiting(self) -> int:
        """How many files that were replaced wait for readers to end, as of the last commit."""
        return self._waiting

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """Every partition as of the last commit."""
        return tuple(self._manifests.values())

    def take(self, item: ScrubbedTrace | SkippedTrace | QuarantinedTrace) -> None:
        if type(item) is ScrubbedTrace:
            trace = item.trace
            self.missed.meets(trace.trace_id)
            self.flags.update(set(trace.lossy_flags))
            self.entities.update(item.counts)
            try:
                encoded = encode(trace, policy=item.policy, entities=item.counts)
            except Unstorable as reason:
                self._skip(trace.trace_id, str(reason))
                return
            earlier = self._batch.traces.get(encoded.trace_id)
            if earlier is not None:
                same = earlier.digest == encoded.digest
                self.counts["unchanged" if same else "replaced"] += 1
                if same:
                    return
            self._batch.add(encoded)
        elif isinstance(item, SkippedTrace | QuarantinedTrace):
            self.counts["skipped" if isinstance(item, SkippedTrace) else "quarantined"] += 1
            self._unlogged.append(item)
        else:
            raise TypeError(
                "the store takes only what the scrubber made "
                f"(ScrubbedTrace, SkippedTrace, QuarantinedTrace), not {type(item).__name__}"
            )

    def _skip(self, trace_id: str, reason: str) -> None:
        self.counts["skipped"] += 1
        self._unlogged.append(SkippedTrace(reason=reason, where="store", trace_id=trace_id))

    def log(self, skips: SkipLog) -> None:
        for record in self._unlogged:
            skips.add(record)
            self.missed.logs(record)
        self._unlogged.clear()

    def commit(self) -> None:
        """Write the batch and make it visible, all of it at once."""
        traces = list(self._batch.traces.values())
        self._batch = _Batch()
        misfit = (pa.ArrowException, TypeError, ValueError, OverflowError)
        try:
            self._again(lambda: self._commit(traces))
        except misfit:
            # Some value doesn't fit its column. Rare, so looked for only then.
            fitting = []
            for trace in traces:
                try:
                    to_tables((trace.date, trace.agent), [trace])
                    fitting.append(trace)
                except misfit:
                    reason = "a field has a value of the wrong type or range"
                    self._skip(trace.trace_id, reason)
            if len(fitting) == len(traces):
                raise
            self._again(lambda: self._commit(fitting))

    def _again(self, attempt: Callable[[], T]) -> T:
        """``attempt``, worked out anew from what is there if another writer came first.

        Only where writers are on several machines: elsewhere a lock keeps them apart.
        """
        for number in range(_TRIES):
            try:
                return attempt()
            except Conflict:
                # Two that lost to each other must not meet again.
                time.sleep(secrets.randbelow(100) / 1000 * min(number + 1, 10))
                self._manifests = dict(self._place.load())
            except MissingFile:
                fresh = dict(self._place.load())
                if fresh == self._manifests:
                    raise
                self._manifests = fresh  # another writer replaced it meanwhile
        raise StoreError(
            f"other processes write to the store all the time (tried {_TRIES} times)",
            where=self._place.name,
            fix="run again, with fewer writers at once; what was committed before is intact",
        )

    def clear(self) -> None:
        """Delete what was replaced earlier and waits for readers: it may hold what has to go.

        From here on no other writer commits what it began before.
        """
        with disk_errors("remove the traces", self._root):
            self._again(lambda: self._place.clear(self._staging))

    def remove(self, ids: Sequence[str]) -> int:
        """Take out the traces ``ids``, all of them at once, and what only they used.

        Returns how many were there. Memory holds one part. :meth:`clear` goes before it.
        """
        return self._again(lambda: self._remove(ids))

    def _remove(self, ids: Sequence[str]) -> int:
        known = self._find(ids)
        gone: dict[Partition, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for trace_id, place in known.items():
            gone[place.partition][place.part.name].add(trace_id)
        if gone:
            with disk_errors("remove the traces", self._root):
                self._change({}, gone)
        return len(known)

    def _find(self, ids: Sequence[str]) -> dict[str, Found]:
        try:
            return find(self._place, self._manifests, ids) if ids else {}
        except FileNotFoundError as error:
            raise missing(Path(error.filename or self._root)) from None

    def drop(self, wanted: Callable[[Manifest], bool]) -> list[Manifest]:
        """Take out the partitions that are ``wanted``, all of them at once; which that were."""

        def attempt() -> list[Manifest]:
            old = [m for _, m in sorted(self._manifests.items()) if m.parts and wanted(m)]
            changed = [self._next(m.partition, ()) for m in old]
            if changed:
                with disk_errors("remove old days", self._root):
                    self._apply(PartWriter(self._place, self._staging), changed)
                    self._place.forget_empty(changed)
            return old

        return self._again(attempt)

    def merge(self, partition: Partition) -> None:
        """Make small parts of a partition one, in as many steps as memory asks for."""

        def attempt() -> bool:
            manifest = self._manifests.get(partition)
            parts = manifest.parts if manifest else ()
            small = when_asked(self._place, parts)
            if not small:
                return False
            with disk_errors("merge small parts", self._root):
                writer = PartWriter(self._place, self._staging)
                merged = writer.rewrite(partition, small, ())
                kept = [p for p in parts if p not in small]
                self._apply(writer, [self._next(partition, [*kept, *([merged] if merged else ())])])
            return True

        while self._again(attempt):
            pass

    def _next(self, partition: Partition, parts: Iterable[Part]) -> Manifest:
        day, agent = partition
        generation = 1 + max((m.generation for m in self._manifests.values()), default=0)
        return Manifest(date=day, agent=agent, generation=generation, parts=tuple(parts))

    def _commit(self, traces: list[EncodedTrace]) -> None:
        known = self._find([trace.trace_id for trace in traces])
        new: dict[Partition, list[EncodedTrace]] = defaultdict(list)
        gone: dict[Partition, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        counts: Counter[str] = Counter()
        for trace in traces:
            there = known.get(trace.trace_id)
            if there is not None and there.digest == trace.digest:
                counts["unchanged"] += 1
                continue
            counts["added" if there is None else "replaced"] += 1
            new[trace.date, trace.agent].append(trace)
            if there is not None:
                gone[there.partition][there.part.name].add(trace.trace_id)
        if new:
            with disk_errors("write the batch", self._root):
                self._change(new, gone)
        self.counts += counts

    def _change(
        self,
        new: Mapping[Partition, list[EncodedTrace]],
        gone: Mapping[Partition, Mapping[str, set[str]]],
    ) -> None:
        writer = PartWriter(self._place, self._staging)
        changed: list[Manifest] = []
        for partition in sorted({*new, *gone}):
            parts = self._kept(writer, partition, gone.get(partition, {}))
            if partition in new:
                parts.append(writer.add(partition, new[partition]))
            changed.append(self._next(partition, parts))
        self._check_names(changed)
        # What was scrubbed again, or is a forgotten person's, must not stay for any reader.
        self._apply(writer, changed, cleared={*gone}, adds=bool(new))

    def _apply(
        self,
        writer: PartWriter,
        changed: Sequence[Manifest],
        *,
        cleared: Collection[Partition] = (),
        adds: bool = False,
    ) -> None:
        """The commit: all of ``changed``, or nothing."""
        after = {**self._manifests, **{m.partition: m for m in changed}}
        self._waiting = self._place.commit(
            Change(
                staging=self._staging,
                moves=writer.moves,
                snapshot=after,
                before=[self._manifests.get(m.partition) for m in changed],
                after=changed,
                cleared=cleared,
                adds=adds,
            )
        )
        self._manifests = after

    def _kept(
        self, writer: PartWriter, partition: Partition, gone: Mapping[str, set[str]]
    ) -> list[Part]:
        """The partition's parts without the traces that go, small ones merged if many."""
        manifest = self._manifests.get(partition)
        parts = manifest.parts if manifest else ()
        merge = when_many(self._place, parts)
        kept: list[Part | None] = []
        for part in parts:
            if part in merge:
                continue
            dropped = gone.get(part.name)
            kept.append(writer.rewrite(partition, [part], dropped) if dropped else part)
        if merge:
            dropped = set().union(*(gone.get(part.name, set()) for part in merge))
            kept.append(writer.rewrite(partition, merge, dropped))
        return [part for part in kept if part is not None]

    def _check_names(self, changed: Iterable[Manifest]) -> None:
        """Where the file system ignores case, `Bot` and `bot` can't be two partitions."""
        if not self._ignores_case:
            return
        names: dict[str, Partition] = {}
        for partition in (*self._manifests, *(m.partition for m in changed)):
            folder = folder_of(partition)
            if names.setdefault(folder.lower(), partition) != partition:
                raise StoreError(
                    "two agents' names differ only in case, which this file system can't hold",
                    where=str(self._root / MANIFESTS / folder),
                    fix="rename one with --agent, or keep the store elsewhere",
                )
