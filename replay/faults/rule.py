"""Which call a fault hits: target, chance and seed, around a fault that knows none of them."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from random import Random
from typing import Any, Literal

from replay.faults.interface import Fault

Effect = Literal["read", "write"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """A fault and its target.

    ``tool`` is a glob over tool names. ``effect`` narrows it to tools that read or write.
    ``call`` picks the n-th fitting call of a trace, from 1 (``None``: each of them). ``p`` is
    the chance per fitting call; ``seed`` varies the draw.
    """

    fault: Fault
    tool: str = "*"
    effect: Effect | None = None
    call: int | None = None
    p: float = 1.0
    seed: int = 0

    @property
    def name(self) -> str:
        """The rule as it is written after ``--fault``: the least text that gives this rule."""
        parts = [f"{f}={_text(getattr(self, f))}" for f in _changed(self) if f != "fault"]
        parts += [f"{f}={_text(getattr(self.fault, f))}" for f in _changed(self.fault)]
        return self.fault.name + (":" + ",".join(parts) if parts else "")

    def targets(self, tool: str, effect: Effect | None) -> bool:
        """Whether calls of this tool count. A tool of unknown effect is no target of ``effect``."""
        return fnmatchcase(tool, self.tool) and self.effect in (None, effect)

    def hits(self, ordinal: int, random: Random) -> bool:
        """Whether the ``ordinal``-th fitting call (from 1) is hit."""
        return self.call in (None, ordinal) and random.random() < self.p

    def random(self, plan_seed: int, trace_id: str, ordinal: int) -> Random:
        """The generator for one call: the same in any process, order and number of workers."""
        key = f"{plan_seed}\0{self.seed}\0{self.name}\0{trace_id}\0{ordinal}"
        return Random(int.from_bytes(hashlib.sha256(key.encode("utf-8", "replace")).digest()[:8]))  # noqa: S311


def _changed(value: Any) -> list[str]:
    """Names of the fields that differ from their default, in the order of the class."""
    return [
        f.name
        for f in dataclasses.fields(value)
        if f.default is dataclasses.MISSING or getattr(value, f.name) != f.default
    ]


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
