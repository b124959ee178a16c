"""The small files beside the manifests, of a store in an object store.

Lists of what was not taken, tombstones, receipts, states of sources: plain files in this machine's
folder, brought up to date before they are read and put back, on the condition that nobody else
changed them, after they were written.
"""

from __future__ import annotations

import json
import secrets
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from anonymize.errors import StoreError
from anonymize.store.bucket import Bucket, Lost, bare
from anonymize.store.disk import make_folder

T = TypeVar("T")

_FOLDERS = ("_skipped", "_forgotten", "_receipts", "_sources", "_lost")
_TAGS = "_tags.json"
_TRIES = 20
_PATIENCE = 120.0  # seconds; others hold the lock for some requests


class Beside:
    """The files of ``bucket`` in ``folder``; see the module."""

    def __init__(self, bucket: Bucket, folder: Path) -> None:
        self._bucket = bucket
        self._folder = folder
        make_folder(folder)
        self._lock = FileLock(folder / "_beside.lock", timeout=_PATIENCE)

    def pull(self) -> None:
        """Make the folder's files those of the object store."""
        with self._locked():
            self._pull()

    def update(self, action: Callable[[], T]) -> T:
        """Do what changes files, and put them back; again from fresh ones if another process
        changed one of them meanwhile."""
        with self._locked():
            for number in range(_TRIES):
                tags = self._pull()
                before = self._state()
                result = action()
                try:
                    self._push(before, tags)
                    return result
                except Lost:
                    time.sleep(secrets.randbelow(100) / 1000 * min(number + 1, 10))
        raise StoreError(
            f"other processes change the same lists all the time (tried {_TRIES} times)",
            where=self._bucket.url,
            fix="run again; what was committed before is intact",
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._lock.acquire()
        except Timeout:
            raise StoreError(
                "another process is busy with this store's lists",
                where=self._bucket.url,
                fix="let it finish, then run again",
            ) from None
        try:
            yield
        finally:
            self._lock.release()

    def _pull(self) -> dict[str, str]:
        known = self._known()
        there = {
            path: tag for folder in _FOLDERS for path, (tag, _) in self._bucket.list(folder).items()
        }
        here = self._state()
        for path in here.keys() - there.keys():
            (self._folder / path).unlink()  # of a process that was killed before it put it back
        for path, tag in there.items():
            if path in here and known.get(path) == [tag, *here[path]]:
                continue
            found = self._bucket.get(path)
            if found is None:
                continue
            target = self._folder / path
            make_folder(target.parent)
            draft = self._folder / f".{uuid.uuid4().hex}"
            draft.write_bytes(found[0])
            draft.replace(target)
        state = self._state()
        fresh: dict[str, list[str | int]] = {
            p: [tag, *state[p]] for p, tag in there.items() if p in state
        }
        if fresh != known:
            self._keep(fresh)
        return there

    def _push(self, before: dict[str, tuple[int, int]], tags: dict[str, str]) -> None:
        after = self._state()
        for path, state in after.items():
            if before.get(path) == state:
                continue
            data = (self._folder / path).read_bytes()
            if path not in tags:
                self._bucket.put(path, data, create=True)
                continue
            # Asked for by itself: a list doesn't say all that a condition needs everywhere.
            now = self._bucket.tag(path)
            if now is None or bare(now.get("e_tag", "")) != tags[path]:
                raise Lost
            self._bucket.put(path, data, instead_of=now)
        self._bucket.delete(sorted(before.keys() - after.keys()))

    def _state(self) -> dict[str, tuple[int, int]]:
        """The files here: path to time and length."""
        found = {}
        for folder in _FOLDERS:
            for path in (self._folder / folder).glob("*"):
                if path.is_file() and not path.name.startswith("."):
                    info = path.stat()
                    found[path.relative_to(self._folder).as_posix()] = (
                        info.st_mtime_ns,
                        info.st_size,
                    )
        return found

    def _known(self) -> dict[str, list[str | int]]:
        try:
            known = json.loads((self._folder / _TAGS).read_bytes())
            return known if isinstance(known, dict) else {}
        except (OSError, ValueError):
            return {}

    def _keep(self, tags: dict[str, list[str | int]]) -> None:
        draft = self._folder / f".{uuid.uuid4().hex}"
        draft.write_text(json.dumps(tags))
        draft.replace(self._folder / _TAGS)
