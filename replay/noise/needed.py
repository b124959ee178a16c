"""What would settle a run that can't be told from chance: how many traces, or how many repeats."""

from __future__ import annotations

from replay.noise.weigh import Weighed, Weighing

#: More repeats than this are not proposed: more traces tell more.
_MOST_REPEATS = 9


def what_settles(
    weighing: Weighing, traces: int, repeats: int, agent: str, *, picked: bool = False
) -> str:
    """A sentence for people; ``""`` where nothing is open.

    The drop to be seen is the one that was seen, the noise the one that was measured: exact power
    of the paired test (:func:`replay.statistics.traces_needed`).
    """
    from replay.statistics import traces_needed

    open_ = [w for w in weighing.behaviours.values() if w.decision == "unsettled"]
    if not open_ or not traces:
        return ""
    if picked:  # more such traces tell no more
        more = "Runs of the agent that made the recordings would settle it ([replay] aa_agent)"
        return "" if agent else more
    worst = max(open_, key=lambda w: (w.traces, w.signature))
    hint = "" if agent else " or name the agent that made the recordings ([replay] aa_agent)"
    drop, noise = _drop(worst), _noise(worst)
    if drop <= 0:
        return f"--aa 1 measures the noise{hint}"
    level = weighing.level / 2
    plan = traces_needed(drop, noise=noise, power=0.95, level=level)
    more = "" if plan is None else f"{plan.traces:,} traces"
    for number in range(repeats + 1 + repeats % 2, _MOST_REPEATS + 1, 2):
        enough = traces_needed(drop, noise=noise, power=0.95, level=level, repeats=number)
        if enough is not None and enough.traces <= traces:
            more += (" or " if more else "") + f"--repeat {number} --aa 1"
            break
    settle = f"If {drop:.1%} of the traces got worse, {more} would settle it" if more else ""
    return (settle or "--repeat 3 --aa 1 tells more") + hint


def _drop(worst: Weighed) -> float:
    seen = worst.traces / worst.of
    looked = worst.back + worst.gone + worst.mixed + worst.alone
    if worst.noise_of:
        return round(min(1.0, seen - worst.noise / worst.noise_of), 3)
    return round(seen * worst.back / looked, 3) if looked else round(seen, 3)


def _noise(worst: Weighed) -> float:
    if worst.noise_of:
        return min(0.5, worst.noise / worst.noise_of)
    looked = worst.back + worst.gone + worst.mixed + worst.alone
    return min(0.5, worst.traces / worst.of * (looked - worst.back) / looked) if looked else 0.0
