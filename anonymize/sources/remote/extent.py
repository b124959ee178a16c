"""When a trace began, whether it is over, and whether more of it may lie elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from anonymize.sources.remote.window import Window
from anonymize.spans import Span, timestamp

#: A trace whose root has not ended is waited for so long; one without any root, not as long: its
#: root may belong to a service whose spans go elsewhere.
_OPEN = timedelta(days=1)
_ROOTLESS = timedelta(hours=1)


def root_of(spans: Iterable[Span]) -> Span | None:
    """The one span without a parent, if all the others hang on to it."""
    known = list(spans)
    ids = {s.span_id for s in known}
    roots = [s for s in known if not s.parent_id]
    if len(roots) != 1 or any(s.parent_id and s.parent_id not in ids for s in known):
        return None
    return roots[0]


def began(spans: Iterable[Span]) -> datetime | None:
    """When the trace began: its root, else the first of its spans."""
    known = list(spans)
    root = root_of(known)
    starts = [s.start_ns for s in known if s.start_ns]
    first = min(starts, default=None)
    return timestamp((root.start_ns if root is not None else None) or first)


def belongs(spans: Iterable[Span], window: Window) -> bool:
    """Whether a trace began in ``window``."""
    moment = began(spans)
    # Without any time it can't be told: kept, since the source said that it was of this window.
    return moment is None or window.holds(moment)


def goes_on(spans: Iterable[Span], window: Window) -> bool:
    """Whether any span of a trace began in ``window``."""
    moments = (timestamp(span.start_ns) for span in spans)
    return any(moment is not None and window.holds(moment) for moment in moments)


def reaches_over(spans: Iterable[Span], window: Window, asked: Window, *, early: bool) -> bool:
    """Whether more of a trace may lie outside of what was ``asked`` for.

    ``early``: those that began before ``window`` are wanted as well.
    """
    known = list(spans)
    root = root_of(known)
    if root is None:
        return True
    begin, ended = timestamp(root.start_ns), timestamp(root.end_ns)
    if begin is None or begin >= window.until or (begin < window.since and not early):
        return False
    return ended is None or ended >= asked.until


def still_open(spans: Sequence[Span], now: datetime) -> datetime | None:
    """When a trace began that is probably not over at ``now``; ``None``: it is."""
    moment = began(spans)
    if moment is None:
        return None
    root = root_of(spans)
    if root is not None:
        return moment if not root.end_ns and now - moment < _OPEN else None
    last = max((s.end_ns or s.start_ns or 0 for s in spans), default=0)
    ended = timestamp(last)
    rootless = ended is not None and now - ended < _ROOTLESS
    return moment if rootless else None
