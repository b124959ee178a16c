"""Why a call has no recorded answer: which one comes nearest, and what sets the two apart.

Ranked by the share of values in common, which is cheap; explained value by value, which is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from anonymize.trace import Json
from replay.matching import ArgumentPath, Difference, apart, exact_key, generalised, normal_key

if TYPE_CHECKING:
    from replay.recording import RecordedCall

#: ``unknown_tool``: never called in the recording. ``arguments``: called with others only.
#: ``used_up``: the same call was answered as often as it was recorded. ``no_result``: the same
#: call is there, its result is not.
Reason = Literal["unknown_tool", "arguments", "used_up", "no_result"]

_MOST_NAMES = 8
_MOST_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A call that the recording does not answer.

    ``nearest`` is the number (from 1) of the nearest recorded call of the same tool and
    ``likeness`` the share (0-1) of argument values in common; ``differences`` tell them apart,
    recorded value first. ``like`` is the recorded tool with the nearest name.
    """

    tool: str
    reason: Reason
    calls: int
    nearest: int | None = None
    likeness: float = 0.0
    differences: tuple[Difference, ...] = ()
    names: tuple[str, ...] = ()
    like: str | None = None

    def __str__(self) -> str:
        place = f"tool call {self.nearest} of {self.calls}"
        if self.reason == "unknown_tool":
            return f"{self.tool} was never called in the recording{self._names()}"
        if self.reason == "no_result":
            return f"{self.tool} was called the same way at {place}, but its result is not recorded"
        if self.reason == "used_up" and not self.differences:
            return f"{self.tool} was already answered for these arguments ({place}): asked again"
        if self.reason == "used_up":
            return (
                f"{self.tool} was never called with these arguments; nearest is {place}: "
                "only volatile values differ, used already"
            )
        shown = [f"$.arguments{d}" for d in self.differences[:_MOST_SHOWN]]
        more = ["..."] if len(self.differences) > _MOST_SHOWN else []
        return (
            f"{self.tool} was never called with these arguments; nearest is {place}: "
            f"{'; '.join(shown + more)}{self._hint()}"
        )

    def _names(self) -> str:
        if not self.names:
            return " (it has no tool calls)"
        like = f"; did the agent mean {self.like}?" if self.like else ""
        return f" (it has: {', '.join(self.names[:_MOST_NAMES])}{like})"

    def _hint(self) -> str:
        """One differing value of many is perhaps made up anew each time."""
        if len(self.differences) != 1 or self.likeness < 0.5:
            return ""
        path = generalised(f"${self.differences[0].path}")
        if path == "$":
            return ""
        return f' (if it always varies: ignore_arguments = ["{path}"])'


def explain(
    calls: Sequence[RecordedCall],
    near: tuple[RecordedCall, float] | None,
    name: str,
    arguments: Json,
    ignored: Sequence[ArgumentPath] = (),
) -> Miss:
    """Why ``name`` with these arguments is not answered; ``near`` is the nearest recorded call."""
    if near is None:
        names = tuple(sorted({call.name for call in calls}))
        return Miss(
            tool=name,
            reason="unknown_tool",
            calls=len(calls),
            names=names,
            like=_nearest_name(name, names),
        )
    call, likeness = near
    reason: Reason = "arguments"
    differences: tuple[Difference, ...] = ()
    if exact_key(call.arguments) == exact_key(arguments):
        reason = "used_up" if call.known else "no_result"
    else:
        differences = tuple(apart(call.arguments, arguments, limit=_MOST_SHOWN + 1))
        if normal_key(call.arguments, ignored) == normal_key(arguments, ignored):
            reason = "used_up"
    return Miss(
        tool=name,
        reason=reason,
        calls=len(calls),
        nearest=call.number,
        likeness=likeness,
        differences=differences,
    )


def _nearest_name(name: str, names: Sequence[str]) -> str | None:
    from anonymize.settings import nearest

    return nearest(name, names) if names and name else None
