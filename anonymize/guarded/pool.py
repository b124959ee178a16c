"""Tasks out to workers, outcomes in: who is idle gets the next, who hangs or dies is replaced.

What an outcome means for a trace is the caller's business (:mod:`anonymize.workers`). Everything
happens inside of :meth:`Pool.pump`; there is no thread.
"""

from __future__ import annotations

import selectors
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal

from anonymize.errors import UsageError
from anonymize.guarded.frames import FrameError, encode
from anonymize.guarded.host import Work
from anonymize.guarded.nursery import Handle, Nursery, NurseryGone, death
from anonymize.trace import QuarantinedTrace, Trace

if TYPE_CHECKING:
    from anonymize.keys import PseudonymKey
    from anonymize.policy import ScrubPolicy
    from anonymize.scrubbed import ScrubbedTrace

#: Without forking every worker loads the models for itself.
_MOST_ALONE = 2
#: A worker that goes on to live has its own copy of so much of what the models take, at least.
_TOUCHED = 64 << 20
_RESTARTS = 3
#: What workers found is passed on until it is so many bytes: what all traces share comes early.
_NEWS = 8 << 20
_GRACE_SECONDS = 10.0

#: ``died`` may be for want of memory. ``killed``: by somebody else. ``failed``: for a reason that
#: doing it again doesn't change.
Kind = Literal["done", "memory", "died", "killed", "failed"]


@dataclass(slots=True, eq=False)
class Task:
    """Traces for one worker. ``exclusive``: with all memory, while no other worker is at work.

    ``owner`` and ``places`` are the caller's: where the results go. ``kills`` counts workers
    that were killed at it.
    """

    traces: tuple[Trace, ...]
    trusted: frozenset[str]
    owner: Any
    places: tuple[int, ...]
    exclusive: bool = False
    kills: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a task ended: with results and counts, or with a reason that holds no content."""

    kind: Kind
    reason: str = ""
    results: Sequence[ScrubbedTrace | QuarantinedTrace] = ()
    stats: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Worker:
    handle: Handle
    trusted: frozenset[str] = frozenset()
    task: Task | None = None
    number: int = 0
    heard: int = 0
    deadline: float = 0.0


class Pool:
    """Up to ``size`` workers of one policy and key; ``settle`` is told how each task ended.

    ``settle`` may put tasks back with :meth:`put`.
    """

    def __init__(
        self,
        policy: ScrubPolicy,
        key: PseudonymKey,
        size: int,
        settle: Callable[[Task, Outcome], None],
    ) -> None:
        self.nursery = Nursery(policy, key)
        self.workers: list[_Worker] = []
        self._policy = policy
        self._size = size
        self._settle = settle
        self._memory = policy.worker_memory_mb << 20
        self._share = self._memory // 2
        self._tasks: deque[Task] = deque()
        self._number = 0
        self._restarts = 0
        self._news: list[bytes] = []
        self._news_size = 0

    def put(self, tasks: Sequence[Task], *, first: bool = False) -> None:
        """Queue tasks, behind the others or before them."""
        if first:
            self._tasks.extendleft(reversed(tasks))
        else:
            self._tasks.extend(tasks)

    def drop(self, owners: Sequence[object]) -> None:
        """Forget the tasks of these owners; what is under way ends unheard."""
        self._tasks = deque(t for t in self._tasks if t.owner not in owners)

    def close(self) -> None:
        """End all processes."""
        for worker in self.workers:
            worker.handle.channel.close()
        self.workers.clear()
        self._tasks.clear()
        self.nursery.close()

    def pump(self, *, wait: bool) -> None:
        """Give work to whoever is idle, take what is done, end who takes too long.

        Raises:
            AnonymizeError: no worker can be had.
        """
        if not (self._tasks or any(w.task for w in self.workers)):
            return
        try:
            self._dispatch()
            self._listen(wait=wait)
        except NurseryGone:
            self._revive()

    # -- out ----------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        while self._tasks:
            task = self._tasks[0]
            busy = [w for w in self.workers if w.task]
            if any(w.task and w.task.exclusive for w in busy) or (task.exclusive and busy):
                return
            idle = next((w for w in self.workers if not w.task), None)
            if task.exclusive:
                # Whatever idle workers hold on to is given back first.
                for worker in [w for w in self.workers if w is not idle]:
                    self._let_go(worker)
            if idle is None:
                if len(self.workers) >= self._most():
                    return
                idle = _Worker(self.nursery.worker())
                self.workers.append(idle)
            self._tasks.popleft()
            self._send(idle, task)

    def _most(self) -> int:
        self.nursery.wait()
        return self._size if self.nursery.shared else min(self._size, _MOST_ALONE)

    def _send(self, worker: _Worker, task: Task) -> None:
        self._number += 1
        work = Work(
            number=self._number,
            traces=task.traces,
            memory=self._memory if task.exclusive else self._share,
            trusted=None if task.trusted is worker.trusted else task.trusted,
            news=tuple(self._news[worker.heard :]),
            tell=self._size > 1 and self._news_size < _NEWS,
        )
        try:
            data = encode(work)
        except RecursionError:
            self._settle(task, Outcome(kind="failed", reason="nested too deeply"))
            return
        # A value that is no JSON can fail in any way; no scrubber could vouch for it either.
        except Exception as error:
            reason = f"scrubbing failed ({type(error).__name__})"
            self._settle(task, Outcome(kind="failed", reason=reason))
            return
        try:
            worker.handle.channel.sendall(data)
        except OSError:  # it was killed while idle: nobody's fault
            self._let_go(worker)
            self.put([task], first=True)
            return
        worker.trusted, worker.task, worker.number = task.trusted, task, self._number
        worker.heard = len(self._news)
        worker.deadline = monotonic() + self._policy.trace_seconds

    # -- in -----------------------------------------------------------------------------------

    def _listen(self, *, wait: bool) -> None:
        busy = [w for w in self.workers if w.task]
        if not busy:
            return
        timeout = max(min(w.deadline for w in busy) - monotonic(), 0.0) if wait else 0.0
        with selectors.DefaultSelector() as selector:
            for worker in busy:
                selector.register(worker.handle.channel, selectors.EVENT_READ, worker)
            ready = [key.data for key, _ in selector.select(timeout)]
        for worker in ready:
            self._hear(worker)
        # Who has begun to answer is not hung: this process may have been busy elsewhere.
        now = monotonic()
        for worker in busy:
            if worker.task and worker not in ready and worker.deadline <= now:
                task = worker.task
                self._let_go(worker)
                limit = f"{self._policy.trace_seconds:g} s"
                reason = f"scrubbing took longer than trace_seconds ({limit})"
                self._settle(task, Outcome(kind="failed", reason=reason))

    def _hear(self, worker: _Worker) -> None:
        try:
            data = worker.handle.channel.recv(1 << 20)
            answers = list(worker.handle.inbox.feed(data))
        except (OSError, FrameError):
            data, answers = b"", []
        for kind, number, private, news, *rest in answers:
            if number == worker.number and worker.task:
                if news:
                    self._news.append(news)
                    self._news_size += len(news)
                self._answered(worker, worker.task, kind, private, rest)
        if worker.handle.inbox.partial:
            worker.deadline = max(worker.deadline, monotonic() + _GRACE_SECONDS)
        if not data and worker in self.workers:
            self._died(worker)

    def _answered(
        self, worker: _Worker, task: Task, kind: str, private: int, rest: list[Any]
    ) -> None:
        worker.task = None
        if kind == "memory" or (self.nursery.shared and private > self._share + _TOUCHED):
            self._let_go(worker)  # the next one begins with what the models take
        if kind == "error":
            raise rest[0]
        self._restarts = 0
        if kind == "memory":
            limit = f"{self._policy.worker_memory_mb} MB"
            reason = f"scrubbing needs more than worker_memory_mb ({limit})"
            self._settle(task, Outcome(kind="memory", reason=reason))
        elif kind == "raised":
            # A library that is out of memory may say so by an exception of its own.
            reason = f"scrubbing failed ({rest[0]})"
            self._settle(task, Outcome(kind="died", reason=reason))
        elif len(rest[0]) != len(task.traces):
            self._settle(task, Outcome(kind="failed", reason="the scrubber lost a trace"))
        else:
            self._settle(task, Outcome(kind="done", results=rest[0], stats=rest[1]))

    def _died(self, worker: _Worker) -> None:
        code = self.nursery.exit_code(worker.handle)
        task = worker.task
        self._let_go(worker)
        if task is not None:
            reason = f"the scrubbing process died{death(code)}"
            kind: Kind = "killed" if code == -signal.SIGKILL else "died"
            self._settle(task, Outcome(kind=kind, reason=reason))

    def _let_go(self, worker: _Worker) -> None:
        self.workers.remove(worker)
        self.nursery.discard(worker.handle)

    def _revive(self) -> None:
        """The nursery was killed, and all workers with it: begin again with what they had."""
        for worker in self.workers:
            worker.handle.channel.close()
            if worker.task:
                self.put([worker.task], first=True)
        self.workers.clear()
        self.nursery.close()
        self._restarts += 1
        if self._restarts > _RESTARTS:
            raise UsageError(
                "the scrubbing process keeps being killed",
                where="[anonymize]",
                fix="look for what kills it (memory?); workers = 0 scrubs in one process",
            )
