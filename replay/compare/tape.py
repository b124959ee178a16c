"""What a replay's world noted of its tape: stale reads, and calls too many and too few."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from anonymize.jsontools import JsonError, loads
from anonymize.trace import Trace
from replay.compare.actions import Action
from replay.compare.findings import Findings
from replay.compare.settings import CompareSettings

TAPE = "replay.tape"
UNCONSUMED = "replay.unconsumed"


def compare_tape(
    candidate: Trace,
    actions: tuple[Sequence[Action], Sequence[Action]],
    settings: CompareSettings,
    findings: Findings,
) -> None:
    """Report stale reads; with ``strict_tape`` also each call that is on one side only.

    ``actions`` are the baseline's and the candidate's. Without it, calls that differ are judged by
    what they do, as in any comparison.
    """
    if candidate.origin != "replayed":
        return
    ours, theirs = ({a.call: a.index for a in side if a.call is not None} for side in actions)
    for item in _listed(candidate.tags.get(TAPE, "")):
        call, tool, why = item.get("call"), str(item.get("tool", "")), str(item.get("why", ""))
        step = theirs.get(call - 1) if isinstance(call, int) else None
        if item.get("code") == "stale":
            findings.add("STALE_READ", why or tool, step=step, tools=(tool,))
        elif item.get("code") == "unexpected" and settings.strict_tape:
            findings.add("OFF_TAPE", why or tool, kind="unexpected", step=step, tools=(tool,))
    if settings.strict_tape:
        for text in _listed(candidate.tags.get(UNCONSUMED, ""), str):
            number, _, tool = text.partition(" ")
            findings.add(
                "OFF_TAPE",
                f"recorded tool call {number}, of {tool}, was not made",
                kind="unconsumed",
                step=ours.get(int(number) - 1) if number.isdecimal() else None,
                side="baseline",
                tools=(tool,),
            )


def _listed(text: str, kind: type[Any] = Mapping) -> Iterator[Any]:
    try:
        found = loads(text) if text else []
    except JsonError:  # a tag that somebody else wrote, or that was cut
        return
    if isinstance(found, list):
        yield from (item for item in found if isinstance(item, kind))
