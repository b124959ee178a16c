"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from anonymize.errors import AnonymizeError


def write_atomically(contents: Mapping[Path, bytes]) -> None:
    """Write all files, each complete beside its place first and then renamed into it.

    Nothing is renamed before everything is on disk, so a full disk leaves what was there.

    Raises:
        AnonymizeError: a folder or file can't be written.
    """
    staged: list[tuple[Path, Path]] = []
    try:
        for path, data in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
            staged.append((temporary, path))
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        for temporary, path in staged:
            temporary.replace(path)
    except OSError as error:
        raise AnonymizeError(
            f"the report can't be written: {error.strerror or type(error).__name__}",
            where=str(error.filename2 or error.filename or ""),
            fix="name a folder that you may write to and that has room",
        ) from None
    finally:
        for temporary, _ in staged:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
