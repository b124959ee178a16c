"""Counts over the traces of a source: grades, reasons, losses by what recorded them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from anonymize.assemble import NOTHING_SAID
from anonymize.health.clues import Watch
from anonymize.health.guess import Unread
from anonymize.health.mend import cut_at, mend
from anonymize.playable import Grade, grade
from anonymize.trace import LOSSY_FLAGS, LLMCall, Retrieval, SkippedTrace, ToolCall, Trace

__all__ = ["Health", "Loss", "Watch", "examine"]

#: Flags that cost a replay nothing.
_HARMLESS = frozenset(
    "tool_rebuilt arguments_rebuilt result_rebuilt answer_rebuilt "
    "duplicate_span clock_skew bad_text".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What is lossy: in how many traces, as what, recorded by whom, and what would mend it."""

    flag: str
    scope: str
    traces: int
    fix: str

    @property
    def meaning(self) -> str:
        """The flag in words."""
        return LOSSY_FLAGS.get(self.flag, self.flag)


@dataclass(slots=True)
class Health:
    """What a source's traces are good for. ``reasons``: why traces can't be replayed, or only with
    gaps; ``skipped``: what could not be read at all, by reason. ``blind``: traces with neither a
    model call nor a tool call. ``unread``: names in spans that follow no convention; ``never``:
    keys and names of the source's map that no span has."""

    grades: Counter[Grade] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    flags: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    scopes: Counter[str] = field(default_factory=Counter)
    unnamed: Counter[str] = field(default_factory=Counter)
    blind: int = 0
    unread: Unread = field(default_factory=Unread)
    never: tuple[tuple[str, str], ...] = ()

    @property
    def traces(self) -> int:
        """How many traces were read."""
        return sum(self.grades.values())

    @property
    def playable(self) -> int:
        """How many of them can be replayed."""
        return self.grades["whole"] + self.grades["gaps"]

    def losses(self) -> tuple[Loss, ...]:
        """What costs something, the most frequent first."""
        found = [
            Loss(flag=flag, scope=scope, traces=count, fix=fix)
            for (flag, scope, fix), count in self.flags.items()
            if flag not in _HARMLESS
        ]
        return tuple(sorted(found, key=lambda loss: (-loss.traces, loss.flag, loss.scope)))

    def as_json(self) -> dict[str, Any]:
        """Versioned, for machines."""
        return {
            "schema": 1,
            "traces": self.traces,
            "playable": self.playable,
            "grades": dict(self.grades),
            "reasons": dict(self.reasons),
            "skipped": dict(self.skipped),
            "recorded_by": dict(self.scopes),
            "without": dict(self.unnamed),
            "no_calls": self.blind,
            "unread_names": list(self.unread.names()),
            "map": {**self.unread.guess(), "kinds": self.unread.kinds()},
            "map_never_found": [f"{key} = {name}" for key, name in self.never],
            "losses": [
                {"flag": x.flag, "recorded_by": x.scope, "traces": x.traces, "fix": x.fix}
                for x in self.losses()
            ],
        }


def examine(items: Iterable[Trace | SkippedTrace], watch: Watch | None = None) -> Health:
    """Read everything and count. ``watch`` is what the source tells who recorded a trace."""
    health = Health()
    for item in items:
        if isinstance(item, SkippedTrace):
            health.skipped[item.reason] += 1
            if watch is not None and item.reason == NOTHING_SAID:
                watch.not_understood()
            continue
        scope = watch.scopes[0] if watch is not None and watch.scopes else ""
        if scope:
            health.scopes[scope] += 1
        level, reason = grade(item)
        health.grades[level] += 1
        blind = not any(isinstance(s, LLMCall | ToolCall | Retrieval) for s in item.steps)
        health.blind += blind
        if watch is not None and (blind or "content_off" in item.lossy_flags):
            watch.not_understood()
        if reason:
            health.reasons[_general(reason)] += 1
        clues = watch.clues if watch is not None else None
        for flag in item.lossy_flags:
            health.flags[flag, scope, mend(flag, scope, clues)] += 1
        for name in ("agent", "agent_version", "session_id", "started_at"):
            if not getattr(item, name):
                health.unnamed[name] += 1
    if watch is not None:
        _cut(health, watch)
        health.unread, health.never = watch.unread, watch.mapped.never()
    return health


def _cut(health: Health, watch: Watch) -> None:
    """Values that all end at one length were cut there, also where nothing else tells."""
    for length, traces in watch.limits().items():
        told = [key for key in health.flags if key[0] == "truncated"]
        scopes = {scope for _, scope, _ in told} or set(health.scopes) or {""}
        for key in told:
            del health.flags[key]
        scope = next(iter(sorted(scopes))) if len(scopes) == 1 else ""
        health.flags["truncated", scope, cut_at(length)] = max(
            traces, health.flags["truncated", scope, cut_at(length)]
        )


def _general(reason: str) -> str:
    """A reason without the numbers of one trace."""
    head, _, rest = reason.partition(" of ")
    return f"some {rest.partition(' ')[2]}" if head.isdecimal() else reason
