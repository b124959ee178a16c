"""A fault plan: rules and a seed, as data that is saved with the run and gives it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anonymize.errors import UsageError
from anonymize.jsontools import JsonError, dumps, loads
from replay.faults.interface import Answer
from replay.faults.rule import Effect, FaultRule
from replay.faults.spec import rule_from_table, rule_to_table


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultProof:
    """What became of one rule at one call.

    ``call_index`` is the place among the trace's tool calls, from 0. ``offered``: the rule's
    target was called, so the fault had its chance. ``landed``: the agent got something else than
    it would have got without. ``seen``: what it got, as a kind and a digest.
    """

    rule: str
    trace_id: str
    call_index: int
    offered: bool = True
    landed: bool = False
    seen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """Rules, tried in order: the first that hits a call wins. No rules change nothing."""

    rules: tuple[FaultRule, ...] = ()
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """As plain data, for the run's folder and the fingerprint."""
        return {"version": 1, "seed": self.seed, "rules": [rule_to_table(r) for r in self.rules]}

    @classmethod
    def from_json(cls, data: Any, where: str = "fault plan") -> FaultPlan:
        """The plan that :meth:`to_json` wrote. Raises :class:`UsageError` if it is not one."""
        if not isinstance(data, dict) or not isinstance(data.get("rules"), list):
            raise UsageError("this is not a fault plan", where=where, fix="expected {rules: [...]}")
        seed = data.get("seed", 0)
        if data.get("version", 1) != 1 or type(seed) is not int:
            raise UsageError("this fault plan is of another version", where=where)
        rules = (rule_from_table(r, f"{where}: rules[{i}]") for i, r in enumerate(data["rules"]))
        return cls(rules=tuple(rules), seed=seed)

    def save(self, path: Path) -> None:
        """Write the plan as JSON."""
        path.write_text(dumps(self.to_json()) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> FaultPlan:
        """Read a saved plan. Raises :class:`UsageError` naming the file."""
        try:
            return cls.from_json(loads(path.read_bytes()), str(path))
        except OSError as error:
            raise UsageError(
                f"the fault plan can't be read: {error.strerror}", where=str(path)
            ) from None
        except JsonError as error:
            raise UsageError(f"the fault plan is {error}", where=str(path)) from None


class FaultInjector:
    """Applies a plan to the calls of one trace, and keeps the proofs."""

    def __init__(
        self, plan: FaultPlan, trace_id: str, effect_of: Callable[[str], Effect | None]
    ) -> None:
        # A rule that can't ever hit leaves no mark at all: a rate of 0 is the run without it.
        self._rules = tuple(r for r in plan.rules if r.p > 0)
        self._seed = plan.seed
        self._trace_id = trace_id
        self._effect_of = effect_of
        self._calls: Counter[int] = Counter()
        self.proofs: list[FaultProof] = []

    def strike(
        self, tool: str, call_index: int, answer: Answer | None
    ) -> tuple[Answer, FaultRule] | None:
        """The answer that the agent gets instead, and by which rule; ``None``: no fault landed.

        ``answer`` is the recorded one (``None``: there is none). Later rules count the call too,
        so that "the second call" means the same whatever other rules do.
        """
        if not self._rules:
            return None
        struck: tuple[Answer, FaultRule] | None = None
        effect = self._effect_of(tool) if any(r.effect for r in self._rules) else None
        for number, rule in enumerate(self._rules):
            if not rule.targets(tool, effect):
                continue
            self._calls[number] += 1
            random = rule.random(self._seed, self._trace_id, self._calls[number])
            if struck is None and rule.hits(self._calls[number], random):
                changed = rule.fault.apply(answer, random)
                landed = changed != answer
                self._prove(rule, call_index, landed=landed, seen=changed.seen)
                if landed:
                    struck = (changed, rule)
            elif rule.call in (None, self._calls[number]):
                self._prove(rule, call_index)
        return struck

    def _prove(
        self, rule: FaultRule, call_index: int, *, landed: bool = False, seen: str = ""
    ) -> None:
        proof = FaultProof(
            rule=rule.name,
            trace_id=self._trace_id,
            call_index=call_index,
            landed=landed,
            seen=seen,
        )
        self.proofs.append(proof)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultTally:
    """How one rule fared over a run: calls and traces, and how many of them it reached."""

    rule: str
    offered: int = 0
    landed: int = 0
    traces: int = 0

    @property
    def verdict(self) -> str:
        """One plain sentence; a fault that never landed proves nothing, and says so."""
        if self.landed:
            return f"{self.rule}: landed {self.landed} times in {self.traces} traces"
        if self.offered:
            return f"{self.rule}: DID NOT LAND: offered {self.offered} times, changed no answer"
        return f"{self.rule}: DID NOT LAND: no trace made a call that it targets"


def tally(plan: FaultPlan, proofs: Iterable[FaultProof]) -> list[FaultTally]:
    """One line for each rule of the plan, those that never got a chance included."""
    offered: Counter[str] = Counter()
    landed: Counter[str] = Counter()
    traces: dict[str, set[str]] = {}
    for proof in proofs:
        offered[proof.rule] += proof.offered
        landed[proof.rule] += proof.landed
        if proof.landed:
            traces.setdefault(proof.rule, set()).add(proof.trace_id)
    names = dict.fromkeys(rule.name for rule in plan.rules)
    return [
        FaultTally(rule=n, offered=offered[n], landed=landed[n], traces=len(traces.get(n, ())))
        for n in names
    ]
