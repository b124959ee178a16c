"""The tool answers with nothing in it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import ClassVar

from replay.faults.interface import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyResult:
    """A success of the recorded type, but empty: ``{}``, ``[]``, ``""``, else ``null``."""

    name: ClassVar[str] = "empty_result"

    def apply(self, answer: Answer | None, random: Random) -> Answer:
        value = None if answer is None else answer.value
        return Answer(value=type(value)() if isinstance(value, dict | list | str) else None)
