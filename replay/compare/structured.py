"""Answers that are data: two JSON values compared field by field, and data against text."""

from __future__ import annotations

from anonymize.trace import Json
from replay.compare.codes import Severity
from replay.compare.effects import normalised
from replay.compare.explain import Change, explain
from replay.compare.facts.check import World, compare_facts
from replay.compare.findings import Findings
from replay.compare.text import scalar_text, structure_of


def compare_structures(old: Json, new: Json, world: World, findings: Findings) -> bool:
    """Compare answers of which at least one is JSON. False: both are text."""
    before, after = structure_of(old), structure_of(new)
    if before is None and after is None:
        return False
    if before is None or after is None:
        gained = before is None
        findings.add(
            "FORMAT_CHANGED",
            "the answer was text, now it is JSON"
            if gained
            else "the answer was JSON, now it is not",
            kind="json_gained" if gained else "json_lost",
            severity="major" if gained else "regression",
            path="$.output",
            recorded=old,
            replayed=new,
        )
        return True
    changes = explain(before, after, "$.output")
    for change in changes:
        if _value_checked(change, world, findings):
            continue
        form = change.kind in ("removed", "type")
        findings.add(
            "FORMAT_CHANGED" if form or change.kind == "added" else "OUTPUT_CHANGED",
            f"{change.path} of the answer is {_JSON_KINDS.get(change.kind, 'different')}",
            kind=change.kind,
            severity="regression" if form else _value_severity(change.kind),
            path=change.path,
            place=normalised(change.path),
            recorded=change.before,
            replayed=change.after,
        )
    return True


_JSON_KINDS = {
    "removed": "no longer there",
    "added": "new",
    "type": "of another type",
    "wording": "worded differently",
    "spelling": "spelled differently",
    "order": "in another order",
}


def _value_severity(kind: str) -> Severity:
    return "minor" if kind in ("wording", "spelling", "order", "empty", "added") else "major"


def _value_checked(change: Change, world: World, findings: Findings) -> bool:
    """Whether a value of a JSON answer differs and the tools told which is right."""
    if change.kind not in ("value", "scaled", "wording"):
        return False
    before, after = scalar_text(change.before), scalar_text(change.after)
    trial = Findings.like(findings)
    compare_facts(before, after, world, trial, path=change.path)
    telling = [
        d
        for d in trial.found
        if d.code in ("FACT_CONTRADICTED", "STALE_DATA", "FACT_UNSUPPORTED")
        and d.severity in ("major", "regression")
    ]
    findings.found.extend(telling)
    return bool(telling)
