"""Who answers the model calls of one replay: the recording, or a real model.

    live       a real model answers each call
    recorded   the recording answers; a call that it does not hold ends the run
    hybrid     the recording answers what it holds, a real model the rest

What a cassette holds from an earlier run is played before a real model is asked; in recorded mode
before the recording, too.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Literal

from anonymize.trace import Fidelity, LLMCall
from replay.errors import BrokenReplay, StopReplay
from replay.wire.interface import LlmRequest
from replay.wire.recorded import RecordedAnswer, RecordedModel

Mode = Literal["live", "recorded", "hybrid"]
_MAX_MISSES = 20


class StepDone(StopReplay):
    """The one model call that this pass was for is answered, and the agent has acted on it."""


class Models:
    """The model side of a recorded world. Safe between threads.

    ``forced`` model calls get the recorded answers in their order, whatever they ask; then one is
    free, and the next ends the run with :class:`StepDone`. ``None``: all are free.
    """

    def __init__(
        self,
        calls: Sequence[LLMCall] = (),
        trace_id: str = "",
        *,
        mode: Mode = "live",
        ignore_instructions: bool = False,
        forced: int | None = None,
    ) -> None:
        self.mode: Mode = mode
        self.recorded = RecordedModel(calls, trace_id, ignore_instructions=ignore_instructions)
        self.misses: list[str] = []
        self.fidelities: list[Fidelity] = []
        self._forced = forced
        self._number = 0
        self._lock = threading.Lock()

    @property
    def plays(self) -> bool:
        """Whether a recorded answer can come of a call at all."""
        return bool(len(self.recorded)) and (self.mode != "live" or self._forced is not None)

    def forced(self, *, retry: bool = False) -> RecordedAnswer | None:
        """A model call begins. Its answer, if that is settled before anything is looked up.

        Raises:
            StepDone: this pass is over.
        """
        with self._lock:
            self._number += not retry
            number = max(1, self._number)
        if self._forced is None or number == self._forced + 1:
            return None
        if number > self._forced + 1:
            raise StepDone("the step is done")
        return self.recorded.at(number)

    def answer(self, request: LlmRequest, *, retry: bool = False) -> RecordedAnswer | None:
        """The recorded answer, or ``None``: a real model has to be asked.

        Raises:
            StopReplay: only the recording may answer, and it does not hold this call.
            BrokenReplay: the same, and the recording holds no model calls at all.
        """
        if self.mode == "live":
            return None
        found = self.recorded.answer(request, retry=retry)
        if found is not None:
            with self._lock:
                self.fidelities.append(found.fidelity)
            return found
        why = self.recorded.explain_miss(request)
        with self._lock:
            if why not in self.misses and len(self.misses) < _MAX_MISSES:
                self.misses.append(why)
        if self.mode == "hybrid":
            return None
        if not len(self.recorded):
            raise BrokenReplay(f'[llm] mode is "recorded", and {why}')
        raise StopReplay(f"stopped at a model call that was not recorded: {why}")

    def unconsumed(self) -> tuple[str, ...]:
        """The recorded model calls that were never made, if the recording was to answer."""
        return self.recorded.unconsumed() if self.fidelities and self.mode != "live" else ()

    def answered(self, fidelity: Fidelity) -> None:
        """A call was answered by something else: a cassette (``exact``), or a real model."""
        with self._lock:
            self.fidelities.append(fidelity)
