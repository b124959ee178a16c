"""Replays many traces: a pool of workers behind an iterator.

Results come as they are done; what is in them does not depend on how many workers there are.
Writing them down, and leaving out what an earlier run has done already, is up to the caller
(:func:`fingerprint` tells whether an earlier run was of the same agent).
"""

from __future__ import annotations

import dataclasses
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack

from anonymize.jsontools import dumps
from anonymize.trace import ToolDefinition, Trace
from replay.config import AgentSettings, LlmSettings, ReplayConfig
from replay.events import (
    AnswersNotKept,
    Event,
    RunFinished,
    TraceNotReplayable,
    TraceReplayed,
    WorkerReplaced,
    WorkersStarted,
)
from replay.faults import FaultPlan
from replay.fingerprint import fingerprint
from replay.jobs import Job, Planned, Setup
from replay.pool import WorkerPool
from replay.pseudonyms import PseudonymServer
from replay.recording import replayable
from replay.results import ReplayResult
from replay.sessions import MOST_WAITING, Sessions

__all__ = ["check_agent", "fingerprint", "run"]

#: Jobs per worker that are read ahead, so that workers go on while the caller is busy: so many
#: at first, and more in a long run of jobs that take less than the milliseconds below.
_AHEAD = 8
#: The same where what was read ahead might be more than is wanted.
_CLOSE = 2
_MOST_AHEAD = 128
_SHORT_MS = 2.0
_KEY_ENV = "REPLAY_ANONYMIZE_KEY"


def run(
    traces: Iterable[Trace | Planned],
    agent: str,
    config: ReplayConfig,
    plan: FaultPlan | None = None,
    on_event: Callable[[Event], None] | None = None,
    *,
    workers: int | None = None,
    close: bool = False,
) -> Iterator[ReplayResult]:
    """Replay ``traces`` with an agent of the config, and yield results as they are done.

    The agent is loaded before this returns. Traces are read as they are needed; those that can't
    be replayed give no result but a :class:`~replay.events.TraceNotReplayable`. One that is
    :class:`~replay.jobs.Planned` has faults of its own in place of ``plan``; its result has its
    ``label``. With granularity "session", traces of one session have to come in their order
    (:func:`replay.sessions.in_order`). ``workers`` overrides the config. ``on_event`` is called
    in the caller's thread. Closing the iterator ends all workers. With ``close`` few traces are
    read ahead, so that little is under way when ``traces`` ends early.

    Raises:
        UsageError: no such agent, or it can't be loaded.
    """
    setup = setup_of(agent, config, plan or FaultPlan(seed=config.replay.seed))
    size = workers or config.replay.workers or _cores()
    jobs = _Jobs(traces, on_event or (lambda event: None), config.llm)
    first = jobs.take(size)
    if not first:
        jobs.tell(RunFinished(replayed=0, not_replayable=jobs.left_out))
        return iter(())
    server = PseudonymServer.open(config)
    if server is not None:
        setup = dataclasses.replace(setup, pseudonyms=server.address)
    with ExitStack() as stack:
        stack.callback(server.close if server is not None else int)
        pool = WorkerPool(setup, size, secrets=secrets_of(config))
        pool.start(len(first))
        jobs.tell(WorkersStarted(workers=len(first)))
        each = _CLOSE if close else _AHEAD
        results = _results(pool, jobs, first, size, config, each)
        return _closing(results, stack.pop_all())


def _closing(results: Iterator[ReplayResult], stack: ExitStack) -> Iterator[ReplayResult]:
    with stack:
        yield from results


def _cores() -> int:
    """Those that this process may use, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_agent(agent: str, config: ReplayConfig) -> None:
    """Load the agent in a worker and stop it again.

    Raises:
        UsageError: no such agent, or it can't be loaded; says what to do.
    """
    inspect_agent(agent, config)


def inspect_agent(agent: str, config: ReplayConfig) -> tuple[ToolDefinition, ...] | None:
    """The same; the agent's tools, or ``None`` if it does not show them."""
    pool = WorkerPool(setup_of(agent, config, FaultPlan()), 1, secrets=secrets_of(config))
    pool.start(1)
    pool.close()
    return pool.tools


class _Jobs:
    """Jobs from traces, on demand; tells of the traces that give none."""

    def __init__(
        self, traces: Iterable[Trace | Planned], tell: Callable[[Event], None], llm: LlmSettings
    ) -> None:
        self._llm = llm
        self._traces = iter(traces)
        self._ready: deque[Job] = deque()
        self.sessions = Sessions() if llm.granularity == "session" else None
        self.tell = tell
        self.left_out = 0

    def take(self, number: int) -> list[Job]:
        """The next jobs, at most ``number``; fewer only at the end."""
        found: list[Job] = []
        while len(found) < number:
            if self._ready:
                found.append(self._ready.popleft())
                continue
            if self.sessions is not None and self.sessions.waiting >= MOST_WAITING:
                break
            item = next(self._traces, None)
            if item is None:
                break
            trace = item.trace if isinstance(item, Planned) else item
            reason = replayable(trace)
            if reason is None:
                job = Job.of(trace, self._llm)
                if isinstance(item, Planned):
                    job = job.planned(item)
                now = self.sessions.take(job, trace.output) if self.sessions is not None else job
                if now is not None:
                    found.append(now)
            else:
                self.left_out += 1
                self.tell(TraceNotReplayable(trace_id=trace.trace_id, reason=reason))
        return found

    def recorded(self, job: Job) -> Job:
        """The job with nothing in it that a candidate said."""
        return job if self.sessions is None else self.sessions.recorded(job)

    def done(self, result: ReplayResult) -> ReplayResult:
        """A job is done: what waited for it comes next."""
        if self.sessions is None:
            return result
        result, ready = self.sessions.done(result)
        self._ready += ready
        return result


def _results(
    pool: WorkerPool, jobs: _Jobs, first: list[Job], size: int, config: ReplayConfig, each: int
) -> Iterator[ReplayResult]:
    from replay.intercept.keeping import LiveCassette
    from replay.keeper import texts_of

    cassette = LiveCassette.of(config)
    under_way: dict[tuple[str, str], Job] = {}
    done = waiting = 0
    ahead = size * each
    try:
        new = [*first, *jobs.take(ahead - len(first))]
        while new or waiting:
            if new:
                under_way.update((job.key, jobs.recorded(job)) for job in new)
                waiting += len(new)
                pool.submit(*new)
                new = []
            said = pool.get()
            if isinstance(said, BaseException):
                raise said
            if isinstance(said, WorkerReplaced):
                jobs.tell(said)
                continue
            result, interactions = said
            result = jobs.done(result)
            asked = under_way.pop(result.key, None)
            if cassette is not None and interactions:
                # On disk before anything else: what a model said is paid for.
                cassette.append(interactions, tuple(texts_of(asked)))
            waiting -= 1
            done += 1
            more = min(done // 2, size * _MOST_AHEAD) if result.wall_ms < _SHORT_MS else 0
            ahead = size * each + more
            if waiting <= ahead - ahead // _AHEAD // size:  # some at a time: each waking costs
                new = jobs.take(ahead - waiting)
            jobs.tell(
                TraceReplayed(trace_id=result.trace.trace_id, status=result.status, done=done)
            )
            yield result
    finally:
        pool.close()
        if cassette is not None:
            cassette.close()
            for why, number in cassette.left_out.items():
                jobs.tell(AnswersNotKept(number=number, reason=why))
    jobs.tell(RunFinished(replayed=done, not_replayable=jobs.left_out))


def setup_of(agent: str, config: ReplayConfig, plan: FaultPlan, *, known: bool = True) -> Setup:
    """What a worker is told. An agent that is not ``known`` has no table in the config."""
    return Setup(
        name=agent,
        agent=config.agent(agent) if known else AgentSettings(),
        where=f"{config.path or 'replay.toml'}: agents.{agent}",
        root=config.root.resolve(),
        settings=config.replay,
        tools=dict(config.tools),
        plan=dumps(plan.for_agent(agent).to_json()),
        llm=config.llm,
        http=config.http,
        sandbox=config.sandbox,
    )


def secrets_of(config: ReplayConfig) -> set[str]:
    """Variables that the agent's process must not have: the key to every pseudonym."""
    return {_KEY_ENV, str(config.anonymize.get("key_env", _KEY_ENV))}
