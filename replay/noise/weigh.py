"""Real, noise, or not to be told: the decision about each behaviour of a run.

What the tests are, and what they assume, is in docs/verdicts.md ("Noise").
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from replay.noise.draws import TraceDraws
from replay.noise.evidence import Evidence, Index
from replay.noise.exact import corrected
from replay.noise.families import Seen
from replay.noise.floor import NoiseFloor

if TYPE_CHECKING:
    from replay.compare import TraceDiff

Decision = Literal["real", "noise", "unsettled"]

#: Further runs in which a divergence has to come back, over all traces that show it, before an
#: agent that was never seen to differ from itself is taken at its word: a trace that falls either
#: way like a coin passes one time in a hundred.
RETURNS = 6
#: A behaviour that comes back this many times as often as it does not is no mere noise.
MOSTLY = 3
#: Above this a rate is as likely under noise as not worth a doubt.
DOUBT = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What is known of one behaviour.

    ``traces`` of ``of`` show it. ``noise`` of ``noise_of`` pairs of an unchanged agent did, where
    that was looked at. ``chance``: how likely this is by noise alone, corrected for all
    behaviours; ``raw``: not corrected; ``None``: no test could be made. ``back``, ``gone``,
    ``mixed`` and ``alone`` count traces by what further runs of the candidate showed
    (:meth:`~replay.noise.draws.TraceDraws.returned`).
    """

    signature: str
    decision: Decision
    why: str
    traces: int
    of: int
    noise: int = 0
    noise_of: int = 0
    chance: float | None = None
    raw: float | None = None
    back: int = 0
    gone: int = 0
    mixed: int = 0
    alone: int = 0
    gates: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """All decisions of a run; says of a pair what is noise (a ``Quietener``).

    ``alarm``: why the run as a whole is worse than its noise explains, ``""`` where it is not.
    """

    level: float
    behaviours: Mapping[str, Weighed] = field(default_factory=dict)
    alarm: str = ""
    overall: Weighed | None = None

    def quiet(self, pair: TraceDiff) -> Mapping[str, str]:
        """Signature -> why it does not count, for what is within the noise."""
        found = {}
        for d in pair.divergences:
            known = self.behaviours.get(d.signature)
            if known is not None and known.decision == "noise":
                found[d.signature] = known.why
        return found

    @property
    def unsettled(self) -> dict[str, str]:
        """Signature -> why it can't be told from chance yet."""
        return {s: w.why for s, w in self.behaviours.items() if w.decision == "unsettled"}


def weigh(
    draws: Sequence[TraceDraws],
    *,
    gates: Callable[[Seen], bool],
    level: float = 0.01,
    floor: NoiseFloor | None = None,
    picked: bool = False,
) -> Weighing:
    """Decide about every behaviour that the candidate's first runs show.

    ``draws`` has one entry for every trace that was compared, also those without a difference.
    ``gates`` says whether a divergence could fail the run by itself; ``level`` is how often a run
    of an unchanged agent may fail at most; ``floor`` is what earlier runs learnt of the noise of
    the agent; ``picked``: the traces were picked for what earlier runs showed.
    """
    index = Index(draws, floor or NoiseFloor(), picked=picked)
    shown = Counter(mark.signature for one in draws for mark in one.main)
    gating = {m.signature for one in draws for m in one.main if gates(m)}
    found = {s: index.evidence([s]) for s in shown}
    # Of an agent that varies somewhere, a difference that was never seen to vary may still be the
    # recording's own chance; only runs of the agent that made it can tell the two apart.
    noisy = {s for s, e in found.items() if e.noisy or (e.wavers and not e.controlled)}
    # Half of the level for all behaviours together, half for the run as a whole.
    half = level / 2
    chances = _chances(found, gating & noisy, half) | _chances(found, noisy - gating, half)
    behaviours = {}
    for s, evidence in found.items():
        decide = _gating if s in gating else _plain
        decision, why = decide(evidence, chances.get(s), half)
        behaviours[s] = Weighed(
            signature=s,
            decision=decision,
            why=why,
            traces=shown[s],
            of=len(draws),
            noise=evidence.noise,
            noise_of=evidence.noise_of,
            chance=chances.get(s),
            raw=evidence.chance if s in noisy else None,
            back=evidence.back,
            gone=evidence.gone,
            mixed=evidence.mixed,
            alone=evidence.alone,
            gates=s in gating,
        )
    overall = _overall(index, draws, gating & noisy, half)
    if overall is None or overall.decision != "real":
        return Weighing(level=level, behaviours=behaviours, overall=overall)
    for s in gating & noisy:
        if behaviours[s].decision == "noise":
            doubt = "more traces do so than by noise alone, but this one may be noise"
            behaviours[s] = dataclasses.replace(behaviours[s], decision="unsettled", why=doubt)
    return Weighing(level=level, behaviours=behaviours, alarm=overall.why, overall=overall)


def _chances(
    found: Mapping[str, Evidence], some: Collection[str], level: float
) -> dict[str, float]:
    names = sorted(some)
    chances, least = [found[s].chance for s in names], [found[s].least for s in names]
    return dict(zip(names, corrected(chances, least, level), strict=True))


def _gating(evidence: Evidence, chance: float | None, level: float) -> tuple[Decision, str]:
    """The decision about a behaviour that fails a run."""
    if chance is None:
        return "real", _steady(evidence)
    if chance <= level:
        return (
            "real",
            f"more often than by noise ({_percent(chance)} by chance); {_noise(evidence)}",
        )
    if evidence.chance <= DOUBT:
        return "unsettled", f"could be noise ({_percent(evidence.chance)}); {_noise(evidence)}"
    if not evidence.noisy:
        return "unsettled", f"the recording may be the odd one; {_noise(evidence)}"
    steady = evidence.back or evidence.alone or not evidence.looked
    if evidence.picked and not evidence.controlled and steady:
        return "unsettled", f"picked for it, so no rate tells it from noise; {_noise(evidence)}"
    if not evidence.noise and not evidence.controlled:
        if evidence.back > MOSTLY * evidence.gone and evidence.most_returns >= RETURNS:
            return "unsettled", f"comes back in most traces, not in all; {_noise(evidence)}"
        if evidence.alone > MOSTLY * (evidence.gone + evidence.mixed):
            return "unsettled", f"no two runs agree here; {_noise(evidence)}"
    return "noise", f"within the agent's noise: {_noise(evidence)}"


def _plain(evidence: Evidence, chance: float | None, level: float) -> tuple[Decision, str]:
    """The decision about a behaviour that is only shown."""
    if not evidence.noisy or not evidence.measured or evidence.chance <= DOUBT:
        return "real", _steady(evidence) if not evidence.noisy else _noise(evidence)
    return "noise", f"within the agent's noise: {_noise(evidence)}"


def _overall(
    index: Index, draws: Sequence[TraceDraws], some: Collection[str], level: float
) -> Weighed | None:
    """All noisy behaviours that gate, taken together: what is spread over many shows here."""
    if not some:
        return None
    evidence = index.evidence(some)
    traces = sum(1 for d in draws if d.signatures.intersection(some))
    real = evidence.chance <= level
    why = (
        f"{traces} of {len(draws)} traces regress, more than by noise "
        f"({_percent(evidence.chance)} by chance); {_noise(evidence)}"
    )
    return Weighed(
        signature="",
        decision="real" if real else "unsettled" if evidence.chance <= DOUBT else "noise",
        why=why if real else _noise(evidence),
        traces=traces,
        of=len(draws),
        noise=evidence.noise,
        noise_of=evidence.noise_of,
        chance=min(1.0, 2 * evidence.chance),
        raw=evidence.chance,
        back=evidence.back,
        gone=evidence.gone,
        mixed=evidence.mixed,
        alone=evidence.alone,
        gates=True,
    )


def _steady(evidence: Evidence) -> str:
    said = []
    if evidence.noise_of:
        said.append(f"in none of {evidence.noise_of:,} A/A pairs")
    if evidence.back:
        said.append(f"came back in every further replay of {evidence.back:,} traces")
    return "; ".join(said) or "never seen to vary"


def _noise(evidence: Evidence) -> str:
    said = []
    if evidence.noise_of:
        said.append(f"in {evidence.noise:,} of {evidence.noise_of:,} A/A pairs")
    if evidence.looked:
        looked = f"of {evidence.looked:,} traces replayed again"
        said.append(f"{looked} it came back in {evidence.back:,}")
    return "; ".join(said) or "replays of one version differ in it"


def _percent(chance: float) -> str:
    return "less than 0.1 %" if chance < 0.001 else f"{chance:.1%}".replace("%", " %")
