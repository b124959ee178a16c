"""Weighted pairs that got worse or better: is the balance more than chance?"""

from __future__ import annotations

import random
from collections.abc import Sequence

_DRAWS = 20_000
_EXACT = 16


def signs(changed: Sequence[tuple[float, bool]], seed: int = 0) -> float:
    """How likely so much got worse by chance (one-sided p). ``changed``: weight, and whether worse.

    Under no difference each changed trace is as likely the one as the other, whatever it stands
    for: the test that flips signs (Fisher 1935), exact for up to 16 traces, else with 20,000 draws.
    """
    weights = [w for w, _ in changed]
    if not weights:
        return 1.0
    found = sum(w if worse else -w for w, worse in changed)
    whole = sum(weights)
    least = found - 1e-9 * whole
    if len(weights) <= _EXACT:
        sums = [0.0]
        for w in weights:
            sums = [s + w for s in sums] + [s - w for s in sums]
        return sum(s >= least for s in sums) / len(sums)
    draw = random.Random(seed)  # noqa: S311 (to be repeatable)
    hits = 0
    for _ in range(_DRAWS):
        bits = draw.getrandbits(len(weights))
        up = sum(w for n, w in enumerate(weights) if bits >> n & 1)
        hits += 2 * up - whole >= least
    return (hits + 1) / (_DRAWS + 1)
