"""The recorded world of one trace: it answers tool calls, and keeps what it answered.

Answers come, in this order, from a fault, from the recording, from the tool's miss policy.
Safe to call from several threads at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from anonymize.trace import Fidelity, Json, StepError, ToolCall
from replay.capture import Capture
from replay.config import ToolSettings
from replay.errors import BrokenReplay, EndOfRun, StopReplay, ToolError, ToolNotRecorded, tool_error
from replay.faults import Answer, FaultInjector, FaultPlan, FaultProof
from replay.faults.rule import Effect, FaultRule
from replay.matching import ArgumentPath, exact_key
from replay.plain import NotPlain, fresh, plain
from replay.recording import Case, RecordedCall, Recording

#: Functions of the user that answer calls which were never recorded, by tool.
Hooks = Mapping[str, Callable[..., Json]]

_FAITHFUL: frozenset[Fidelity] = frozenset({"exact", "normalized"})
_MAX_MISSES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldRules:
    """What holds for every trace of a run: tools, hooks, faults and limits."""

    tools: Mapping[str, ToolSettings] = field(default_factory=dict)
    hooks: Hooks = field(default_factory=dict)
    effect_of: Callable[[str, Effect | None], Effect | None] = lambda name, hint: hint
    """What a tool does to the world, from its name and the recording's own hint."""
    plan: FaultPlan = field(default_factory=FaultPlan)
    max_tool_calls: int = 200
    max_llm_calls: int = 200
    ignored: Mapping[str, tuple[ArgumentPath, ...]] = field(init=False)

    def __post_init__(self) -> None:
        found = {name: tool.ignored() for name, tool in self.tools.items()}
        object.__setattr__(self, "ignored", found)

    def tool(self, name: str) -> ToolSettings:
        return self.tools.get(name) or _DEFAULT


_DEFAULT = ToolSettings()


class World:
    """Answers the calls of one replay. :meth:`close` it when the agent is done."""

    def __init__(self, case: Case, calls: Sequence[RecordedCall], rules: WorldRules) -> None:
        self.case = case
        self.rules = rules
        self.recording = Recording(calls, rules.ignored)
        self.capture = Capture(case.started_at)
        self.fidelities: list[Fidelity] = []
        self.misses: list[str] = []
        self.blocked: list[str] = []
        self.ended: EndOfRun | None = None
        self._hints = {c.name: c.effect for c in calls if c.effect}
        self._faults = FaultInjector(rules.plan, case.trace_id, self._effect_of)
        self._lock = threading.Lock()
        self._closed = False
        self._llm_calls = 0

    @property
    def proofs(self) -> tuple[FaultProof, ...]:
        return tuple(self._faults.proofs)

    @property
    def fidelity(self) -> float:
        """The share of tool answers that production gave as well; 1.0 without any tool call."""
        faithful = sum(f in _FAITHFUL for f in self.fidelities)
        return faithful / len(self.fidelities) if self.fidelities else 1.0

    @property
    def first_counterfactual(self) -> int | None:
        """The first tool call whose answer production did not give."""
        return next((i for i, f in enumerate(self.fidelities) if f not in _FAITHFUL), None)

    def answer(
        self, name: str, arguments: Mapping[str, object], call_id: str | None = None
    ) -> Json:
        """What the tool answers.

        Raises:
            ToolError: the recorded call raised, or a fault does.
            ToolNotRecorded: nothing answers this call, and the tool's policy is ``error``.
            TypeError: the arguments are not JSON.
            EndOfRun: the run is over (policy ``stop``, a budget, or a hook that failed).
        """
        try:
            asked = plain(arguments, what=f"the call of {name}")
        except NotPlain as error:
            raise TypeError(str(error)) from None
        with self._lock:
            number = self._begin(name)
            place = self.capture.open()
            found = self.recording.find(name, asked)
            answer = _answer_of(found.call) if found else None
            struck = self._strike(name, number, answer)
            if found and not struck:
                self.recording.use(found)
            elif found:
                self.recording.asked(found)
            self.fidelities[number] = found.fidelity if found else "missing"
            duration = found.call.duration_ms if found else None
        call = _Served(self, number, place, name, asked, call_id, duration)
        if struck is not None:
            # A fault is a complete answer by itself, but not one to a call that production made.
            return call.give(
                struck[0], found.fidelity if found else "simulated", fault=struck[1].fault.name
            )
        if found is not None and answer is not None:
            return call.give(answer, found.fidelity)
        return self._miss(call)

    def count_llm_call(self) -> None:
        """One more model call. Raises :class:`StopReplay` past the budget."""
        with self._lock:
            self._check_open()
            self._llm_calls += 1
            if self._llm_calls > self.rules.max_llm_calls:
                raise self._end(
                    StopReplay(f"loop: more than {self.rules.max_llm_calls} model calls")
                )

    def end(self, reason: EndOfRun) -> EndOfRun:
        """The run ends for this reason, whatever the agent makes of the exception."""
        with self._lock:
            return self._end(reason)

    def close(self) -> None:
        """No more answers: what an agent's left-over threads do is not part of the run."""
        with self._lock:
            self._closed = True

    def unconsumed(self) -> tuple[str, ...]:
        """The recorded calls that were never made, as ``"2 get_order"``."""
        return tuple(f"{call.number} {call.name}" for call in self.recording.never_asked())

    def _strike(
        self, name: str, number: int, answer: Answer | None
    ) -> tuple[Answer, FaultRule] | None:
        try:
            return self._faults.strike(name, number, answer)
        # A fault that fails is our mistake, or its author's; never the agent's.
        except Exception as error:
            kind = type(error).__name__
            raise self._end(BrokenReplay(f"a fault failed with {kind} at {name}")) from error

    def _begin(self, name: str) -> int:
        self._check_open()
        if len(self.fidelities) >= self.rules.max_tool_calls:
            limit = self.rules.max_tool_calls
            raise self._end(StopReplay(f"loop: more than {limit} tool calls, the last of {name}"))
        self.fidelities.append("missing")
        return len(self.fidelities) - 1

    def _check_open(self) -> None:
        if self.ended is not None:
            raise self.ended
        if self._closed:
            raise StopReplay("the run is over; this call came from a thread that outlived it")

    def _end(self, reason: EndOfRun) -> EndOfRun:
        self.ended = self.ended or reason
        return reason

    def _effect_of(self, name: str) -> Effect | None:
        return self.rules.tool(name).effect or self.rules.effect_of(name, self._hints.get(name))

    def _miss(self, call: _Served) -> Json:
        tool = self.rules.tool(call.name)
        explanation = self.recording.explain_miss(call.name, call.arguments)
        with self._lock:
            if explanation not in self.misses and len(self.misses) < _MAX_MISSES:
                self.misses.append(explanation)
        if tool.miss in ("simulate", "live"):
            return self._ask_hook(call, tool.miss)
        near = self._near(call) if tool.miss == "nearest" else None
        if near is not None:
            return call.give(near, "nearest")
        error = StepError(kind="ToolNotRecorded", message=explanation)
        call.record(Answer(error=error, raised=True), "missing")
        if tool.miss == "stop":
            raise self.end(StopReplay(f"stopped at a call that was not recorded: {explanation}"))
        raise ToolNotRecorded(call.name, explanation)

    def _near(self, call: _Served) -> Answer | None:
        """What a similar call was answered; never for a tool that was seen to write."""
        near = self.recording.nearest(call.name, call.arguments)
        if near is None or self._hints.get(call.name) == "write":
            return None
        recorded, likeness = near
        if not recorded.known or likeness < self.rules.tool(call.name).nearest_threshold:
            return None
        # An error belongs to its own arguments: no other call is told that it failed.
        if recorded.error is not None and not _same(recorded.arguments, call.arguments):
            return None
        return _answer_of(recorded)

    def _ask_hook(self, call: _Served, policy: Literal["simulate", "live"]) -> Json:
        hook = self.rules.hooks[call.name]
        fidelity: Fidelity = "simulated" if policy == "simulate" else "live"
        try:
            if policy == "simulate":
                value = hook(call.name, fresh(call.arguments), self.recording.calls)
            else:
                value = hook(call.name, fresh(call.arguments))
            answer = Answer(value=plain(value, what=f"the answer of {policy} for {call.name}"))
        except ToolError as error:
            answer = _raised(error.kind, error.message)
        except Exception as error:
            # A sandbox that fails is a tool that fails; a simulation that fails is our mistake.
            if policy == "live":
                answer = _raised(type(error).__name__, str(error))
            else:
                kind = type(error).__name__
                call.record(_raised(kind, ""), "missing")
                raise self.end(
                    BrokenReplay(f"the simulate function of {call.name} raised {kind}")
                ) from error
        return call.give(answer, fidelity)


@dataclass(frozen=True, slots=True)
class _Served:
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
            effect=self.world._hints.get(self.name),
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


def _answer_of(call: RecordedCall) -> Answer:
    return Answer(value=call.result, error=call.error, raised=call.raised)


def _raised(kind: str, message: str) -> Answer:
    return Answer(error=StepError(kind=kind, message=message), raised=True)


def _same(one: Json, other: Json) -> bool:
    return exact_key(one) == exact_key(other)
