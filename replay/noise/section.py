"""What a report says of noise: as plain JSON values, bounded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from replay.noise.families import family
from replay.noise.floor import ANY
from replay.noise.flow import Studied
from replay.noise.weigh import Weighed

#: Behaviours and rates that are listed: those that gate first, then the most frequent.
MOST = 200
_WORTH = ("real", "unsettled", "noise")


def section(studied: Studied, stopped: str = "") -> dict[str, Any]:
    """The report's ``noise``."""
    weighing, floor, learnt = studied.weighing, studied.floor, studied.learnt
    listed = [w for w in weighing.behaviours.values() if w.gates or w.raw is not None or w.noise_of]
    listed.sort(key=lambda w: (not w.gates, _WORTH.index(w.decision), -w.traces, w.signature))
    flaky = [{"trace_id": p.trace_id, "why": p.flaky} for p in studied.pairs if p.flaky]
    pairs = learnt.pairs + floor.pairs
    hits = Counter(floor.hits) + Counter(learnt.hits)
    rates = sorted(hits.items(), key=lambda item: (-item[1], item[0]))
    return {
        "sentence": sentence(studied),
        "agent": studied.agent,
        "level": weighing.level,
        "repeats": studied.repeats,
        "replayed_again": studied.again,
        "pairs": learnt.pairs,
        "known_pairs": floor.pairs,
        "known_runs": floor.runs,
        "alarm": weighing.alarm,
        "needed": studied.doubts.needed,
        "stopped": stopped,
        "behaviours": [_behaviour(w, studied) for w in listed[:MOST]],
        "rates": [_rate(s, n, pairs, studied) for s, n in rates[:MOST] if s != ANY],
        "flaky": flaky,
    }


def sentence(studied: Studied) -> str:
    """How much is known of the noise, in one or two sentences."""
    floor, learnt = studied.floor, studied.learnt
    said = []
    if learnt.pairs:
        differ = max((v for s, v in learnt.hits.items() if s != ANY), default=0)
        found = "never differs from itself" if not differ else "differs from itself"
        said.append(f"{studied.agent} {found} in {learnt.pairs:,} A/A pairs of this run")
    if floor.pairs:
        runs = "an earlier run" if floor.runs == 1 else f"{floor.runs:,} earlier runs"
        said.append(f"{floor.pairs:,} A/A pairs are known from {runs}")
    if studied.again:
        said.append(f"{studied.again:,} traces that differ were replayed again")
    if studied.repeats > 1:
        said.append(f"each trace was replayed {studied.repeats} times")
    if not said:
        return "The noise of the agent was not measured: every difference is taken for real."
    return "; ".join(said) + "."


def _behaviour(weighed: Weighed, studied: Studied) -> dict[str, Any]:
    standing, known = studied.standing, studied.floor.pairs
    shown, own = standing.shown(weighed.signature), family(weighed.signature)
    share, noise = standing.noise(own, weighed.noise, weighed.noise_of, known)
    return {
        **_named(weighed.signature),
        "decision": weighed.decision,
        "why": weighed.why,
        "gates": weighed.gates,
        "traces": weighed.traces,
        "of": weighed.of,
        "share": shown.share,
        "low": shown.interval.low,
        "high": shown.interval.high,
        "noise": weighed.noise,
        "noise_of": weighed.noise_of,
        "noise_share": share,
        "noise_low": noise.low if noise else None,
        "noise_high": noise.high if noise else None,
        "chance": weighed.chance,
        "back": weighed.back,
        "gone": weighed.gone,
        "mixed": weighed.mixed,
        "alone": weighed.alone,
    }


def _rate(signature: str, hits: int, pairs: int, studied: Studied) -> Mapping[str, Any]:
    share, span = studied.standing.noise(signature, hits, pairs, studied.floor.pairs)
    return {
        **_named(signature),
        "hits": hits,
        "pairs": pairs,
        "share": share,
        "low": span.low if span else None,
        "high": span.high if span else None,
    }


def _named(signature: str) -> dict[str, str]:
    parts = [*signature.split("|"), "", "", ""][:4]
    return {
        "signature": signature,
        "code": parts[0],
        "tools": parts[1],
        "place": parts[2],
        "kind": parts[3],
    }
