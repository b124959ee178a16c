"""One tool call on its way back to the agent: written down, and handed over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from anonymize.trace import Fidelity, Json, StepError, ToolCall
from replay.errors import tool_error
from replay.faults import Answer
from replay.plain import fresh
from replay.recording import RecordedCall

if TYPE_CHECKING:
    from replay.world import World


@dataclass(frozen=True, slots=True)
class Served:
    """One call that is being answered."""

    world: World
    number: int
    place: int
    name: str
    arguments: Json
    call_id: str | None
    duration_ms: float | None

    def record(self, answer: Answer, fidelity: Fidelity, fault: str | None = None) -> None:
        """Write the call down as it ends."""
        self.world.fidelities[self.number] = fidelity
        capture = self.world.capture
        step = ToolCall(
            step_id=capture.id_at(self.place),
            started_at=capture.start_of(self.place),
            name=self.name,
            arguments=self.arguments,
            result=answer.value,
            error=answer.error,
            call_id=self.call_id,
            effect=self.world.hint(self.name),
            fidelity=fidelity,
            fault=fault,
            duration_ms=self.duration_ms,
        )
        capture.close(self.place, step)

    def give(self, answer: Answer, fidelity: Fidelity, fault: str | None = None) -> Json:
        """Write the call down, and hand the answer to the agent in its own copy."""
        self.record(answer, fidelity, fault)
        if answer.raised and answer.error is not None:
            raise tool_error(
                answer.error.kind, answer.error.message, retry_after=answer.retry_after
            )
        return fresh(answer.value)


def answer_of(call: RecordedCall) -> Answer:
    """What a recorded call gave production's agent."""
    return Answer(value=call.result, error=call.error, raised=call.raised)


def raised(kind: str, message: str) -> Answer:
    """A tool that fails."""
    return Answer(error=StepError(kind=kind, message=message), raised=True)
