"""What an audit says. Nothing here ever holds the text that was objected to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

#: The entity of a finding that says: this was not searched to the end.
UNAUDITED = "UNAUDITED"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """Something that should not be in a scrubbed trace.

    ``path`` leads to it (``$.steps[3].result.*.email``); keys that could themselves be personal
    are ``*``. ``by`` names the check. The entity :data:`UNAUDITED` means that the check could not
    finish.
    """

    path: str
    entity: str
    by: str
    trace_id: str = ""


#: Names under which the gate counts, for the receipt.
VALUES, SURVIVED, CHECKED, OBJECTED = (
    "audit: values searched",
    "audit: values found",
    "audit: traces checked",
    "audit: traces objected to",
)


class RawValue(NamedTuple):
    """A value that the scrubber replaced. ``sure``: a key said what it is, no guess was made."""

    entity: str
    surface: str
    sure: bool = False


def reason_of(findings: Iterable[AuditFinding]) -> str:
    """Why a trace with these findings is quarantined, without content."""
    listed = list(findings)
    first = listed[0]
    more = len(listed) - 1
    if first.entity == UNAUDITED:
        return f"the audit could not search {first.path} to the end"
    return f"the audit found {first.entity} at {first.path}" + (f" and {more} more" if more else "")


def by_entity(findings: Iterable[AuditFinding]) -> dict[str, int]:
    """How many findings there are of each entity."""
    return dict(sorted(Counter(finding.entity for finding in findings).items()))
