"""Which candidate trace belongs to which baseline trace.

Replays carry the id of their recording. Two recordings of the same cases are paired by the
``pair_key``, else by an id that both datasets have, else by what was asked: first by the whole
conversation up to a turn, then by the turn alone. Equal ones are paired in order.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from anonymize.trace import Json, Trace
from replay.compare.canon import key_of
from replay.compare.settings import CompareSettings

_NO_TIME = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Pairs in the order of the baseline, and what has no partner, by trace id."""

    pairs: tuple[tuple[Trace, Trace], ...]
    unpaired_baseline: tuple[str, ...]
    unpaired_candidate: tuple[str, ...]


def pair_traces(
    baseline: Iterable[Trace], candidate: Iterable[Trace], settings: CompareSettings
) -> Pairing:
    """Pair two datasets; ``settings.pairing`` limits it to one way."""
    ours, theirs = list(baseline), list(candidate)
    found: dict[int, int] = {}
    taken: set[int] = set()
    for keys in _ways(ours, theirs, settings):
        _by(keys, ours, theirs, found, taken)
    return Pairing(
        pairs=tuple((ours[i], theirs[found[i]]) for i in sorted(found)),
        unpaired_baseline=tuple(t.trace_id for i, t in enumerate(ours) if i not in found),
        unpaired_candidate=tuple(t.trace_id for j, t in enumerate(theirs) if j not in taken),
    )


_Keys = tuple[Sequence[Hashable], Sequence[Hashable]]


def _ways(
    ours: Sequence[Trace], theirs: Sequence[Trace], settings: CompareSettings
) -> Iterable[_Keys]:
    """The keys of both sides, one pair of lists for each way, best first. ``None``: no key."""

    def both(key: Callable[[Trace], Hashable]) -> _Keys:
        return [key(t) for t in ours], [key(t) for t in theirs]

    way = settings.pairing
    if way == "trace_id":
        yield both(lambda t: t.trace_id)
    if way == "auto":
        yield ([t.trace_id for t in ours], [_id_of_replay(t) for t in theirs])
    if way in ("auto", "pair_key"):
        # Of several with one key (trials), those with one id too belong together.
        yield both(lambda t: t.pair_key and (t.pair_key, t.trace_id))
        yield both(lambda t: t.pair_key)
    if way == "auto":
        yield ([t.trace_id for t in ours], [_id_of_recording(t) for t in theirs])
    if way in ("auto", "input"):
        yield (conversations(ours), conversations(theirs, only_recorded=way == "auto"))
        yield both(_asked if way == "input" else _asked_of_recording)


def _by(
    keys: _Keys,
    ours: Sequence[Trace],
    theirs: Sequence[Trace],
    found: dict[int, int],
    taken: set[int],
) -> None:
    waiting: dict[Hashable, deque[int]] = defaultdict(deque)
    for j in _in_order(theirs):
        if j not in taken and keys[1][j] is not None:
            waiting[keys[1][j]].append(j)
    for i in _in_order(ours):
        if i in found or keys[0][i] is None:
            continue
        queue = waiting.get(keys[0][i])
        if queue:
            found[i] = queue.popleft()
            taken.add(found[i])


def _in_order(traces: Sequence[Trace]) -> list[int]:
    """By time where both have one, else as they came (sorting is stable)."""
    if any(t.started_at is None for t in traces):
        return list(range(len(traces)))
    return sorted(range(len(traces)), key=lambda i: traces[i].started_at or _NO_TIME)


def _id_of_replay(trace: Trace) -> Hashable:
    return trace.trace_id if trace.origin == "replayed" else None


def _id_of_recording(trace: Trace) -> Hashable:
    return trace.trace_id if trace.origin == "recorded" else None


def _asked(trace: Trace) -> Hashable:
    return None if trace.input in (None, "", [], {}) else _text_key(trace.input)


def _asked_of_recording(trace: Trace) -> Hashable:
    return _asked(trace) if trace.origin == "recorded" else None


def _text_key(value: Json) -> bytes:
    return key_of(" ".join(value.split()) if isinstance(value, str) else value)


def conversations(traces: Sequence[Trace], *, only_recorded: bool = False) -> list[Hashable]:
    """For each turn of a session everything asked so far, as one key; ``None`` outside sessions."""
    keys: list[Hashable] = [None] * len(traces)
    so_far: dict[str, bytes] = {}
    for i in _in_order(traces):
        trace = traces[i]
        if trace.session_id is None or (only_recorded and trace.origin != "recorded"):
            continue
        before = so_far.get(trace.session_id, b"")
        now = key_of([before.hex(), _text_key(trace.input).hex()])
        so_far[trace.session_id] = now
        keys[i] = now if _asked(trace) is not None else None
    return keys
