"""A comparison as one versioned JSON document: what every rendering and every script reads."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from itertools import pairwise
from typing import Any

from anonymize.trace import StepError
from replay.compare.model import (
    ActionView,
    DatasetDiff,
    Divergence,
    Figures,
    Metrics,
    TraceDiff,
)
from replay.compare.tools import ToolInfo
from replay.faults.plan import FaultProof, FaultTally
from replay.report.contracts import contract_rows
from replay.report.groups import group_entry, shares_of
from replay.report.sentence import sentence
from replay.report.statistics import statistics_of
from replay.report.text import shell_word
from replay.report.tidy import tidy

SCHEMA_VERSION = "1"

#: What is said of traces whose store nobody asked about.
NOT_AUDITED: Mapping[str, Any] = {
    "status": "not audited",
    "sentence": "The traces were not audited: they have no receipt.",
    "receipts": [],
    "count": 0,
}

#: Steps of the fidelity distribution: from each to the next; the last is exactly 1.
FIDELITY_STEPS = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """What a report has to say about the run besides the comparison.

    ``config`` is the config file as it was named. ``reproduce`` is the command that does one
    trace again, with ``{trace_id}`` where its id goes (it is quoted for the shell). ``skipped``
    and ``quarantined`` count input by reason. ``duration_s`` is wall time in seconds.
    ``tools`` is what ``ToolCatalog.known()`` says after the comparison; ``faults`` what
    ``replay.faults.tally`` says, with the proofs behind it. ``versions`` are programs and
    packages that can change a result, by name. ``privacy`` is what ``replay.privacy`` says.
    ``resilience`` is what ``replay.resilience.section`` says of a run under faults: its verdict is
    the run's. ``noise`` is what ``replay.noise.section`` says of a run without faults.
    ``budget`` is what ``replay.nights.partial.section`` says of a run that had one, ``night`` what
    ``replay.nights.section`` says of those before it.
    """

    run_id: str
    candidate: str
    baseline: str
    exit_code: int
    started_at: datetime | None = None
    duration_s: float | None = None
    config: str = ""
    seed: int | None = None
    reproduce: str = ""
    fidelity_threshold: float | None = None
    traces_read: int = 0
    traces_replayed: int = 0
    traces_reused: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    quarantined: Mapping[str, int] = field(default_factory=dict)
    tools: tuple[ToolInfo, ...] = ()
    faults: tuple[FaultTally, ...] = ()
    fault_proofs: tuple[FaultProof, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    privacy: Mapping[str, Any] = field(default_factory=lambda: dict(NOT_AUDITED))
    resilience: Mapping[str, Any] | None = None
    noise: Mapping[str, Any] | None = None
    budget: Mapping[str, Any] | None = None
    night: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.reproduce and "{trace_id}" not in self.reproduce:
            raise ValueError("RunInfo.reproduce needs {trace_id} where the trace's id goes")


def load_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the document."""
    text = files("replay.report").joinpath("schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def to_json(diff: DatasetDiff, run: RunInfo) -> dict[str, Any]:
    """The document for ``schema.json``: plain JSON values, complete, nothing cut.

    Pairs without any difference carry no steps: they are in the datasets.
    """
    groups_of: dict[str, list[str]] = {}
    for group in diff.groups:
        for trace_id in group.trace_ids:
            groups_of.setdefault(trace_id, []).append(group.id)
    counts, share_of = _counts(diff, run), shares_of(diff)
    return tidy(
        {
            "version": SCHEMA_VERSION,
            "generator": f"replay {_own_version()}",
            "verdict": _verdict(diff, run),
            "run": _run(run),
            "counts": counts,
            "metrics": _metrics(diff.metrics),
            "groups": [group_entry(g, share_of, _command(run, g.example)) for g in diff.groups],
            "quiet_groups": [
                group_entry(g, share_of, _command(run, g.example)) for g in diff.quiet_groups
            ],
            "notes": list(diff.notes),
            **({"contracts": contract_rows(diff.contracts, diff.pairs)} if diff.contracts else {}),
            "traces": [_trace(p, groups_of.get(p.trace_id, []), run) for p in diff.pairs],
            "trust": _trust(diff, run),
            "statistics": statistics_of(diff),
            **{
                name: dict(part)
                for name in ("noise", "resilience", "budget", "night")
                if (part := getattr(run, name)) is not None
            },
        }
    )


def _verdict(diff: DatasetDiff, run: RunInfo) -> dict[str, Any]:
    said = {
        "status": diff.verdict,
        "sentence": sentence(diff, run.candidate, run.baseline),
        "reason": diff.reason,
    }
    if run.resilience is not None:
        # What the faults did is no regression of the version; how it took them is what is asked.
        said = {key: run.resilience["verdict"][key] for key in said}
    if run.budget is not None and run.budget["sentence"]:
        said["sentence"] += f" {run.budget['sentence']}"
    past = run.night.get("past") if run.night is not None else None
    if past is not None and past["status"] == "regressed":
        if said["status"] in ("pass", "inconclusive"):
            said |= {"status": "regressed", "reason": past["sentence"]}
            said["sentence"] = f"{past['sentence']} Otherwise: {said['sentence']}"
        else:
            said["sentence"] += f" {past['sentence']}"
    if run.night is not None and run.night["verdict"] is not None:
        said = {key: run.night["verdict"][key] for key in said}  # a night without traffic
    return {**said, "exit_code": run.exit_code}


def _run(run: RunInfo) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "candidate": run.candidate,
        "baseline": run.baseline,
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "duration_s": run.duration_s,
        "config": run.config,
        "seed": run.seed,
        "reproduce": run.reproduce,
        "versions": dict(run.versions),
        "fidelity_threshold": run.fidelity_threshold,
    }


def _counts(diff: DatasetDiff, run: RunInfo) -> dict[str, Any]:
    verdicts = Counter(pair.verdict for pair in diff.pairs)
    counts: dict[str, Any] = {
        "read": run.traces_read,
        "replayed": run.traces_replayed,
        "reused": run.traces_reused,
        "compared": len(diff.pairs),
        "same": verdicts["same"],
        "changed": verdicts["changed"],
        "regressed": verdicts["regressed"],
        "improved": verdicts["improved"],
        "inconclusive": verdicts["inconclusive"],
        "broken": verdicts["broken"],
        "not_replayable": len(diff.not_replayable),
        "unpaired_baseline": len(diff.unpaired_baseline),
        "unpaired_candidate": len(diff.unpaired_candidate),
        "skipped": sum(run.skipped.values()),
        "quarantined": sum(run.quarantined.values()),
    }
    more = (
        "divergences",
        "calls",
        "exact_calls",
        "identical_sequences",
        "fully_matched",
        "same_state",
    )
    for name in (*more, "codes", "outcomes"):
        if name in diff.counts:
            counts[name] = diff.counts[name]
    return counts


def _figures(figures: Figures) -> dict[str, float | None]:
    return {field.name: getattr(figures, field.name) for field in dataclasses.fields(figures)}


def _metrics(metrics: Metrics) -> dict[str, Any]:
    return {"baseline": _figures(metrics.baseline), "candidate": _figures(metrics.candidate)}


def _trace(pair: TraceDiff, groups: Sequence[str], run: RunInfo) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "trace_id": pair.trace_id,
        "candidate_trace_id": pair.candidate_trace_id,
        "session_id": pair.session_id,
        "pair_key": pair.pair_key,
        "verdict": pair.verdict,
        "reason": pair.reason,
        "fidelity": pair.fidelity,
        "state": pair.state,
        "weight": pair.weight,
        "flaky": pair.flaky,
        "groups": list(groups),
        "divergences": [_divergence(d) for d in pair.divergences],
        "reproduce": _command(run, pair.trace_id),
    }
    if pair.verdict != "same" or pair.divergences:
        entry["input"] = pair.input
        entry["baseline"] = {
            "actions": [_action(a) for a in pair.baseline_actions],
            "output": pair.baseline_output,
            "error": _error(pair.baseline_error),
            "metrics": _figures(pair.metrics.baseline),
        }
        entry["candidate"] = {
            "actions": [_action(a) for a in pair.candidate_actions],
            "output": pair.candidate_output,
            "error": _error(pair.candidate_error),
            "metrics": _figures(pair.metrics.candidate),
        }
    return entry


def _divergence(divergence: Divergence) -> dict[str, Any]:
    return {
        "code": divergence.code,
        "kind": divergence.kind,
        "step": divergence.step,
        "side": divergence.side,
        "path": divergence.path,
        "recorded": divergence.recorded,
        "replayed": divergence.replayed,
        "severity": divergence.severity,
        "why": divergence.why,
        "counterfactual": divergence.counterfactual,
        "tools": list(divergence.tools),
        "signature": divergence.signature,
        "cause": divergence.cause,
        "quiet": divergence.quiet,
        "rejected": divergence.rejected,
    }


def _action(action: ActionView) -> dict[str, Any]:
    return {**action._asdict(), "error": _error(action.error)}


def _error(error: StepError | None) -> dict[str, str] | None:
    return None if error is None else {"kind": error.kind, "message": error.message}


def _trust(diff: DatasetDiff, run: RunInfo) -> dict[str, Any]:
    proofs: dict[str, list[dict[str, Any]]] = {}
    for proof in run.fault_proofs:
        proofs.setdefault(proof.rule, []).append(
            {
                "trace_id": proof.trace_id,
                "call_index": proof.call_index,
                "landed": proof.landed,
                "seen": proof.seen,
            }
        )
    return {
        "fidelity": _fidelity([pair.fidelity for pair in diff.pairs]),
        "not_replayable": [{"trace_id": t, "reason": r} for t, r in diff.not_replayable],
        "unpaired_baseline": list(diff.unpaired_baseline),
        "unpaired_candidate": list(diff.unpaired_candidate),
        "skipped": _reasons(run.skipped),
        "quarantined": _reasons(run.quarantined),
        "privacy": dict(run.privacy),
        "tools": [
            {
                "name": tool.name,
                "effect": tool.effect,
                "declared": tool.declared,
                "why": tool.why,
                "guard": tool.guard,
                "guard_why": tool.guard_why,
                "requires": list(tool.requires),
                "mode": tool.mode if tool.effect == "write" else "",
                "mode_why": tool.mode_why,
            }
            for tool in run.tools
        ],
        "faults": [
            {
                "rule": fault.rule,
                "offered": fault.offered,
                "landed": fault.landed,
                "traces": fault.traces,
                "sentence": fault.verdict,
                "proofs": proofs.get(fault.rule, []),
            }
            for fault in run.faults
        ],
    }


def _fidelity(values: Sequence[float | None]) -> list[dict[str, Any]]:
    """The distribution, best first; empty where nothing was replayed."""
    known = [v for v in values if v is not None]
    if not known:
        return []
    bins: list[dict[str, Any]] = [{"from": 1.0, "to": 1.0, "count": sum(v >= 1 for v in known)}]
    for low, high in reversed(list(pairwise(FIDELITY_STEPS))):
        bins.append({"from": low, "to": high, "count": sum(low <= v < high for v in known)})
    if len(known) < len(values):
        bins.append({"from": None, "to": None, "count": len(values) - len(known)})
    return bins


def _reasons(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"reason": reason, "count": count} for reason, count in ranked]


def _command(run: RunInfo, trace_id: str) -> str:
    return run.reproduce.replace("{trace_id}", shell_word(trace_id))


def _own_version() -> str:
    try:
        return version("replay-harness")
    except PackageNotFoundError:
        return "(not installed)"
