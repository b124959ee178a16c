"""Source to store: the one way in. Raw traces exist only inside this loop.

``ingest`` is a loop over :func:`scrubbed`, which a user can take instead to send scrubbed
traces elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from anonymize.errors import AuditError, UsageError
from anonymize.trace import QuarantinedTrace, SkippedTrace, Trace

if TYPE_CHECKING:
    from anonymize.audit.canaries import Canaries
    from anonymize.audit.receipt import Receipt
    from anonymize.audit.rolling import Rolling
    from anonymize.scrubbed import ScrubbedTrace
    from anonymize.sources import Source
    from anonymize.store import Store, WriteSummary
    from anonymize.workers import AnyScrubber


#: Canaries go ahead of the first trace, and again after so many.
_CANARIES_EVERY = 2_000
#: Says in a store that it was re-keyed, and from which key to which.
ROTATION = "_rotation.json"
_MACHINE_ID = re.compile(r"[0-9a-fA-F-]{8,64}")


@dataclass(slots=True)
class Tally:
    """Running counts of one ingest. ``outside`` (other days) are not among ``read``.

    ``forgotten`` are refused: they are of people that the store was told to forget. ``reasons``
    counts what was not taken, by reason.
    """

    read: int = 0
    skipped: int = 0
    quarantined: int = 0
    forgotten: int = 0
    outside: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    receipt: Receipt | None = None


def scrubbed(
    items: Iterable[Trace | SkippedTrace],
    scrubber: AnyScrubber,
    tally: Tally,
    canaries: Canaries | None = None,
) -> Iterator[ScrubbedTrace | SkippedTrace | QuarantinedTrace]:
    """Scrub what was read; pass on what could not be read. Lazy: nothing is held but a batch.

    ``canaries`` go through the scrubber among the traces and are not passed on.

    Raises:
        AuditError: of a canary something was left. No trace behind it was passed on.
    """
    skipped: list[SkippedTrace] = []
    count = 0

    def traces() -> Iterator[Trace]:
        for item in items:
            tally.read += 1
            if isinstance(item, SkippedTrace):
                tally.skipped += 1
                tally.reasons[item.reason] += 1
                skipped.append(_nameless(item))
            else:
                nonlocal count
                if canaries is not None and count % _CANARIES_EVERY == 0:
                    yield from canaries.traces()
                count += 1
                yield item

    for result in scrubber.scrub_all(traces()):
        if canaries is not None and canaries.mine(result) is not None:
            _must_be_gone(canaries, result)
            continue
        if isinstance(result, QuarantinedTrace):
            tally.quarantined += 1
            tally.reasons[result.reason] += 1
        yield result
        yield from skipped
        skipped.clear()
    yield from skipped


def _must_be_gone(canaries: Canaries, result: object) -> None:
    survived = canaries.verify([result])
    if survived:
        raise AuditError(
            f"planted values came through the scrubber: {', '.join(survived)}",
            where="[anonymize]",
            fix="nothing more was written; see what the policy switches off, or report it",
        )


def _nameless(skip: SkippedTrace) -> SkippedTrace:
    """Ids of machines stay; one that a person may have chosen could be anybody's e-mail."""
    known = skip.trace_id is None or _MACHINE_ID.fullmatch(skip.trace_id) is not None
    return skip if known else replace(skip, trace_id=None)


def within(
    items: Iterable[Trace | SkippedTrace], day: date | None, tally: Tally
) -> Iterator[Trace | SkippedTrace]:
    """Only the traces that started on ``day`` (UTC); all of them for ``None``.

    Undated traces belong to no day: they are left out of a dated window and counted there.
    """
    for item in items:
        if (
            day is not None
            and isinstance(item, Trace)
            and (item.started_at is None or item.started_at.date() != day)
        ):
            tally.outside += 1
            continue
        yield item


def check_not_rotated(store: Path) -> None:
    """Refuse to add raw traffic to a store that was re-keyed (:mod:`anonymize.holder.rotate`).

    Raises:
        UsageError: the same person would be another one there.
    """
    from anonymize.store import beside

    if (beside(store) / ROTATION).exists():
        raise UsageError(
            "this store was re-keyed: a person would get other surrogates in new traces",
            where=str(store),
            fix="ingest into a new store",
        )


def check_key(store: Store, scrubber: AnyScrubber, where: Path) -> None:
    """Refuse to mix surrogates of two keys: no customer would be the same customer any more.

    Raises:
        UsageError: the store's traces were scrubbed under another key.
    """
    if any(policy.rpartition("-")[2] != scrubber.key_id for policy in store.policies()):
        raise UsageError(
            "these traces were scrubbed under another key",
            where=str(where),
            fix="use the key that they were ingested with, or ingest into a new store",
        )


def ingest(
    source: Source,
    store: Path,
    scrubber: AnyScrubber,
    *,
    day: date | None = None,
    whole: bool = True,
    receipts: Rolling | None = None,
    progress: Callable[[Tally], None] = lambda _: None,
) -> tuple[WriteSummary, Tally]:
    """Read ``source``, scrub, write to ``store``; what is already there is not written twice.

    ``whole``: this is all of the source, so its records of what was not taken replace those of the
    last time; otherwise they are added to them. ``receipts``: for who comes again and again.

    Returns what the store did and what was read, with the privacy receipt that was left in the
    store (an ingest that changes nothing leaves none). Raises ``SourceError``, ``StoreError`` or
    ``AuditError`` (canaries survived); batches committed before that stay, and running again
    completes the rest. From here on this process leaves no core dump: it holds raw data.
    """
    from anonymize.guarded.harden import no_core_dumps
    from anonymize.store import Store, StoreWriter, open_place, read_tombstones

    no_core_dumps()
    tally = Tally()
    items = within(source.read(), day, tally)
    # A source that can't be read at all says so at its first item: before a store is made.
    first = next(items, None)
    opened = chain([first], items) if first is not None else items
    check_not_rotated(store)
    # A first ingest that was killed leaves a folder without anything committed.
    if open_place(store).exists():
        check_key(Store(store), scrubber, store)

    counted = Counter(scrubber.stats)
    canaries = scrubber.canaries(datetime.now(UTC).isoformat())

    def watched() -> Iterator[ScrubbedTrace | SkippedTrace | QuarantinedTrace]:
        # Only now, when this is the writer: who is forgotten while it waited stays forgotten.
        forgotten = scrubber.forgotten(read_tombstones(store))
        for item in scrubbed(opened, scrubber, tally, canaries):
            progress(tally)
            if forgotten.refuses(item):
                tally.forgotten += 1
            else:
                yield item

    # The records of what was not taken replace those of the same name: a night is its own name,
    # or it would wipe those of the night before.
    name = source.name if day is None else f"{source.name} on {day}"
    summary = StoreWriter(store).write(watched(), source=name, complete=whole)
    receipt = _receipt(store, scrubber, scrubber.stats - counted, summary, tally, canaries)
    tally.receipt = _kept(store, receipt, receipts)
    return summary, tally


def _receipt(
    store: Path,
    scrubber: AnyScrubber,
    stats: Counter[str],
    summary: WriteSummary,
    tally: Tally,
    canaries: Canaries | None,
) -> Receipt:
    from anonymize.audit.receipt import make_receipt, state_of

    digest, traces = state_of(store)
    return make_receipt(
        scrubber.policy,
        stats,
        policy_digest=scrubber.policy_digest,
        read=tally.read,
        written=summary.added + summary.replaced,
        unchanged=summary.unchanged,
        skipped=tally.skipped,
        quarantined=tally.quarantined,
        reasons=dict(tally.reasons),
        entities=dict(summary.entities),
        canaries_planted=canaries.planted if canaries else 0,
        canaries_gone=canaries.gone if canaries else 0,
        store_digest=digest,
        store_traces=traces,
    )


def _kept(store: Path, receipt: Receipt, receipts: Rolling | None) -> Receipt:
    from anonymize.audit.receipt import is_told, write_receipt

    if is_told(store, receipt):
        return receipt
    if receipts is not None:
        return receipts.write(store, receipt)
    write_receipt(store, receipt)
    return receipt
