"""A store in an object store (S3, GCS, Azure, what speaks like them), through obstore.

Parts go up first, under names that nothing else has. The commit is one conditional put of
``_manifests/head.json.gz``, which holds all manifests: it succeeds only if the head is still the
one that was read (``If-Match``), so of two writers one is told to work out its change again.

What is read comes into a folder of this machine and stays there: parts never change. It holds
what the store holds, scrubbed traces, and is tidied up when the store is opened: what was
forgotten or pruned elsewhere goes then. Set ``REPLAY_CACHE`` to have it elsewhere than in the
user's cache folder.

Nobody can tell who reads an object store, so files that were merged or pruned wait for
:data:`GRACE`; those that must not stay are deleted with the commit.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import uuid
import zlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from anonymize.errors import StoreError
from anonymize.store.bucket import Bucket, Lost
from anonymize.store.companions import Beside
from anonymize.store.disk import make_folder
from anonymize.store.leases import READERS, is_part, is_read_by_others, readers_of_own, take_lease
from anonymize.store.manifest import (
    MANIFESTS,
    Manifest,
    PartFile,
    Partition,
    Snapshot,
    dump,
    files_of,
    parse,
)
from anonymize.store.place import Change, Conflict, Place
from anonymize.store.schema import TABLES

T = TypeVar("T")

HEAD = f"{MANIFESTS}/head.json.gz"
#: How long files that were merged or pruned stay, for readers that began before.
GRACE = timedelta(hours=1)
#: Parts that no manifest names are a killed writer's after this; before, maybe one's at work.
_STRAY = timedelta(days=1)
_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head as it was read: which object that was (``tag``), and what it says.

    ``erasures`` counts how often somebody was forgotten.
    """

    tag: Mapping[str, str]
    commit: str
    snapshot: Snapshot
    retired: Mapping[str, str] = field(default_factory=dict)
    erasures: int = 0


class ObjectPlace(Place):
    """The store under a URL like ``s3://bucket/traces``."""

    shared = True

    def __init__(self, url: str) -> None:
        super().__init__(_cache_of(url))
        self._bucket = Bucket(url)
        self._head: Head | None = None
        self._leased = False
        self._erasures: int | None = None
        self._beside = Beside(self._bucket, self.folder)

    @property
    def name(self) -> str:
        return self._bucket.url

    def exists(self) -> bool:
        return self._bucket.tag(HEAD) is not None

    def lease(self, owner: object) -> None:
        make_folder(self.folder)
        (self.folder / READERS).touch()
        take_lease(self.folder, owner)

    def load(self) -> Snapshot:
        head = self._read_head()
        if head is None:
            raise StoreError(
                "there is no store", where=self.name, fix="make one: anonymize ingest SOURCE"
            )
        self._head = head
        if self._erasures is None:
            self._erasures = head.erasures
        self._tidy(head)
        return head.snapshot

    def fetch(self, files: Iterable[PartFile]) -> None:
        wanted = [file for file in files if not self._is_here(file)]
        if not wanted:
            return
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._fetch_one, wanted))

    def begin(self, staging: Path) -> None:
        make_folder(self.folder)
        if not self._leased:  # or a reader that opens it would tidy up what this one fetches
            self.lease(self)
            self._leased = True
        self._erasures = None
        empty = gzip.compress(dump([], commit=uuid.uuid4().hex, retired={}), mtime=0)
        if not self.exists():
            with suppress(Lost):  # another one made it
                self._bucket.put(HEAD, empty, create=True)
        self.pull()

    def commit(self, change: Change) -> int:
        head = self._head
        assert head is not None
        if change.adds and head.erasures != self._erasures:
            # Who that was is not known to what scrubs: it read the tombstones before.
            raise StoreError(
                "somebody was forgotten on another machine while this was being written",
                where=self.name,
                fix="run again: what was committed before is intact, and who is refused is known",
            )
        uploaded = [path for _, path in change.moves]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._upload, change.moves))
        later = {path for path in change.replaced if not change.clears(path)}
        now = datetime.now(UTC)
        waiting = {p: at for p, at in head.retired.items() if not change.clears(p)}
        kept = {p: at for p, at in waiting.items() if datetime.fromisoformat(at) > now - GRACE}
        kept |= dict.fromkeys(later, now.isoformat())
        try:
            self._replace_head(head, change.snapshot, kept)
        except Conflict:
            # What went up is ours alone, unless the answer was lost and not the race.
            named = files_of(self.load().values())
            self._delete(path for path in uploaded if path not in named)
            raise
        for staged, path in change.moves:
            target = self.folder / path
            make_folder(target.parent)
            staged.replace(target)
        self._delete({*change.replaced, *head.retired} - kept.keys())
        return len(kept)

    def clear(self, staging: Path) -> None:
        head = self._head
        assert head is not None
        self._replace_head(head, head.snapshot, {}, erasures=head.erasures + 1)
        self._delete(head.retired)

    def vacuum(self) -> None:
        head = self._head
        assert head is not None
        old = datetime.now(UTC) - GRACE
        gone = [p for p, at in head.retired.items() if datetime.fromisoformat(at) < old]
        if gone:
            left = {p: at for p, at in head.retired.items() if p not in gone}
            try:
                self._replace_head(head, head.snapshot, left)
            except Conflict:
                return  # another writer is at it, and does the same
            self._delete(gone)
        named = {*files_of(head.snapshot.values()), *head.retired}
        before = datetime.now(UTC) - _STRAY
        for table in TABLES:
            found = self._bucket.list(table)
            self._delete(
                path for path, (_, at) in found.items() if path not in named and at < before
            )

    def forget_empty(self, manifests: Iterable[Manifest]) -> None:
        pass  # the head names none

    def pull(self) -> None:
        self._beside.pull()

    def update(self, action: Callable[[], T]) -> T:
        return self._beside.update(action)

    def _read_head(self) -> Head | None:
        found = self._bucket.get(HEAD)
        if found is None:
            return None
        data, tag = found
        fix = "restore an earlier version of the object; the traces are all there"
        try:
            text = gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            text = b""
        manifests, content = parse(text, f"{self.name}/{HEAD}", fix)
        return Head(
            tag=tag,
            commit=str(content.get("commit")),
            snapshot={m.partition: m for m in manifests},
            erasures=int(content.get("erasures") or 0),
            retired=_waiting(content.get("retired")),
        )

    def _replace_head(
        self,
        head: Head,
        snapshot: Snapshot,
        retired: Mapping[str, str],
        *,
        erasures: int | None = None,
    ) -> None:
        """The commit point. Raises :class:`Conflict` if ``head`` is not the head any more."""
        erasures = head.erasures if erasures is None else erasures
        mine = uuid.uuid4().hex
        manifests: dict[Partition, Manifest] = {p: m for p, m in snapshot.items() if m.parts}
        data = gzip.compress(
            dump(manifests.values(), commit=mine, retired=dict(retired), erasures=erasures),
            6,
            mtime=0,
        )
        try:
            tag = self._bucket.put(HEAD, data, instead_of=head.tag)
        except (Lost, StoreError) as error:
            # The answer may have been lost after it was done: then the head is what was put.
            known = self._read_head()
            if known is None or known.commit != mine:
                if isinstance(error, StoreError):
                    raise
                raise Conflict from None
            tag = known.tag
        self._head = Head(
            tag=tag, commit=mine, snapshot=manifests, retired=retired, erasures=erasures
        )

    def _is_here(self, file: PartFile) -> bool:
        try:
            return (self.folder / file.path).stat().st_size == file.bytes
        except FileNotFoundError:
            return False

    def _fetch_one(self, file: PartFile) -> None:
        target = self.folder / file.path
        found = self._bucket.get(file.path)
        if found is None:
            raise FileNotFoundError(2, "no such object", str(target))
        make_folder(target.parent)
        draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        try:
            draft.write_bytes(found[0])
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    def _upload(self, move: tuple[Path, str]) -> None:
        staged, path = move
        self._bucket.put(path, staged.read_bytes())

    def _delete(self, paths: Iterable[str]) -> None:
        gone = sorted(paths)
        self._bucket.delete(gone)
        for path in gone:
            (self.folder / path).unlink(missing_ok=True)

    def _tidy(self, head: Head) -> None:
        """Take out of this machine's folder what the store has no more, unless it is read here."""
        if readers_of_own(self.folder) > 1 or is_read_by_others(self.folder):
            return
        named = files_of(head.snapshot.values())
        for table in TABLES:
            for path in (self.folder / table).glob("date=*/agent=*/*part-*.parquet*"):
                if path.relative_to(self.folder).as_posix() not in named:
                    path.unlink(missing_ok=True)


def _waiting(files: object) -> dict[str, str]:
    """The entries of a list of files that are what they should be."""
    found = {}
    for path, at in files.items() if isinstance(files, dict) else ():
        with suppress(ValueError, TypeError):
            if is_part(path) and datetime.fromisoformat(at).tzinfo:
                found[path] = at
    return found


def _cache_of(url: str) -> Path:
    base = os.environ.get("REPLAY_CACHE")
    if base is None:
        own = os.environ.get("XDG_CACHE_HOME")
        base = str((Path(own) if own else Path.home() / ".cache") / "replay-harness")
    name = hashlib.sha256(url.encode()).hexdigest()[:24]
    return Path(base).absolute() / "stores" / name
