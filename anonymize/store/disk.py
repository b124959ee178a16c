"""What makes a write survive a power cut, and what turns the disk's errors into a person's.

A rename is atomic, but neither the file nor its name is safe before both the file and its
folder are flushed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anonymize.errors import StoreError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def disk_errors(doing: str, where: Path) -> Iterator[None]:
    """Turn an ``OSError`` inside into a :class:`StoreError`; ``doing`` reads 'write the batch'."""
    try:
        yield
    except OSError as error:
        place = str(error.filename or where)
        if error.errno in _FULL:
            raise StoreError(
                f"no space left to {doing}",
                where=place,
                fix="free some space and run again; what was committed before is intact",
            ) from error
        if error.errno in _REFUSED:
            raise StoreError(
                f"not allowed to {doing}",
                where=place,
                fix="check the folder's owner and permissions, or name another store",
            ) from error
        raise StoreError(
            f"can't {doing}: {os.strerror(error.errno) if error.errno else error}", where=place
        ) from error


def write_file(path: Path, data: bytes) -> None:
    """Write and flush a new file; its folder exists."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Flush the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(path: Path) -> None:
    """Create a folder and flush its name; parents likewise."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)
