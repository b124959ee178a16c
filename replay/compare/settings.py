"""The ``[compare]`` table of ``replay.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from anonymize.errors import UsageError
from anonymize.settings import nearest
from replay.compare.codes import CODES, Severity

FailOn = Literal["effects", "regressed", "any"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareSettings:
    """What counts as a difference, how bad it is, and when a run fails.

    ``ignore``: paths whose values never matter, ``$.arguments.ts``, ``$.result.items[*].etag``,
    ``$.output.generated_at``; a tool's name and a colon before the path limit it to that tool;
    ``*`` stands for any one key.
    ``severity``: code -> severity, or ``off``; it replaces the severity of every divergence of
    that code.
    ``tokens``, ``cost``, ``latency``: relative growth from which ``BUDGET``, ``COST`` and
    ``LATENCY`` are reported (0.25 is a quarter more). ``min_tokens`` and ``min_latency_ms`` are
    absolute floors below which growth is noise.
    ``output_similarity``: likeness (0 to 1) from which another wording is only a rewording.
    ``fidelity_threshold``: share of answers on the record below which a trace is inconclusive.
    ``min_conclusive``: share of conclusive traces below which a run is inconclusive.
    ``loop``: how many times more than the baseline the same call must occur to be a loop.
    ``outcome_tag``: the tag that tells how a run ended (a reward, ``passed``); a number passes
    from ``outcome_pass`` on.
    ``resource_keys``: names of arguments that name the thing a write changes, besides those
    that look like ids. ``acknowledgements`` and ``refusals``: further phrases with which agents
    admit a failure or decline.
    ``strict_tape``: a replay's calls that the recording does not answer, and recorded calls that it
    does not make, are divergences by themselves (``OFF_TAPE``), whatever they do.
    ``max_divergences``: how many are kept for each trace, worst first.
    """

    pairing: Literal["auto", "trace_id", "pair_key", "input"] = "auto"
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity | Literal["off"]] = field(default_factory=dict)
    tokens: float = 0.25
    cost: float = 0.25
    latency: float = 0.5
    min_tokens: int = 200
    min_latency_ms: float = 250.0
    output_similarity: float = 0.5
    fidelity_threshold: float = 0.5
    min_conclusive: float = 0.5
    loop: int = 3
    outcome_tag: str = ""
    outcome_pass: float = 1.0
    resource_keys: tuple[str, ...] = ()
    acknowledgements: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    strict_tape: bool = False
    max_divergences: int = 200
    fail_on: FailOn = "regressed"

    def __post_init__(self) -> None:
        """Raises :class:`UsageError` on an unknown code, a bad path or a share out of range."""
        for code in self.severity:
            if code not in CODES:
                like = nearest(code, CODES)
                raise UsageError(
                    f"there is no divergence code '{code}'",
                    where=f"[compare.severity] {code}",
                    fix=f"did you mean '{like}'?" if like else "docs/verdicts.md lists the codes",
                )
        for path in self.ignore:
            if not path.rpartition(":")[2].startswith("$") and not path.startswith("$"):
                raise UsageError(
                    "a path to ignore starts with '$'",
                    where=f"[compare] ignore = '{path}'",
                    fix="write '$.arguments.NAME' or 'TOOL:$.arguments.NAME'",
                )
        shares = ("output_similarity", "fidelity_threshold", "min_conclusive")
        for name in shares:
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError("expected a number from 0 to 1", where=f"[compare] {name}")
        for name in ("tokens", "cost", "latency"):
            if getattr(self, name) < 0:
                raise UsageError("expected a number from 0 up", where=f"[compare] {name}")
        if self.loop < 1:
            raise UsageError("expected 1 or more", where="[compare] loop")
