"""What the replay of one trace gave: the candidate's trace, and how far it can be trusted."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from anonymize.jsontools import dumps
from anonymize.trace import Trace
from replay.faults.plan import FaultProof

#: ``ok``: the agent answered. ``agent_error``: it raised, as it would have in production.
#: ``stopped``: its run was ended on purpose (a miss, a budget). ``broken``: the harness or the
#: environment failed, so nothing can be said about the agent.
Status = Literal["ok", "agent_error", "stopped", "broken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """One replayed trace.

    ``fidelity`` is the share (0-1) of tool answers that were ``exact`` or ``normalized``; 1.0
    where the agent called no tool. ``first_counterfactual`` is the index among the tool calls of
    the first answer that was neither: what follows did not happen in production's world.
    ``unconsumed`` lists recorded calls that the agent never made (``"2 get_order"``).
    ``broken_reason`` says why a run is ``broken`` or ``stopped``. ``misses`` explain each
    unanswered call; ``blocked`` names what was refused at the network. ``printed`` is what the
    agent wrote to its standard streams (bounded, unscrubbed: never store it). ``wall_ms`` is
    real time; it is not part of the trace, which is the same on a slow machine.
    """

    trace: Trace
    status: Status
    broken_reason: str | None = None
    fidelity: float = 1.0
    first_counterfactual: int | None = None
    unconsumed: tuple[str, ...] = ()
    faults: tuple[FaultProof, ...] = ()
    misses: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    printed: str = ""
    wall_ms: float = 0.0

    def tagged(self) -> ReplayResult:
        """The same with its figures as ``replay.*`` tags on the trace.

        So a stored replay stands alone. Only what is not the default becomes a tag, and faults
        only where they landed: a plan that changed nothing leaves an identical trace.
        """
        tags = {k: v for k, v in self.trace.tags.items() if not k.startswith("replay.")}
        tags["replay.status"] = self.status
        tags["replay.fidelity"] = f"{self.fidelity:.4f}"
        if self.broken_reason is not None:
            tags["replay.broken_reason"] = self.broken_reason
        if self.first_counterfactual is not None:
            tags["replay.first_counterfactual"] = str(self.first_counterfactual)
        if self.unconsumed:
            tags["replay.unconsumed"] = dumps(list(self.unconsumed))
        landed = [dataclasses.asdict(proof) for proof in self.faults if proof.landed]
        if landed:
            tags["replay.faults"] = dumps(landed)
        trace = dataclasses.replace(self.trace, tags=tags)
        return dataclasses.replace(self, trace=trace)
