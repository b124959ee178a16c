"""Questions for whoever sits at the terminal. Without one, nothing is asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anonymize.console import printable
from anonymize.errors import UsageError
from replay.init.agents import Candidate, given

if TYPE_CHECKING:
    from replay.compare.tools import ToolInfo

_MOST = 9


def chosen(question: str, choices: Sequence[str], *, free: str = "") -> str:
    """One of ``choices``, by its number, or what was typed where ``free`` says what it may be."""
    for number, choice in enumerate(choices[:_MOST], start=1):
        click.echo(printable(f"  {number}  {choice}"))
    if len(choices) > _MOST:
        click.echo(f"     ... {len(choices) - _MOST} more")
    hint = f" (a number{f', or {free}' if free else ''})"
    while True:
        said = str(click.prompt(question + hint, default="1" if choices else "")).strip()
        if said.isdecimal() and 1 <= int(said) <= min(len(choices), _MOST):
            return choices[int(said) - 1]
        if (free and said and not said.isdecimal()) or said in choices:
            return said
        click.echo(f"  one of the numbers{f', or {free}' if free else ''}, please")


def ask_agent(found: Sequence[Candidate], project: Path) -> Candidate | None:
    """Which of ``found`` is the agent, or another; ``None``: to be filled in later."""
    names = [f"{c.spec}   ({c.why})" for c in found]
    click.echo("Which is the agent to replay against?")
    said = chosen("agent", [*names[: _MOST - 1], "none of these: later"], free="module:name")
    if said.startswith("none of these"):
        return None
    index = next((i for i, name in enumerate(names) if name == said), None)
    return found[index] if index is not None else given(said, project)


def ask_effects(tools: Sequence[ToolInfo]) -> dict[str, str]:
    """What the tools do of which nothing is known."""
    unknown = [info for info in tools if info.why.startswith("nothing says")]
    if not unknown:
        return {}
    click.echo("What do these tools do? A write changes the world, a read only looks.")
    found = {}
    for info in unknown:
        said = click.prompt(
            printable(f"  {info.name}"), type=click.Choice(["read", "write"]), default="write"
        )
        found[info.name] = str(said)
    return found


def one_agent(found: Sequence[Candidate]) -> Candidate | None:
    """The agent where nobody can be asked: the likeliest, if no other is as likely.

    Raises:
        UsageError: several are; says which.
    """
    good = [c for c in found if c.score >= 60]  # scripts and the like are only offered
    if not good:
        return None
    best = [c for c in good if c.score == good[0].score]
    if len(best) > 1:
        raise UsageError(
            "several things here look like the agent",
            where=", ".join(c.spec for c in best[:8]),
            fix=f"name one: --agent {best[0].spec}; or --agent none for later",
        )
    return best[0]
