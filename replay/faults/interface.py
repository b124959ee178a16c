"""What a fault is: a change to one tool answer on its way to the agent.

A fault knows nothing of tools, probability or seeds; the :class:`~replay.faults.rule.FaultRule`
around it does.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Literal, Protocol

from anonymize.trace import Json, StepError
from replay.matching import exact_key

#: How a failing tool tells its caller: most SDKs raise, most tool wrappers return a text.
Mode = Literal["raise", "return"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a tool call gives the agent: a value, or an error.

    ``raised``: the error is thrown, and ``value`` is ``None``. An error that is not raised was
    returned, as ``value``. ``retry_after`` is in seconds.
    """

    value: Json = None
    error: StepError | None = None
    raised: bool = False
    retry_after: float | None = None

    @property
    def seen(self) -> str:
        """What the agent got, short and without content: a kind and a digest."""
        if self.raised and self.error is not None:
            return f"raised {self.error.kind} {_digest([self.error.kind, self.error.message])}"
        return f"returned {_kind_of(self.value)} {_digest(self.value)}"


class Fault(Protocol):
    """One way in which an answer goes wrong. A frozen dataclass; its fields are parameters."""

    name: ClassVar[str]
    """The word on the command line and in the report."""

    def apply(self, answer: Answer | None, random: Random) -> Answer:
        """What the agent gets in place of ``answer`` (``None``: the recording has none).

        ``random`` is seeded by run, rule, trace and call: the only chance allowed here.
        """
        ...


def failure(kind: str, message: str, mode: Mode, retry_after: float | None = None) -> Answer:
    """A failed call, raised or returned as an error object the way HTTP services word it."""
    error = StepError(kind=kind, message=message)
    if mode == "raise":
        return Answer(error=error, raised=True, retry_after=retry_after)
    body: dict[str, Json] = {"type": kind, "message": message}
    if retry_after is not None:
        body["retry_after"] = retry_after
    return Answer(value={"error": body}, error=error, retry_after=retry_after)


def _digest(value: Json) -> str:
    return hashlib.sha256(exact_key(value).encode("utf-8", "replace")).hexdigest()[:16]


def _kind_of(value: Json) -> str:
    names = {type(None): "null", bool: "boolean", int: "number", float: "number", str: "text"}
    if isinstance(value, dict):
        return f"object({len(value)})"
    if isinstance(value, list):
        return f"list({len(value)})"
    kind = names.get(type(value), "value")
    return f"text({len(value)})" if isinstance(value, str) else kind
