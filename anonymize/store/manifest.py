"""Which files make up the store, and the renames that change it.

Each partition (date, agent) has one manifest, ``_manifests/date=D/agent=A.json``. It lists the
partition's parts; a file that no manifest lists does not exist for readers. Renaming a new
manifest over the old one is the commit.

A commit that touches several partitions (a trace whose late spans moved it to another day) goes
through ``_manifests/commit.json``, which holds all the new manifests: its rename is the commit,
what follows only copies it to the partitions. Readers apply it where it is still there; the
next writer finishes a copy that was broken off.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from anonymize.errors import StoreError
from anonymize.store.disk import disk_errors, make_folder, sync_folder, write_file
from anonymize.store.leases import is_part
from anonymize.store.schema import SCHEMA_VERSION, Table

MANIFESTS = "_manifests"
SKIPPED = "_skipped"
STAGING = "_staging"
COMMIT = "commit.json"

_NAME_LIMIT = 120  # file systems take 255 bytes; `agent=`, `.json` and room to spare

Partition: TypeAlias = tuple[date, str]
"""A UTC day and an agent's name."""

Snapshot: TypeAlias = Mapping[Partition, "Manifest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFile:
    """One Parquet file: ``path`` under the store, its length in bytes and its CRC-32."""

    path: str
    bytes: int
    crc32: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Rows that were written together, one file a table (none where there are no rows).

    ``chunks`` holds the row counts (traces, steps, messages) of groups of whole traces, so that
    a reader takes one group at a time. ``content`` names the traces whatever parts they are in
    (:func:`content_of`); empty in parts of older versions. ``ids`` says where in the file of traces
    their ids stand as they are (offset, length, CRC-32), so that one is found without a Parquet
    reader; empty in parts of older versions too. ``text`` is about how many bytes its rows are in
    memory, 0 in parts of older versions.
    """

    name: str
    chunks: tuple[tuple[int, int, int], ...]
    files: Mapping[Table, PartFile]
    content: str = ""
    ids: tuple[tuple[int, int, int], ...] = ()
    text: int = 0

    @property
    def traces(self) -> int:
        """How many traces the part holds."""
        return sum(traces for traces, _, _ in self.chunks)

    @property
    def rows(self) -> int:
        """How many steps and messages the part holds."""
        return sum(steps + messages for _, steps, messages in self.chunks)

    @property
    def bytes(self) -> int:
        """What the part's files take on disk."""
        return sum(file.bytes for file in self.files.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What one partition consists of. ``generation`` counts the store's commits."""

    date: date
    agent: str
    generation: int
    parts: tuple[Part, ...]

    @property
    def partition(self) -> Partition:
        """The key: day and agent."""
        return self.date, self.agent


def content_of(traces: Iterable[tuple[str, str]]) -> str:
    """What (trace id, digest) pairs are, in whatever order: the sum of their hashes, in hex."""
    return add_contents(hashlib.sha256(f"{i}\0{d}".encode()).hexdigest()[:32] for i, d in traces)


def add_contents(contents: Iterable[str]) -> str:
    """The content of several parts together."""
    return f"{sum(int(content, 16) for content in contents) % 2**128:032x}"


def path_name(text: str) -> str:
    """``text`` as a file name: percent-encoded ASCII, or its start and a hash if that is long.

    ``~`` occurs only before the hash, so that no short name can be that of a long one.
    """
    # A source may be a path whose bytes aren't UTF-8.
    raw = text.encode("utf-8", "surrogatepass")
    name = quote(raw, safe="").replace("~", "%7E")
    if len(name) > _NAME_LIMIT:
        digest = hashlib.sha256(raw).hexdigest()[:32]
        name = f"{re.sub('[^A-Za-z0-9._-]', '_', text)[:80]}~{digest}"
    return name


def folder_of(partition: Partition) -> str:
    """The partition's folder inside a table's: ``date=2026-01-31/agent=shop%2Fbot``."""
    day, agent = partition
    return f"date={day.isoformat()}/agent={path_name(agent)}"


def load(root: Path) -> Snapshot:
    """All manifests, as one commit left them.

    Raises:
        StoreError: no store there, a manifest that can't be read or is of a newer version.
    """
    folder = root / MANIFESTS
    if not folder.is_dir():
        raise _no_store(root)
    while True:
        # A commit may land between two reads: what was read counts only if nothing moved.
        before = _signature(folder)
        try:
            snapshot = _load(folder, before)
        except FileNotFoundError:
            continue
        if _signature(folder) == before:
            return snapshot
        time.sleep(0.01)


_Signature: TypeAlias = dict[Path, tuple[int, int, int]]


def _signature(folder: Path) -> _Signature:
    found: _Signature = {}
    with disk_errors("read the manifests", folder):
        for path in sorted([*folder.glob("date=*/*.json"), *folder.glob(COMMIT)]):
            try:
                info = path.stat()
            except FileNotFoundError:
                continue
            found[path] = (info.st_ino, info.st_mtime_ns, info.st_size)
    return found


def _load(folder: Path, files: _Signature) -> Snapshot:
    found: dict[Partition, Manifest] = {}
    for path in files:
        for manifest in _read(path):
            known = found.get(manifest.partition)
            if known is None or known.generation < manifest.generation:
                found[manifest.partition] = manifest
    return found


def _read(path: Path) -> list[Manifest]:
    """The manifests in one file: one, or all those of a commit that is being copied."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(f"a manifest can't be read: {error.strerror}", where=str(path)) from error
    manifests, _ = parse(
        data, str(path), "delete it and ingest that date again: nothing else is affected"
    )
    return manifests


def parse(data: bytes, where: str, fix: str) -> tuple[list[Manifest], Mapping[str, Any]]:
    """The manifests in :func:`dump`'s JSON, and all of it.

    Raises:
        StoreError: of a newer version; or damaged, and then ``fix`` says what to do.
    """
    try:
        content = json.loads(data)
        version = content["schema_version"]
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"the store was written by a newer version (schema {version}, "
                f"this one reads up to {SCHEMA_VERSION})",
                where=where,
                fix="upgrade, or read it with the version that wrote it",
            )
        return [_manifest(item) for item in content["manifests"]], content
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError("a manifest is damaged", where=where, fix=fix) from error


def _manifest(item: Mapping[str, Any]) -> Manifest:
    return Manifest(
        date=date.fromisoformat(item["date"]),
        agent=item["agent"],
        generation=int(item["generation"]),
        parts=tuple(
            Part(
                name=part["name"],
                chunks=tuple((t, s, m) for t, s, m in part["chunks"]),
                files={table: _file(**file) for table, file in part["files"].items()},
                content=part.get("content", ""),
                ids=tuple((offset, size, crc) for offset, size, crc in part.get("ids", ())),
                text=int(part.get("text", 0)),
            )
            for part in item["parts"]
        ),
    )


def _file(*, path: str, bytes: int, crc32: int) -> PartFile:
    if not is_part(path):  # it is read, and deleted, wherever that is
        raise ValueError("not the path of a part")
    return PartFile(path=path, bytes=bytes, crc32=crc32)


def _no_store(root: Path) -> StoreError:
    if not root.exists():
        what = "there is no store"
    elif not root.is_dir():
        what = "the store's path is a file, not a folder"
    else:
        what = "the folder is not a store: it has no manifests"
    return StoreError(what, where=str(root), fix="make one: anonymize ingest SOURCE --out FOLDER")


def files_of(manifests: Iterable[Manifest | None]) -> set[str]:
    """The paths of all files that the manifests name."""
    return {f.path for m in manifests if m for part in m.parts for f in part.files.values()}


class Commit:
    """New manifests of one or more partitions, to take effect all at once.

    Made in two steps so that a full disk is met before anything visible changes:
    :meth:`stage` writes and flushes, :meth:`apply` only renames.
    """

    def __init__(self, root: Path, manifests: Sequence[Manifest]) -> None:
        self._folder = root / MANIFESTS
        self._manifests = manifests
        self._journal: Path | None = None
        self._staged: list[tuple[Path, Path]] = []

    def stage(self, staging: Path) -> None:
        """Write the manifests into ``staging``, a folder on the same file system."""
        for index, manifest in enumerate(self._manifests):
            target = self._folder / f"{folder_of(manifest.partition)}.json"
            make_folder(target.parent)
            source = staging / f"manifest-{index}.json"
            write_file(source, dump([manifest]))
            self._staged.append((source, target))
        if len(self._manifests) > 1:
            self._journal = staging / COMMIT
            write_file(self._journal, dump(self._manifests))

    def apply(self) -> None:
        """The commit point."""
        if self._journal is not None:
            self._journal.replace(self._folder / COMMIT)
            sync_folder(self._folder)
        for source, target in self._staged:
            source.replace(target)
        for folder in {target.parent for _, target in self._staged}:
            sync_folder(folder)
        if self._journal is not None:
            (self._folder / COMMIT).unlink()
            sync_folder(self._folder)


def finish_commit(root: Path, staging: Path) -> None:
    """Copy to the partitions what a writer that was killed had committed already."""
    path = root / MANIFESTS / COMMIT
    if path.exists():
        commit = Commit(root, _read(path))
        commit.stage(staging)
        commit.apply()


def dump(manifests: Iterable[Manifest], **more: Any) -> bytes:
    """The manifests as JSON, with ``more`` beside them."""
    content = {
        "schema_version": SCHEMA_VERSION,
        "manifests": [asdict(m) | {"date": m.date.isoformat()} for m in manifests],
        **more,
    }
    return json.dumps(content, indent=1, ensure_ascii=True).encode()
