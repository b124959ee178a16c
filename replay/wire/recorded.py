"""The model of a recording: answers each model call of a trace once, to whoever asks the same.

A request fits a recorded call if it says the same to the same model with the same tools. Calls that
say the same form a queue: the first asked gets the first answer. What fits nothing has no answer,
and :meth:`RecordedModel.explain_miss` says what the nearest recorded call has otherwise.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from anonymize.trace import Fidelity, Json, LLMCall, Message
from replay.matching import apart, likeness, normal_key
from replay.wire import conversation
from replay.wire.interface import LlmAnswer, LlmRequest

_Turns = list[dict[str, Json]]
#: How many of equally near calls are looked at closely, and how many of their turns.
_MAX_NEAR = 10
_MAX_TURNS = 4
#: What follows a model's name where it is dated.
_DATED = re.compile(r"[-@:](\d{4}|\d{4}-\d\d-\d\d|\d{6,8})(-v\d[\d:.]*)?|[-:]latest")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAnswer:
    """``number`` counts the model calls of the recording from 1."""

    answer: LlmAnswer
    number: int
    fidelity: Fidelity
    call: LLMCall


@dataclass(slots=True)
class _Call:
    step: LLMCall
    turns: _Turns
    exact: str
    instructed: bool
    used: bool = False
    _normal: str = ""

    @property
    def normal(self) -> str:
        """Made when it is first needed: most calls fit exactly, or are used before."""
        self._normal = self._normal or conversation.normal(self.turns)
        return self._normal


class RecordedModel:
    """Answers model calls from one trace. Safe between threads.

    ``ignore_instructions``: system and developer messages don't count (a prompt that holds the
    date, or what the scrubber took out of it).
    """

    def __init__(
        self, calls: Sequence[LLMCall], trace_id: str = "", *, ignore_instructions: bool = False
    ) -> None:
        self._lock = threading.Lock()
        self._trace_id = trace_id
        self._ignore = ignore_instructions
        self._calls = [self._prepared(step) for step in calls]
        #: What was said up to each response that was served, for APIs that refer to it by id.
        self._said: dict[str, tuple[Message, ...]] = {}
        self._failed: tuple[str, RecordedAnswer] | None = None

    def __len__(self) -> int:
        return len(self._calls)

    def answer(self, request: LlmRequest, *, retry: bool = False) -> RecordedAnswer | None:
        """The recorded answer, which is used up by this; ``None`` if there is none.

        ``retry``: the client's SDK asks again because the last answer was a failure. A recording
        holds what came of all attempts, so it gets the same failure again.
        """
        whole = self._whole(request)
        with self._lock:
            key = conversation.exact(conversation.turns(whole))
            if retry and self._failed is not None and self._failed[0] == key:
                return self._failed[1]
            found = self._find(request, whole)
            if found is None:
                return None
            call, fidelity = found
            call.used = True
            served = self._served(self._calls.index(call), fidelity)
            self._failed = (key, served) if served.answer.error is not None else None
            self._said[response_id(served.answer)] = (*whole, *served.answer.messages)
            return served

    def at(self, number: int) -> RecordedAnswer | None:
        """The answer of the n-th model call (from 1), whatever was asked."""
        with self._lock:
            if not 1 <= number <= len(self._calls):
                return None
            self._calls[number - 1].used = True
            return self._served(number - 1, "exact")

    def unconsumed(self) -> tuple[str, ...]:
        """The recorded model calls that were never made, as ``"2 gpt-5"``."""
        return tuple(
            f"{n} {c.step.model or 'model'}" for n, c in enumerate(self._calls, 1) if not c.used
        )

    def explain_miss(self, request: LlmRequest) -> str:
        """Why this call has no answer: for reports and errors."""
        if not self._calls:
            return "the recording has no model calls"
        asked = conversation.turns(self._whole(request), instructions=not self._ignore)
        shared = [_shared(call.turns, asked) for call in self._calls]
        near = [c for c, same in zip(self._calls, shared, strict=True) if same == max(shared)]
        best = max(near[:_MAX_NEAR], key=lambda call: _alike(call.turns, asked, max(shared)))
        place = f"model call {self._calls.index(best) + 1} of {len(self._calls)}"
        if conversation.normal(best.turns) == conversation.normal(asked):
            unlike = _unlike(best.step, request)
            if unlike:
                return f"another model or other tools were asked this; at {place}: {unlike}"
            if not best.step.output and best.step.error is None:
                return f"a model was asked this at {place}, but its answer is not recorded"
            return f"a model was already answered this ({place}): asked again"
        # What they share is left out, in its place: the paths stay what they are.
        gap, end = [None] * max(shared), max(shared) + _MAX_TURNS
        recorded, other = ([*gap, *turns[max(shared) : end]] for turns in (best.turns, asked))
        found = apart({"messages": recorded}, {"messages": other})
        shown = "; ".join(f"${difference}" for difference in found)
        return f"a model was never asked this; nearest is {place}: {shown}"

    def _prepared(self, step: LLMCall) -> _Call:
        instructed = not self._ignore and any(m.role in ("system", "developer") for m in step.input)
        turns = conversation.turns(step.input, instructions=instructed)
        return _Call(
            step=step,
            turns=turns,
            exact=conversation.exact(turns),
            instructed=instructed,
            # Spans without content hold no answer: nothing can be made of them.
            used=not step.output and step.error is None,
        )

    def _whole(self, request: LlmRequest) -> tuple[Message, ...]:
        """The messages with those before them, where the request only refers to them."""
        before = request.params.get("previous_response_id")
        if not isinstance(before, str) or before not in self._said:
            return request.messages
        head = tuple(m for m in request.messages if m.role in ("system", "developer"))
        earlier = tuple(m for m in self._said[before] if m.role not in ("system", "developer"))
        return (*head, *earlier, *(m for m in request.messages if m not in head))

    def _find(
        self, request: LlmRequest, whole: tuple[Message, ...]
    ) -> tuple[_Call, Fidelity] | None:
        """Exact before normal, then in the order of the recording."""
        free = [c for c in self._calls if not c.used and not _unlike(c.step, request)]
        # A span that holds no instructions does not say that there were none.
        either = (whole,) if whole is request.messages else (whole, request.messages)
        for messages in either:
            asked = {
                instructed: conversation.turns(messages, instructions=instructed)
                for instructed in {c.instructed for c in free}
            }
            exact = {i: conversation.exact(turns) for i, turns in asked.items()}
            for call in free:
                if call.exact == exact[call.instructed]:
                    return call, _graded(call, request)
            normal = {i: conversation.normal(turns) for i, turns in asked.items()}
            for call in free:
                same = len(call.turns) == len(asked[call.instructed])
                if same and call.normal == normal[call.instructed]:
                    return call, "normalized"
        return None

    def _served(self, index: int, fidelity: Fidelity) -> RecordedAnswer:
        step = self._calls[index].step
        answer = LlmAnswer.of(step, seed=f"{self._trace_id}\0{index}")
        return RecordedAnswer(answer=answer, number=index + 1, fidelity=fidelity, call=step)


def response_id(answer: LlmAnswer) -> str:
    """The id under which the responses API knows an answer."""
    return f"resp_{answer.made_up('response', length=48)}"


def _graded(call: _Call, request: LlmRequest) -> Fidelity:
    """Exact if all that the span holds is the same: its instructions and its tools too."""
    has_instructions = any(m.role in ("system", "developer") for m in request.messages)
    if (has_instructions and not call.instructed) or conversation.MEDIA in call.exact:
        return "normalized"
    asked = {t.name: normal_key(t.parameters) for t in request.tools}
    recorded = (t for t in call.step.tools if t.parameters is not None)
    same = all(asked.get(t.name) == normal_key(t.parameters) for t in recorded)
    return "exact" if same else "normalized"


def _unlike(step: LLMCall, request: LlmRequest) -> str:
    """What sets the two apart besides what was said. Empty where the recording does not tell."""
    if step.model and request.model and not _same_model(step.model, request.model):
        return f"$.model: {step.model!r} != {request.model!r}"
    recorded, asked = ({t.name for t in tools} for tools in (step.tools, request.tools))
    if recorded and recorded != asked:
        gone = [f"-{name}" for name in sorted(recorded - asked)]
        new = [f"+{name}" for name in sorted(asked - recorded)]
        return f"$.tools: {', '.join((gone + new)[:8])}"
    return ""


def _same_model(one: str, other: str) -> bool:
    """Spans hold the name that was asked for, or the dated one that answered."""
    left, right = (name.rpartition("/")[2].lower() for name in (one, other))
    return left == right or any(
        longer.startswith(shorter) and _DATED.fullmatch(longer[len(shorter) :]) is not None
        for shorter, longer in ((left, right), (right, left))
    )


def _shared(recorded: _Turns, asked: _Turns) -> int:
    """How many turns two conversations go the same way."""
    same = 0
    for one, other in zip(recorded, asked, strict=False):
        if one != other and conversation.normal([one]) != conversation.normal([other]):
            break
        same += 1
    return same


def _alike(recorded: _Turns, asked: _Turns, shared: int) -> float:
    """How alike they go on: the less one has to be longer than the other, the better."""
    end = shared + _MAX_TURNS
    close = likeness(recorded[shared:end], asked[shared:end])
    return close - abs(len(recorded) - len(asked))
