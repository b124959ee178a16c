"""Where a store is: a folder here, or an object store (:mod:`anonymize.store.objects`).

A place loads the manifests, brings files to where they can be read, and commits. What is above it
reads and writes plain files in :attr:`Place.folder`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from anonymize.errors import StoreError
from anonymize.store.disk import make_folder, sync_folder
from anonymize.store.leases import READERS, Retired, take_lease
from anonymize.store.manifest import (
    MANIFESTS,
    Commit,
    Manifest,
    PartFile,
    Partition,
    Snapshot,
    files_of,
    finish_commit,
    folder_of,
    load,
)
from anonymize.store.schema import TABLES

T = TypeVar("T")

_SCHEMES = frozenset(
    f"{name}:" for name in ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl")
)


class Conflict(Exception):
    """Another writer's commit came first: what was to be committed has to be worked out again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """New manifests instead of those ``before``, to take effect at once.

    ``moves`` are staged files and where they go, under the store; ``snapshot`` is all of the store
    once it is done. Of partitions in ``cleared``
    nothing that was replaced may stay, whoever reads; ``None`` means all partitions. ``adds``:
    traces come in with it.
    """

    staging: Path
    moves: Sequence[tuple[Path, str]]
    snapshot: Snapshot
    before: Sequence[Manifest | None]
    after: Sequence[Manifest]
    cleared: Collection[Partition] | None = ()
    adds: bool = False

    @property
    def replaced(self) -> set[str]:
        """The files that no manifest names any more."""
        return files_of(self.before) - files_of(self.after)

    def clears(self, path: str) -> bool:
        """Whether the file at ``path`` is of a partition of which nothing may stay."""
        if self.cleared is None:
            return True
        folder = path.partition("/")[2].rpartition("/")[0]
        return any(folder == folder_of(partition) for partition in self.cleared)


class Place:
    """A store in a folder of this machine."""

    #: Whether writers may be on several machines, where no lock keeps them apart.
    shared = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def name(self) -> str:
        """How to call it in a message."""
        return str(self.folder)

    def exists(self) -> bool:
        """Whether anything was ever committed."""
        return any((self.folder / MANIFESTS).glob("**/*.json"))

    def lease(self, owner: object) -> None:
        """Files stay readable while ``owner`` is in use, but for what must not stay."""
        take_lease(self.folder, owner)

    def load(self) -> Snapshot:
        """The manifests as one commit left them. Errors as in
        :func:`~anonymize.store.manifest.load`."""
        return load(self.folder)

    def fetch(self, files: Iterable[PartFile]) -> None:
        """See to it that the files are in :attr:`folder`; ``FileNotFoundError`` if one is gone."""

    def begin(self, staging: Path) -> None:
        """Make the store if there is none, and tidy up behind a writer that was killed."""
        make_folder(self.folder / MANIFESTS)
        (self.folder / READERS).touch()
        finish_commit(self.folder, staging)
        retired = Retired(self.folder)
        named = files_of(load(self.folder).values())
        retired.sweep(staging, named)
        self._remove_strays({*named, *retired.read()})

    def commit(self, change: Change) -> int:
        """Make ``change`` visible, all or nothing; how many files wait for readers to end.

        Raises:
            Conflict: another process committed since :meth:`load`; nothing changed.
        """
        retired = Retired(self.folder)
        commit = Commit(self.folder, change.after)
        commit.stage(change.staging)
        later = {path for path in change.replaced if not change.clears(path)}
        if later:
            retired.add(later, change.staging)
        self._publish(change.moves)
        commit.apply()
        for path in change.replaced - later:
            (self.folder / path).unlink(missing_ok=True)
        named = files_of(change.snapshot.values())
        if change.cleared is None or change.cleared:
            retired.sweep(change.staging, named, now=True, only=change.clears)
        # Only now: a reader that came before the commit has the files of before.
        return retired.sweep(change.staging, named) if later else 0

    def clear(self, staging: Path) -> None:
        """Delete what waits for readers."""
        Retired(self.folder).sweep(staging, files_of(self.load().values()), now=True)

    def vacuum(self) -> None:
        """Delete what writers that were killed have left: :meth:`begin` did."""

    def forget_empty(self, manifests: Iterable[Manifest]) -> None:
        """Nobody looks for a partition that never was: an empty manifest says no more."""
        for manifest in manifests:
            name = f"{folder_of(manifest.partition)}.json"
            (self.folder / MANIFESTS / name).unlink(missing_ok=True)

    def pull(self) -> None:
        """Bring the small files beside the manifests up to date: lists, receipts, states."""

    def update(self, action: Callable[[], T]) -> T:
        """Do what changes those files; done again if another process changed them meanwhile."""
        return action()

    def _publish(self, moves: Sequence[tuple[Path, str]]) -> None:
        for staged, path in moves:
            target = self.folder / path
            make_folder(target.parent)
            staged.replace(target)
        for folder in sorted({(self.folder / path).parent for _, path in moves}):
            sync_folder(folder)

    def _remove_strays(self, wanted: Collection[str]) -> None:
        """Delete parts that nothing names; files of other names are not ours to delete."""
        for table in TABLES:
            for path in (self.folder / table).glob("date=*/agent=*/part-*.parquet"):
                if path.relative_to(self.folder).as_posix() not in wanted:
                    path.unlink(missing_ok=True)


def url_of(root: Path) -> str | None:
    """The URL that ``root`` stands for, ``None`` if it is a folder here.

    A URL becomes a path on its way through options and configs (``s3:/bucket/key``, maybe under
    the config's folder); it is told by the part that is a scheme.
    """
    parts = root.parts
    for index, part in enumerate(parts[:-1]):
        if part.lower() in _SCHEMES:
            return f"{part.lower()}//{'/'.join(parts[index + 1 :])}"
    return None


def beside(root: Path) -> Path:
    """The folder with the small files beside the manifests of the store ``root``, up to date."""
    place = open_place(root)
    place.pull()
    return place.folder


def change_beside(root: Path, action: Callable[[Path], T]) -> T:
    """Let ``action`` change files of that folder; it may be done again if another machine's
    process changed one of them meanwhile."""
    place = open_place(root)
    return place.update(lambda: action(place.folder))


def open_place(root: Path) -> Place:
    """The place that ``root`` names; nothing is read or made yet."""
    url = url_of(Path(root))
    if url is None:
        return Place(Path(root))
    named, at, _ = url.partition("://")[2].partition("/")[0].rpartition("@")
    # Azure's abfss://CONTAINER@ACCOUNT.dfs.core.windows.net names nobody.
    if at and (":" in named or not url.startswith("abfs")):
        raise StoreError(
            "a URL with a user or a password in it",
            where=url.replace(named + at, "", 1),
            fix="credentials come from the environment, never from a path",
        )
    from anonymize.store.objects import ObjectPlace

    return ObjectPlace(url)
