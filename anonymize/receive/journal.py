"""How much waits in a receiver, kept where a kill can't reach it: counts and times, no content.

Spans wait in memory, so what a killed process had not written is gone. Beside the store each
receiver keeps a file that says how many spans of how many traces that would be and when they came.
It is brought up to date before a sender is told that its spans were taken: what the kernel has, a
kill leaves alone (after a power cut it may be some seconds old). The receiver holds a lock on it as
long as it lives; a file that nobody holds is what a killed one left. The next receiver moves it to
the list of losses, and says so.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from anonymize.errors import StoreError
from anonymize.receive.buffer import Waiting
from anonymize.store.disk import disk_errors, make_folder, sync_folder, write_file
from anonymize.store.place import beside, change_beside, open_place

#: Files of receivers that live on this machine; and what is known to be lost, of all of them.
LIVE = "_receiving"
LOST = "_lost"
#: One block: it is replaced as a whole, and an overwritten block needs no room on a full disk.
_SIZE = 512
_MOST_LOSSES = 200
_SYNC_EVERY = 1.0
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Loss:
    """What one receiver had taken and not written when it was killed.

    ``first`` and ``last``: when those spans came, in seconds since 1970. ``found``: when a later
    receiver noticed.
    """

    spans: int
    traces: int
    first: float
    last: float
    found: float = 0.0
    receiver: str = ""


@dataclass(frozen=True, slots=True)
class Losses:
    """All that is known to be lost: sums over all time, and the latest ones, oldest first."""

    times: int = 0
    spans: int = 0
    traces: int = 0
    latest: tuple[Loss, ...] = ()

    def plus(self, loss: Loss) -> Losses:
        """With one more; one that is known already changes nothing."""
        if any(known.receiver == loss.receiver for known in self.latest):
            return self
        return Losses(
            self.times + 1,
            self.spans + loss.spans,
            self.traces + loss.traces,
            (*self.latest, loss)[-_MOST_LOSSES:],
        )


@dataclass(frozen=True, slots=True)
class Received:
    """What a store's receivers say: ``live`` is what waits in each that runs on this machine;
    ``unlisted`` was lost and no receiver has been started since; ``lost`` is all, with that."""

    live: tuple[Waiting, ...] = ()
    unlisted: tuple[Loss, ...] = ()
    lost: Losses = field(default_factory=Losses)

    def document(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"waiting": [asdict(one) for one in self.live], "lost": asdict(self.lost)}


class Journal:
    """The file of one receiver. :meth:`note` is called from any thread, one at a time.

    What it can't write is no reason to lose spans: ``failure`` says that it could not.
    """

    def __init__(self, store: Path, *, now: Callable[[], float] = time.time) -> None:
        """Make it, beside ``store``.

        Raises:
            StoreError: the folder can't be written.
        """
        self.failure = ""
        self._now = now
        self._synced = 0.0
        folder = open_place(store).folder / LIVE
        self._path = folder / f"{uuid.uuid4().hex}.json"
        with disk_errors("keep the receiver's journal", store):
            make_folder(folder.absolute())
            # Made under the lock: a file that nobody holds would be taken for a dead one's.
            with _listing(folder):
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
                fcntl.flock(self._file, fcntl.LOCK_EX)
                self._write(Waiting())
            sync_folder(folder)

    def note(self, waiting: Waiting) -> None:
        """Keep what waits now."""
        try:
            self._write(waiting)
            self.failure = ""
        except OSError as error:
            self.failure = errno.errorcode.get(error.errno or 0, "error")

    def _write(self, waiting: Waiting) -> None:
        text = json.dumps({"schema": 1, "pid": os.getpid(), **asdict(waiting)})
        os.pwrite(self._file, text.encode().ljust(_SIZE - 1) + b"\n", 0)

    def sync(self) -> None:
        """See to it that a power cut leaves it too; at most once a second."""
        if self._now() - self._synced >= _SYNC_EVERY:
            self._synced = self._now()
            with suppress(OSError):
                os.fsync(self._file)

    def close(self, waiting: Waiting) -> None:
        """The receiver ends. Where something still ``waits``, the file stays and tells of it."""
        if not waiting.spans:
            self._path.unlink(missing_ok=True)
        os.close(self._file)


def settle(store: Path, *, now: Callable[[], float] = time.time) -> tuple[Loss, ...]:
    """Put what killed receivers left on the list of losses; what was new there.

    Raises:
        StoreError: the list can't be written. What was left stays for the next time.
    """
    folder = open_place(store).folder / LIVE
    if not folder.is_dir():
        return ()
    with disk_errors("list what was lost", store), _listing(folder):
        left = {path: loss for path, loss in _left(folder) if isinstance(loss, Loss)}
        found = tuple(replace(loss, found=now()) for loss in left.values() if loss.spans)
        if found:
            change_beside(store, partial(_add, found))
        for path in left:
            path.unlink(missing_ok=True)
    return found


def received(store: Path) -> Received:
    """What the receivers of ``store`` say, killed ones included. Nothing is changed."""
    folder = open_place(store).folder / LIVE
    states = [state for _, state in _left(folder)] if folder.is_dir() else []
    dead = tuple(one for one in states if isinstance(one, Loss) and one.spans)
    lost = losses_of(store)
    for one in dead:
        lost = lost.plus(one)
    return Received(
        live=tuple(one for one in states if isinstance(one, Waiting)), unlisted=dead, lost=lost
    )


def losses_of(store: Path) -> Losses:
    """What is on the list of losses of ``store``."""
    return _read(beside(store))


def _left(folder: Path) -> Iterator[tuple[Path, Waiting | Loss]]:
    """The receivers' files: of those that live what waits, of the others what they lost."""
    for path in sorted(folder.glob("*.json")):
        with suppress(FileNotFoundError), path.open("rb") as file:
            said = _parsed(file.read(_SIZE))
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                yield path, said
                continue
            yield path, Loss(said.spans, said.traces, said.first, said.last, receiver=path.stem)


def _parsed(data: bytes) -> Waiting:
    try:
        known = json.loads(data)
        return Waiting(
            int(known["spans"]),
            int(known["traces"]),
            float(known["first"]),
            float(known["last"]),
        )
    except (ValueError, KeyError, TypeError):
        return Waiting()  # it was killed before it had taken anything


def _add(found: tuple[Loss, ...], folder: Path) -> None:
    lost = _read(folder)
    for loss in found:
        lost = lost.plus(loss)
    target = folder / LOST / "losses.json"
    make_folder(target.parent)
    draft = target.with_name(f".{uuid.uuid4().hex}")
    try:
        write_file(draft, json.dumps({"schema": 1, **asdict(lost)}, indent=1).encode())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(target.parent)


def _read(folder: Path) -> Losses:
    try:
        known: Mapping[str, Any] = json.loads((folder / LOST / "losses.json").read_bytes())
        return Losses(
            int(known["times"]),
            int(known["spans"]),
            int(known["traces"]),
            tuple(Loss(**one) for one in known["latest"]),
        )
    except FileNotFoundError:
        return Losses()
    except (ValueError, KeyError, TypeError, AttributeError):
        return Losses()  # a list that can't be read says nothing; the next one begins anew


@contextmanager
def _listing(folder: Path) -> Iterator[None]:
    """One process at a time lists what was left."""
    with FileLock(folder / "_listing", timeout=60):
        yield


@contextmanager
def one_at_a_time(store: Path) -> Iterator[None]:
    """Receivers of one store on this machine write one after the other.

    What one looks up in the store before it writes is then still so when it does. On other
    machines they are kept apart by the store's own commits only.

    Raises:
        StoreError: another receiver was busy for long. Nothing was written.
    """
    folder = open_place(store).folder / LIVE
    with disk_errors("write the store", store):
        make_folder(folder.absolute())
        lock = FileLock(folder / "_writing", timeout=_PATIENCE)
        try:
            lock.acquire()
        except Timeout:
            raise StoreError(
                f"another receiver is writing to the store (waited {_PATIENCE:g} s)",
                where=str(store),
                fix="give each receiver a store of its own, or let it finish",
            ) from None
    try:
        yield
    finally:
        lock.release()
