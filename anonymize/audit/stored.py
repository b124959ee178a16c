"""The audit of a store that exists: second detector, receipts, state. Streaming."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonymize.audit.detector import SecondDetector
from anonymize.audit.known import Known
from anonymize.audit.leaves import Undone, leaves
from anonymize.audit.model import UNAUDITED, AuditFinding
from anonymize.audit.receipt import is_state_of, read_receipts
from anonymize.audit.spared import Spared
from anonymize.policy import ScrubPolicy

if TYPE_CHECKING:
    from anonymize.keys import PseudonymKey
    from anonymize.trace import Trace

#: Findings that are kept to be listed; all are counted.
MOST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAudit:
    """What an audit of a store says.

    ``notes`` say what could not be judged or does not fit together; of these ``faults`` are held
    against the store (exit code 1), as are findings.
    """

    traces: int = 0
    checked: int = 0
    findings: tuple[AuditFinding, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    receipts: tuple[Mapping[str, Any], ...] = ()
    with_key: bool = False

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.counts and not self.faults

    def document(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"audit_version": 1, "clean": self.clean, **asdict(self)}


def audit_store(
    store: Path,
    policy: ScrubPolicy,
    key: PseudonymKey | None,
    *,
    sample: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> StoreAudit:
    """Search the traces of ``store`` (``sample`` of them) and compare them with their receipts.

    Memory holds some ten thousand rows at a time and the first :data:`MOST` findings.

    Raises:
        StoreError: no store there, or it is damaged.
    """
    from anonymize.store import Store

    opened = Store(store)
    ids = opened.ids()
    chosen = None
    if sample is not None and sample < len(ids):
        # The same store gives the same sample, so that an audit can be repeated.
        chosen = random.Random(len(ids)).sample(sorted(ids), sample)  # noqa: S311
    surrogates, key_notes = _surrogates(opened, key, policy)
    known = Known(surrogates, policy=policy)
    detector, spared = SecondDetector(policy), Spared(policy)
    if not (policy.fields or policy.exclude):
        spared = None  # type: ignore[assignment]
    findings: list[AuditFinding] = []
    counts: Counter[str] = Counter()
    checked = 0
    for trace in opened.traces(ids=chosen):
        for finding in _findings(trace, detector, known, spared):
            counts[finding.entity] += 1
            if len(findings) < MOST:
                findings.append(finding)
        checked += 1
        progress(checked)
    receipts = [content for _, content in read_receipts(store)]
    faults, notes = _compared(store, receipts, len(ids), opened)
    blind = detector.blind_to(known)
    if blind:
        notes.append(f"without the key these can't be judged: {', '.join(blind)}")
    return StoreAudit(
        traces=len(ids),
        checked=checked,
        findings=tuple(findings),
        counts=dict(sorted(counts.items())),
        faults=tuple(faults),
        notes=(*key_notes, *notes),
        versions=dict(detector.versions()),
        receipts=tuple(receipts),
        with_key=known.has_key,
    )


def _findings(
    trace: Trace, detector: SecondDetector, known: Known, spared: Spared | None
) -> Iterator[AuditFinding]:
    try:
        seen = leaves(trace, spared)
        for finding in detector.check(seen, known):
            yield replace(finding, trace_id=trace.trace_id)
    except (Undone, RecursionError):
        yield AuditFinding(path="$", entity=UNAUDITED, by="depth", trace_id=trace.trace_id)


def _surrogates(
    opened: Any, key: PseudonymKey | None, policy: ScrubPolicy
) -> tuple[Any, list[str]]:
    """The surrogates that the key makes, if it is the store's key."""
    if key is None:
        return None, []
    policies = opened.scan("traces").select("policy").unique().collect()["policy"].to_list()
    ids = {text.rpartition("-")[2] for text in policies}
    if ids - {key.digest("key id", "").hex()[:8]}:
        return None, ["the key is not the one that these traces were scrubbed with: left aside"]
    from anonymize.surrogates import Surrogates

    return Surrogates(key, language=policy.language), []


def _compared(
    store: Path, receipts: list[dict[str, Any]], traces: int, opened: Any
) -> tuple[list[str], list[str]]:
    """What receipts and store say of each other: faults, and notes."""
    if not receipts:
        return [], ["no receipt: nobody says how these traces were scrubbed"] if traces else []
    faults, notes = [], []
    last = receipts[-1]
    same = is_state_of(store, last)
    if not same and traces < last["store_traces"]:
        notes.append("traces were removed since the last receipt (anonymize forget does so)")
    elif not same:
        faults.append("the store is not what it was when its last receipt was written")
    frame = opened.scan("traces").select("policy").unique().collect()
    known = {f"{r['policy']}-{r['key_id']}" for r in receipts}
    if set(frame["policy"].to_list()) - known:
        faults.append("some traces were scrubbed under a policy that no receipt names")
    if any(r["result"] == "not audited" for r in receipts):
        notes.append("some traces were ingested without an audit (audit = false)")
    return faults, notes
