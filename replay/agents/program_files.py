"""The files that a command is made of: where one of them changed, it is another agent.

Nobody can tell in general what a program reads, so these are all sources and texts that lie in
the folder of the script that the command names, or below it; of the config's folder if it names
none. Installed packages are not part of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

_SUFFIXES = frozenset(
    """
    .js .mjs .cjs .jsx .ts .mts .cts .tsx .py .rb .go .java .kt .cs .rs .php .lua .ex .exs .sh
    .json .toml .yaml .yml .txt .md .j2 .jinja .jinja2 .prompt .html .sql .env
    """.split()
)
#: Installed, made by a tool, or made by us.
_SKIPPED = frozenset(
    "node_modules __pycache__ venv site-packages target dist build runs traces".split()
)
_MAX_FILES = 2_000


def program_files(command: Sequence[str], root: Path) -> Iterator[tuple[str, Path]]:
    """Name (relative to its folder) and path of each, sorted by name."""
    named = [root / word for word in command if _is_file(root / word)]
    folders = {file.parent.resolve() for file in named} or {root.resolve()}
    found = {str(file.name): file for file in named}
    for folder in sorted(folders):
        for file in _below(folder):
            found.setdefault(str(file.relative_to(folder)), file)
            if len(found) >= _MAX_FILES:
                break
    yield from sorted(found.items())


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # words of a command may be anything
        return False


def _below(folder: Path) -> Iterator[Path]:
    for base, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in _SKIPPED and not f.startswith("."))
        for name in sorted(files):
            if Path(name).suffix in _SUFFIXES:
                yield Path(base, name)
