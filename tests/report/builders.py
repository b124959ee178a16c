"""Small builders for comparisons and their documents."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from replay.compare.model import (
    ActionView,
    BehaviourGroup,
    DatasetDiff,
    Divergence,
    TraceDiff,
)
from replay.report import RunInfo, to_json

WRITES = {"issue_refund", "cancel_order", "change_address", "send_email", "create_ticket"}


def make_action(index: int, name: str, arguments: Any = None, result: Any = None, **more: Any):
    """One action; a write when the demo's shop says so."""
    fields: dict[str, Any] = {
        "kind": "tool",
        "error": None,
        "effect": "write" if name in WRITES else "read",
        "fidelity": None,
        "matched_to": None,
        "exact": False,
        "fault": None,
        **more,
    }
    return ActionView(index=index, name=name, arguments=arguments, result=result, **fields)


def make_sides(
    left: list[tuple[Any, ...]], right: list[tuple[Any, ...]]
) -> tuple[tuple[ActionView, ...], tuple[ActionView, ...]]:
    """Two sides from ``(name, arguments, result[, fields])``.

    A candidate action says ``matched_to`` in its fields, or takes the first free baseline
    action with its name.
    """
    old = [make_action(i, *a[:3], **(a[3] if len(a) > 3 else {})) for i, a in enumerate(left)]
    new: list[ActionView] = []
    taken: set[int] = set()
    for j, item in enumerate(right):
        fields = {"fidelity": "exact", **(item[3] if len(item) > 3 else {})}
        if "matched_to" not in fields:
            free = (a.index for a in old if a.name == item[0] and a.index not in taken)
            fields["matched_to"] = next(free, None)
        match = fields["matched_to"]
        if match is not None:
            taken.add(match)
            fields["exact"] = (old[match].name, old[match].arguments) == (item[0], item[1])
            old[match] = old[match]._replace(matched_to=j, exact=fields["exact"])
        new.append(make_action(j, *item[:3], **fields))
    return tuple(old), tuple(new)


def make_divergence(code: str, severity: str, why: str, **more: Any) -> Divergence:
    """One divergence whose signature is its code unless given."""
    more.setdefault("signature", f"sig:{code}")
    return Divergence(code=code, severity=severity, why=why, **more)  # type: ignore[arg-type]


def make_pair(trace_id: str = "t-1", verdict: str = "same", **more: Any) -> TraceDiff:
    """One compared pair."""
    fields: dict[str, Any] = {
        "candidate_trace_id": trace_id,
        "reason": "no difference" if verdict == "same" else "something differs",
        "fidelity": 1.0,
        "input": "Where is my order?",
        "baseline_output": "It is on its way.",
        "candidate_output": "It is on its way.",
        **more,
    }
    return TraceDiff(trace_id=trace_id, verdict=verdict, **fields)  # type: ignore[arg-type]


def make_diff(*pairs: TraceDiff, **more: Any) -> DatasetDiff:
    """A dataset diff of these pairs with one group for each main divergence's signature."""
    found: dict[str, list[tuple[TraceDiff, Divergence]]] = {}
    for pair in pairs:
        for signature, divergence in {d.signature: d for d in pair.main_divergences}.items():
            found.setdefault(signature, []).append((pair, divergence))
    groups = [
        BehaviourGroup(
            id=f"{abs(hash(signature)) % 16**8:08x}" if signature == "" else signature[-8:],
            title=members[0][1].why.rstrip("."),
            code=members[0][1].code,
            severity=members[0][1].severity,
            verdict=members[0][0].verdict,
            trace_ids=tuple(pair.trace_id for pair, _ in members),
            example=members[0][0].trace_id,
            signature=signature,
            why=members[0][1].why,
            tools=members[0][1].tools,
        )
        for signature, members in found.items()
    ]
    regressed = any(p.verdict == "regressed" for p in pairs)
    fields: dict[str, Any] = {
        "verdict": "regressed" if regressed else "pass",
        "reason": "some traces regressed" if regressed else "no trace regressed",
        "groups": tuple(groups),
        **more,
    }
    return DatasetDiff(pairs=tuple(pairs), **fields)


def make_run(**more: Any) -> RunInfo:
    """What is known of the demo run."""
    fields: dict[str, Any] = {
        "run_id": "2026-03-04-v2-7c1e",
        "candidate": "v2",
        "baseline": "v1",
        "exit_code": 1,
        "started_at": datetime(2026, 3, 4, 3, 0, 12, tzinfo=UTC),
        "duration_s": 41.7,
        "config": "replay.toml",
        "seed": 7,
        "reproduce": "replay run v2 --trace {trace_id}",
        "fidelity_threshold": 0.5,
        "traces_read": 218,
        "traces_replayed": 164,
        "traces_reused": 48,
        "skipped": {"not JSON (line 7)": 2},
        "quarantined": {"a field of 50 MB is beyond what can be scrubbed": 1},
        "versions": {"replay": "0.1.0", "python": "3.11.9", "presidio-analyzer": "2.2.360"},
        **more,
    }
    return RunInfo(**fields)


def make_document(*pairs: TraceDiff, **run: Any) -> dict[str, Any]:
    """The document of a few pairs."""
    return to_json(make_diff(*pairs), make_run(**run))
