"""The one door to disk: scrubbed traces in, committed Parquet out.

A batch is written to a staging folder on the same file system, flushed, renamed into place and
then committed by renaming its manifests. A writer that is killed leaves the last commit, and
stray files that the next writer removes.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from filelock import FileLock, Timeout

from anonymize.errors import StoreError
from anonymize.scrubbed import ScrubbedTrace
from anonymize.store.batches import Batches
from anonymize.store.disk import disk_errors, make_folder
from anonymize.store.manifest import MANIFESTS, STAGING, Manifest, Part
from anonymize.store.place import open_place
from anonymize.store.schema import TABLES
from anonymize.store.skips import SkipLog, drop_old, drop_skips
from anonymize.store.tombstones import Tombstone, add_tombstones
from anonymize.store.values import NO_DATE
from anonymize.trace import QuarantinedTrace, SkippedTrace


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteSummary:
    """What one :meth:`StoreWriter.write` did, in traces.

    ``flags`` counts the traces received by lossy flag and ``entities`` the replaced values by
    kind; both include traces that were there already.
    """

    added: int = 0
    unchanged: int = 0
    replaced: int = 0
    skipped: int = 0
    quarantined: int = 0
    flags: Mapping[str, int] = field(default_factory=dict)
    entities: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveSummary:
    """What one :meth:`StoreWriter.remove` took out: traces, and records of skipped ones."""

    traces: int = 0
    records: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneSummary:
    """What one :meth:`StoreWriter.prune` took out: traces of ``days`` days, ``bytes`` on disk.

    ``waiting`` files are no longer in the store, and leave the disk when the processes that read
    it end.
    """

    traces: int
    days: int
    bytes: int
    waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactSummary:
    """Parts, and their bytes, before and after a :meth:`StoreWriter.compact`.

    ``waiting`` as in :class:`PruneSummary`.
    """

    parts: tuple[int, int]
    bytes: tuple[int, int]
    waiting: int = 0


class StoreWriter:
    """Writes to the store in folder ``root``, which is made if it doesn't exist.

    One writer at a time: another waits up to ``lock_timeout`` seconds. ``root`` may be the URL of
    an object store as a path; there, writers on several machines work out anew what they commit
    if another one came first.
    """

    def __init__(self, root: Path, *, lock_timeout: float = 30.0) -> None:
        self._place = open_place(Path(root))
        self._root = self._place.folder
        self._lock_timeout = lock_timeout

    def write(
        self,
        items: Iterable[ScrubbedTrace | SkippedTrace | QuarantinedTrace],
        *,
        source: str,
        complete: bool = True,
    ) -> WriteSummary:
        """Store what ``items`` yields, in batches; memory holds one batch.

        A trace that is there already with the same content (its own ``source`` apart) is left
        alone; one with other content is replaced, wherever it was. If ``items`` raises, batches
        committed before that stay.

        When ``items`` ends, its skipped and quarantined records become those of ``source``:
        instead of what an earlier write left under that name if ``complete`` (``items`` is all
        of the source), else beside it, each once. A trace that is taken now is no longer on
        record as skipped, whatever source that was.

        A trace that can't be kept exactly (a value that is not JSON, a time without zone) is
        counted and listed as skipped.

        Raises:
            TypeError: an item is not scrubbed.
            StoreError: no space, no permission, a damaged or newer store, or another writer.
        """
        with self._locked(), self._staging() as staging:
            run = Batches(self._place, staging)
            with disk_errors("write the store", self._root):
                shared = self._place.shared
                skips = SkipLog(self._root, staging, source, complete=complete, shared=shared)
            with skips:
                for item in items:
                    run.take(item)
                    if run.full:
                        run.commit()
                    with disk_errors("list what was skipped", self._root):
                        run.log(skips)
                run.commit()
                with disk_errors("list what was skipped", self._root):
                    run.log(skips)
                    self._place.update(skips.commit)
                    if run.missed.came:
                        old = run.missed.outdated
                        self._place.update(lambda: drop_skips(self._root, staging, old))
            return WriteSummary(**run.counts, flags=dict(run.flags), entities=dict(run.entities))

    def remove(
        self,
        ids: Sequence[str],
        *,
        tombstones: Iterable[Tombstone] = (),
        unwanted: Callable[[SkippedTrace | QuarantinedTrace], bool] = lambda _: False,
        since: Callable[[], tuple[Sequence[str], Iterable[Tombstone]]] = lambda: ((), ()),
    ) -> RemoveSummary:
        """Take traces, and ``unwanted`` records of what was not taken, out of the store.

        All traces go in one commit, however many days they are from; readers see all of them or
        none. ``tombstones`` are on disk before that. ``since`` says what else has to go, and its
        tombstones: it is asked when no write is going on any more that knows nothing of the first
        ones. A process that is killed leaves one of the two states, and the same call (or any
        write) removes the files that are left.

        Raises:
            StoreError: no store, no space, no permission, damage, or another writer.
        """
        self._place.load()  # never make a store where there is none
        with self._locked(), self._staging() as staging:

            def forget(stones: list[Tombstone]) -> None:
                with disk_errors("write the tombstones", self._root):
                    self._place.update(lambda: add_tombstones(self._root, staging, stones))

            forget([*tombstones])
            run = Batches(self._place, staging)
            run.clear()
            late, more = since()
            forget([*more])
            removed = run.remove([*ids, *late])
            with disk_errors("list what was skipped", self._root):
                records = self._place.update(lambda: drop_skips(self._root, staging, unwanted))
            return RemoveSummary(traces=removed, records=records)

    def prune(self, before: date) -> PruneSummary:
        """Take the days before ``before`` (UTC) out of the store, all of them at once, for good.

        So do the lists of what was not taken that nobody has written since. Traces without a day
        stay: nothing says that they are old. A reader in another process
        that has the store open can end what it began. Kill-safe as :meth:`remove` is.

        Raises:
            StoreError: no store, no permission, damage, or another writer.
        """
        self._place.load()
        with self._locked(), self._staging() as staging:
            run = Batches(self._place, staging)
            old = run.drop(lambda m: NO_DATE < m.date < before)
            with disk_errors("remove old lists", self._root):
                self._place.update(lambda: drop_old(self._root, before))
            self._place.vacuum()
            _remove_empty_folders(self._root)
        return PruneSummary(
            traces=sum(p.traces for m in old for p in m.parts),
            days=len({m.date for m in old}),
            bytes=sum(p.bytes for m in old for p in m.parts),
            waiting=run.waiting,
        )

    def compact(self) -> CompactSummary:
        """Merge small parts, a day and agent after the other: the same traces in fewer files.

        Each step is a commit of its own; readers see the same traces all the time, and one in
        another process that has the store open keeps its files.

        Raises:
            StoreError: as :meth:`prune`, or no space.
        """
        self._place.load()
        with self._locked(), self._staging() as staging:
            run = Batches(self._place, staging)
            parts = _parts(run.manifests)
            for partition in sorted(m.partition for m in run.manifests if len(m.parts) > 1):
                run.merge(partition)
            self._place.vacuum()
            left = _parts(run.manifests)
        return CompactSummary(
            parts=(len(parts), len(left)),
            bytes=(sum(p.bytes for p in parts), sum(p.bytes for p in left)),
            waiting=run.waiting,
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with disk_errors("make the store", self._root):
            if self._root.exists() and not self._root.is_dir():
                raise StoreError(
                    "the store's path is a file, not a folder",
                    where=str(self._root),
                    fix="name a folder",
                )
            make_folder(self._root.absolute())
            lock = FileLock(self._root / "_lock", timeout=self._lock_timeout)
            try:
                lock.acquire()
            except Timeout:
                raise StoreError(
                    f"another process is writing to the store (waited {self._lock_timeout:g} s)",
                    where=str(self._root),
                    fix="let it finish, then run again",
                ) from None
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        """A fresh staging folder, after tidying up behind a writer that was killed."""
        top = self._root / STAGING
        try:
            with disk_errors("tidy up the store", self._root):
                shutil.rmtree(top, ignore_errors=True)
                staging = top / uuid.uuid4().hex
                make_folder(staging)
                self._place.begin(staging)
            yield staging
        finally:
            shutil.rmtree(top, ignore_errors=True)


def _remove_empty_folders(root: Path) -> None:
    """Folders of days that are gone; not more than tidiness, so nothing depends on it."""
    for table in (*TABLES, MANIFESTS):
        for pattern in ("date=*/agent=*", "date=*"):
            for folder in (root / table).glob(pattern):
                with suppress(OSError):  # not empty, or a manifest
                    folder.rmdir()


def _parts(manifests: Iterable[Manifest]) -> list[Part]:
    return [part for manifest in manifests for part in manifest.parts]
