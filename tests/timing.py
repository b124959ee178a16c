"""Limits on processor time that hold on a slow machine, and in a process that ran much before."""

from __future__ import annotations

import gc
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

#: What ``_work`` takes where the limits were chosen.
_USUAL_S = 0.016


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """What is done inside takes no more processor time than that, on a machine like ours.

    On a slower one (measured when a limit was passed, so that it costs nothing else) it may take
    as many times more as the machine is slower. What earlier tests left to collect is not counted.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        began = time.process_time()
        yield
        took = time.process_time() - began
    finally:
        if collects:
            gc.enable()
    if took >= seconds:
        allowed = seconds * slowness()
        assert took < allowed, f"{took:.2f} s of processor time, where {allowed:.2f} s are allowed"


def slowness() -> float:
    """How many times longer than usual this machine takes now for work like ours; at least 1."""
    return max(1.0, sorted(map(_work, range(3)))[1] / _USUAL_S)


def _work(_: int) -> float:
    began = time.process_time()
    text = "mei kovacs, 12 Elm Street; " * 400
    pairs = re.compile(r"\b(\w+) (\w+)\b")
    seen: dict[str, int] = {}
    for n in range(40):
        for match in pairs.finditer(text):
            seen[match.group(1)] = seen.get(match.group(1), 0) + n
        json.loads(json.dumps(seen))
    return time.process_time() - began
