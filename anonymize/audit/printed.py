"""Receipts and audits as short tables for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from anonymize.audit.stored import StoreAudit
from anonymize.console import rows

_LISTED = 20


def receipt_lines(receipt: Mapping[str, Any]) -> Iterator[str]:
    """One receipt."""
    yield f"privacy receipt {receipt['id']} of {receipt['at']}: {receipt['result']}"
    yield _row("policy", f"{receipt['policy']}, scrubber {receipt['scrub_version']}")
    yield _row("key", receipt["key_id"])
    for model in receipt["models"]:
        yield _row("model", f"{model['name']} {model['version']} sha256:{model['sha256'][:16]}")
    yield _row(
        "traces",
        f"{receipt['read']:,} read, {receipt['written']:,} written, "
        f"{receipt['quarantined']:,} quarantined",
    )
    replaced = sum(receipt["entities"].values())
    yield _row("replaced", f"{replaced:,} values of {len(receipt['entities'])} kinds")
    if receipt["result"] == "not audited":
        yield _row("audit", "off (audit = false in [anonymize])")
        return
    yield _row(
        "canaries", f"{receipt['canaries_planted']:,} planted, {receipt['canaries_gone']:,} gone"
    )
    yield _row(
        "raw values",
        f"{receipt['values_searched']:,} searched, {receipt['values_found']:,} found",
    )
    yield _row(
        "second look",
        f"{receipt['traces_checked']:,} traces, {receipt['traces_objected']:,} objected to",
    )


def audit_lines(audit: StoreAudit) -> Iterator[str]:
    """The audit of a store."""
    for receipt in audit.receipts[-1:]:
        yield from receipt_lines(receipt)
        if len(audit.receipts) > 1:
            yield _row("receipts", f"{len(audit.receipts):,}, this is the last")
        yield ""
    how = "with the key" if audit.with_key else "without the key"
    part = f"{audit.checked:,} of {audit.traces:,} traces"
    yield f"{part} audited {how}: {'clean' if audit.clean else 'NOT CLEAN'}"
    for note in audit.notes:
        yield f"  note   {note}"
    for fault in audit.faults:
        yield f"  fault  {fault}"
    yield from rows(audit.counts)
    for finding in audit.findings[:_LISTED]:
        yield f"  {finding.entity:<14} {finding.trace_id}"
        yield f"  {'':<14} {finding.path} ({finding.by})"
    hidden = sum(audit.counts.values()) - min(len(audit.findings), _LISTED)
    if hidden > 0:
        yield f"  ... {hidden:,} more (--json lists them)"


def _row(name: str, text: str) -> str:
    return f"  {name:<12}{text}"
