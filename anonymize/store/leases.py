"""Who reads a store right now, and files that wait until nobody does.

A reader holds a shared lock on ``_readers`` in the store's folder for as long as it is open; a
process that ends, however it ends, gives it back. Merging small parts and removing old days
replace files that a reader may be about to read: while another process reads, such files are put
on a list, ``_retired.json``, and the next writer that finds nobody reading deletes them. After
:data:`LONGEST` they go whoever reads.

What must not stay on disk (content that was scrubbed again, a person who was forgotten) is never
put on the list, and takes those off it that may hold the same content.
"""

from __future__ import annotations

import json
import os
import re
import threading
import weakref
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from anonymize.store.disk import sync_folder, write_file

try:
    import fcntl
except ImportError:  # pragma: no cover - no such locks there: files are deleted at once
    fcntl = None  # type: ignore[assignment]

READERS = "_readers"
RETIRED = "_retired.json"
#: A reader that is still open after this finds out that days are gone or parts have moved.
LONGEST = timedelta(days=1)

_PART = re.compile(r"[a-z]+/date=[0-9-]+/agent=[^/]*/part-[0-9a-f]+\.parquet")

_held: dict[str, tuple[int, int]] = {}
_guard = threading.Lock()


def take_lease(root: Path, owner: object) -> None:
    """Say that this process reads the store, until ``owner`` is no longer used.

    Readers change nothing: the file is a writer's. Where there is none, nothing is held.
    """
    if fcntl is None:
        return
    key = str(root.absolute())
    with _guard:
        handle, count = _held.get(key, (-1, 0))
        if not count:
            try:
                handle = os.open(root / READERS, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                return
            try:
                fcntl.flock(handle, fcntl.LOCK_SH)
            except OSError:  # a file system without locks
                os.close(handle)
                return
        _held[key] = handle, count + 1
    weakref.finalize(owner, _give_back, key, os.getpid())


def _give_back(key: str, process: int) -> None:
    if process != os.getpid():
        return  # a fork's copy: what it inherited ends with it
    with _guard:
        handle, count = _held.pop(key, (-1, 0))
        if count > 1:
            _held[key] = handle, count - 1
        elif count:
            os.close(handle)


def is_read_by_others(root: Path) -> bool:
    """Whether another process has the store open. This one knows what it does."""
    if fcntl is None:
        return False
    with _guard:
        own, count = _held.get(str(root.absolute()), (-1, 0))
        try:
            handle = own if count else os.open(root / READERS, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            if count:
                fcntl.flock(handle, fcntl.LOCK_SH)  # its own, which asking may have cost
            else:
                os.close(handle)
        return False


def readers_of_own(root: Path) -> int:
    """How many readers this process has open there."""
    with _guard:
        return _held.get(str(root.absolute()), (-1, 0))[1]


def is_part(path: str) -> bool:
    """Whether a list's entry can be a part under the store, and nothing else."""
    return _PART.fullmatch(path) is not None


class Retired:
    """The list of files that wait, as paths under ``root``. Only who has the writer's lock."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._path = root / RETIRED

    def read(self) -> dict[str, datetime]:
        """The files, and since when they wait. A list that can't be read is none."""
        try:
            files = json.loads(self._path.read_bytes())["files"]
            return {p: datetime.fromisoformat(at) for p, at in files.items() if is_part(p)}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def add(self, paths: Iterable[str], staging: Path) -> None:
        """Put files on the list. Before the commit that replaces them, so that a writer that is
        killed right after it leaves no reader without them."""
        now = datetime.now(UTC)
        self._write({**dict.fromkeys(paths, now), **self.read()}, staging)

    def sweep(
        self, staging: Path, named: Collection[str], *, now: bool = False,
        only: Callable[[str], bool] = lambda _: True,
    ) -> int:  # fmt: skip
        """Delete those that waited long enough, or all if nobody reads or if ``now``; how many
        still wait. What a manifest names (``named``) is in use, and leaves the list."""
        waiting = {path: at for path, at in self.read().items() if path not in named}
        if not waiting and not self._path.exists():
            return 0
        free = now or not is_read_by_others(self._root)
        oldest = datetime.now(UTC) - LONGEST
        gone = {p for p, at in waiting.items() if only(p) and (free or at < oldest)}
        for path in gone:
            with suppress(FileNotFoundError):
                (self._root / path).unlink()
        left = {path: at for path, at in waiting.items() if path not in gone}
        if left:
            self._write(left, staging)
        else:
            self._path.unlink(missing_ok=True)
        return len(left)

    def _write(self, files: dict[str, datetime], staging: Path) -> None:
        content = {"files": {path: at.isoformat() for path, at in sorted(files.items())}}
        draft = staging / RETIRED
        write_file(draft, json.dumps(content, indent=1).encode())
        draft.replace(self._path)
        sync_folder(self._root)
