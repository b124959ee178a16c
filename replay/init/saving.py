"""How a config gets to disk: whole or not at all, and never over another."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from anonymize.errors import UsageError


def write(path: Path, text: str, *, force: bool) -> None:
    """Put ``text`` at ``path``, whole or not at all; what is there is replaced only by ``force``.

    Raises:
        UsageError: something is there, or it can't be written.
    """
    staged = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with staged.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if force:
            staged.replace(path)
        else:
            _claim(staged, path)
    except FileExistsError:
        raise there_already(path) from None
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"the config can't be written: {getattr(error, 'strerror', None) or 'not UTF-8'}",
            where=str(path),
            fix="make the folder writable, or name another file with --config",
        ) from None
    finally:
        with suppress(OSError):  # a folder that can't be written says so here, too
            staged.unlink()


def _claim(staged: Path, path: Path) -> None:
    """Give ``staged`` its name unless somebody has it."""
    try:
        os.link(staged, path)  # unlike a rename, it never replaces what came in between
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if path.exists():
            raise FileExistsError from None
        staged.replace(path)


def there_already(path: Path) -> UsageError:
    """The error for a config that would be overwritten."""
    return UsageError(
        "there is a config already",
        where=str(path),
        fix="--force replaces it; --config NAME writes another; --print only shows it",
    )
