"""Options that several commands have."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from anonymize import console
from anonymize.errors import UsageError

option = console.options("ANONYMIZE")

config = option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The config file.  [default: replay.toml if it exists]",
)

out = option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("traces"),
    help="The store to write to.",
)


def value_of(argument: str) -> str:
    """``argument``, or for ``-`` what stands in the standard input: not in a shell's history.

    Raises:
        UsageError: the input is empty or not UTF-8.
    """
    if argument != "-":
        return argument
    try:
        text = sys.stdin.buffer.read(1 << 16).decode().strip()
    except UnicodeDecodeError:
        text = ""
    if not text or "\n" in text:
        raise UsageError(
            "the standard input holds no value, or more than one line", fix="pipe one line in"
        )
    return text
