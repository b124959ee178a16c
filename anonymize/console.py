"""What both commands share on a terminal: errors, exit codes, hostile text.

Exit codes everywhere: 0 pass, 1 regressed, 2 could not run, 3 inconclusive.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

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
    except BrokenPipeError:
        # The reader of a pipe went away (`| head`): silence the flush at exit too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("REPLAY_DEBUG") == "1":
            raise
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
        fail(
            f"internal error: {type(error).__name__} at {place}\n"
            "  do:    report this with the command you ran; REPLAY_DEBUG=1 prints the whole\n"
            "         traceback, which may contain raw data"
        )


def fail(message: str, *, code: int = 2) -> NoReturn:
    """Print ``error: message`` to stderr and end with ``code``."""
    click.echo(f"error: {printable(message)}", err=True)
    sys.exit(code)


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
