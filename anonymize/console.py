"""What both commands share on a terminal: errors, exit codes, hostile text.

Exit codes everywhere: 0 pass, 1 regressed, 2 could not run, 3 inconclusive.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TextIO

import click

from anonymize.errors import AnonymizeError

#: Shown in the help of both commands.
CONTEXT: Mapping[str, Any] = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 80,
    "show_default": True,
}


def run_cli(command: click.Command) -> NoReturn:
    """Run a click command; end the process with its exit code and never with a traceback.

    An error of ours is printed as it is. Any other exception is a defect: its type and place
    are printed but not its message, which could hold personal data, unless ``REPLAY_DEBUG=1``.
    """
    _surroundings()
    try:
        result = command.main(standalone_mode=False)
        # With standalone_mode off, click returns the code of ctx.exit() instead of raising.
        sys.stdout.flush()
        sys.exit(result if isinstance(result, int) else 0)
    except AnonymizeError as error:
        fail(str(error))
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        fail("stopped; run the same command again to go on from here", code=130)
    except _OutputError as error:
        if isinstance(sys.stdout, _Output):
            sys.stdout.give_up()  # or what is left would fail again at the end
        fail(f"the output can't be written: {error.strerror}")
    except Exception as error:
        if os.environ.get("REPLAY_DEBUG") == "1":
            raise
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
        name = type(error).__name__
        if isinstance(error, OSError) and error.strerror:
            name += f" ({error.strerror})"  # the system's words, such as a full disk's
        fail(
            f"internal error: {name} at {place}\n"
            "  do:    report this with the command you ran; REPLAY_DEBUG=1 prints the whole\n"
            "         traceback, which may contain raw data"
        )


class _Output:
    """A stream whose reader may go away (`| head`): the command goes on to its own exit code.

    With click's a pass would end with 1, which is what a regression ends with.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._told():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._told():
            self._stream.flush()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            self.give_up()
        except OSError as error:
            raise _OutputError(error.errno, error.strerror) from None

    def give_up(self) -> None:
        """What is still to be written goes nowhere."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


class _OutputError(OSError):
    """The terminal, or the file in its place, takes no more."""


def _surroundings() -> None:
    """What a scheduler may have left out: open streams, and a home."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed; a file of ours must not get its number
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    sys.stdout, sys.stderr = _Output(sys.stdout), _Output(sys.stderr)
    try:
        Path.home()
    except RuntimeError:  # a user without an entry, as in a container: what needs one says so
        os.environ["HOME"] = "/nonexistent"


def fail(message: str, *, code: int = 2) -> NoReturn:
    """Print ``error: message`` to stderr and end with ``code``."""
    text = f"error: {printable(message)}"
    if sys.stderr.isatty():  # in a log a message stays on its line
        text = fitted(text, shutil.get_terminal_size().columns)
    click.echo(text, err=True)
    sys.exit(code)


def fitted(text: str, width: int) -> str:
    """``text`` with lines of at most ``width``, broken between words; where it was stays whole."""
    lines: list[str] = []
    for line in text.split("\n"):
        if len(line) <= width or line.startswith("  where:"):
            lines.append(line)
            continue
        indent = " " * (9 if line.startswith("  do:") else 7)
        lines += textwrap.wrap(
            line,
            max(width, 40),
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)


def printable(text: str) -> str:
    """``text`` with terminal control characters made visible; newlines stay."""
    return "".join(
        c if c == "\n" or (c.isprintable()) else c.encode("unicode_escape").decode("ascii")
        for c in text
    )


def rows(pairs: Mapping[str, int], *, indent: str = "  ", width: int = 80) -> list[str]:
    """``name count`` pairs, most frequent first, wrapped as lines of at most ``width``."""
    lines, line = [], indent
    ordered = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    for i, (name, count) in enumerate(ordered):
        cell = f"{printable(name)} {count:,}" + ("," if i < len(ordered) - 1 else "")
        if len(line) + len(cell) + 1 > width and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += cell + " "
    return [*lines, line.rstrip()] if line.strip() else lines


def options(prefix: str) -> Callable[..., Callable[[Any], Any]]:
    """``click.option``, with an environment name for each: ``PREFIX_`` and the long flag."""

    def option(*declarations: str, **settings: Any) -> Callable[[Any], Any]:
        flag = next(d for d in declarations if d.startswith("--"))
        name = f"{prefix}_{flag[2:].replace('-', '_').upper()}"
        decorate: Callable[[Any], Any] = click.option(
            *declarations, **{"envvar": name, "show_envvar": True, **settings}
        )
        return decorate

    return option


def example(text: str) -> Callable[[click.Command], click.Command]:
    """Add an example to a command's help, kept on a line of its own."""

    def decorate(command: click.Command) -> click.Command:
        command.epilog = f"\b\nExample:\n  {text}"
        return command

    return decorate
