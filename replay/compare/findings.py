"""Collects the divergences of one pair and decides what each may prove."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from anonymize.trace import Json
from replay.compare.codes import CODES, Severity, rank, severity_rank
from replay.compare.model import Divergence
from replay.compare.record import OnRecord
from replay.compare.settings import CompareSettings
from replay.compare.text import bounded, shown, visible

if TYPE_CHECKING:
    from replay.compare.actions import Action
    from replay.compare.explain import Change

#: What an agent can do wrong whatever its environment does to it: a fault is no excuse.
HAZARDS = (
    "HIJACKED",
    "HIJACK_ATTEMPTED",
    "EXFILTRATION",
    "GUARD_MISSING",
    "EFFECT_DUPLICATED",
    "CLAIM_WITHOUT_EFFECT",
    "ERROR_IGNORED",
    "LOOP",
)
Excuse = Literal["failed", "outcome"] | None
_EFFECTS = ("EFFECT_ADDED", "EFFECT_MISSING", "EFFECT_CHANGED", "EFFECT_ORDER")


class Findings:
    """The divergences found so far.

    ``excuse``: ``failed`` where the baseline is known to have failed, so that another set of
    effects is not worse by itself; ``outcome`` where recorded outcomes decide and all else only
    explains.
    """

    def __init__(
        self, settings: CompareSettings, record: OnRecord, *, excuse: Excuse = None
    ) -> None:
        self._settings = settings
        self._record = record
        self._excuse = excuse
        self.found: list[Divergence] = []
        self._small: dict[str, int] = {}

    @classmethod
    def like(cls, other: Findings) -> Findings:
        """Empty findings of the same comparison, to see what a check would say."""
        return cls(other._settings, other._record, excuse=other._excuse)

    def add(
        self,
        code: str,
        why: str,
        *,
        kind: str = "",
        severity: Severity | None = None,
        step: int | None = None,
        side: Literal["candidate", "baseline"] = "candidate",
        path: str = "",
        place: str = "",
        recorded: Json = None,
        replayed: Json = None,
        tools: tuple[str, ...] = (),
        at_end: bool = False,
    ) -> None:
        """Note one divergence.

        ``step`` on the side of the baseline says that the candidate did *not* do this; ``None``
        stands for the end of the run. ``place`` is the part of the signature that tells two
        places in one tool apart (a normalised path). ``at_end``: it shows at the end of the run
        only, wherever ``step`` points.
        """
        override = self._settings.severity.get(code)
        if override == "off":
            return
        counterfactual = self._record.after(None if at_end else step, side)
        level = override or self._capped(code, severity or CODES[code].severity, step, side)
        names = tuple([visible(t, 80) for t in tools])
        if level in ("minor", "info"):
            self._small[code] = self._small.get(code, 0) + 1
        self.found.append(
            Divergence(
                code=code,
                severity=level,
                why=visible(why),
                signature=f"{code}|{'+'.join(names)}|{place}|{kind}",
                step=step,
                side=side,
                path=visible(path, 200),
                recorded=bounded(recorded),
                replayed=bounded(replayed),
                counterfactual=counterfactual,
                kind=kind,
                tools=names,
            )
        )

    def add_call(
        self,
        code: str,
        why: str,
        action: Action,
        *,
        side: Literal["candidate", "baseline"] = "candidate",
        kind: str = "",
        severity: Severity | None = None,
        path: str = "$.arguments",
    ) -> None:
        """Note a call that only ``side`` made, with what it was called with."""
        recorded, replayed = action.arguments, None
        if side == "candidate":
            recorded, replayed = replayed, recorded
        self.add(
            code,
            why,
            kind=kind,
            severity=severity,
            step=action.index,
            side=side,
            path=path,
            recorded=recorded,
            replayed=replayed,
            tools=(action.name,),
        )

    def add_argument(
        self,
        code: str,
        action: Action,
        change: Change,
        *,
        severity: Severity | None = None,
        place: str = "",
        kind: str = "",
        note: str = "",
    ) -> None:
        """Note one argument of the candidate's ``action`` that was another in the baseline.

        ``kind`` stands in for the change's own; ``note`` ends the sentence.
        """
        was, now = shown(change.before), shown(change.after)
        self.add(
            code,
            f"{action.name}: {change.path} was {was}, now {now}{note}",
            kind=kind or change.kind,
            severity=severity,
            step=action.index,
            path=f"$.arguments{change.path[1:]}",
            place=place,
            recorded=change.before,
            replayed=change.after,
            tools=(action.name,),
        )

    def _capped(
        self,
        code: str,
        severity: Severity,
        step: int | None,
        side: Literal["candidate", "baseline"],
    ) -> Severity:
        if severity in ("info", "minor"):
            return severity
        if code not in HAZARDS and self._record.after_fault(step, side):
            # The fault made the difference, for better or worse.
            return "major" if code in _EFFECTS else "minor"
        if severity == "regression" and (
            (self._excuse == "failed" and code in _EFFECTS)
            or (self._excuse == "outcome" and not code.startswith("OUTCOME_"))
        ):
            return "major"
        return severity

    def full(self, code: str) -> bool:
        """Whether so many small findings of this code are kept that a further one would be cut."""
        return self._small.get(code, 0) >= self._settings.max_divergences

    def has(self, *codes: str) -> bool:
        """Whether any of ``codes`` was found."""
        return any(d.code in codes for d in self.found)

    def worst_first(self) -> list[Divergence]:
        """What gates first, then by severity, code and place in the run."""
        return sorted(
            self.found,
            key=lambda d: (
                d.counterfactual,
                severity_rank(d.severity),
                rank(d.code),
                d.step if d.step is not None else -1,
                d.path,
            ),
        )
