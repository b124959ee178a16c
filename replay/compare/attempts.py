"""How often each effect may have happened on each side, and what its repeats amount to.

A retry after a failure is no second effect; a second attempt after a time-out may be.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from replay.compare.actions import Action
from replay.compare.canon import key_of
from replay.compare.codes import Severity
from replay.compare.findings import Findings
from replay.compare.generated import attempt_marks, without_attempts
from replay.compare.text import shown, times

_TIMEOUT = re.compile(r"time[d _-]{0,2}out|timeout|deadline", re.I)


@dataclass(slots=True)
class Effect:
    """The attempts of one effect on both sides, in order.

    ``settled``: for each side the indexes of those that amount to a state that is there on the
    other side as well.
    """

    settled: tuple[Collection[int], Collection[int]] = ((), ())
    baseline: list[Action] = field(default_factory=list)
    candidate: list[Action] = field(default_factory=list)

    def open(self, side: int) -> list[Action]:
        """The attempts of one side (0: the baseline) that may have left something of their own."""
        return [a for a in self.possible(side) if a.index not in self.settled[side]]

    def possible(self, side: int) -> list[Action]:
        """The attempts of one side that did not certainly fail."""
        attempts = (self.baseline, self.candidate)[side]
        return [a for a in attempts if a.state != "failed"]


def effect_key(action: Action) -> tuple[str, bytes]:
    """Equal for attempts of the same effect."""
    plain = without_attempts(action.arguments)
    return action.key if plain is action.arguments else (action.name, key_of(plain))


def compare_attempts(effect: Effect, findings: Findings) -> None:
    """Report how the two sides differ in how often an effect happened or was tried."""
    ours, theirs = effect.open(0), effect.open(1)
    if len(theirs) > len(ours):
        _more(effect, ours, theirs, findings)
    elif len(ours) > len(theirs):
        _fewer(effect, ours, theirs, findings)
    _retries(effect, findings)
    _detours(effect, findings)


def _more(
    effect: Effect, ours: Sequence[Action], theirs: Sequence[Action], findings: Findings
) -> None:
    repeats, firsts = _split(effect, 1, len(theirs) - len(ours))
    for first in firsts:
        tried = bool(effect.baseline) and not effect.possible(0)
        findings.add_call(
            "EFFECT_ADDED",
            f"{first.name} succeeded here and failed in the baseline"
            if tried
            else f"{first.name} was called with {shown(first.arguments)}; the baseline did not",
            first,
            kind="succeeded" if tried else "added",
            severity="minor" if tried else None,
        )
    if repeats:
        last, kind, severity = _repeat(repeats, effect.candidate)
        often, usual = len(effect.possible(1)), len(effect.possible(0))
        findings.add(
            "EFFECT_DUPLICATED",
            f"{last.name} was called {times(often)} with the same arguments"
            f"{_after_what(kind)}, in the baseline {times(usual)}",
            kind=kind,
            severity=severity,
            step=repeats[0].index,
            path="$.arguments",
            recorded=usual,
            replayed=often,
            tools=(last.name,),
        )


def _fewer(
    effect: Effect, ours: Sequence[Action], theirs: Sequence[Action], findings: Findings
) -> None:
    repeats, firsts = _split(effect, 0, len(ours) - len(theirs))
    for first in firsts:
        tried = effect.candidate[-1] if effect.candidate and not effect.possible(1) else None
        findings.add(
            "EFFECT_MISSING",
            f"{first.name} was called with {shown(first.arguments)} in the baseline"
            + (" and succeeded; here it failed" if tried else "; here it was not"),
            kind="failed" if tried else "missing",
            severity="minor" if tried is not None and tried.fault is not None else None,
            step=tried.index if tried is not None else first.index,
            side="candidate" if tried is not None else "baseline",
            path="$.arguments",
            recorded=first.arguments,
            tools=(first.name,),
        )
    if repeats:
        last, kind, _ = _repeat(repeats, effect.baseline)
        often, usual = len(effect.possible(1)), len(effect.possible(0))
        findings.add(
            "DUPLICATE_GONE",
            f"{last.name} was called {times(often)}, in the baseline {times(usual)} "
            f"with the same arguments{_after_what(kind)}",
            kind=kind,
            # After a success nobody can tell whether the second one was meant.
            severity="improvement" if kind.startswith("after_") else "major",
            step=repeats[0].index,
            side="baseline",
            path="$.arguments",
            recorded=usual,
            replayed=often,
            tools=(last.name,),
        )


def _split(effect: Effect, side: int, extra: int) -> tuple[list[Action], list[Action]]:
    """The ``extra`` attempts that are too many: those that repeat an earlier one, and others."""
    seen: set[tuple[str, bytes]] = set()
    repeats: list[Action] = []
    firsts: list[Action] = []
    for action in effect.possible(side):
        key = effect_key(action)
        if action.index not in effect.settled[side]:
            (repeats if key in seen else firsts).append(action)
        seen.add(key)
    repeats = repeats[max(0, len(repeats) - extra) :]
    return repeats, firsts[max(0, len(firsts) - (extra - len(repeats))) :]


def _repeat(
    repeats: Sequence[Action], attempts: Sequence[Action]
) -> tuple[Action, str, Severity | None]:
    """The last of ``repeats``, what kind of repeat it is, and how bad that is."""
    last = repeats[-1]
    earlier = [a for a in attempts if a.index < last.index]
    before = earlier[-1] if earlier else last
    marks = attempt_marks(last.arguments)
    if marks and marks == attempt_marks(before.arguments):
        return last, "same_key", "minor"
    if before.state == "unknown":
        text = f"{before.error.kind} {before.error.message}" if before.error else str(before.result)
        return last, "after_timeout" if _TIMEOUT.search(text[:400]) else "after_error", None
    if last.info.idempotent:
        return last, "idempotent", "major"
    return last, "repeat", None


def _after_what(kind: str) -> str:
    return {
        "after_timeout": " after a time-out, which may have gone through",
        "after_error": " after an error that may have come too late",
        "same_key": " and the same idempotency key",
        "idempotent": ", which leaves the same state",
    }.get(kind, "")


def _retries(effect: Effect, findings: Findings) -> None:
    """Attempts that failed for certain: no effect on the world, only worth a note."""
    ours = [a for a in effect.baseline if a.state == "failed"]
    theirs = [a for a in effect.candidate if a.state == "failed"]
    more = len(theirs) - len(ours)
    if effect.baseline and effect.candidate:
        # Where only one side succeeded, the other's failure is reported as an effect already.
        more += bool(effect.possible(1)) - bool(effect.possible(0))
    if more > 0:
        findings.add_call(
            "TOOL_ADDED",
            f"{theirs[-1].name} was tried and failed, so it changed nothing",
            theirs[-1],
            kind="failed_write",
            severity="info" if effect.baseline else "minor",
            path="",
        )
    elif more < 0:
        findings.add_call(
            "TOOL_MISSING",
            f"{ours[-1].name} was tried and failed in the baseline; here it was not tried",
            ours[-1],
            side="baseline",
            kind="failed_write",
            severity="info" if effect.candidate else "minor",
            path="",
        )


def _detours(effect: Effect, findings: Findings) -> None:
    """Writes on one side only of which nothing stays: repeats, what is replaced or undone later."""
    ours = [a for a in effect.possible(0) if a.index in effect.settled[0]]
    theirs = [a for a in effect.possible(1) if a.index in effect.settled[1]]
    more = len(theirs) - len(ours)
    if more > 0:
        findings.add_call(
            "TOOL_ADDED",
            f"{theirs[-1].name} was called {'once more' if ours else 'too'}; "
            "the state that it leaves is the same",
            theirs[-1],
            kind="same_state",
        )
    elif more < 0:
        findings.add_call(
            "TOOL_MISSING",
            f"{ours[-1].name} was called {'once more' if theirs else 'too'} in the baseline; "
            "the state that is left is the same",
            ours[-1],
            side="baseline",
            kind="same_state",
        )
