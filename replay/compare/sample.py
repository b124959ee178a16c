"""Compared traces as a sample of the traffic: what each stands for, and whose turn it is."""

from __future__ import annotations

from collections.abc import Sequence

from replay.compare.model import TraceDiff
from replay.statistics.weighted import Sample


def sample_of(pairs: Sequence[TraceDiff]) -> Sample:
    """The sample that these pairs are; turns of one conversation are drawn together."""
    return Sample([p.weight for p in pairs], [p.session_id or p.trace_id for p in pairs])
