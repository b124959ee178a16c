"""Source to store: the one way in. Raw traces exist only inside this loop.

``ingest`` is a loop over :func:`scrubbed`, which a user can take instead to send scrubbed
traces elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from anonymize.errors import UsageError
from anonymize.trace import QuarantinedTrace, SkippedTrace, Trace

if TYPE_CHECKING:
    from anonymize.scrub import Scrubber
    from anonymize.scrubbed import ScrubbedTrace
    from anonymize.sources import Source
    from anonymize.store import Store, WriteSummary


_MACHINE_ID = re.compile(r"[0-9a-fA-F-]{8,64}")


@dataclass(slots=True)
class Tally:
    """Running counts of one ingest. ``outside`` (other days) are not among ``read``.

    ``reasons`` counts what was not taken, by reason.
    """

    read: int = 0
    skipped: int = 0
    quarantined: int = 0
    outside: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


def scrubbed(
    items: Iterable[Trace | SkippedTrace], scrubber: Scrubber, tally: Tally
) -> Iterator[ScrubbedTrace | SkippedTrace | QuarantinedTrace]:
    """Scrub what was read; pass on what could not be read. Lazy: nothing is held but a batch."""
    skipped: list[SkippedTrace] = []

    def traces() -> Iterator[Trace]:
        for item in items:
            tally.read += 1
            if isinstance(item, SkippedTrace):
                tally.skipped += 1
                tally.reasons[item.reason] += 1
                skipped.append(_nameless(item))
            else:
                yield item

    for result in scrubber.scrub_all(traces()):
        if isinstance(result, QuarantinedTrace):
            tally.quarantined += 1
            tally.reasons[result.reason] += 1
        yield result
        yield from skipped
        skipped.clear()
    yield from skipped


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


def check_key(store: Store, scrubber: Scrubber, where: Path) -> None:
    """Refuse to mix surrogates of two keys: no customer would be the same customer any more.

    Raises:
        UsageError: the store's traces were scrubbed under another key.
    """
    policies = store.scan("traces").select("policy").unique().collect()["policy"].to_list()
    if any(policy.rpartition("-")[2] != scrubber.key_id for policy in policies):
        raise UsageError(
            "these traces were scrubbed under another key",
            where=str(where),
            fix="use the key that they were ingested with, or ingest into a new store",
        )


def ingest(
    source: Source,
    store: Path,
    scrubber: Scrubber,
    *,
    day: date | None = None,
    progress: Callable[[Tally], None] = lambda _: None,
) -> tuple[WriteSummary, Tally]:
    """Read ``source``, scrub, write to ``store``; what is already there is not written twice.

    Returns what the store did and what was read. Raises ``SourceError`` or ``StoreError``;
    batches committed before that stay, and running again completes the rest.
    """
    from anonymize.store import Store, StoreWriter

    tally = Tally()
    items = within(source.read(), day, tally)
    # A source that can't be read at all says so at its first item: before a store is made.
    first = next(items, None)
    opened = chain([first], items) if first is not None else items
    # A first ingest that was killed leaves a folder without anything committed.
    if any(store.glob("_manifests/**/*.json")):
        check_key(Store(store), scrubber, store)

    def watched() -> Iterator[ScrubbedTrace | SkippedTrace | QuarantinedTrace]:
        for item in scrubbed(opened, scrubber, tally):
            progress(tally)
            yield item

    # The records of what was not taken replace those of the same name: a night is its own name,
    # or it would wipe those of the night before.
    name = source.name if day is None else f"{source.name} on {day}"
    summary = StoreWriter(store).write(watched(), source=name)
    return summary, tally
