"""The report's section on faults, as plain JSON: drawn from rows and proofs alone."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from replay.faults.plan import FaultPlan, FaultProof, FaultTally, tally
from replay.report.text import shell_word
from replay.resilience.contracts import BUILT_IN
from replay.resilience.rows import OutcomeRow, Side
from replay.resilience.scorecard import LEVEL, Cell, Line, scorecard
from replay.resilience.verdict import KINDS, FaultVerdict, counts

#: Traces named in one group of outcomes; all are in ``outcomes.jsonl``.
_MOST_IDS = 200


def section(
    plan: FaultPlan,
    agents: Mapping[Side, str],
    rows: Sequence[OutcomeRow],
    proofs: Mapping[Side, Sequence[FaultProof]],
    verdict: FaultVerdict,
    *,
    own_contracts: Sequence[str] = (),
    reproduce: str = "",
) -> dict[str, Any]:
    """``reproduce`` is the command that does one trace of the candidate again, with ``{trace_id}``
    where its id goes.
    """
    card = scorecard(rows, own_contracts)
    two = "baseline" in agents
    return {
        "plan": {"name": plan.name, "seed": plan.seed, "rules": [r.name for r in plan.rules]},
        "agents": {"candidate": agents["candidate"], "baseline": agents.get("baseline")},
        "verdict": dataclasses.asdict(verdict) | {n: list(getattr(verdict, n)) for n in _LISTS},
        "counts": {
            "candidate": counts(rows, "candidate"),
            "baseline": counts(rows, "baseline") if two else None,
        },
        "level": LEVEL,
        "total": _line(card.total),
        "tools": [_line(line) for line in card.tools],
        "contracts": [_line(line) | {"about": _about(line.what)} for line in card.contracts],
        "outcomes": _groups(rows, reproduce),
        "proofs": [
            _proof(one, side, found) for side, found in proofs.items() for one in tally(plan, found)
        ],
    }


_LISTS = ("worse", "both", "better")


def _about(contract: str) -> str:
    return BUILT_IN.get(contract, "told in the config")


def _line(line: Line) -> dict[str, Any]:
    return {
        "what": line.what,
        "fault": line.fault,
        "candidate": _cell(line.candidate),
        "baseline": None if line.baseline is None else _cell(line.baseline),
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return dataclasses.asdict(cell)


def _groups(rows: Sequence[OutcomeRow], reproduce: str) -> list[dict[str, Any]]:
    """Outcomes with one signature and one set of faults, worst first; the first is the example."""
    found: dict[tuple[str, str, tuple[str, ...], tuple[str, ...]], list[OutcomeRow]] = defaultdict(
        list
    )
    for row in rows:
        faults = tuple(sorted({x.fault for x in row.landed}))
        found[row.side, row.outcome.signature, faults, row.own_contracts].append(row)
    ranked = sorted(
        found.values(),
        key=lambda g: (
            not any(r.failed for r in g),
            KINDS.index(g[0].outcome.kind),
            g[0].side != "candidate",
            -len(g),
            g[0].outcome.signature,
        ),
    )
    return [_group(group, reproduce) for group in ranked]


def _group(rows: Sequence[OutcomeRow], reproduce: str) -> dict[str, Any]:
    first = rows[0]
    ours = first.side == "candidate" and first.failed
    return {
        "side": first.side,
        "agent": first.agent,
        "kind": first.outcome.kind,
        "failed": first.failed,
        "why": first.outcome.why,
        "signature": first.outcome.signature,
        "count": len(rows),
        "faults": sorted({x.fault for x in first.landed}),
        "places": sorted({x.place for x in first.landed}),
        "tools": list(first.outcome.tools),
        "contracts": list(dict.fromkeys(c for r in rows for c in r.outcome.contracts)),
        "example": first.trace_id,
        "step": first.outcome.step,
        "trace_ids": [r.trace_id for r in rows[:_MOST_IDS]],
        "reproduce": reproduce.replace("{trace_id}", shell_word(first.trace_id)) if ours else "",
    }


def _proof(one: FaultTally, side: Side, proofs: Sequence[FaultProof]) -> dict[str, Any]:
    landed = [p for p in proofs if p.landed and p.rule == one.rule]
    masked = sum(p.masked for p in landed)
    return {
        "side": side,
        "rule": one.rule,
        "offered": one.offered,
        "landed": one.landed,
        "traces": one.traces,
        "seen": len(landed) - masked,
        "retried": sum(p.retried for p in landed),
        "masked": masked,
        "example": landed[0].seen if landed else "",
        "sentence": one.verdict,
    }
