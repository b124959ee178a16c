"""The privacy receipt of a process that ingests all the time: one a day instead of one a batch.

A receiver writes every few seconds. A receipt for each would be thousands of files a day, all of
which are read whenever a store is audited.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from anonymize.audit.receipt import Receipt, write_receipt

_SAME = ("policy", "scrub_version", "key_id", "language", "entities_off", "models")
_SUMS = (
    "read",
    "written",
    "unchanged",
    "skipped",
    "quarantined",
    "canaries_planted",
    "canaries_gone",
    "values_searched",
    "values_found",
    "traces_checked",
    "traces_objected",
)


class Rolling:
    """Writes receipts; those of one day (UTC) and one policy are one file, the sum so far.

    The file has the newest time and state of the store, so it is the store's last receipt as one
    of its own would be. A process that is started again begins another one.
    """

    def __init__(self) -> None:
        self._last: tuple[Path, Receipt] | None = None

    def write(self, store: Path, receipt: Receipt) -> Receipt:
        """Put ``receipt`` into ``store``, into the file of before if it fits; what is there then.

        Raises:
            StoreError: it can't be written.
        """
        name = ""
        if self._last is not None:
            path, before = self._last
            if _fits(before, receipt):
                receipt, name = _sum(before, receipt), path.name
        self._last = write_receipt(store, receipt, name=name), receipt
        return receipt


def _fits(before: Receipt, after: Receipt) -> bool:
    same = all(getattr(before, name) == getattr(after, name) for name in _SAME)
    return same and before.at[:10] == after.at[:10]


def _sum(before: Receipt, after: Receipt) -> Receipt:
    counts = {name: getattr(before, name) + getattr(after, name) for name in _SUMS}
    return replace(
        after,
        id=before.id,
        result=before.result if before.result == "quarantined" else after.result,
        versions=_union(before.versions, after.versions),
        reasons=dict(Counter(before.reasons) + Counter(after.reasons)),
        entities=dict(Counter(before.entities) + Counter(after.entities)),
        **counts,
    )


def _union(
    one: Mapping[str, tuple[str, ...]], other: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    kinds = sorted({*one, *other})
    return {k: tuple(sorted({*one.get(k, ()), *other.get(k, ())})) for k in kinds}
