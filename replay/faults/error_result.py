"""The tool fails with an error of its own."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import ClassVar

from replay.faults.interface import Answer, Mode, failure


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorResult:
    """An error in place of the answer: returned by default, as tool wrappers do it."""

    name: ClassVar[str] = "error_result"
    mode: Mode = "return"
    kind: str = "internal_error"
    message: str = "the service could not process the request"

    def apply(self, answer: Answer | None, random: Random) -> Answer:
        return failure(self.kind, self.message, self.mode)
