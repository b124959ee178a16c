"""Runs held to contracts: alone, or beside the runs of the baseline that they stand for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from anonymize.trace import Trace
from replay.compare.causes import with_causes
from replay.compare.codes import CODES, Severity, rank, severity_rank
from replay.compare.model import ActionView, ContractRow, Divergence, TraceDiff
from replay.compare.record import DRIFT, FIRST, STATUS
from replay.compare.settings import CompareSettings
from replay.compare.text import visible
from replay.compare.tools import ToolCatalog
from replay.compare.verdict import trace_verdict
from replay.contracts.rules import Look
from replay.contracts.user import Contract
from replay.contracts.view import RunView

CODE = "CONTRACT_BROKEN"
_ON_RECORD = ("exact", "normalized", None)


@dataclass(slots=True)
class _Count:
    cases: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    already: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    why: str = ""


class Held:
    """Looks at pairs of runs and counts. ``rows`` says what came of it.

    A contract that the baseline breaks as well is no news: it is counted apart and gives no
    divergence. An unchanged run therefore never differs from itself, whatever is asked of it.
    """

    def __init__(self, contracts: Sequence[Contract], tools: ToolCatalog) -> None:
        self._contracts = contracts
        self._tools = tools
        self._counts = {contract.name: _Count() for contract in contracts}

    def look(
        self, diff: TraceDiff, baseline: Trace, candidate: Trace, settings: CompareSettings
    ) -> TraceDiff:
        """``diff`` with a divergence for each contract that only the candidate breaks."""
        if diff.verdict == "broken" or not self._contracts:
            return diff
        equal = diff.verdict == "same" and diff.identical_sequence and not diff.divergences
        theirs, ours = (RunView.of(t, self._tools) for t in (candidate, baseline))
        found = []
        for contract in self._contracts:
            after = contract.look_at(theirs)
            # Of an equal run that holds there is nothing more to ask.
            before = after if equal and not after.broken else contract.look_at(ours)
            count = self._counts[contract.name]
            if after.applies:
                count.cases.append(diff.trace_id)
            if after.broken and before.broken:
                count.already.append(diff.trace_id)
            elif before.broken:
                count.mended.append(diff.trace_id)
            elif after.broken:
                count.broken.append(diff.trace_id)
                count.why = count.why or after.broken
                found.append((contract, after))
        return _with(diff, found, candidate, settings) if found else diff

    @property
    def rows(self) -> tuple[ContractRow, ...]:
        """One row a contract, in the order of the config."""
        return tuple(
            ContractRow(
                name=contract.name,
                sentence=contract.sentence,
                cases=len(count.cases),
                of=tuple(count.cases),
                broken=tuple(count.broken),
                already=tuple(count.already),
                mended=tuple(count.mended),
                why=count.why,
            )
            for contract in self._contracts
            for count in (self._counts[contract.name],)
        )


def check(
    contracts: Sequence[Contract], traces: Iterable[Trace], tools: ToolCatalog
) -> tuple[ContractRow, ...]:
    """The contracts over runs without a baseline: whatever breaks one is in ``broken``.

    Raises:
        UsageError: a contract's function fails.
    """
    counts = {contract.name: _Count() for contract in contracts}
    for trace in traces:
        tools.describe(trace)
        run = RunView.of(trace, tools)
        for contract in contracts:
            look, count = contract.look_at(run), counts[contract.name]
            if look.applies:
                count.cases.append(trace.trace_id)
            if look.broken:
                count.broken.append(trace.trace_id)
                count.why = count.why or look.broken
    return tuple(
        ContractRow(
            name=contract.name,
            sentence=contract.sentence,
            cases=len(counts[contract.name].cases),
            broken=tuple(counts[contract.name].broken),
            why=counts[contract.name].why,
        )
        for contract in contracts
    )


def _with(
    diff: TraceDiff,
    found: Sequence[tuple[Contract, Look]],
    candidate: Trace,
    settings: CompareSettings,
) -> TraceDiff:
    override = settings.severity.get(CODE)
    if override == "off":
        return diff
    calls = [a for a in diff.candidate_actions if a.kind == "tool"]
    first = _first(diff.candidate_actions, calls, candidate)
    mild = diff.circumstances.outcomes is not None or any(a.fault for a in calls)
    severity: Severity = override or ("major" if mild else CODES[CODE].severity)
    own: list[Divergence] = []
    faces: list[Divergence] = []
    for contract, look in found:
        one = _divergence(contract, look, calls, first, severity)
        main = _face_of(one, diff.divergences)
        if main is None:
            own.append(one)
        else:
            faces.append(dataclasses.replace(one, cause=main.cause or main.signature))
    plain = [dataclasses.replace(d, cause="") for d in diff.divergences]
    settled = (*with_causes(sorted((*plain, *own), key=_order), diff.metrics), *faces)
    divergences = tuple(sorted(settled, key=_order)[: settings.max_divergences])
    verdict, reason = trace_verdict(
        divergences, settings, fidelity=diff.fidelity, circumstances=diff.circumstances
    )
    return dataclasses.replace(
        diff, divergences=divergences, verdict=verdict, reason=visible(reason)
    )


def _order(d: Divergence) -> tuple[bool, int, int, int, str]:
    """The order of :meth:`replay.compare.findings.Findings.worst_first`."""
    step = d.step if d.step is not None else -1
    return (d.counterfactual, severity_rank(d.severity), rank(d.code), step, d.path)


def _face_of(one: Divergence, others: Iterable[Divergence]) -> Divergence | None:
    """The regression that the broken contract is only another name for, if there is one."""
    for d in others:
        if d.severity != "regression" or d.counterfactual != one.counterfactual:
            continue
        if CODES[d.code].area not in ("effect", "hazard"):
            continue
        here = d.step == one.step and d.side == "candidate"
        about = one.step is None and bool(set(d.tools) & set(one.tools))
        if (here and one.step is not None) or about:
            return d
    return None


def _divergence(
    contract: Contract,
    look: Look,
    calls: Sequence[ActionView],
    first: int | None,
    severity: Severity,
) -> Divergence:
    step = calls[look.call].index if look.call is not None and look.call < len(calls) else None
    off = first is not None and (step is None or step > first)
    name = visible(contract.name, 80).replace("|", "/")
    tools = tuple(visible(tool, 80) for tool in contract.tools)
    return Divergence(
        code=CODE,
        severity=severity,
        why=visible(f"the contract '{contract.name}' held and does not any more: {look.broken}"),
        signature="|".join((CODE, "+".join(tools), name, "")),
        step=step,
        counterfactual=off,
        tools=tools,
    )


def _first(
    actions: Sequence[ActionView], calls: Sequence[ActionView], candidate: Trace
) -> int | None:
    """The candidate's action from which on its world is not the recorded one; -1: from the start.

    The rule is that of :mod:`replay.compare.record`, on what a comparison keeps of the actions.
    """
    if candidate.origin != "replayed":
        return None
    if DRIFT in candidate.tags:
        return -1
    off = [a.index for a in actions if a.fidelity not in _ON_RECORD and a.fault is None]
    if off:
        return off[0]
    told = candidate.tags.get(FIRST, "")
    if told.isdecimal() and int(told) < len(calls) and not any(a.fidelity for a in actions):
        return calls[int(told)].index
    if candidate.tags.get(STATUS) == "stopped":
        return max(0, len(actions) - 1)
    return None
