"""The audit as the scrubber calls it: before a trace is sealed, while its values are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from anonymize.audit.detector import SecondDetector
from anonymize.audit.known import Known
from anonymize.audit.leaves import Undone, leaves
from anonymize.audit.model import (
    CHECKED,
    OBJECTED,
    SURVIVED,
    UNAUDITED,
    VALUES,
    AuditFinding,
    RawValue,
)
from anonymize.audit.spared import Spared
from anonymize.audit.survivors import Survivors
from anonymize.policy import ScrubPolicy

if TYPE_CHECKING:
    from anonymize.surrogates import Surrogates
    from anonymize.trace import Trace


class Gate:
    """The second detector and the search for raw values, over one run of one policy.

    Counts into ``stats`` (names: :mod:`anonymize.audit.model`). Not thread-safe, like the scrubber.
    """

    def __init__(self, policy: ScrubPolicy, stats: Counter[str] | None = None) -> None:
        self.detector = SecondDetector(policy)
        self.survivors = Survivors()
        self.stats: Counter[str] = Counter() if stats is None else stats
        self._policy = policy
        self._spared = Spared(policy) if policy.fields or policy.exclude else None

    def versions(self) -> str:
        """What searches, as ``name/version,name/version``."""
        return ",".join(f"{name}/{version}" for name, version in self.detector.versions().items())

    def learn(self, values: Collection[RawValue]) -> None:
        """What one trace held must be in no trace that is checked from now on."""
        self.survivors.learn(self._searched(values))

    def check(
        self,
        values: Collection[RawValue],
        trace: Trace,
        surrogates: Surrogates,
        *,
        trusted: Collection[str] = (),
        raw: Trace | None = None,
    ) -> list[AuditFinding]:
        """What speaks against sealing ``trace``; empty if nothing does.

        ``values`` are what the scrubber replaced in it, ``surrogates`` what it replaced them by,
        ``trusted`` texts that are known to be scrubbed. ``raw`` is the trace before: what was not
        in it is no raw value, even if a later round of the scrubber took it for one.
        """
        known = Known(surrogates, policy=self._policy, trusted=trusted)
        searched = self._searched(values)
        try:
            seen = leaves(trace, self._spared)
        except (Undone, RecursionError):
            return [AuditFinding(path="$", entity=UNAUDITED, by="depth")]
        found = self.detector.check(seen, known)
        survived = self.survivors.check(seen, searched, known, raw)
        self.stats[VALUES] += len(searched)
        self.stats[SURVIVED] += len(survived)
        self.stats[CHECKED] += 1
        self.stats[OBJECTED] += bool(found or survived)
        return [*found, *survived]

    def _searched(self, values: Collection[RawValue]) -> Sequence[RawValue]:
        return [value for value in dict.fromkeys(values) if self._policy.wants(value.entity)]


def check_trace(
    before_values: Collection[RawValue],
    trace: Trace,
    surrogates: Surrogates,
    policy: ScrubPolicy | None = None,
) -> list[AuditFinding]:
    """One trace by itself: what :meth:`Gate.check` says of it, without the rest of a run."""
    gate = Gate(policy or ScrubPolicy())
    gate.learn(before_values)
    return gate.check(before_values, trace, surrogates)
