"""The part of a run that replays: what its store holds already is not replayed again.

Under a budget the traces come in an order of chance, so that those that were replayed when it ran
out are a fair part of all: see :mod:`replay.nights.budget`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from anonymize.trace import Trace
from replay import sessions
from replay.config import ReplayConfig
from replay.keeper import Keeper, held
from replay.recording import replayable
from replay.run_request import Progress, RunRequest
from replay.selection import Selection

if TYPE_CHECKING:
    from anonymize.repeated import Repeats
    from anonymize.store import Store
    from anonymize.workers import AnyScrubber
    from replay.nights.budget import Budget

#: Traces that are read at a time where they come in an order of chance.
_BATCH = 128


def replay_missing(
    request: RunRequest,
    config: ReplayConfig,
    store: Store,
    selection: Selection,
    folder: Path,
    on_progress: Callable[[Progress], None],
    *,
    scrubber: AnyScrubber | None = None,
    repeats: Repeats | None = None,
) -> None:
    """Replay what the run's store does not hold yet. ``scrubber`` and ``repeats`` are shared with
    other parts of the run, where they are given. What a budget had no room for is
    ``selection.left`` then."""
    from replay.runner import run

    done = held(folder / "traces")
    todo = [i for i, d in selection.digests.items() if done.get(i) != d]
    chained = config.llm.granularity == "session"
    if chained:
        todo += sessions.earlier(store, todo, selection.digests)
    selection.reused = len(selection.digests) - len(todo)
    total, refused = len(selection.digests), 0
    recordings: dict[str, Trace] = {}
    budget = request.budget
    queue = None
    if budget is not None and budget.limited:
        queue = _Queue(store, todo, request.first, budget)

    def wanted() -> Iterator[Trace]:
        nonlocal refused
        if queue is not None:
            found = queue.traces(chained)
        else:
            found = sessions.in_order(store, todo) if chained else store.traces(ids=todo)
        for trace in found if todo else ():
            if replayable(trace) is None:
                recordings[trace.trace_id] = trace
                if budget is not None:
                    budget.began()
                yield trace
            else:
                refused += trace.trace_id in selection.digests

    def progress(stage: str) -> None:
        count = selection.reused + selection.replayed + refused
        on_progress(Progress(stage=stage, done=count, total=total))

    progress("replaying")
    keeper = Keeper(
        config,
        folder,
        selection.digests,
        selection.policies,
        remember=True,
        scrubber=scrubber,
        repeats=repeats,
    )
    workers = request.workers or config.replay.workers
    results = run(
        wanted(),
        request.agent,
        config,
        request.plan,
        workers=workers,
        on_event=selection.hear,
        close=queue is not None,
    )
    for result in results:
        if budget is not None:
            budget.spend(result)
        recording = recordings.pop(result.trace.trace_id)
        if result.trace.trace_id not in selection.digests:
            continue  # an earlier turn, for the sake of those that were asked for
        selection.replayed += 1
        selection.drifted += result.drift is not None
        keeper.add(result, recording)
        progress("replaying")
    progress("scrubbing what the candidate said")
    keeper.close()
    selection.written = keeper.written
    if budget is not None:
        budget.keep()
    if queue is not None:
        queue.leave_out(selection)
        selection.whole = chained


class _Queue:
    """Traces in an order of chance, ``first`` before all others, until a budget is used up.

    ``left`` are those that it had no room for, and ``cut`` says what ran out.
    """

    def __init__(
        self, store: Store, ids: Collection[str], first: Collection[str], budget: Budget
    ) -> None:
        self._store = store
        self._budget = budget
        self._order = sorted(dict.fromkeys(ids), key=lambda i: place(i, first))
        self.left = set(self._order)
        self.cut = ""

    def traces(self, chained: bool) -> Iterator[Trace]:
        """The traces; with ``chained`` those of a session together, and none of them cut off."""
        batches = self._sessions() if chained else self._batches()
        for batch in batches:
            for trace, fresh in batch:
                self.cut = (fresh and self._budget.closed()) or ""
                if self.cut:
                    return
                self.left.discard(trace.trace_id)
                yield trace
        self.left.clear()  # what the store no longer has is no matter of the budget

    def leave_out(self, selection: Selection) -> None:
        """Take out of ``selection`` what there was no room for."""
        selection.cut = self.cut
        selection.left = frozenset(self.left & selection.digests.keys())
        kept = ((i, d) for i, d in selection.digests.items() if i not in selection.left)
        selection.digests = dict(kept)

    def _batches(self) -> Iterator[Iterator[tuple[Trace, bool]]]:
        for start in range(0, len(self._order), _BATCH):
            ids = self._order[start : start + _BATCH]
            found = {t.trace_id: t for t in self._store.traces(ids=ids)}
            yield ((found[i], True) for i in ids if i in found)

    def _sessions(self) -> Iterator[Iterator[tuple[Trace, bool]]]:
        import polars as pl

        frame = self._store.scan("traces").select("trace_id", "agent", "session_id")
        with self._store.reading():
            rows = frame.filter(pl.col("trace_id").is_in(self._order)).collect()
        unit = {i: _unit(agent, session, i) for i, agent, session in rows.iter_rows()}
        members: dict[str, list[str]] = {}
        for trace_id in self._order:
            members.setdefault(unit.get(trace_id, trace_id), []).append(trace_id)
        batch: list[str] = []
        # In the order of their first trace, which is one of chance.
        for number, ids in enumerate(members.values(), start=1):
            batch += ids
            if len(batch) >= _BATCH // 4 or number == len(members):
                yield self._whole(batch)
                batch = []

    def _whole(self, ids: list[str]) -> Iterator[tuple[Trace, bool]]:
        last = ""
        for trace in sessions.in_order(self._store, ids):
            mine = _unit(trace.agent, trace.session_id, trace.trace_id)
            yield trace, mine != last
            last = mine


def _unit(agent: str, session: str | None, trace_id: str) -> str:
    """What is replayed as one: a conversation, or a trace that belongs to none."""
    return f"{agent}\0{session}" if session else f"\0{trace_id}"


def place(trace_id: str, first: Collection[str]) -> tuple[bool, bytes]:
    """A place in an order that has nothing to do with what the traces are, behind ``first``."""
    named = b"budget:" + trace_id.encode("utf-8", "replace")
    return trace_id not in first, hashlib.sha256(named).digest()
